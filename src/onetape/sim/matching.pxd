cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.sim.book_side cimport BookSide, Level, Order
from onetape.sim.match_report cimport LevelChange, MatchReport

cdef int _BUY
cdef int _SELL
cdef int _IOC
cdef int _FOK
cdef int _LAST_TIF
cdef int _STP_NEWEST
cdef int _STP_OLDEST
cdef int _STP_DECREMENT
cdef int64_t _LIMIT_MAX
cdef object _NEW
cdef object _TRADE
cdef object _CANCELED
cdef object _REPLACED
cdef object _REJECTED
cdef object _CANCEL_REJECTED
cdef object _REPLACE_REJECTED
cdef object _NO_REASON

@cython.final
cdef class MatchingEngine:
    cdef readonly Instrument instrument
    cdef readonly BookSide bids
    cdef readonly BookSide asks
    cdef readonly list changes
    cdef readonly int64_t trade_count
    cdef int64_t _tick
    cdef int64_t _lot
    cdef int64_t _min_qty
    cdef int64_t _max_qty
    cdef int64_t _command
    cdef dict _orders
    cdef list _reports
    cdef list _touched

    cpdef update_instrument(self, Instrument instrument)
    @cython.locals(order=Order)
    cpdef list limit(self, int64_t order_id, int side, int64_t price_raw, int64_t size_raw, int tif=*, int64_t owner=*, bint post_only=*, int stp=*)
    @cython.locals(order=Order)
    cpdef list market(self, int64_t order_id, int side, int64_t size_raw, int tif=*, int64_t owner=*, int stp=*)
    @cython.locals(order=Order)
    cpdef list cancel(self, int64_t order_id)
    @cython.locals(order=Order)
    cpdef list reduce(self, int64_t order_id, int64_t size_raw)
    @cython.locals(order=Order, level=Level, side=cython.int, total=int64_t)
    cpdef list replace(self, int64_t order_id, int64_t price_raw, int64_t size_raw)
    cpdef Order order(self, int64_t order_id)
    @cython.locals(book=BookSide, level=Level, place=cython.Py_ssize_t, last=cython.Py_ssize_t, found=list)
    cpdef list levels(self, int side, int depth=*)
    @cython.locals(level=Level, order=Order, found=list)
    cpdef list queue(self, int side, int64_t price_raw)

    cdef object _refusal(self, int64_t order_id, int side, int64_t size_raw, int tif, int stp)
    cdef object _size_refusal(self, int64_t size_raw)
    @cython.locals(other=BookSide, best=Level)
    cdef object _price_refusal(self, int side, int64_t price_raw, bint post_only)
    cdef bint _overflows(self, int side, int64_t size_raw) except -1
    @cython.locals(other=BookSide, level=Level, bound=int64_t, stopped=cython.bint)
    cdef void _execute(self, Order order, int64_t price_raw, int tif) except *
    @cython.locals(maker=Order, following=Order)
    cdef bint _take(self, Order taker, Level level) except -1
    @cython.locals(size=int64_t, report=MatchReport)
    cdef void _trade(self, Order taker, Order maker) except *
    @cython.locals(taken=int64_t, rested=int64_t, total=int64_t)
    cdef bint _prevent(self, Order taker, Order maker) except -1
    @cython.locals(left=int64_t, watched=cython.bint, place=cython.Py_ssize_t, level=Level, maker=Order)
    cdef bint _fillable(self, Order taker, BookSide other, int64_t bound) except -1
    cdef void _attach(self, Order order, Level level) except *
    cdef void _detach(self, Order order) except *
    cdef void _cancel_order(self, Order order, object reason) except *
    @cython.locals(size=int64_t)
    cdef void _close(self, Order order, object reason) except *
    @cython.locals(total=int64_t)
    cdef void _shrink(self, Order order, int64_t size_raw, object reason) except *
    cdef BookSide _side(self, int side)
    cdef void _begin(self) except *
    cdef void _touch(self, Level level) except *
    @cython.locals(level=Level, change=LevelChange)
    cdef list _finish(self)
    @cython.locals(order=Order)
    cdef Order _order(self, int64_t order_id, int64_t owner, int side, int64_t price_raw, int64_t size_raw, bint post_only, int stp)
    @cython.locals(report=MatchReport)
    cdef MatchReport _report(self, object exec_type, int64_t order_id, int64_t owner, int side, int64_t price_raw, int64_t size_raw, int64_t remaining_raw, object reason)
