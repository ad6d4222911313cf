"""The order state machine, as a table: in which status, what report leads where.

``WORKING`` is New or PartiallyFilled, by what has been filled; ``STAY`` keeps the status. A trade that leaves
nothing open always leads to Filled. What is not in the table is illegal.
"""

from __future__ import annotations

from array import array

from onetape.model.enums import ExecType, OrdStatus

WORKING = -1
STAY = -2
ILLEGAL = -3

_E = ExecType
_S = OrdStatus

TABLE: dict[OrdStatus, dict[ExecType, int]] = {
    _S.PENDING_NEW: {
        _E.NEW: WORKING,
        _E.TRADE: WORKING,  # the fill overtook the acknowledgement
        _E.CANCELED: _S.CANCELED,
        _E.REJECTED: _S.REJECTED,
        _E.EXPIRED: _S.EXPIRED,
        _E.PENDING_CANCEL: _S.PENDING_CANCEL,
        _E.TRIGGERED: WORKING,
        _E.UNKNOWN: _S.UNKNOWN,
    },
    _S.NEW: {
        _E.NEW: STAY,
        _E.TRADE: WORKING,
        _E.CANCELED: _S.CANCELED,
        _E.REPLACED: WORKING,
        _E.REJECTED: _S.REJECTED,  # some venues accept first and check after
        _E.EXPIRED: _S.EXPIRED,
        _E.PENDING_CANCEL: _S.PENDING_CANCEL,
        _E.PENDING_REPLACE: _S.PENDING_REPLACE,
        _E.TRIGGERED: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: _S.UNKNOWN,
    },
    _S.PARTIALLY_FILLED: {
        _E.NEW: STAY,
        _E.TRADE: WORKING,
        _E.CANCELED: _S.CANCELED,
        _E.REPLACED: WORKING,
        _E.EXPIRED: _S.EXPIRED,
        _E.PENDING_CANCEL: _S.PENDING_CANCEL,
        _E.PENDING_REPLACE: _S.PENDING_REPLACE,
        _E.TRIGGERED: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: _S.UNKNOWN,
    },
    _S.PENDING_CANCEL: {
        _E.NEW: STAY,  # the acknowledgement was on its way when we asked to cancel
        _E.TRADE: STAY,
        _E.CANCELED: _S.CANCELED,
        _E.REPLACED: STAY,
        _E.REJECTED: _S.REJECTED,
        _E.EXPIRED: _S.EXPIRED,
        _E.PENDING_CANCEL: STAY,
        _E.TRIGGERED: STAY,
        _E.CANCEL_REJECTED: WORKING,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: _S.UNKNOWN,
    },
    _S.PENDING_REPLACE: {
        _E.NEW: STAY,
        _E.TRADE: STAY,
        _E.CANCELED: _S.CANCELED,
        _E.REPLACED: WORKING,
        _E.REJECTED: _S.REJECTED,
        _E.EXPIRED: _S.EXPIRED,
        _E.PENDING_CANCEL: _S.PENDING_CANCEL,
        _E.TRIGGERED: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: WORKING,
        _E.UNKNOWN: _S.UNKNOWN,
    },
    _S.UNKNOWN: {
        _E.NEW: WORKING,
        _E.TRADE: WORKING,
        _E.CANCELED: _S.CANCELED,
        _E.REPLACED: WORKING,
        _E.REJECTED: _S.REJECTED,
        _E.EXPIRED: _S.EXPIRED,
        _E.PENDING_CANCEL: _S.PENDING_CANCEL,
        _E.TRIGGERED: WORKING,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: STAY,
    },
    _S.FILLED: {
        _E.NEW: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: STAY,
    },
    _S.CANCELED: {
        _E.NEW: STAY,
        _E.TRADE: STAY,  # the fill was on its way when the cancel was confirmed; its quantity counts
        _E.CANCELED: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: STAY,
    },
    _S.REPLACED: {
        _E.NEW: STAY,
        _E.TRADE: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: STAY,
    },
    _S.REJECTED: {
        _E.REJECTED: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: STAY,
    },
    _S.EXPIRED: {
        _E.NEW: STAY,
        _E.TRADE: STAY,
        _E.EXPIRED: STAY,
        _E.CANCEL_REJECTED: STAY,
        _E.REPLACE_REJECTED: STAY,
        _E.UNKNOWN: STAY,
    },
}

#: The table as ``NEXT[status * len(ExecType) + exec_type]``.
NEXT = array("q", [int(TABLE[status].get(exec_type, ILLEGAL)) for status in OrdStatus for exec_type in ExecType])


def next_status(status: OrdStatus, exec_type: ExecType, cum_qty_raw: int, leaves_qty_raw: int) -> OrdStatus | None:
    """Status after a report that brought the order to these quantities; ``None`` if the report is illegal."""
    target = NEXT[status * len(ExecType) + exec_type]
    if target == ILLEGAL:
        return None
    if exec_type is ExecType.TRADE or exec_type is ExecType.REPLACED:
        if leaves_qty_raw == 0:
            return OrdStatus.FILLED
        if leaves_qty_raw < 0:
            return None
    if target == STAY:
        return status
    if target == WORKING:
        return OrdStatus.PARTIALLY_FILLED if cum_qty_raw else OrdStatus.NEW
    return OrdStatus(target)
