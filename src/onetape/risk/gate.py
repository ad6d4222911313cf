"""The pre-trade risk gate: the only maker of approved orders."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from onetape.kernel.clock import Clock
from onetape.kernel.state import InstrumentState, StateTable
from onetape.model.enums import Health, OrdType, Side, TimeInForce
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import MONEY_ONE, NO_PRICE, RAW_MAX, format_money, format_raw
from onetape.model.orders import ApprovedOrder, ApprovedReplace, Order
from onetape.ports import Gate
from onetape.risk.limits import InstrumentLimits, Limits

_NO_PRICE = NO_PRICE
_RAW_MAX = RAW_MAX
_LIVE = int(Health.LIVE)
_BUY = int(Side.BUY)
_MARKET = int(OrdType.MARKET)
_LIMIT = int(OrdType.LIMIT)
_STOP = int(OrdType.STOP)
_STOP_LIMIT = int(OrdType.STOP_LIMIT)
_TRAILING_STOP = int(OrdType.TRAILING_STOP)
_GTD = int(TimeInForce.GTD)
_SECOND = 1_000_000_000


class RiskGate(Gate):
    """Checks in the order of the table in ``docs/modules/risk.md``; the first that fails is the refusal.

    ``overrides`` are whole :class:`Limits` by instrument id, in place of ``limits``.
    """

    __slots__ = (
        "_at",
        "_by_instrument",
        "_clock",
        "_limits",
        "_overrides",
        "_rate",
        "_sent",
        "_states",
        "approved",
    )

    approved: int
    _clock: Clock
    _states: StateTable
    _limits: Limits
    _overrides: dict[str, Limits]
    _by_instrument: list[InstrumentLimits | None]
    _sent: array[int]
    _rate: int
    _at: int

    def __init__(
        self,
        clock: Clock,
        states: StateTable,
        limits: Limits | None = None,
        overrides: Mapping[str, Limits] | None = None,
    ) -> None:
        self.refusal = ""
        self.approved = 0
        self._clock = clock
        self._states = states
        self._limits = limits or Limits()
        self._overrides = dict(overrides or {})
        for instrument_id, override in self._overrides.items():
            if override.max_orders_per_second not in (None, self._limits.max_orders_per_second):
                raise ConfigurationError(
                    f"limits of {instrument_id}: max_orders_per_second counts all orders of the session; "
                    "write it into the session's limits"
                )
        self._by_instrument = []
        self._rate = self._limits.max_orders_per_second or 0
        self._sent = array("q", [-_SECOND]) * max(1, self._rate)
        self._at = 0

    def limits_of(self, instrument: Instrument) -> InstrumentLimits:
        while len(self._by_instrument) <= instrument.index:
            self._by_instrument.append(None)
        limits = self._by_instrument[instrument.index]
        if limits is None or limits.instrument is not instrument:
            limits = InstrumentLimits(instrument, self._overrides.get(instrument.id, self._limits))
            self._by_instrument[instrument.index] = limits
        return limits

    def approve(self, order: Order) -> ApprovedOrder | None:
        if not self._check_terms(order):
            return None
        if not self._check(order, order.order_qty_raw, order.price_raw, order.order_qty_raw):
            return None
        self.approved += 1
        approved = ApprovedOrder.__new__(ApprovedOrder)
        approved.order = order
        return approved

    def approve_replace(self, order: Order, order_qty_raw: int, price_raw: int) -> ApprovedReplace | None:
        if order_qty_raw <= order.cum_qty_raw:
            return self._refuse_replace("the new quantity is not above what is filled: cancel the order instead")
        if (price_raw == _NO_PRICE) != (order.price_raw == _NO_PRICE):
            return self._refuse_replace("a price can be changed but not added or removed")
        if not self._check(order, order_qty_raw, price_raw, order_qty_raw - order.cum_qty_raw - order.open_qty_raw):
            return None
        self.approved += 1
        approved = ApprovedReplace.__new__(ApprovedReplace)
        approved.order = order
        approved.order_qty_raw = order_qty_raw
        approved.price_raw = price_raw
        return approved

    def _refuse_replace(self, why: str) -> ApprovedReplace | None:
        self.refusal = why
        return None

    def _refuse(self, why: str) -> bool:
        self.refusal = why
        return False

    def _check_terms(self, order: Order) -> bool:
        """The prices that the order type needs, and no others."""
        kind = order.ord_type_code
        if (kind == _LIMIT or kind == _STOP_LIMIT) != (order.price_raw != _NO_PRICE):
            return self._refuse(f"a {order.ord_type.name} order {'needs' if order.price is None else 'has no'} price")
        if (kind == _STOP or kind == _STOP_LIMIT) != (order.stop_px_raw != _NO_PRICE):
            word = "needs" if order.stop_px is None else "has no"
            return self._refuse(f"a {order.ord_type.name} order {word} stop price")
        if (kind == _TRAILING_STOP) != (order.trail_raw > 0):
            return self._refuse("a trailing distance belongs to TRAILING_STOP orders, and must be positive")
        if order.post_only and kind != _LIMIT:
            return self._refuse(f"a {order.ord_type.name} order can't be post-only")
        if order.tif_code == _GTD and order.expire_time <= 0:
            return self._refuse("a GTD order needs an expire_time")
        if order.stop_px_raw != _NO_PRICE and not self._on_grid(order.instrument, order.stop_px_raw, "stop price"):
            return False
        return order.trail_raw == 0 or self._on_grid(order.instrument, order.trail_raw, "trailing distance")

    def _on_grid(self, instrument: Instrument, price_raw: int, what: str) -> bool:
        if price_raw > _RAW_MAX or price_raw < -_RAW_MAX or price_raw % instrument.tick_raw != 0:
            tick = instrument.format_price(instrument.tick_raw)
            return self._refuse(f"{what} {instrument.format_price(price_raw)} is off the grid of {tick}")
        if instrument.inverse and price_raw <= 0:
            return self._refuse(f"{what} {instrument.format_price(price_raw)} of an inverse contract is not positive")
        return True

    def _check(self, order: Order, qty_raw: int, price_raw: int, added_raw: int) -> bool:
        """``added_raw`` is by how much the open quantity would grow."""
        instrument = order.instrument
        state = self._states.add(instrument)
        limits = self.limits_of(instrument)
        if qty_raw <= 0 or qty_raw % instrument.lot_raw != 0 or qty_raw < instrument.min_qty_raw:
            lot, least = instrument.format_size(instrument.lot_raw), instrument.format_size(instrument.min_qty_raw)
            size = instrument.format_size(qty_raw)
            return self._refuse(f"quantity {size} is not a positive multiple of {lot}, at least {least}")
        if price_raw != _NO_PRICE and not self._on_grid(instrument, price_raw, "price"):
            return False
        if limits.require_live and state.health != _LIVE:
            return self._refuse(f"market data of {instrument.id} is {Health(state.health).name}, not LIVE")
        if qty_raw > limits.max_order_qty_raw:
            most = instrument.format_size(limits.max_order_qty_raw)
            return self._refuse(f"quantity {instrument.format_size(qty_raw)} is above the limit of {most}")
        if added_raw > 0 and not self._check_position(order, state, limits, added_raw):
            return False
        twice_reference = state.twice_mark_raw()
        if price_raw != _NO_PRICE and limits.has_collar:
            around = twice_reference if order.stop_px_raw == _NO_PRICE else 2 * order.stop_px_raw
            beyond = (2 * price_raw - around) * order.sign
            if around > 0 and beyond > 0 and _exceeds(beyond, around, limits.collar):
                return self._refuse(_beyond_collar(instrument, price_raw, around, limits.collar))
        if (limits.max_notional or instrument.min_notional) and not self._check_notional(
            order, limits, qty_raw, price_raw, twice_reference
        ):
            return False
        return self._rate == 0 or self._check_rate()

    def _check_position(self, order: Order, state: InstrumentState, limits: InstrumentLimits, added_raw: int) -> bool:
        worst = state.position_raw
        if order.side_code == _BUY:
            worst += state.open_buy_raw + added_raw
        else:
            worst = -worst + state.open_sell_raw + added_raw
        if worst > limits.max_position_raw:
            size = order.instrument.format_size
            return self._refuse(
                f"position would reach {size(worst * order.sign)} with all open orders filled, above the limit of "
                f"{size(limits.max_position_raw)}"
            )
        return True

    def _check_notional(
        self, order: Order, limits: InstrumentLimits, qty_raw: int, price_raw: int, twice_reference: int
    ) -> bool:
        """Valued at its limit, else its stop, else the reference."""
        instrument = order.instrument
        if price_raw == _NO_PRICE:
            price_raw = order.stop_px_raw
        if price_raw == _NO_PRICE:
            if twice_reference == 0 or (instrument.inverse and twice_reference < 0):
                return self._refuse(f"no price of {instrument.id} is known to value the order with")
            price_raw = (twice_reference + 1) // 2
        notional = abs(instrument.notional(price_raw, qty_raw))
        if limits.max_notional and notional > limits.max_notional:
            return self._refuse(
                f"value {format_money(notional)} {instrument.settle} is above the limit of "
                f"{format_money(limits.max_notional)}"
            )
        if notional < instrument.min_notional and not order.reduce_only:  # venues let a remainder be closed
            return self._refuse(
                f"value {format_money(notional)} {instrument.settle} is below the venue's minimum of "
                f"{format_money(instrument.min_notional)}"
            )
        return True

    def _check_rate(self) -> bool:
        """At most ``_rate`` in any one second: the one that many before this one must be older than that."""
        now = self._clock.now
        if now - self._sent[self._at] < _SECOND:
            return self._refuse(f"more than {self._rate} orders in a second")
        self._sent[self._at] = now
        self._at = (self._at + 1) % self._rate
        return True


def _exceeds(beyond: int, twice_reference: int, collar: int) -> bool:
    return beyond * MONEY_ONE > collar * twice_reference


def _beyond_collar(instrument: Instrument, price_raw: int, twice_reference: int, collar: int) -> str:
    reference = format_raw(5 * twice_reference, instrument.price_precision + 1)
    return (
        f"price {instrument.format_price(price_raw)} is more than {format_money(100 * collar)} % beyond the "
        f"reference {reference.removesuffix('0')}"
    )
