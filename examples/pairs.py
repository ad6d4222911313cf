"""A pairs trade: when the ratio of two prices that move together strays, sell the dear one, buy the cheap one.

onetape synth --tape out/pair --seed 7 --duration 2h --volatility 3 --price 60000 --price 3000 \\
    --instrument BTC-USDT-PERP.SIM,kind=perpetual,tick_size=1,lot_size=0.001 \\
    --instrument ETH-USDT-PERP.SIM,kind=perpetual,tick_size=0.05,lot_size=0.01
onetape backtest examples/pairs.py --tape out/pair
"""

from __future__ import annotations

from onetape.model.market import Bar
from onetape.strategy.base import Strategy
from onetape.strategy.indicators import SMA, StdDev


class Pairs(Strategy):
    first: str = "BTC-USDT-PERP.SIM"
    second: str = "ETH-USDT-PERP.SIM"
    bars: str = "5s"
    period: int = 60
    entry: float = 2.0  # standard deviations from the mean
    notional: float = 5_000.0

    def on_start(self) -> None:
        self.mean, self.deviation = SMA(self.period), StdDev(self.period)
        self.closes: dict[str, float] = {}
        for instrument_id in (self.first, self.second):
            self.subscribe_bars(instrument_id, self.bars)

    def on_bar(self, bar: Bar) -> None:
        self.closes[bar.instrument.id] = bar.close
        if bar.instrument.id != self.second or len(self.closes) < 2:
            return
        ratio = self.closes[self.first] / self.closes[self.second]
        mean, deviation = self.mean.update(ratio), self.deviation.update(ratio)
        if mean is None or not deviation:
            return
        distance = (ratio - mean) / deviation
        held = self.position(self.first).position
        if abs(distance) > self.entry and not held:
            side = -1 if distance > 0 else 1
            self.trade(self.first, side)
            self.trade(self.second, -side)
        elif held * distance > 0 or (held and abs(distance) < 0.2):
            self.close(self.first)
            self.close(self.second)

    def trade(self, instrument_id: str, side: int) -> None:
        size = self.instrument(instrument_id).round_size(self.notional / self.closes[instrument_id])
        send = self.buy if side > 0 else self.sell
        send(instrument_id, size, tag="open")
