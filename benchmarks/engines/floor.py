"""The floor: a bare loop that calls the same Python handlers with ready-made objects. No engine can beat it.

An order is counted and taken as filled; nothing is matched, booked or stored.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

from handlers import EmaCross
from harness import Counts, Job, main
from workloads import QUOTE, Columns, Spec


class Quote:
    __slots__ = ("ask", "ask_size", "bid", "bid_size", "ts")

    def __init__(self, ts: int, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
        self.ts, self.bid, self.bid_size, self.ask, self.ask_size = ts, bid, bid_size, ask, ask_size


class Trade:
    __slots__ = ("aggressor", "price", "size", "ts")

    def __init__(self, ts: int, price: float, size: float, aggressor: int) -> None:
        self.ts, self.price, self.size, self.aggressor = ts, price, size, aggressor


class Bar:
    __slots__ = ("close", "high", "low", "open", "ts", "volume")

    def __init__(self, ts: int, o: float, h: float, lo: float, c: float, volume: float) -> None:
        self.ts, self.open, self.high, self.low, self.close, self.volume = ts, o, h, lo, c, volume


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def on_quote(self, quote: Quote) -> None:
        self.count += 1


class Cross:
    def __init__(self, spec: Spec) -> None:
        self.cross = EmaCross(spec.fast, spec.slow)
        self.orders = 0

    def on_trade(self, trade: Trade) -> None:
        if self.cross.update(trade.price):
            self.orders += 1

    def on_bar(self, bar: Bar) -> None:
        if self.cross.update(bar.close):
            self.orders += 1


def _objects(cls: type[Any], columns: Columns, spec: Spec, names: tuple[str, ...]) -> list[Any]:
    prices = 10.0**spec.instrument.price_precision
    sizes = 10.0**spec.instrument.size_precision
    scale = {
        "ts": None,
        "aggressor": None,
        "bid_size": sizes,
        "ask_size": sizes,
        "size": sizes,
        "volume": sizes,
    }
    lists = [
        (columns[name] if (by := scale.get(name, prices)) is None else columns[name] / by).tolist() for name in names
    ]
    return [cls(*row) for row in zip(*lists, strict=True)]


def quotes(columns: Columns, spec: Spec) -> Job:
    events = _objects(Quote, columns, spec, QUOTE)
    strategy = Counter()

    def run() -> None:
        handler = strategy.on_quote
        for event in events:
            handler(event)

    return Job(run, lambda: Counts(strategy.count))


def trades(columns: Columns, spec: Spec) -> Job:
    events = _objects(Trade, columns, spec, spec.columns)
    strategy = Cross(spec)

    def run() -> None:
        handler = strategy.on_trade
        for event in events:
            handler(event)

    return Job(run, lambda: Counts(len(events), strategy.orders, strategy.orders))


def bars(columns: Columns, spec: Spec) -> Job:
    events = _objects(Bar, columns, spec, spec.columns)
    strategy = Cross(spec)

    def run() -> None:
        handler = strategy.on_bar
        for event in events:
            handler(event)

    return Job(run, lambda: Counts(len(events), strategy.orders, strategy.orders))


if __name__ == "__main__":
    main(
        "floor",
        platform.python_version(),
        {"quotes": quotes, "trades": trades, "bars": bars},
        dict.fromkeys(("orders", "l2"), "the floor does no matching") | {"load": "the floor reads no files"},
    )
