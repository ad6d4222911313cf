"""What we took of the liquidity that one side of a recorded market shows: it is not there for us again."""

from __future__ import annotations

from onetape.marketdata.book import BookSide


class Taken:
    """Sizes by raw price. ``any`` while there is something in it."""

    __slots__ = ("_sizes", "any")

    any: bool
    _sizes: dict[int, int]

    def __init__(self) -> None:
        self.any = False
        self._sizes = {}

    def at(self, price_raw: int) -> int:
        return self._sizes.get(price_raw, 0) if self.any else 0

    def add(self, price_raw: int, size_raw: int) -> None:
        self._sizes[price_raw] = self._sizes.get(price_raw, 0) + size_raw
        self.any = True

    def resized(self, price_raw: int, size_raw: int) -> None:
        """The venue shows another size: we can't have taken more than that of it."""
        if self._sizes.get(price_raw, 0) > size_raw:
            if size_raw > 0:
                self._sizes[price_raw] = size_raw
            else:
                del self._sizes[price_raw]
                self.any = len(self._sizes) > 0

    def renewed(self, side: BookSide) -> None:
        """The venue shows a whole side: what it could show and doesn't is gone."""
        for price_raw in list(self._sizes):
            if side.shows(price_raw):
                self.resized(price_raw, side.size_at(price_raw))

    def clear(self) -> None:
        self._sizes.clear()
        self.any = False
