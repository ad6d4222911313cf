"""Netting positions at average cost, exact.

``cost`` is the signed contract value of what is open, so the average price is implied and never rounded. A
reduction takes its share of the cost, rounded half to even at the 18th decimal; the rest stays: nothing is lost.
"""

from __future__ import annotations

from onetape.model.instrument import Instrument
from onetape.model.numbers import divide_half_even, format_money, power_of_ten, to_float


class Position:
    """``position_raw`` is signed; ``realized`` and ``fees`` are money in the settle currency of the instrument.

    Fees in another currency are in the ledger only. ``volume_raw`` is all that was traded.
    """

    __slots__ = ("cost", "fees", "fills", "instrument", "position_raw", "realized", "volume_raw")

    instrument: Instrument
    position_raw: int
    cost: int
    realized: int
    fees: int
    fills: int
    volume_raw: int

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.position_raw = 0
        self.cost = 0
        self.realized = 0
        self.fees = 0
        self.fills = 0
        self.volume_raw = 0

    def trade(self, signed_raw: int, price_raw: int, value: int) -> int:
        """Add a trade of ``signed_raw`` (its contract value ``value`` signed alike); returns the profit realised."""
        held = self.position_raw
        self.fills += 1
        self.volume_raw += signed_raw if signed_raw > 0 else -signed_raw
        if held == 0 or (held > 0) == (signed_raw > 0):
            self.position_raw = held + signed_raw
            self.cost = self.cost + value
            return 0
        left = held + signed_raw
        if left == 0 or (left > 0) == (held > 0):
            share = self.cost if left == 0 else self._share(self.cost, -signed_raw, held)
            profit = self._profit(share, -value)
            self.cost = self.cost - share
        else:
            closing_value = self.instrument.notional(price_raw, -held)
            profit = self._profit(self.cost, -closing_value)
            self.cost = value - closing_value
        self.position_raw = left
        self.realized = self.realized + profit
        return profit

    def _share(self, cost: int, part: int, whole: int) -> int:
        if whole < 0:
            return divide_half_even(-cost * part, -whole)
        return divide_half_even(cost * part, whole)

    def _profit(self, entry_value: int, exit_value: int) -> int:
        """Linear contracts gain as the value rises; inverse ones, valued in coin, as it falls."""
        return entry_value - exit_value if self.instrument.inverse else exit_value - entry_value

    def unrealized(self, twice_mark_raw: int) -> int:
        """Profit of what is open at a price given doubled, so that a mid is exact; 0 where that is 0, not known."""
        if self.position_raw == 0 or twice_mark_raw == 0:
            return 0
        if self.instrument.inverse:
            if twice_mark_raw < 0:
                return 0
            value = 2 * self.instrument.notional(twice_mark_raw, self.position_raw)
        else:
            value = divide_half_even(self.instrument.notional(twice_mark_raw, self.position_raw), 2)
        return self._profit(self.cost, value)

    @property
    def position(self) -> float:
        return to_float(self.position_raw, self.instrument.size_precision)

    @property
    def avg_px(self) -> float | None:
        """Average price of what is open."""
        if self.position_raw == 0:
            return None
        if self.instrument.inverse:
            size = self.position_raw * self.instrument.multiplier / power_of_ten(self.instrument.size_precision)
            return size / self.cost
        size = self.position_raw * self.instrument.multiplier / power_of_ten(self.instrument.size_precision)
        return self.cost / size if size else None

    def __repr__(self) -> str:
        size = self.instrument.format_size(self.position_raw)
        return f"Position({self.instrument.id}, {size}, realized {format_money(self.realized)})"
