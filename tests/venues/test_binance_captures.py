"""Binance's books and events over captures from outside, against what their sources or a second stream say."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from typing import Any

import pytest
from binance_captures import (
    HFTBACKTEST,
    cryptofeed_exchange_info,
    cryptofeed_frames,
    hftbacktest_lines,
    load_json,
)

from onetape.model.enums import Health
from onetape.model.event import Event
from onetape.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from onetape.model.system import Gap, StreamHealth
from onetape.venues.binance.decoder import BinanceDecoder
from onetape.venues.binance.symbols import parse_exchange_info, split_pair


def is_depth(frame: bytes) -> bool:
    return b"depthUpdate" in frame[:100]


def is_snapshot(frame: bytes) -> bool:
    return frame.startswith(b'{"lastUpdateId"')


@pytest.fixture(scope="module", params=HFTBACKTEST)
def name(request: pytest.FixtureRequest) -> str:
    load_json("hftbacktest/expected_books.json")
    return str(request.param)


class Played:
    """One capture decoded once: the book's final state and its best prices after each update."""

    def __init__(self, name: str) -> None:
        self.expected: dict[str, Any] = load_json("hftbacktest/expected_books.json")["books"][name]
        self.decoder = BinanceDecoder(HFTBACKTEST[name][0])  # type: ignore[arg-type]
        self.counts: Counter[str] = Counter()
        self.health: list[StreamHealth] = []
        self.quotes: list[Quote] = []
        self.best: list[tuple[int, int, int]] = []
        self.seqs_rise = True
        last_seq = -1
        for number, (ts_recv, frame) in enumerate(hftbacktest_lines(name)):
            for event in self.decoder.decode(frame, ts_recv, number):
                self.counts[type(event).__name__] += 1
                self.seqs_rise &= event.seq > last_seq and event.frame == number and event.ts_recv == ts_recv
                last_seq = event.seq
                if isinstance(event, Quote):
                    self.quotes.append(event)
                elif isinstance(event, StreamHealth):
                    self.health.append(event)
                elif isinstance(event, BookDelta):
                    # Each frame of these captures makes one update at most, so this is the book right after it.
                    self.best.append((event.sequence, self.synchroniser.book.bid_raw, self.synchroniser.book.ask_raw))

    @property
    def synchroniser(self) -> Any:
        (only,) = self.decoder.books.values()
        return only


@pytest.fixture(scope="module")
def played(name: str) -> Played:
    return Played(name)


@pytest.mark.slow
def test_final_book_is_the_expected_one(played: Played) -> None:
    expected, book = played.expected, played.synchroniser.book
    instrument = book.instrument
    for levels, key in ((book.bids, "final_top3_bids"), (book.asks, "final_top3_asks")):
        top = [[instrument.price_raw(price), instrument.qty_raw(size)] for price, size in expected[key]]
        assert [list(level) for level in levels.levels(3)] == top
    assert [book.bids.count, book.asks.count] == expected["levels"]
    assert played.synchroniser.last_sequence == expected["last_u"]
    assert played.synchroniser.old_updates == expected["updates_before_snapshot_to_drop"]


@pytest.mark.slow
def test_every_update_is_linked_and_every_trade_is_there(played: Played) -> None:
    expected = played.expected
    assert played.counts["BookDelta"] == expected["links_checked"] + 1
    assert played.counts["Trade"] == expected["trades"]
    assert played.counts["BookSnapshot"] == 1
    assert played.counts["Gap"] == 0
    assert [event.health for event in played.health] == [Health.SYNCING, Health.LIVE]
    assert not played.decoder.unused
    assert not played.decoder.errors
    assert played.seqs_rise


@pytest.mark.slow
def test_best_prices_agree_with_the_book_ticker_stream(played: Played) -> None:
    tickers = sorted((quote.sequence, quote.bid_raw, quote.ask_raw) for quote in played.quotes)
    ids = [row[0] for row in tickers]
    agree = disagree = 0
    for sequence, bid, ask in played.best:
        at = bisect_right(ids, sequence) - 1
        if at < 0:
            continue
        if tickers[at][1:] == (bid, ask):
            agree += 1
        else:
            disagree += 1
    assert (agree, disagree) == (played.expected["bbo_agree"], played.expected["bbo_disagree"])


