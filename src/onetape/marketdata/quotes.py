"""Best quotes derived from a level-2 book, for streams that have no quotes of their own."""

from __future__ import annotations

from onetape.kernel.loop import Kernel
from onetape.marketdata.book import Book
from onetape.model.market import Quote


class DerivedQuotes:
    """Publishes a :class:`Quote` after each whole update that changed the best price or size of either side.

    Times and ``sequence`` are the update's. A crossed book is no quote. An empty side has price and size 0.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._best = (0, 0, 0, 0)

    def on_book(self, book: Book) -> None:
        best = (book.bid_raw, book.ask_raw, book.bid_size_raw, book.ask_size_raw)
        if best == self._best or book.overlaps():
            return
        self._best = best
        quote = Quote(book.instrument, *best, book.sequence, book.ts_event, book.ts_recv)
        self._kernel.bus.dispatch(self._kernel.bus.handlers(Quote, book.instrument.index), quote)
