cimport cython
from libc.stdint cimport int64_t

from onetape.kernel.loop cimport Kernel, VenueSide
from onetape.kernel.schedule cimport Schedule, Task
from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport ApprovedOrder, ApprovedReplace, ExecutionReport, Fill, Order
from onetape.oms.oms cimport Oms
from onetape.ports cimport ExecutionPort
from onetape.sim.fees cimport FeeModel
from onetape.sim.latency cimport LatencyModel
from onetape.sim.market cimport Market
from onetape.sim.venue cimport VenueReports

cdef int64_t _NEVER
cdef int _ORDER_EVENT
cdef int _TRADE
cdef int _REPLACED
cdef int _REJECTED
cdef int _SUBMIT
cdef int _REPLACE
cdef int _CANCEL

@cython.final
@cython.no_gc
cdef class Command(Task):
    cdef int what
    cdef Order order
    cdef int64_t order_qty_raw
    cdef int64_t price_raw

@cython.no_gc
cdef class Delivery(Task):
    cdef Oms oms
    cdef ExecutionReport report

    cpdef fire(self)

cdef class Reports(VenueReports):
    cdef public Oms oms
    cdef Kernel _kernel
    cdef FeeModel _fees
    cdef LatencyModel _latency
    cdef int64_t _fills

    @cython.locals(delivery=Delivery)
    cdef _send(self, ExecutionReport report, Order order, int64_t ts)
    @cython.locals(report=ExecutionReport)
    cpdef tell(self, Order order, int exec_code, str text, int64_t ts)
    @cython.locals(report=ExecutionReport)
    cpdef replaced(self, Order order, int64_t order_qty_raw, int64_t price_raw, int64_t ts)
    @cython.locals(instrument=Instrument, fill=Fill)
    cpdef fill(self, Order order, int64_t qty_raw, int64_t price_raw, int liquidity, int reason, int64_t reason_raw, int64_t ts)

cdef class SimExchange(VenueSide):
    cdef readonly int64_t now
    cdef Kernel _kernel
    cdef LatencyModel _latency
    cdef Schedule _commands
    cdef list _markets
    cdef Reports _reports

    cpdef Market market(self, Instrument instrument)
    @cython.locals(market=Market)
    cpdef release(self, Instrument instrument, int64_t ts)
    @cython.locals(now=int64_t, command=Command)
    cpdef send(self, int what, Order order, int64_t order_qty_raw, int64_t price_raw)
    @cython.locals(commands=Schedule, schedule=Schedule, limit=int64_t, market=Market, ts=int64_t)
    cpdef advance(self, int64_t until)
    @cython.locals(market=Market, first=Market)
    cdef Market _next_market(self)
    @cython.locals(market=Market)
    cdef bint _has_data(self) except -1
    @cython.locals(other=Market)
    cdef int64_t _until(self, Market market, int64_t limit) except? -1
    @cython.locals(command=Command, order=Order, market=Market)
    cdef _execute(self, Task task)
    @cython.locals(market=Market)
    cdef bint _has_orders(self) except -1

cdef class SimGateway(ExecutionPort):
    cdef SimExchange _exchange

    @cython.locals(order=Order)
    cpdef submit(self, ApprovedOrder approved)
    cpdef replace(self, ApprovedReplace approved)
    cpdef cancel(self, Order order)
