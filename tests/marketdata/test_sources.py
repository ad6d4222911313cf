"""Our side's readers: prices and books whether or not anybody listens, events for who does, health, versions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onetape.kernel.bus import ROOM
from onetape.kernel.loop import Kernel
from onetape.marketdata.book import Book
from onetape.marketdata.feed import Feed
from onetape.marketdata.sources import BarSource, BookSource, EventSource, QuoteSource, TradeSource
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag, Health, Side
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, BookDelta, BookSnapshot, FundingRate, Quote, Trade
from onetape.model.system import StreamHealth

COIN = Instrument("SRC-USD.SIM", tick_size="0.1", lot_size="1")
FINER = Instrument("SRC-USD.SIM", tick_size="0.01", lot_size="1", version=1)
LAST, SNAPSHOT, CLEAR = BookFlag.LAST, BookFlag.SNAPSHOT, BookFlag.CLEAR


def made(kind: str, instrument: Instrument = COIN, **columns: list[int]) -> Columns:
    more: dict[str, Any] = {"spec": "1m"} if kind == "bar" else {}
    if kind == "trade":
        more["trade_ids"] = [f"t{ts}" for ts in columns["ts_recv"]]
    return Columns(kind, instrument, {name: np.array(values, np.int64) for name, values in columns.items()}, **more)


BOOK = {
    "ts_recv": [10, 10, 20, 30, 30],
    "ts_event": [9, 9, 19, 29, 29],
    "side": [Side.BUY, Side.SELL, Side.BUY, Side.SELL, Side.BUY],
    "price": [99, 101, 98, 101, 100],
    "size": [1, 2, 3, 0, 4],
    "flags": [CLEAR | SNAPSHOT, SNAPSHOT | LAST, LAST, 0, LAST],
    "sequence": [5, 5, 6, 8, 8],
    "first_sequence": [5, 5, 6, 7, 7],
    "previous_sequence": [-1, -1, 5, 6, 6],
}
QUOTES = {
    "ts_recv": [10, 20, 30],
    "bid": [99, 98, 97],
    "ask": [101, 102, 103],
    "bid_size": [1, 2, 3],
    "ask_size": [4, 5, 6],
}
TRADES = {
    "ts_recv": [10, 20, 30],
    "ts_event": [8, 18, 28],
    "price": [99, 98, 97],
    "size": [1, 2, 3],
    "side": [1, 2, 0],
}
BARS = {"ts_recv": [10, 20, 30], "open": [1, 2, 3], "high": [4, 5, 6], "low": [1, 1, 1], "close": [2, 3, 4]}


class Heard:
    """Adds sources of one chunk or more each to a kernel and runs it."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.events: list[Any] = []

    def listen(self, *kinds: type) -> Heard:
        for kind in kinds:
            self.kernel.bus.subscribe(kind, COIN.index, self.events.append)
        return self

    def add(self, kind: str, *runs: Columns) -> Any:
        feed = Feed(kind, runs[0].instrument, iter(runs), runs[0].spec)
        if kind == "book":
            source: Any = BookSource(self.kernel, feed, Book(runs[0].instrument))
        else:
            source = {"quote": QuoteSource, "trade": TradeSource, "bar": BarSource}[kind](self.kernel, feed)
        self.kernel.add_source(source)
        return source


def test_events_are_made_of_the_rows() -> None:
    heard = Heard().listen(Quote, Trade, Bar)
    heard.add("quote", made("quote", **QUOTES))
    heard.add("trade", made("trade", **TRADES))
    heard.add("bar", made("bar", **BARS))
    heard.kernel.run()
    assert [(type(e).__name__, e.ts_recv) for e in heard.events] == [
        (name, ts) for ts in (10, 20, 30) for name in ("Quote", "Trade", "Bar")
    ]
    quote, trade, bar = heard.events[3:6]
    assert (quote.bid_raw, quote.ask_raw, quote.bid_size_raw, quote.ask_size_raw, quote.ts_event) == (
        98,
        102,
        2,
        5,
        20,
    )
    assert (trade.price_raw, trade.size_raw, trade.side, trade.trade_id, trade.ts_event) == (
        98,
        2,
        Side.SELL,
        "t20",
        18,
    )
    assert (bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw, bar.spec) == (2, 5, 1, 3, "1m")
    assert heard.kernel.events == 9


def test_quiet_sources_keep_prices_up_to_each_decision() -> None:
    heard = Heard()
    heard.add("quote", made("quote", **QUOTES))
    heard.add("trade", made("trade", **TRADES))
    book = heard.add("book", made("book", **BOOK)).book
    seen = []
    state = heard.kernel.states.add(COIN)
    for due in (5, 10, 11, 25, 30):
        heard.kernel.call_at(
            due,
            lambda ts: seen.append((ts, state.last_raw, book.bid_raw, book.ask_raw, Health(state.health).name)),
        )
    heard.kernel.run()
    assert seen == [
        (5, 0, 0, 0, "CONNECTING"),
        (10, 0, 0, 0, "CONNECTING"),
        (11, 99, 99, 101, "LIVE"),
        (25, 98, 99, 101, "LIVE"),
        (30, 98, 99, 101, "LIVE"),
    ]
    assert heard.events == []


