"""Positions against a naive model in fractions, which averages and splits without rounding anything."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.model.enums import InstrumentKind
from onetape.model.instrument import Instrument
from onetape.portfolio.positions import Position

LINEAR = Instrument("BTC-USDT-PERP.POS", InstrumentKind.PERPETUAL, tick_size="0.1", lot_size="0.001")
CONTRACT = Instrument("ES-261218.POS", InstrumentKind.FUTURE, tick_size="0.25", lot_size=1, multiplier=50)
INVERSE = Instrument(
    "BTC-USD-PERP.POS", InstrumentKind.PERPETUAL, inverse=True, multiplier=100, tick_size="0.1", lot_size=1
)
ONE = 10**18

trades = st.lists(
    st.tuples(st.integers(-50, 50).filter(bool) | st.integers(-(10**9), 10**9).filter(bool), st.integers(1, 10**7)),
    min_size=1,
    max_size=30,
)


def play(instrument: Instrument, fills: list[tuple[int, int]]) -> Position:
    position = Position(instrument)
    for signed, price in fills:
        position.trade(signed, price, instrument.notional(price, signed))
    return position


class Naive:
    """Average cost in fractions: what one unit was entered at, and the profit of what left."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.held, self.cost, self.realized = 0, Fraction(0), Fraction(0)

    def value(self, price_raw: Fraction, signed: int) -> Fraction:
        size = Fraction(signed * self.instrument.multiplier, 10**self.instrument.size_precision)
        price = Fraction(price_raw) / 10**self.instrument.price_precision
        return size / price if self.instrument.inverse else size * price

    def profit(self, entry: Fraction, leave: Fraction) -> Fraction:
        return entry - leave if self.instrument.inverse else leave - entry

    def trade(self, signed: int, price: int) -> None:
        if self.held * signed < 0:
            closed = -self.held if abs(signed) > abs(self.held) else signed
            share = self.cost * Fraction(-closed, self.held)
            self.realized += self.profit(share, -self.value(Fraction(price), closed))
            self.cost -= share
            self.held += closed
            signed -= closed
        self.cost += self.value(Fraction(price), signed)
        self.held += signed

    def unrealized(self, mark_raw: Fraction) -> Fraction:
        return self.profit(self.cost, self.value(mark_raw, self.held))


@pytest.mark.parametrize("instrument", [LINEAR, CONTRACT, INVERSE], ids=lambda i: i.id)
@given(fills=trades, twice_mark=st.integers(1, 2 * 10**7))
def test_against_the_naive_model(instrument: Instrument, fills: list[tuple[int, int]], twice_mark: int) -> None:
    position, naive = play(instrument, fills), Naive(instrument)
    for signed, price in fills:
        naive.trade(signed, price)
    rounding = 2 * len(fills)  # 1e-18 for each fill and for each share taken
    assert position.position_raw == naive.held
    assert abs(position.realized - naive.realized) <= rounding
    assert abs(position.cost - naive.cost) <= rounding
    assert abs(position.unrealized(twice_mark) - naive.unrealized(Fraction(twice_mark, 2))) <= rounding + 1
    assert (position.fills, position.volume_raw) == (len(fills), sum(abs(signed) for signed, _ in fills))


@pytest.mark.parametrize("instrument", [LINEAR, CONTRACT], ids=lambda i: i.id)
@given(fills=trades, twice_mark=st.integers(1, 2 * 10**7))
def test_linear_profit_is_exact_however_it_is_split(
    instrument: Instrument, fills: list[tuple[int, int]], twice_mark: int
) -> None:
    """Rounding of a share moves profit between realised and unrealised; their sum is exact."""
    position = play(instrument, fills)
    factor = Fraction(instrument.multiplier, 10 ** (instrument.price_precision + instrument.size_precision))
    expected = sum(signed * (Fraction(twice_mark, 2) - price) for signed, price in fills) * factor
    assert position.realized + position.unrealized(twice_mark) == expected


@given(trades)
def test_a_closed_position_holds_no_cost(fills: list[tuple[int, int]]) -> None:
    for instrument in (LINEAR, INVERSE):
        position = play(instrument, fills)
        if position.position_raw:
            left = -position.position_raw
            position.trade(left, 5_000, instrument.notional(5_000, left))
        assert (position.position_raw, position.cost, position.avg_px) == (0, 0, None)


def test_partial_close_flip_and_average() -> None:
    position = play(LINEAR, [(1_000, 100_0), (1_000, 110_0)])
    assert position.avg_px == 105.0
    position.trade(-500, 120_0, LINEAR.notional(120_0, -500))
    assert (position.realized, position.avg_px) == (7_500 * ONE // 1_000, 105.0)
    position.trade(-2_500, 100_0, LINEAR.notional(100_0, -2_500))
    assert position.position_raw == -1_000
    assert position.realized == 7_500 * ONE // 1_000 - 7_500 * ONE // 1_000
    assert position.avg_px == 100.0
    assert position.unrealized(2 * 90_0) == 10 * ONE


def test_unrealised_at_half_a_tick_is_exact() -> None:
    position = play(LINEAR, [(1, 100_0)])
    assert position.unrealized(100_0 + 100_1) == 5 * ONE // 100_000
    assert play(LINEAR, [(-1, 100_0)]).unrealized(100_0 + 100_1) == -5 * ONE // 100_000


def test_inverse_profit_is_in_coin() -> None:
    position = play(INVERSE, [(10, 50_000_0)])
    assert position.avg_px == 50_000.0
    assert position.unrealized(2 * 100_000_0) == ONE * 1_000 // 50_000 - ONE * 1_000 // 100_000
    position.trade(-10, 100_000_0, INVERSE.notional(100_000_0, -10))
    assert position.realized == ONE // 100


def test_a_negative_price_is_a_price_and_zero_is_none() -> None:
    position = play(LINEAR, [(1_000, 1_0), (1_000, -37_6)])
    assert position.unrealized(2 * -37_6) == (-37_6 - 1_0) * ONE // 10
    assert position.unrealized(0) == 0
    assert play(INVERSE, [(1, 10)]).unrealized(-5) == 0


def test_repr_is_exact() -> None:
    position = play(LINEAR, [(1_000, 100_0), (-1_000, 100_1)])
    assert repr(position) == "Position(BTC-USDT-PERP.POS, 0.000, realized 0.1)"
