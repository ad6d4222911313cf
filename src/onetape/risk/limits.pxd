cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument

@cython.final
cdef class InstrumentLimits:
    cdef readonly Instrument instrument
    cdef readonly bint has_collar
    cdef readonly object collar
    cdef readonly object max_notional
    cdef readonly int64_t max_order_qty_raw
    cdef readonly int64_t max_position_raw
    cdef readonly bint require_live
