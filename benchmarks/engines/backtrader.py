# mypy: disable-error-code="import-not-found,misc,no-any-return,untyped-decorator"
"""backtrader: bars as it means them; trades as bars of one tick; quotes with bid and ask as lines, unmatched.

Preloaded and run once over the lines (its fastest mode), no observers, no cash check at submission. Market orders
fill at the next bar, so an order on the last one stays open.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

import backtrader as bt
import numpy as np

from handlers import EmaCross
from harness import WATCH, Counts, Job, main
from workloads import Columns, Spec

DAY_NS = 86_400_000_000_000
EPOCH_ORDINAL = 719_163  # backtrader's days count from year 1


class Rows(bt.feed.DataBase):
    """A data feed that copies ready-made rows, one value for each of its lines."""

    params = (("rows", ()), ("timeframe", bt.TimeFrame.Ticks))
    names: tuple[str, ...] = ("datetime", "open", "high", "low", "close", "volume")

    def start(self) -> None:
        super().start()
        self._rows = iter(self.p.rows)
        self._targets = [getattr(self.lines, name) for name in self.names]

    def _load(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        for line, value in zip(self._targets, row):
            line[0] = value
        return True


class QuoteRows(Rows):
    lines = ("bid", "ask")
    names = ("datetime", "bid", "ask", "close")


class Bench(bt.Strategy):
    params = (("spec", None),)

    def __init__(self) -> None:
        self.events = self.sent = self.fills = 0

    def start(self) -> None:
        WATCH.run_begins()  # the feed is preloaded by now

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            self.fills += 1


class Counter(Bench):
    def next(self) -> None:
        self.events += 1


class Cross(Bench):
    def __init__(self) -> None:
        super().__init__()
        spec = self.p.spec
        self.cross = EmaCross(spec.fast, spec.slow)
        self.size = spec.order_raw / 10**spec.instrument.size_precision
        self.close_line = self.data.close

    def next(self) -> None:
        self.events += 1
        if signal := self.cross.update(self.close_line[0]):
            self.sent += 1
            if signal > 0:
                self.buy(size=self.size)
            else:
                self.sell(size=self.size)


def _job(feed: Any, strategy: type[Bench], spec: Spec) -> Job:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed)
    cerebro.addstrategy(strategy, spec=spec)
    cerebro.broker.setcash(1e9)
    cerebro.broker.set_checksubmit(False)
    cerebro.broker.setcommission(commission=spec.instrument.taker_fee)
    result: list[Bench] = []

    def run() -> None:
        result.extend(cerebro.run())

    return Job(run, lambda: Counts(result[0].events, result[0].sent, result[0].fills))


def _days(columns: Columns) -> list[float]:
    return list(columns["ts"] / DAY_NS + EPOCH_ORDINAL)


def quotes(columns: Columns, spec: Spec) -> Job:
    bid, ask = (columns[name] / 10**spec.instrument.price_precision for name in ("bid", "ask"))
    rows = list(zip(_days(columns), bid.tolist(), ask.tolist(), ((bid + ask) / 2).tolist()))
    return _job(QuoteRows(rows=rows), Counter, spec)


def trades(columns: Columns, spec: Spec) -> Job:
    price = (columns["price"] / 10**spec.instrument.price_precision).tolist()
    volume = (columns["size"] / 10**spec.instrument.size_precision).tolist()
    rows = list(zip(_days(columns), price, price, price, price, volume))
    return _job(Rows(rows=rows), Cross, spec)


def bars(columns: Columns, spec: Spec) -> Job:
    prices = [columns[name] / 10**spec.instrument.price_precision for name in ("open", "high", "low", "close")]
    volume = columns["volume"] / 10**spec.instrument.size_precision
    rows = list(zip(_days(columns), *(np.asarray(column).tolist() for column in [*prices, volume])))
    return _job(Rows(rows=rows, timeframe=bt.TimeFrame.Minutes), Cross, spec)


if __name__ == "__main__":
    main(
        "backtrader",
        bt.__version__,
        {"quotes": quotes, "trades": trades, "bars": bars},
        {
            "orders": "orders are matched against bars, not against a bid and an ask",
            "l2": "no order book",
            "load": "no Parquet reader, and all data is held in memory as Python objects",
        },
    )
