"""Hand-made markets and a strategy that does what a script says when it says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from onetape.app.backtest import Backtest
from onetape.app.result import Result
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag, ExecType, TimeInForce
from onetape.model.instrument import Instrument
from onetape.model.orders import ExecutionReport, Fill, Order
from onetape.risk.limits import Limits
from onetape.strategy.base import Strategy

#: Whole prices and sizes, so that a raw number reads as itself.
COIN = Instrument("COIN-USD.SIM", tick_size="1", lot_size="1")
OTHER = Instrument("OTHER-USD.SIM", tick_size="1", lot_size="1")
FREE = Limits(price_collar=None)
BLIND = Limits(price_collar=None, require_live=False)

B, S, N = 1, 2, 0
LAST, SNAP, CLEAR = int(BookFlag.LAST), int(BookFlag.SNAPSHOT), int(BookFlag.CLEAR)

TOP = (1000, 99, 5, 101, 5)
TAKER, MAKER = "TAKER", "MAKER"
IOC, FOK, GTD, DAY = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD, TimeInForce.DAY


def columns(
    kind: str, names: Sequence[str], rows: Iterable[Sequence[int]], instrument: Instrument = COIN, **more: Any
) -> Columns:
    """Rows are tuples of ``names``; a ``ts`` is both times."""
    table = [tuple(row) for row in rows]
    arrays = {name: np.array([row[i] for row in table], np.int64) for i, name in enumerate(names)}
    if "ts" in arrays:
        arrays["ts_recv"] = arrays.pop("ts")
    return Columns(kind, instrument, arrays, **more)


def quotes(*rows: Sequence[int], instrument: Instrument = COIN) -> Columns:
    """``(ts, bid, bid_size, ask, ask_size)``"""
    return columns("quote", ("ts", "bid", "bid_size", "ask", "ask_size"), rows, instrument)


def trades(*rows: Sequence[int], instrument: Instrument = COIN) -> Columns:
    """``(ts, price, size, side)``"""
    return columns("trade", ("ts", "price", "size", "side"), rows, instrument)


def bars(*rows: Sequence[int], instrument: Instrument = COIN) -> Columns:
    """``(ts_open, ts, open, high, low, close, volume)``"""
    names = ("ts_open", "ts", "open", "high", "low", "close", "volume")
    return columns("bar", names, rows, instrument, spec="1m")


def book(*updates: tuple[int, str, Sequence[tuple[int, int, int]]], instrument: Instrument = COIN) -> Columns:
    """``(ts, "snapshot" | "delta", [(side, price, size), …])``"""
    rows = []
    for ts, what, levels in updates:
        for i, (side, price, size) in enumerate(levels or [(0, 0, 0)]):
            flags = SNAP | (CLEAR if i == 0 else 0) if what == "snapshot" else 0
            rows.append((ts, side, price, size, flags | (LAST if i == max(1, len(levels)) - 1 else 0)))
    return columns("book", ("ts", "side", "price", "size", "flags"), rows, instrument)


Action = Callable[["Script"], object]


class Script(Strategy):
    """``actions`` are (time, what to do); everything heard of orders goes to ``heard``."""

    def __init__(self, actions: Sequence[tuple[int, Action]], subscribe: Sequence[str], **parameters: Any) -> None:
        super().__init__(**parameters)
        self.actions = list(actions)
        self.subscribed = subscribe
        self.instruments: Sequence[Instrument] = (COIN,)
        self.heard: list[ExecutionReport] = []
        self.sent: dict[str, Order] = {}

    def on_start(self) -> None:
        for instrument in self.instruments:
            for kind in self.subscribed:
                if kind == "bar":
                    self.subscribe_bars(instrument, "1m")
                else:
                    getattr(
                        self,
                        {"quote": "subscribe_quotes", "trade": "subscribe_trades", "book": "subscribe_book"}[kind],
                    )(instrument)
        for i, (ts, _) in enumerate(self.actions):
            self.once(ts - self.now, str(i))

    def on_timer(self, timer: Any) -> None:
        self.actions[int(timer.name)][1](self)

    def on_order(self, report: ExecutionReport) -> None:
        self.heard.append(report)


def run(data: Sequence[Columns], *actions: tuple[int, Action], listen: Sequence[str] = (), **options: Any) -> Run:
    """Run a script; it listens to all kinds of ``data`` unless told which."""
    kinds = listen or [item.kind for item in data]
    script = Script(actions, kinds, id="script")
    script.instruments = (options.pop("instrument", COIN),)
    options.setdefault("limits", FREE)
    backtest = Backtest(script, data, **options)
    return Run(script, backtest, backtest.run())


class Run:
    def __init__(self, script: Script, backtest: Backtest, result: Result) -> None:
        self.script = script
        self.backtest = backtest
        self.result = result
        check(backtest, result)

    @property
    def fills(self) -> list[tuple[int, int, int, str, str]]:
        """(venue's time, signed size, price, liquidity, reason) of each fill."""
        return [
            (
                fill.ts_event,
                fill.last_qty_raw * (1 if fill.side_code == B else -1),
                fill.last_px_raw,
                fill.liquidity.name,
                fill.reason,
            )
            for fill in self.result.fills
        ]

    @property
    def short_fills(self) -> list[tuple[int, int, int]]:
        return [fill[:3] for fill in self.fills]

    def news(self, order: str | None = None) -> list[tuple[int, str, str]]:
        """(venue's time, what, text) of each report but our own pending ones, in the order they came."""
        return [
            (report.ts_event, report.exec_type.name, report.text)
            for report in self.script.heard
            if report.exec_type not in (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)
            and (order is None or report.order is self.script.sent[order])
        ]


def check(backtest: Backtest, result: Result) -> None:
    """What must hold after any run."""
    assert result.failures == []
    assert result.illegal == 0
    assert not any(result.ledger_sums.values())
    for order in result.orders:
        assert 0 <= order.cum_qty_raw <= order.order_qty_raw
        fills = [fill for fill in result.fills if fill.order is order]
        assert sum(fill.last_qty_raw for fill in fills) == order.cum_qty_raw
        for fill in fills:
            assert fill.last_qty_raw > 0
    traded: dict[int, int] = {}
    for fill in result.fills:
        order = fill.order
        assert isinstance(fill, Fill) and order is not None
        traded[order.instrument.index] = traded.get(order.instrument.index, 0) + order.sign * fill.last_qty_raw
    for state in backtest.kernel.states:
        market = backtest.exchange.market(state.instrument)
        if market is not None:
            assert market.position_raw == state.position_raw == traded.get(state.instrument.index, 0)


def buy(qty: int, price: int | None = None, *, name: str = "order", **terms: Any) -> Action:
    def act(script: Script) -> None:
        instrument = terms.pop("instrument", COIN)
        script.sent[name] = script.buy(instrument, qty, price, **terms)

    return act


def sell(qty: int, price: int | None = None, *, name: str = "order", **terms: Any) -> Action:
    def act(script: Script) -> None:
        instrument = terms.pop("instrument", COIN)
        script.sent[name] = script.sell(instrument, qty, price, **terms)

    return act


def cancel(name: str = "order") -> Action:
    return lambda script: script.cancel(script.sent[name])


def replace(name: str = "order", qty: int | None = None, price: int | None = None) -> Action:
    return lambda script: script.replace(script.sent[name], qty, price)


def crossed(ts: int, qty: int, price: int) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, TAKER, f"crossed the spread at {price}")


def met(ts: int, qty: int, price: int, by: int) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, MAKER, f"the book crossed the order at {by}")


def queued(ts: int, qty: int, price: int) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, MAKER, f"queue ahead exhausted at {price}")


def through(ts: int, qty: int, price: int, by: int) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, MAKER, f"traded through at {by}")
