"""Level-2 order book: any depth, from snapshots and deltas, exact."""

from __future__ import annotations

from array import array

from onetape.model.enums import BookFlag, Side
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot
from onetape.model.numbers import to_float

_SELL = int(Side.SELL)
_CLEAR = int(BookFlag.CLEAR)
_NEAR = 8
#: Uncompiled, moving a slice is faster than moving elements.
_COMPILED = not __file__.endswith(".py")


class BookSide:
    """One side's levels, sorted with the best last so that most updates move little memory.

    Keys are ``sign * price``: +1 for bids, -1 for asks, so the best is the greatest key on both sides.
    """

    __slots__ = ("_capacity", "_keys", "_sizes", "count", "sign")

    count: int
    sign: int
    _capacity: int
    _keys: array[int]
    _sizes: array[int]

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.count = 0
        self._capacity = 64
        self._keys = array("q", bytes(8 * self._capacity))
        self._sizes = array("q", bytes(8 * self._capacity))

    def _find(self, key: int) -> int:
        """Index of the first key that is not below ``key``."""
        high = self.count
        low = high - _NEAR
        if low < 0:
            low = 0
        if low == 0 or self._keys[low] < key:
            while high > low and self._keys[high - 1] >= key:
                high -= 1
            return high
        high = low
        low = 0
        while low < high:
            middle = (low + high) >> 1
            if self._keys[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def set(self, price_raw: int, size_raw: int) -> int:
        """Set the size of a level, 0 to remove it; returns the size it had."""
        key = self.sign * price_raw
        at = self._find(key)
        if at < self.count and self._keys[at] == key:
            old = self._sizes[at]
            if size_raw != 0:
                self._sizes[at] = size_raw
            else:
                self.count -= 1
                i = at
                if not _COMPILED:
                    self._keys[at : self.count] = self._keys[at + 1 : self.count + 1]
                    self._sizes[at : self.count] = self._sizes[at + 1 : self.count + 1]
                    i = self.count
                while i < self.count:
                    self._keys[i] = self._keys[i + 1]
                    self._sizes[i] = self._sizes[i + 1]
                    i += 1
            return old
        if size_raw != 0:
            if self.count == self._capacity:
                self._grow()
            i = self.count
            if not _COMPILED:
                self._keys[at + 1 : i + 1] = self._keys[at:i]
                self._sizes[at + 1 : i + 1] = self._sizes[at:i]
                i = at
            while i > at:
                self._keys[i] = self._keys[i - 1]
                self._sizes[i] = self._sizes[i - 1]
                i -= 1
            self._keys[at] = key
            self._sizes[at] = size_raw
            self.count += 1
        return 0

    def load(self, levels: tuple[tuple[int, int], ...]) -> None:
        """Have these levels and no others; from the best outwards, as venues send them, each is only appended."""
        self.count = 0
        for i in range(len(levels) - 1, -1, -1):
            price_raw, size_raw = levels[i]
            key = self.sign * price_raw
            if size_raw == 0 or (self.count > 0 and key <= self._keys[self.count - 1]):
                break
            if self.count == self._capacity:
                self._grow()
            self._keys[self.count] = key
            self._sizes[self.count] = size_raw
            self.count += 1
        if self.count < len(levels):
            self.count = 0
            for price_raw, size_raw in levels:
                self.set(price_raw, size_raw)

    def _grow(self) -> None:
        self._capacity *= 2
        keys = array("q", bytes(8 * self._capacity))
        sizes = array("q", bytes(8 * self._capacity))
        for i in range(self.count):
            keys[i] = self._keys[i]
            sizes[i] = self._sizes[i]
        self._keys = keys
        self._sizes = sizes

    def size_at(self, price_raw: int) -> int:
        key = self.sign * price_raw
        at = self._find(key)
        if at < self.count and self._keys[at] == key:
            return self._sizes[at]
        return 0

    def best_price(self) -> int:
        """Raw price of the best level; 0 if the side is empty (see ``count``)."""
        return self.sign * self._keys[self.count - 1] if self.count else 0

    def best_size(self) -> int:
        return self._sizes[self.count - 1] if self.count else 0

    def price_of(self, rank: int) -> int:
        """Raw price of the level ``rank`` steps behind the best; 0 where there is none."""
        return self.sign * self._keys[self.count - 1 - rank] if 0 <= rank < self.count else 0

    def size_of(self, rank: int) -> int:
        return self._sizes[self.count - 1 - rank] if 0 <= rank < self.count else 0

    def shows(self, price_raw: int) -> bool:
        """Whether a level at that price would be in view: none is beyond the last that is shown."""
        return self.count == 0 or self.sign * price_raw >= self._keys[0]

    def clear(self) -> None:
        self.count = 0

    def levels(self, depth: int) -> tuple[tuple[int, int], ...]:
        """Up to ``depth`` levels (0: all) from the best outwards, raw."""
        shown = self.count if depth <= 0 or depth > self.count else depth
        return tuple([(self.price_of(rank), self.size_of(rank)) for rank in range(shown)])


class Book:
    """Both sides of one instrument. Raw numbers end in ``_raw``; the others are float views."""

    __slots__ = ("asks", "bids", "instrument", "sequence", "ts_event", "ts_recv")

    instrument: Instrument
    bids: BookSide
    asks: BookSide
    sequence: int
    ts_event: int
    ts_recv: int

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.bids = BookSide(1)
        self.asks = BookSide(-1)
        self.sequence = 0
        self.ts_event = 0
        self.ts_recv = 0

    def apply(self, event: BookSnapshot | BookDelta) -> None:
        """Take in one event; the caller has checked its sequence (see ``marketdata.sync``)."""
        bids = event.bids
        asks = event.asks
        if isinstance(event, BookSnapshot):
            self.bids.load(bids)
            self.asks.load(asks)
        else:
            for price_raw, size_raw in bids:
                self.bids.set(price_raw, size_raw)
            for price_raw, size_raw in asks:
                self.asks.set(price_raw, size_raw)
        self.instrument = event.instrument
        self.sequence = event.sequence
        self.ts_event = event.ts_event
        self.ts_recv = event.ts_recv

    def apply_row(self, side: int, price_raw: int, size_raw: int, flags: int) -> None:
        """Take in one row of a ``book`` column run."""
        if flags & _CLEAR:
            self.clear()
        if side == _SELL:
            self.asks.set(price_raw, size_raw)
        elif side:
            self.bids.set(price_raw, size_raw)

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

    def overlaps(self) -> bool:
        """The best bid is at or above the best ask."""
        return self.bids.count > 0 and self.asks.count > 0 and self.bids.best_price() >= self.asks.best_price()

    @property
    def crossed(self) -> bool:
        """The best bid is at or above the best ask."""
        return self.overlaps()

    @property
    def bid_raw(self) -> int:
        return self.bids.best_price()

    @property
    def ask_raw(self) -> int:
        return self.asks.best_price()

    @property
    def bid_size_raw(self) -> int:
        return self.bids.best_size()

    @property
    def ask_size_raw(self) -> int:
        return self.asks.best_size()

    @property
    def bid(self) -> float:
        return to_float(self.bids.best_price(), self.instrument.price_precision)

    @property
    def ask(self) -> float:
        return to_float(self.asks.best_price(), self.instrument.price_precision)

    @property
    def bid_size(self) -> float:
        return to_float(self.bids.best_size(), self.instrument.size_precision)

    @property
    def ask_size(self) -> float:
        return to_float(self.asks.best_size(), self.instrument.size_precision)

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> float:
        return to_float(self.asks.best_price() - self.bids.best_price(), self.instrument.price_precision)

    def levels(self, side: Side, depth: int = 0) -> list[tuple[float, float]]:
        """``(price, size)`` from the best outwards, ``depth`` of them (0: all)."""
        rows = (self.asks if side == Side.SELL else self.bids).levels(depth)
        return [(self.instrument.price_to_float(price), self.instrument.size_to_float(size)) for price, size in rows]

    def __repr__(self) -> str:
        price = self.instrument.format_price
        return (
            f"Book({self.instrument.id}, {price(self.bid_raw)} / {price(self.ask_raw)}, "
            f"{self.bids.count} bids, {self.asks.count} asks)"
        )
