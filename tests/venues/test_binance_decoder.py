"""What the decoder makes of each kind of frame, of frames that are wrong, and of frames nobody would send."""

from __future__ import annotations

import contextlib
import json
from copy import deepcopy
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onetape.model.enums import Health, MarkKind, Side
from onetape.model.errors import ConfigurationError, DecodeError
from onetape.model.event import Event
from onetape.model.market import Bar, BookDelta, BookSnapshot, FundingRate, MarkPrice, Quote, Trade
from onetape.model.system import SessionMark, StreamHealth
from onetape.venues.binance.decoder import BinanceDecoder
from onetape.venues.binance.symbols import infer_instrument, infer_instruments, parse_exchange_info, split_pair

RECV = 1_700_000_000_000_000_123
TRADE: dict[str, Any] = {
    "e": "trade",
    "E": 1_700_000_000_001,
    "s": "BTCUSDT",
    "t": 77,
    "p": "61800.30",
    "q": "0.006",
    "T": 1_700_000_000_000,
    "m": False,
}
AGG = {**{k: v for k, v in TRADE.items() if k != "t"}, "e": "aggTrade", "a": 5, "f": 70, "l": 77}
TICKER = {"u": 12, "s": "BTCUSDT", "b": "61800.20", "B": "2.507", "a": "61800.30", "A": "2.510"}
DEPTH = {
    "e": "depthUpdate",
    "E": 1_700_000_000_001,
    "s": "BTCUSDT",
    "U": 11,
    "u": 12,
    "b": [["61800.10", "1.0"]],
    "a": [],
}
FUTURES_DEPTH = {**DEPTH, "T": 1_700_000_000_000, "pu": 10}
PARTIAL = {"lastUpdateId": 10, "bids": [["61800.10", "1.0"]], "asks": [["61800.20", "2.0"], ["61800.30", "2.0"]]}
CANDLE = {
    "t": 1_700_000_040_000,
    "T": 1_700_000_099_999,
    "s": "BTCUSDT",
    "i": "1m",
    "o": "10",
    "c": "11",
    "h": "12",
    "l": "9",
}
KLINE = {
    "e": "kline",
    "E": 1_700_000_100_001,
    "s": "BTCUSDT",
    "k": {**CANDLE, "v": "100", "V": "40", "n": 7, "x": True, "q": "1", "Q": "1", "f": 1, "L": 7, "B": "0"},
}
MARK = {
    "e": "markPriceUpdate",
    "E": 1_700_000_000_000,
    "s": "BTCUSDT",
    "p": "61801.12345678",
    "i": "61799.1",
    "r": "-0.00010000",
    "T": 1_700_006_400_000,
}
FORCE = {
    "e": "forceOrder",
    "E": 1_700_000_000_000,
    "o": {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.014",
        "p": "9910",
        "T": 1_700_000_000_000,
    },
}
INSTRUMENTS = {"BTCUSDT": infer_instrument("BTCUSDT", "usdm", "BINANCE", 2, 3)}


def frame(data: Any, stream: str = "") -> bytes:
    body = {"stream": stream, "data": data} if stream else data
    return json.dumps(body, separators=(",", ":")).encode()


def usdm(**options: Any) -> BinanceDecoder:
    return BinanceDecoder("usdm", dict(INSTRUMENTS), **options)


def one(decoder: BinanceDecoder, data: Any, stream: str = "") -> Event:
    (event,) = decoder.decode(frame(data, stream), RECV, 3)
    return event


@pytest.mark.parametrize("stream", ["", "btcusdt@trade", "a listen key"])
def test_trade_single_combined_and_under_any_stream_name(stream: str) -> None:
    trade = one(usdm(), TRADE, stream)
    assert trade == Trade(INSTRUMENTS["BTCUSDT"], 6180030, 6, Side.BUY, "77", 1_700_000_000_000_000_000, RECV, 3 << 16)


def test_the_buyers_order_resting_means_that_the_aggressor_sold() -> None:
    trade = one(usdm(), {**TRADE, "m": True})
    assert isinstance(trade, Trade)
    assert trade.side is Side.SELL


