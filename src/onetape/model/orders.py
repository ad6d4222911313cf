"""Orders and what venues report about them, in FIX's terms."""

from __future__ import annotations

from onetape.model.enums import ExecType, FillReason, Liquidity, OrdStatus, OrdType, Side, TimeInForce
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE, to_float

_NO_PRICE = NO_PRICE
_SIDES = tuple(Side)
_ORD_TYPES = tuple(OrdType)
_TIMES_IN_FORCE = tuple(TimeInForce)
_STATUSES = tuple(OrdStatus)
_EXEC_TYPES = tuple(ExecType)
_LIQUIDITIES = tuple(Liquidity)
_FILL_REASONS = tuple(FillReason)
_BUY = int(Side.BUY)
_FILLED = int(OrdStatus.FILLED)


class Order:
    """An order and its present state. The OMS alone changes it; strategies read it.

    The ``…_code`` attributes are the enums' values, for compiled code. A price that the order type does not have is
    ``NO_PRICE`` raw and ``None`` in the float view. ``trail_raw`` is the distance of a trailing stop. ``owner_number``
    is the OMS's number of whoever hears the order's reports.
    """

    __slots__ = (
        "cum_notional_raw",
        "cum_qty_raw",
        "expire_time",
        "instrument",
        "number",
        "open_qty_raw",
        "ord_type_code",
        "order_id",
        "order_qty_raw",
        "owner_number",
        "post_only",
        "prefix",
        "price_raw",
        "reduce_only",
        "side_code",
        "sign",
        "status_code",
        "stop_px_raw",
        "strategy_id",
        "tag",
        "text",
        "tif_code",
        "trail_raw",
        "ts_created",
        "ts_last",
    )

    instrument: Instrument
    strategy_id: str
    prefix: str
    number: int
    side_code: int
    sign: int
    ord_type_code: int
    tif_code: int
    order_qty_raw: int
    price_raw: int
    stop_px_raw: int
    trail_raw: int
    expire_time: int
    post_only: bool
    reduce_only: bool
    tag: str
    status_code: int
    cum_qty_raw: int
    cum_notional_raw: int
    open_qty_raw: int
    order_id: str
    text: str
    ts_created: int
    ts_last: int
    owner_number: int

    def __init__(
        self,
        instrument: Instrument,
        side: Side,
        order_qty_raw: int,
        ord_type: OrdType = OrdType.MARKET,
        price_raw: int = NO_PRICE,
        stop_px_raw: int = NO_PRICE,
        trail_raw: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expire_time: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        strategy_id: str = "",
        tag: str = "",
        ts_created: int = 0,
    ) -> None:
        self.instrument = instrument
        self.side_code = Side(side)
        self.sign = 1 if self.side_code == _BUY else -1
        self.order_qty_raw = order_qty_raw
        self.ord_type_code = OrdType(ord_type)
        self.price_raw = price_raw
        self.stop_px_raw = stop_px_raw
        self.trail_raw = trail_raw
        self.tif_code = TimeInForce(time_in_force)
        self.expire_time = expire_time
        self.post_only = post_only
        self.reduce_only = reduce_only
        self.strategy_id = strategy_id
        self.tag = tag
        self.ts_created = ts_created
        self.ts_last = ts_created
        self.owner_number = -1
        self.prefix = ""
        self.number = -1
        self.status_code = 0
        self.cum_qty_raw = 0
        self.cum_notional_raw = 0
        self.open_qty_raw = 0
        self.order_id = ""
        self.text = ""

    @property
    def cl_ord_id(self) -> str:
        """Our id of the order: unique in the session, the same when the session is run again."""
        return f"{self.prefix}{self.number}"

    @property
    def side(self) -> Side:
        return _SIDES[self.side_code]

    @property
    def ord_type(self) -> OrdType:
        return _ORD_TYPES[self.ord_type_code]

    @property
    def time_in_force(self) -> TimeInForce:
        return _TIMES_IN_FORCE[self.tif_code]

    @property
    def ord_status(self) -> OrdStatus:
        return _STATUSES[self.status_code]

    @property
    def is_open(self) -> bool:
        return self.status_code < _FILLED

    @property
    def leaves_qty_raw(self) -> int:
        """What may still be filled; 0 once the order has ended."""
        return self.order_qty_raw - self.cum_qty_raw if self.status_code < _FILLED else 0

    @property
    def order_qty(self) -> float:
        return to_float(self.order_qty_raw, self.instrument.size_precision)

    @property
    def cum_qty(self) -> float:
        return to_float(self.cum_qty_raw, self.instrument.size_precision)

    @property
    def leaves_qty(self) -> float:
        return to_float(self.leaves_qty_raw, self.instrument.size_precision)

    @property
    def price(self) -> float | None:
        return None if self.price_raw == _NO_PRICE else to_float(self.price_raw, self.instrument.price_precision)

    @property
    def stop_px(self) -> float | None:
        return None if self.stop_px_raw == _NO_PRICE else to_float(self.stop_px_raw, self.instrument.price_precision)

    @property
    def avg_px(self) -> float | None:
        """Average price of what was filled, ``None`` before the first fill."""
        if self.cum_qty_raw == 0:
            return None
        return self.instrument.price_to_float(1) * (self.cum_notional_raw / self.cum_qty_raw)

    def __repr__(self) -> str:
        size = self.instrument.format_size
        price = "" if self.price_raw == _NO_PRICE else f" @ {self.instrument.format_price(self.price_raw)}"
        return (
            f"Order({self.cl_ord_id} {self.instrument.id} {self.side.name} {size(self.order_qty_raw)}{price} "
            f"{self.ord_type.name} {self.ord_status.name}, filled {size(self.cum_qty_raw)})"
        )


