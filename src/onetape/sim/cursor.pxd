cimport cython
from libc.stdint cimport int8_t, int64_t

from onetape.model.instrument cimport Instrument

cdef int64_t _NEVER
cdef bint _COMPILED
cdef int64_t _PATH_LENGTH

cdef class Cursor:
    cdef readonly int64_t at
    cdef readonly int64_t next_ts
    cdef readonly int64_t next_seq
    cdef readonly Instrument instrument
    cdef public bint moved
    cdef object _run
    cdef int64_t _rows
    cdef int64_t _latest
    cdef const int64_t[::1] _ts
    cdef const int64_t[::1] _seq

    cdef _enter(self, object run)
    cpdef _load(self, object run)
    cdef _look(self)
    cpdef step(self)
    cdef _turn(self)
    @cython.locals(low=int64_t, high=int64_t, middle=int64_t, step=int64_t)
    cpdef bint jump(self, int64_t until) except -1

cdef class QuoteCursor(Cursor):
    cdef const int64_t[::1] bid
    cdef const int64_t[::1] ask
    cdef const int64_t[::1] bid_size
    cdef const int64_t[::1] ask_size

cdef class TradeCursor(Cursor):
    cdef const int64_t[::1] price
    cdef const int64_t[::1] size
    cdef const int8_t[::1] side

cdef class BookCursor(Cursor):
    cdef const int8_t[::1] side
    cdef const int64_t[::1] price
    cdef const int64_t[::1] size
    cdef const int8_t[::1] flags

cdef class BarCursor(Cursor):
    cdef readonly int64_t point
    cdef public bint fresh
    cdef const int64_t[::1] ts_open
    cdef const int64_t[::1] open
    cdef const int64_t[::1] high
    cdef const int64_t[::1] low
    cdef const int64_t[::1] close
    cdef const int64_t[::1] volume

    cdef _look(self)
    @cython.locals(start=int64_t, end=int64_t)
    cdef int64_t _time(self) except? -1
    @cython.locals(i=int64_t, low_first=bint)
    cpdef int64_t price(self) except? -1
    cpdef step(self)
    @cython.locals(before=int64_t)
    cpdef bint jump(self, int64_t until) except -1
