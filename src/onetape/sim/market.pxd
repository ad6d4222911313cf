cimport cython
from libc.stdint cimport int64_t

from onetape.marketdata.book cimport BookSide
from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport Order
from onetape.sim.cursor cimport BarCursor, BookCursor, Cursor, QuoteCursor, TradeCursor
from onetape.sim.matcher cimport Matcher
from onetape.sim.taken cimport Taken
from onetape.sim.venue cimport VenueReports
from onetape.sim.working cimport WorkingOrder

cdef int64_t _NEVER
cdef int64_t _NO_PRICE
cdef int _BUY
cdef int _SELL
cdef int _LAST
cdef int _CLEAR
cdef int _BAR_OPEN
cdef int _BAR_PATH

cdef class Market(Matcher):
    cdef readonly int64_t next_ts
    cdef BookCursor _books
    cdef QuoteCursor _quotes
    cdef TradeCursor _trades
    cdef BarCursor _bars
    cdef bint _renewed

    cpdef submit(self, Order order)
    cpdef cancel(self, Order order)
    cpdef replace(self, Order order, int64_t order_qty_raw, int64_t price_raw)
    @cython.locals(first=Cursor, trades=TradeCursor)
    cdef Cursor _select(self)
    @cython.locals(cursor=Cursor)
    cpdef bint has_data(self) except -1
    @cython.locals(sent=int64_t, cursor=Cursor)
    cpdef run(self, int64_t until)
    cdef _apply(self, Cursor cursor)
    @cython.locals(quotes=QuoteCursor, trades=TradeCursor, bars=BarCursor, books=BookCursor)
    cpdef catch_up(self, int64_t until)
    @cython.locals(rows=BookCursor, i=int64_t, side=int, price_raw=int64_t, size_raw=int64_t, flags=int)
    cdef _apply_book(self)
    cdef _move(self, Cursor rows)
    @cython.locals(rows=QuoteCursor, i=int64_t)
    cdef _apply_quote(self)
    @cython.locals(working=WorkingOrder)
    cdef _apply_side(self, BookSide side, list orders, Taken taken, int64_t price_raw, int64_t size_raw)
    @cython.locals(rows=TradeCursor, i=int64_t, price_raw=int64_t, size_raw=int64_t, side=int, used=int64_t, first=bint)
    cdef _apply_trade(self)
    @cython.locals(rows=BarCursor, at_open=bint, volume=int64_t, price_raw=int64_t)
    cdef _apply_bar(self)
