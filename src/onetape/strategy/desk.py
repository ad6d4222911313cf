"""A strategy's order desk: turns what it asks for into orders, and tells it what became of them.

Apart from :class:`Strategy` because it is compiled: a strategy itself stays a plain Python object, whose attributes
Python reads faster than those of a subclass of a compiled one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onetape.model.enums import ExecType, OrdType, Side, TimeInForce
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE, Number
from onetape.model.orders import ExecutionReport, Order
from onetape.oms.oms import Oms
from onetape.ports import ReportListener
from onetape.strategy.context import Context

_NO_PRICE = NO_PRICE
_TRADE = int(ExecType.TRADE)
_MARKET = int(OrdType.MARKET)
_LIMIT = int(OrdType.LIMIT)
_STOP = int(OrdType.STOP)
_STOP_LIMIT = int(OrdType.STOP_LIMIT)
_TRAILING_STOP = int(OrdType.TRAILING_STOP)
_BUY = int(Side.BUY)
_GTC = int(TimeInForce.GTC)
_GTD = int(TimeInForce.GTD)

Hook = Callable[[Any], object]


class Desk(ReportListener):
    """``on_fill`` and ``on_order`` are ``None`` where the strategy does not listen."""

    __slots__ = ("_context", "_id", "_number", "_on_fill", "_on_order", "_strategy", "oms", "stopped")

    oms: Oms
    stopped: bool
    _context: Context
    _strategy: object
    _id: str
    _number: int
    _on_fill: Hook | None
    _on_order: Hook | None

    def __init__(
        self, context: Context, strategy: object, strategy_id: str, on_fill: Hook | None, on_order: Hook | None
    ) -> None:
        self._context = context
        self.oms = context.oms
        self._number = context.oms.register(self)
        self._strategy = strategy
        self._id = strategy_id
        self._on_fill = on_fill
        self._on_order = on_order
        self.stopped = False

    def order(
        self,
        side: int,
        instrument: Instrument | str,
        qty: Number,
        price: Number | None,
        stop: Number | None,
        trail: Number | None,
        time_in_force: int,
        expire_time: int,
        post_only: bool,
        reduce_only: bool,
        tag: str,
    ) -> Order:
        known: Instrument
        if isinstance(instrument, Instrument):
            known = instrument
        else:
            known = self._context.instrument(instrument)
        order = Order.__new__(Order)
        order.instrument = known
        order.side_code = side
        order.sign = 1 if side == _BUY else -1
        order.order_qty_raw = known.qty_raw(qty)
        order.price_raw = _NO_PRICE if price is None else known.price_raw(price)
        order.stop_px_raw = _NO_PRICE if stop is None else known.price_raw(stop)
        order.trail_raw = 0 if trail is None else known.price_raw(trail)
        if trail is not None:
            order.ord_type_code = _TRAILING_STOP
        elif order.stop_px_raw != _NO_PRICE:
            order.ord_type_code = _STOP if order.price_raw == _NO_PRICE else _STOP_LIMIT
        else:
            order.ord_type_code = _MARKET if order.price_raw == _NO_PRICE else _LIMIT
        order.tif_code = time_in_force
        if order.tif_code == _GTC and expire_time != 0:
            order.tif_code = _GTD
        order.expire_time = expire_time
        order.post_only = post_only
        order.reduce_only = reduce_only
        order.strategy_id = self._id
        order.tag = tag
        order.status_code = 0
        order.cum_qty_raw = 0
        order.cum_notional_raw = 0
        order.open_qty_raw = 0
        order.order_id = ""
        order.text = ""
        if self.stopped:
            raise ConfigurationError(f"strategy {self._id} has been stopped and can't send orders")
        self.oms.submit(order, self._number)
        return order

    def on_report(self, report: ExecutionReport) -> None:
        if self.stopped:
            return
        try:
            if self._on_fill is not None and report.exec_code == _TRADE:
                self._on_fill(report)
            if self._on_order is not None:
                self._on_order(report)
        except Exception as error:
            self._context.on_failure(self._strategy, report, error)
