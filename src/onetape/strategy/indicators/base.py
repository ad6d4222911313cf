"""What every indicator is: numbers in one by one, the latest value out, memory bounded by its period."""

from __future__ import annotations

from collections import deque
from math import isfinite, nan
from typing import Protocol, cast

from onetape.model.errors import ConfigurationError, NumberError


class Candle(Protocol):
    """What an indicator reads of a :class:`onetape.model.market.Bar`."""

    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    @property
    def volume(self) -> float: ...


class Indicator:
    """An indicator of one number, such as a price. ``value`` is None until enough have come in.

    Indicators are floats: signals, never money. The same inputs give the same digits in every build. An input that
    is not finite raises :class:`NumberError` and changes nothing.
    """

    __slots__ = ("value",)

    value: float | None

    def __init__(self) -> None:
        self.value = None

    @property
    def ready(self) -> bool:
        """Whether every output has its value."""
        return self.value is not None

    def update(self, x: float) -> float | None:
        """Take the next number in; returns the new ``value``."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value})"


class BarIndicator:
    """An indicator of bars: ``update(bar)``, or ``update(high, low, close)`` with ``volume`` where it is used."""

    __slots__ = ("value",)

    value: float | None

    def __init__(self) -> None:
        self.value = None

    @property
    def ready(self) -> bool:
        """Whether every output has its value."""
        return self.value is not None

    def update(
        self, bar: Candle | float, low: float | None = None, close: float | None = None, volume: float = nan
    ) -> float | None:
        """Take the next bar in; returns the new ``value``."""
        if low is None or close is None:
            candle = cast(Candle, bar)
            high, low, close, volume = candle.high, candle.low, candle.close, candle.volume
        else:
            high = cast(float, bar)
        if not (isfinite(high) and isfinite(low) and isfinite(close)):
            raise NumberError(f"{type(self).__name__}: high {high}, low {low}, close {close} are not finite numbers")
        self.value = self._next(high, low, close, volume)
        return self.value

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value})"


class Extreme:
    """Highest (``sign`` 1) or lowest (-1) of the last ``period`` numbers, in constant time on average."""

    __slots__ = ("_candidates", "_count", "_period", "_sign")

    def __init__(self, period: int, sign: int) -> None:
        self._period = period
        self._sign = sign
        self._count = 0
        self._candidates: deque[tuple[int, float]] = deque(maxlen=period + 1)

    def update(self, x: float) -> float:
        """The extreme of what has come in so far, of the last ``period`` once there are as many."""
        candidates, sign = self._candidates, self._sign
        while candidates and (candidates[-1][1] - x) * sign <= 0.0:
            candidates.pop()
        candidates.append((self._count, x))
        if candidates[0][0] <= self._count - self._period:
            candidates.popleft()
        self._count += 1
        return candidates[0][1]

    @property
    def age(self) -> int:
        """How many numbers ago the extreme was, the later of two equal ones."""
        return self._count - 1 - self._candidates[0][0]

    @property
    def full(self) -> bool:
        return self._count >= self._period


def checked_period(period: int, least: int = 1) -> int:
    if not isinstance(period, int) or period < least:
        raise ConfigurationError(f"a period of {period!r}: write a whole number, {least} or more")
    return period


def checked(owner: object, x: float) -> float:
    if not isfinite(x):
        raise NumberError(f"{type(owner).__name__}: {x} is not a finite number")
    return x
