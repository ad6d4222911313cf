cimport cython
from libc.stdint cimport int64_t

from onetape.kernel.state cimport InstrumentState, StateTable
from onetape.model.instrument cimport Instrument
from onetape.model.orders cimport ExecutionReport, Fill, Order
from onetape.portfolio.ledger cimport Account, Ledger
from onetape.portfolio.positions cimport Position
from onetape.ports cimport ReportListener

cdef int _BUY

@cython.final
cdef class Holding:
    cdef readonly Position position
    cdef readonly dict own
    cdef readonly bint delivers
    cdef readonly Account cash
    cdef readonly Account market
    cdef readonly Account base
    cdef readonly Account market_base
    cdef readonly Account pnl
    cdef readonly Account fees
    cdef readonly object factor

cdef class Portfolio(ReportListener):
    cdef readonly Ledger ledger
    cdef StateTable _states
    cdef list _holdings
    cdef list _by_index

    @cython.locals(fill=Fill, instrument=Instrument, holding=Holding, order=Order, signed_raw=int64_t, own=Position, ledger=Ledger, state=InstrumentState)
    cpdef on_report(self, ExecutionReport report)
    @cython.locals(holding=Holding)
    cdef Holding _holding(self, Instrument instrument)
    @cython.locals(position=Position)
    cdef Position _own(self, str strategy_id, Holding holding)
