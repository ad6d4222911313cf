cimport cython
from libc.stdint cimport int64_t

from onetape.marketdata.book cimport BookSide

@cython.final
cdef class Taken:
    cdef readonly bint any
    cdef dict _sizes

    cpdef int64_t at(self, int64_t price_raw) except? -1
    cpdef add(self, int64_t price_raw, int64_t size_raw)
    cpdef resized(self, int64_t price_raw, int64_t size_raw)
    @cython.locals(price_raw=int64_t)
    cpdef renewed(self, BookSide side)
    cpdef clear(self)
