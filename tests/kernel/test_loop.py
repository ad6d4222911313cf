"""The dispatch loop with small sources: who is first at one time, what is quiet, what stops it."""

from __future__ import annotations

import pytest
from fake_sources import FakeSource, Row
from hypothesis import given
from hypothesis import strategies as st
from test_schedule import Note

from onetape.kernel.clock import NEVER, Clock, SimulatedClock, WallClock
from onetape.kernel.loop import Kernel, VenueSide
from onetape.kernel.schedule import ORDER_EVENT, TIMER

Log = list[tuple[str, int, int]]


def rows(draw_rows: list[tuple[int, int]]) -> list[Row]:
    return sorted(set(draw_rows))


row_lists = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4)), max_size=15).map(rows)


@given(st.lists(st.tuples(row_lists, st.booleans()), min_size=1, max_size=4), st.lists(st.integers(0, 14), max_size=6))
def test_everything_comes_in_the_documented_order(sources: list[tuple[list[Row], bool]], timers: list[int]) -> None:
    """Timers before market data of their time; market data by time, ``seq``, then place of the source."""
    kernel = Kernel()
    log: Log = []
    for rank, (source_rows, quiet) in enumerate(sources):
        kernel.add_source(FakeSource(kernel, str(rank), source_rows, log, quiet=quiet))
    for number, due in enumerate(timers):
        kernel.call_at(due, lambda due, number=number: log.append(("timer", due, number)))  # type: ignore[misc]
    kernel.run()

    last = max((row[0] for source_rows, _ in sources for row in source_rows), default=-1)
    everything = [
        ((ts, 2, seq, rank), (str(rank), ts, seq), quiet)
        for rank, (source_rows, quiet) in enumerate(sources)
        for ts, seq in source_rows
    ]
    everything += [
        ((due, 1, number, 0), ("timer", due, number), False) for number, due in enumerate(timers) if due <= last
    ]
    everything.sort(key=lambda item: item[0])
    assert sorted(log) == sorted(entry for _, entry, _ in everything), "each exactly once"
    loud = [entry for _, entry, quiet in everything if not quiet]
    assert [entry for entry in log if entry in set(loud)] == loud
    before: set[tuple[str, int, int]] = set()
    for _, entry, quiet in everything:
        if quiet:
            before.add(entry)
        else:
            seen = set(log[: log.index(entry)])
            assert {other for other in seen if other not in loud} == before, f"quiet sources before {entry}"


def test_order_events_before_timers_before_market_data() -> None:
    kernel = Kernel()
    log: Log = []
    kernel.add_source(FakeSource(kernel, "data", [(5, 0), (6, 0)], log))
    kernel.call_at(5, lambda due: log.append(("timer", due, 0)))
    kernel.push(Note(("order", 5, 0), log), 5, ORDER_EVENT)  # type: ignore[arg-type]
    kernel.run()
    assert [name for name, _, _ in log] == ["order", "timer", "data", "data"]


def test_what_a_handler_schedules_for_now_happens_before_the_next_event() -> None:
    kernel = Kernel()
    log: Log = []

    def on_row(ts: int) -> None:
        kernel.call_at(ts, lambda due: log.append(("at once", due, 0)))
        kernel.call_at(ts - 3, lambda due: log.append(("late", due, 0)))
        kernel.push(Note(("order", ts, 0), log), ts, ORDER_EVENT)  # type: ignore[arg-type]

    kernel.add_source(FakeSource(kernel, "data", [(5, 0), (5, 1), (6, 0)], log, on_row=on_row))
    kernel.run()
    once = [("order", 5, 0), ("at once", 5, 0), ("late", 5, 0)]
    assert log == [("data", 5, 0), *once, ("data", 5, 1), *once, ("data", 6, 0)], "what follows the last is not fired"


def test_the_clock_stands_at_what_happens() -> None:
    kernel = Kernel()
    seen: list[tuple[str, int]] = []
    kernel.add_source(
        FakeSource(kernel, "a", [(3, 0), (9, 0)], [], on_row=lambda _: seen.append(("data", kernel.clock.now)))
    )
    kernel.call_at(7, lambda _: seen.append(("timer", kernel.clock.now)))
    kernel.run()
    assert seen == [("data", 3), ("timer", 7), ("data", 9)]


