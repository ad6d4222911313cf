"""An order as the simulated venue holds it."""

from __future__ import annotations

from onetape.model.enums import OrdType, TimeInForce
from onetape.model.numbers import NO_PRICE
from onetape.model.orders import Order

_NO_PRICE = NO_PRICE
_STOP = int(OrdType.STOP)
_STOP_LIMIT = int(OrdType.STOP_LIMIT)
_TRAILING_STOP = int(OrdType.TRAILING_STOP)
_GTD = int(TimeInForce.GTD)
_DAY = int(TimeInForce.DAY)
_DAY_NS = 86_400_000_000_000

#: Queue position is not known: the level is not in view.
UNSEEN = -1
NEVER_EXPIRES = 2**63 - 1


class WorkingOrder:
    """``ahead_raw`` is the size that must trade before it does; ``extreme_raw`` what a trailing stop follows.

    A ``taker`` has no limit price; a stop ``waits`` until it is triggered.
    """

    __slots__ = (
        "ahead_raw",
        "expiry",
        "extreme_raw",
        "leaves_raw",
        "order",
        "price_raw",
        "qty_raw",
        "resting",
        "sign",
        "stop_px_raw",
        "taker",
        "waits",
    )

    order: Order
    sign: int
    qty_raw: int
    leaves_raw: int
    price_raw: int
    stop_px_raw: int
    ahead_raw: int
    extreme_raw: int
    expiry: int
    waits: bool
    taker: bool
    resting: bool

    def begin(self, order: Order, ts: int) -> None:
        """Take ``order`` as it arrives at ``ts``."""
        self.order = order
        self.sign = order.sign
        self.qty_raw = order.order_qty_raw
        self.leaves_raw = order.order_qty_raw
        self.resting = False
        self.price_raw = order.price_raw
        self.stop_px_raw = order.stop_px_raw
        self.ahead_raw = UNSEEN
        self.extreme_raw = _NO_PRICE
        kind = order.ord_type_code
        self.waits = kind in (_STOP, _STOP_LIMIT, _TRAILING_STOP)
        self.taker = self.price_raw == _NO_PRICE
        self.expiry = NEVER_EXPIRES
        if order.tif_code == _GTD:
            self.expiry = order.expire_time
        elif order.tif_code == _DAY:
            self.expiry = (ts // _DAY_NS + 1) * _DAY_NS

    def follow(self, price_raw: int) -> None:
        """Move a trailing stop after a new price."""
        if self.extreme_raw == _NO_PRICE or (price_raw - self.extreme_raw) * self.sign < 0:
            self.extreme_raw = price_raw
            self.stop_px_raw = price_raw + self.sign * self.order.trail_raw
