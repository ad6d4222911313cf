"""Order management: every order, its state, and the one way in (through the gate) and back (through the table)."""

from __future__ import annotations

from collections.abc import Callable

from onetape.kernel.clock import Clock
from onetape.kernel.state import StateTable
from onetape.model.enums import ExecType, OrdStatus, Side
from onetape.model.numbers import NO_PRICE, product
from onetape.model.orders import ExecutionReport, Fill, Order
from onetape.oms.digest import Digest
from onetape.oms.state import ILLEGAL, NEXT, STAY, WORKING
from onetape.ports import ExecutionPort, Gate, ReportListener

_NO_PRICE = NO_PRICE
_NEXT = NEXT
_EXEC_TYPES = len(ExecType)
_ILLEGAL = ILLEGAL
_STAY = STAY
_WORKING = WORKING
_BUY = int(Side.BUY)
_NEW_STATUS = int(OrdStatus.NEW)
_PARTIALLY_FILLED = int(OrdStatus.PARTIALLY_FILLED)
_PENDING_CANCEL_STATUS = int(OrdStatus.PENDING_CANCEL)
_PENDING_REPLACE_STATUS = int(OrdStatus.PENDING_REPLACE)
_FILLED = int(OrdStatus.FILLED)
_TRADE = int(ExecType.TRADE)
_REPLACED = int(ExecType.REPLACED)
_REJECTED = int(ExecType.REJECTED)
_PENDING_CANCEL = int(ExecType.PENDING_CANCEL)
_PENDING_REPLACE = int(ExecType.PENDING_REPLACE)
_REPLACE_REJECTED = int(ExecType.REPLACE_REJECTED)
_CANCEL_REJECTED = int(ExecType.CANCEL_REJECTED)

_SUBMIT = 1
_REPLACE = 2
_CANCEL = 3

IllegalHook = Callable[[ExecutionReport, str], None]


