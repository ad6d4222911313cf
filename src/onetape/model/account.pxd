from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.event cimport Event


cdef class PositionUpdate(Event):
    cdef readonly Instrument instrument
    cdef readonly str strategy_id
    cdef readonly int64_t position_raw
    cdef readonly object avg_px_raw
    cdef readonly object realized


cdef class BalanceUpdate(Event):
    cdef readonly str venue
    cdef readonly str currency
    cdef readonly object total
    cdef readonly object free
