"""The order flow of one synthetic instrument: commands to its matching engine, and what they did to the book.

Integers only, so the compiled and the pure build, and every platform, make the same flow of the same draws. Fixed
point numbers have 16 binary places: 65,536 is one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onetape.model.enums import ExecType
from onetape.model.instrument import Instrument
from onetape.sim.book_side import BookSide
from onetape.sim.match_report import MatchReport
from onetape.sim.matching import MatchingEngine

_BUY = 1
_SELL = 2
_IOC = 1
_HALF = 1 << 15
_LIMIT_WEIGHT = 4500
_MARKET_WEIGHT = 800
_MAX_HURRY = 20
_FEW_ORDERS = 20
_TRADE = ExecType.TRADE

Draws = tuple["array[int]", ...]


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """What a flow is made with. Times are ns; ``mean_gap`` is that of quiet times; ``excitement`` fixed point.

    A command adds ``excitement`` to the intensity of arrivals, a market order more, a cancel or limit order less;
    it dies away over ``memory``.
    """

    mean_gap: int
    memory: int
    excitement: int
    max_excitement: int
    orders: int
    order_lots: int
    informed: int
    latency: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What happened in a window. A frame is a command with its consequences: trades, then one book update, then
    a quote if the best changed; ``trades`` and ``rows`` say how many of each a frame has, ``quoted`` is 0 or 1.
    """

    ts_event: npt.NDArray[np.int64]
    ts_recv: npt.NDArray[np.int64]
    trades: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    quoted: npt.NDArray[np.int64]
    trade: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    quote: npt.NDArray[np.int64]


