"""Keeps one order book in step with its venue: a snapshot, then every update in order, or an honest ``Gapped``.

The machinery is the same for every venue; how a venue numbers its updates is a :class:`BookPolicy`, a row of
functions. Nothing is passed on that does not continue the book: after a gap the updates are held back until a new
snapshot replaces everything.

=============  ========================================  =====================================================
state          on an update                              on a snapshot
=============  ========================================  =====================================================
Connecting     Syncing, the update is buffered           the book is passed on; Live once an update continues it
Syncing        buffered                                  book, buffered updates, Live; ignored if it is too old
Live, Crossed  passed on; if it does not continue:       replaces the book; ignored if older than the book
               Gap, Gapped, and it is buffered
Gapped         buffered                                  as in Syncing
Closed         as in Connecting                          as in Connecting
=============  ========================================  =====================================================

The buffer holds the newest ``limit`` updates: when it is full the oldest is dropped and counted, because only the
newest can continue a snapshot that is still to come. A hole inside the buffer is reported when it is seen.

``Crossed`` is decided here, not by the book's users, so that it is written on the tape once and every later run
sees the same event. Updates go on being passed on while crossed: the next may uncross the book.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from onetape.marketdata.book import Book
from onetape.model.enums import Health
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot
from onetape.model.system import Gap, StreamHealth

_UP = (Health.LIVE, Health.CROSSED)


@dataclass(frozen=True, slots=True)
class BookPolicy:
    """How a venue numbers the updates of a book; the integer is the sequence that the book stands at.

    ``old``: the snapshot holds this update already. ``starts``: it may be the first after the snapshot.
    ``follows``: it may come next. ``resumes``: the first sequence known again after an update that does not
    follow, so that ``last + 1`` to ``resumes - 1`` are missing. ``snapshot_in_stream``: the stream brings its own
    snapshots, so updates before one are of no use and it needs no update to prove that it is current.
    """

    name: str
    old: Callable[[BookDelta, int], bool]
    starts: Callable[[BookDelta, int], bool]
    follows: Callable[[BookDelta, int], bool]
    resumes: Callable[[BookDelta], int]
    snapshot_in_stream: bool = False


#: Streams that only ever send whole books, or the best levels of them.
SNAPSHOTS_ONLY = BookPolicy(
    "snapshots only",
    old=lambda delta, last: True,
    starts=lambda delta, last: False,
    follows=lambda delta, last: False,
    resumes=lambda delta: delta.first_sequence,
    snapshot_in_stream=True,
)


class BookSynchroniser:
    """One book's state machine. Each method returns the events to publish, in order, not yet stamped with ``seq``.

    ``health`` is the state, ``book`` the book as published, ``last_sequence`` where it stands.
    """

    __slots__ = (
        "_anchored",
        "_buffer",
        "_linked",
        "_seen",
        "book",
        "dropped_updates",
        "gaps",
        "health",
        "ignored_snapshots",
        "instrument",
        "last_sequence",
        "old_updates",
        "policy",
    )

    def __init__(self, instrument: Instrument, policy: BookPolicy, limit: int = 1000) -> None:
        self.instrument = instrument
        self.policy = policy
        self.book = Book(instrument)
        self.health = Health.CONNECTING
        self.last_sequence = -1
        self.gaps = 0
        self.old_updates = 0
        self.dropped_updates = 0
        self.ignored_snapshots = 0
        self._buffer: deque[BookDelta] = deque(maxlen=limit)
        self._anchored = False
        self._linked = False
        self._seen = False

    @property
    def needs_snapshot(self) -> bool:
        """Whether the owner should request a snapshot now."""
        return not self._anchored and self.health in (Health.SYNCING, Health.GAPPED)

    def connecting(self, reason: str = "", ts_event: int = 0, ts_recv: int = 0) -> list[Event]:
        """The connection is being opened (again): whatever was known is void."""
        return self._restart(Health.CONNECTING, reason, ts_event, ts_recv)

    def close(self, reason: str = "", ts_event: int = 0, ts_recv: int = 0) -> list[Event]:
        """The stream has ended."""
        return self._restart(Health.CLOSED, reason, ts_event, ts_recv)

    def _restart(self, health: Health, reason: str, ts_event: int, ts_recv: int) -> list[Event]:
        self._buffer.clear()
        self._anchored = self._linked = self._seen = False
        self.health = health
        return [StreamHealth(self.instrument, "book", health, reason, ts_event, ts_recv)]

    def update(self, delta: BookDelta) -> list[Event]:
        """Take in the next update of the stream."""
        out: list[Event] = []
        self._seen = True
        if self._anchored:
            if self._advance(delta, out):
                self._settle(delta, out)
            return out
        if self.health in (Health.CONNECTING, Health.CLOSED):
            self._change(Health.SYNCING, "waiting for a snapshot", delta, out)
        self._hold(delta, out)
        return out

    def snapshot(self, snapshot: BookSnapshot) -> list[Event]:
        """Take in a whole book; it replaces everything unless it is older than what is known already."""
        out: list[Event] = []
        policy = self.policy
        sequence = snapshot.sequence
        pending = [delta for delta in self._buffer if not policy.old(delta, sequence)]
        covered = len(self._buffer) - len(pending)
        behind = self.health in _UP and sequence < self.last_sequence and not policy.snapshot_in_stream
        if behind or (pending and not policy.starts(pending[0], sequence)):
            self.ignored_snapshots += 1
            return out
        if self.health not in _UP and self.health is not Health.SYNCING:
            self._change(Health.SYNCING, f"snapshot {sequence}", snapshot, out)
        self._buffer.clear()
        self.old_updates += covered
        self._anchored = True
        self._linked = False
        self.last_sequence = sequence
        self.book.apply(snapshot)
        out.append(snapshot)
        for delta in pending:
            delta.stamp(snapshot.ts_recv, 0)
            if self._anchored:
                self._advance(delta, out)
            else:
                self._hold(delta, out)
        if self._anchored and (self._seen or policy.snapshot_in_stream):
            self._settle(snapshot, out)
        return out

    def _advance(self, delta: BookDelta, out: list[Event]) -> bool:
        """Apply an update that continues the book; True if it did."""
        last = self.last_sequence
        if self._linked:
            fits = self.policy.follows(delta, last)
            old = delta.sequence <= last
        else:
            fits = self.policy.starts(delta, last)
            old = self.policy.old(delta, last)
        if old and not (fits and self._linked):
            self.old_updates += 1
            return False
        if not fits:
            self._anchored = self._linked = False
            self._gap(delta, last, out)
            self._hold(delta, out)
            return False
        self._linked = True
        self.last_sequence = delta.sequence
        self.book.apply(delta)
        out.append(delta)
        return True

    def _hold(self, delta: BookDelta, out: list[Event]) -> None:
        if self.policy.snapshot_in_stream:
            self.dropped_updates += 1
            return
        buffer = self._buffer
        if buffer:
            newest = buffer[-1].sequence
            if not self.policy.follows(delta, newest):
                if delta.sequence <= newest:
                    self.old_updates += 1
                    return
                buffer.clear()
                self._gap(delta, newest, out)
            elif len(buffer) == buffer.maxlen:
                self.dropped_updates += 1
        buffer.append(delta)

    def _gap(self, delta: BookDelta, last: int, out: list[Event]) -> None:
        self.gaps += 1
        resumes = self.policy.resumes(delta)
        out.append(Gap(self.instrument, "book", last + 1, resumes, delta.ts_event, delta.ts_recv))
        reason = f"update {delta.first_sequence} to {delta.sequence} does not continue {last}"
        if resumes > last + 1:
            reason += f": {last + 1} to {resumes - 1} are missing"
        self._change(Health.GAPPED, reason, delta, out)

    def _settle(self, event: Event, out: list[Event]) -> None:
        if self.book.crossed:
            if self.health is not Health.CROSSED:
                bid, ask = self.book.bid_raw, self.book.ask_raw
                show = self.instrument.format_price
                self._change(Health.CROSSED, f"bid {show(bid)} is not below ask {show(ask)}", event, out)
        elif self.health is not Health.LIVE:
            self._change(Health.LIVE, f"at update {self.last_sequence}", event, out)

    def _change(self, health: Health, reason: str, event: Event, out: list[Event]) -> None:
        self.health = health
        out.append(StreamHealth(self.instrument, "book", health, reason, event.ts_event, event.ts_recv))