def test_book_updates_as_they_were() -> None:
    heard = Heard().listen(BookSnapshot, BookDelta)
    heard.add("book", made("book", **BOOK))
    heard.kernel.run()
    snapshot, one, two = heard.events
    assert isinstance(snapshot, BookSnapshot) and isinstance(one, BookDelta) and isinstance(two, BookDelta)
    assert (snapshot.bids, snapshot.asks, snapshot.sequence) == (((99, 1),), ((101, 2),), 5)
    assert (one.bids, one.asks, one.first_sequence, one.sequence, one.previous_sequence) == (
        ((98, 3),),
        (),
        6,
        6,
        5,
    )
    assert (two.bids, two.asks, two.first_sequence, two.sequence, two.ts_event) == (
        ((100, 4),),
        ((101, 0),),
        7,
        8,
        29,
    )


def test_the_first_update_heard_is_only_itself() -> None:
    """A listener that comes in the middle of a run gets no rows of earlier updates."""
    heard = Heard()
    source = heard.add("book", made("book", **BOOK))

    def begin(_: int) -> None:
        heard.listen(BookDelta)
        source.refresh()

    heard.kernel.call_at(25, begin)
    heard.kernel.run()
    (two,) = heard.events
    assert (two.bids, two.asks) == (((100, 4),), ((101, 0),))


def test_whole_updates_only_reach_book_handlers() -> None:
    heard = Heard()
    seen = []
    heard.kernel.bus.subscribe(Book, COIN.index, lambda b: seen.append((b.ts_recv, b.bid_raw, b.ask_raw, b.sequence)))
    heard.add("book", made("book", **BOOK))
    heard.kernel.run()
    assert seen == [(10, 99, 101, 5), (20, 99, 101, 6), (30, 100, 0, 8)]


def test_a_crossed_book_is_not_live_until_it_is_uncrossed() -> None:
    rows = {
        "ts_recv": [10, 10, 20, 30, 40],
        "side": [1, 2, 1, 1, 2],
        "price": [99, 101, 101, 101, 100],
        "size": [1, 1, 1, 0, 1],
        "flags": [CLEAR | SNAPSHOT, SNAPSHOT | LAST, LAST, LAST, LAST],
    }
    for listening in (True, False):
        heard = Heard()
        if listening:
            heard.listen(Book)
        heard.add("book", made("book", **rows))
        state = heard.kernel.states.add(COIN)
        seen: list[str] = []
        for due in (15, 25, 35):
            heard.kernel.call_at(due, lambda _, seen=seen, state=state: seen.append(Health(state.health).name))
        heard.kernel.run()
        assert seen == ["LIVE", "CROSSED", "LIVE"]


def test_a_row_that_is_still_to_come_makes_nothing_live() -> None:
    heard = Heard()
    heard.add("quote", made("quote", **QUOTES))
    state = heard.kernel.states.add(COIN)
    seen = []
    heard.kernel.call_at(10, lambda _: seen.append(Health(state.health).name))
    heard.kernel.call_at(11, lambda _: seen.append(Health(state.health).name))
    heard.kernel.run()
    assert seen == ["CONNECTING", "LIVE"]


@pytest.mark.parametrize("listening", [True, False])
def test_another_version_begins_with_its_first_row(listening: bool) -> None:
    heard = Heard()
    if listening:
        heard.listen(Book, Quote)
    heard.kernel.states.add(FINER)
    book = heard.add(
        "book",
        made(
            "book",
            ts_recv=[10, 10],
            side=[1, 2],
            price=[99, 101],
            size=[1, 1],
            flags=[CLEAR | SNAPSHOT, SNAPSHOT | LAST],
        ),
        made("book", FINER, ts_recv=[30, 40], side=[1, 2], price=[995, 1005], size=[1, 1], flags=[LAST, LAST]),
    ).book
    state = heard.kernel.states.add(COIN)
    seen = []

    def look(ts: int) -> None:
        seen.append((ts, state.instrument.version, book.bids.levels(0), state.bid_raw))

    for due in (15, 29, 35, 45):
        heard.kernel.call_at(due, look)
    heard.add("trade", made("trade", FINER, ts_recv=[50], price=[1000], size=[1], side=[1]))
    heard.kernel.run()
    assert seen == [
        (15, 0, ((99, 1),), 99),
        (29, 0, ((99, 1),), 99),
        (35, 1, ((995, 1),), 995),
        (45, 1, ((995, 1),), 995),
    ]


def test_events_before_the_subscription_are_not_heard_but_rooms_know_the_state() -> None:
    kernel = Kernel()
    strategy: list[Any] = []
    room: list[Any] = []
    for kind in (StreamHealth, FundingRate):
        kernel.bus.subscribe(kind, COIN.index, strategy.append)
        kernel.bus.subscribe(kind, COIN.index, room.append, priority=ROOM)
    health = [
        StreamHealth(COIN, "book", state, "", ts, ts)
        for ts, state in ((10, Health.LIVE), (20, Health.GAPPED), (40, Health.LIVE))
    ]
    source = EventSource(kernel, "health", iter([health[:1], health[1:]]))
    source.skip_to(30)
    kernel.add_source(source)
    kernel.clock.advance(30)
    kernel.run()
    assert [e.ts_recv for e in room] == [20, 40]
    assert [e.ts_recv for e in strategy] == [40]


@pytest.mark.parametrize("kind", ["quote", "trade", "book"])
def test_a_source_that_starts_later_knows_the_present_but_says_nothing_of_the_past(kind: str) -> None:
    heard = Heard().listen(Quote, Trade, Book)
    rows = {"quote": QUOTES, "trade": TRADES, "book": BOOK}[kind]
    heard.kernel.clock.advance(25)
    source = heard.add(kind, made(kind, **rows))
    source.skip_to(25)
    state = heard.kernel.states.add(COIN)
    assert (state.last_raw or state.bid_raw) in (98, 99)
    assert heard.events == []
    heard.kernel.run()
    assert len(heard.events) == 1 and heard.events[0].ts_recv == 30
