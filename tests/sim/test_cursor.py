"""The venue's side readers: the venue's time, steps, jumps and the path of a bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.kernel.clock import NEVER
from onetape.marketdata.feed import Feed
from onetape.model.columns import Columns
from onetape.model.instrument import Instrument
from onetape.sim.cursor import BarCursor, Cursor, TradeCursor

COIN = Instrument("CUR-USD.SIM", tick_size="1", lot_size="1")
STAMPS = st.lists(st.tuples(st.integers(0, 50), st.integers(-30, 60)), min_size=1, max_size=40)


def trade_feed(event: list[int], received: list[int], chunk: int) -> Feed:
    whole = Columns("trade", COIN, {"ts_event": np.array(event), "ts_recv": np.array(received)})
    chunks = [whole.slice(i, min(i + chunk, whole.rows)) for i in range(0, whole.rows, chunk)]
    return Feed("trade", COIN, iter(chunks))


def walk(cursor: Cursor) -> list[int]:
    times = []
    while cursor.next_ts != NEVER:
        times.append(cursor.next_ts)
        cursor.step()
    return times


@given(STAMPS, st.integers(1, 40))
def test_venue_time_never_goes_back_nor_past_what_we_received(stamps: list[tuple[int, int]], chunk: int) -> None:
    received = sorted(recv for recv, _ in stamps)
    event = [recv + lead for recv, (_, lead) in zip(received, stamps, strict=True)]
    times = walk(TradeCursor(trade_feed(event, received, chunk)))
    expected, latest = [], -(10**9)
    for happened, recv in zip(event, received, strict=True):
        latest = max(latest, min(happened, recv))
        expected.append(latest)
    assert times == expected
    assert all(ts <= recv for ts, recv in zip(times, received, strict=True))


def test_one_stamp_from_the_future_does_not_spoil_those_after_it() -> None:
    assert walk(TradeCursor(trade_feed([10, 10**15, 30, 40], [15, 25, 35, 45], 2))) == [10, 25, 30, 40]


def test_runs_with_and_without_a_venue_time_are_one_order() -> None:
    plain = Columns("trade", COIN, {"ts_recv": np.array([10, 20])})
    stamped = Columns("trade", COIN, {"ts_event": np.array([5, 25]), "ts_recv": np.array([22, 30])})
    assert walk(TradeCursor(Feed("trade", COIN, iter([plain, stamped])))) == [10, 20, 20, 25]


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=40), st.lists(st.integers(0, 70), max_size=8), st.integers(1, 40)
)
def test_jumps_pass_what_steps_pass(times: list[int], targets: list[int], chunk: int) -> None:
    times.sort()
    jumping = TradeCursor(trade_feed(times, times, chunk))
    stepping = TradeCursor(trade_feed(times, times, chunk))
    for until in sorted(targets):
        while jumping.jump(until):
            last = jumping.next_ts
            assert last <= until
            jumping.step()
        while stepping.next_ts <= until:
            stepping.step()
        assert jumping.next_ts == stepping.next_ts


def bar_cursor(*bars: tuple[int, int, int, int, int, int], chunk: int = 1) -> BarCursor:
    names = ("ts_open", "ts_recv", "open", "high", "low", "close")
    whole = Columns("bar", COIN, {name: np.array([bar[i] for bar in bars]) for i, name in enumerate(names)}, spec="1m")
    return BarCursor(Feed("bar", COIN, iter([whole.slice(i, i + chunk) for i in range(0, whole.rows, chunk)]), "1m"))


@pytest.mark.parametrize(
    ("bar", "path"),
    [
        ((100, 160, 10, 15, 8, 12), [(100, 10), (120, 8), (140, 15), (160, 12)]),
        ((100, 160, 10, 11, 5, 6), [(100, 10), (120, 11), (140, 5), (160, 6)]),
        ((100, 160, 10, 12, 8, 9), [(100, 10), (120, 8), (140, 12), (160, 9)]),
        ((0, 160, 10, 12, 8, 9), [(160, 10), (160, 8), (160, 12), (160, 9)]),
        ((200, 160, 10, 12, 8, 9), [(160, 10), (160, 8), (160, 12), (160, 9)]),
    ],
    ids=["low is nearer", "high is nearer", "as near: low first", "start unknown", "start after the end"],
)
def test_path_of_a_bar(bar: tuple[int, int, int, int, int, int], path: list[tuple[int, int]]) -> None:
    cursor, seen = bar_cursor(bar), []
    while cursor.next_ts != NEVER:
        seen.append((cursor.next_ts, cursor.price()))
        cursor.step()
    assert seen == path


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_jump_over_bars_ends_at_a_close_and_says_that_it_is_another_bar(chunk: int) -> None:
    bars = [(100 * i, 100 * i + 90, 10 + i, 20 + i, 5 + i, 15 + i) for i in range(1, 4)]
    cursor = bar_cursor(*bars, chunk=chunk)
    seen = []
    while cursor.jump(300):
        cursor.fresh = False
        seen.append((cursor.next_ts, cursor.price()))
        cursor.step()
    assert seen[-2:] == [(290, 17), (300, 13)]
    assert cursor.fresh is False and cursor.next_ts == 330
    cursor.fresh = False
    assert cursor.jump(400) and cursor.price() == 18 and not cursor.fresh
