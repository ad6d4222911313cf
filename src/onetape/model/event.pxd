from libc.stdint cimport int64_t

cdef class Event:
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_recv
    cdef readonly int64_t seq
