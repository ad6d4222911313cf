cimport cython
from libc.stdint cimport int64_t

from onetape.model.event cimport Event
from onetape.model.instrument cimport Instrument
from onetape.model.numbers cimport to_float

cdef tuple _SIDES

@cython.final
@cython.no_gc
cdef class Trade(Event):
    cdef readonly Instrument instrument
    cdef readonly int64_t price_raw
    cdef readonly int64_t size_raw
    cdef readonly object side
    cdef readonly str trade_id

@cython.final
@cython.no_gc
cdef class Quote(Event):
    cdef readonly Instrument instrument
    cdef readonly int64_t bid_raw
    cdef readonly int64_t ask_raw
    cdef readonly int64_t bid_size_raw
    cdef readonly int64_t ask_size_raw
    cdef readonly int64_t sequence

@cython.final
cdef class BookSnapshot(Event):
    cdef readonly Instrument instrument
    cdef readonly tuple bids
    cdef readonly tuple asks
    cdef readonly int64_t sequence

@cython.final
cdef class BookDelta(Event):
    cdef readonly Instrument instrument
    cdef readonly tuple bids
    cdef readonly tuple asks
    cdef readonly int64_t first_sequence
    cdef readonly int64_t sequence
    cdef readonly int64_t previous_sequence

@cython.final
@cython.no_gc
cdef class Bar(Event):
    cdef readonly Instrument instrument
    cdef readonly str spec
    cdef readonly int64_t ts_open
    cdef readonly int64_t open_raw
    cdef readonly int64_t high_raw
    cdef readonly int64_t low_raw
    cdef readonly int64_t close_raw
    cdef readonly int64_t volume_raw
    cdef readonly int64_t buy_volume_raw
    cdef readonly int64_t count

@cython.final
cdef class Liquidation(Event):
    cdef readonly Instrument instrument
    cdef readonly int64_t price_raw
    cdef readonly int64_t size_raw
    cdef readonly object side

@cython.final
cdef class FundingRate(Event):
    cdef readonly Instrument instrument
    cdef readonly object rate_raw
    cdef readonly int64_t next_funding_time

@cython.final
cdef class MarkPrice(Event):
    cdef readonly Instrument instrument
    cdef readonly object mark_raw
    cdef readonly object index_raw

@cython.final
cdef class OpenInterest(Event):
    cdef readonly Instrument instrument
    cdef readonly int64_t open_interest_raw

@cython.final
cdef class InstrumentUpdate(Event):
    cdef readonly Instrument instrument
