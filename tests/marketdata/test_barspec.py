from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.marketdata.barspec import BarMethod, BarSpec, PriceSource
from onetape.marketdata.session import Session
from onetape.model.errors import ConfigurationError

SECOND = 1_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1m", "1m"),
        ("60s", "1m"),
        ("250ms", "250ms"),
        ("60m@America/New_York 9:30-16:00", "1h@America/New_York 09:30-16:00"),
        ("24h", "1d"),
        ("24h@Europe/London", "24h@Europe/London"),
        ("7d", "7d"),
        ("1w", "1w"),
        ("1M", "1M"),
        ("100t", "100t"),
        ("0.50v", "0.5v"),
        ("1000$", "1000$"),
        ("20i:mid", "20i:mid"),
        ("1m:trade@UTC", "1m"),
        ("5t@America/Chicago 17:00-17:00", "5t@America/Chicago 17:00"),
    ],
)
def test_text_is_brought_to_its_shortest_form_and_back(text: str, canonical: str) -> None:
    spec = BarSpec.parse(text)
    assert str(spec) == canonical
    assert BarSpec.parse(canonical) == spec
    assert hash(BarSpec.parse(canonical)) == hash(spec)


def test_parts() -> None:
    spec = BarSpec.parse("2.5$@America/New_York 18:00-17:00")
    assert (spec.method, spec.source) == (BarMethod.VALUE, PriceSource.TRADE)
    assert spec.session == Session("America/New_York", time(18), time(17))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "0m",
        "-1m",
        "1.5m",
        "1x",
        "1m:last",
        "1m@",
        "1m@Mars/Olympus",
        "1m@America",
        "1m@../../etc/passwd",
        "1m@UTC 25:00",
        "1m@UTC 9",
        "25h",
        "5v:mid",
        "1000$:bid",
        "9" * 40 + "d",
        "99999d",
        "\u0661m",
    ],
)
def test_what_is_no_bar_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ConfigurationError):
        BarSpec.parse(text)


@pytest.mark.parametrize(
    ("spec", "at", "start", "end"),
    [
        ("1h", "2024-01-01T10:59:59", "2024-01-01T10:00", "2024-01-01T11:00"),
        ("7h", "2024-01-01T23:00", "2024-01-01T21:00", "2024-01-02T00:00"),
        ("1w", "2024-01-07T23:00", "2024-01-01T00:00", "2024-01-08T00:00"),
        ("1M", "2024-02-29T12:00", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("3M", "2024-02-29T12:00", "2024-01-01T00:00", "2024-04-01T00:00"),
        ("1d@America/New_York 09:30-16:00", "2024-01-05T15:00", "2024-01-05T14:30", "2024-01-05T21:00"),
        ("1d@America/New_York 09:30-16:00", "2024-07-05T15:00", "2024-07-05T13:30", "2024-07-05T20:00"),
        # The days on which New York's clocks change have 23 and 25 hours.
        ("1d@America/New_York", "2024-03-10T12:00", "2024-03-10T05:00", "2024-03-11T04:00"),
        ("1d@America/New_York", "2024-11-03T12:00", "2024-11-03T04:00", "2024-11-04T05:00"),
        ("4h@America/New_York", "2024-03-11T03:30", "2024-03-11T01:00", "2024-03-11T04:00"),
        # The week of a market that opens on Sunday evening is that of the Monday.
        ("1w@America/New_York 17:00", "2024-01-08T12:00", "2024-01-07T22:00", "2024-01-14T22:00"),
        ("1d@America/Chicago 17:00-16:00", "2024-01-08T12:00", "2024-01-07T23:00", "2024-01-08T22:00"),
        ("1d@Asia/Kolkata 09:15-15:30", "2024-01-08T05:00", "2024-01-08T03:45", "2024-01-08T10:00"),
        # Samoa had no 30 December 2011.
        ("1d@Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00", "2011-12-31T10:00"),
    ],
)
def test_intervals(spec: str, at: str, start: str, end: str) -> None:
    interval = BarSpec.parse(spec).interval(ns(at))
    assert (interval.start, interval.end, interval.inside) == (ns(start), ns(end), True)


def test_between_sessions() -> None:
    interval = BarSpec.parse("5m@America/New_York 09:30-16:00").interval(ns("2024-01-05T22:00"))
    assert (interval.window_start, interval.window_end) == (ns("2024-01-05T21:00"), ns("2024-01-06T14:30"))
    assert not interval.inside


def test_trading_date_is_that_of_the_middle() -> None:
    assert Session.parse("America/New_York 17:00").day(ns("2024-01-07T23:00")).date == date(2024, 1, 8)
    assert Session.parse("UTC 08:00").day(ns("2024-01-08T07:00")).date == date(2024, 1, 7)


@given(
    ts=st.integers(-(2**61), 2**62),
    spec=st.sampled_from(
        [
            "1s",
            "7m",
            "1d",
            "3d",
            "1w",
            "2w",
            "1M",
            "5M",
            "1h@America/New_York 09:30-16:00",
            "1d@Europe/London 17:00",
        ]
        + ["90m@Australia/Lord_Howe 02:15-01:00", "1M@Pacific/Apia 09:00-17:00", "50t@Asia/Tokyo 09:00-15:00"]
    ),
)
def test_intervals_tile_time(ts: int, spec: str) -> None:
    rule = BarSpec.parse(spec)
    here = rule.interval(ts)
    assert here.window_start <= ts < here.window_end
    assert here.start <= here.window_start <= here.window_end <= here.end
    assert rule.interval(here.window_start) == here == rule.interval(here.window_end - 1)
    following = rule.interval(here.window_end)
    assert following.window_start == here.window_end
    if here.inside:  # a week or month goes on after the gap between two of its sessions
        assert following.start == here.start or following.start >= here.end or not following.inside
