"""Commissions, to the last of eighteen decimals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.model.enums import Liquidity
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import MONEY_ONE, money
from onetape.sim.fees import FeeModel, FixedFees
from onetape.sim.latency import ConstantLatency, LatencyModel
from onetape.sim.tiered_fees import TieredFees

COIN = Instrument("FEE2-USD.SIM", tick_size="1", lot_size="1", maker_fee="-0.00005", taker_fee="0.0004")
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER
DAY = 86_400_000_000_000


def test_the_instruments_own_rates() -> None:
    assert FeeModel().commission(COIN, money(1000), MAKER, 0) == money("-0.05")
    assert FeeModel().commission(COIN, money(1000), TAKER, 0) == money("0.4")
    free = Instrument("FREE2-USD.SIM")
    assert FeeModel().commission(free, money(1000), TAKER, 0) == 0


@given(st.integers(0, 10**30), st.integers(-(10**16), 10**16))
def test_rounded_half_to_even(value: int, rate: int) -> None:
    fees = FixedFees(f"{rate}e-18", 0)
    exact = Fraction(value * rate, MONEY_ONE)
    assert fees.commission(COIN, value, MAKER, 0) == round(exact)


def test_tiers_by_the_value_of_the_last_days() -> None:
    fees = TieredFees([(0, "0.001", "0.002"), (1000, "0.0005", "0.001"), (5000, 0, "0.0008")], days=2)

    def taker(value: int, day: int) -> int:
        return fees.commission(COIN, money(value), TAKER, day * DAY + 5)

    assert taker(1000, 0) == money("2")
    assert taker(1000, 0) == money("1")
    assert taker(3000, 1) == money("3")
    assert taker(1000, 1) == money("0.8")
    assert fees.commission(COIN, money(1000), MAKER, 1 * DAY) == 0
    # day 0's 2,000 are out of the window, 5,000 of day 1 are in
    assert taker(1000, 2) == money("0.8")
    assert taker(1000, 9) == money("2")


@pytest.mark.parametrize("tiers", [[], [(10, 0, 0)], [(0, 0, 0), (50, 0, 0), (20, 0, 0)]])
def test_tiers_must_rise_from_zero(tiers: list[tuple[int, int, int]]) -> None:
    with pytest.raises(ConfigurationError, match="rising order"):
        TieredFees(tiers)


def test_no_latency_unless_told() -> None:
    assert LatencyModel().entry(None, 5) == LatencyModel().response(None, 5) == 0  # type: ignore[arg-type]
    model = ConstantLatency(3, 4)
    assert (model.entry(None, 5), model.response(None, 5)) == (3, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize(("entry", "response"), [(-1, 0), (0, -1)])
def test_negative_latency_is_refused(entry: int, response: int) -> None:
    with pytest.raises(ConfigurationError, match="latency can't be negative"):
        ConstantLatency(entry, response)
