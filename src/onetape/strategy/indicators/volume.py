"""What the traded volume says."""

from __future__ import annotations

from collections import deque
from math import fsum, nan
from operator import mul

from onetape.marketdata.session import Session
from onetape.model.market import Bar, Trade
from onetape.strategy.indicators.averages import EMA
from onetape.strategy.indicators.base import BarIndicator, Candle, checked, checked_period


class VWAP(BarIndicator):
    """Volume-weighted average price since the session's opening.

    Of the typical price ``(high + low + close) / 3`` of bars or, by :meth:`update_trade`, of the trades.

    ``session`` (``"UTC"``, ``"America/New_York 09:30"``) says when it starts anew; without one it does so only by
    :meth:`reset`. None while there is no volume.
    """

    __slots__ = ("_session", "_until", "_value", "_volume")

    def __init__(self, session: Session | str | None = None) -> None:
        super().__init__()
        self._session = Session.parse(session) if isinstance(session, str) else session
        self._until = -(2**63)
        self._value = self._volume = 0.0

    def reset(self) -> None:
        self._value = self._volume = 0.0
        self.value = None

    def update(
        self, bar: Candle | float, low: float | None = None, close: float | None = None, volume: float = nan
    ) -> float | None:
        if isinstance(bar, Bar):
            self._anchor(bar.ts_open)
        return super().update(bar, low, close, volume)

    def update_trade(self, trade: Trade) -> float | None:
        self._anchor(trade.ts_event)
        self.value = self._next(trade.price, trade.price, trade.price, trade.size)
        return self.value

    def _anchor(self, ts: int) -> None:
        if self._session is not None and ts >= self._until:
            self._until = self._session.day(ts).next_open
            self.reset()

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        self._volume += checked(self, volume)
        self._value += (high + low + close) / 3.0 * volume
        return self._value / self._volume if self._volume else None


class VWMA(BarIndicator):
    """Mean of the last ``period`` closes weighted by volume; None while there is none."""

    __slots__ = ("_closes", "_volumes", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._closes: deque[float] = deque(maxlen=period)
        self._volumes: deque[float] = deque(maxlen=period)

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        self._volumes.append(checked(self, volume))
        self._closes.append(self._price(high, low, close))
        total = fsum(self._volumes)
        if len(self._closes) < self.period or not total:
            return None
        return fsum(map(mul, self._closes, self._volumes)) / total

    def _price(self, high: float, low: float, close: float) -> float:
        return close


class RollingVWAP(VWMA):
    """Mean of the last ``period`` typical prices weighted by volume."""

    __slots__ = ()

    def _price(self, high: float, low: float, close: float) -> float:
        return (high + low + close) / 3.0


class OBV(BarIndicator):
    """On-balance volume (Granville 1963), from 0: added when the close rises, taken off when it falls."""

    __slots__ = ("_close", "_sum")

    def __init__(self) -> None:
        super().__init__()
        self._close: float | None = None
        self._sum = 0.0

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        checked(self, volume)
        before, self._close = self._close, close
        if before is not None and close != before:
            self._sum += volume if close > before else -volume
        return self._sum


class ADL(BarIndicator):
    """Accumulation/distribution line (Chaikin): sum of volume times where the close lies in the range, -1 to 1."""

    __slots__ = ("_sum",)

    def __init__(self) -> None:
        super().__init__()
        self._sum = 0.0

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        checked(self, volume)
        if high != low:
            self._sum += ((close - low) - (high - close)) / (high - low) * volume
        return self._sum


class ChaikinOscillator(BarIndicator):
    """``EMA(ADL, fast) - EMA(ADL, slow)``."""

    __slots__ = ("_fast", "_line", "_slow")

    def __init__(self, fast: int = 3, slow: int = 10) -> None:
        super().__init__()
        self._line, self._fast, self._slow = ADL(), EMA(fast), EMA(slow)

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        line = self._line.update(high, low, close, volume)
        assert line is not None
        fast, slow = self._fast.update(line), self._slow.update(line)
        return None if fast is None or slow is None else fast - slow


class ForceIndex(BarIndicator):
    """``EMA(change of the close * volume)`` (Elder 1993)."""

    __slots__ = ("_average", "_close")

    def __init__(self, period: int = 13) -> None:
        super().__init__()
        self._average = EMA(period)
        self._close: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        checked(self, volume)
        before, self._close = self._close, close
        return None if before is None else self._average.update((close - before) * volume)


class MFI(BarIndicator):
    """Money flow index (Quong and Soudack 1989), 100 where the typical price never fell.

    The RSI's formula on the sums over ``period`` bars of typical price times volume, by whether that
    price rose or fell.
    """

    __slots__ = ("_falls", "_price", "_rises", "period")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period = checked_period(period)
        self._rises: deque[float] = deque(maxlen=period)
        self._falls: deque[float] = deque(maxlen=period)
        self._price: float | None = None

    def _next(self, high: float, low: float, close: float, volume: float) -> float | None:
        checked(self, volume)
        price = (high + low + close) / 3.0
        before, self._price = self._price, price
        if before is None:
            return None
        self._rises.append(price * volume if price > before else 0.0)
        self._falls.append(price * volume if price < before else 0.0)
        if len(self._falls) < self.period:
            return None
        falls = fsum(self._falls)
        return 100.0 - 100.0 / (1.0 + fsum(self._rises) / falls) if falls else 100.0
