cimport cython
from libc.stdint cimport int64_t

cdef int64_t _EXACT_FLOAT
cdef int64_t _LONGEST_TEXT
cdef int64_t _SMALL
cdef tuple _POWERS
cdef tuple _FLOAT_POWERS

@cython.locals(value=int64_t, digits=cython.int, fraction=cython.int, negative=cython.bint, first=cython.bint, char=cython.Py_UCS4)
cpdef int64_t parse_raw(str text, int precision) except? -1
cpdef int64_t to_raw(object value, int precision) except? -1
@cython.locals(scaled=cython.double, error=cython.double, power=cython.double, raw=int64_t)
cdef int64_t _from_float(double value, int precision) except? -1
@cython.locals(power=cython.double)
cpdef double to_float(int64_t raw, int precision) except? -1.0
cdef double _wide_to_float(object raw, int precision) except? -1.0
cpdef object divide_half_even(object numerator, object denominator)
@cython.locals(small=int64_t)
cpdef object product(int64_t left, int64_t right)
cdef object _wide_product(object left, object right)
