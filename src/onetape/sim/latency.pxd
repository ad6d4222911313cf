cimport cython
from libc.stdint cimport int64_t

from onetape.model.orders cimport Order

cdef class LatencyModel:
    cpdef int64_t entry(self, Order order, int64_t ts) except? -1
    cpdef int64_t response(self, Order order, int64_t ts) except? -1

cdef class ConstantLatency(LatencyModel):
    cdef int64_t _entry
    cdef int64_t _response

    cpdef int64_t entry(self, Order order, int64_t ts) except? -1
    cpdef int64_t response(self, Order order, int64_t ts) except? -1
