"""Limits as people write them: what contradicts is refused with what to write instead."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import RAW_MAX
from onetape.risk.limits import UNLIMITED, InstrumentLimits, Limits

NAMES = ["max_order_qty", "max_order_notional", "max_position", "price_collar", "max_orders_per_second"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, Decimal("NaN"), Decimal("Infinity"), "abc", float("nan"), [1]])
def test_what_is_not_a_positive_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"limit {name} = .*write a positive number"):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [5, "5", 5.0, Decimal(5)])
def test_numbers_in_any_form_are_decimals(value: object) -> None:
    assert Limits(max_order_qty=value) == Limits(max_order_qty=Decimal(5))  # type: ignore[arg-type]


def test_limits_that_contradict() -> None:
    Limits(max_order_qty=Decimal(20), max_position=Decimal(10))
    with pytest.raises(ConfigurationError, match="can never be reached"):
        Limits(max_order_qty=Decimal("20.1"), max_position=Decimal(10))


def test_a_rate_is_a_whole_number() -> None:
    with pytest.raises(ConfigurationError, match="write a whole number"):
        Limits(max_orders_per_second=Decimal("2.5"))  # type: ignore[arg-type]


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError):
        Limits(max_order_size=Decimal(1))  # type: ignore[call-arg]
    with pytest.raises(msgspec.ValidationError, match="max_order_size"):
        msgspec.convert({"max_order_size": "1"}, Limits)
    assert msgspec.convert({"max_order_qty": "1.5"}, Limits).max_order_qty == Decimal("1.5")


def test_raw_limits() -> None:
    instrument = Instrument("BTC-USDT.LIMITS", tick_size="0.01", lot_size="0.1", max_qty=7)
    limits = InstrumentLimits(instrument, Limits(max_order_qty=Decimal("9.99"), max_position=Decimal("12.34")))
    assert (limits.max_order_qty_raw, limits.max_position_raw) == (70, 123)
    free = InstrumentLimits(Instrument("BTC-USDT.FREE"), Limits(price_collar=None))
    assert (free.max_order_qty_raw, free.max_position_raw, free.has_collar) == (RAW_MAX, UNLIMITED, False)
    assert InstrumentLimits(instrument, Limits()).collar == 10**17