class Oms:
    """``orders`` are all of the session's, by number. ``prefix`` makes their ids unique among sessions.

    ``history`` collects every fill, if it is a list. A report that the state machine forbids changes nothing, is
    counted in ``illegal`` and given to ``on_illegal``.
    """

    __slots__ = (
        "_clock",
        "_gate",
        "_listeners",
        "_port",
        "_states",
        "digest",
        "fills",
        "history",
        "illegal",
        "on_illegal",
        "open",
        "orders",
        "portfolio",
        "prefix",
        "rejected",
        "reports",
    )

    prefix: str
    orders: list[Order]
    open: dict[Order, None]
    digest: Digest
    portfolio: ReportListener | None
    reports: ReportListener | None
    on_illegal: IllegalHook | None
    history: list[Fill] | None
    fills: int
    rejected: int
    illegal: int
    _clock: Clock
    _states: StateTable
    _gate: Gate
    _port: ExecutionPort
    _listeners: list[ReportListener]

    def __init__(self, clock: Clock, states: StateTable, gate: Gate, port: ExecutionPort, prefix: str = "") -> None:
        self._clock = clock
        self._states = states
        self._gate = gate
        self._port = port
        self.prefix = prefix
        self._listeners = []
        self.orders = []
        self.open = {}
        self.digest = Digest()
        self.portfolio = None
        self.reports = None
        self.on_illegal = None
        self.history = None
        self.fills = self.rejected = self.illegal = 0

    def register(self, listener: ReportListener) -> int:
        """Number under which ``listener`` hears of its orders."""
        self._listeners.append(listener)
        return len(self._listeners) - 1

    def submit(self, order: Order, owner_number: int = -1) -> None:
        """Send ``order`` if the gate lets it pass; else it is Rejected, and its owner told, before this returns."""
        now = self._clock.now
        order.prefix = self.prefix
        order.number = len(self.orders)
        order.owner_number = owner_number
        order.ts_created = now
        order.ts_last = now
        self.orders.append(order)
        self.open[order] = None
        self.digest.command(_SUBMIT, order, order.order_qty_raw, order.price_raw, now)
        approved = self._gate.approve(order)
        if approved is None:
            self._answer(order, _REJECTED, self._gate.refusal)
            return
        self._recount(order, order.order_qty_raw)
        self._port.submit(approved)

    def replace(self, order: Order, order_qty_raw: int, price_raw: int) -> bool:
        """Ask for a new total quantity and price (``NO_PRICE``: as before); False if it can't be asked for now."""
        if order is None:
            raise TypeError("there is no order to replace: it is None")
        if order.status_code != _NEW_STATUS and order.status_code != _PARTIALLY_FILLED:
            return False
        if price_raw == _NO_PRICE:
            price_raw = order.price_raw
        now = self._clock.now
        self.digest.command(_REPLACE, order, order_qty_raw, price_raw, now)
        approved = self._gate.approve_replace(order, order_qty_raw, price_raw)
        if approved is None:
            self._answer(order, _REPLACE_REJECTED, self._gate.refusal)
            return False
        self._answer(order, _PENDING_REPLACE, "")
        if order.status_code != _PENDING_REPLACE_STATUS:
            return False  # hearing of it, the owner canceled the order
        leaves = order_qty_raw - order.cum_qty_raw
        if leaves > order.open_qty_raw:
            self._recount(order, leaves)
        self._port.replace(approved)
        return True

    def cancel(self, order: Order) -> bool:
        """Ask to cancel; False if the order has ended or a cancel is under way. No check ever stops a cancel."""
        if order is None:
            raise TypeError("there is no order to cancel: it is None")
        if order.status_code >= _FILLED or order.status_code == _PENDING_CANCEL_STATUS:
            return False
        self.digest.command(_CANCEL, order, 0, _NO_PRICE, self._clock.now)
        self._answer(order, _PENDING_CANCEL, "")
        self._port.cancel(order)
        return True

    def _answer(self, order: Order, exec_code: int, text: str) -> None:
        """A report of our own making."""
        report = ExecutionReport.__new__(ExecutionReport)
        report.instrument = order.instrument
        report.order = order
        report.order_id = order.order_id
        report.exec_code = exec_code
        report.order_qty_raw = order.order_qty_raw
        report.price_raw = order.price_raw
        report.text = text
        report.ts_event = self._clock.now
        report.ts_recv = self._clock.now
        report.seq = 0
        self.apply(report)

    def apply(self, report: ExecutionReport) -> None:
        """Take in a report: state, quantities, portfolio, then whoever listens."""
        order = report.order
        if order is None:
            self._forbid(report, "of an order that this session does not know")
            return
        code = report.exec_code
        target = _NEXT[order.status_code * _EXEC_TYPES + code]
        if target == _ILLEGAL:
            self._forbid(report, f"is not allowed for an order that is {order.ord_status.name}")
            return
        cum_qty_raw = order.cum_qty_raw
        order_qty_raw = order.order_qty_raw
        if code == _TRADE:
            if not isinstance(report, Fill):
                self._forbid(report, "without a fill")
                return
            fill = report
            if fill.last_qty_raw <= 0 or fill.last_qty_raw > order_qty_raw - cum_qty_raw:
                self._forbid(report, f"of {fill.last_qty_raw} where {order_qty_raw - cum_qty_raw} are open (raw)")
                return
            cum_qty_raw += fill.last_qty_raw
            order.cum_notional_raw = order.cum_notional_raw + product(fill.last_px_raw, fill.last_qty_raw)
            self.fills += 1
        elif code == _REPLACED:
            if report.order_qty_raw <= 0 or report.order_qty_raw < cum_qty_raw:
                self._forbid(report, f"to {report.order_qty_raw} where {cum_qty_raw} are filled (raw)")
                return
            order_qty_raw = report.order_qty_raw
            order.order_qty_raw = order_qty_raw
            if report.price_raw != _NO_PRICE:
                order.price_raw = report.price_raw
        elif code == _REJECTED:
            self.rejected += 1
        if (code == _TRADE or code == _REPLACED) and cum_qty_raw == order_qty_raw:
            order.status_code = _FILLED
        elif target == _WORKING:
            order.status_code = _PARTIALLY_FILLED if cum_qty_raw else _NEW_STATUS
        elif target != _STAY:
            order.status_code = target
        order.ts_last = report.ts_event
        if report.order_id:
            order.order_id = report.order_id
        if report.text:
            order.text = report.text
        leaves = 0
        if order.status_code < _FILLED:
            leaves = order_qty_raw - cum_qty_raw
            if code != _REPLACED and code != _REPLACE_REJECTED:
                # The most that can be open while a replace is on its way, whatever is heard in between.
                asked = order.open_qty_raw - (cum_qty_raw - order.cum_qty_raw)
                if asked > leaves:
                    leaves = asked
        else:
            self.open.pop(order, None)
        order.cum_qty_raw = cum_qty_raw
        if leaves != order.open_qty_raw:
            self._recount(order, leaves)
        report.status_code = order.status_code
        report.side_code = order.side_code
        report.order_qty_raw = order_qty_raw
        report.cum_qty_raw = cum_qty_raw
        report.price_raw = order.price_raw
        self.digest.report(report, order, self._clock.now)
        if code == _TRADE:
            if self.history is not None:
                self.history.append(report)  # type: ignore[arg-type]
            if self.portfolio is not None:
                self.portfolio.on_report(report)
        if self.reports is not None:
            self.reports.on_report(report)
        if order.owner_number >= 0:
            listener = self._listeners[order.owner_number]
            listener.on_report(report)

    def _recount(self, order: Order, leaves: int) -> None:
        """Keep the instrument's open quantities equal to the sum over open orders."""
        state = self._states.add(order.instrument)
        if order.side_code == _BUY:
            state.open_buy_raw += leaves - order.open_qty_raw
        else:
            state.open_sell_raw += leaves - order.open_qty_raw
        order.open_qty_raw = leaves

    def _forbid(self, report: ExecutionReport, why: str) -> None:
        self.illegal += 1
        if self.on_illegal is not None:
            self.on_illegal(report, f"{report.exec_type.name} report {why}")

    def open_orders(self, instrument_index: int = -1, strategy_id: str | None = None) -> list[Order]:
        """Open orders in the order of submission, of one instrument and strategy if given."""
        return [
            order
            for order in self.open
            if (instrument_index < 0 or order.instrument.index == instrument_index)
            and (strategy_id is None or order.strategy_id == strategy_id)
        ]
