"""The simulated exchange: commands reach it after the entry latency, its reports reach us after the response's."""

from __future__ import annotations

from onetape.kernel.clock import NEVER
from onetape.kernel.loop import Kernel, VenueSide
from onetape.kernel.schedule import ORDER_EVENT, Schedule, Task
from onetape.model.enums import ExecType
from onetape.model.instrument import Instrument
from onetape.model.orders import ApprovedOrder, ApprovedReplace, ExecutionReport, Fill, Order
from onetape.oms.oms import Oms
from onetape.ports import ExecutionPort
from onetape.sim.fees import FeeModel
from onetape.sim.latency import LatencyModel
from onetape.sim.market import Market
from onetape.sim.venue import VenueReports

_NEVER = NEVER
_ORDER_EVENT = ORDER_EVENT
_TRADE = int(ExecType.TRADE)
_REPLACED = int(ExecType.REPLACED)
_REJECTED = int(ExecType.REJECTED)
_SUBMIT = 0
_REPLACE = 1
_CANCEL = 2


class Command(Task):
    """A command on its way to the venue."""

    __slots__ = ("order", "order_qty_raw", "price_raw", "what")

    what: int
    order: Order
    order_qty_raw: int
    price_raw: int


class Delivery(Task):
    """A report on its way to us."""

    __slots__ = ("oms", "report")

    oms: Oms
    report: ExecutionReport

    def fire(self) -> None:
        self.report.ts_recv = self.due
        self.oms.apply(self.report)


class Reports(VenueReports):
    """Makes reports, charges fees, and sends them off with the response latency."""

    __slots__ = ("_fees", "_fills", "_kernel", "_latency", "oms")

    oms: Oms
    _kernel: Kernel
    _fees: FeeModel
    _latency: LatencyModel
    _fills: int

    def __init__(self, kernel: Kernel, fees: FeeModel, latency: LatencyModel) -> None:
        super().__init__()
        self._kernel = kernel
        self._fees = fees
        self._latency = latency
        self._fills = 0

    def _send(self, report: ExecutionReport, order: Order, ts: int) -> None:
        self.sent += 1
        report.ts_event = ts
        report.ts_recv = ts
        report.seq = 0
        report.instrument = order.instrument
        report.order = order
        report.order_id = order.order_id
        delivery = Delivery.__new__(Delivery)
        delivery.oms = self.oms
        delivery.report = report
        delivery.lasting = True
        delivery.canceled = False
        self._kernel.push(delivery, ts + self._latency.response(order, ts), _ORDER_EVENT)

    def tell(self, order: Order, exec_code: int, text: str, ts: int) -> None:
        report = ExecutionReport.__new__(ExecutionReport)
        report.exec_code = exec_code
        report.order_qty_raw = order.order_qty_raw
        report.price_raw = order.price_raw
        report.text = text
        self._send(report, order, ts)

    def replaced(self, order: Order, order_qty_raw: int, price_raw: int, ts: int) -> None:
        report = ExecutionReport.__new__(ExecutionReport)
        report.exec_code = _REPLACED
        report.order_qty_raw = order_qty_raw
        report.price_raw = price_raw
        report.text = ""
        self._send(report, order, ts)

    def fill(
        self, order: Order, qty_raw: int, price_raw: int, liquidity: int, reason: int, reason_raw: int, ts: int
    ) -> None:
        instrument = order.instrument
        self._fills += 1
        fill = Fill.__new__(Fill)
        fill.exec_code = _TRADE
        fill.text = ""
        fill.exec_number = self._fills
        fill._exec_id = None
        fill.last_qty_raw = qty_raw
        fill.last_px_raw = price_raw
        fill.liquidity_code = liquidity
        fill.reason_code = reason
        fill.reason_raw = reason_raw
        value = instrument.notional(price_raw, qty_raw)
        fill.commission = self._fees.commission(instrument, abs(value), liquidity, ts)
        fill.commission_currency = instrument.settle
        self._send(fill, order, ts)


