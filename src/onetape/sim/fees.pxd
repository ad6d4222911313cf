cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.numbers cimport divide_half_even

cdef int _MAKER

cdef class FeeModel:
    cpdef object commission(self, Instrument instrument, object value, int liquidity, int64_t ts)

cdef class FixedFees(FeeModel):
    cdef tuple _maker
    cdef tuple _taker

    cpdef object commission(self, Instrument instrument, object value, int liquidity, int64_t ts)
