"""Quantities and their bookkeeping, what a port and listeners see, and a machine that throws reports at random."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from oms_session import INSTRUMENT, NO_PRICE, OmsSession, everything
from test_order_states import CELLS

from onetape.model.enums import ExecType, OrdStatus, OrdType, Side
from onetape.model.orders import ExecutionReport, Order
from onetape.ports import ReportListener
from onetape.risk.limits import Limits

SPEC = {(status, exec_type): target for status, exec_type, target in CELLS}


def test_submit_sends_and_counts() -> None:
    session = OmsSession()
    buy, sell = session.submit(10), session.submit(7, Side.SELL)
    assert session.port.submitted == [buy, sell]
    assert [order.cl_ord_id for order in session.oms.orders] == ["t-0", "t-1"]
    assert (session.open_raw(Side.BUY), session.open_raw(Side.SELL)) == (10, 7)
    assert session.oms.open_orders() == [buy, sell]
    assert session.oms.open_orders(INSTRUMENT.index + 1) == []
    assert session.oms.open_orders(INSTRUMENT.index, "somebody") == []


def test_what_the_gate_refuses_is_rejected_at_once_and_never_sent() -> None:
    session = OmsSession(Limits(require_live=False, max_order_qty=5))
    order = session.submit(6)
    assert order.ord_status is OrdStatus.REJECTED
    assert order.text == session.gate.refusal != ""
    assert session.owner.heard[0].exec_type is ExecType.REJECTED
    assert session.port.submitted == []
    assert session.open_raw() == 0
    assert not session.oms.open
    assert session.oms.rejected == 1


def test_fill_before_acknowledgement() -> None:
    session = OmsSession()
    order = session.submit()
    session.fill(order, 4)
    assert order.ord_status is OrdStatus.PARTIALLY_FILLED
    session.report(order, ExecType.NEW)
    assert (order.ord_status, order.cum_qty_raw) == (OrdStatus.PARTIALLY_FILLED, 4)
    session.fill(order, 6)
    assert order.ord_status is OrdStatus.FILLED
    session.report(order, ExecType.NEW)
    assert (order.ord_status, session.oms.illegal) == (OrdStatus.FILLED, 0)


@pytest.mark.parametrize("end", [ExecType.CANCELED, ExecType.EXPIRED])
def test_late_fill_after_the_end_counts(end: ExecType) -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.NEW)
    session.fill(order, 4)
    session.report(order, end)
    assert session.open_raw() == 0
    session.fill(order, 3)
    assert (order.ord_status, order.cum_qty_raw, session.open_raw()) == (OrdStatus[end.name], 7, 0)
    session.fill(order, 3)
    assert (order.ord_status, order.cum_qty_raw) == (OrdStatus.FILLED, 10)
    assert [report.last_qty_raw for report in session.portfolio.heard] == [4, 3, 3]  # type: ignore[attr-defined]
    session.fill(order, 1)
    assert (session.oms.illegal, order.cum_qty_raw) == (1, 10)


@pytest.mark.parametrize("qty", [0, -1, 7, 2**63 - 1, -(2**63)])
def test_a_fill_of_nothing_or_of_more_than_is_open_changes_nothing(qty: int) -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.NEW)
    session.fill(order, 4)
    before, digest = everything(order), session.oms.digest.hexdigest()
    session.fill(order, qty)
    assert (session.oms.illegal, session.oms.fills) == (1, 1)
    assert everything(order) == before
    assert session.oms.digest.hexdigest() == digest
    assert len(session.portfolio.heard) == 1


def test_a_trade_report_without_a_fill_changes_nothing() -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.TRADE)
    assert (session.oms.illegal, order.ord_status) == (1, OrdStatus.PENDING_NEW)
    assert "TRADE report without a fill" in session.forbidden[0]


def test_a_report_of_an_unknown_order_is_counted() -> None:
    session = OmsSession()
    session.report(None, ExecType.NEW)
    assert session.oms.illegal == 1
    assert "does not know" in session.forbidden[0]


def test_report_types_that_are_none_cannot_be_made() -> None:
    for code in (-1, len(ExecType), 10_000):
        with pytest.raises(ValueError, match="not a valid"):
            ExecutionReport(INSTRUMENT, code)  # type: ignore[arg-type]


@pytest.mark.parametrize("new_qty", [15, 10, 5])
def test_replace_counts_the_larger_quantity_until_it_is_answered(new_qty: int) -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.NEW)
    assert session.oms.replace(order, new_qty, NO_PRICE)
    assert session.port.replaced == [(order, new_qty, 100_00)]
    assert order.ord_status is OrdStatus.PENDING_REPLACE
    worst = max(new_qty, 10)
    assert session.open_raw() == worst
    session.fill(order, 3)
    assert session.open_raw() == worst - 3
    session.report(order, ExecType.REPLACED, order_qty_raw=new_qty, price_raw=101_00)
    assert (order.order_qty_raw, order.price_raw) == (new_qty, 101_00)
    assert order.ord_status is OrdStatus.PARTIALLY_FILLED
    assert session.open_raw() == new_qty - 3


def test_a_refused_replace_leaves_the_order_as_it_was() -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.NEW)
    session.oms.replace(order, 15, NO_PRICE)
    session.report(order, ExecType.REPLACE_REJECTED, text="too late")
    assert (order.ord_status, order.order_qty_raw, session.open_raw()) == (OrdStatus.NEW, 10, 10)


def test_a_cancel_after_a_replace_still_counts_what_the_replace_may_open() -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.NEW)
    session.oms.replace(order, 15, NO_PRICE)
    assert session.oms.cancel(order)
    assert (order.ord_status, session.open_raw()) == (OrdStatus.PENDING_CANCEL, 15)
    session.report(order, ExecType.REPLACED, order_qty_raw=15, price_raw=100_00)
    assert (order.ord_status, session.open_raw()) == (OrdStatus.PENDING_CANCEL, 15)
    session.report(order, ExecType.CANCELED)
    assert session.open_raw() == 0


def test_a_replace_to_what_is_filled_ends_the_order() -> None:
    session = OmsSession()
    order = session.submit()
    session.fill(order, 4)
    session.report(order, ExecType.REPLACED, order_qty_raw=4)
    assert (order.ord_status, order.price_raw, session.open_raw()) == (OrdStatus.FILLED, 100_00, 0)


@pytest.mark.parametrize("qty", [0, -5, 3])
def test_a_replace_below_what_is_filled_or_to_nothing_changes_nothing(qty: int) -> None:
    session = OmsSession()
    order = session.submit()
    session.fill(order, 4)
    before = everything(order)
    session.report(order, ExecType.REPLACED, order_qty_raw=qty, price_raw=1)
    assert session.oms.illegal == 1
    assert everything(order) == before


def test_a_replace_to_nothing_of_an_unfilled_order_is_no_fill() -> None:
    session = OmsSession()
    order = session.submit()
    session.report(order, ExecType.NEW)
    session.report(order, ExecType.REPLACED, order_qty_raw=0)
    assert (session.oms.illegal, order.ord_status) == (1, OrdStatus.NEW)


def test_replace_and_cancel_are_asked_once() -> None:
    session = OmsSession()
    order = session.submit()
    assert not session.oms.replace(order, 12, NO_PRICE), "not acknowledged yet"
    session.report(order, ExecType.NEW)
    assert session.oms.replace(order, 12, NO_PRICE)
    assert not session.oms.replace(order, 13, NO_PRICE)
    assert session.oms.cancel(order)
    assert not session.oms.cancel(order)
    session.report(order, ExecType.CANCELED)
    assert not session.oms.cancel(order)
    assert (len(session.port.replaced), len(session.port.canceled)) == (1, 1)


class CancelsAtOnce(ReportListener):
    """Cancels an order when it hears that a replace was asked for."""

    def __init__(self, session: OmsSession) -> None:
        self.session = session

    def on_report(self, report: ExecutionReport) -> None:
        if report.exec_type is ExecType.PENDING_REPLACE:
            self.session.oms.cancel(report.order)


def test_a_cancel_out_of_the_replace_s_own_report_is_not_overtaken_by_it() -> None:
    session = OmsSession()
    order = Order(INSTRUMENT, Side.BUY, 10, OrdType.LIMIT, 100_00)
    session.oms.submit(order, session.oms.register(CancelsAtOnce(session)))
    session.report(order, ExecType.NEW)
    assert not session.oms.replace(order, 15, NO_PRICE)
    assert (session.port.replaced, session.port.canceled) == ([], [order])
    assert session.open_raw() == 10
    session.report(order, ExecType.CANCELED)
    assert session.open_raw() == 0


def test_average_price_is_the_fills_own() -> None:
    session = OmsSession()
    order = session.submit(10)
    assert order.avg_px is None
    session.fill(order, 1, 100_00)
    session.fill(order, 3, 104_00)
    assert order.cum_notional_raw == 1 * 100_00 + 3 * 104_00
    assert order.avg_px == 103.0


def test_quantities_of_eighteen_digits_do_not_wrap() -> None:
    session = OmsSession(Limits(require_live=False, price_collar=None))
    most = 10**18 - 1
    order = session.submit(most, price=most)
    session.fill(order, most, most)
    assert order.ord_status is OrdStatus.FILLED
    assert order.cum_notional_raw == most * most
    for _ in range(6):
        session.submit(most)
    assert session.open_raw() == sum(order.open_qty_raw for order in session.oms.open) <= 4 * 10**18


def test_the_digest_does_not_depend_on_when_it_is_read() -> None:
    digests = []
    for read_often in (False, True):
        session = OmsSession()
        for _ in range(300):
            order = session.submit()
            session.fill(order, 4)
            if read_often:
                session.oms.digest.hexdigest()
        digests.append(session.oms.digest.hexdigest())
    assert digests[0] == digests[1]


REPORTS = [exec_type for exec_type in ExecType if exec_type is not ExecType.TRADE]


class AnyReports(RuleBasedStateMachine):
    """Random commands and reports against a model of dictionaries and the table of ``test_order_states``."""

    def __init__(self) -> None:
        super().__init__()
        self.session = OmsSession()
        self.status: dict[Order, OrdStatus] = {}
        self.filled: dict[Order, int] = {}
        self.qty: dict[Order, int] = {}
        self.asked: dict[Order, int] = {}
        self.illegal = 0

    def pick(self, number: int) -> Order:
        return self.session.oms.orders[number % len(self.session.oms.orders)]

    @rule(qty=st.integers(1, 20), buy=st.booleans())
    def submit(self, qty: int, buy: bool) -> None:
        order = self.session.submit(qty, Side.BUY if buy else Side.SELL)
        self.status[order] = OrdStatus.PENDING_NEW
        self.filled[order], self.qty[order], self.asked[order] = 0, qty, 0

    @precondition(lambda self: self.session.oms.orders)
    @rule(number=st.integers(0, 99), qty=st.integers(-2, 25))
    def trade(self, number: int, qty: int) -> None:
        order = self.pick(number)
        target = SPEC[self.status[order], ExecType.TRADE]
        legal = target is not None or self.status[order] is OrdStatus.FILLED
        ok = legal and 0 < qty <= self.qty[order] - self.filled[order]
        self.expect(ok, lambda: self.session.fill(order, qty), order)
        if ok:
            self.filled[order] += qty
            if self.filled[order] == self.qty[order]:
                target = OrdStatus.FILLED
            self.move(order, target)

    @precondition(lambda self: self.session.oms.orders)
    @rule(number=st.integers(0, 99), exec_type=st.sampled_from(REPORTS), qty=st.integers(-1, 25))
    def report(self, number: int, exec_type: ExecType, qty: int) -> None:
        order = self.pick(number)
        target = SPEC[self.status[order], exec_type]
        ok = target is not None and (exec_type is not ExecType.REPLACED or qty >= max(1, self.filled[order]))
        self.expect(ok, lambda: self.session.report(order, exec_type, order_qty_raw=qty), order)
        if ok:
            if exec_type is ExecType.REPLACED:
                self.qty[order], self.asked[order] = qty, 0
                if qty == self.filled[order]:
                    target = OrdStatus.FILLED
            elif exec_type is ExecType.REPLACE_REJECTED:
                self.asked[order] = 0
            self.move(order, target)

    @precondition(lambda self: self.session.oms.orders)
    @rule(number=st.integers(0, 99), qty=st.integers(1, 25))
    def replace(self, number: int, qty: int) -> None:
        order = self.pick(number)
        may = self.status[order] in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED) and qty > self.filled[order]
        assert self.session.oms.replace(order, qty, NO_PRICE) == may
        if may:
            self.status[order] = OrdStatus.PENDING_REPLACE
            self.asked[order] = max(self.asked[order], qty)
        elif self.status[order] in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
            self.asked[order] = 0  # refused by the gate: a REPLACE_REJECTED of our own

    @precondition(lambda self: self.session.oms.orders)
    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        order = self.pick(number)
        may = self.status[order].is_open and self.status[order] is not OrdStatus.PENDING_CANCEL
        assert self.session.oms.cancel(order) == may
        if may:
            self.status[order] = OrdStatus.PENDING_CANCEL

    def expect(self, ok: bool, apply, order: Order) -> None:  # type: ignore[no-untyped-def]
        before, digest = everything(order), self.session.oms.digest.hexdigest()
        apply()
        if ok:
            assert self.session.oms.digest.hexdigest() != digest
        else:
            self.illegal += 1
            assert everything(order) == before
            assert self.session.oms.digest.hexdigest() == digest

    def move(self, order: Order, target: OrdStatus | None) -> None:
        assert target is not None
        if target in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
            target = OrdStatus.PARTIALLY_FILLED if self.filled[order] else OrdStatus.NEW
        self.status[order] = target

    @invariant()
    def agrees(self) -> None:
        oms = self.session.oms
        assert oms.illegal == self.illegal == len(self.session.forbidden)
        opened = {Side.BUY: 0, Side.SELL: 0}
        for order in oms.orders:
            assert order.ord_status is self.status[order], order
            assert (order.cum_qty_raw, order.order_qty_raw) == (self.filled[order], self.qty[order])
            if order.is_open:
                worst = max(self.qty[order], self.asked[order]) - self.filled[order]
                assert order.open_qty_raw == worst, order
                opened[order.side] += worst
            else:
                assert order.open_qty_raw == 0
        assert (self.session.open_raw(Side.BUY), self.session.open_raw(Side.SELL)) == tuple(opened.values())
        assert list(oms.open) == [order for order in oms.orders if order.is_open]
        assert sum(fill.last_qty_raw for fill in self.session.portfolio.heard) == sum(self.filled.values())  # type: ignore[attr-defined]


AnyReports.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyReports = AnyReports.TestCase