def test_times_in_microseconds_are_told_from_milliseconds() -> None:
    trade = one(usdm(), {**TRADE, "T": 1_700_000_000_000_123})
    assert trade.ts_event == 1_700_000_000_000_123_000
    with pytest.raises(DecodeError, match=r"\$\.T: 50000000000000 is neither"):
        usdm().decode(frame({**TRADE, "T": 50_000_000_000_000}), RECV, 0)


@pytest.mark.parametrize(
    ("trades", "kept"),
    [("first", ["5", "5"]), ("trade", ["77"]), ("aggTrade", ["5", "5"]), ("both", ["5", "77", "5"])],
)
def test_a_trade_does_not_count_twice(trades: Any, kept: list[str]) -> None:
    decoder = usdm(trades=trades)
    events = [event for data in (AGG, TRADE, AGG) for event in decoder.decode(frame(data), RECV, 0)]
    assert [event.trade_id for event in events if isinstance(event, Trade)] == kept
    assert sum(decoder.unused.values()) == 3 - len(kept)


def test_transfers_of_the_insurance_fund_are_no_trades() -> None:
    decoder = usdm()
    assert decoder.decode(frame({**TRADE, "X": "NA", "p": "0", "q": "0"}), RECV, 0) == []
    assert decoder.decode(frame({**TRADE, "X": "INSURANCE_FUND"}), RECV, 0) == []
    assert list(decoder.unused.values()) == [2]
    assert not decoder.errors


@pytest.mark.parametrize("stream", ["", "btcusdt@bookTicker", "!bookTicker"])
def test_spot_book_ticker_has_neither_type_nor_time(stream: str) -> None:
    quote = one(BinanceDecoder("spot", dict(INSTRUMENTS)), TICKER, stream)
    assert isinstance(quote, Quote)
    assert (quote.bid_raw, quote.bid_size_raw, quote.ask_raw, quote.ask_size_raw) == (6180020, 2507, 6180030, 2510)
    assert (quote.sequence, quote.ts_event) == (12, RECV)


def test_an_empty_side_of_the_book_ticker() -> None:
    quote = one(usdm(), {**TICKER, "b": "0.00", "B": "0.000"})
    assert isinstance(quote, Quote)
    assert (quote.bid_raw, quote.bid_size_raw) == (0, 0)
    with pytest.raises(DecodeError, match=r"\$\.b: best price 5\.00"):
        usdm().decode(frame({**TICKER, "b": "5.00", "B": "0.000"}), RECV, 0)


def test_partial_depth_of_spot_takes_its_symbol_from_the_stream() -> None:
    for data, stream, name in ((PARTIAL, "btcusdt@depth5@100ms", ""), (PARTIAL, "", "btcusdt@depth5")):
        decoder = BinanceDecoder("spot")
        events = decoder.decode(frame(data, stream), RECV, 0, name)
        assert [type(event) for event in events] == [StreamHealth, BookSnapshot, StreamHealth]
        assert decoder.books["BTCUSDT"].health is Health.LIVE
        assert events[1].instrument.id == "BTC-USDT.BINANCE"  # type: ignore[attr-defined]
        assert [event.seq for event in events] == [0, 1, 2]


def test_partial_depth_of_futures_looks_like_a_difference() -> None:
    decoder = usdm()
    for number in range(3):
        events = decoder.decode(frame({**FUTURES_DEPTH, "pu": 5}, "btcusdt@depth20@100ms"), RECV, number)
    assert [type(event) for event in events] == [BookSnapshot]


def test_partial_depth_beside_the_whole_book_is_not_used() -> None:
    decoder = usdm()
    decoder.decode(frame(FUTURES_DEPTH, "btcusdt@depth@100ms"), RECV, 0)
    assert decoder.decode(frame(FUTURES_DEPTH, "btcusdt@depth5"), RECV, 0) == []
    assert decoder.decode(frame(FUTURES_DEPTH, "btcusdt@rpiDepth@500ms"), RECV, 0) == []
    assert sum(decoder.unused.values()) == 2


