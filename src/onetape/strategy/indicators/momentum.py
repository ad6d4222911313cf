"""How far and how fast a price has moved."""

from __future__ import annotations

from collections import deque
from math import fsum

from onetape.model.errors import ConfigurationError
from onetape.strategy.indicators.averages import EMA, RMA, SMA
from onetape.strategy.indicators.base import BarIndicator, Extreme, Indicator, checked, checked_period


class Momentum(Indicator):
    """Change over ``period`` numbers."""

    __slots__ = ("_window", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._window: deque[float] = deque(maxlen=period + 1)

    def update(self, x: float) -> float | None:
        window = self._window
        window.append(checked(self, x))
        if len(window) > self.period:
            self.value = self._change(window[0], x)
        return self.value

    def _change(self, before: float, now: float) -> float | None:
        return now - before


class ROC(Momentum):
    """Rate of change over ``period`` numbers, in percent of the first; None where that is zero."""

    __slots__ = ()

    def _change(self, before: float, now: float) -> float | None:
        return 100.0 * (now - before) / before if before else None


class RSI(Indicator):
    """Wilder's relative strength, ``100 - 100 / (1 + RMA(gains) / RMA(losses))``; 100 where there is no loss.

    There after ``period + 1`` numbers (New Concepts in Technical Trading Systems, 1978).
    """

    __slots__ = ("_gains", "_last", "_losses", "period")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period = period
        self._gains, self._losses = RMA(period), RMA(period)
        self._last: float | None = None

    def update(self, x: float) -> float | None:
        last, self._last = self._last, checked(self, x)
        if last is not None:
            change = x - last
            gain = self._gains.update(change if change > 0.0 else 0.0)
            loss = self._losses.update(-change if change < 0.0 else 0.0)
            if gain is not None and loss is not None:
                self.value = 100.0 - 100.0 / (1.0 + gain / loss) if loss else 100.0
        return self.value


class CMO(Indicator):
    """Chande momentum oscillator: ``100 * (gains - losses) / (gains + losses)`` of the last ``period`` changes."""

    __slots__ = ("_changes", "_last", "period")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._changes: deque[float] = deque(maxlen=period)
        self._last: float | None = None

    def update(self, x: float) -> float | None:
        last, self._last = self._last, checked(self, x)
        if last is not None:
            changes = self._changes
            changes.append(x - last)
            if len(changes) == self.period:
                path = fsum(map(abs, changes))
                self.value = 100.0 * fsum(changes) / path if path else 0.0
        return self.value


class MACD(Indicator):
    """``value`` is ``EMA(fast) - EMA(slow)``, ``signal`` its EMA, ``histogram`` the difference (Appel)."""

    __slots__ = ("_fast", "_signal", "_slow", "histogram", "signal")

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        super().__init__()
        if fast >= slow:
            raise ConfigurationError(f"MACD: the fast period {fast} must be below the slow one {slow}")
        self._fast, self._slow, self._signal = EMA(fast), EMA(slow), EMA(signal)
        self.signal: float | None = None
        self.histogram: float | None = None

    @property
    def ready(self) -> bool:
        return self.signal is not None

    def update(self, x: float) -> float | None:
        fast, slow = self._fast.update(x), self._slow.update(x)
        if fast is not None and slow is not None:
            self.value = self._difference(fast, slow)
            self.signal = self._signal.update(self.value)
            if self.signal is not None:
                self.histogram = self.value - self.signal
        return self.value

    def _difference(self, fast: float, slow: float) -> float:
        return fast - slow


class PPO(MACD):
    """MACD in percent of the slow average."""

    __slots__ = ()

    def _difference(self, fast: float, slow: float) -> float:
        return 100.0 * (fast - slow) / slow if slow else 0.0


class TSI(Indicator):
    """True strength index: ``100 * EMA(EMA(change)) / EMA(EMA(|change|))`` (Blau 1991), and its ``signal`` EMA."""

    __slots__ = ("_change", "_change2", "_last", "_path", "_path2", "_signal", "signal")

    def __init__(self, long: int = 25, short: int = 13, signal: int = 7) -> None:
        super().__init__()
        self._change, self._path = EMA(long), EMA(long)
        self._change2, self._path2 = EMA(short), EMA(short)
        self._signal = EMA(signal)
        self._last: float | None = None
        self.signal: float | None = None

    @property
    def ready(self) -> bool:
        return self.signal is not None

    def update(self, x: float) -> float | None:
        last, self._last = self._last, checked(self, x)
        if last is None:
            return None
        change, path = self._change.update(x - last), self._path.update(abs(x - last))
        if change is not None and path is not None:
            change, path = self._change2.update(change), self._path2.update(path)
            if change is not None and path is not None:
                self.value = 100.0 * change / path if path else 0.0
                self.signal = self._signal.update(self.value)
        return self.value


class Stochastic(BarIndicator):
    """``value`` is %K, ``100 * (close - lowest) / (highest - lowest)`` of ``period`` bars, smoothed.

    ``d`` is its average over ``signal`` (Lane). Averages are simple; %K is 0 where the range is.
    """

    __slots__ = ("_high", "_k", "_low", "_signal", "d")

    def __init__(self, period: int = 14, smooth: int = 3, signal: int = 3) -> None:
        super().__init__()
        checked_period(period)
        self._high, self._low = Extreme(period, 1), Extreme(period, -1)
        self._k, self._signal = SMA(smooth), SMA(signal)
        self.d: float | None = None

    @property
    def ready(self) -> bool:
        return self.d is not None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        highest, lowest = self._high.update(high), self._low.update(low)
        if not self._high.full:
            return None
        k = self._k.update(100.0 * (close - lowest) / (highest - lowest) if highest != lowest else 0.0)
        if k is not None:
            self.d = self._signal.update(k)
        return k


class WilliamsR(BarIndicator):
    """``-100 * (highest - close) / (highest - lowest)`` of ``period`` bars, 0 to -100."""

    __slots__ = ("_high", "_low")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        checked_period(period)
        self._high, self._low = Extreme(period, 1), Extreme(period, -1)

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        highest, lowest = self._high.update(high), self._low.update(low)
        if not self._high.full:
            return None
        return -100.0 * (highest - close) / (highest - lowest) if highest != lowest else 0.0


class CCI(BarIndicator):
    """Commodity channel index of the typical price ``(high + low + close) / 3``.

    Its distance from its mean over ``period``, in units of 0.015 mean deviations (Lambert 1980).
    """

    __slots__ = ("_window", "period")

    def __init__(self, period: int = 20) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._window: deque[float] = deque(maxlen=period)

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        window = self._window
        window.append((high + low + close) / 3.0)
        if len(window) < self.period:
            return None
        mean = fsum(window) / self.period
        deviation = fsum(abs(x - mean) for x in window) / self.period
        return (window[-1] - mean) / (0.015 * deviation) if deviation else 0.0


class Awesome(BarIndicator):
    """``SMA(median, fast) - SMA(median, slow)`` of ``median = (high + low) / 2`` (Williams)."""

    __slots__ = ("_fast", "_slow")

    def __init__(self, fast: int = 5, slow: int = 34) -> None:
        super().__init__()
        self._fast, self._slow = SMA(fast), SMA(slow)

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        fast, slow = self._fast.update((high + low) / 2.0), self._slow.update((high + low) / 2.0)
        return None if fast is None or slow is None else fast - slow


class UltimateOscillator(BarIndicator):
    """Buying pressure over true range in three periods, weighted 4, 2, 1 (Williams 1976)."""

    __slots__ = ("_close", "_pressures", "_ranges", "periods")

    def __init__(self, short: int = 7, middle: int = 14, long: int = 28) -> None:
        super().__init__()
        self.periods = (checked_period(short), checked_period(middle), checked_period(long))
        self._pressures: deque[float] = deque(maxlen=max(self.periods))
        self._ranges: deque[float] = deque(maxlen=max(self.periods))
        self._close: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        before, self._close = self._close, close
        if before is None:
            return None
        self._pressures.append(close - min(low, before))
        self._ranges.append(max(high, before) - min(low, before))
        if len(self._ranges) < max(self.periods):
            return None
        pressures, ranges = list(self._pressures), list(self._ranges)
        parts = []
        for period, weight in zip(self.periods, (4.0, 2.0, 1.0)):
            span = fsum(ranges[-period:])
            parts.append(weight * fsum(pressures[-period:]) / span if span else 0.0)
        return 100.0 * fsum(parts) / 7.0
