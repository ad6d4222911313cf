cimport cython
from libc.stdint cimport int64_t

cdef tuple _SIDES

@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class MatchReport:
    cdef readonly object exec_type
    cdef readonly object reason
    cdef readonly int64_t order_id
    cdef readonly int64_t owner
    cdef readonly int side
    cdef readonly int64_t price_raw
    cdef readonly int64_t size_raw
    cdef readonly int64_t remaining_raw
    cdef readonly int64_t maker_id
    cdef readonly int64_t maker_owner
    cdef readonly int64_t maker_remaining_raw
    cdef readonly int64_t trade_number

@cython.final
@cython.freelist(256)
cdef class LevelChange:
    cdef readonly int side
    cdef readonly int64_t price_raw
    cdef readonly int64_t size_raw
