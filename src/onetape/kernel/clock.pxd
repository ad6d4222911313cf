cimport cython
from libc.stdint cimport int64_t

cdef class Clock:
    cdef readonly int64_t now

    cpdef int64_t read(self) except? -1
    cpdef advance(self, int64_t now)

cdef class SimulatedClock(Clock):
    pass

cdef class WallClock(Clock):
    pass
