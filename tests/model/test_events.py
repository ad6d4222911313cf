"""Events as values: float views, equality, text, and (compiled) that nobody changes them."""

from __future__ import annotations

import numpy as np
import pytest

from onetape.model import event as event_module
from onetape.model.account import BalanceUpdate, PositionUpdate
from onetape.model.columns import Columns
from onetape.model.enums import ExecType, Health, Liquidity, MarkKind, OrdStatus, OrdType, Side, TimeInForce
from onetape.model.errors import TapeError
from onetape.model.event import FRAME_SHIFT, Event
from onetape.model.instrument import Instrument
from onetape.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    FundingRate,
    InstrumentUpdate,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Quote,
    Trade,
)
from onetape.model.numbers import NO_PRICE
from onetape.model.orders import ExecutionReport, Fill, Order
from onetape.model.system import Gap, SessionMark, StreamHealth, Timer

I = Instrument("BTC-USDT.EVENTS", tick_size="0.01", lot_size="0.001")  # noqa: E741
COMPILED = not event_module.__file__.endswith(".py")
WHEN = {"ts_event": 5, "ts_recv": 6, "seq": (3 << FRAME_SHIFT) + 2}

EVENTS: list[Event] = [
    Trade(I, 100_01, 1_500, Side.SELL, "t1", **WHEN),
    Quote(I, 99_99, 100_02, 1_000, 2_500, 7, **WHEN),
    BookSnapshot(I, ((99_99, 1),), ((100_02, 2),), 7, **WHEN),
    BookDelta(I, ((99_99, 0),), (), 6, 7, 5, **WHEN),
    Bar(I, "1m", 1, 4, 1, 2, 10, 5, 3, 0, **WHEN),
    Liquidation(I, 100_01, 1_500, Side.SELL, **WHEN),
    FundingRate(I, 10**14, 99, **WHEN),
    MarkPrice(I, 10**18, 2 * 10**18, **WHEN),
    OpenInterest(I, 1_500, **WHEN),
    InstrumentUpdate(I, **WHEN),
    StreamHealth(I, "book", Health.GAPPED, "lost 3", **WHEN),
    Gap(I, "book", 3, 6, **WHEN),
    Timer("tick", **WHEN),
    SessionMark(MarkKind.NOTE, "hello", **WHEN),
    PositionUpdate(I, -1_500, 10**20, 5, "s", **WHEN),
    BalanceUpdate("BINANCE", "USDT", 10**18, 5 * 10**17, **WHEN),
    ExecutionReport(I, ExecType.NEW, "c1", "v1", **WHEN),
    Fill(I, 1_500, 100_01, 10**15, "USDT", Liquidity.MAKER, "e1", **WHEN),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_a_value(event: Event) -> None:
    assert event == event
    assert event != object()
    assert sum(event == other for other in EVENTS) == 1
    assert hash(event) == hash(event)
    assert event.frame == 3
    assert repr(event).startswith(f"{type(event).__name__}(")
    assert "ts_event=5, ts_recv=6" in repr(event)
    assert type(event).KIND


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.skipif(not COMPILED, reason="the pure build leaves it to mypy and the compiled one")
def test_compiled_events_cannot_be_changed(event: Event) -> None:
    for name in ("ts_event", "ts_recv", "seq", "instrument", "price_raw", "new_attribute"):
        with pytest.raises(AttributeError):
            setattr(event, name, 1)


def test_no_attribute_can_be_added() -> None:
    for event in EVENTS:
        with pytest.raises(AttributeError):
            event.something = 1  # type: ignore[attr-defined]


def test_stamp_sets_arrival_and_order() -> None:
    trade = Trade(I, 1, 1)
    trade.stamp(9, 8)
    assert (trade.ts_recv, trade.seq, trade.ts_event) == (9, 8, 0)


def test_float_views() -> None:
    trade, quote, bar = EVENTS[0], EVENTS[1], EVENTS[4]
    assert isinstance(trade, Trade)
    assert isinstance(quote, Quote)
    assert isinstance(bar, Bar)
    assert (trade.price, trade.size, trade.side) == (100.01, 1.5, Side.SELL)
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (99.99, 100.02, 1.0, 2.5)
    assert quote.mid == (99.99 + 100.02) / 2
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.buy_volume) == (
        0.01,
        0.04,
        0.01,
        0.02,
        0.01,
        0.005,
    )


def test_text() -> None:
    assert repr(EVENTS[0]) == (
        "Trade(instrument=BTC-USDT.EVENTS, price=100.01, size=1.500, side=SELL, trade_id=t1, ts_event=5, ts_recv=6)"
    )
    assert "bids=1 levels" in repr(EVENTS[2])
    assert "rate=0.0001," in repr(EVENTS[6])
    assert "mark=1, index=2" in repr(EVENTS[7])


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises((IndexError, ValueError)):
        Trade(I, 1, 1, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Order(I, 7, 1),
        lambda: Order(I, Side.BUY, 1, 9),
        lambda: Order(I, Side.BUY, 1, time_in_force=9),
        lambda: ExecutionReport(I, ExecType.NEW, ord_status=99),
        lambda: Fill(I, 1, 1, liquidity=9),
        lambda: Fill(I, 1, 1, reason_type=99),
        lambda: StreamHealth(I, "book", 99),
    ],
)
def test_values_outside_a_vocabulary_are_refused(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="is not a valid"):
        make()


def test_orders_in_the_float_view() -> None:
    order = Order(I, Side.BUY, 1_500, OrdType.LIMIT, 100_01)
    assert (order.price, order.order_qty, order.leaves_qty, order.cum_qty, order.avg_px) == (
        100.01,
        1.5,
        1.5,
        0.0,
        None,
    )
    assert (order.side, order.ord_type, order.time_in_force) == (Side.BUY, OrdType.LIMIT, TimeInForce.GTC)
    assert order.is_open
    assert repr(order) == "Order(-1 BTC-USDT.EVENTS BUY 1.500 @ 100.01 LIMIT PENDING_NEW, filled 0.000)"
    market = Order(I, Side.SELL, 1)
    assert (market.price, market.stop_px, market.price_raw) == (None, None, NO_PRICE)
    report = ExecutionReport(I, ExecType.CANCELED, ord_status=OrdStatus.CANCELED, order_qty_raw=9, cum_qty_raw=4)
    assert report.leaves_qty_raw == 0


def test_columns() -> None:
    columns = Columns("trade", I, {"ts_recv": np.array([1, 2, 3]), "price": np.array([5, 6, 7], dtype=np.int32)})
    assert len(columns) == 3
    assert columns["ts_event"].tolist() == [1, 2, 3]
    assert columns["size"].tolist() == [0, 0, 0]
    assert columns["price"].dtype == np.int64
    part = columns.slice(1, 3)
    assert (len(part), part["price"].tolist()) == (2, [6, 7])
    assert Columns("book", I, {"ts_recv": np.array([1])})["flags"].tolist() == [1]


@pytest.mark.parametrize(
    ("kind", "arrays", "why"),
    [
        ("funding", {"ts_recv": [1]}, "do not travel as columns"),
        ("trade", {"price": [1]}, "without ts_recv"),
        ("trade", {"ts_recv": [1, 2], "price": [1]}, "column price has 1 rows, not 2"),
    ],
)
def test_columns_that_do_not_fit(kind: str, arrays: dict[str, list[int]], why: str) -> None:
    with pytest.raises(TapeError, match=why):
        Columns(kind, I, {name: np.array(values) for name, values in arrays.items()})
