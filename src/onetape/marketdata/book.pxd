cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.numbers cimport to_float

cdef int _SELL
cdef int _CLEAR
cdef int64_t _NEAR
cdef bint _COMPILED

@cython.final
@cython.no_gc
cdef class BookSide:
    cdef readonly int64_t count
    cdef readonly int64_t sign
    cdef int64_t _capacity
    cdef int64_t[::1] _keys
    cdef int64_t[::1] _sizes

    @cython.locals(low=int64_t, high=int64_t, middle=int64_t)
    cdef int64_t _find(self, int64_t key) noexcept
    @cython.locals(key=int64_t, at=int64_t, old=int64_t, i=int64_t)
    cpdef int64_t set(self, int64_t price_raw, int64_t size_raw) except? -1
    @cython.locals(i=int64_t, price_raw=int64_t, size_raw=int64_t, key=int64_t)
    cpdef load(self, tuple levels)
    @cython.locals(i=int64_t)
    cdef _grow(self)
    @cython.locals(key=int64_t, at=int64_t)
    cpdef int64_t size_at(self, int64_t price_raw) noexcept
    cpdef int64_t best_price(self) noexcept
    cpdef int64_t best_size(self) noexcept
    cpdef int64_t price_of(self, int64_t rank) noexcept
    cpdef int64_t size_of(self, int64_t rank) noexcept
    cpdef bint shows(self, int64_t price_raw) noexcept
    cpdef clear(self)

@cython.final
cdef class Book:
    cdef public Instrument instrument
    cdef readonly BookSide bids
    cdef readonly BookSide asks
    cdef public int64_t sequence
    cdef public int64_t ts_event
    cdef public int64_t ts_recv

    @cython.locals(bids=tuple, asks=tuple, price_raw=int64_t, size_raw=int64_t)
    cpdef apply(self, object event)
    cpdef bint overlaps(self) noexcept
    cpdef apply_row(self, int side, int64_t price_raw, int64_t size_raw, int flags)
    cpdef clear(self)
