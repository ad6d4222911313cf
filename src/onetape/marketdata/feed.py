"""Column runs shared by readers that go at their own pace: ours, and the simulated venue's ahead of us.

Runs form a chain that is read from its iterator on demand; what every reader has passed is freed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from onetape.model.columns import Columns
from onetape.model.errors import TapeError
from onetape.model.instrument import Instrument


class Run:
    """One link: some columns and, on demand, the link after it."""

    __slots__ = ("_feed", "_next", "columns")

    def __init__(self, feed: Feed, columns: Columns) -> None:
        self.columns = columns
        self._feed = feed
        self._next: Run | None = None

    def next(self) -> Run | None:
        if self._next is None:
            self._next = self._feed.read()
        return self._next


class Feed:
    """The chain of one kind of one instrument. ``first`` is there for readers that begin before any has gone on.

    ``on_turn(ts)`` is called when our side leaves a run, so that a venue with nothing to do does not hold it.
    """

    __slots__ = ("_last_ts", "_runs", "first", "instrument", "kind", "on_turn", "spec")

    def __init__(self, kind: str, instrument: Instrument, runs: Iterator[Columns], spec: str = "") -> None:
        self.kind = kind
        self.instrument = instrument
        self.spec = spec
        self.on_turn: Callable[[int], None] | None = None
        self._runs = iter(runs)
        self._last_ts = -(2**63)
        self.first: Run | None = None
        self.first = self.read()

    def read(self) -> Run | None:
        self.first = None
        for columns in self._runs:
            if columns.rows == 0:
                continue
            ts_recv = columns["ts_recv"]
            if int(ts_recv[0]) < self._last_ts or bool(np.any(ts_recv[1:] < ts_recv[:-1])):
                before = np.concatenate(([self._last_ts], ts_recv[:-1]))
                at = int(np.argmax(ts_recv < before))
                raise TapeError(
                    f"{self.kind} of {self.instrument.id}: time goes backwards, a row received at {ts_recv[at]} "
                    f"follows one of {before[at]}; sort the rows by ts_recv"
                )
            self._last_ts = int(ts_recv[-1])
            return Run(self, columns)
        return None
