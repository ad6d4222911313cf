"""Durations as people write them, and times of day across changes of clocks on both halves of the globe."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from fake_sources import FakeSource
from hypothesis import given
from hypothesis import strategies as st

from onetape.kernel.loop import Kernel
from onetape.kernel.timers import daily, duration_ns, next_time_of_day
from onetape.model.errors import ConfigurationError

SECOND = 10**9


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def text(ts: int) -> str:
    return datetime.fromtimestamp(ts // SECOND, UTC).isoformat()[:19]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1ns", 1),
        ("100us", 100_000),
        ("250ms", 250_000_000),
        ("5s", 5 * SECOND),
        ("1m", 60 * SECOND),
        ("1h30m", 5_400 * SECOND),
        ("2d", 172_800 * SECOND),
        (timedelta(milliseconds=1, days=1), 86_400 * SECOND + 1_000_000),
        (7, 7),
    ],
)
def test_durations(value: object, expected: int) -> None:
    assert duration_ns(value) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["", "5", "5 s", "-5s", "0s", "1.5s", "5x", "s", "５s", "9" * 30 + "d", "999999999999d"]
)
def test_what_is_not_a_duration(value: str) -> None:
    with pytest.raises(ConfigurationError):
        duration_ns(value)


@pytest.mark.parametrize("value", [0, -1, 1.5, None, timedelta(0), timedelta(seconds=-1), 2**63])
def test_what_is_not_a_positive_duration(value: object) -> None:
    with pytest.raises(ConfigurationError):
        duration_ns(value)  # type: ignore[arg-type]


DAYS = [
    # New York: clocks go 02:00 -> 03:00 on 2026-03-08 (07:00Z) and 02:00 -> 01:00 on 2026-11-01 (06:00Z)
    (
        "America/New_York",
        "09:30",
        "2026-03-07T00:00",
        ["2026-03-07T14:30", "2026-03-08T13:30", "2026-03-09T13:30"],
    ),
    (
        "America/New_York",
        "09:30",
        "2026-10-31T00:00",
        ["2026-10-31T13:30", "2026-11-01T14:30", "2026-11-02T14:30"],
    ),
    (
        "America/New_York",
        "02:30",
        "2026-03-07T00:00",
        ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"],
    ),
    ("America/New_York", "01:30", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
    # Sydney: 02:00 -> 03:00 on 2026-10-04 (16:00Z the day before), 03:00 -> 02:00 on 2026-04-05
    (
        "Australia/Sydney",
        "10:00",
        "2026-10-02T12:00",
        ["2026-10-03T00:00", "2026-10-03T23:00", "2026-10-04T23:00"],
    ),
    (
        "Australia/Sydney",
        "02:30",
        "2026-10-02T12:00",
        ["2026-10-02T16:30", "2026-10-03T16:00", "2026-10-04T15:30"],
    ),
    ("Australia/Sydney", "02:30", "2026-04-03T20:00", ["2026-04-04T15:30", "2026-04-05T16:30"]),
    # Lord Howe moves by half an hour: 02:00 -> 02:30 on 2026-10-04
    ("Australia/Lord_Howe", "02:15", "2026-10-03T00:00", ["2026-10-03T15:30", "2026-10-04T15:15"]),
    ("UTC", "00:00", "2026-02-27T00:00", ["2026-02-28T00:00", "2026-03-01T00:00"]),
    ("Asia/Kolkata", "09:15", "2026-01-01T03:45", ["2026-01-02T03:45"]),
]


@pytest.mark.parametrize(("zone", "at", "begin", "expected"), DAYS)
def test_times_of_day(zone: str, at: str, begin: str, expected: list[str]) -> None:
    now, seen = ns(begin), []
    for _ in expected:
        now = next_time_of_day(now, time.fromisoformat(at), ZoneInfo(zone))
        seen.append(text(now)[:16])
    assert seen == expected


@given(
    st.integers(0, 4 * 10**9),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(["America/New_York", "Australia/Sydney", "Europe/London", "America/Sao_Paulo", "Asia/Kathmandu"]),
)
def test_every_day_has_one_and_none_is_early(now_s: int, minute: int, zone: str) -> None:
    place, at = ZoneInfo(zone), time(minute // 60, minute % 60)
    first = next_time_of_day(now_s * SECOND, at, place)
    second = next_time_of_day(first, at, place)
    assert now_s * SECOND < first < second
    assert first - now_s * SECOND <= 26 * 3600 * SECOND
    local = datetime.fromtimestamp(first // SECOND, place)
    assert local.time() >= at or local.time() == at
    assert datetime.fromtimestamp(second // SECOND, place).date() - local.date() == timedelta(days=1)


def test_a_daily_timer_goes_on_until_it_is_canceled() -> None:
    kernel = Kernel()
    kernel.add_source(FakeSource(kernel, "a", [(ns("2026-03-06T00:00"), 0), (ns("2026-03-12T00:00"), 0)], []))
    dues: list[str] = []

    def tick(due: int) -> None:
        dues.append(text(due)[:16])
        if len(dues) == 4:
            timer.cancel()

    kernel.clock.advance(ns("2026-03-06T00:00"))
    timer = daily(kernel, "09:30:00", "America/New_York", tick)
    kernel.run()
    assert dues == ["2026-03-06T14:30", "2026-03-07T14:30", "2026-03-08T13:30", "2026-03-09T13:30"]


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        ("25:00", "UTC"),
        ("9", "UTC"),
        ("", "UTC"),
        ("09:30+02:00", "UTC"),
        ("09:30", "Mars/Olympus"),
        ("09:30", "../etc"),
        ("09:30", "America"),
        ("09:30", ""),
    ],
)
def test_what_is_not_a_time_of_day_and_a_zone(at: str, zone: str) -> None:
    with pytest.raises(ConfigurationError, match="write a time of day as HH:MM"):
        daily(Kernel(), at, zone, print)
