"""Moving averages. Sums over a window are made anew with ``fsum``, so no rounding error builds up."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from math import fsum, isfinite
from operator import mul

from onetape.strategy.indicators.base import Indicator, checked, checked_period


class SMA(Indicator):
    """Mean of the last ``period`` numbers."""

    __slots__ = ("_window", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._window: deque[float] = deque(maxlen=period)

    def update(self, x: float) -> float | None:
        window = self._window
        window.append(checked(self, x))
        if len(window) == self.period:
            self.value = fsum(window) / self.period
        return self.value


class WMA(Indicator):
    """Mean of the last ``period`` numbers weighted 1, 2, … ``period``, the latest most."""

    __slots__ = ("_total", "_weights", "_window", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._window: deque[float] = deque(maxlen=period)
        self._weights = [float(n) for n in range(1, period + 1)]
        self._total = fsum(self._weights)

    def update(self, x: float) -> float | None:
        window = self._window
        window.append(checked(self, x))
        if len(window) == self.period:
            self.value = fsum(map(mul, self._weights, window)) / self._total
        return self.value


class EMA(Indicator):
    """``ema += k * (x - ema)`` with ``k = 2 / (period + 1)``.

    The first value is the mean of the first ``period`` numbers (as TA-Lib, LEAN and Stock.Indicators do). With
    ``seed_first`` it starts from the first number instead (pandas ``ewm(adjust=False)``) and is there at once.
    """

    __slots__ = ("_seed", "k", "period")

    def __init__(self, period: int, *, seed_first: bool = False) -> None:
        super().__init__()
        self.period = checked_period(period)
        self.k = 2.0 / (period + 1)
        self._seed: SMA | None = SMA(1 if seed_first else period)

    def update(self, x: float) -> float | None:
        value = self.value
        if value is None:
            assert self._seed is not None
            value = self._seed.update(x)
            if value is not None:
                self._seed = None
        elif isfinite(x):
            value += self.k * (x - value)
        else:
            checked(self, x)
        self.value = value
        return value


class RMA(EMA):
    """Wilder's smoothing, ``k = 1 / period`` (New Concepts in Technical Trading, 1978); also called SMMA."""

    __slots__ = ()

    def __init__(self, period: int, *, seed_first: bool = False) -> None:
        super().__init__(period, seed_first=seed_first)
        self.k = 1.0 / period


class DEMA(Indicator):
    """``2 * EMA - EMA(EMA)`` (Mulloy 1994); there after ``2 * period - 1`` numbers."""

    __slots__ = ("_first", "_second", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        self._first, self._second = EMA(period), EMA(period)

    def update(self, x: float) -> float | None:
        first = self._first.update(x)
        if first is not None:
            second = self._second.update(first)
            if second is not None:
                self.value = 2.0 * first - second
        return self.value


class TEMA(Indicator):
    """``3 * EMA - 3 * EMA(EMA) + EMA(EMA(EMA))`` (Mulloy 1994); there after ``3 * period - 2`` numbers."""

    __slots__ = ("_first", "_second", "_third", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        self._first, self._second, self._third = EMA(period), EMA(period), EMA(period)

    def update(self, x: float) -> float | None:
        first = self._first.update(x)
        second = None if first is None else self._second.update(first)
        third = None if second is None else self._third.update(second)
        if first is not None and second is not None and third is not None:
            self.value = 3.0 * (first - second) + third
        return self.value


class HMA(Indicator):
    """``WMA(2 * WMA(x, period / 2) - WMA(x, period), sqrt(period))`` (Hull 2005), lengths rounded down."""

    __slots__ = ("_fast", "_last", "_slow", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = checked_period(period, 2)
        self._fast, self._slow, self._last = WMA(period // 2), WMA(period), WMA(int(period**0.5))

    def update(self, x: float) -> float | None:
        fast, slow = self._fast.update(x), self._slow.update(x)
        if fast is not None and slow is not None:
            self.value = self._last.update(2.0 * fast - slow)
        return self.value


class KAMA(Indicator):
    """Kaufman's adaptive average: an EMA whose ``k`` is ``(er * (fast - slow) + slow) ** 2``.

    ``er`` is the net change over ``period`` as a part of the sum of changes; here ``fast`` and ``slow`` are
    the ``k`` of the EMAs of these periods (Trading Systems and Methods, 1995). It starts from the number
    before its first value.
    """

    __slots__ = ("_fast", "_previous", "_slow", "_window", "period")

    def __init__(self, period: int = 10, fast: int = 2, slow: int = 30) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._fast = 2.0 / (checked_period(fast) + 1)
        self._slow = 2.0 / (checked_period(slow) + 1)
        self._window: deque[float] = deque(maxlen=period + 1)

    def update(self, x: float) -> float | None:
        window = self._window
        window.append(checked(self, x))
        if len(window) <= self.period:
            return None
        numbers = list(window)
        path = fsum(abs(b - a) for a, b in pairwise(numbers))
        efficiency = abs(x - numbers[0]) / path if path else 1.0
        k = (efficiency * (self._fast - self._slow) + self._slow) ** 2
        before = numbers[-2] if self.value is None else self.value
        self.value = before + k * (x - before)
        return self.value
