"""Time: integer nanoseconds since the epoch, UTC, from the tape or from the wall, behind one interface."""

from __future__ import annotations

import time

NEVER = 2**63 - 1


class Clock:
    """``now`` is the time of the event being handled."""

    __slots__ = ("now",)

    now: int

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def read(self) -> int:
        """Current time; a wall clock reads the system's, a simulated one stands where the loop put it."""
        return self.now

    def advance(self, now: int) -> None:
        """Move to ``now``; time never goes back."""
        if now > self.now:
            self.now = now


class SimulatedClock(Clock):
    """Stands still until the kernel moves it to the next event's time."""

    __slots__ = ()


class WallClock(Clock):
    """The system clock, kept from going back; ``now`` stands still while one event is handled."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(time.time_ns())

    def read(self) -> int:
        self.advance(time.time_ns())
        return self.now