def start_of(name: str, depth_frames: int) -> list[tuple[int, bytes]]:
    """The capture up to a number of depth updates: no other streams, and of the snapshot the best levels only."""
    out = []
    for ts_recv, frame in hftbacktest_lines(name):
        if is_snapshot(frame):
            whole = json.loads(frame)
            best = {**whole, "bids": whole["bids"][:10], "asks": whole["asks"][:10]}
            out.append((ts_recv, json.dumps(best, separators=(",", ":")).encode()))
        elif is_depth(frame):
            out.append((ts_recv, frame))
            if len(out) > depth_frames:
                return out
    raise AssertionError("the capture is shorter than that")


def play(name: str, lines: list[tuple[int, bytes]]) -> tuple[BinanceDecoder, list[Event]]:
    decoder = BinanceDecoder(HFTBACKTEST[name][0])  # type: ignore[arg-type]
    return decoder, [event for number, (ts, frame) in enumerate(lines) for event in decoder.decode(frame, ts, number)]


def test_any_dropped_update_is_a_gap_that_says_where(name: str) -> None:
    lines = start_of(name, 60)
    whole, events = play(name, lines)
    (whole_book,) = whole.books.values()
    applied = [event.sequence for event in events if isinstance(event, BookDelta)]
    depth = [at for at, (_, frame) in enumerate(lines) if is_depth(frame)]
    last_ids = {at: json.loads(lines[at][1])["data"]["u"] for at in depth}
    snapshot_at = next(at for at, (_, frame) in enumerate(lines) if is_snapshot(frame))
    for place, dropped in enumerate(depth):
        decoder, events = play(name, lines[:dropped] + lines[dropped + 1 :])
        (book,) = decoder.books.values()
        gaps = [event for event in events if isinstance(event, Gap)]
        if place == 0 or dropped == depth[-1]:
            # Nothing before the first frame or after the last one shows that it was there.
            assert not gaps
            assert book.health is Health.LIVE
            continue
        assert len(gaps) == 1
        known = last_ids[depth[place - 1]]
        if depth[place - 1] < snapshot_at < depth[place + 1]:
            known = max(known, json.loads(lines[snapshot_at][1])["lastUpdateId"])
        assert gaps[0].expected == known + 1
        assert gaps[0].received > gaps[0].expected
        if last_ids[dropped] not in applied:  # older than the snapshot, which mends it
            assert book.health is Health.LIVE
            assert book.book.bids.levels(0) == whole_book.book.bids.levels(0)
            continue
        assert book.health is Health.GAPPED
        after = events[events.index(gaps[0]) + 1 :]
        assert [type(event) for event in after] == [StreamHealth]
        assert after[0].health is Health.GAPPED
        assert str(gaps[0].expected) in after[0].reason


