"""What the strategies compute, in plain Python: the same code runs in ours, in the floor and in every peer.

Peers whose strategies are compiled by numba (hftbacktest) or vectorised cannot import a class; they say so.
"""

from __future__ import annotations

from typing import TypeVar

Number = TypeVar("Number", int, float)


class EmaCross:
    """Two exponential averages; `update` gives +1 when the fast one crosses above, -1 below, else 0."""

    __slots__ = ("above", "fast", "fast_weight", "seen", "slow", "slow_weight", "warmup")

    def __init__(self, fast: int, slow: int) -> None:
        self.fast_weight = 2.0 / (fast + 1)
        self.slow_weight = 2.0 / (slow + 1)
        self.warmup = slow
        self.seen = 0
        self.fast = self.slow = 0.0
        self.above = False

    def update(self, price: float) -> int:
        if not self.seen:
            self.fast = self.slow = price
        self.seen += 1
        self.fast += self.fast_weight * (price - self.fast)
        self.slow += self.slow_weight * (price - self.slow)
        above = self.fast > self.slow
        if above is self.above:
            return 0
        self.above = above
        if self.seen <= self.warmup:
            return 0
        return 1 if above else -1


class Alternate:
    """Sides of the orders workload: buy, sell, buy, …"""

    __slots__ = ("buying",)

    def __init__(self) -> None:
        self.buying = False

    def update(self) -> bool:
        """Whether the next order buys."""
        self.buying = not self.buying
        return self.buying


def maker_prices(best_bid: Number, best_ask: Number, tick: Number) -> tuple[Number, Number]:
    """Where the maker of the l2 workload quotes: one tick behind each best."""
    return best_bid - tick, best_ask + tick
