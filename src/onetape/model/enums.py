"""Closed vocabularies. Order terms are FIX's; ``Unknown`` is ours."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Side(IntEnum):
    """Of an order, or of a trade's aggressor (``NONE``: the venue does not say). Values are FIX tag 54's."""

    NONE = 0
    BUY = 1
    SELL = 2

    @property
    def opposite(self) -> Side:
        return _OPPOSITE[self]


_OPPOSITE = (Side.NONE, Side.SELL, Side.BUY)


class InstrumentKind(IntEnum):
    SPOT = 0
    PERPETUAL = 1
    FUTURE = 2
    OPTION = 3
    EQUITY = 4


class OptionRight(IntEnum):
    NONE = 0
    CALL = 1
    PUT = 2


class OrdType(IntEnum):
    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING_STOP = 4


class TimeInForce(IntEnum):
    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3
    DAY = 4


class OrdStatus(IntEnum):
    """FIX tag 39, and ``UNKNOWN``: the venue has not been heard of this order and may or may not have it."""

    PENDING_NEW = 0
    NEW = 1
    PARTIALLY_FILLED = 2
    PENDING_CANCEL = 3
    PENDING_REPLACE = 4
    UNKNOWN = 5
    FILLED = 6
    CANCELED = 7
    REPLACED = 8
    REJECTED = 9
    EXPIRED = 10

    @property
    def is_open(self) -> bool:
        return self < OrdStatus.FILLED


class ExecType(IntEnum):
    """What an execution report reports (FIX tag 150); the last three are cancel rejects (FIX message 9) and ours."""

    NEW = 0
    TRADE = 1
    CANCELED = 2
    REPLACED = 3
    REJECTED = 4
    EXPIRED = 5
    PENDING_CANCEL = 6
    PENDING_REPLACE = 7
    TRIGGERED = 8
    CANCEL_REJECTED = 9
    REPLACE_REJECTED = 10
    UNKNOWN = 11


class Liquidity(IntEnum):
    """Whether a fill added or removed liquidity (FIX tag 851)."""

    NONE = 0
    MAKER = 1
    TAKER = 2


class FillReason(IntEnum):
    """Why a simulated exchange filled; ``Fill.reason`` says it in words with the numbers."""

    VENUE = 0
    CROSSED_SPREAD = 1
    QUEUE_EXHAUSTED = 2
    TRADED_THROUGH = 3
    BOOK_CROSSED = 4
    LAST_TRADE = 5
    BAR_OPEN = 6
    BAR_PATH = 7


class Health(IntEnum):
    """State of a stream. The risk gate lets new orders pass on ``LIVE`` only."""

    CONNECTING = 0
    SYNCING = 1
    LIVE = 2
    STALE = 3
    GAPPED = 4
    CROSSED = 5
    CLOSED = 6


class BookFlag(IntFlag):
    """Marks on a book row: the last of an atomic update; part of a snapshot (its first row clears the book)."""

    LAST = 1
    SNAPSHOT = 2
    CLEAR = 4


class MarkKind(IntEnum):
    SESSION_START = 0
    SESSION_END = 1
    DISCONNECT = 2
    RECONNECT = 3
    NOTE = 4
