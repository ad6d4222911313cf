cimport cython
from libc.stdint cimport int64_t
from onetape.model.numbers cimport divide_half_even, parse_raw, product, to_float, to_raw


@cython.final
cdef class Instrument:
    cdef readonly str id
    cdef readonly int index
    cdef readonly str venue
    cdef readonly str symbol
    cdef readonly object kind
    cdef readonly str base
    cdef readonly str quote
    cdef readonly str settle
    cdef readonly int price_precision
    cdef readonly int size_precision
    cdef readonly int64_t tick_raw
    cdef readonly int64_t lot_raw
    cdef readonly int64_t min_qty_raw
    cdef readonly int64_t max_qty_raw
    cdef readonly object multiplier
    cdef readonly object notional_factor
    cdef readonly object min_notional
    cdef readonly bint inverse
    cdef readonly int64_t expiry
    cdef readonly object strike
    cdef readonly object option_right
    cdef readonly object maker_fee
    cdef readonly object taker_fee
    cdef readonly tuple maker_ratio
    cdef readonly tuple taker_ratio
    cdef readonly int version
    cdef readonly int64_t ts_event

    @cython.locals(raw=int64_t)
    cpdef int64_t price_raw(self, object price) except? -1
    @cython.locals(raw=int64_t)
    cpdef int64_t qty_raw(self, object qty) except? -1
    cpdef int64_t parse_price(self, str text) except? -1
    cpdef int64_t parse_size(self, str text) except? -1
    cpdef double price_to_float(self, int64_t raw) except? -1.0
    cpdef double size_to_float(self, int64_t raw) except? -1.0
    cpdef object notional(self, int64_t price_raw, int64_t qty_raw)
