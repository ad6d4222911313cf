cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument

cdef int _LIVE
cdef int _CONNECTING

@cython.final
cdef class InstrumentState:
    cdef public Instrument instrument
    cdef public int64_t bid_raw
    cdef public int64_t ask_raw
    cdef public int64_t bid_size_raw
    cdef public int64_t ask_size_raw
    cdef public int64_t last_raw
    cdef public int64_t ts
    cdef public int64_t ts_last
    cdef public int health
    cdef public int64_t position_raw
    cdef public int64_t open_buy_raw
    cdef public int64_t open_sell_raw

    cpdef int64_t twice_mark_raw(self) noexcept

@cython.final
cdef class StateTable:
    cdef list _rows

    @cython.locals(state=InstrumentState)
    cpdef InstrumentState add(self, Instrument instrument)
    cdef _move(self, InstrumentState state, Instrument instrument)
    cpdef InstrumentState get(self, int index)
