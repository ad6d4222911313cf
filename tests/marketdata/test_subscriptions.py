"""Subscriptions of strategies: heard once, from now on, by whoever still wants to; refused where there is nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onetape.app.backtest import Backtest
from onetape.marketdata.book import Book
from onetape.model.columns import Columns
from onetape.model.enums import Health
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, FundingRate, Quote, Trade
from onetape.model.system import StreamHealth
from onetape.strategy.base import Strategy

COIN = Instrument("SUB-USD.SIM", tick_size="1", lot_size="1")
OTHER = Instrument("SUB2-USD.SIM", tick_size="1", lot_size="1")
MINUTE = 60_000_000_000


def trades(*ts: int, instrument: Instrument = COIN) -> Columns:
    count = len(ts)
    values = {"ts_recv": np.array(ts, np.int64), "price": np.full(count, 100), "size": np.full(count, 1)}
    return Columns("trade", instrument, values)


def quotes(*ts: int, instrument: Instrument = COIN) -> Columns:
    names = {"bid": 99, "ask": 101, "bid_size": 5, "ask_size": 5}
    arrays = {name: np.full(len(ts), value) for name, value in names.items()}
    return Columns("quote", instrument, {"ts_recv": np.array(ts, np.int64), **arrays})


class Events:
    """A stream of rarer events, as a tape gives them."""

    spec = ""
    instrument: Instrument | None = COIN

    def __init__(self, kind: str, *events: Any) -> None:
        self.kind, self.events = kind, events
        self.first, self.last = events[0].ts_recv, events[-1].ts_recv

    def __iter__(self) -> Any:
        return iter([[event] for event in self.events])


class Listener(Strategy):
    def __init__(self, plan: dict[int, Any], **parameters: Any) -> None:
        super().__init__(**parameters)
        self.plan, self.heard = plan, list[tuple[str, int]]()

    def on_start(self) -> None:
        for ts, act in self.plan.items():
            if ts <= self.now:
                act(self)
            else:
                self.once(ts - self.now, str(ts))

    def on_timer(self, timer: Any) -> None:
        self.plan[int(timer.name)](self)

    def hear(self, event: Any) -> None:
        self.heard.append((type(event).__name__, event.ts_recv))

    def on_trade(self, trade: Trade) -> None:
        self.hear(trade)

    def on_quote(self, quote: Quote) -> None:
        self.hear(quote)

    def on_bar(self, bar: Bar) -> None:
        self.hear(bar)

    def on_health(self, health: StreamHealth) -> None:
        self.hear(health)

    def on_event(self, event: Any) -> None:
        self.hear(event)


def play(data: list[Any], plan: dict[int, Any], **options: Any) -> Listener:
    listener = Listener(plan)
    result = Backtest(listener, data, **options).run()
    assert not result.failures
    return listener


def test_twice_subscribed_is_heard_once() -> None:
    def both(self: Listener) -> None:
        self.subscribe_trades(COIN)
        self.subscribe_trades(COIN.id)
        self.subscribe_quotes(COIN)

    health = Events("stream_health", StreamHealth(COIN, "book", Health.STALE, "", 15, 15))
    health.kind = StreamHealth.KIND
    heard = play([trades(10, 20), quotes(12), health], {0: both}).heard
    assert heard == [("Trade", 10), ("Quote", 12), ("StreamHealth", 15), ("Trade", 20)]


@pytest.mark.parametrize("chunk_rows", [0, 1])
def test_a_subscription_in_the_middle_starts_there(chunk_rows: int) -> None:
    plan = {0: lambda self: self.subscribe_trades(COIN), 25: lambda self: self.subscribe_quotes(COIN)}
    heard = play([trades(10, 20, 30, 40), quotes(5, 15, 24, 25, 35)], plan, chunk_rows=chunk_rows).heard
    assert heard == [("Trade", 10), ("Trade", 20), ("Quote", 25), ("Trade", 30), ("Quote", 35), ("Trade", 40)]


def test_the_first_instrument_of_a_run_may_come_in_the_middle() -> None:
    plan = {
        0: lambda self: self.subscribe_trades(COIN),
        25: lambda self: (self.subscribe_quotes(OTHER), self.subscribe(FundingRate, OTHER)),
    }
    rates = Events("funding_rate", *[FundingRate(OTHER, 1, 0, ts, ts) for ts in (10, 20, 30)])
    rates.kind, rates.instrument = FundingRate.KIND, OTHER
    heard = play([trades(10, 30), quotes(5, 15, 35, instrument=OTHER), rates], plan).heard
    assert heard == [("Trade", 10), ("Trade", 30), ("FundingRate", 30), ("Quote", 35)]


def test_what_is_not_there_is_refused_and_leaves_no_trace() -> None:
    def ask(self: Listener) -> None:
        self.subscribe_trades(COIN)
        for refused in (
            lambda: self.subscribe_quotes(COIN),
            lambda: self.subscribe_book(COIN),
            lambda: self.subscribe_bars(COIN, "1m@quote"),
            lambda: self.subscribe_bars(COIN, "nonsense"),
        ):
            with pytest.raises(ConfigurationError):
                refused()

    listener = play([trades(10, 20)], {0: ask})
    assert listener.heard == [("Trade", 10), ("Trade", 20)]
    bus = listener._context.kernel.bus
    assert [bus.handlers(kind, COIN.index) for kind in (Quote, Book, Bar)] == [(), (), ()]
    assert bus.handlers(Bar, COIN.index, "1m@quote") == ()


def test_bars_are_built_once_however_their_rule_is_written() -> None:
    def ask(self: Listener) -> None:
        self.subscribe_bars(COIN, "60s")
        self.subscribe_bars(COIN, "1m")

    day = trades(1, MINUTE // 2, MINUTE + 5, 3 * MINUTE)
    heard = play([day], {0: ask}).heard
    assert [name for name, _ in heard] == ["Bar", "Bar"]
    assert len(heard) == len(set(heard))


def test_bars_of_the_tape_are_taken_before_any_are_built() -> None:
    values = {"ts_recv": [50, 60], "open": [1, 1], "high": [1, 1], "low": [1, 1], "close": [1, 1]}
    own = Columns("bar", COIN, {name: np.array(value, np.int64) for name, value in values.items()}, spec="1m")
    heard = play([own, trades(1, 2 * MINUTE)], {0: lambda self: self.subscribe_bars(COIN, "1m")}).heard
    assert heard == [("Bar", 50), ("Bar", 60)]


def test_a_failed_strategy_hears_nothing_more_and_the_other_everything() -> None:
    class Fails(Listener):
        def on_trade(self, trade: Trade) -> None:
            super().on_trade(trade)
            if len(self.heard) == 3:
                raise ValueError("no")

    plan = {0: lambda self: (self.subscribe_trades(COIN), self.subscribe_quotes(COIN))}
    fails, good = Fails(plan, id="fails"), Listener(plan, id="good")
    result = Backtest([fails, good], [trades(10, 20, 30), quotes(15, 25, 35)]).run()
    assert [failure.strategy for failure in result.failures] == ["fails"]
    assert fails.heard == [("Trade", 10), ("Quote", 15), ("Trade", 20)]
    assert len(good.heard) == 6


def test_two_streams_of_the_same_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two streams of trade"):
        Backtest(Listener({}), [trades(1), trades(2)])


def test_start_and_end_cut_columns() -> None:
    heard = play([trades(10, 20, 30, 40)], {0: lambda self: self.subscribe_trades(COIN)}, start=20, end=40).heard
    assert heard == [("Trade", 20), ("Trade", 30)]


def test_no_rows_at_all() -> None:
    with pytest.raises(ConfigurationError, match="no market data to run on"):
        Backtest(Listener({}), [trades()])
    heard = play([trades(), quotes(10)], {0: lambda self: self.subscribe_quotes(COIN)}).heard
    assert heard == [("Quote", 10)]


# the gate and the health of a stream


class Orders(Listener):
    def on_start(self) -> None:
        self.orders: list[tuple[int, str]] = []
        super().on_start()

    def order(self) -> None:
        order = self.buy(COIN, 1, 50)
        self.orders.append((self.now, order.text))
        self.cancel(order)


def test_the_gate_refuses_until_live_and_after_a_gap() -> None:
    changes = [(12, Health.SYNCING), (14, Health.LIVE), (20, Health.GAPPED), (30, Health.LIVE)]
    health = Events("", *[StreamHealth(COIN, "book", state, "", ts, ts) for ts, state in changes])
    health.kind = StreamHealth.KIND
    times = (11, 13, 15, 21, 31)
    plan: dict[int, Any] = {0: lambda self: self.subscribe_quotes(COIN)}
    plan.update(dict.fromkeys(times, lambda self: self.order()))
    strategy = Orders(plan)
    Backtest(strategy, [quotes(10, 16, 25, 40), health]).run()
    assert [(ts, text.partition("is ")[2]) for ts, text in strategy.orders] == [
        (11, ""),
        (13, "SYNCING, not LIVE"),
        (15, ""),
        (21, "GAPPED, not LIVE"),
        (31, ""),
    ]
