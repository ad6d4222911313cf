"""How widely a price moves, and the bands drawn from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import fsum, sqrt
from operator import mul

from onetape.strategy.indicators.averages import EMA, RMA
from onetape.strategy.indicators.base import BarIndicator, Extreme, Indicator, checked, checked_period


class StdDev(Indicator):
    """Standard deviation of the last ``period`` numbers around their ``mean``; divisor ``period``."""

    __slots__ = ("_window", "mean", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._window: deque[float] = deque(maxlen=period)
        self.mean: float | None = None

    def update(self, x: float) -> float | None:
        window = self._window
        window.append(checked(self, x))
        if len(window) == self.period:
            self.mean = mean = fsum(window) / self.period
            distances = [x - mean for x in window]
            self.value = sqrt(fsum(map(mul, distances, distances)) / self.period)
        return self.value


class Bollinger(Indicator):
    """``value`` is the mean over ``period``, ``upper`` and ``lower`` lie ``width`` standard deviations from it."""

    __slots__ = ("_deviation", "_last", "lower", "upper", "width")

    def __init__(self, period: int = 20, width: float = 2.0) -> None:
        super().__init__()
        self._deviation = StdDev(period)
        self._last = 0.0
        self.width = width
        self.upper: float | None = None
        self.lower: float | None = None

    def update(self, x: float) -> float | None:
        deviation = self._deviation.update(x)
        self._last = x
        if deviation is not None:
            self.value = middle = self._deviation.mean
            assert middle is not None
            self.upper = middle + self.width * deviation
            self.lower = middle - self.width * deviation
        return self.value

    @property
    def percent_b(self) -> float | None:
        """Where the last number lies: 0 on the lower band, 1 on the upper; None where they are one."""
        if self.upper is None or self.lower is None or self.upper == self.lower:
            return None
        return (self._last - self.lower) / (self.upper - self.lower)


class TrueRange(BarIndicator):
    """Range of the bar and the close before it; from the second bar on (Wilder)."""

    __slots__ = ("_close",)

    def __init__(self) -> None:
        super().__init__()
        self._close: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        before, self._close = self._close, close
        return None if before is None else max(high, before) - min(low, before)


class ATR(BarIndicator):
    """Wilder's smoothing of the true range; there after ``period + 1`` bars (New Concepts, 1978; TA-Lib).

    ``average`` smooths: :class:`RMA` is Wilder's, SMA is some platforms'.
    """

    __slots__ = ("_average", "_range", "period")

    def __init__(self, period: int = 14, average: Callable[[int], Indicator] = RMA) -> None:
        super().__init__()
        self.period = period
        self._range, self._average = TrueRange(), average(period)

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        span = self._range.update(high, low, close)
        return None if span is None else self._average.update(span)


class Keltner(BarIndicator):
    """``value`` is the average of the close over ``period``, ``upper`` and ``lower`` lie ``width`` ATRs from it.

    ``average`` makes the middle line: EMA (Raschke's channels) or, for instance, SMA (STARC bands).
    """

    __slots__ = ("_atr", "_middle", "lower", "upper", "width")

    def __init__(
        self,
        period: int = 20,
        width: float = 2.0,
        atr_period: int = 10,
        average: Callable[[int], Indicator] = EMA,
    ) -> None:
        super().__init__()
        self._middle, self._atr = average(period), ATR(atr_period)
        self.width = width
        self.upper: float | None = None
        self.lower: float | None = None

    @property
    def ready(self) -> bool:
        return self.upper is not None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        middle, span = self._middle.update(close), self._atr.update(high, low, close)
        if middle is not None and span is not None:
            self.upper = middle + self.width * span
            self.lower = middle - self.width * span
        return middle


class Donchian(BarIndicator):
    """``upper`` and ``lower`` are the highest high and lowest low of ``period`` bars, ``value`` is their mean.

    With ``previous`` they are those of the bars before the latest, which a close can then break.
    """

    __slots__ = ("_high", "_low", "_pending", "lower", "previous", "upper")

    def __init__(self, period: int = 20, *, previous: bool = False) -> None:
        super().__init__()
        checked_period(period)
        self._high, self._low = Extreme(period, 1), Extreme(period, -1)
        self.previous = previous
        self._pending: tuple[float, float] | None = None
        self.upper: float | None = None
        self.lower: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        before = self._pending
        highest, lowest = self._high.update(high), self._low.update(low)
        if self._high.full:
            self._pending = (highest, lowest)
        channel = before if self.previous else self._pending
        if channel is None:
            return None
        self.upper, self.lower = channel
        return (self.upper + self.lower) / 2.0
