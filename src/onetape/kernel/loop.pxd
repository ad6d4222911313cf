cimport cython
from libc.stdint cimport int64_t

from onetape.kernel.bus cimport Bus
from onetape.kernel.clock cimport Clock
from onetape.kernel.schedule cimport Schedule, Task
from onetape.kernel.state cimport StateTable

cdef int64_t _NEVER
cdef int _TIMER

cdef class Source:
    cdef public int64_t horizon
    cdef public int64_t next_ts
    cdef public int64_t next_seq
    cdef public int64_t rank
    cdef public bint quiet

    cpdef run(self, int64_t limit_ts, int64_t limit_seq)

cdef class VenueSide:
    cdef public bint active

    cpdef advance(self, int64_t until)

cdef class Call(Task):
    cdef object callback
    cdef Schedule schedule
    cdef readonly int64_t interval

    @cython.locals(due=int64_t)
    cpdef fire(self)

@cython.final
cdef class Kernel:
    cdef readonly Clock clock
    cdef readonly Bus bus
    cdef readonly Schedule schedule
    cdef readonly StateTable states
    cdef public VenueSide venue
    cdef public int64_t bound
    cdef public int64_t events
    cdef list _sources
    cdef bint _stopped

    cpdef interrupt(self)
    cpdef push(self, Task task, int64_t due, int64_t priority)
    @cython.locals(schedule=Schedule, first=Source, horizon=int64_t, ts=int64_t, seq=int64_t, venue=VenueSide, task=Task)
    cpdef run(self)
    @cython.locals(first=Source, source=Source)
    cdef Source _first(self)
    @cython.locals(source=Source, horizon=int64_t)
    cdef int64_t _horizon(self)
    @cython.locals(source=Source)
    cdef _run_quiet(self, int64_t ts, int64_t seq, int64_t rank)
    @cython.locals(source=Source, limit_ts=int64_t, limit_seq=int64_t, seq=int64_t)
    cdef _run_first(self, Source first, int64_t ts)
    @cython.locals(source=Source)
    cdef bint _has_data(self)
