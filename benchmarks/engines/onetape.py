"""onetape itself: a plain Python strategy through the whole OMS, gate, simulated exchange and ledger."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import pyarrow.parquet as pq
from onetape import __version__
from onetape.app.backtest import Backtest
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag, Side
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade
from onetape.model.numbers import to_decimal
from onetape.model.orders import Order
from onetape.model.system import Timer
from onetape.strategy.base import Strategy

from handlers import Alternate, EmaCross, maker_prices
from harness import WATCH, Counts, Job, main
from workloads import TRADE, Spec


def instrument_of(spec: Spec) -> Instrument:
    terms = spec.instrument
    return Instrument(
        f"{terms.base}-{terms.quote}.BENCH",
        tick_size=str(to_decimal(terms.tick_raw, terms.price_precision)),
        lot_size=str(to_decimal(terms.lot_raw, terms.size_precision)),
        maker_fee=str(terms.maker_fee),
        taker_fee=str(terms.taker_fee),
    )


class Counter(Strategy):
    def on_start(self) -> None:
        self.count = 0
        self.subscribe_quotes("BTC-USDT.BENCH")

    def on_quote(self, quote: Quote) -> None:
        self.count += 1


class FirstQuote(Counter):
    def on_quote(self, quote: Quote) -> None:
        if not self.count:
            WATCH.first_event()
        self.count += 1


class Cross(Strategy):
    fast: int
    slow: int
    size: float

    def on_start(self) -> None:
        self.btc = self.instrument("BTC-USDT.BENCH")
        self.cross = EmaCross(self.fast, self.slow)
        self.update = self.cross.update

    def order(self, side: int) -> None:
        if side > 0:
            self.buy(self.btc, self.size)
        else:
            self.sell(self.btc, self.size)


class TradeCross(Cross):
    def on_start(self) -> None:
        super().on_start()
        self.subscribe_trades(self.btc)

    def on_trade(self, trade: Trade) -> None:
        side = self.update(trade.price)
        if side:
            self.order(side)


class BarCross(Cross):
    def on_start(self) -> None:
        super().on_start()
        self.subscribe_bars(self.btc, "1m")

    def on_bar(self, bar: Bar) -> None:
        side = self.update(bar.close)
        if side:
            self.order(side)


class EveryQuote(Strategy):
    size: float

    def on_start(self) -> None:
        self.btc = self.instrument("BTC-USDT.BENCH")
        self.alternate = Alternate()
        self.subscribe_quotes(self.btc)

    def on_quote(self, quote: Quote) -> None:
        if self.alternate.update():
            self.buy(self.btc, self.size)
        else:
            self.sell(self.btc, self.size)


class Maker(Strategy):
    size: float
    interval: int

    def on_start(self) -> None:
        self.btc = self.instrument("BTC-USDT.BENCH")
        self.tick = self.btc.price_to_float(self.btc.tick_raw)
        self.market = self.book(self.btc)
        self.pair: tuple[Order, ...] = ()
        self.every(self.interval)

    def on_timer(self, timer: Timer) -> None:
        for order in self.pair:
            if order.is_open:
                self.cancel(order)
        market = self.market
        bid, ask = maker_prices(market.bid, market.ask, self.tick)
        self.pair = (self.buy(self.btc, self.size, bid), self.sell(self.btc, self.size, ask))


def _job(strategy: Strategy, columns: list[Columns], events: int | None = None) -> Job:
    test = Backtest(strategy, columns, chunk_rows=0)
    test.prepare()
    results: list[Any] = []

    def counts() -> Counts:
        result = results[0]
        return Counts(events or result.events, len(result.orders), len(result.fills))

    return Job(lambda: results.append(test.run()), counts)


def _quotes(source: dict[str, Any], spec: Spec) -> Columns:
    return Columns("quote", instrument_of(spec), {"ts_recv": source["ts"], **{n: source[n] for n in spec.columns[1:]}})


def _size(spec: Spec) -> float:
    return spec.order_raw / 10.0**spec.instrument.size_precision


def quotes(source: dict[str, Any], spec: Spec) -> Job:
    return _job(Counter(), [_quotes(source, spec)])


def orders(source: dict[str, Any], spec: Spec) -> Job:
    return _job(EveryQuote(size=_size(spec)), [_quotes(source, spec)])


def trades(source: dict[str, Any], spec: Spec) -> Job:
    side = np.where(source["aggressor"] > 0, int(Side.BUY), int(Side.SELL))
    columns = {"ts_recv": source["ts"], "price": source["price"], "size": source["size"], "side": side}
    strategy = TradeCross(fast=spec.fast, slow=spec.slow, size=_size(spec))
    return _job(strategy, [Columns("trade", instrument_of(spec), columns)])


def bars(source: dict[str, Any], spec: Spec) -> Job:
    columns = {"ts_recv": source["ts"], "ts_open": source["ts"] - 60_000_000_000}
    columns |= {name: source[name] for name in spec.columns[1:]}
    strategy = BarCross(fast=spec.fast, slow=spec.slow, size=_size(spec))
    return _job(strategy, [Columns("bar", instrument_of(spec), columns, spec="1m")])


def l2(source: dict[str, Any], spec: Spec) -> Job:
    instrument = instrument_of(spec)
    side = source["side"] + 1
    is_trade = source["kind"] == TRADE
    snapshot = len(source["snapshot_side"])
    rows = np.flatnonzero(~is_trade)
    flags = np.full(snapshot + len(rows), int(BookFlag.LAST))
    flags[:snapshot] = int(BookFlag.SNAPSHOT)
    flags[0] |= int(BookFlag.CLEAR)
    flags[snapshot - 1] |= int(BookFlag.LAST)
    order = np.arange(1, len(side) + 1)
    book = {
        "ts_recv": np.concatenate((np.full(snapshot, source["ts"][0]), source["ts"][rows])),
        "seq": np.concatenate((np.zeros(snapshot, np.int64), order[rows])),
        "side": np.concatenate((source["snapshot_side"] + 1, side[rows])),
        "price": np.concatenate((source["snapshot_price"], source["price"][rows])),
        "size": np.concatenate((source["snapshot_size"], source["size"][rows])),
        "flags": flags,
    }
    trade = {
        "ts_recv": source["ts"][is_trade],
        "seq": order[is_trade],
        "price": source["price"][is_trade],
        "size": source["size"][is_trade],
        "side": side[is_trade],
    }
    columns = [Columns("book", instrument, book), Columns("trade", instrument, trade)]
    return _job(Maker(size=_size(spec), interval=spec.requote_ns), columns, len(side))


def load(path: Path, spec: Spec) -> Job:
    instrument = instrument_of(spec)

    class File:
        """The workload's Parquet file as a stream, a row group at a time."""

        kind, spec = "quote", ""

        def __init__(self) -> None:
            self.instrument = instrument
            self.file = pq.ParquetFile(path)
            groups = self.file.metadata.num_row_groups
            ts: Any = [self.file.metadata.row_group(i).column(0).statistics for i in range(groups)]
            self.first, self.last = ts[0].min, ts[-1].max

        def __iter__(self) -> Any:
            for batch in self.file.iter_batches(batch_size=65_536):
                arrays = {name: batch.column(name).to_numpy() for name in batch.schema.names}
                yield Columns("quote", instrument, {"ts_recv": arrays.pop("ts"), **arrays})

    strategy = FirstQuote()
    test = Backtest(strategy, [File()])

    def run() -> None:
        test.run()

    return Job(run, lambda: Counts(strategy.count))


if __name__ == "__main__":
    main(
        "onetape",
        __version__,
        {"quotes": quotes, "trades": trades, "bars": bars, "orders": orders, "l2": l2, "load": load},
        {},
    )
