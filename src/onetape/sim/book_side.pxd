cimport cython
from libc.stdint cimport int64_t

cdef int _BUY
cdef tuple _SIDES

@cython.final
@cython.freelist(256)
cdef class Order:
    cdef readonly int64_t order_id
    cdef readonly int64_t owner
    cdef readonly int side
    cdef readonly int64_t price_raw
    cdef readonly int64_t remaining_raw
    cdef readonly int64_t filled_raw
    cdef readonly bint post_only
    cdef readonly int stp
    cdef Level level
    cdef Order previous
    cdef Order next

@cython.final
@cython.freelist(64)
cdef class Level:
    cdef int64_t key
    cdef int side
    cdef int64_t price_raw
    cdef int64_t size_raw
    cdef int64_t command
    cdef Order head
    cdef Order tail

@cython.final
cdef class BookSide:
    cdef readonly int side
    cdef readonly int64_t count
    cdef readonly int64_t total_raw
    cdef list _levels

    cdef int64_t key(self, int64_t price_raw) except? -1
    cdef Level best(self)
    cdef Py_ssize_t level_count(self) except -1
    cdef Level level_at(self, Py_ssize_t place)
    @cython.locals(key=int64_t, place=cython.Py_ssize_t, level=Level)
    cdef Level find(self, int64_t price_raw)
    @cython.locals(key=int64_t, place=cython.Py_ssize_t, level=Level)
    cdef Level open_level(self, int64_t price_raw)
    @cython.locals(place=cython.Py_ssize_t)
    cdef int drop_empty(self, Level level) except -1
    cdef int attach(self, Order order, Level level) except -1
    @cython.locals(level=Level)
    cdef int detach(self, Order order) except -1
    cdef int shrink(self, Order order, int64_t size_raw) except -1
    @cython.locals(low=cython.Py_ssize_t, high=cython.Py_ssize_t, middle=cython.Py_ssize_t, level=Level)
    cdef Py_ssize_t _bisect(self, int64_t key) except -1
