"""One instrument at the simulated venue: market data as recorded, row by row, and our orders matched against it.

What the tape has decides how: a level-2 book or best quotes (with trades, for the queue), else trades, else bars.
"""

from __future__ import annotations

from onetape.kernel.clock import NEVER
from onetape.marketdata.book import BookSide
from onetape.model.enums import BookFlag, FillReason, Side
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE
from onetape.model.orders import Order
from onetape.sim.cursor import BarCursor, BookCursor, Cursor, QuoteCursor, TradeCursor
from onetape.sim.matcher import Matcher
from onetape.sim.taken import Taken
from onetape.sim.venue import VenueReports
from onetape.sim.working import WorkingOrder

_NEVER = NEVER
_NO_PRICE = NO_PRICE
_BUY = int(Side.BUY)
_SELL = int(Side.SELL)
_LAST = int(BookFlag.LAST)
_CLEAR = int(BookFlag.CLEAR)
_BAR_OPEN = int(FillReason.BAR_OPEN)
_BAR_PATH = int(FillReason.BAR_PATH)


class Market(Matcher):
    """``next_ts`` is when something next happens here."""

    __slots__ = ("_bars", "_books", "_quotes", "_renewed", "_trades", "next_ts")

    next_ts: int
    _books: BookCursor | None
    _quotes: QuoteCursor | None
    _trades: TradeCursor | None
    _bars: BarCursor | None
    _renewed: bool

    def __init__(
        self,
        instrument: Instrument,
        reports: VenueReports,
        books: BookCursor | None = None,
        quotes: QuoteCursor | None = None,
        trades: TradeCursor | None = None,
        bars: BarCursor | None = None,
    ) -> None:
        depth = books is not None or quotes is not None
        path = bars is not None and not depth and trades is None
        super().__init__(
            instrument, reports, depth=depth, deep=books is not None, trading=trades is not None, path=path
        )
        self._books = books
        self._quotes = None if books is not None else quotes
        self._trades = trades
        self._bars = bars if path else None
        self._renewed = False
        self.next_ts = _NEVER
        self._select()

    def submit(self, order: Order) -> None:
        Matcher.submit(self, order)
        self._select()

    def replace(self, order: Order, order_qty_raw: int, price_raw: int) -> None:
        Matcher.replace(self, order, order_qty_raw, price_raw)
        self._select()

    def cancel(self, order: Order) -> None:
        Matcher.cancel(self, order)
        self._select()

    def has_data(self) -> bool:
        """More market data is to come."""
        cursor = self._select()
        return cursor is not None and cursor.next_ts != _NEVER

    def _select(self) -> Cursor | None:
        """The cursor with the earliest row."""
        first: Cursor | None = None
        if self._books is not None:
            first = self._books
        elif self._quotes is not None:
            first = self._quotes
        elif self._bars is not None:
            first = self._bars
        trades = self._trades
        if trades is not None and (
            first is None
            or trades.next_ts < first.next_ts
            or (trades.next_ts == first.next_ts and trades.next_seq < first.next_seq)
        ):
            first = trades
        self.next_ts = _NEVER if first is None else first.next_ts
        if self._next_expiry < self.next_ts:
            self.next_ts = self._next_expiry
        return first

    def run(self, until: int) -> None:
        """Let the market go on to ``until``, or to the first report that it sends."""
        sent = self._reports.sent
        while True:
            cursor = self._select()
            if self.next_ts > until or self.next_ts == _NEVER:
                return
            if self.next_ts > self.now:
                self.now = self.next_ts
            if self._next_expiry <= self.now:
                self._expire()
            elif cursor is not None:
                self._apply(cursor)
            if self._reports.sent != sent:
                self._select()
                return

    def _apply(self, cursor: Cursor) -> None:
        if cursor is self._books:
            self._apply_book()
        elif cursor is self._trades:
            self._apply_trade()
        elif cursor is self._quotes:
            self._apply_quote()
        else:
            self._apply_bar()

    def catch_up(self, until: int) -> None:
        """Reach ``until`` at once: there is no order to match on the way."""
        if self._quotes is not None:
            quotes: QuoteCursor = self._quotes
            while (self._taken_bids.any or self._taken_asks.any) and quotes.next_ts <= until:
                self._apply_quote()
            while quotes.jump(until):
                self._apply_quote()
        if self._trades is not None:
            trades: TradeCursor = self._trades
            while trades.jump(until):
                self._apply_trade()
        if self._bars is not None:
            bars: BarCursor = self._bars
            while bars.jump(until):
                self._apply_bar()
        if self._books is not None:
            books: BookCursor = self._books
            while books.next_ts <= until:
                self._apply_book()
        if until > self.now:
            self.now = until
        self._select()

    def _move(self, rows: Cursor) -> None:
        """Another version of the instrument: with other decimals, nothing known before is comparable."""
        rows.moved = False
        old, new = self.instrument, rows.instrument
        self.instrument = new
        if (old.price_precision, old.size_precision) != (new.price_precision, new.size_precision):
            self.book.clear()
            self._taken_bids.clear()
            self._taken_asks.clear()
            self._print_raw = _NO_PRICE

    def _apply_book(self) -> None:
        rows: BookCursor = self._books  # type: ignore[assignment]
        if rows.moved:
            self._move(rows)
        i = rows.at
        side = rows.side[i]
        price_raw = rows.price[i]
        size_raw = rows.size[i]
        flags = rows.flags[i]
        self.book.apply_row(side, price_raw, size_raw, flags)
        if flags & _CLEAR:
            self._renewed = True
        if side == _BUY:
            self._resized(self.buys, self._taken_bids, price_raw, size_raw)
        elif side == _SELL:
            self._resized(self.sells, self._taken_asks, price_raw, size_raw)
        rows.step()
        if flags & _LAST:
            if self._renewed:
                self._renewed = False
                self._renew(self.book.bids, self.buys, self._taken_bids)
                self._renew(self.book.asks, self.sells, self._taken_asks)
            if self._orders:
                self._book_changed()

    def _apply_quote(self) -> None:
        rows: QuoteCursor = self._quotes  # type: ignore[assignment]
        if rows.moved:
            self._move(rows)
        i = rows.at
        self._apply_side(self.book.bids, self.buys, self._taken_bids, rows.bid[i], rows.bid_size[i])
        self._apply_side(self.book.asks, self.sells, self._taken_asks, rows.ask[i], rows.ask_size[i])
        rows.step()
        if self._orders:
            self._book_changed()

    def _apply_side(
        self, side: BookSide, orders: list[WorkingOrder], taken: Taken, price_raw: int, size_raw: int
    ) -> None:
        if side.best_price() != price_raw or side.count == 0:
            side.clear()
            if taken.any:
                taken.clear()
            for working in orders:
                if not working.taker and (working.price_raw - price_raw) * working.sign > 0:
                    working.ahead_raw = 0
        if size_raw > 0 or side.count > 0:
            side.set(price_raw, size_raw)
        self._resized(orders, taken, price_raw, size_raw)

    def _apply_trade(self) -> None:
        rows: TradeCursor = self._trades  # type: ignore[assignment]
        if rows.moved:
            self._move(rows)
        i = rows.at
        price_raw = rows.price[i]
        size_raw = rows.size[i]
        side = rows.side[i]
        first = self._print_raw == _NO_PRICE
        self._print_raw = price_raw
        rows.step()
        if not self._orders:
            return
        if first and self._books is None and self._quotes is None:
            self._take_waiting(self.buys)
            self._take_waiting(self.sells)
        used = 0
        if self.buys and side != _BUY:
            used = self._trade_at(self.buys, price_raw, size_raw, used)
        if self.sells and side != _SELL:
            self._trade_at(self.sells, price_raw, size_raw, used)
        if self.stops:
            self._check_stops(price_raw, price_raw, False)

    def _apply_bar(self) -> None:
        rows: BarCursor = self._bars  # type: ignore[assignment]
        if rows.moved:
            self._move(rows)
        at_open = rows.point == 0
        if rows.fresh:
            rows.fresh = False
            volume = rows.volume[rows.at]
            self._volume_left = volume if volume > 0 else _NEVER
        price_raw = rows.price()
        self._print_raw = price_raw
        self._print_reason = _BAR_OPEN if at_open else _BAR_PATH
        rows.step()
        if not self._orders:
            return
        if self.stops:
            self._check_stops(price_raw, price_raw, not at_open)
        self._path_to(self.buys, price_raw)
        self._path_to(self.sells, price_raw)
