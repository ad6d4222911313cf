cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport ExecutionReport, Fill, Order

cdef int64_t _CAPACITY
cdef int64_t _WIDEST
cdef int64_t _COMMAND
cdef int64_t _REPORT

@cython.final
cdef class Digest:
    cdef object _hash
    cdef int64_t[::1] _buffer
    cdef int64_t _used
    cdef list _numbers

    @cython.locals(number=int64_t, at=int64_t)
    cpdef command(self, int what, Order order, int64_t qty_raw, int64_t price_raw, int64_t ts)
    @cython.locals(at=int64_t, fill=Fill)
    cpdef report(self, ExecutionReport report, Order order, int64_t ts)
    @cython.locals(number=int64_t)
    cdef int64_t _number(self, Instrument instrument) except? -1
    cdef _flush(self)
