cimport cython
from libc.stdint cimport int64_t

from onetape.marketdata.book cimport Book, BookSide
from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport Order
from onetape.sim.taken cimport Taken
from onetape.sim.venue cimport VenueReports
from onetape.sim.working cimport WorkingOrder

cdef int64_t _NEVER
cdef int64_t _NO_PRICE
cdef int64_t _UNSEEN
cdef int64_t _NEVER_EXPIRES
cdef int _IOC
cdef int _FOK
cdef int _MAKER
cdef int _TAKER
cdef int _NEW
cdef int _CANCELED
cdef int _REJECTED
cdef int _EXPIRED
cdef int _TRIGGERED
cdef int _CANCEL_REJECTED
cdef int _REPLACE_REJECTED
cdef int _CROSSED_SPREAD
cdef int _QUEUE_EXHAUSTED
cdef int _TRADED_THROUGH
cdef int _BOOK_CROSSED
cdef int _LAST_TRADE

cdef class Matcher:
    cdef readonly Instrument instrument
    cdef readonly Book book
    cdef readonly list buys
    cdef readonly list sells
    cdef readonly list stops
    cdef readonly int64_t now
    cdef readonly int64_t position_raw
    cdef dict _orders
    cdef VenueReports _reports
    cdef bint _depth
    cdef bint _deep
    cdef bint _trading
    cdef bint _path
    cdef Taken _taken_bids
    cdef Taken _taken_asks
    cdef int64_t _print_raw
    cdef int _print_reason
    cdef int64_t _volume_left
    cdef int64_t _next_expiry

    cpdef bint idle(self) noexcept
    cpdef reach(self, int64_t now)
    @cython.locals(working=WorkingOrder)
    cdef _resized(self, list orders, Taken taken, int64_t price_raw, int64_t size_raw)
    @cython.locals(size_raw=int64_t, working=WorkingOrder)
    cdef _renew(self, BookSide side, list orders, Taken taken)
    @cython.locals(book=Book)
    cdef _book_changed(self)
    cdef bint _crossed(self) except -1
    @cython.locals(working=WorkingOrder)
    cdef _cross(self, list orders, int64_t best_raw)
    @cython.locals(working=WorkingOrder)
    cdef _take_waiting(self, list orders)
    @cython.locals(i=int64_t, working=WorkingOrder, better=int64_t, free=int64_t, reason=int)
    cdef int64_t _trade_at(self, list orders, int64_t price_raw, int64_t size_raw, int64_t used) except -1
    @cython.locals(i=int64_t, working=WorkingOrder, free=int64_t)
    cdef _path_to(self, list orders, int64_t price_raw)
    cdef _spend_volume(self, int64_t qty_raw)
    @cython.locals(working=WorkingOrder, open_raw=int64_t, reference_buy=int64_t, reference_sell=int64_t)
    cpdef submit(self, Order order)
    cdef tuple _references(self)
    @cython.locals(best_raw=int64_t, side=BookSide)
    cdef bint _marketable(self, WorkingOrder working) except -1
    @cython.locals(order=Order, orders=list, at=int64_t, before=WorkingOrder)
    cdef _enter(self, WorkingOrder working)
    @cython.locals(side=BookSide)
    cdef _queue(self, WorkingOrder working)
    @cython.locals(side=BookSide, taken=Taken, total=int64_t, rank=int64_t, price_raw=int64_t)
    cdef int64_t _available(self, WorkingOrder working) except -1
    @cython.locals(free=int64_t, buying=bint, side=BookSide, taken=Taken, rank=int64_t, price_raw=int64_t)
    cdef _take(self, WorkingOrder working)
    @cython.locals(order=Order, open_raw=int64_t)
    cdef int64_t _fill(self, WorkingOrder working, int64_t qty_raw, int64_t price_raw, int liquidity, int reason, int64_t reason_raw) except? -1
    cdef _book_fill(self, WorkingOrder working, int64_t qty_raw, int64_t price_raw, int liquidity, int reason, int64_t reason_raw)
    @cython.locals(i=int64_t, working=WorkingOrder, reference_raw=int64_t)
    cdef _check_stops(self, int64_t reference_buy, int64_t reference_sell, bint path)
    @cython.locals(working=WorkingOrder)
    cpdef cancel(self, Order order)
    @cython.locals(working=WorkingOrder, leaves_raw=int64_t, keeps=bint, former=int64_t, crosses=bint)
    cpdef replace(self, Order order, int64_t order_qty_raw, int64_t price_raw)
    @cython.locals(orders=list, at=int64_t)
    cdef _remove(self, WorkingOrder working)
    cdef _end(self, WorkingOrder working, int exec_code, str text)
    @cython.locals(working=WorkingOrder)
    cdef _expire(self)
