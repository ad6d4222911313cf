cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.market cimport Bar, Quote, Trade

cdef int64_t _MAX
cdef int64_t _MIN
cdef int64_t _HALF

@cython.final
cdef class BarBuilder:
    cdef readonly Instrument instrument
    cdef readonly object spec
    cdef readonly int64_t late
    cdef readonly int64_t outside
    cdef readonly int64_t skipped
    cdef readonly int64_t refused
    cdef readonly int64_t unfilled
    cdef readonly int64_t unsplit
    cdef readonly int64_t cut
    cdef str _spec_text
    cdef object _on_bar
    cdef int _method
    cdef int _source
    cdef bint _use_recv
    cdef bint _drop_late
    cdef bint _fill_gaps
    cdef bint _split
    cdef bint _running
    cdef int64_t _step
    cdef int64_t _offset
    cdef int64_t _window_start
    cdef int64_t _window_end
    cdef int64_t _bar_start
    cdef int64_t _bar_end
    cdef int64_t _closed_until
    cdef int64_t _shut_from
    cdef int64_t _shut_until
    cdef int64_t _fill_from
    cdef int64_t _ts_first
    cdef int64_t _ts_last
    cdef int64_t _open
    cdef int64_t _high
    cdef int64_t _low
    cdef int64_t _close
    cdef int64_t _volume
    cdef int64_t _buy_volume
    cdef int64_t _count
    cdef int64_t _last_price
    cdef int64_t _sign
    cdef int64_t _part
    cdef int64_t _limit
    cdef object _threshold
    cdef object _remaining
    cdef object _value_factor

    cpdef int64_t update_trade(self, Trade trade) except -1
    @cython.locals(bid=int64_t, ask=int64_t, price=int64_t)
    cpdef int64_t update_quote(self, Quote quote) except -1
    @cython.locals(ts=int64_t, closed=int64_t, piece=int64_t)
    cpdef int64_t update(self, int64_t price_raw, int64_t size_raw, int side, int64_t ts_event, int64_t ts_recv) except -1
    cdef int64_t _add(self, int64_t price, int64_t size, int side, int64_t ts, int64_t ts_recv) except -1
    cdef int64_t _advance(self, int64_t price, int64_t size, int side, int64_t ts_recv) except -1
    cdef int _fold(self, object price, object size) except -1
    @cython.locals(closed=int64_t)
    cpdef int64_t update_bar(self, Bar bar) except -1
    @cython.locals(closed=int64_t)
    cpdef int64_t close_until(self, int64_t ts, int64_t ts_recv=*) except -1
    cpdef int64_t flush(self, int64_t ts_recv=*) except -1
    @cython.locals(first=int64_t, start=int64_t, end=int64_t, window_start=int64_t, window_end=int64_t, inside=bint, closed=int64_t)
    cdef int64_t _enter(self, int64_t ts, int64_t ts_recv) except? -1
    cdef int _leave_window(self) except -1
    cdef int _begin(self, int64_t price, int64_t ts) except -1
    cdef int _reset(self) except -1
    cdef Bar _make(self, int64_t ts_event, int64_t ts_recv)
    cdef int64_t _emit(self, int64_t ts_recv) except -1
    cdef int64_t _end_interval(self, int64_t ts_recv) except -1
    @cython.locals(filled=int64_t, price=int64_t, start=int64_t, end=int64_t)
    cdef int64_t _fill(self, int64_t until, int64_t ts_recv) except -1
    cdef object _change_instrument(self, Instrument new)
