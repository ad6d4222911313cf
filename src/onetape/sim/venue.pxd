from libc.stdint cimport int64_t

from onetape.model.orders cimport Order

cdef class VenueReports:
    cdef readonly int64_t sent

    cpdef tell(self, Order order, int exec_code, str text, int64_t ts)
    cpdef replaced(self, Order order, int64_t order_qty_raw, int64_t price_raw, int64_t ts)
    cpdef fill(self, Order order, int64_t qty_raw, int64_t price_raw, int liquidity, int reason, int64_t reason_raw, int64_t ts)
