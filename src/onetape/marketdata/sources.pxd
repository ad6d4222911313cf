cimport cython
from libc.stdint cimport int8_t, int64_t

from onetape.kernel.bus cimport Bus, Handler
from onetape.kernel.clock cimport Clock
from onetape.kernel.loop cimport Kernel, Source
from onetape.kernel.state cimport InstrumentState
from onetape.marketdata.book cimport Book, BookSide
from onetape.model.instrument cimport Instrument
from onetape.model.market cimport Bar, Quote, Trade

cdef int64_t _NEVER
cdef int _LAST
cdef int _CLEAR
cdef int _SNAPSHOT
cdef int _SELL
cdef tuple _SIDES
cdef int _CONNECTING
cdef int _LIVE
cdef int _CROSSED

cdef class ColumnSource(Source):
    cdef readonly Instrument instrument
    cdef readonly InstrumentState state
    cdef object _event_type
    cdef object _feed
    cdef object _run
    cdef Kernel _kernel
    cdef Bus _bus
    cdef tuple _route
    cdef int _version
    cdef int64_t _at
    cdef int64_t _rows
    cdef bint _fresh
    cdef const int64_t[::1] _ts_recv
    cdef const int64_t[::1] _ts_event
    cdef const int64_t[::1] _seq

    cpdef refresh(self)
    cpdef skip_to(self, int64_t ts)
    cdef _enter(self, object run)
    cpdef _load(self, object run)
    cdef bint _turn(self) except -1
    cdef _look(self)
    @cython.locals(state=InstrumentState)
    cdef _adopt(self)

cdef class QuoteSource(ColumnSource):
    cdef const int64_t[::1] _bid
    cdef const int64_t[::1] _ask
    cdef const int64_t[::1] _bid_size
    cdef const int64_t[::1] _ask_size
    cdef const int64_t[::1] _sequence

    @cython.locals(kernel=Kernel, bus=Bus, clock=Clock, state=InstrumentState, i=int64_t, ts=int64_t, quote=Quote, handler=Handler)
    cpdef run(self, int64_t limit_ts, int64_t limit_seq)

cdef class TradeSource(ColumnSource):
    cdef const int64_t[::1] _price
    cdef const int64_t[::1] _size
    cdef const int8_t[::1] _side
    cdef object _ids

    @cython.locals(kernel=Kernel, bus=Bus, clock=Clock, state=InstrumentState, i=int64_t, ts=int64_t, trade=Trade, handler=Handler)
    cpdef run(self, int64_t limit_ts, int64_t limit_seq)

cdef class BarSource(ColumnSource):
    cdef str _spec
    cdef const int64_t[::1] _ts_open
    cdef const int64_t[::1] _open
    cdef const int64_t[::1] _high
    cdef const int64_t[::1] _low
    cdef const int64_t[::1] _close
    cdef const int64_t[::1] _volume
    cdef const int64_t[::1] _buy_volume
    cdef const int64_t[::1] _count

    @cython.locals(kernel=Kernel, bus=Bus, clock=Clock, state=InstrumentState, i=int64_t, ts=int64_t, bar=Bar, handler=Handler)
    cpdef run(self, int64_t limit_ts, int64_t limit_seq)

cdef class BookSource(ColumnSource):
    cdef readonly Book book
    cdef tuple _deltas
    cdef tuple _snapshots
    cdef int64_t _start
    cdef const int8_t[::1] _side
    cdef const int64_t[::1] _price
    cdef const int64_t[::1] _size
    cdef const int8_t[::1] _flags
    cdef const int64_t[::1] _sequence
    cdef const int64_t[::1] _first_sequence
    cdef const int64_t[::1] _previous_sequence

    cdef _adopt(self)
    @cython.locals(kernel=Kernel, bus=Bus, clock=Clock, book=Book, i=int64_t, start=int64_t, ts=int64_t, handler=Handler)
    cpdef run(self, int64_t limit_ts, int64_t limit_seq)
    @cython.locals(book=Book, state=InstrumentState, bids=BookSide, asks=BookSide)
    cdef _mark(self)
    cpdef _tell_update(self, int64_t start, int64_t last)

cdef class EventSource(Source):
    cdef readonly str kind
    cdef Kernel _kernel
    cdef object _batches
    cdef list _batch
    cdef int64_t _at

    cdef _look(self)
    cpdef skip_to(self, int64_t ts)
    @cython.locals(kernel=Kernel)
    cpdef run(self, int64_t limit_ts, int64_t limit_seq)
