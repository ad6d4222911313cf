cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.numbers cimport divide_half_even, to_float

@cython.final
cdef class Position:
    cdef public Instrument instrument
    cdef readonly int64_t position_raw
    cdef readonly object cost
    cdef readonly object realized
    cdef public object fees
    cdef readonly int64_t fills
    cdef readonly object volume_raw

    @cython.locals(held=int64_t, left=int64_t)
    cpdef object trade(self, int64_t signed_raw, int64_t price_raw, object value)
    cpdef object unrealized(self, int64_t twice_mark_raw)