class OrderFlow:
    """Draws come in blocks of eight columns: gap, latency (exponential, fixed point, mean one), action, coin
    (16 bits), distance (ticks), size (multiple of the mean, 10 binary places), run (orders), pick (32 bits).
    """

    __slots__ = (
        "_action",
        "_blocks",
        "_coin",
        "_distance",
        "_excitement",
        "_few",
        "_frame_quoted",
        "_frame_recv",
        "_frame_rows",
        "_frame_time",
        "_frame_trades",
        "_frames",
        "_gap",
        "_informed",
        "_intensity",
        "_latency",
        "_latency_fixed",
        "_latency_scale",
        "_live",
        "_live_count",
        "_lot",
        "_max_excitement",
        "_max_lots",
        "_mean_gap",
        "_memory",
        "_min_lots",
        "_next_id",
        "_order_lots",
        "_orders",
        "_pick",
        "_place",
        "_quote",
        "_quotes",
        "_row",
        "_rows",
        "_run",
        "_run_left",
        "_run_side",
        "_shown_ask",
        "_shown_ask_size",
        "_shown_bid",
        "_shown_bid_size",
        "_size",
        "_tick",
        "_trade",
        "_trades",
        "engine",
        "ts_event",
        "ts_recv",
    )

    engine: MatchingEngine
    ts_event: int
    ts_recv: int

    def __init__(
        self, instrument: Instrument, settings: FlowSettings, blocks: Iterator[Draws], start: int, fair_tick: int
    ) -> None:
        self.engine = MatchingEngine(instrument)
        self._tick = instrument.tick_raw
        self._lot = instrument.lot_raw
        self._min_lots = max(1, -(-instrument.min_qty_raw // instrument.lot_raw))
        self._max_lots = instrument.max_qty_raw // instrument.lot_raw or 1 << 40
        self._mean_gap = settings.mean_gap
        self._memory = settings.memory
        self._excitement = settings.excitement
        self._max_excitement = settings.max_excitement
        self._orders = settings.orders
        self._few = min(_FEW_ORDERS, settings.orders // 4)
        self._order_lots = settings.order_lots
        self._informed = settings.informed
        self._latency_fixed = settings.latency // 2
        self._latency_scale = settings.latency - settings.latency // 2
        self._blocks = blocks
        self._place = 0
        self._live = _zeros(4 * settings.orders)
        self._live_count = 0
        self._frame_time, self._frame_recv = _zeros(1024), _zeros(1024)
        self._frame_trades, self._frame_rows, self._frame_quoted = _zeros(1024), _zeros(1024), _zeros(1024)
        self._trade, self._row, self._quote = _zeros(3072), _zeros(3072), _zeros(4096)
        self._frames = self._trades = self._rows = self._quotes = 0
        self._next_id = 1
        self._run_left = 0
        self._run_side = _BUY
        self._intensity = 0
        self._shown_bid = self._shown_bid_size = self._shown_ask = self._shown_ask_size = 0
        self.ts_event = start
        self.ts_recv = start + settings.latency
        self._next_block()
        self._warm_up(fair_tick)
        self._record_snapshot()
        self._schedule(1 << 16)

    def run(self, start: int, end: int, step: int, fair_ticks: array[int], activity: array[int]) -> None:
        """Play the commands that arrive (``ts_recv``) before ``end``.

        ``fair_ticks`` and ``activity`` (fixed point) hold for ``step`` ns each, the first from ``start``.
        """
        while self.ts_recv < end:
            step_now = (self.ts_event - start) // step
            if step_now < 0:
                step_now = 0
            self._command(fair_ticks[step_now], True)
            self._schedule(activity[step_now])

    def take(self) -> Recording:
        """What was recorded since the last call."""
        frames = self._frames
        taken = Recording(
            _copy(self._frame_time, frames),
            _copy(self._frame_recv, frames),
            _copy(self._frame_trades, frames),
            _copy(self._frame_rows, frames),
            _copy(self._frame_quoted, frames),
            _copy(self._trade, 3 * self._trades).reshape(-1, 3),
            _copy(self._row, 3 * self._rows).reshape(-1, 3),
            _copy(self._quote, 4 * self._quotes).reshape(-1, 4),
        )
        self._frames = self._trades = self._rows = self._quotes = 0
        return taken

    # Time

    def _schedule(self, activity: int) -> None:
        """Set when the next command comes: the more has just happened, the sooner."""
        place = self._place
        gap = self._gap[place] * self._mean_gap // (activity + self._intensity) + 1
        if gap >= self._memory:
            self._intensity = 0
        else:
            self._intensity -= self._intensity * gap // self._memory
        self.ts_event += gap
        arrival = self.ts_event + self._latency_fixed + (self._latency[place] * self._latency_scale >> 16)
        if arrival > self.ts_recv:
            self.ts_recv = arrival
        self._place = place + 1
        if self._place == len(self._gap):
            self._next_block()

    def _next_block(self) -> None:
        (
            self._gap,
            self._latency,
            self._action,
            self._coin,
            self._distance,
            self._size,
            self._run,
            self._pick,
        ) = next(self._blocks)
        self._place = 0

    def _excite(self, amount: int) -> None:
        self._intensity += amount
        if self._intensity > self._max_excitement:
            self._intensity = self._max_excitement

    # Commands

    def _warm_up(self, fair_tick: int) -> None:
        """Fill the book around the fair price, then let it find its shape."""
        for number in range(5 * self._orders):
            place = self._place
            if number < self._orders:
                away = self._distance[place]
                if number & 1:
                    self._place_limit(_BUY, (fair_tick - away) * self._tick, False)
                else:
                    self._place_limit(_SELL, (fair_tick + 1 + away) * self._tick, False)
            else:
                self._command(fair_tick, False)
            self._place = place + 1
            if self._place == len(self._gap):
                self._next_block()
        self._intensity = 0

    def _command(self, fair_tick: int, record: bool) -> None:
        """Market orders hurry when the fair price has left the spread; cancels are as many as orders rest."""
        engine = self.engine
        place = self._place
        bid, ask = _best(engine.bids), _best(engine.asks)
        fair = fair_tick * self._tick
        hurry = 0
        if fair > ask:
            hurry = (fair - ask) // self._tick
        elif fair < bid:
            hurry = (bid - fair) // self._tick
        if hurry > _MAX_HURRY:
            hurry = _MAX_HURRY
        market_weight = _MARKET_WEIGHT * (1 + hurry)
        resting = engine.bids.count + engine.asks.count
        cancel_weight = _LIMIT_WEIGHT * resting // self._orders
        choice = self._action[place] * (market_weight + _LIMIT_WEIGHT + cancel_weight) >> 16
        if engine.bids.count <= self._few:
            self._limit(_BUY, bid, ask, fair, record)
        elif engine.asks.count <= self._few:
            self._limit(_SELL, bid, ask, fair, record)
        elif choice < market_weight:
            self._market(bid, ask, fair, hurry, record)
        elif choice < market_weight + _LIMIT_WEIGHT:
            self._limit(_BUY if self._coin[place] < _HALF else _SELL, bid, ask, fair, record)
        else:
            self._cancel(record)

    def _limit(self, side: int, bid: int, ask: int, fair: int, record: bool) -> None:
        """At a distance from the most aggressive price that neither takes nor gives away the fair price."""
        away = self._distance[self._place] * self._tick
        if side == _BUY:
            price = min(ask - self._tick, fair) - away
        else:
            price = max(bid, fair) + self._tick + away
        self._place_limit(side, price, record)
        self._excite(self._excitement * 4 // 9)

    def _place_limit(self, side: int, price: int, record: bool) -> None:
        order_id = self._next_id
        self._next_id += 1
        reports = self.engine.limit(
            order_id, side, max(price, self._tick), self._lots(1 << 40) * self._lot, 0, 0, False, 0
        )
        if self._live_count == len(self._live):
            self._live = _doubled(self._live)
        self._live[self._live_count] = order_id
        self._live_count += 1
        if record:
            self._record(reports)

    def _market(self, bid: int, ask: int, fair: int, hurry: int, record: bool) -> None:
        """Informed orders go to the fair price and no further; others come in runs of one side, as split orders.

        None takes more than half of the other side.
        """
        place = self._place
        order_id = self._next_id
        self._next_id += 1
        if (fair > ask or fair < bid) and self._coin[place] < self._informed:
            side = _BUY if fair > ask else _SELL
            lots = min(self._lots(1 << 40) * (1 + hurry // 2), self._other_lots(side) >> 1)
            reports = self.engine.limit(order_id, side, fair, self._fit(lots) * self._lot, _IOC, 0, False, 0)
        else:
            if self._run_left == 0:
                self._run_left = self._run[place]
                self._run_side = _BUY if self._pick[place] & 1 else _SELL
            self._run_left -= 1
            side = self._run_side
            lots = self._lots(self._other_lots(side) >> 3)
            reports = self.engine.market(order_id, side, lots * self._lot, _IOC, 0, 0)
            self._excite(self._excitement * 6)
        if record:
            self._record(reports)

    def _cancel(self, record: bool) -> None:
        """A resting order picked at random; entries of orders that were filled are dropped as they are met."""
        pick = self._pick[self._place]
        while self._live_count:
            found = pick % self._live_count
            pick = (pick * 1103515245 + 12345) & 0x7FFFFFFF
            order_id = self._live[found]
            self._live_count -= 1
            self._live[found] = self._live[self._live_count]
            if self.engine.order(order_id) is not None:
                reports = self.engine.cancel(order_id)
                if record:
                    self._record(reports)
                break
        self._excite(self._excitement * 4 // 9)

    def _lots(self, most: int) -> int:
        lots = self._size[self._place] * self._order_lots >> 10
        return self._fit(min(lots, most))

    def _fit(self, lots: int) -> int:
        return max(self._min_lots, min(lots, self._max_lots))

    def _other_lots(self, side: int) -> int:
        other = self.engine.asks if side == _BUY else self.engine.bids
        return other.total_raw // self._lot

    # Recording

    def _record_snapshot(self) -> None:
        for side in (_BUY, _SELL):
            for price, size in self.engine.levels(side):
                self._add_row(side, price, size)
        self._close_frame(0, self._rows)

    def _record(self, reports: list[MatchReport]) -> None:
        trades = 0
        for report in reports:
            if report.exec_type is _TRADE:
                trades += 1
                place = 3 * self._trades
                if place == len(self._trade):
                    self._trade = _doubled(self._trade)
                self._trade[place] = report.side
                self._trade[place + 1] = report.price_raw
                self._trade[place + 2] = report.size_raw
                self._trades += 1
        rows = 0
        for change in self.engine.changes:
            self._add_row(change.side, change.price_raw, change.size_raw)
            rows += 1
        if rows:
            self._close_frame(trades, rows)

    def _add_row(self, side: int, price_raw: int, size_raw: int) -> None:
        place = 3 * self._rows
        if place == len(self._row):
            self._row = _doubled(self._row)
        self._row[place] = side
        self._row[place + 1] = price_raw
        self._row[place + 2] = size_raw
        self._rows += 1

    def _close_frame(self, trades: int, rows: int) -> None:
        frame = self._frames
        if frame == len(self._frame_time):
            self._frame_time = _doubled(self._frame_time)
            self._frame_recv = _doubled(self._frame_recv)
            self._frame_trades = _doubled(self._frame_trades)
            self._frame_rows = _doubled(self._frame_rows)
            self._frame_quoted = _doubled(self._frame_quoted)
        self._frame_time[frame] = self.ts_event
        self._frame_recv[frame] = self.ts_recv
        self._frame_trades[frame] = trades
        self._frame_rows[frame] = rows
        self._frame_quoted[frame] = self._show_best()
        self._frames = frame + 1

    def _show_best(self) -> int:
        """1 if the best prices or sizes are not those last shown, which are then noted."""
        bid, ask = _best(self.engine.bids), _best(self.engine.asks)
        bid_size, ask_size = _best_size(self.engine.bids), _best_size(self.engine.asks)
        if (
            bid == self._shown_bid
            and ask == self._shown_ask
            and bid_size == self._shown_bid_size
            and ask_size == self._shown_ask_size
        ):
            return 0
        self._shown_bid, self._shown_ask = bid, ask
        self._shown_bid_size, self._shown_ask_size = bid_size, ask_size
        place = 4 * self._quotes
        if place == len(self._quote):
            self._quote = _doubled(self._quote)
        self._quote[place] = bid
        self._quote[place + 1] = ask
        self._quote[place + 2] = bid_size
        self._quote[place + 3] = ask_size
        self._quotes += 1
        return 1


def _best(book: BookSide) -> int:
    level = book.best()
    return 0 if level is None else level.price_raw


def _best_size(book: BookSide) -> int:
    level = book.best()
    return 0 if level is None else level.size_raw


def _zeros(length: int) -> array[int]:
    return array("q", bytes(8 * length))


def _doubled(values: array[int]) -> array[int]:
    return array("q", np.asarray(values).tobytes() + bytes(8 * len(values)))


def _copy(values: array[int], length: int) -> npt.NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)[:length].copy()
