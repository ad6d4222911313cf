"""The dispatch loop: one order for everything that happens.

At one time: order events first, then timers, then market data in the order of ``seq``, then of the sources. The
venue's side of a simulation runs ahead of ours only as far as nothing that we could still do would reach it.
"""

from __future__ import annotations

from collections.abc import Callable

from onetape.kernel.bus import Bus
from onetape.kernel.clock import NEVER, Clock, SimulatedClock
from onetape.kernel.schedule import TIMER, Schedule, Task
from onetape.kernel.state import StateTable

_NEVER = NEVER
_TIMER = TIMER


class Source:
    """A time-ordered run of market data. ``next_ts`` is ``NEVER`` when it has ended.

    A *quiet* source changes prices and books but calls no handler, so it is run in bulk between decisions.
    ``horizon`` is the last time it holds in memory.
    """

    __slots__ = ("horizon", "next_seq", "next_ts", "quiet", "rank")

    horizon: int
    next_ts: int
    next_seq: int
    rank: int
    quiet: bool

    def __init__(self) -> None:
        self.horizon = _NEVER
        self.next_ts = _NEVER
        self.next_seq = 0
        self.rank = 0
        self.quiet = False

    def run(self, limit_ts: int, limit_seq: int) -> None:
        """Handle the events before (``limit_ts``, ``limit_seq``), stopping early at the kernel's ``bound``."""
        raise NotImplementedError


class VenueSide:
    """The other side of a simulation. ``active`` while it has orders, or commands on their way to it."""

    __slots__ = ("active",)

    active: bool

    def __init__(self) -> None:
        self.active = False

    def advance(self, until: int) -> None:
        """Let the venue's time reach ``until``, but not past the first report that we would receive before it."""
        raise NotImplementedError


class Call(Task):
    """A timer: calls ``callback(due)``; with an ``interval`` it is pushed again until it is canceled."""

    __slots__ = ("callback", "interval", "schedule")

    def __init__(self, callback: Callable[[int], object], schedule: Schedule, interval: int = 0) -> None:
        self.callback = callback
        self.schedule = schedule
        self.interval = interval
        self.canceled = False
        self.lasting = False

    def fire(self) -> None:
        if self.canceled:
            return
        due = self.due
        if self.interval > 0:
            self.schedule.push(self, due + self.interval, _TIMER)
        self.callback(due)

    def cancel(self) -> None:
        self.canceled = True


class Kernel:
    """Clock, bus, schedule and states of one session, and the loop that drives them from sources.

    ``bound`` is the time up to which a source may go on without coming back to the loop.
    """

    __slots__ = ("_sources", "_stopped", "bound", "bus", "clock", "events", "schedule", "states", "venue")

    clock: Clock
    bus: Bus
    schedule: Schedule
    states: StateTable
    venue: VenueSide | None
    bound: int
    events: int
    _sources: list[Source]
    _stopped: bool

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = SimulatedClock() if clock is None else clock
        self.bus = Bus()
        self.schedule = Schedule()
        self.states = StateTable()
        self.venue = None
        self.bound = _NEVER
        self.events = 0
        self._sources = []
        self._stopped = False

    def add_source(self, source: Source) -> None:
        source.rank = len(self._sources)
        self._sources.append(source)
        self.interrupt()

    def interrupt(self) -> None:
        """Make the source that is running come back to the loop after the event in hand."""
        self.bound = -_NEVER

    def stop(self) -> None:
        self._stopped = True
        self.interrupt()

    def push(self, task: Task, due: int, priority: int) -> None:
        """Schedule ``task``; one that is due already happens before any further market data."""
        if due < self.clock.now:
            due = self.clock.now
        self.schedule.push(task, due, priority)
        if due < self.bound:
            self.bound = due

    def call_at(self, due: int, callback: Callable[[int], object], interval: int = 0) -> Call:
        """Timer at ``due`` (ns), and every ``interval`` ns after it if that is not 0."""
        task = Call(callback, self.schedule, interval)
        self.push(task, due, _TIMER)
        return task

    def run(self) -> None:
        """Until the sources have ended and no order event is on its way.

        A timer fires only while there is market data at or after its time.
        """
        schedule = self.schedule
        while not self._stopped:
            first = self._first()
            ts = _NEVER
            seq = -_NEVER
            if first is not None:
                ts = first.next_ts
                seq = first.next_seq
            if schedule.next_due <= ts:
                first = None
                ts = schedule.next_due
                seq = -_NEVER
            horizon = self._horizon()
            if horizon < ts:
                first = None
                ts = horizon + 1
                seq = -_NEVER
            venue = self.venue
            if venue is not None and venue.active:
                venue.advance(ts)
                if schedule.next_due <= ts:
                    first = None
                    ts = schedule.next_due
                    seq = -_NEVER
            self._run_quiet(ts, seq, 0 if first is None else first.rank)
            if first is not None:
                self._run_first(first, ts)
            elif schedule.next_due == ts and ts != _NEVER and (schedule.lasting > 0 or self._has_data()):
                task = schedule.pop()
                self.clock.advance(task.due)
                task.fire()
            elif horizon == _NEVER:
                if venue is None or not venue.active or len(schedule) == 0:
                    break
                while len(schedule) > 0:
                    schedule.pop()
        self._stopped = True

    def _first(self) -> Source | None:
        """The source with the earliest event that some handler will hear."""
        first: Source | None = None
        for source in self._sources:
            if (
                not source.quiet
                and source.next_ts != _NEVER
                and (
                    first is None
                    or source.next_ts < first.next_ts
                    or (source.next_ts == first.next_ts and source.next_seq < first.next_seq)
                )
            ):
                first = source
        return first

    def _horizon(self) -> int:
        """How far the quiet sources can go with what is in memory; the venue must not read further ahead."""
        horizon = _NEVER
        for source in self._sources:
            if source.quiet and source.next_ts != _NEVER and source.horizon < horizon:
                horizon = source.horizon
        return horizon

    def _run_quiet(self, ts: int, seq: int, rank: int) -> None:
        """Bring the quiet sources up to the decision at (``ts``, ``seq``) of the source of that rank."""
        self.bound = _NEVER
        for source in self._sources:
            if source.quiet and source.next_ts <= ts and source.next_ts != _NEVER:
                source.run(ts, seq + 1 if source.rank < rank else seq)

    def _run_first(self, first: Source, ts: int) -> None:
        """Run ``first`` until another source, a task or the venue has something earlier."""
        limit_ts = _NEVER
        limit_seq = 0
        for source in self._sources:
            if source is not first and source.next_ts <= limit_ts and source.next_ts != _NEVER:
                seq = source.next_seq
                if first.rank < source.rank:
                    seq += 1
                if source.next_ts < limit_ts or seq < limit_seq:
                    limit_ts = source.next_ts
                    limit_seq = seq
        self.bound = self.schedule.next_due
        if self.venue is not None and self.venue.active and ts + 1 < self.bound:
            self.bound = ts + 1
        first.run(limit_ts, limit_seq)

    def _has_data(self) -> bool:
        for source in self._sources:  # noqa: SIM110
            if source.next_ts != _NEVER:
                return True
        return False
