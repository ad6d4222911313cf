"""A market maker on the order book: one quote on each side of the size-weighted mid, leaning against its position.

onetape synth --tape out/demo-tape --seed 7 --volatility 3 --rate 200
onetape backtest examples/market_maker.py --tape out/demo-tape --latency 2ms
"""

from __future__ import annotations

from decimal import Decimal

from onetape.model.enums import Side
from onetape.model.orders import Order
from onetape.model.system import Timer
from onetape.strategy.base import Strategy


class MarketMaker(Strategy):
    instrument_id: str = "BTC-USDT-PERP.SIM"
    size: float = 0.02
    edge: int = 2  # ticks from the fair price
    skew: int = 1  # ticks that the fair price moves against each size held
    max_position: float = 0.2
    interval: str = "250ms"

    def on_start(self) -> None:
        self.market = self.instrument(self.instrument_id)
        self.depth = self.book(self.market)
        self.tick = float(self.market.round_price(self.market.price_to_float(self.market.tick_raw)))
        self.quotes: dict[Side, Order | None] = {Side.BUY: None, Side.SELL: None}
        self.every(self.interval, name="requote")

    def on_timer(self, timer: Timer) -> None:
        book = self.depth
        if not book.bid_size_raw or not book.ask_size_raw:
            return
        held = self.position(self.market).position
        weight = book.bid_size / (book.bid_size + book.ask_size)
        fair = book.bid + weight * (book.ask - book.bid) - held / self.size * self.skew * self.tick
        bid = self.market.round_price(min(fair - self.edge * self.tick, book.bid), Side.BUY)
        ask = self.market.round_price(max(fair + self.edge * self.tick, book.ask), Side.SELL)
        self.quote(Side.BUY, bid if held < self.max_position else None)
        self.quote(Side.SELL, ask if held > -self.max_position else None)

    def quote(self, side: Side, price: Decimal | None) -> None:
        order = self.quotes[side]
        if order is not None and order.is_open:
            if price is not None and order.price_raw == self.market.price_raw(price):
                return
            self.cancel(order)
        if price is not None:
            send = self.buy if side is Side.BUY else self.sell
            self.quotes[side] = send(self.market, self.size, price, post_only=True)

    def on_stop(self) -> None:
        self.cancel_all()
