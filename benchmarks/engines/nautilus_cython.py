# mypy: disable-error-code="import-not-found,misc,no-any-return,untyped-decorator"
"""nautilus_trader's Cython BacktestEngine, strategies in Python.

Set up to be fast: logging bypassed, no analysis after the run, no event logs, small caches, books read at an
interval instead of a call for each delta. The risk engine stays on, as ours does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.cache.config import CacheConfig
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import (
    Bar,
    BarType,
    OrderBookDelta,
    OrderBookDeltas,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AccountType, BookAction, BookType, OmsType, OrderSide, RecordFlag
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.risk.config import RiskEngineConfig
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from handlers import Alternate, EmaCross, maker_prices
from harness import WATCH, Counts, Job, main
from workloads import QUOTE, QUOTE_CHUNK, TRADE, Columns, Spec

VENUE = Venue("BENCH")
ID = InstrumentId(Symbol("BTCUSDT-PERP"), VENUE)
# The first order is twice the size, so that the position never goes flat again: for each position closed in
# netting mode the engine keeps a snapshot and the portfolio looks at all of them on every later fill.
OPENING_MULTIPLE = 2
BAR_TYPE = BarType.from_str(f"{ID}-1-MINUTE-LAST-EXTERNAL")


class Bench(Strategy):
    """What the five strategies share: the size of an order, the counts, `send`."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(StrategyConfig(log_events=False, log_commands=False))
        precision = spec.instrument.size_precision
        self.size = Quantity(spec.order_raw / 10**precision, precision)
        self.opening = Quantity(self.size.as_double() * OPENING_MULTIPLE, precision)
        self.events = self.orders = self.fills = 0

    def send(self, buy: bool) -> None:
        side = OrderSide.BUY if buy else OrderSide.SELL
        size = self.size if self.orders else self.opening
        self.submit_order(self.order_factory.market(ID, side, size))
        self.orders += 1

    def on_order_filled(self, _event: OrderFilled) -> None:
        self.fills += 1


class Counter(Bench):
    def on_start(self) -> None:
        self.subscribe_quote_ticks(ID)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
        self.events += 1


class FirstQuote(Counter):
    def on_quote_tick(self, _tick: QuoteTick) -> None:
        if not self.events:
            WATCH.first_event()
        self.events += 1


class Cross(Bench):
    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.cross = EmaCross(spec.fast, spec.slow)

    def on_start(self) -> None:
        self.subscribe_trade_ticks(ID)
        self.subscribe_bars(BAR_TYPE)

    def on_trade_tick(self, tick: TradeTick) -> None:
        if signal := self.cross.update(tick.price.as_double()):
            self.send(signal > 0)

    def on_bar(self, bar: Bar) -> None:
        if signal := self.cross.update(bar.close.as_double()):
            self.send(signal > 0)


class EveryQuote(Bench):
    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.alternate = Alternate()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(ID)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
        self.send(self.alternate.update())


class Maker(Bench):
    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.tick = spec.instrument.tick_size
        self.precision = spec.instrument.price_precision
        self.interval_ms = spec.requote_ns // 1_000_000
        self.pair: list[Any] = []

    def on_start(self) -> None:
        self.subscribe_order_book_at_interval(ID, BookType.L2_MBP, interval_ms=self.interval_ms)

    def on_order_book(self, book: OrderBook) -> None:
        for order in self.pair:
            if order.is_open:
                self.cancel_order(order)
        bid, ask = maker_prices(book.best_bid_price().as_double(), book.best_ask_price().as_double(), self.tick)
        limit = self.order_factory.limit
        self.pair = [
            limit(ID, OrderSide.BUY, self.size, Price(bid, self.precision)),
            limit(ID, OrderSide.SELL, self.size, Price(ask, self.precision)),
        ]
        for order in self.pair:
            self.submit_order(order)
        self.orders += 2


def _engine(spec: Spec, strategy: Strategy) -> BacktestEngine:
    instrument = spec.instrument
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            run_analysis=False,
            cache=CacheConfig(tick_capacity=1, bar_capacity=1),
            risk_engine=RiskEngineConfig(max_order_submit_rate="1000000/00:00:01"),
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=None,
        starting_balances=[Money(100_000_000, USDT)],
        book_type=BookType.L2_MBP if spec.name == "l2" else BookType.L1_MBP,
    )
    engine.add_instrument(
        CryptoPerpetual(
            instrument_id=ID,
            raw_symbol=Symbol(instrument.symbol),
            base_currency=BTC,
            quote_currency=USDT,
            settlement_currency=USDT,
            is_inverse=False,
            price_precision=instrument.price_precision,
            size_precision=instrument.size_precision,
            price_increment=Price(instrument.tick_size, instrument.price_precision),
            size_increment=Quantity(instrument.lot_size, instrument.size_precision),
            ts_event=0,
            ts_init=0,
            margin_init=Decimal("0.05"),
            margin_maint=Decimal("0.025"),
            maker_fee=Decimal(str(instrument.maker_fee)),
            taker_fee=Decimal(str(instrument.taker_fee)),
        )
    )
    engine.add_strategy(strategy)
    return engine


