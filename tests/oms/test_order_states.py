"""The order state machine, cell by cell, through the OMS itself.

The table below is written apart from the code's, so that the two check each other. An order of 10 (of which 4 are
filled where it is PARTIALLY_FILLED) gets one report; a TRADE is of 3, a REPLACED keeps the quantity.
"""

from __future__ import annotations

import pytest
from oms_session import OmsSession, everything

from onetape.model.enums import ExecType, OrdStatus
from onetape.model.orders import Order
from onetape.oms.state import ILLEGAL, NEXT, TABLE

#: ``=`` keeps the status, ``.`` is illegal.
EXPECTED = """
                 NEW TRADE CANCELED REPLACED REJECTED EXPIRED PENDING_CANCEL PENDING_REPLACE TRIGGERED CANCEL_REJECTED REPLACE_REJECTED UNKNOWN
PENDING_NEW      NEW PARTIALLY_FILLED CANCELED . REJECTED EXPIRED PENDING_CANCEL . NEW . . UNKNOWN
NEW              = PARTIALLY_FILLED CANCELED = REJECTED EXPIRED PENDING_CANCEL PENDING_REPLACE = = = UNKNOWN
PARTIALLY_FILLED = = CANCELED = . EXPIRED PENDING_CANCEL PENDING_REPLACE = = = UNKNOWN
PENDING_CANCEL   = = CANCELED = REJECTED EXPIRED = . = NEW = UNKNOWN
PENDING_REPLACE  = = CANCELED NEW REJECTED EXPIRED PENDING_CANCEL . = = NEW UNKNOWN
UNKNOWN          NEW PARTIALLY_FILLED CANCELED NEW REJECTED EXPIRED PENDING_CANCEL . NEW = = =
FILLED           = . . . . . . . . = = =
CANCELED         = = = . . . . . . = = =
REJECTED         . . . . = . . . . = = =
EXPIRED          = = . . . = . . . = = =
"""  # noqa: E501


def cells() -> list[tuple[OrdStatus, ExecType, OrdStatus | None]]:
    head, *rows = EXPECTED.strip().splitlines()
    columns = [ExecType[name] for name in head.split()]
    assert columns == list(ExecType)
    found = []
    for row in rows:
        name, *targets = row.split()
        status = OrdStatus[name]
        for exec_type, target in zip(columns, targets, strict=True):
            found.append((status, exec_type, None if target == "." else status if target == "=" else OrdStatus[target]))
    return found


CELLS = cells()


def cell_name(status: OrdStatus, exec_type: ExecType, target: OrdStatus | None) -> str:
    return f"{status.name}+{exec_type.name}->{'ILLEGAL' if target is None else target.name}"


def order_in(session: OmsSession, status: OrdStatus) -> Order:
    """An order brought to ``status`` by reports alone."""
    order = session.submit()
    if status not in (OrdStatus.PENDING_NEW, OrdStatus.REJECTED):
        session.report(order, ExecType.NEW)
    if status is OrdStatus.PARTIALLY_FILLED:
        session.fill(order, 4)
    elif status is OrdStatus.FILLED:
        session.fill(order, 10)
    elif status is OrdStatus.PENDING_CANCEL:
        assert session.oms.cancel(order)
    elif status is OrdStatus.PENDING_REPLACE:
        assert session.oms.replace(order, 10, 101_00)
    elif status not in (OrdStatus.PENDING_NEW, OrdStatus.NEW):
        session.report(order, ExecType[status.name])
    assert order.ord_status is status
    assert session.oms.illegal == 0
    return order


@pytest.mark.parametrize(("status", "exec_type", "target"), CELLS, ids=[cell_name(*cell) for cell in CELLS])
def test_cell(status: OrdStatus, exec_type: ExecType, target: OrdStatus | None) -> None:
    session = OmsSession()
    order = order_in(session, status)
    before, filled, digest = everything(order), order.cum_qty_raw, session.oms.digest.hexdigest()
    heard, opened = len(session.owner.heard), session.open_raw()
    if exec_type is ExecType.TRADE:
        session.fill(order, 3, ts_event=7)
        filled += 0 if target is None else 3
    else:
        session.report(order, exec_type, order_qty_raw=10, price_raw=100_00, ts_event=7)
    if target is None:
        assert session.oms.illegal == 1
        assert exec_type.name in session.forbidden[0]
        assert everything(order) == before
        assert len(session.owner.heard) == heard
        assert session.open_raw() == opened
        assert session.oms.digest.hexdigest() == digest
        return
    assert session.oms.illegal == 0
    assert order.ord_status is target
    assert order.cum_qty_raw == filled
    assert order.ts_last == 7
    assert order.leaves_qty_raw == (10 - filled if target.is_open else 0)
    assert session.open_raw() == order.open_qty_raw == order.leaves_qty_raw
    assert (order in session.oms.open) == order.is_open == target.is_open
    assert len(session.owner.heard) == heard + 1
    report = session.owner.heard[-1]
    assert (report.ord_status, report.cum_qty_raw, report.order_qty_raw) == (target, filled, 10)
    assert session.oms.digest.hexdigest() != digest


def test_every_cell_is_here_but_those_of_replaced() -> None:
    assert {(status, exec_type) for status, exec_type, _ in CELLS} == {
        (status, exec_type) for status in OrdStatus for exec_type in ExecType if status is not OrdStatus.REPLACED
    }


def test_no_row_leads_to_replaced() -> None:
    """FIX's Replaced is an order that another took the place of; here an order keeps its id and is New again."""
    assert all(OrdStatus.REPLACED not in row.values() for row in TABLE.values())


@pytest.mark.parametrize("exec_type", list(ExecType), ids=[f"REPLACED+{e.name}" for e in ExecType])
def test_replaced_orders_would_stay_replaced(exec_type: ExecType) -> None:
    """The row is there for statuses that reconciliation reads from a venue."""
    target = NEXT[OrdStatus.REPLACED * len(ExecType) + exec_type]
    assert target == TABLE[OrdStatus.REPLACED].get(exec_type, ILLEGAL)
    assert target < 0


def test_the_flat_table_is_the_table() -> None:
    for status in OrdStatus:
        for exec_type in ExecType:
            assert NEXT[status * len(ExecType) + exec_type] == TABLE[status].get(exec_type, ILLEGAL)
    assert len(NEXT) == len(OrdStatus) * len(ExecType)
