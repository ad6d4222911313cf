cimport cython
from libc.stdint cimport int64_t

@cython.final
cdef class Account:
    cdef readonly str name
    cdef readonly str currency
    cdef readonly object amount

@cython.final
cdef class Ledger:
    cdef readonly int64_t transfers
    cdef dict _accounts

    cpdef Account account(self, str name, str currency)
    cpdef transfer(self, Account source, Account target, object amount)
