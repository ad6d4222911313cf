"""The heap of tasks against a sorted list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onetape.kernel.clock import NEVER
from onetape.kernel.schedule import ORDER_EVENT, TIMER, Schedule, Task


class Note(Task):
    def __init__(self, name: object, log: list[object], *, lasting: bool = False) -> None:
        self.name = name
        self.log = log
        self.lasting = lasting
        self.canceled = False

    def fire(self) -> None:
        self.log.append(self.name)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from([ORDER_EVENT, TIMER])) | st.none(), max_size=200))
def test_tasks_come_by_time_then_priority_then_order_of_push(steps: list[tuple[int, int] | None]) -> None:
    schedule = Schedule()
    waiting: list[tuple[int, int, int]] = []
    popped: list[object] = []
    expected: list[object] = []
    for number, step in enumerate(steps):
        if step is not None:
            due, priority = step
            schedule.push(Note((due, priority, number), popped), due, priority)
            waiting.append((due, priority, number))
        elif waiting:
            waiting.sort()
            expected.append(waiting.pop(0))
            schedule.pop().fire()
        assert len(schedule) == len(waiting)
        assert schedule.next_due == (min(waiting)[0] if waiting else NEVER)
    while len(schedule):
        schedule.pop().fire()
    assert popped == expected + sorted(waiting)


def test_lasting_tasks_are_counted() -> None:
    schedule = Schedule()
    log: list[object] = []
    for number, lasting in enumerate((True, False, True)):
        schedule.push(Note(number, log, lasting=lasting), number, TIMER)
    counts = [schedule.lasting]
    while len(schedule):
        schedule.pop()
        counts.append(schedule.lasting)
    assert counts == [2, 1, 1, 0]
