"""Quotes derived from a book: one for each change of the best, none for a crossed book or a change behind it."""

from __future__ import annotations

import numpy as np

from onetape.app.backtest import Backtest
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote
from onetape.strategy.base import Strategy

COIN = Instrument("DERIVED-USD.SIM", tick_size="1", lot_size="1")
LAST, SNAPSHOT, CLEAR = BookFlag.LAST, BookFlag.SNAPSHOT, BookFlag.CLEAR
BUY, SELL = 1, 2
ROWS = [
    (1000, BUY, 99, 5, SNAPSHOT | CLEAR),
    (1000, SELL, 101, 7, SNAPSHOT | LAST),
    (1001, BUY, 98, 4, LAST),  # behind the best
    (1002, BUY, 100, 1, LAST),
    (1003, BUY, 102, 1, LAST),  # crosses
    (1004, BUY, 102, 0, LAST),  # as it was
    (1005, SELL, 101, 6, LAST),
]


def book() -> Columns:
    ts, side, price, size, flags = (np.array(column, np.int64) for column in zip(*ROWS, strict=True))
    columns = {"ts_recv": ts, "side": side, "price": price, "size": size, "flags": flags, "sequence": ts}
    return Columns("book", COIN, columns)


class Listener(Strategy):
    def on_start(self) -> None:
        self.quotes: list[tuple[int, int, int, int, int, int]] = []
        self.bars: list[Bar] = []
        self.subscribe_quotes(COIN)
        self.subscribe_bars(COIN, "2t:bid")

    def on_quote(self, quote: Quote) -> None:
        sizes = (quote.bid_size_raw, quote.ask_size_raw)
        self.quotes.append((quote.ts_recv, quote.bid_raw, quote.ask_raw, *sizes, quote.sequence))

    def on_bar(self, bar: Bar) -> None:
        self.bars.append(bar)


def test_each_change_of_the_best_is_one_quote() -> None:
    listener = Listener()
    Backtest(listener, [book()]).run()
    assert listener.quotes == [
        (1000, 99, 101, 5, 7, 1000),
        (1002, 100, 101, 1, 7, 1002),
        (1005, 100, 101, 1, 6, 1005),
    ]


def test_bars_are_built_from_derived_quotes() -> None:
    listener = Listener()
    Backtest(listener, [book()]).run()
    assert [(bar.open_raw, bar.close_raw) for bar in listener.bars] == [(99, 100)]
