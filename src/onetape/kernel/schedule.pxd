cimport cython
from libc.stdint cimport int64_t

cdef int64_t _NEVER
cdef int _PRIORITY_SHIFT

cdef class Task:
    cdef readonly int64_t due
    cdef readonly int64_t rank
    cdef public bint canceled
    cdef public bint lasting

    cpdef fire(self)

@cython.final
cdef class Schedule:
    cdef readonly int64_t next_due
    cdef readonly int64_t lasting
    cdef list _heap
    cdef int64_t _count

    @cython.locals(heap=list, child=int64_t, parent=int64_t, above=Task)
    cpdef push(self, Task task, int64_t due, int64_t priority)
    @cython.locals(heap=list, first=Task, last=Task, lower=Task, right=Task, size=int64_t, parent=int64_t, child=int64_t)
    cpdef Task pop(self)
