"""An OMS with the real gate, a port that remembers, and a listener: what the tests of the OMS start from."""

from __future__ import annotations

from onetape.kernel.clock import SimulatedClock
from onetape.kernel.state import StateTable
from onetape.model.enums import ExecType, OrdType, Side
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE
from onetape.model.orders import ApprovedOrder, ApprovedReplace, ExecutionReport, Fill, Order
from onetape.oms.oms import Oms
from onetape.ports import ExecutionPort, ReportListener
from onetape.risk.gate import RiskGate
from onetape.risk.limits import Limits

INSTRUMENT = Instrument("BTC-USDT.OMS", tick_size="0.01", lot_size="1")


class RememberingPort(ExecutionPort):
    def __init__(self) -> None:
        self.submitted: list[Order] = []
        self.replaced: list[tuple[Order, int, int]] = []
        self.canceled: list[Order] = []

    def submit(self, approved: ApprovedOrder) -> None:
        self.submitted.append(approved.order)

    def replace(self, approved: ApprovedReplace) -> None:
        self.replaced.append((approved.order, approved.order_qty_raw, approved.price_raw))

    def cancel(self, order: Order) -> None:
        self.canceled.append(order)


class Listener(ReportListener):
    def __init__(self) -> None:
        self.heard: list[ExecutionReport] = []

    def on_report(self, report: ExecutionReport) -> None:
        self.heard.append(report)


class OmsSession:
    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = SimulatedClock()
        self.states = StateTable()
        self.port = RememberingPort()
        self.gate = RiskGate(self.clock, self.states, limits or Limits(require_live=False))
        self.oms = Oms(self.clock, self.states, self.gate, self.port, "t-")
        self.portfolio = Listener()
        self.oms.portfolio = self.portfolio
        self.owner = Listener()
        self.owner_number = self.oms.register(self.owner)
        self.forbidden: list[str] = []
        self.oms.on_illegal = lambda _report, why: self.forbidden.append(why)

    def submit(self, qty: int = 10, side: Side = Side.BUY, price: int = 100_00) -> Order:
        order = Order(INSTRUMENT, side, qty, OrdType.LIMIT, price)
        self.oms.submit(order, self.owner_number)
        return order

    def report(self, order: Order | None, exec_type: ExecType, **fields: object) -> ExecutionReport:
        report = ExecutionReport(INSTRUMENT, exec_type, order=order, **fields)  # type: ignore[arg-type]
        self.oms.apply(report)
        return report

    def fill(self, order: Order, qty: int, price: int = 100_00, **fields: object) -> Fill:
        fill = Fill(INSTRUMENT, qty, price, order=order, **fields)  # type: ignore[arg-type]
        self.oms.apply(fill)
        return fill

    def open_raw(self, side: Side = Side.BUY) -> int:
        state = self.states.add(INSTRUMENT)
        return state.open_buy_raw if side is Side.BUY else state.open_sell_raw


def everything(order: Order) -> tuple[object, ...]:
    """All of an order that a report can change."""
    return (
        order.ord_status,
        order.order_qty_raw,
        order.cum_qty_raw,
        order.cum_notional_raw,
        order.open_qty_raw,
        order.price_raw,
        order.order_id,
        order.text,
        order.ts_last,
    )


__all__ = ["INSTRUMENT", "NO_PRICE", "Listener", "OmsSession", "RememberingPort", "everything"]
