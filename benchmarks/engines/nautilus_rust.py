# mypy: disable-error-code="import-not-found,misc,no-any-return,untyped-decorator"
"""nautilus_trader's Rust BacktestEngine (its v2 core, through PyO3), strategies in Python.

The same release carries both engines; set up as the Cython one. With PURGE (nautilus_rust_purged.py)
account events are dropped every minute of event time, in orders and l2 closed orders and positions too: each
fill copies the account with all its events, so without it the cost of an order grows with the number of orders
before it, and with it the history of balances is not there for a report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

from nautilus_trader.core import nautilus_pyo3 as nt

from handlers import Alternate, EmaCross, maker_prices
from harness import WATCH, Counts, Job, main
from workloads import QUOTE, QUOTE_CHUNK, TRADE, Columns, Spec

VENUE = nt.Venue("BENCH")
ID = nt.InstrumentId(nt.Symbol("BTCUSDT-PERP"), VENUE)
BAR_TYPE = nt.BarType.from_str(f"{ID}-1-MINUTE-LAST-EXTERNAL")
USDT = nt.Currency.from_str("USDT")
BUY, SELL = nt.OrderSide.BUY, nt.OrderSide.SELL
UNIT = 10**nt.FIXED_PRECISION
PURGE = False


class Bench(nt.Strategy):
    """What the five strategies share: the size of an order, the counts, `send`."""

    def __new__(cls, _spec: Spec) -> Bench:
        return super().__new__(cls, nt.StrategyConfig(log_events=False, log_commands=False))

    def __init__(self, spec: Spec) -> None:
        precision = spec.instrument.size_precision
        self.size = nt.Quantity(spec.order_raw / 10**precision, precision)
        self.events = self.orders = self.fills = 0

    def send(self, buy: bool) -> None:
        self.submit_order(self.order_factory.market(ID, BUY if buy else SELL, self.size))
        self.orders += 1

    def on_order_filled(self, _event: Any) -> None:
        self.fills += 1


class Counter(Bench):
    def on_start(self) -> None:
        self.subscribe_quotes(ID)

    def on_quote(self, _quote: Any) -> None:
        self.events += 1


class FirstQuote(Counter):
    def on_quote(self, _quote: Any) -> None:
        if not self.events:
            WATCH.first_event()
        self.events += 1


class Cross(Bench):
    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.cross = EmaCross(spec.fast, spec.slow)
        self.bars = spec.name == "bars"

    def on_start(self) -> None:
        if self.bars:
            self.subscribe_bars(BAR_TYPE)
        else:
            self.subscribe_trades(ID)

    def on_trade(self, trade: Any) -> None:
        if signal := self.cross.update(trade.price.as_double()):
            self.send(signal > 0)

    def on_bar(self, bar: Any) -> None:
        if signal := self.cross.update(bar.close.as_double()):
            self.send(signal > 0)


class EveryQuote(Bench):
    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.alternate = Alternate()

    def on_start(self) -> None:
        self.subscribe_quotes(ID)

    def on_quote(self, _quote: Any) -> None:
        self.send(self.alternate.update())


class Maker(Bench):
    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.tick = spec.instrument.tick_size
        self.precision = spec.instrument.price_precision
        self.interval_ms = spec.requote_ns // 1_000_000
        self.pair: list[Any] = []

    def on_start(self) -> None:
        self.subscribe_book_at_interval(ID, nt.BookType.L2_MBP, self.interval_ms)

    def on_book(self, book: Any) -> None:
        for order_id in self.pair:
            if order_id is not None:
                self.cancel_order(order_id)
        bid, ask = maker_prices(book.best_bid_price().as_double(), book.best_ask_price().as_double(), self.tick)
        limit = self.order_factory.limit
        buy = limit(ID, BUY, self.size, nt.Price(bid, self.precision))
        sell = limit(ID, SELL, self.size, nt.Price(ask, self.precision))
        self.pair = [buy.client_order_id, sell.client_order_id]
        self.submit_order(buy)
        self.submit_order(sell)
        self.orders += 2

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1
        if event.client_order_id in self.pair:
            self.pair[self.pair.index(event.client_order_id)] = None


def _engine(spec: Spec, strategy: Any) -> Any:
    instrument = spec.instrument
    history: dict[str, int] = {}
    if PURGE:
        history |= {"purge_account_events_interval_mins": 1, "purge_account_events_lookback_mins": 0}
    if PURGE and spec.name in ("orders", "l2"):  # elsewhere it costs more than it saves
        for kind in ("orders", "positions"):
            history |= {f"purge_closed_{kind}_interval_mins": 1, f"purge_closed_{kind}_buffer_mins": 0}
    engine = nt.BacktestEngine(
        nt.BacktestEngineConfig(
            exec_engine=nt.ExecutionEngineConfig(**history),
            bypass_logging=True,
            logging=nt.LoggerConfig(stdout_level=nt.LogLevel.OFF, bypass_logging=True),
            run_analysis=False,
            cache=nt.CacheConfig(tick_capacity=1, bar_capacity=1),
            risk_engine=nt.RiskEngineConfig(max_order_submit_rate="1000000/00:00:01"),
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=nt.OmsType.NETTING,
        account_type=nt.AccountType.MARGIN,
        starting_balances=[nt.Money(100_000_000, USDT)],
        book_type=nt.BookType.L2_MBP if spec.name == "l2" else nt.BookType.L1_MBP,
    )
    engine.add_instrument(
        nt.CryptoPerpetual(
            instrument_id=ID,
            raw_symbol=nt.Symbol(instrument.symbol),
            base_currency=nt.Currency.from_str("BTC"),
            quote_currency=USDT,
            settlement_currency=USDT,
            is_inverse=False,
            price_precision=instrument.price_precision,
            size_precision=instrument.size_precision,
            price_increment=nt.Price(instrument.tick_size, instrument.price_precision),
            size_increment=nt.Quantity(instrument.lot_size, instrument.size_precision),
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
    engine.add_data(data, validate=False, sort=True)
    data.clear()  # the engine has copies of its own
    return Job(engine.run, lambda: Counts(strategy.events or n, strategy.orders, strategy.fills))


def _rows(columns: Columns, names: tuple[str, ...]) -> Any:
    return zip(*(columns[name].tolist() for name in names), strict=True)


def _units(spec: Spec) -> tuple[int, int]:
    return UNIT // 10**spec.instrument.price_precision, UNIT // 10**spec.instrument.size_precision


def _quote_ticks(columns: Columns, spec: Spec) -> list[Any]:
    price, size = _units(spec)
    pp, sp = spec.instrument.price_precision, spec.instrument.size_precision
    make = nt.QuoteTick.from_raw
    return [
        make(ID, bid * price, ask * price, pp, pp, bid_size * size, ask_size * size, sp, sp, ts, ts)
        for ts, bid, bid_size, ask, ask_size in _rows(columns, QUOTE)
    ]


def quotes(columns: Columns, spec: Spec) -> Job:
    return _job(spec, Counter(spec), _quote_ticks(columns, spec), len(columns["ts"]))


def orders(columns: Columns, spec: Spec) -> Job:
    return _job(spec, EveryQuote(spec), _quote_ticks(columns, spec), len(columns["ts"]))


def trades(columns: Columns, spec: Spec) -> Job:
    price, size = _units(spec)
    pp, sp = spec.instrument.price_precision, spec.instrument.size_precision
    buyer, seller = nt.AggressorSide.BUYER, nt.AggressorSide.SELLER
    make = nt.TradeTick.from_raw
    data = [
        make(ID, p * price, pp, s * size, sp, buyer if a > 0 else seller, nt.TradeId(str(i)), ts, ts)
        for i, (ts, p, s, a) in enumerate(_rows(columns, spec.columns))
    ]
    return _job(spec, Cross(spec), data, len(columns["ts"]))


def bars(columns: Columns, spec: Spec) -> Job:
    price, size = _units(spec)
    pp, sp = spec.instrument.price_precision, spec.instrument.size_precision
    make = nt.Price.from_raw
    data = [
        nt.Bar(
            BAR_TYPE,
            make(o * price, pp),
            make(h * price, pp),
            make(lo * price, pp),
            make(c * price, pp),
            nt.Quantity.from_raw(v * size, sp),
            ts,
            ts,
        )
        for ts, o, h, lo, c, v in _rows(columns, spec.columns)
    ]
    return _job(spec, Cross(spec), data, len(columns["ts"]))


def l2(columns: Columns, spec: Spec) -> Job:
    price_unit, size_unit = _units(spec)
    pp, sp = spec.instrument.price_precision, spec.instrument.size_precision
    buyer, seller = nt.AggressorSide.BUYER, nt.AggressorSide.SELLER

    def delta(action: Any, side: int, price: int, size: int, flags: int, ts: int) -> Any:
        level = nt.BookOrder(
            SELL if side else BUY,
            nt.Price.from_raw(price * price_unit, pp),
            nt.Quantity.from_raw(size * size_unit, sp),
            0,
        )
        return nt.OrderBookDelta(ID, action, level, flags, 0, ts, ts)

    names = ("ts", "kind", "side", "price", "size")
    ts0 = int(columns["ts"][0]) - 1
    nothing = nt.BookOrder(nt.OrderSide.NO_ORDER_SIDE, nt.Price(0, 0), nt.Quantity(0, 0), 0)
    opening = [nt.OrderBookDelta(ID, nt.BookAction.CLEAR, nothing, 0, 0, ts0, ts0)]
    for side, price, size in _rows(columns, tuple(f"snapshot_{name}" for name in names[2:])):
        opening.append(delta(nt.BookAction.ADD, side, price, size, 0, ts0))
    data: list[Any] = [nt.OrderBookDeltas(ID, opening)]
    last = nt.RecordFlag.F_LAST.value
    for i, (ts, kind, side, price, size) in enumerate(_rows(columns, names)):
        if kind == TRADE:
            aggressor = seller if side else buyer
            data.append(
                nt.TradeTick.from_raw(
                    ID, price * price_unit, pp, size * size_unit, sp, aggressor, nt.TradeId(str(i)), ts, ts
                )
            )
        else:
            data.append(delta(nt.BookAction.UPDATE if size else nt.BookAction.DELETE, side, price, size, last, ts))
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


JOBS: dict[str, Callable[[Any, Spec], Job]] = {
    "quotes": quotes,
    "trades": trades,
    "bars": bars,
    "orders": orders,
    "l2": l2,
    "load": load,
}

if __name__ == "__main__":
    too_slow = dict.fromkeys(("orders", "l2"), "more than 15 minutes at full size, see nautilus_rust_purged")
    jobs = {name: job for name, job in JOBS.items() if name not in too_slow}
    main("nautilus_rust", version("nautilus_trader"), jobs, too_slow)
