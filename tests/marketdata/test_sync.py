"""The book synchroniser: each row of its table, and that it never passes on what does not continue the book."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.marketdata.sync import SNAPSHOTS_ONLY, BookPolicy, BookSynchroniser
from onetape.model.enums import Health
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot
from onetape.model.system import Gap, StreamHealth
from onetape.venues.binance.decoder import POLICIES

SPOT = POLICIES["spot"]
FUTURES = POLICIES["usdm"]
IN_STREAM = BookPolicy(
    "a venue that starts its stream with the book",
    old=lambda delta, last: delta.sequence <= last,
    starts=lambda delta, last: delta.sequence == last + 1,
    follows=lambda delta, last: delta.sequence == last + 1,
    resumes=lambda delta: delta.sequence,
    snapshot_in_stream=True,
)
INSTRUMENT = Instrument("BTC-USDT.SYNC", tick_size="1", lot_size="1")


def delta(first: int, last: int, previous: int = -1, bids: tuple = (), asks: tuple = ()) -> BookDelta:  # type: ignore[type-arg]
    return BookDelta(INSTRUMENT, bids, asks, first, last, previous, ts_event=last, ts_recv=last)


def snapshot(last: int, bids: tuple = ((100, 1),), asks: tuple = ((101, 1),)) -> BookSnapshot:  # type: ignore[type-arg]
    return BookSnapshot(INSTRUMENT, bids, asks, last, ts_event=last, ts_recv=last)


def shown(events: list[Event]) -> list[object]:
    return [event.health if isinstance(event, StreamHealth) else type(event) for event in events]


def live(policy: BookPolicy = SPOT) -> BookSynchroniser:
    book = BookSynchroniser(INSTRUMENT, policy)
    book.update(delta(9, 10, 8))
    assert shown(book.snapshot(snapshot(10)))[-1] is Health.LIVE
    return book


def test_connecting_with_an_update_syncs_and_holds_it() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT)
    assert not book.needs_snapshot
    assert shown(book.update(delta(1, 2))) == [Health.SYNCING]
    assert book.needs_snapshot
    assert shown(book.update(delta(3, 4))) == []


def test_connecting_with_a_snapshot_is_live_once_an_update_continues_it() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT)
    assert shown(book.snapshot(snapshot(10))) == [Health.SYNCING, BookSnapshot]
    assert not book.needs_snapshot
    assert shown(book.update(delta(9, 10))) == []
    assert shown(book.update(delta(11, 12))) == [BookDelta, Health.LIVE]


def test_syncing_with_a_snapshot_passes_on_what_follows_it() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT)
    for first in (1, 4, 7):
        book.update(delta(first, first + 2))
    events = book.snapshot(snapshot(5))
    assert shown(events) == [BookSnapshot, BookDelta, BookDelta, Health.LIVE]
    assert book.old_updates == 1
    assert book.last_sequence == 9


def test_syncing_with_a_snapshot_older_than_the_stream_waits_for_another() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT)
    book.update(delta(20, 21))
    assert book.snapshot(snapshot(10)) == []
    assert (book.health, book.ignored_snapshots, book.needs_snapshot) == (Health.SYNCING, 1, True)
    assert shown(book.snapshot(snapshot(19))) == [BookSnapshot, BookDelta, Health.LIVE]


def test_syncing_reports_a_hole_in_what_it_holds() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT)
    book.update(delta(1, 2))
    book.update(delta(3, 4))
    gap, _health = book.update(delta(7, 8))
    assert isinstance(gap, Gap)
    assert (gap.expected, gap.received) == (5, 7)
    assert book.health is Health.GAPPED
    for sequence in (2, 4):  # these would need the update that is missing
        assert book.snapshot(snapshot(sequence)) == []
    assert shown(book.snapshot(snapshot(6))) == [Health.SYNCING, BookSnapshot, BookDelta, Health.LIVE]


@pytest.mark.parametrize(
    ("policy", "update"),
    [(SPOT, delta(13, 14)), (FUTURES, delta(13, 14, 12))],
    ids=["spot", "futures"],
)
def test_live_with_an_update_that_does_not_follow_is_gapped(policy: BookPolicy, update: BookDelta) -> None:
    book = live(policy)
    book.update(delta(11, 11, 10))
    gap, health = book.update(update)
    assert isinstance(gap, Gap)
    assert isinstance(health, StreamHealth)
    assert (gap.expected, gap.received) == (12, 13)
    assert health.health is Health.GAPPED
    assert health.reason == "update 13 to 14 does not continue 11: 12 to 12 are missing"
    assert book.needs_snapshot


def test_gapped_with_an_update_holds_it() -> None:
    book = live()
    book.update(delta(13, 14))
    assert book.update(delta(15, 16)) == []
    assert book.last_sequence == 10


def test_gapped_with_a_snapshot_is_live_without_ghosts_of_old_levels() -> None:
    book = live()
    book.update(delta(13, 14, bids=((99, 5),)))
    events = book.snapshot(snapshot(14, bids=((98, 2),), asks=((103, 2),)))
    assert shown(events) == [Health.SYNCING, BookSnapshot, Health.LIVE]
    assert book.book.bids.levels(0) == ((98, 2),)
    assert book.book.asks.levels(0) == ((103, 2),)


def test_live_with_a_newer_snapshot_is_replaced_with_an_older_one_is_not() -> None:
    book = live()
    assert book.snapshot(snapshot(9)) == []
    assert book.ignored_snapshots == 1
    assert shown(book.snapshot(snapshot(20))) == [BookSnapshot]
    assert shown(book.update(delta(15, 20))) == []
    assert shown(book.update(delta(21, 22))) == [BookDelta]


def test_live_with_the_same_update_again_ignores_it() -> None:
    book = live(FUTURES)
    assert shown(book.update(delta(11, 12, 10))) == [BookDelta]
    assert book.update(delta(11, 12, 10)) == []
    assert (book.old_updates, book.health) == (1, Health.LIVE)


def test_crossed_until_it_is_not() -> None:
    book = live()
    events = book.update(delta(11, 11, bids=((101, 4),)))
    assert shown(events) == [BookDelta, Health.CROSSED]
    assert isinstance(events[-1], StreamHealth)
    assert events[-1].reason == "bid 101 is not below ask 101"
    assert shown(book.update(delta(12, 12, bids=((99, 4),)))) == [BookDelta]
    assert shown(book.update(delta(13, 13, asks=((101, 0), (102, 3))))) == [BookDelta, Health.LIVE]


def test_a_crossed_snapshot_is_crossed() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT)
    book.update(delta(1, 1))
    assert shown(book.snapshot(snapshot(1, bids=((105, 1),)))) == [BookSnapshot, Health.CROSSED]


def test_connecting_again_and_closed_forget_everything() -> None:
    book = live()
    assert shown(book.connecting("socket closed")) == [Health.CONNECTING]
    assert shown(book.update(delta(11, 12))) == [Health.SYNCING]
    assert shown(book.close()) == [Health.CLOSED]
    assert shown(book.update(delta(13, 14))) == [Health.SYNCING]
    assert shown(book.snapshot(snapshot(12))) == [BookSnapshot, BookDelta, Health.LIVE]


def test_the_buffer_keeps_the_newest_and_counts_what_it_drops() -> None:
    book = BookSynchroniser(INSTRUMENT, SPOT, limit=10)
    for at in range(1, 26):
        book.update(delta(at, at))
    assert book.dropped_updates == 15
    assert book.snapshot(snapshot(14)) == []
    assert shown(book.snapshot(snapshot(15))) == [BookSnapshot, *[BookDelta] * 10, Health.LIVE]


def test_futures_start_at_the_update_that_ends_at_or_spans_the_snapshot() -> None:
    for first, last, previous, starts in (
        (5, 9, 4, False),
        (5, 10, 4, True),
        (10, 12, 9, True),
        (14, 16, 10, True),  # ids 11 to 13 were other symbols': nothing is missing after 10
        (14, 16, 12, False),
    ):
        book = BookSynchroniser(INSTRUMENT, FUTURES)
        book.update(delta(first, last, previous))
        events = book.snapshot(snapshot(10))
        assert (BookDelta in shown(events)) is starts, (first, last, previous)


def test_a_stream_with_its_own_snapshots_needs_no_buffer() -> None:
    book = BookSynchroniser(INSTRUMENT, IN_STREAM)
    assert shown(book.update(delta(4, 4))) == [Health.SYNCING]
    assert shown(book.snapshot(snapshot(7))) == [BookSnapshot, Health.LIVE]
    assert shown(book.update(delta(8, 8))) == [BookDelta]
    assert shown(book.update(delta(10, 10))) == [Gap, Health.GAPPED]
    assert shown(book.update(delta(11, 11))) == []
    assert book.dropped_updates == 3
    assert shown(book.snapshot(snapshot(2))) == [Health.SYNCING, BookSnapshot, Health.LIVE]  # ids began anew


def test_snapshots_only() -> None:
    book = BookSynchroniser(INSTRUMENT, SNAPSHOTS_ONLY)
    assert shown(book.snapshot(snapshot(7))) == [Health.SYNCING, BookSnapshot, Health.LIVE]
    assert shown(book.snapshot(snapshot(8, bids=((90, 1),)))) == [BookSnapshot]
    assert book.book.bids.levels(0) == ((90, 1),)


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, list[tuple[str, int]], list[tuple[int, int, int]]]:
    """A venue's true updates, and what of them arrived in which order, with snapshots taken in between."""
    market = draw(st.sampled_from(["spot", "usdm"]))
    updates, last = [], draw(st.integers(0, 50))
    for _ in range(draw(st.integers(1, 25))):
        first = last + (1 if market == "spot" else draw(st.integers(1, 4)))
        end = first + draw(st.integers(0, 3))
        updates.append((first, end, last))
        last = end
    arrivals: list[tuple[str, int]] = []
    for at in range(len(updates)):
        fault = draw(st.sampled_from(["", "", "", "", "drop", "twice", "late"]))
        if fault != "drop":
            arrivals.append(("update", at))
        if fault == "twice":
            arrivals.append(("update", at))
        if fault == "late" and at:
            arrivals[-2:] = reversed(arrivals[-2:])
        if draw(st.integers(0, 4)) == 0:
            arrivals.append(("snapshot", max(0, at - draw(st.integers(0, 3)))))
    return market, arrivals, updates


@given(streams())
def test_a_live_book_is_always_the_venues_own(
    stream: tuple[str, list[tuple[str, int]], list[tuple[int, int, int]]],
) -> None:
    """Level ``100 - n`` is set by update n alone, so a lost update would leave its level out."""
    market, arrivals, updates = stream
    book = BookSynchroniser(INSTRUMENT, POLICIES[market], limit=5)
    truth = [tuple((100 - n, 1 + n) for n in range(at + 1)) for at in range(len(updates))]
    for kind, at in arrivals:
        first, last, previous = updates[at]
        if kind == "update":
            level = ((100 - at, 1 + at),)
            events = book.update(delta(first, last, previous if market == "usdm" else -1, bids=level))
        else:
            events = book.snapshot(snapshot(last, bids=truth[at], asks=((200, 1),)))
        if book.health is Health.LIVE:
            reached = next(n for n, update in enumerate(updates) if update[1] == book.last_sequence)
            assert book.book.bids.levels(0) == truth[reached]
        elif book.health is Health.GAPPED:
            assert events == [] or isinstance(events[-2], Gap)
        passed = [event for event in events if isinstance(event, BookDelta)]
        if passed and book.health is not Health.GAPPED:
            assert passed[-1].sequence == book.last_sequence
