"""Binance messages that other projects keep for their tests, one by one against the values they expect."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from binance_captures import load_json, shared

from onetape.marketdata.book import Book
from onetape.model.enums import InstrumentKind, Side
from onetape.model.errors import DecodeError
from onetape.model.event import Event
from onetape.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    FundingRate,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Quote,
    Trade,
)
from onetape.venues.binance.decoder import BinanceDecoder
from onetape.venues.binance.symbols import infer_instrument, parse_exchange_info

RECV = 1_567_296_001_275_054_300


def as_ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def normalised(event: Event) -> dict[str, Any] | None:
    """An event in the words of tardis-node; None where it has no word for it."""
    base = {"symbol": event.instrument.symbol, "timestamp": event.ts_event // 1_000_000}  # type: ignore[attr-defined]
    if isinstance(event, Trade):
        side = event.side.name.lower()
        return {
            **base,
            "type": "trade",
            "id": event.trade_id,
            "price": event.price,
            "amount": event.size,
            "side": side,
        }
    if isinstance(event, Quote):
        return {
            **base,
            "type": "book_ticker",
            "askAmount": event.ask_size,
            "askPrice": event.ask,
            "bidPrice": event.bid,
            "bidAmount": event.bid_size,
        }
    if isinstance(event, BookSnapshot | BookDelta):
        sides = {
            name: [
                {"price": event.instrument.price_to_float(price), "amount": event.instrument.size_to_float(size)}
                for price, size in levels
            ]
            for name, levels in (("bids", event.bids), ("asks", event.asks))
        }
        return {**base, "type": "book_change", "isSnapshot": isinstance(event, BookSnapshot), **sides}
    if isinstance(event, Liquidation):
        side = event.side.name.lower()
        return {
            **base,
            "type": "liquidation",
            "id": None,
            "price": event.price,
            "amount": event.size,
            "side": side,
        }
    return None


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key not in ("exchange", "localTimestamp")}
    return {**kept, "timestamp": as_ms(row["timestamp"])}


#: What is read differently here, by (file, place of the pair), and why; each is checked for what it is.
TARDIS_DIFFERENCES = {
    ("binance", 8): "the snapshot and the update that continues it are two events here; they make its book",
    ("binance-futures", 0): "aggTrade without its id `a`, which the venue documents: it is refused",
    (
        "binance-futures",
        6,
    ): "the snapshot and the update that continues it are two events here; they make its book",
    ("binance-futures", 7): "the update of the pair before once more with another `pu`: it is old here",
}


@pytest.mark.parametrize(("file", "market"), [("binance", "spot"), ("binance-futures", "usdm")])
def test_tardis_pairs(file: str, market: str) -> None:
    pairs = load_json(f"tardis-node/{file}.json")["pairs"]
    decoder = BinanceDecoder(market)  # type: ignore[arg-type]
    # Prices and sizes of these samples come with more decimals than their first frame shows.
    for symbol in ("BTCUSDT", "ETHUSDT", "BTCBUSD_210129"):
        decoder.instruments[symbol] = infer_instrument(symbol, market)  # type: ignore[arg-type]
    for at, pair in enumerate(pairs):
        expected = [comparable(row) for row in pair["expected"] if row["type"] != "derivative_ticker"]
        frame = json.dumps(pair["raw"]).encode()
        if (file, at) == ("binance-futures", 0):
            with pytest.raises(DecodeError, match=r"\$\.data: Object missing required field `a`"):
                decoder.decode(frame, RECV, at)
            continue
        events = decoder.decode(frame, RECV, at)
        books = [event for event in events if isinstance(event, BookSnapshot | BookDelta)]
        rows = [row for event in events if (row := normalised(event)) is not None]
        if (file, at) in (("binance-futures", 6), ("binance", 8)):
            book, (whole,) = Book(books[0].instrument), expected
            for event in books:
                book.apply(event)
            assert TARDIS_DIFFERENCES[file, at]
            for side, levels in (("bids", book.bids.levels(0)), ("asks", book.asks.levels(0))):
                shown = {(book.instrument.price_to_float(p), book.instrument.size_to_float(s)) for p, s in levels}
                assert shown == {(level["price"], level["amount"]) for level in whole[side]}
            continue
        if (file, at) == ("binance-futures", 7):
            assert not events
            assert decoder.books["BTCUSDT"].old_updates == 1
            continue
        if isinstance(books[0] if books else None, BookDelta) and file == "binance-futures":
            # It dates an update by when it was sent, we by the transaction, as it does trades.
            for row in expected:
                row["timestamp"] = pair["raw"]["data"]["T"]
        if events and isinstance(events[0], Quote) and file == "binance-futures":
            expected[0]["timestamp"] = pair["raw"]["data"]["T"]
        assert rows == expected, at
    assert sum(decoder.errors.values()) == (1 if file == "binance-futures" else 0)


def test_tardis_derivative_tickers() -> None:
    """It folds the mark price, the funding rate and the open interest into one running row."""
    decoder = BinanceDecoder("usdm")
    seen: dict[str, dict[str, Any]] = {}
    for at, pair in enumerate(load_json("tardis-node/binance-futures.json")["pairs"]):
        rows = [row for row in pair["expected"] if row["type"] == "derivative_ticker"]
        if pair["raw"]["stream"].endswith("@aggTrade"):
            continue
        events = decoder.decode(json.dumps(pair["raw"]).encode(), RECV, at)
        for event in events:
            state = seen.setdefault(getattr(event, "instrument").symbol, {})  # noqa: B009
            if isinstance(event, MarkPrice):
                state |= {"markPrice": event.mark, "indexPrice": event.index or None}
            elif isinstance(event, FundingRate):
                state |= {
                    "fundingRate": event.rate,
                    "fundingTimestamp": event.next_funding_time // 1_000_000,
                }
            elif isinstance(event, OpenInterest):
                state["openInterest"] = event.open_interest
        for row in rows:
            if "ticker" in pair["raw"]["stream"]:
                assert not events  # a rolling statistic: known, not used
                continue
            expected = {key: row[key] for key in ("markPrice", "indexPrice", "fundingRate", "openInterest")}
            if row["fundingTimestamp"]:
                expected["fundingTimestamp"] = as_ms(row["fundingTimestamp"])
            state = seen[row["symbol"]]
            assert {key: state.get(key) for key in expected} == expected


def test_gocryptotrader_stream_frames() -> None:
    decoder = BinanceDecoder("spot", open_bars=True)
    lines = shared("gocryptotrader/binance/wsHandleData.json").read_bytes().splitlines()
    events = [event for at, line in enumerate(lines) for event in decoder.decode(line, RECV, at)]
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Bar", "Trade", "StreamHealth"]
    bar, trade, _health = events
    assert isinstance(bar, Bar)
    assert isinstance(trade, Trade)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.buy_volume, bar.count, bar.spec) == (
        0.0010,
        0.0025,
        0.0015,
        0.0020,
        1000.0,
        500.0,
        100,
        "1m",
    )
    assert (trade.price, trade.size, trade.side, trade.trade_id) == (0.001, 100.0, Side.SELL, "12345")
    assert trade.ts_event == 123456785 * 1_000_000
    assert sum(decoder.unused.values()) == len(lines) - 3
    assert sorted(decoder.unused.values()) == [1, len(lines) - 4]  # the 24 h ticker; the account's own


def test_nautilus_public_messages() -> None:
    folder = "nautilus_trader/binance/futures/market_data_json"
    decoder = BinanceDecoder("usdm", {s: infer_instrument(s, "usdm") for s in ("BTCUSDT", "BNBUSDT")})

    def decode(name: str) -> list[Event]:
        return decoder.decode(shared(f"{folder}/{name}.json").read_bytes(), RECV, 1)

    (quote,) = decode("book_ticker_stream")
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (25.3519, 31.21, 25.3652, 40.66)
    assert (quote.sequence, quote.ts_event) == (400900217, 1568014460891 * 1_000_000)
    (bar,) = decode("kline_stream_closed")
    assert isinstance(bar, Bar)
    assert (bar.ts_open, bar.ts_event) == (1638747660000 * 1_000_000, 1638747720000 * 1_000_000)
    (liquidation,) = decode("liquidation_stream")
    assert isinstance(liquidation, Liquidation)
    assert (liquidation.side, liquidation.price, liquidation.size) == (Side.SELL, 9910.0, 0.014)
    mark, funding = decode("mark_price_stream")
    assert isinstance(mark, MarkPrice)
    assert isinstance(funding, FundingRate)
    assert (mark.mark, mark.index, funding.rate) == (11794.15, 11784.62659091, 0.00038167)
    assert funding.next_funding_time == 1562306400000 * 1_000_000
    (trade,) = decode("trade_stream")
    assert isinstance(trade, Trade)
    assert (trade.price, trade.size, trade.side, trade.trade_id) == (0.001, 100.0, Side.SELL, "5933014")
    assert not decode("ticker_stream")
    (_health,) = decode("depth_update_stream")
    held = decoder.books["BTCUSDT"]
    assert held.needs_snapshot
    assert not decoder.errors
    snapshot = {"lastUpdateId": 149, "bids": [["0.0023", "1"]], "asks": [["0.0027", "1"]]}
    decoder.decode(json.dumps(snapshot).encode(), RECV, 2)
    assert held.last_sequence == 160
    show = held.instrument.format_price
    assert [show(price) for price, _ in held.book.bids.levels(0)] == ["0.00240000", "0.00230000"]


@pytest.mark.parametrize(
    "path", ["nautilus_trader/binance/spot/http_json/depth_response.json", "xchange/binance/__files/depth.json"]
)
def test_rest_depth_answers(path: str) -> None:
    (snapshot,) = [
        event
        for event in BinanceDecoder("spot").decode(shared(path).read_bytes(), RECV, 0, "ltcbtc@depthSnapshot")
        if isinstance(event, BookSnapshot)
    ]
    assert snapshot.instrument.id == "LTC-BTC.BINANCE"
    assert snapshot.sequence == 1027024
    assert snapshot.bids == ((400000000, 43100000000),)
    assert snapshot.asks == ((400000200, 1200000000),)


def test_a_symbol_without_filters_is_skipped_with_its_place() -> None:
    path = "nautilus_trader/binance/spot/http_json/exchange_info_response.json"
    info = parse_exchange_info(shared(path).read_bytes(), "spot")
    assert not info.instruments
    assert list(info.skipped) == ["$.symbols[0] ETHBTC"]


@pytest.mark.parametrize(
    ("route", "market"),
    [("/api/v3/exchangeInfo", "spot"), ("/fapi/v1/exchangeInfo", "usdm"), ("/dapi/v1/exchangeInfo", "coinm")],
)
def test_recorded_exchange_info(route: str, market: str) -> None:
    answers = load_json("gocryptotrader/binance/http.json.xz")["routes"][route]["GET"]
    body = json.dumps(answers[0]["data"]).encode()
    info = parse_exchange_info(body, market)  # type: ignore[arg-type]
    assert len(info.instruments) == 25
    assert not info.skipped
    if market == "spot":
        spot = info.instruments["ETHBTC"]
        assert (spot.id, spot.kind, spot.settle) == ("ETH-BTC.BINANCE", InstrumentKind.SPOT, "BTC")
        assert (spot.format_price(spot.tick_raw), spot.format_size(spot.lot_raw)) == ("0.00001000", "0.00010000")
        assert spot.min_notional == 10**14
    elif market == "usdm":
        perpetual = info.instruments["BTCUSDT"]
        assert (perpetual.id, perpetual.settle, perpetual.expiry) == ("BTC-USDT-PERP.BINANCE", "USDT", 0)
        assert (perpetual.tick_raw, perpetual.price_precision, perpetual.lot_raw) == (10, 2, 1)
        assert perpetual.min_notional == 100 * 10**18
    else:
        inverse = info.instruments["BTCUSD_PERP"]
        assert (inverse.id, inverse.settle, inverse.inverse) == ("BTC-USD-PERP.BINANCE", "BTC", True)
        assert inverse.multiplier == 100 * 10**18
        for one in info.instruments.values():
            guess = infer_instrument(one.symbol, "coinm")
            assert (one.id, one.kind, one.settle) == (guess.id, guess.kind, guess.settle)
            assert (one.expiry, one.multiplier) == (guess.expiry, guess.multiplier)


@pytest.mark.parametrize(
    ("route", "market"), [("/api/v3/depth", "spot"), ("/fapi/v1/depth", "usdm"), ("/dapi/v1/depth", "coinm")]
)
def test_recorded_depth(route: str, market: str) -> None:
    symbol = "btcusd_perp" if market == "coinm" else "btcusdt"
    for answer in load_json("gocryptotrader/binance/http.json.xz")["routes"][route]["GET"]:
        decoder = BinanceDecoder(market)  # type: ignore[arg-type]
        body = json.dumps(answer["data"]).encode()
        (snapshot,) = [
            event
            for event in decoder.decode(body, RECV, 0, f"{symbol}@depthSnapshot")
            if isinstance(event, BookSnapshot)
        ]
        assert len(snapshot.bids) == len(answer["data"]["bids"])
        assert snapshot.sequence == answer["data"]["lastUpdateId"]