def test_a_snapshot_without_a_symbol_needs_a_single_book() -> None:
    decoder = BinanceDecoder("usdm")
    with pytest.raises(DecodeError, match="there are 0 books"):
        decoder.decode(frame(PARTIAL), RECV, 0)
    decoder.decode(frame(FUTURES_DEPTH), RECV, 0)
    events = decoder.decode(frame(PARTIAL), RECV, 1)
    assert [type(event) for event in events] == [BookSnapshot, BookDelta, StreamHealth]
    decoder.decode(frame({**FUTURES_DEPTH, "s": "ETHUSDT"}), RECV, 2)
    with pytest.raises(DecodeError, match="there are 2 books"):
        decoder.decode(frame(PARTIAL), RECV, 3)
    assert decoder.decode(frame(PARTIAL), RECV, 4, "ethusdt@depthSnapshot")


def test_a_bad_depth_frame_gaps_its_book_at_the_next_one() -> None:
    decoder = usdm()
    decoder.decode(frame(FUTURES_DEPTH), RECV, 0)
    decoder.decode(frame(PARTIAL), RECV, 1)
    bad = {**FUTURES_DEPTH, "U": 13, "u": 14, "pu": 12, "b": [["61800.10", "1.0"], ["61800.123", "1"]]}
    with pytest.raises(DecodeError) as error:
        decoder.decode(frame(bad, "btcusdt@depth"), RECV, 2)
    assert (error.value.channel, error.value.path) == ("btcusdt@depth", "$.data.b[1]")
    assert "61800.123" in str(error.value)
    assert decoder.errors == {"value": 1}
    events = decoder.decode(frame({**FUTURES_DEPTH, "U": 15, "u": 16, "pu": 14}), RECV, 3)
    assert decoder.books["BTCUSDT"].health is Health.GAPPED
    assert "13 to 14 are missing" in events[-1].reason  # type: ignore[attr-defined]


def test_connection_lost_and_opened_again() -> None:
    decoder = usdm()
    decoder.decode(frame(FUTURES_DEPTH), RECV, 0)
    for events, health in (
        (decoder.close(RECV, 1, "by the venue"), Health.CLOSED),
        (decoder.connecting(RECV, 2), Health.CONNECTING),
    ):
        (event,) = events
        assert isinstance(event, StreamHealth)
        assert event.health is health


def test_bars_closed_and_open() -> None:
    bar = one(usdm(), KLINE, "btcusdt@kline_1m")
    assert isinstance(bar, Bar)
    assert (bar.spec, bar.ts_open, bar.ts_event) == ("1m", 1_700_000_040 * 10**9, 1_700_000_100 * 10**9)
    assert (bar.open, bar.high, bar.low, bar.close) == (10, 12, 9, 11)
    assert (bar.volume, bar.buy_volume, bar.count) == (100, 40, 7)
    still_open = deepcopy(KLINE)
    still_open["k"]["x"] = False  # type: ignore[index]
    assert usdm().decode(frame(still_open), RECV, 0) == []
    bar = one(usdm(open_bars=True), still_open)
    assert bar.ts_event == 1_700_000_100_001 * 10**6


def test_mark_price_and_funding_of_a_perpetual() -> None:
    mark, rate = usdm().decode(frame(MARK, "btcusdt@markPrice@1s"), RECV, 3)
    assert isinstance(mark, MarkPrice)
    assert isinstance(rate, FundingRate)
    assert (mark.mark_raw, mark.index_raw) == (61801_12345678 * 10**10, 617991 * 10**17)
    assert (rate.rate_raw, rate.next_funding_time) == (-(10**14), 1_700_006_400 * 10**9)
    assert [mark.seq, rate.seq] == [3 << 16, (3 << 16) + 1]


def test_a_dated_coin_future_has_no_funding() -> None:
    data = {**MARK, "s": "BTCUSD_240927", "P": "1", "r": "", "T": 0}
    mark = one(BinanceDecoder("coinm"), data)
    assert isinstance(mark, MarkPrice)
    assert mark.instrument.id == "BTC-USD-240927.BINANCE"


