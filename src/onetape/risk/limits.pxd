cimport cython
from libc.stdint cimport int64_t

@cython.final
cdef class InstrumentLimits:
    cdef readonly int64_t collar_ppm
    cdef readonly object max_notional
    cdef readonly int64_t max_order_qty_raw
    cdef readonly int64_t max_position_raw
    cdef readonly bint require_live