def test_a_repeating_timer_lives_as_long_as_the_data() -> None:
    kernel = Kernel()
    dues: list[int] = []
    kernel.add_source(FakeSource(kernel, "a", [(1, 0), (35, 0)], []))
    call = kernel.call_at(10, dues.append, 10)
    kernel.run()
    assert dues == [10, 20, 30]
    assert call.interval == 10


def test_a_canceled_timer_is_silent_also_from_its_own_callback() -> None:
    kernel = Kernel()
    dues: list[int] = []
    kernel.add_source(FakeSource(kernel, "a", [(100, 0)], []))
    kernel.call_at(5, dues.append).cancel()

    def once(due: int) -> None:
        dues.append(due)
        call.cancel()

    call = kernel.call_at(10, once, 10)
    kernel.run()
    assert dues == [10]


def test_lasting_tasks_outlive_the_data() -> None:
    kernel = Kernel()
    log: list[object] = []
    kernel.add_source(FakeSource(kernel, "a", [(1, 0)], []))
    kernel.push(Note("timer", log), 50, TIMER)
    kernel.push(Note("order", log, lasting=True), 60, ORDER_EVENT)
    kernel.push(Note("too late", log), 70, TIMER)
    kernel.run()
    assert log == ["timer", "order"]


def test_stop_ends_the_run_after_the_event_in_hand() -> None:
    kernel = Kernel()
    log: Log = []
    kernel.add_source(FakeSource(kernel, "a", [(1, 0), (2, 0), (2, 1), (3, 0)], log, on_row=lambda ts: stop(ts)))

    def stop(ts: int) -> None:
        if ts == 2:
            kernel.stop()

    kernel.run()
    assert log == [("a", 1, 0), ("a", 2, 0)]


def test_a_source_that_is_added_while_another_runs_is_merged() -> None:
    kernel = Kernel()
    log: Log = []

    def add(ts: int) -> None:
        if ts == 1:
            kernel.add_source(FakeSource(kernel, "b", [(2, 0), (4, 0)], log))

    kernel.add_source(FakeSource(kernel, "a", [(1, 0), (3, 0), (5, 0)], log, on_row=add))
    kernel.run()
    assert [(name, ts) for name, ts, _ in log] == [("a", 1), ("b", 2), ("a", 3), ("b", 4), ("a", 5)]


class Venue(VenueSide):
    """Writes down how far it was let go; while it is active the sources stop at each of their times."""

    def __init__(self, log: list[object]) -> None:
        super().__init__()
        self.log = log
        self.active = True

    def advance(self, until: int) -> None:
        self.log.append(until)


def test_the_venue_is_ahead_of_every_decision_but_never_of_the_horizon() -> None:
    kernel = Kernel()
    log: list[object] = []
    quiet = FakeSource(kernel, "q", [(1, 0), (4, 0), (8, 0)], [], quiet=True)
    quiet.horizon = 4
    quiet_run = quiet.run

    def run(limit_ts: int, limit_seq: int) -> None:
        quiet_run(limit_ts, limit_seq)
        if quiet.at == 2:
            quiet.horizon = 8

    quiet.run = run  # type: ignore[method-assign]
    kernel.add_source(quiet)
    kernel.add_source(FakeSource(kernel, "a", [(3, 0), (6, 0)], [], on_row=lambda ts: log.append(f"a{ts}")))
    kernel.venue = Venue(log)
    kernel.run()
    assert log[:2] == [3, "a3"]
    assert log.index(5) < log.index(6) < log.index("a6"), "the horizon 4 was passed only when more was in memory"


def test_clocks() -> None:
    clock = SimulatedClock(5)
    clock.advance(3)
    assert (clock.now, clock.read()) == (5, 5)
    clock.advance(9)
    assert clock.read() == 9
    assert Clock().now == 0
    wall = WallClock()
    then = wall.now
    assert wall.read() >= then
    wall.advance(then + 10**18)
    assert wall.read() == then + 10**18, "never back"
    assert wall.now < NEVER


@pytest.mark.parametrize("sources", [0, 2])
def test_without_data_nothing_happens(sources: int) -> None:
    kernel = Kernel()
    for _ in range(sources):
        kernel.add_source(FakeSource(kernel, "a", [], []))
    kernel.call_at(5, lambda _: pytest.fail("a timer without data"))
    kernel.run()
