"""The level-2 book against a plain dictionary, and its floats against exact decimals."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.marketdata.book import Book, BookSide
from onetape.model.enums import BookFlag, Side
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot

COIN = Instrument("BOOK-USD.SIM", tick_size="0.01", lot_size="0.001")
PRICES = st.integers(-60, 60)
LEVELS = st.lists(st.tuples(PRICES, st.integers(0, 9)), max_size=200)


@given(st.sampled_from([1, -1]), LEVELS, PRICES)
def test_side_is_a_sorted_dictionary(sign: int, updates: list[tuple[int, int]], probe: int) -> None:
    side, model = BookSide(sign), dict[int, int]()
    for price, size in updates:
        assert side.set(price, size) == model.pop(price, 0)
        if size:
            model[price] = size
    expected = sorted(model.items(), key=lambda level: -sign * level[0])
    assert side.levels(0) == tuple(expected)
    assert side.count == len(expected)
    assert side.levels(3) == tuple(expected[:3])
    assert side.size_at(probe) == model.get(probe, 0)
    assert (side.best_price(), side.best_size()) == (expected[0] if expected else (0, 0))
    for rank in range(-1, len(expected) + 1):
        level = expected[rank] if 0 <= rank < len(expected) else (0, 0)
        assert (side.price_of(rank), side.size_of(rank)) == level
    assert side.shows(probe) == (not expected or sign * probe >= sign * expected[-1][0])


@given(LEVELS, LEVELS, LEVELS, LEVELS, st.integers(0, 2))
def test_book_follows_snapshots_and_deltas(
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
    more: list[tuple[int, int]],
    last: list[tuple[int, int]],
    n: int,
) -> None:
    book = Book(COIN)
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for i, (left, right) in enumerate([(bids, asks), (more, last), (asks, bids)][: n + 1]):
        clear = i != 1
        snapshot = [dict(level for level in side if level[1]) for side in (left, right)]
        levels = [tuple(side.items()) for side in snapshot] if clear else [tuple(left), tuple(right)]
        event = BookSnapshot(COIN, *levels, i) if clear else BookDelta(COIN, *levels, i, i, -1)
        book.apply(event)
        for model, changes in zip(sides, levels, strict=True):
            if clear:
                model.clear()
            for price, size in changes:
                model[price] = size
                if not size:
                    del model[price]
        assert dict(book.bids.levels(0)) == sides[0]
        assert dict(book.asks.levels(0)) == sides[1]
        assert book.sequence == i
        assert book.crossed == (bool(sides[0]) and bool(sides[1]) and max(sides[0]) >= min(sides[1]))


def test_rows_make_the_same_book() -> None:
    book = Book(COIN)
    book.apply_row(Side.BUY, 100, 5, 0)
    book.apply_row(Side.NONE, 0, 0, BookFlag.CLEAR | BookFlag.SNAPSHOT | BookFlag.LAST)
    assert book.bids.count == book.asks.count == 0
    book.apply_row(Side.SELL, 101, 7, BookFlag.CLEAR | BookFlag.SNAPSHOT)
    book.apply_row(Side.BUY, 99, 3, BookFlag.LAST)
    assert (book.bid_raw, book.bid_size_raw, book.ask_raw, book.ask_size_raw) == (99, 3, 101, 7)


def test_views_are_the_nearest_floats() -> None:
    book = Book(COIN)
    book.apply(BookSnapshot(COIN, ((10_001, 1_234), (9_999, 1)), ((10_003, 7),)))
    assert (book.bid, book.ask, book.bid_size, book.ask_size) == (100.01, 100.03, 1.234, 0.007)
    assert book.mid == pytest.approx(100.02)
    assert book.spread == 0.02
    assert book.levels(Side.BUY) == [(100.01, 1.234), (99.99, 0.001)]
    assert book.levels(Side.SELL, 1) == [(100.03, 0.007)]
    assert repr(book) == "Book(BOOK-USD.SIM, 100.01 / 100.03, 2 bids, 1 asks)"
    assert Decimal(str(book.bid)) == Decimal("100.01")


@pytest.mark.parametrize("order", ["best first", "worst first"])
def test_a_deep_snapshot_is_quick(order: str) -> None:
    """5,000 levels a side, as venues send them; linear in the best-first order, and no disaster in the other."""
    bids = [(1_000_000 - i, 1 + i) for i in range(5_000)]
    asks = [(1_000_001 + i, 1 + i) for i in range(5_000)]
    if order == "worst first":
        bids.reverse()
        asks.reverse()
    snapshot = BookSnapshot(COIN, tuple(bids), tuple(asks))
    book = Book(COIN)
    began = time.perf_counter()
    book.apply(snapshot)
    assert time.perf_counter() - began < 1
    assert book.bids.levels(0) == tuple(sorted(bids, reverse=True))
    assert book.asks.levels(0) == tuple(sorted(asks))
