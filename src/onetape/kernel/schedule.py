"""What is due when: a heap of tasks, ordered by time, then priority, then the order in which they were pushed."""

from __future__ import annotations

from onetape.kernel.clock import NEVER

_NEVER = NEVER
_PRIORITY_SHIFT = 56

#: At one time, order events come before timers (and both before market data).
ORDER_EVENT = 0
TIMER = 1


class Task:
    """Something that happens at ``due``. ``lasting`` tasks keep a run alive after its data ends."""

    __slots__ = ("canceled", "due", "lasting", "rank")

    due: int
    rank: int
    canceled: bool
    lasting: bool

    def fire(self) -> None:
        raise NotImplementedError


class Schedule:
    """Binary heap of tasks; ``next_due`` is ``NEVER`` when it is empty."""

    __slots__ = ("_count", "_heap", "lasting", "next_due")

    next_due: int
    lasting: int
    _heap: list[Task]
    _count: int

    def __init__(self) -> None:
        self._heap = []
        self._count = 0
        self.lasting = 0
        self.next_due = _NEVER

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, task: Task, due: int, priority: int) -> None:
        heap = self._heap
        task.due = due
        self._count += 1
        task.rank = (priority << _PRIORITY_SHIFT) | self._count
        if task.lasting:
            self.lasting += 1
        heap.append(task)
        child = len(heap) - 1
        while child > 0:
            parent = (child - 1) >> 1
            above = heap[parent]
            if above.due < due or (above.due == due and above.rank < task.rank):
                break
            heap[child] = above
            child = parent
        heap[child] = task
        self.next_due = heap[0].due

    def pop(self) -> Task:
        """The earliest task; the schedule must not be empty."""
        heap = self._heap
        first = heap[0]
        if first.lasting:
            self.lasting -= 1
        last = heap.pop()
        size = len(heap)
        if size == 0:
            self.next_due = _NEVER
            return first
        parent = 0
        while True:
            child = 2 * parent + 1
            if child >= size:
                break
            lower = heap[child]
            if child + 1 < size:
                right = heap[child + 1]
                if right.due < lower.due or (right.due == lower.due and right.rank < lower.rank):
                    child += 1
                    lower = right
            if last.due < lower.due or (last.due == lower.due and last.rank < lower.rank):
                break
            heap[parent] = lower
            parent = child
        heap[parent] = last
        self.next_due = heap[0].due
        return first
