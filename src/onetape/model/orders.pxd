cimport cython
from libc.stdint cimport int64_t

from onetape.model.event cimport Event
from onetape.model.instrument cimport Instrument
from onetape.model.numbers cimport to_float

cdef int64_t _NO_PRICE
cdef int _BUY
cdef int _FILLED
cdef tuple _SIDES
cdef tuple _ORD_TYPES
cdef tuple _TIMES_IN_FORCE
cdef tuple _STATUSES
cdef tuple _EXEC_TYPES
cdef tuple _LIQUIDITIES
cdef tuple _FILL_REASONS

@cython.final
@cython.no_gc
cdef class Order:
    cdef readonly Instrument instrument
    cdef readonly str strategy_id
    cdef readonly str prefix
    cdef readonly int64_t number
    cdef readonly int side_code
    cdef readonly int sign
    cdef readonly int ord_type_code
    cdef readonly int tif_code
    cdef readonly int64_t order_qty_raw
    cdef readonly int64_t price_raw
    cdef readonly int64_t stop_px_raw
    cdef readonly int64_t trail_raw
    cdef readonly int64_t expire_time
    cdef readonly bint post_only
    cdef readonly bint reduce_only
    cdef readonly str tag
    cdef readonly int status_code
    cdef readonly int64_t cum_qty_raw
    cdef readonly object cum_notional_raw
    cdef readonly int64_t open_qty_raw
    cdef readonly str order_id
    cdef readonly str text
    cdef readonly int64_t ts_created
    cdef readonly int64_t ts_last
    cdef readonly int owner_number

@cython.final
@cython.no_gc
@cython.freelist(16)
cdef class ApprovedOrder:
    cdef readonly Order order

@cython.final
@cython.no_gc
cdef class ApprovedReplace:
    cdef readonly Order order
    cdef readonly int64_t order_qty_raw
    cdef readonly int64_t price_raw

@cython.no_gc
cdef class ExecutionReport(Event):
    cdef readonly Instrument instrument
    cdef readonly Order order
    cdef readonly str order_id
    cdef readonly int exec_code
    cdef readonly int status_code
    cdef readonly int side_code
    cdef readonly int64_t order_qty_raw
    cdef readonly int64_t cum_qty_raw
    cdef readonly int64_t price_raw
    cdef readonly str text
    cdef str _cl_ord_id

@cython.final
@cython.no_gc
cdef class Fill(ExecutionReport):
    cdef readonly str _exec_id
    cdef readonly int64_t exec_number
    cdef readonly int64_t last_qty_raw
    cdef readonly int64_t last_px_raw
    cdef readonly object commission
    cdef readonly str commission_currency
    cdef readonly int liquidity_code
    cdef readonly int reason_code
    cdef readonly int64_t reason_raw
