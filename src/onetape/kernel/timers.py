"""Durations as people write them, and timers at a time of day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onetape.kernel.loop import Kernel
from onetape.model.errors import ConfigurationError
from onetape.model.numbers import shorten

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_DURATION = re.compile(r"([0-9]{1,18})(ns|us|ms|s|m|h|d)")
_LONGEST = 100 * 365 * _UNITS["d"]
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
    if not isinstance(value, int):
        raise ConfigurationError(f"{value!r} is not a duration; write for example 100ms, 5s, 1h30m")
    if not 0 < value <= _LONGEST:
        raise ConfigurationError(f"a duration must be positive and not above 100 years, not {shorten(value)} ns")
    return value


def next_time_of_day(now: int, at: time, zone: ZoneInfo) -> int:
    """The first moment after ``now`` at which clocks in ``zone`` show ``at``.

    A time that a change of clocks skips is taken at the moment of the change, one that occurs twice the first time.
    """
    day = datetime.fromtimestamp(now // _SECOND, zone).date()
    while True:
        ts = _moment(datetime.combine(day, at, zone))
        if ts > now:
            return ts
        day += timedelta(days=1)


def _moment(local: datetime) -> int:
    utc = local.astimezone(UTC)
    if utc.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return int(utc.replace(microsecond=0).timestamp()) * _SECOND + local.microsecond * 1_000
    # Skipped: PEP 495's two readings of it lie on either side of the change, by as much as the clocks move.
    after = int(utc.replace(microsecond=0).timestamp())
    before = int(local.replace(fold=1, microsecond=0).timestamp())
    offset = datetime.fromtimestamp(after, local.tzinfo).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, local.tzinfo).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after * _SECOND


def daily(kernel: Kernel, at: str, zone: str, callback: Callable[[int], object]) -> Daily:
    """Call ``callback(due)`` every day at ``at`` (``HH:MM`` or ``HH:MM:SS``) in ``zone`` (an IANA name)."""
    try:
        moment, place = time.fromisoformat(at), ZoneInfo(zone)
        if moment.tzinfo is not None:
            raise ValueError("a time of day with an offset")
        return Daily(kernel, moment, place, callback)
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError) as error:
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
