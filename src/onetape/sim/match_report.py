"""What a matching engine says: a report for each thing that happened, a change for each level touched."""

from __future__ import annotations

from enum import IntEnum

from onetape.model.enums import ExecType, Side

_SIDES = tuple(Side)


class MatchReason(IntEnum):
    """Why an order was refused, canceled or changed without its owner asking."""

    NONE = 0
    DUPLICATE_ID = 1
    UNKNOWN_ORDER = 2
    BAD_SIDE = 3
    BAD_SIZE = 4
    OFF_LOT = 5
    BELOW_MIN_QTY = 6
    ABOVE_MAX_QTY = 7
    BAD_PRICE = 8
    OFF_TICK = 9
    UNSUPPORTED = 10
    POST_ONLY = 11
    BELOW_FILLED = 12
    IMMEDIATE_OR_CANCEL = 13
    FILL_OR_KILL = 14
    NO_LIQUIDITY = 15
    SELF_TRADE = 16


class SelfTradePrevention(IntEnum):
    """What happens where two orders of one owner would trade; the incoming (newest) order's mode decides.

    ``DECREMENT`` takes the smaller size off both, without a trade. Owner 0 is nobody and may trade with itself.
    """

    NONE = 0
    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    CANCEL_BOTH = 3
    DECREMENT = 4


class MatchReport:
    """One thing that happened to an order.

    ``exec_type`` is NEW, TRADE, CANCELED, REPLACED, REJECTED, CANCEL_REJECTED or REPLACE_REJECTED.
    ``size_raw`` is the traded size of a trade, the size canceled, else the order's total; ``remaining_raw`` what
    stays open. In a trade ``order_id``, ``owner``, ``side`` and ``remaining_raw`` are the taker's, the price is
    the maker's, and ``trade_number`` counts the engine's trades from 1; elsewhere the maker fields are 0.
    """

    __slots__ = (
        "exec_type",
        "maker_id",
        "maker_owner",
        "maker_remaining_raw",
        "order_id",
        "owner",
        "price_raw",
        "reason",
        "remaining_raw",
        "side",
        "size_raw",
        "trade_number",
    )

    exec_type: ExecType
    reason: MatchReason
    order_id: int
    owner: int
    side: int
    price_raw: int
    size_raw: int
    remaining_raw: int
    maker_id: int
    maker_owner: int
    maker_remaining_raw: int
    trade_number: int

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)}" for name in sorted(self.__slots__[1:]))
        return f"MatchReport({self.exec_type.name}, {fields})"


class LevelChange:
    """A price level that a command touched, and its aggregate size afterwards; 0 when the level is gone."""

    __slots__ = ("price_raw", "side", "size_raw")

    side: int
    price_raw: int
    size_raw: int

    def __repr__(self) -> str:
        return f"LevelChange({_SIDES[self.side].name}, price_raw={self.price_raw}, size_raw={self.size_raw})"
