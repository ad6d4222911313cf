"""Durations as people write them, and timers at a time of day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onetape.kernel.loop import Call, Kernel
from onetape.model.errors import ConfigurationError

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_DURATION = re.compile(r"(\d+)(ns|us|ms|s|m|h|d)")
_SECOND = 1_000_000_000

Duration = int | str | timedelta


def duration_ns(value: Duration) -> int:
    """Nanoseconds of ``"100ms"``, ``"1h30m"``, a ``timedelta`` or an integer of nanoseconds; must be positive."""
    if isinstance(value, str):
        parts = _DURATION.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            raise ConfigurationError(f"{value!r} is not a duration; write for example 100ms, 5s, 1h30m")
        value = sum(int(number) * _UNITS[unit] for number, unit in parts)
    elif isinstance(value, timedelta):
        value = (value.days * 86_400 + value.seconds) * _SECOND + value.microseconds * 1_000
    if value <= 0:
        raise ConfigurationError(f"a duration must be positive, not {value} ns")
    return value


def next_time_of_day(now: int, at: time, zone: ZoneInfo) -> int:
    """The first moment after ``now`` at which clocks in ``zone`` show ``at``.

    A time that a change of clocks skips is taken at the moment of the change; one that occurs twice, the first time.
    """
    day = datetime.fromtimestamp(now // _SECOND, zone).date()
    while True:
        moment = datetime.combine(day, at, zone).astimezone(UTC)
        ts = int(moment.timestamp()) * _SECOND + at.microsecond * 1_000
        if ts > now:
            return ts
        day += timedelta(days=1)


def daily(kernel: Kernel, at: str, zone: str, callback: Callable[[int], object]) -> Daily:
    """Call ``callback(due)`` every day at ``at`` (``HH:MM`` or ``HH:MM:SS``) in ``zone`` (an IANA name)."""
    try:
        return Daily(kernel, time.fromisoformat(at), ZoneInfo(zone), callback)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigurationError(
            f"{at!r} {zone!r}: write a time of day as HH:MM and a zone as Europe/London ({error})"
        ) from None


class Daily:
    """A timer at a time of day, right through changes of daylight saving."""

    def __init__(self, kernel: Kernel, at: time, zone: ZoneInfo, callback: Callable[[int], object]) -> None:
        self._kernel = kernel
        self._at = at
        self._zone = zone
        self._callback = callback
        self._call = kernel.call_at(next_time_of_day(kernel.clock.now, at, zone), self._fire)

    def _fire(self, due: int) -> None:
        self._call = self._kernel.call_at(next_time_of_day(due, self._at, self._zone), self._fire)
        self._callback(due)

    def cancel(self) -> None:
        self._call.cancel()
