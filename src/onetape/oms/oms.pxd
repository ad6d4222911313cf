cimport cython
from libc.stdint cimport int64_t

from onetape.kernel.clock cimport Clock
from onetape.kernel.state cimport InstrumentState, StateTable
from onetape.model.orders cimport ApprovedOrder, ApprovedReplace, ExecutionReport, Fill, Order
from onetape.model.numbers cimport product
from onetape.oms.digest cimport Digest
from onetape.ports cimport ExecutionPort, Gate, ReportListener

cdef int64_t _NO_PRICE
cdef int64_t[::1] _NEXT
cdef int _EXEC_TYPES
cdef int64_t _ILLEGAL
cdef int64_t _STAY
cdef int64_t _WORKING
cdef int _BUY
cdef int _NEW_STATUS
cdef int _PARTIALLY_FILLED
cdef int _PENDING_REPLACE_STATUS
cdef int _PENDING_CANCEL_STATUS
cdef int _FILLED
cdef int _TRADE
cdef int _REPLACED
cdef int _REJECTED
cdef int _PENDING_CANCEL
cdef int _PENDING_REPLACE
cdef int _REPLACE_REJECTED
cdef int _CANCEL_REJECTED
cdef int _SUBMIT
cdef int _REPLACE
cdef int _CANCEL

@cython.final
cdef class Oms:
    cdef readonly str prefix
    cdef readonly list orders
    cdef readonly dict open
    cdef readonly Digest digest
    cdef public ReportListener portfolio
    cdef public ReportListener reports
    cdef public object on_illegal
    cdef public list history
    cdef readonly int64_t fills
    cdef readonly int64_t rejected
    cdef readonly int64_t illegal
    cdef Clock _clock
    cdef StateTable _states
    cdef Gate _gate
    cdef ExecutionPort _port
    cdef list _listeners

    cpdef int register(self, ReportListener listener) except -1
    @cython.locals(now=int64_t, approved=ApprovedOrder)
    cpdef submit(self, Order order, int owner_number=*)
    @cython.locals(now=int64_t, leaves=int64_t, approved=ApprovedReplace)
    cpdef bint replace(self, Order order, int64_t order_qty_raw, int64_t price_raw) except -1
    cpdef bint cancel(self, Order order) except -1
    @cython.locals(report=ExecutionReport)
    cdef _answer(self, Order order, int exec_code, str text)
    @cython.locals(order=Order, code=int, target=int64_t, cum_qty_raw=int64_t, order_qty_raw=int64_t, leaves=int64_t, asked=int64_t, fill=Fill, listener=ReportListener)
    cpdef apply(self, ExecutionReport report)
    @cython.locals(state=InstrumentState)
    cdef _recount(self, Order order, int64_t leaves)
