cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.numbers cimport parse_raw

cdef int64_t _LAST_MILLISECOND
cdef int64_t _FIRST_MICROSECOND

cpdef int64_t nanoseconds(int64_t time, str path) except? -1
@cython.locals(raw=int64_t)
cpdef int64_t price(Instrument instrument, str text, str path) except? -1
@cython.locals(raw=int64_t)
cpdef int64_t size(Instrument instrument, str text, str path) except? -1
@cython.locals(price_precision=int, size_precision=int, price_raw=int64_t, size_raw=int64_t, out=list, at=int64_t, price_text=str, size_text=str)
cpdef tuple levels(Instrument instrument, list pairs, str path)
@cython.locals(last=int64_t, at=int64_t, price_raw=int64_t, size_raw=int64_t)
cpdef tuple side(Instrument instrument, list pairs, bint descending, str path)