class SimExchange(VenueSide):
    """All simulated markets. ``catch-up`` is lazy: a market without orders of ours is not stepped through."""

    __slots__ = ("_commands", "_kernel", "_latency", "_markets", "_reports", "now")

    now: int
    _kernel: Kernel
    _latency: LatencyModel
    _commands: Schedule
    _markets: list[Market | None]
    _reports: Reports

    def __init__(self, kernel: Kernel, fees: FeeModel | None = None, latency: LatencyModel | None = None) -> None:
        super().__init__()
        self.now = 0
        self._kernel = kernel
        self._latency = latency or LatencyModel()
        self._commands = Schedule()
        self._markets = []
        self._reports = Reports(kernel, fees or FeeModel(), self._latency)

    @property
    def reports(self) -> VenueReports:
        """Where this exchange's markets send their reports."""
        return self._reports

    def connect(self, oms: Oms) -> None:
        """Deliver reports to ``oms``."""
        self._reports.oms = oms

    def add_market(self, market: Market) -> None:
        index = market.instrument.index
        while len(self._markets) <= index:
            self._markets.append(None)
        self._markets[index] = market

    def market(self, instrument: Instrument) -> Market | None:
        return self._markets[instrument.index] if instrument.index < len(self._markets) else None

    def release(self, instrument: Instrument, ts: int) -> None:
        """Our side has passed ``ts``: let an idle market pass it too, so that it holds no data back."""
        market = self.market(instrument)
        if market is not None and market.idle():
            market.catch_up(ts)

    def send(self, what: int, order: Order, order_qty_raw: int, price_raw: int) -> None:
        now = self._kernel.clock.now
        command = Command.__new__(Command)
        command.what = what
        command.order = order
        command.order_qty_raw = order_qty_raw
        command.price_raw = price_raw
        command.lasting = True
        command.canceled = False
        self._commands.push(command, now + self._latency.entry(order, now), _ORDER_EVENT)
        self.active = True
        self._kernel.interrupt()

    def advance(self, until: int) -> None:
        commands = self._commands
        schedule = self._kernel.schedule
        while True:
            limit = until
            if schedule.next_due < limit:
                limit = schedule.next_due
            market = self._next_market() if limit != _NEVER or self._has_data() else None
            ts = _NEVER if market is None else market.next_ts
            if market is not None and ts <= limit and ts <= commands.next_due:
                if commands.next_due < limit:
                    limit = commands.next_due
                market.run(self._until(market, limit))
                self.now = market.now
            elif commands.next_due <= limit and commands.next_due != _NEVER:
                self._execute(commands.pop())
            else:
                break
        if limit != _NEVER and limit > self.now:
            self.now = limit
        self.active = commands.next_due != _NEVER or self._has_orders()

    def _next_market(self) -> Market | None:
        """The market, among those that hold orders of ours, where something happens first."""
        first: Market | None = None
        for market in self._markets:
            if (
                market is not None
                and not market.idle()
                and market.next_ts != _NEVER
                and (first is None or market.next_ts < first.next_ts)
            ):
                first = market
        return first

    def _has_data(self) -> bool:
        """Something is still to happen to an order of ours; after the last row the venues' time stands still."""
        for market in self._markets:  # noqa: SIM110
            if market is not None and not market.idle() and market.has_data():
                return True
        return False

    def _until(self, market: Market, limit: int) -> int:
        """Up to where ``market`` may run before another one has to."""
        for other in self._markets:
            if other is not None and other is not market and not other.idle() and other.next_ts < limit:
                limit = other.next_ts
        return limit

    def _execute(self, task: Task) -> None:
        command: Command = task  # type: ignore[assignment]
        order = command.order
        if task.due > self.now:
            self.now = task.due
        market = self.market(order.instrument)
        if market is None:
            self._reports.tell(order, _REJECTED, f"no market data of {order.instrument.id} on the tape", self.now)
            return
        if market.idle():
            market.catch_up(self.now)
        else:
            market.reach(self.now)
        if command.what == _SUBMIT:
            market.submit(order)
        elif command.what == _REPLACE:
            market.replace(order, command.order_qty_raw, command.price_raw)
        else:
            market.cancel(order)

    def _has_orders(self) -> bool:
        for market in self._markets:  # noqa: SIM110
            if market is not None and not market.idle():
                return True
        return False


class SimGateway(ExecutionPort):
    """Our side of a simulated exchange: takes approved orders only."""

    __slots__ = ("_exchange",)

    _exchange: SimExchange

    def __init__(self, exchange: SimExchange) -> None:
        self._exchange = exchange

    def submit(self, approved: ApprovedOrder) -> None:
        order = approved.order
        self._exchange.send(_SUBMIT, order, order.order_qty_raw, order.price_raw)

    def replace(self, approved: ApprovedReplace) -> None:
        self._exchange.send(_REPLACE, approved.order, approved.order_qty_raw, approved.price_raw)

    def cancel(self, order: Order) -> None:
        self._exchange.send(_CANCEL, order, 0, 0)
