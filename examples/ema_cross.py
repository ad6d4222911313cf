"""Two exponential averages of the trade price: long while the fast one is above the slow one, short while below.

onetape synth --tape out/demo-tape --seed 7 --volatility 3 --rate 200
onetape backtest examples/ema_cross.py --tape out/demo-tape --set fast=1000 --set slow=5000
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from onetape.model.market import Trade
from onetape.strategy.base import Strategy
from onetape.strategy.indicators import EMA


class EmaCross(Strategy):
    instrument_id: str = "BTC-USDT-PERP.SIM"
    fast: Annotated[int, Meta(gt=0)] = 500
    slow: Annotated[int, Meta(gt=0)] = 2000
    size: float = 0.1

    def on_start(self) -> None:
        self.fast_ema, self.slow_ema = EMA(self.fast), EMA(self.slow)
        self.subscribe_trades(self.instrument_id)

    def on_trade(self, trade: Trade) -> None:
        fast, slow = self.fast_ema.update(trade.price), self.slow_ema.update(trade.price)
        if fast is None or slow is None:
            return
        held = self.position(trade.instrument).position
        if fast > slow and held <= 0 and not self.open_orders():
            self.buy(trade.instrument, self.size + abs(held), tag="cross up")
        elif fast < slow and held >= 0 and not self.open_orders():
            self.sell(trade.instrument, self.size + abs(held), tag="cross down")