class ApprovedOrder:
    """An order that passed the risk gate. Only the gate makes them, and execution takes nothing else."""

    __slots__ = ("order",)

    order: Order

    def __init__(self) -> None:
        raise TypeError("only the risk gate approves orders: submit the order through a strategy or the OMS")


class ApprovedReplace:
    """A change of an order that passed the risk gate: the new total quantity and price (``NO_PRICE``: as before)."""

    __slots__ = ("order", "order_qty_raw", "price_raw")

    order: Order
    order_qty_raw: int
    price_raw: int

    def __init__(self) -> None:
        raise TypeError("only the risk gate approves changes: replace the order through a strategy or the OMS")


class ExecutionReport(Event):
    """News of an order (FIX message 8): what happened, and the order's state after it.

    ``order`` is the live order inside a session and ``None`` when read from a tape. ``price_raw`` and
    ``order_qty_raw`` are the order's terms after the event.
    """

    __slots__ = (
        "_cl_ord_id",
        "cum_qty_raw",
        "exec_code",
        "instrument",
        "order",
        "order_id",
        "order_qty_raw",
        "price_raw",
        "side_code",
        "status_code",
        "text",
    )

    KIND = "order"
    FIELDS = {
        "instrument": "instrument",
        "cl_ord_id": "text",
        "order_id": "text",
        "exec_type": "ExecType",
        "ord_status": "OrdStatus",
        "side": "Side",
        "order_qty_raw": "size",
        "cum_qty_raw": "size",
        "price_raw": "price?",
        "text": "text",
    }

    instrument: Instrument
    order: Order | None
    order_id: str
    exec_code: int
    status_code: int
    side_code: int
    order_qty_raw: int
    cum_qty_raw: int
    price_raw: int
    text: str
    _cl_ord_id: str

    def __init__(
        self,
        instrument: Instrument,
        exec_type: ExecType,
        cl_ord_id: str = "",
        order_id: str = "",
        ord_status: OrdStatus = OrdStatus.NEW,
        side: Side = Side.NONE,
        order_qty_raw: int = 0,
        cum_qty_raw: int = 0,
        price_raw: int = NO_PRICE,
        text: str = "",
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
        order: Order | None = None,
    ) -> None:
        self.instrument = instrument
        self.exec_code = ExecType(exec_type)
        self._cl_ord_id = cl_ord_id
        self.order = order
        self.order_id = order_id
        self.status_code = OrdStatus(ord_status)
        self.side_code = Side(side)
        self.order_qty_raw = order_qty_raw
        self.cum_qty_raw = cum_qty_raw
        self.price_raw = price_raw
        self.text = text
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def cl_ord_id(self) -> str:
        return self._cl_ord_id if self.order is None else self.order.cl_ord_id

    @property
    def exec_type(self) -> ExecType:
        return _EXEC_TYPES[self.exec_code]

    @property
    def ord_status(self) -> OrdStatus:
        return _STATUSES[self.status_code]

    @property
    def side(self) -> Side:
        return _SIDES[self.side_code]

    @property
    def leaves_qty_raw(self) -> int:
        return self.order_qty_raw - self.cum_qty_raw if self.status_code < _FILLED else 0