def test_mark_prices_of_all_symbols_come_as_one_array() -> None:
    decoder = usdm()
    for data in (frame([MARK, {**MARK, "s": "ETHUSDT"}, MARK], "!markPrice@arr@1s"), frame([MARK, MARK])):
        events = decoder.decode(data, RECV, 0)
        assert [event.seq for event in events] == [0, 1, 2, 3]
    assert list(decoder.unused.values()) == [1]


def test_answers_and_errors_of_the_venue() -> None:
    decoder = usdm()
    assert decoder.decode(b'{"result":null,"id":1}', RECV, 0) == []
    for answer in (
        b'{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":7}',
        b'{"code":-1121,"msg":"Invalid symbol."}',
    ):
        (note,) = decoder.decode(answer, RECV, 0)
        assert isinstance(note, SessionMark)
        assert note.mark is MarkKind.NOTE
        assert "Invalid" in note.text


@pytest.mark.parametrize(
    "kind",
    ["24hrTicker", "24hrMiniTicker", "continuous_kline", "compositeIndex", "executionReport", "contractInfo"],
)
def test_known_and_unused_with_a_reason(kind: str) -> None:
    decoder = usdm()
    assert decoder.decode(frame({"e": kind, "s": "BTCUSDT"}, "btcusdt@any"), RECV, 0) == []
    assert list(decoder.unused.values()) == [1]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"", "truncated"),
        (b"pong", "malformed"),
        (b'{"stream":"btcusdt@trade","data":{"e":"trade"', "truncated"),
        (b"[1]", r"\$\[0\]: Expected `object`"),
        (b"5", "Expected `object`"),
        (b"{}", "neither an event"),
        (frame({"e": "novelty"}), r"\$\.e: unknown event type 'novelty'"),
        (frame({**TRADE, "p": 61800.3}), r"\$\.p: Expected `str`, got `float`"),
        (
            frame({k: v for k, v in TRADE.items() if k != "q"}, "btcusdt@trade"),
            r"\$\.data: .*missing required field `q`",
        ),
        (frame({**TRADE, "e": "aggTrade"}, "btcusdt@trade"), r"\$\.data\.e: Invalid value 'aggTrade'"),
        (frame({**TRADE, "s": "BTCUSDR"}), r"\$\.s: unknown symbol 'BTCUSDR'; the nearest are BTCUSDT"),
        (frame({**TRADE, "p": "61800.301"}), r"\$\.p: .*'61800.301' has more than 2 decimals"),
        (frame({**TRADE, "p": "0.00"}), r"\$\.p: price 0.00"),
        (frame({**TRADE, "p": "-1.00"}), r"\$\.p: price -1.00"),
        (frame({**TRADE, "p": "cheap"}), r"\$\.p: .*'cheap' is not a decimal"),
        (frame({**TRADE, "q": "0.000"}), r"\$\.q: a trade .*without a size"),
        (frame({**TRADE, "q": "-2.000"}), r"\$\.q: size -2.000"),
        (frame({**TRADE, "q": "NaN"}), r"\$\.q: .*'NaN' is not a decimal"),
        (frame({**TRADE, "q": "1e40"}), r"\$\.q: .*does not fit"),
        (frame({**TRADE, "q": "1e400000000"}), r"\$\.q: .*does not fit"),
        (frame({**TRADE, "T": -1}), r"\$\.T: Expected `int` >= 0"),
        (frame({**TRADE, "t": 2**70}), r"\$\.t"),
        (frame(DEPTH), "missing required field `pu`"),
        (frame({**FUTURES_DEPTH, "U": 99}), r"\$\.U: first update 99"),
        (frame({**FUTURES_DEPTH, "pu": 2**64}), r"pu"),
        (frame({**FUTURES_DEPTH, "b": [["1", "1", "1"]]}), r"\$\.b\[0\]"),
        (frame({**PARTIAL, "bids": [["1", "1"], ["2", "1"]]}), r"\$\.bids\[1\]: .*order of price"),
        (frame({**PARTIAL, "asks": [["1", "0"]]}), r"\$\.asks\[0\]: .*without a size"),
        (frame({**MARK, "p": "-1"}), r"\$\.p: price -1 is negative"),
        (frame({**MARK, "p": "1e999999999"}), r"\$\.p"),
        (b'{"e":"trade","s":"\xff"}', "utf-8"),
        (b"[" * 200_000, "malformed|truncated|nest|recursion"),
    ],
)
def test_a_bad_frame_is_an_error_that_names_the_place(bad: bytes, says: str) -> None:
    decoder = usdm()
    with pytest.raises(DecodeError, match=says) as error:
        decoder.decode(bad, RECV, 0)
    assert error.value.venue == "BINANCE"
    assert sum(decoder.errors.values()) == 1
    assert isinstance(one(decoder, TRADE), Trade)