def test_a_dropped_trade_or_quote_is_no_gap(name: str) -> None:
    lines = []
    for ts_recv, frame in hftbacktest_lines(name):
        lines.append((ts_recv, frame))
        if len(lines) == 600:
            break
    others = [at for at, (_, frame) in enumerate(lines) if not is_depth(frame) and not is_snapshot(frame)]
    for dropped in others[:: len(others) // 5]:
        decoder, events = play(name, lines[:dropped] + lines[dropped + 1 :])
        assert not any(isinstance(event, Gap) for event in events)
        assert next(iter(decoder.books.values())).health is Health.LIVE


def test_a_later_snapshot_mends_the_gap_without_old_levels(name: str) -> None:
    lines = start_of(name, 60)
    dropped = next(at for at in range(40, 60) if is_depth(lines[at][1]))
    ahead = [line for line in lines[dropped + 1 : dropped + 6] if is_depth(line[1])]
    sequence = json.loads(ahead[2][1])["data"]["u"]
    symbol = "BTCUSD_PERP" if name.startswith("cm") else "BTCUSDT"
    snapshot = {"lastUpdateId": sequence, "symbol": symbol, "bids": [["10.0", "3"]], "asks": [["900000.0", "4"]]}
    again = (ahead[-1][0], json.dumps(snapshot).encode())
    decoder, events = play(name, lines[:dropped] + ahead + [again])
    (book,) = decoder.books.values()
    health = [event.health for event in events if isinstance(event, StreamHealth)]
    assert health == [Health.SYNCING, Health.LIVE, Health.GAPPED, Health.SYNCING, Health.LIVE]
    (at,) = [at for at, event in enumerate(events) if isinstance(event, BookSnapshot)][1:]
    tail = events[at + 1 :]
    assert isinstance(tail.pop(), StreamHealth)
    first = 2 if name.startswith("spot") else 1  # futures take in once more the update that ends at the snapshot
    assert len(tail) == len(ahead) - 1 - first
    assert book.last_sequence == json.loads(ahead[-1][1])["data"]["u"]
    known = {book.book.instrument.price_raw("10.0")}
    for event in tail:
        assert isinstance(event, BookDelta)
        known |= {price for price, size in event.bids if size}
    assert {price for price, _ in book.book.bids.levels(0)} <= known


CRYPTOFEED = {
    "BINANCE": ("spot", "BINANCE", 1695),
    "BINANCE_FUTURES": ("usdm", "BINANCE", 122),
    "BINANCE_US": ("spot", "BINANCE_US", 121),
}


@pytest.mark.parametrize("capture", CRYPTOFEED)
@pytest.mark.parametrize("given", [True, False], ids=["exchangeInfo", "inferred"])
def test_cryptofeed_captures_make_the_same_events(capture: str, given: bool) -> None:
    """Its ``l2_book`` is a snapshot or an update, ``ticker`` a Quote, ``trades`` a Trade of the aggTrade stream,
    ``candles`` a Bar, those still open included. All agree, so nothing is left to explain."""
    market, venue, _ = CRYPTOFEED[capture]
    expected = load_json("cryptofeed/expected_callbacks.json")["expected_callbacks"][capture]
    instruments = parse_exchange_info(cryptofeed_exchange_info(capture), market, venue).instruments  # type: ignore[arg-type]
    decoder = BinanceDecoder(market, instruments if given else None, venue, open_bars=True)  # type: ignore[arg-type]
    kinds: Counter[type] = Counter()
    for number, (ts_recv, frame, stream) in enumerate(cryptofeed_frames(capture)):
        kinds.update(type(event) for event in decoder.decode(frame, ts_recv, number, stream))
    assert {
        "l2_book": kinds[BookSnapshot] + kinds[BookDelta],
        "ticker": kinds[Quote],
        "trades": kinds[Trade],
        "candles": kinds[Bar],
    } == expected
    assert kinds[Gap] == 0
    assert not decoder.unused
    assert not decoder.errors
    assert {book.health for book in decoder.books.values()} == {Health.LIVE}
    facts = load_json("cryptofeed/counted_facts.json")["captures"][capture]
    assert kinds[BookSnapshot] == facts["snapshots"]
    old = sum(book.old_updates for book in decoder.books.values())
    assert kinds[BookDelta] + old == facts["depth_updates"]


@pytest.mark.parametrize("capture", CRYPTOFEED)
def test_exchange_info_of_every_symbol_becomes_an_instrument(capture: str) -> None:
    market, venue, symbols = CRYPTOFEED[capture]
    info = parse_exchange_info(cryptofeed_exchange_info(capture), market, venue)  # type: ignore[arg-type]
    assert len(info.instruments) == len(info.status) == symbols
    assert not info.skipped
    for symbol, instrument in info.instruments.items():
        assert instrument.id.endswith(f".{venue}")
        pair = symbol.partition("_")[0]
        assert split_pair(pair, market, venue) == (instrument.base, instrument.quote)  # type: ignore[arg-type]
