cimport cython
from libc.stdint cimport int64_t

from onetape.model.event cimport Event
from onetape.model.instrument cimport Instrument

@cython.final
cdef class StreamHealth(Event):
    cdef readonly Instrument instrument
    cdef readonly str channel
    cdef readonly object health
    cdef readonly str reason

@cython.final
cdef class Gap(Event):
    cdef readonly Instrument instrument
    cdef readonly str channel
    cdef readonly int64_t expected
    cdef readonly int64_t received

@cython.final
cdef class Timer(Event):
    cdef readonly str name

@cython.final
cdef class SessionMark(Event):
    cdef readonly object mark
    cdef readonly str text