def test_an_instrument_is_inferred_from_a_good_frame_only() -> None:
    decoder = BinanceDecoder("usdm")
    with pytest.raises(DecodeError):
        decoder.decode(frame({**TRADE, "p": "1.2345678901x"}), RECV, 0)
    assert not decoder.instruments
    one(decoder, TRADE)
    assert (decoder.instruments["BTCUSDT"].price_precision, decoder.instruments["BTCUSDT"].size_precision) == (
        2,
        3,
    )
    with pytest.raises(DecodeError, match="does not end with a known quote asset"):
        decoder.decode(frame({**TRADE, "s": "NOTHING"}), RECV, 0)


def test_unknown_market() -> None:
    with pytest.raises(ConfigurationError, match="spot, usdm, coinm"):
        BinanceDecoder("options")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("symbol", "market", "venue", "expected"),
    [
        ("BTCUSDT", "spot", "BINANCE", "BTC-USDT.BINANCE"),
        ("BTCUSDT", "usdm", "BINANCE", "BTC-USDT-PERP.BINANCE"),
        ("BTCUSDT_240927", "usdm", "BINANCE", "BTC-USDT-240927.BINANCE"),
        ("BTCUSD_PERP", "coinm", "BINANCE", "BTC-USD-PERP.BINANCE"),
        ("BTCUSD_240927", "coinm", "BINANCE", "BTC-USD-240927.BINANCE"),
        ("1000SHIBUSDT", "usdm", "BINANCE", "1000SHIB-USDT-PERP.BINANCE"),
        ("BNBUSD", "spot", "BINANCE_US", "BNB-USD.BINANCE_US"),
        ("ETHBTC", "spot", "BINANCE", "ETH-BTC.BINANCE"),
    ],
)
def test_symbols_and_ids(symbol: str, market: Any, venue: str, expected: str) -> None:
    instrument = infer_instrument(symbol, market, venue)
    assert (instrument.id, instrument.symbol) == (expected, symbol)
    assert instrument.inverse is (market == "coinm")
    if "240927" in symbol:
        assert instrument.expiry == 1_727_424_000_000_000_000  # 2024-09-27 08:00 UTC


def test_inferred_decimals_are_those_that_are_needed() -> None:
    rows = [("BTCUSDT", "61800.10000000", "0.00100000"), ("BTCUSDT", "61800.00000000", "1.50000000")]
    instrument = infer_instruments(rows, "spot")["BTCUSDT"]
    assert (instrument.price_precision, instrument.size_precision) == (1, 3)


def test_a_great_coin_keeps_room_for_its_sizes() -> None:
    listed = {
        "symbol": "BTTCUSDT",
        "status": "TRADING",
        "baseAsset": "BTTC",
        "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.00000001"},
            {
                "filterType": "LOT_SIZE",
                "stepSize": "0.10000000",
                "minQty": "0.1",
                "maxQty": "912327001122.00000000",
            },
        ],
    }
    body = frame({"symbols": [listed, {**listed, "symbol": "X", "filters": [{"filterType": "LOT_SIZE"}]}, 5]})
    info = parse_exchange_info(body, "spot")
    instrument = info.instruments["BTTCUSDT"]
    assert instrument.parse_size("912327001122000.0") > 0
    assert sorted(info.skipped) == ["$.symbols[1] X", "$.symbols[2]"]
    with pytest.raises(DecodeError, match="exchangeInfo"):
        parse_exchange_info(b"[]", "spot")


