"""Whether there is a trend, and which way."""

from __future__ import annotations

from collections import deque
from math import fsum, log10

from onetape.strategy.indicators.averages import RMA
from onetape.strategy.indicators.base import BarIndicator, Extreme, checked_period
from onetape.strategy.indicators.volatility import ATR


class ADX(BarIndicator):
    """Wilder's average directional index, with ``plus`` (+DI) and ``minus`` (-DI), all in percent.

    ``DI = 100 * RMA(DM) / RMA(true range)``, ``DX = 100 * |plus - minus| / (plus + minus)``, ``ADX = RMA(DX)``;
    there after ``2 * period`` bars (New Concepts in Technical Trading Systems, 1978).
    """

    __slots__ = ("_average", "_before", "_down", "_range", "_up", "minus", "plus")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self._range, self._up, self._down, self._average = (RMA(period) for _ in range(4))
        self._before: tuple[float, float, float] | None = None
        self.plus: float | None = None
        self.minus: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        before, self._before = self._before, (high, low, close)
        if before is None:
            return None
        rise, fall = high - before[0], before[1] - low
        span = self._range.update(max(high, before[2]) - min(low, before[2]))
        up = self._up.update(rise if rise > fall and rise > 0.0 else 0.0)
        down = self._down.update(fall if fall > rise and fall > 0.0 else 0.0)
        if span is None or up is None or down is None:
            return None
        self.plus = 100.0 * up / span if span else 0.0
        self.minus = 100.0 * down / span if span else 0.0
        total = self.plus + self.minus
        return self._average.update(100.0 * abs(self.plus - self.minus) / total if total else 0.0)


class Aroon(BarIndicator):
    """How fresh the highest high (``up``) and the lowest low (``down``) of ``period + 1`` bars are, in percent.

    ``value`` is ``up - down`` (Chande 1995). Of two equal ones the later counts.
    """

    __slots__ = ("_high", "_low", "down", "period", "up")

    def __init__(self, period: int = 25) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._high, self._low = Extreme(period + 1, 1), Extreme(period + 1, -1)
        self.up: float | None = None
        self.down: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        self._high.update(high)
        self._low.update(low)
        if not self._high.full:
            return None
        self.up = 100.0 * (self.period - self._high.age) / self.period
        self.down = 100.0 * (self.period - self._low.age) / self.period
        return self.up - self.down


class Vortex(BarIndicator):
    """``plus`` and ``minus`` vortex movement over ``period`` bars by true range (Botes, Siepman 2010).

    ``value`` is their difference.
    """

    __slots__ = ("_before", "_down", "_range", "_up", "minus", "period", "plus")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._up: deque[float] = deque(maxlen=period)
        self._down: deque[float] = deque(maxlen=period)
        self._range: deque[float] = deque(maxlen=period)
        self._before: tuple[float, float, float] | None = None
        self.plus: float | None = None
        self.minus: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        before, self._before = self._before, (high, low, close)
        if before is None:
            return None
        self._up.append(abs(high - before[1]))
        self._down.append(abs(low - before[0]))
        self._range.append(max(high, before[2]) - min(low, before[2]))
        if len(self._range) < self.period:
            return None
        span = fsum(self._range)
        self.plus = fsum(self._up) / span if span else 0.0
        self.minus = fsum(self._down) / span if span else 0.0
        return self.plus - self.minus


class Choppiness(BarIndicator):
    """``100 * log10(sum of true ranges / (highest - lowest)) / log10(period)`` (Dreiss).

    100 is sideways, 0 straight. Highs and lows are the true ones, which include the close before.
    """

    __slots__ = ("_close", "_high", "_low", "_range", "period")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period = checked_period(period, 2)
        self._high, self._low = Extreme(period, 1), Extreme(period, -1)
        self._range: deque[float] = deque(maxlen=period)
        self._close: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        before, self._close = self._close, close
        if before is None:
            return None
        highest, lowest = self._high.update(max(high, before)), self._low.update(min(low, before))
        self._range.append(max(high, before) - min(low, before))
        if len(self._range) < self.period or highest == lowest:
            return None
        return 100.0 * log10(fsum(self._range) / (highest - lowest)) / log10(self.period)


class Supertrend(BarIndicator):
    """A stop ``width`` ATRs from the middle of the bar that only tightens; it changes sides when a close passes.

    ``direction`` is 1 while the price is above it, else -1 (Seban).
    """

    __slots__ = ("_atr", "_close", "_lower", "_upper", "direction", "width")

    def __init__(self, period: int = 10, width: float = 3.0) -> None:
        super().__init__()
        self._atr = ATR(period)
        self.width = width
        self.direction = 0
        self._close = self._upper = self._lower = 0.0

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        span = self._atr.update(high, low, close)
        before, self._close = self._close, close
        if span is None:
            return None
        middle = (high + low) / 2.0
        upper, lower = middle + self.width * span, middle - self.width * span
        if self.direction == 0:
            self.direction = 1 if close >= middle else -1
            self._upper, self._lower = upper, lower
        if upper < self._upper or before > self._upper:
            self._upper = upper
        if lower > self._lower or before < self._lower:
            self._lower = lower
        if close <= (self._lower if self.direction > 0 else self._upper):
            self.direction = -1
            return self._upper
        self.direction = 1
        return self._lower
