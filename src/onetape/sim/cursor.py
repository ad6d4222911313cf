"""The venue's side readers of column feeds: the same rows as ours, at the venue's own time.

A row happens at the venue at ``ts_event``, but never before an earlier row of its stream and never after we
received it: clocks that disagree must not let a simulation act on what it has not seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onetape.kernel.clock import NEVER
from onetape.marketdata.feed import Feed, Run
from onetape.model.instrument import Instrument

_NEVER = NEVER
_COMPILED = not __file__.endswith(".py")
_PATH_LENGTH = 4


def _view(column: Any) -> Any:
    return column if _COMPILED else column.tolist()


class Cursor:
    """Place in a feed; ``next_ts`` is ``NEVER`` at its end.

    ``moved`` when the row at hand is the first of another version of the ``instrument``.
    """

    __slots__ = ("_latest", "_rows", "_run", "_seq", "_ts", "at", "instrument", "moved", "next_seq", "next_ts")

    at: int
    next_ts: int
    next_seq: int
    instrument: Instrument
    moved: bool
    _run: Run
    _rows: int
    _latest: int
    _ts: Any
    _seq: Any

    def __init__(self, feed: Feed) -> None:
        self.at = self._rows = 0
        self._latest = -_NEVER
        self.next_ts = _NEVER
        self.next_seq = 0
        self.instrument = feed.instrument
        self.moved = False
        if feed.first is not None:
            self._enter(feed.first)

    def _enter(self, run: Run) -> None:
        columns = run.columns
        self._run = run
        self.moved = self.moved or columns.instrument is not self.instrument
        self.instrument = columns.instrument
        self.at = 0
        self._rows = columns.rows
        ts_recv, ts_event = columns["ts_recv"], columns["ts_event"]
        ts = ts_recv
        if ts_event is not ts_recv:
            ts = np.maximum(np.maximum.accumulate(np.minimum(ts_event, ts_recv)), self._latest)
        self._latest = int(ts[-1])
        self._ts = _view(ts)
        self._seq = _view(columns["seq"])
        self._load(run)
        self._look()

    def _load(self, run: Run) -> None:
        raise NotImplementedError

    def _look(self) -> None:
        self.next_ts = self._ts[self.at]
        self.next_seq = self._seq[self.at]

    def step(self) -> None:
        """Go on to the next row."""
        self.at += 1
        if self.at < self._rows:
            self.next_ts = self._ts[self.at]
            self.next_seq = self._seq[self.at]
        else:
            self._turn()

    def _turn(self) -> None:
        run = self._run.next()
        if run is None:
            self.next_ts = _NEVER
            self.at = self._rows - 1
        else:
            self._enter(run)

    def jump(self, until: int) -> bool:
        """Pass over all rows of the run up to ``until`` but the last of them; False if there is none."""
        if self.next_ts > until:
            return False
        low = self.at
        step = 1
        while low + step < self._rows and self._ts[low + step] <= until:
            low += step
            step *= 2
        high = low + step if low + step < self._rows else self._rows
        while high - low > 1:
            middle = (low + high) >> 1
            if self._ts[middle] <= until:
                low = middle
            else:
                high = middle
        self.at = low
        self.next_ts = self._ts[low]
        self.next_seq = self._seq[low]
        return True


class QuoteCursor(Cursor):
    __slots__ = ("ask", "ask_size", "bid", "bid_size")

    def _load(self, run: Run) -> None:
        columns = run.columns
        self.bid = _view(columns["bid"])
        self.ask = _view(columns["ask"])
        self.bid_size = _view(columns["bid_size"])
        self.ask_size = _view(columns["ask_size"])


class TradeCursor(Cursor):
    __slots__ = ("price", "side", "size")

    def _load(self, run: Run) -> None:
        columns = run.columns
        self.price = _view(columns["price"])
        self.size = _view(columns["size"])
        self.side = _view(columns["side"])


class BookCursor(Cursor):
    __slots__ = ("flags", "price", "side", "size")

    def _load(self, run: Run) -> None:
        columns = run.columns
        self.side = _view(columns["side"])
        self.price = _view(columns["price"])
        self.size = _view(columns["size"])
        self.flags = _view(columns["flags"])


class BarCursor(Cursor):
    """Each bar is four points in time: open, the extreme nearer to the open, the other extreme, close.

    ``fresh`` until somebody has taken note that this is another bar.
    """

    __slots__ = ("close", "fresh", "high", "low", "open", "point", "ts_open", "volume")

    point: int
    fresh: bool

    def _load(self, run: Run) -> None:
        columns = run.columns
        self.ts_open = _view(columns["ts_open"])
        self.open = _view(columns["open"])
        self.high = _view(columns["high"])
        self.low = _view(columns["low"])
        self.close = _view(columns["close"])
        self.volume = _view(columns["volume"])

    def _look(self) -> None:
        self.point = 0
        self.fresh = True
        self.next_ts = self._time()
        self.next_seq = self._seq[self.at]

    def _time(self) -> int:
        end = self._ts[self.at]
        start = self.ts_open[self.at]
        if start <= 0 or start > end:
            start = end
        return start + (end - start) * self.point // (_PATH_LENGTH - 1)  # type: ignore[no-any-return]

    def price(self) -> int:
        """Raw price at the present point."""
        i = self.at
        if self.point == 0:
            return self.open[i]  # type: ignore[no-any-return]
        if self.point == _PATH_LENGTH - 1:
            return self.close[i]  # type: ignore[no-any-return]
        low_first = self.open[i] - self.low[i] <= self.high[i] - self.open[i]
        if (self.point == 1) == low_first:
            return self.low[i]  # type: ignore[no-any-return]
        return self.high[i]  # type: ignore[no-any-return]

    def jump(self, until: int) -> bool:
        if self.next_ts > until:
            return False
        if self._ts[self.at] <= until:
            before = self.at
            Cursor.jump(self, until)
            if self.at != before:
                self.fresh = True
            self.point = _PATH_LENGTH - 1
        return True

    def step(self) -> None:
        self.point += 1
        if self.point < _PATH_LENGTH:
            self.next_ts = self._time()
            return
        self.at += 1
        if self.at < self._rows:
            self._look()
        else:
            self._turn()