class Fill(ExecutionReport):
    """A trade of ours (exec type ``TRADE``). ``commission`` is money in ``commission_currency``, negative a rebate."""

    __slots__ = (
        "_exec_id",
        "commission",
        "commission_currency",
        "exec_number",
        "last_px_raw",
        "last_qty_raw",
        "liquidity_code",
        "reason_code",
        "reason_raw",
    )

    KIND = "fill"
    FIELDS = {
        **ExecutionReport.FIELDS,
        "exec_id": "text",
        "last_qty_raw": "size",
        "last_px_raw": "price",
        "commission": "amount",
        "commission_currency": "text",
        "liquidity": "Liquidity",
        "reason_type": "FillReason",
        "reason_raw": "price?",
    }

    exec_number: int
    last_qty_raw: int
    last_px_raw: int
    commission: int
    commission_currency: str
    liquidity_code: int
    reason_code: int
    reason_raw: int
    _exec_id: str | None

    def __init__(
        self,
        instrument: Instrument,
        last_qty_raw: int,
        last_px_raw: int,
        commission: int = 0,
        commission_currency: str = "",
        liquidity: Liquidity = Liquidity.NONE,
        exec_id: str = "",
        cl_ord_id: str = "",
        order_id: str = "",
        exec_type: ExecType = ExecType.TRADE,
        ord_status: OrdStatus = OrdStatus.PARTIALLY_FILLED,
        side: Side = Side.NONE,
        order_qty_raw: int = 0,
        cum_qty_raw: int = 0,
        price_raw: int = NO_PRICE,
        text: str = "",
        reason_type: FillReason = FillReason.VENUE,
        reason_raw: int = NO_PRICE,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
        order: Order | None = None,
    ) -> None:
        ExecutionReport.__init__(
            self,
            instrument,
            exec_type,
            cl_ord_id,
            order_id,
            ord_status,
            side,
            order_qty_raw,
            cum_qty_raw,
            price_raw,
            text,
            ts_event,
            ts_recv,
            seq,
            order,
        )
        self._exec_id = exec_id
        self.exec_number = 0
        self.last_qty_raw = last_qty_raw
        self.last_px_raw = last_px_raw
        self.commission = commission
        self.commission_currency = commission_currency
        self.liquidity_code = Liquidity(liquidity)
        self.reason_code = FillReason(reason_type)
        self.reason_raw = reason_raw

    @property
    def exec_id(self) -> str:
        """The venue's id of the trade; of a simulated one its number."""
        return str(self.exec_number) if self._exec_id is None else self._exec_id

    @property
    def last_px(self) -> float:
        return to_float(self.last_px_raw, self.instrument.price_precision)

    @property
    def last_qty(self) -> float:
        return to_float(self.last_qty_raw, self.instrument.size_precision)

    @property
    def liquidity(self) -> Liquidity:
        return _LIQUIDITIES[self.liquidity_code]

    @property
    def reason_type(self) -> FillReason:
        return _FILL_REASONS[self.reason_code]

    @property
    def reason(self) -> str:
        """Why it was filled, in words, with the price that decided."""
        words = _REASONS[self.reason_code]
        if self.reason_raw == _NO_PRICE:
            return words
        return f"{words} {self.instrument.format_price(self.reason_raw)}"


_REASONS = (
    "reported by the venue",
    "crossed the spread at",
    "queue ahead exhausted at",
    "traded through at",
    "the book crossed the order at",
    "at the last trade",
    "at the open of the bar",
    "the bar's path passed",
)
