cimport cython
from libc.stdint cimport int64_t

from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport ExecutionReport, Order
from onetape.oms.oms cimport Oms
from onetape.ports cimport ReportListener
from onetape.strategy.context cimport Context

cdef int64_t _NO_PRICE
cdef int _TRADE
cdef int _MARKET
cdef int _LIMIT
cdef int _STOP
cdef int _STOP_LIMIT
cdef int _TRAILING_STOP
cdef int _BUY
cdef int _GTC
cdef int _GTD

cdef class Desk(ReportListener):
    cdef readonly Oms oms
    cdef public bint stopped
    cdef Context _context
    cdef object _strategy
    cdef str _id
    cdef int _number
    cdef object _on_fill
    cdef object _on_order

    @cython.locals(known=Instrument, order=Order)
    cpdef Order order(self, int side, object instrument, object qty, object price, object stop, object trail, int time_in_force, int64_t expire_time, bint post_only, bint reduce_only, str tag)
    cpdef on_report(self, ExecutionReport report)
