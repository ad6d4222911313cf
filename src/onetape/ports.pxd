from libc.stdint cimport int64_t

from onetape.model.orders cimport ApprovedOrder, ApprovedReplace, ExecutionReport, Order

cdef class ExecutionPort:
    cpdef submit(self, ApprovedOrder approved)
    cpdef replace(self, ApprovedReplace approved)
    cpdef cancel(self, Order order)

cdef class Gate:
    cdef public str refusal

    cpdef ApprovedOrder approve(self, Order order)
    cpdef ApprovedReplace approve_replace(self, Order order, int64_t order_qty_raw, int64_t price_raw)

cdef class ReportListener:
    cpdef on_report(self, ExecutionReport report)
