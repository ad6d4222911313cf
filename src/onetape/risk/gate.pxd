cimport cython
from libc.stdint cimport int64_t

from onetape.kernel.clock cimport Clock
from onetape.kernel.state cimport InstrumentState, StateTable
from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport ApprovedOrder, ApprovedReplace, Order
from onetape.ports cimport Gate
from onetape.risk.limits cimport InstrumentLimits

cdef int64_t _NO_PRICE
cdef int64_t _RAW_MAX
cdef int _LIVE
cdef int _BUY
cdef int _MARKET
cdef int _LIMIT
cdef int _STOP
cdef int _STOP_LIMIT
cdef int _TRAILING_STOP
cdef int _GTD
cdef int64_t _SECOND

cdef class RiskGate(Gate):
    cdef readonly int64_t approved
    cdef Clock _clock
    cdef StateTable _states
    cdef object _limits
    cdef dict _overrides
    cdef list _by_instrument
    cdef int64_t[::1] _sent
    cdef int64_t _rate
    cdef int64_t _at

    @cython.locals(limits=InstrumentLimits)
    cpdef InstrumentLimits limits_of(self, Instrument instrument)
    @cython.locals(approved=ApprovedOrder)
    cpdef ApprovedOrder approve(self, Order order)
    @cython.locals(approved=ApprovedReplace)
    cpdef ApprovedReplace approve_replace(self, Order order, int64_t order_qty_raw, int64_t price_raw)
    cdef bint _refuse(self, str why) except -1
    @cython.locals(kind=int)
    cdef bint _check_terms(self, Order order) except -1
    cdef bint _on_grid(self, Instrument instrument, int64_t price_raw, str what) except -1
    @cython.locals(instrument=Instrument, state=InstrumentState, limits=InstrumentLimits, twice_reference=int64_t, around=int64_t, beyond=int64_t)
    cdef bint _check(self, Order order, int64_t qty_raw, int64_t price_raw, int64_t added_raw) except -1
    @cython.locals(worst=int64_t)
    cdef bint _check_position(self, Order order, InstrumentState state, InstrumentLimits limits, int64_t added_raw) except -1
    @cython.locals(instrument=Instrument)
    cdef bint _check_notional(self, Order order, InstrumentLimits limits, int64_t qty_raw, int64_t price_raw, int64_t twice_reference) except -1
    @cython.locals(now=int64_t)
    cdef bint _check_rate(self) except -1

cdef bint _exceeds(object beyond, object twice_reference, object collar) except -1
