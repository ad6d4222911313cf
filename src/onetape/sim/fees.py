"""Commissions of simulated fills, exact."""

from __future__ import annotations

from onetape.model.enums import Liquidity
from onetape.model.instrument import Instrument
from onetape.model.numbers import MONEY_ONE, Number, divide_half_even, lowest_terms, money

_MAKER = int(Liquidity.MAKER)


class FeeModel:
    """The instrument's own maker and taker rates, of the traded value, in the settle currency."""

    __slots__ = ()

    def commission(self, instrument: Instrument, value: int, liquidity: int, ts: int) -> int:
        """Money to pay (negative: a rebate) for a trade of ``value`` (positive money), rounded half to even."""
        ratio = instrument.maker_ratio if liquidity == _MAKER else instrument.taker_ratio
        numerator = ratio[0]
        if not numerator:
            return 0
        return divide_half_even(value * numerator, ratio[1])


class FixedFees(FeeModel):
    """One pair of rates for every instrument: ``FixedFees(maker="0.0002", taker="0.0005")``."""

    __slots__ = ("_maker", "_taker")

    def __init__(self, maker: Number, taker: Number) -> None:
        self._maker = lowest_terms(money(maker), MONEY_ONE)
        self._taker = lowest_terms(money(taker), MONEY_ONE)

    def commission(self, instrument: Instrument, value: int, liquidity: int, ts: int) -> int:
        ratio = self._maker if liquidity == _MAKER else self._taker
        return divide_half_even(value * ratio[0], ratio[1])
