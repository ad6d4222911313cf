"""Maker and taker rates that fall with the volume of the last days, as venues publish them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from onetape.model.enums import Liquidity
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import MONEY_ONE, Number, divide_half_even, money
from onetape.sim.fees import FeeModel

_MAKER = int(Liquidity.MAKER)
_DAY = 86_400_000_000_000


class TieredFees(FeeModel):
    """Rates by the value traded in the last ``days`` days, as venues publish them.

    ``tiers`` are ``(from_value, maker, taker)``, the first from 0; the volume of the current day counts at once.
    """

    __slots__ = ("_days", "_tiers", "_volume", "_window")

    def __init__(self, tiers: Sequence[tuple[Number, Number, Number]], days: int = 30) -> None:
        self._tiers = [(money(start), money(maker), money(taker)) for start, maker, taker in tiers]
        if not self._tiers or self._tiers[0][0] != 0 or self._tiers != sorted(self._tiers):
            raise ConfigurationError("fee tiers must be in rising order of volume, the first from 0")
        self._days = days
        self._window: deque[list[int]] = deque(maxlen=days)
        self._volume = 0

    def commission(self, instrument: Instrument, value: int, liquidity: int, ts: int) -> int:
        day = ts // _DAY
        while self._window and self._window[0][0] <= day - self._days:
            self._volume -= self._window.popleft()[1]
        rates = [tier for tier in self._tiers if self._volume >= tier[0]][-1]
        if not self._window or self._window[-1][0] != day:
            self._window.append([day, 0])
        self._window[-1][1] += value
        self._volume += value
        return divide_half_even(value * rates[1 if liquidity == _MAKER else 2], MONEY_ONE)