def test_split_pair_prefers_the_longest_quote() -> None:
    assert split_pair("FDUSDUSDT") == ("FDUSD", "USDT")
    assert split_pair("BTCFDUSD") == ("BTC", "FDUSD")


SAMPLES = [
    (frame(data, stream), market)
    for market in ("spot", "usdm", "coinm")
    for data, name in (
        (TRADE, "trade"),
        (AGG, "aggTrade"),
        (TICKER, "bookTicker"),
        (FUTURES_DEPTH, "depth"),
        (PARTIAL, "depth5"),
        (PARTIAL, "depthSnapshot"),
        (KLINE, "kline_1m"),
        (MARK, "markPrice"),
        (FORCE, "forceOrder"),
        ([MARK, MARK], "arr"),
    )
    for stream in ("", f"btcusdt@{name}", "!all@" + name)
]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["NaN", "Infinity", "-0", "1e400", "1e-400", "1" * 400, "0." + "0" * 400 + "1", "\u0661", "1_0", " 1"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in list(items) for place in [(value, key), *places(inner)]]


@st.composite
def mutations(draw: st.DrawFn) -> tuple[bytes, str]:
    text, market = draw(st.sampled_from(SAMPLES))
    how = draw(st.sampled_from(["cut", "bytes", "values", "values", "values"]))
    if how == "cut":
        return text[: draw(st.integers(0, len(text)))], market
    if how == "bytes":
        at = draw(st.integers(0, len(text) - 1))
        return text[:at] + draw(st.binary(max_size=4)) + text[at + draw(st.integers(0, 4)) :], market
    value = json.loads(text)
    for _ in range(draw(st.integers(1, 3))):
        where = places(value)
        if where:
            holder, key = draw(st.sampled_from(where))
            if draw(st.booleans()):
                holder[key] = draw(ODD)
            else:
                del holder[key]
    return json.dumps(value, separators=(",", ":")).encode(), market


def exact(event: Event, sent: bytes) -> None:
    """Every number of the event stands in the frame."""
    instrument = getattr(event, "instrument", None)
    if isinstance(event, Trade):
        pairs = [(event.price_raw, event.size_raw)]
    elif isinstance(event, Quote):
        pairs = [(event.bid_raw, event.bid_size_raw), (event.ask_raw, event.ask_size_raw)]
    elif isinstance(event, BookSnapshot | BookDelta):
        pairs = [*event.bids, *event.asks]
    else:
        return
    numbers = set()
    for value in [holder[key] for holder, key in places(json.loads(sent.decode(errors="replace")))]:
        if isinstance(value, str):
            try:
                numbers.add(Decimal(value))
            except InvalidOperation:
                continue
    for price, size in pairs:
        assert Decimal(price).scaleb(-instrument.price_precision) in numbers  # type: ignore[union-attr]
        assert Decimal(size).scaleb(-instrument.size_precision) in numbers  # type: ignore[union-attr]


@settings(max_examples=1500, deadline=None)
@given(mutations(), st.booleans())
def test_no_mutated_frame_does_more_than_a_decode_error(mutated: tuple[bytes, str], infer: bool) -> None:
    sent, market = mutated
    known = {"BTCUSDT": infer_instrument("BTCUSDT", market)}  # type: ignore[arg-type]
    decoder = BinanceDecoder(market, None if infer else known)  # type: ignore[arg-type]
    for stream in ("", "btcusdt@depth5"):
        try:
            events = decoder.decode(sent, RECV, 1, stream)
        except DecodeError as error:
            assert error.venue == "BINANCE"
            assert len(str(error)) < 1000
        else:
            for place, event in enumerate(events):
                assert (event.seq, event.ts_recv) == ((1 << 16) + place, RECV)
                assert event.ts_event >= 0
                exact(event, sent)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_a_decode_error(sent: bytes) -> None:
    decoder = usdm()
    for prefix in (b"", b'{"stream":"', b'{"stream":"btcusdt@depth","data":'):
        with contextlib.suppress(DecodeError):
            decoder.decode(prefix + sent, RECV, 1)
