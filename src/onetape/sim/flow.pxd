cimport cython
from libc.stdint cimport int64_t

from onetape.sim.book_side cimport BookSide, Level
from onetape.sim.match_report cimport LevelChange, MatchReport
from onetape.sim.matching cimport MatchingEngine

cdef int _BUY
cdef int _SELL
cdef int _IOC
cdef int64_t _HALF
cdef int64_t _LIMIT_WEIGHT
cdef int64_t _MARKET_WEIGHT
cdef int64_t _MAX_HURRY
cdef object _TRADE

@cython.final
cdef class OrderFlow:
    cdef readonly MatchingEngine engine
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_recv
    cdef int64_t _tick
    cdef int64_t _lot
    cdef int64_t _min_lots
    cdef int64_t _max_lots
    cdef int64_t _mean_gap
    cdef int64_t _memory
    cdef int64_t _excitement
    cdef int64_t _max_excitement
    cdef int64_t _orders
    cdef int64_t _few
    cdef int64_t _order_lots
    cdef int64_t _informed
    cdef int64_t _latency_fixed
    cdef int64_t _latency_scale
    cdef object _blocks
    cdef Py_ssize_t _place
    cdef int64_t[::1] _gap
    cdef int64_t[::1] _latency
    cdef int64_t[::1] _action
    cdef int64_t[::1] _coin
    cdef int64_t[::1] _distance
    cdef int64_t[::1] _size
    cdef int64_t[::1] _run
    cdef int64_t[::1] _pick
    cdef int64_t[::1] _live
    cdef Py_ssize_t _live_count
    cdef int64_t _next_id
    cdef int64_t _run_left
    cdef int _run_side
    cdef int64_t _intensity
    cdef int64_t _shown_bid
    cdef int64_t _shown_bid_size
    cdef int64_t _shown_ask
    cdef int64_t _shown_ask_size
    cdef int64_t[::1] _frame_time
    cdef int64_t[::1] _frame_recv
    cdef int64_t[::1] _frame_trades
    cdef int64_t[::1] _frame_rows
    cdef int64_t[::1] _frame_quoted
    cdef int64_t[::1] _trade
    cdef int64_t[::1] _row
    cdef int64_t[::1] _quote
    cdef Py_ssize_t _frames
    cdef Py_ssize_t _trades
    cdef Py_ssize_t _rows
    cdef Py_ssize_t _quotes

    @cython.locals(step_now=int64_t)
    cpdef run(self, int64_t start, int64_t end, int64_t step, int64_t[::1] fair_ticks, int64_t[::1] activity)
    @cython.locals(place=cython.Py_ssize_t, gap=int64_t, arrival=int64_t)
    cdef int _schedule(self, int64_t activity) except -1
    cdef int _excite(self, int64_t amount) except -1
    @cython.locals(number=int64_t, place=cython.Py_ssize_t, away=int64_t)
    cdef int _warm_up(self, int64_t fair_tick) except -1
    @cython.locals(engine=MatchingEngine, place=cython.Py_ssize_t, bid=int64_t, ask=int64_t, fair=int64_t, hurry=int64_t, market_weight=int64_t, cancel_weight=int64_t, resting=int64_t, choice=int64_t)
    cdef int _command(self, int64_t fair_tick, bint record) except -1
    @cython.locals(away=int64_t, price=int64_t)
    cdef int _limit(self, int side, int64_t bid, int64_t ask, int64_t fair, bint record) except -1
    @cython.locals(order_id=int64_t, reports=list)
    cdef int _place_limit(self, int side, int64_t price, bint record) except -1
    @cython.locals(order_id=int64_t, place=cython.Py_ssize_t, side=cython.int, lots=int64_t, reports=list)
    cdef int _market(self, int64_t bid, int64_t ask, int64_t fair, int64_t hurry, bint record) except -1
    @cython.locals(pick=int64_t, found=int64_t, order_id=int64_t, reports=list)
    cdef int _cancel(self, bint record) except -1
    @cython.locals(lots=int64_t)
    cdef int64_t _lots(self, int64_t most) except -1
    cdef int64_t _fit(self, int64_t lots) except -1
    @cython.locals(other=BookSide)
    cdef int64_t _other_lots(self, int side) except -1
    @cython.locals(report=MatchReport, change=LevelChange, trades=int64_t, rows=int64_t, place=cython.Py_ssize_t)
    cdef int _record(self, list reports) except -1
    @cython.locals(place=cython.Py_ssize_t)
    cdef int _add_row(self, int side, int64_t price_raw, int64_t size_raw) except -1
    @cython.locals(frame=cython.Py_ssize_t)
    cdef int _close_frame(self, int64_t trades, int64_t rows) except -1
    @cython.locals(bid=int64_t, ask=int64_t, bid_size=int64_t, ask_size=int64_t, place=cython.Py_ssize_t)
    cdef int _show_best(self) except -1

@cython.locals(level=Level)
cdef int64_t _best(BookSide book) except -1
@cython.locals(level=Level)
cdef int64_t _best_size(BookSide book) except -1
