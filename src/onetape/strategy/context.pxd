cimport cython

from onetape.kernel.loop cimport Kernel
from onetape.kernel.state cimport InstrumentState
from onetape.model.instrument cimport Instrument
from onetape.oms.oms cimport Oms
from onetape.portfolio.portfolio cimport Portfolio

@cython.final
cdef class Context:
    cdef readonly Kernel kernel
    cdef readonly Oms oms
    cdef readonly Portfolio portfolio
    cdef readonly object subscriptions
    cdef readonly object instruments
    cdef readonly object on_failure

    @cython.locals(known=Instrument, state=InstrumentState)
    cpdef Instrument instrument(self, str instrument_id)
