cimport cython

@cython.final
cdef class Handler:
    cdef readonly object callback
    cdef readonly object owner
    cdef readonly object event_type
    cdef readonly int index
    cdef readonly int priority
    cdef readonly str spec
    cdef public bint active

@cython.final
cdef class Bus:
    cdef readonly int version
    cdef public object on_error
    cdef list _handlers
    cdef dict _routes

    @cython.locals(handler=Handler, route=tuple)
    cpdef tuple handlers(self, object event_type, int index, str spec=*)
    @cython.locals(handler=Handler)
    cpdef dispatch(self, tuple route, object event)
