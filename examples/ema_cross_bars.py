"""The same cross on bars, which are built from the trades where the tape has none; the stop is an ATR away.

onetape synth --tape out/demo-tape --seed 7 --volatility 3 --rate 200
onetape backtest examples/ema_cross_bars.py --tape out/demo-tape --set bars=30s
"""

from __future__ import annotations

from onetape.model.market import Bar
from onetape.model.orders import Order
from onetape.strategy.base import Strategy
from onetape.strategy.indicators import ATR, EMA


class EmaCrossBars(Strategy):
    instrument_id: str = "BTC-USDT-PERP.SIM"
    bars: str = "10s"
    fast: int = 10
    slow: int = 30
    size: float = 0.1
    stop_atrs: float = 4.0

    def on_start(self) -> None:
        self.fast_ema, self.slow_ema, self.atr = EMA(self.fast), EMA(self.slow), ATR(14)
        self.stop: Order | None = None
        self.subscribe_bars(self.instrument_id, self.bars)

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self.fast_ema.update(bar.close), self.slow_ema.update(bar.close)
        atr = self.atr.update(bar)
        if fast is None or slow is None or atr is None:
            return
        held = self.position(bar.instrument).position
        if fast > slow and held <= 0:
            self.cancel_all()
            self.buy(bar.instrument, self.size + abs(held), tag="cross up")
            stop = bar.instrument.round_price(bar.close - self.stop_atrs * atr)
            self.stop = self.sell(bar.instrument, self.size, stop=stop, tag="stop")
        elif fast < slow and held >= 0:
            self.cancel_all()
            self.sell(bar.instrument, self.size + abs(held), tag="cross down")
            stop = bar.instrument.round_price(bar.close + self.stop_atrs * atr)
            self.stop = self.buy(bar.instrument, self.size, stop=stop, tag="stop")
