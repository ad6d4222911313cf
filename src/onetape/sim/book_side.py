"""One side of an order-by-order book: price levels in order, and in each a queue of orders by time."""

from __future__ import annotations

from onetape.model.enums import Side

_BUY = 1
_SIDES = tuple(Side)


class Order:
    """A resting order, a link of its level's queue. Total size is ``filled_raw + remaining_raw``."""

    __slots__ = (
        "filled_raw",
        "level",
        "next",
        "order_id",
        "owner",
        "post_only",
        "previous",
        "price_raw",
        "remaining_raw",
        "side",
        "stp",
    )

    order_id: int
    owner: int
    side: int
    price_raw: int
    remaining_raw: int
    filled_raw: int
    post_only: bool
    stp: int
    level: Level
    previous: Order | None
    next: Order | None

    def __repr__(self) -> str:
        return (
            f"Order({self.order_id}, {_SIDES[self.side].name}, price_raw={self.price_raw}, "
            f"remaining_raw={self.remaining_raw}, filled_raw={self.filled_raw})"
        )


class Level:
    """A price with its queue, oldest order first. ``command`` is the last that touched it."""

    __slots__ = ("command", "head", "key", "price_raw", "side", "size_raw", "tail")

    key: int
    side: int
    price_raw: int
    size_raw: int
    command: int
    head: Order | None
    tail: Order | None


class BookSide:
    """Levels ordered by ``key``, which grows towards the best: the price of a bid, minus the price of an ask.

    They lie in a list with the best last: found by bisection, and little moves when one near the best comes or
    goes. ``count`` is the number of orders, ``total_raw`` their summed size.
    """

    __slots__ = ("_levels", "count", "side", "total_raw")

    side: int
    count: int
    total_raw: int

    def __init__(self, side: int) -> None:
        self.side = side
        self.count = 0
        self.total_raw = 0
        self._levels: list[Level] = []

    def key(self, price_raw: int) -> int:
        return price_raw if self.side == _BUY else -price_raw

    def best(self) -> Level | None:
        count = len(self._levels)
        return self._levels[count - 1] if count else None

    def level_count(self) -> int:
        return len(self._levels)

    def level_at(self, place: int) -> Level:
        """``place`` counts from 0, the worst, and must exist."""
        return self._levels[place]

    def find(self, price_raw: int) -> Level | None:
        key = self.key(price_raw)
        place = self._bisect(key)
        if place < len(self._levels):
            level = self._levels[place]
            if level.key == key:
                return level
        return None

    def open_level(self, price_raw: int) -> Level:
        """The level of a price, made if it is not there."""
        key = self.key(price_raw)
        place = self._bisect(key)
        if place < len(self._levels):
            level = self._levels[place]
            if level.key == key:
                return level
        level = Level.__new__(Level)
        level.key = key
        level.side = self.side
        level.price_raw = price_raw
        level.size_raw = 0
        level.command = 0
        level.head = None
        level.tail = None
        self._levels.insert(place, level)
        return level

    def drop_empty(self, level: Level) -> None:
        """Take a level out if no order is left on it."""
        if level.head is None:
            place = len(self._levels) - 1
            if self._levels[place] is not level:
                place = self._bisect(level.key)
            del self._levels[place]

    def attach(self, order: Order, level: Level) -> None:
        """Put an order at the end of a level's queue."""
        order.level = level
        order.previous = level.tail
        order.next = None
        if level.tail is None:
            level.head = order
        else:
            level.tail.next = order
        level.tail = order
        level.size_raw += order.remaining_raw
        self.count += 1
        self.total_raw += order.remaining_raw

    def detach(self, order: Order) -> None:
        """Take an order out of its queue; the level stays, be it empty."""
        level = order.level
        if order.previous is None:
            level.head = order.next
        else:
            order.previous.next = order.next
        if order.next is None:
            level.tail = order.previous
        else:
            order.next.previous = order.previous
        order.previous = None
        order.next = None
        level.size_raw -= order.remaining_raw
        self.count -= 1
        self.total_raw -= order.remaining_raw

    def shrink(self, order: Order, size_raw: int) -> None:
        """Make an order smaller in its place."""
        order.remaining_raw -= size_raw
        order.level.size_raw -= size_raw
        self.total_raw -= size_raw

    def _bisect(self, key: int) -> int:
        low, high = 0, len(self._levels)
        while low < high:
            middle = (low + high) >> 1
            level = self._levels[middle]
            if level.key < key:
                low = middle + 1
            else:
                high = middle
        return low
