"""Chains of column runs: read once, kept no longer than somebody needs them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from onetape.marketdata.feed import Feed, Run
from onetape.model.columns import Columns
from onetape.model.errors import TapeError
from onetape.model.instrument import Instrument

COIN = Instrument("FEED-USD.SIM")


def run_of(*ts: int) -> Columns:
    return Columns("trade", COIN, {"ts_recv": np.array(ts, np.int64)})


def test_two_readers_see_the_same_runs_and_empty_ones_are_passed_over() -> None:
    feed = Feed("trade", COIN, iter([run_of(), run_of(1, 2), run_of(), run_of(2, 3)]))
    first = feed.first
    assert first is not None and first.columns.rows == 2
    second = first.next()
    assert second is not None and second is first.next()
    assert second.columns["ts_recv"].tolist() == [2, 3]
    assert second.next() is None and second.next() is None


def test_passed_runs_are_freed() -> None:
    made: list[weakref.ref[Columns]] = []

    class Held(Columns):
        __slots__ = ("__weakref__",)

    def runs() -> Iterator[Columns]:
        for i in range(50):
            columns = Held("trade", COIN, {"ts_recv": np.array([i], np.int64)})
            made.append(weakref.ref(columns))
            yield columns

    feed = Feed("trade", COIN, runs())
    ahead: Run | None = feed.first
    behind: Run | None = feed.first
    for _ in range(30):
        assert ahead is not None and behind is not None
        ahead, behind = ahead.next(), behind.next()
    gc.collect()
    assert sum(ref() is not None for ref in made) <= 2


@pytest.mark.parametrize(
    ("runs", "row"),
    [
        ([run_of(1, 5, 4)], "a row received at 4 follows one of 5"),
        ([run_of(1, 5), run_of(4, 6)], "a row received at 4 follows one of 5"),
    ],
)
def test_time_going_backwards_is_named(runs: list[Columns], row: str) -> None:
    with pytest.raises(TapeError, match=f"trade of FEED-USD.SIM: time goes backwards, {row}"):
        reader: Run | None = Feed("trade", COIN, iter(runs)).first
        while reader is not None:
            reader = reader.next()
