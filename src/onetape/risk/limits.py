"""Limits of the pre-trade gate, as people write them and as the gate reads them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.instrument import Instrument
from onetape.model.numbers import RAW_MAX, Number, money, to_exact, to_raw

#: Bounds any sum of a position and open orders so that it fits 64 bits.
UNLIMITED = 4 * 10**18


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Per instrument; ``None`` is no limit.

    ``max_order_qty`` and ``max_position`` are sizes; ``max_position`` bounds what the position would be if every
    open order on that side were filled. ``max_order_notional`` is money in the settle currency. ``price_collar`` is
    a fraction ("0.05" is 5 %): how far a limit price may be on the aggressive side of the reference (the mid, else
    the last trade; of a stop-limit order its stop).
    ``max_orders_per_second`` counts new and replaced orders of the session in any one second.
    """

    max_order_qty: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_position: Decimal | None = None
    price_collar: Decimal | None = Decimal("0.10")
    max_orders_per_second: int | None = None
    require_live: bool = True

    def __post_init__(self) -> None:
        for name in (
            "max_order_qty",
            "max_order_notional",
            "max_position",
            "price_collar",
            "max_orders_per_second",
        ):
            given = getattr(self, name)
            if given is None:
                continue
            try:
                value = to_exact(given)
            except NumberError:
                value = Decimal(0)
            if value <= 0:
                raise ConfigurationError(f"limit {name} = {given!r}: write a positive number, or leave it out for none")
            msgspec.structs.force_setattr(self, name, value)
        if self.max_orders_per_second is not None:
            if self.max_orders_per_second != int(self.max_orders_per_second):
                raise ConfigurationError(
                    f"limit max_orders_per_second = {self.max_orders_per_second}: write a whole number"
                )
            msgspec.structs.force_setattr(self, "max_orders_per_second", int(self.max_orders_per_second))
        if self.max_order_qty and self.max_position and self.max_order_qty > 2 * self.max_position:
            raise ConfigurationError(
                f"max_order_qty {self.max_order_qty} can never be reached: turning a position of max_position "
                f"{self.max_position} around takes an order of twice that"
            )


class InstrumentLimits:
    """One instrument's limits as raw integers, where there is none the largest there can be (0 for money).

    ``collar`` is a fraction at 18 decimals.
    """

    __slots__ = (
        "collar",
        "has_collar",
        "instrument",
        "max_notional",
        "max_order_qty_raw",
        "max_position_raw",
        "require_live",
    )

    instrument: Instrument
    has_collar: bool
    collar: int
    max_notional: int
    max_order_qty_raw: int
    max_position_raw: int
    require_live: bool

    def __init__(self, instrument: Instrument, limits: Limits) -> None:
        self.instrument = instrument
        self.max_order_qty_raw = _raw(instrument, limits.max_order_qty, RAW_MAX)
        self.max_position_raw = _raw(instrument, limits.max_position, UNLIMITED)
        if instrument.max_qty_raw > 0 and instrument.max_qty_raw < self.max_order_qty_raw:
            self.max_order_qty_raw = instrument.max_qty_raw
        self.max_notional = 0 if limits.max_order_notional is None else money(limits.max_order_notional)
        self.has_collar = limits.price_collar is not None
        self.collar = 0 if limits.price_collar is None else money(limits.price_collar)
        self.require_live = limits.require_live


def _raw(instrument: Instrument, value: Number | None, none: int) -> int:
    if value is None:
        return none
    return to_raw(instrument.round_size(value), instrument.size_precision)