def _job(spec: Spec, strategy: Bench, data: list[Any], n: int) -> Job:
    engine = _engine(spec, strategy)
    engine.add_data(data, validate=False)
    return Job(engine.run, lambda: Counts(strategy.events or n, strategy.orders, strategy.fills))


def _quote_ticks(columns: Columns, spec: Spec) -> list[QuoteTick]:
    prices, sizes = 10.0**spec.instrument.price_precision, 10.0**spec.instrument.size_precision
    ts = columns["ts"].astype(np.uint64)
    return QuoteTick.from_raw_arrays_to_list(
        ID,
        spec.instrument.price_precision,
        spec.instrument.size_precision,
        columns["bid"] / prices,
        columns["ask"] / prices,
        columns["bid_size"] / sizes,
        columns["ask_size"] / sizes,
        ts,
        ts,
    )


def _trade_ticks(columns: Columns, spec: Spec, buyers: Any) -> list[TradeTick]:
    ts = columns["ts"].astype(np.uint64)
    return TradeTick.from_raw_arrays_to_list(
        ID,
        spec.instrument.price_precision,
        spec.instrument.size_precision,
        columns["price"] / 10.0**spec.instrument.price_precision,
        columns["size"] / 10.0**spec.instrument.size_precision,
        np.where(buyers, 1, 2).astype(np.uint8),
        [str(i) for i in range(len(ts))],
        ts,
        ts,
    )


def quotes(columns: Columns, spec: Spec) -> Job:
    return _job(spec, Counter(spec), _quote_ticks(columns, spec), len(columns["ts"]))


def orders(columns: Columns, spec: Spec) -> Job:
    return _job(spec, EveryQuote(spec), _quote_ticks(columns, spec), len(columns["ts"]))


def trades(columns: Columns, spec: Spec) -> Job:
    data = _trade_ticks(columns, spec, columns["aggressor"] > 0)
    return _job(spec, Cross(spec), data, len(data))


def bars(columns: Columns, spec: Spec) -> Job:
    prices, sizes = 10.0**spec.instrument.price_precision, 10.0**spec.instrument.size_precision
    ts = columns["ts"].astype(np.uint64)
    data = Bar.from_raw_arrays_to_list(
        BAR_TYPE,
        spec.instrument.price_precision,
        spec.instrument.size_precision,
        *(columns[name] / prices for name in ("open", "high", "low", "close")),
        columns["volume"] / sizes,
        ts,
        ts,
    )
    return _job(spec, Cross(spec), data, len(data))


def l2(columns: Columns, spec: Spec) -> Job:
    price_unit, size_unit = Price(spec.instrument.tick_size, 1).raw, Quantity(spec.instrument.lot_size, 3).raw
    sides = (OrderSide.BUY, OrderSide.SELL)
    last = RecordFlag.F_LAST.value

    def delta(action: BookAction, side: int, price: int, size: int, flags: int, ts: int) -> OrderBookDelta:
        return OrderBookDelta.from_raw(
            ID, action, sides[side], price * price_unit, 1, size * size_unit, 3, 0, flags, 0, ts, ts
        )

    names = ("ts", "kind", "side", "price", "size")
    ts0 = int(columns["ts"][0]) - 1
    opening = [OrderBookDelta.clear(ID, 0, ts0, ts0)]
    for side, price, size in zip(*(columns[f"snapshot_{name}"].tolist() for name in names[2:]), strict=True):
        opening.append(delta(BookAction.ADD, side, price, size, 0, ts0))
    is_trade = columns["kind"] == TRADE
    ticks = iter(_trade_ticks({c: columns[c][is_trade] for c in names}, spec, columns["side"][is_trade] == 0))
    data: list[Any] = [OrderBookDeltas(ID, opening)]
    for ts, kind, side, price, size in zip(*(columns[name].tolist() for name in names), strict=True):
        if kind == TRADE:
            data.append(next(ticks))
        else:
            action = BookAction.UPDATE if size else BookAction.DELETE
            data.append(delta(action, side, price, size, last, ts))
    return _job(spec, Maker(spec), data, len(columns["ts"]))


def load(path: Path, spec: Spec) -> Job:
    """The chunked run of the low-level API: only one chunk of ticks exists at a time."""
    import pyarrow.parquet as pq

    strategy = FirstQuote(spec)
    engine = _engine(spec, strategy)

    def run() -> None:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=QUOTE_CHUNK // 4):
            columns = {name: batch.column(name).to_numpy() for name in QUOTE}
            engine.add_data(_quote_ticks(columns, spec), validate=False)
            engine.run(streaming=True)
            engine.clear_data()
        engine.end()

    return Job(run, lambda: Counts(strategy.events))


if __name__ == "__main__":
    jobs: dict[str, Callable[[Any, Spec], Job]] = {
        "quotes": quotes,
        "trades": trades,
        "bars": bars,
        "orders": orders,
        "l2": l2,
        "load": load,
    }
    main("nautilus_cython", version("nautilus_trader"), jobs, {})
