cimport cython
from libc.stdint cimport int64_t

from onetape.model.orders cimport Order

cdef int64_t _NO_PRICE
cdef int _STOP
cdef int _STOP_LIMIT
cdef int _TRAILING_STOP
cdef int _GTD
cdef int _DAY
cdef int64_t _DAY_NS

@cython.final
@cython.no_gc
@cython.freelist(16)
cdef class WorkingOrder:
    cdef readonly Order order
    cdef readonly int64_t sign
    cdef public int64_t qty_raw
    cdef public int64_t leaves_raw
    cdef public int64_t price_raw
    cdef public int64_t stop_px_raw
    cdef public int64_t ahead_raw
    cdef readonly int64_t extreme_raw
    cdef public int64_t expiry
    cdef public bint waits
    cdef public bint taker
    cdef public bint resting

    @cython.locals(kind=int)
    cpdef begin(self, Order order, int64_t ts)
    cpdef follow(self, int64_t price_raw)
