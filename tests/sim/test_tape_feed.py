"""A backtest keeps a few chunks of each stream, whatever is subscribed and however long the tape is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from onetape.app.backtest import Backtest
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.instrument import Instrument
from onetape.risk.limits import Limits
from onetape.strategy.base import Strategy

COIN = Instrument("LONG-USD.SIM", tick_size="1", lot_size="1")
CHUNKS, ROWS, STEP = 60, 1_000, 1_000


class Tracked(Columns):
    __slots__ = ("__weakref__",)


class Long:
    """A stream made as it is read, that counts how many of its chunks are alive at most."""

    spec = ""

    def __init__(self, kind: str, instrument: Instrument = COIN) -> None:
        self.kind = kind
        self.instrument: Instrument | None = instrument
        self.first, self.last = STEP, CHUNKS * ROWS * STEP
        self.made: list[weakref.ref[Tracked]] = []
        self.most = 0

    def __iter__(self) -> Iterator[Columns]:
        assert self.instrument is not None
        for chunk in range(CHUNKS):
            ts = (np.arange(ROWS) + chunk * ROWS + 1) * STEP
            columns = Tracked(self.kind, self.instrument, {"ts_recv": ts, **self.values(chunk)})
            self.made.append(weakref.ref(columns))
            self.most = max(self.most, sum(ref() is not None for ref in self.made[-30:]))
            yield columns
            del columns

    def values(self, chunk: int) -> dict[str, Any]:
        if self.kind == "trade":
            return {"price": np.full(ROWS, 100), "size": np.full(ROWS, 1), "side": np.full(ROWS, 1)}
        if self.kind == "quote":
            names = {"bid": 99, "ask": 101, "bid_size": 5, "ask_size": 5}
            return {name: np.full(ROWS, value) for name, value in names.items()}
        flags = np.full(ROWS, int(BookFlag.LAST))
        if chunk == 0:
            flags[0] |= BookFlag.CLEAR | BookFlag.SNAPSHOT
        side = 1 + np.arange(ROWS) % 2
        return {"side": side, "price": np.where(side == 1, 99, 101), "size": np.full(ROWS, 5), "flags": flags}


class Subscriber(Strategy):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def on_start(self) -> None:
        feed: Any = self._context.subscriptions._feed
        if "book" in self.how:
            self.book(COIN)
        if "timer" in self.how:
            self.every(777 * STEP)
        if "listen trades" in self.how:
            self.subscribe_trades(COIN)
        if "quiet quotes" in self.how:
            from onetape.model.market import Quote

            feed.subscribe(Quote, COIN)
        if "listen quotes" in self.how:
            self.subscribe_quotes(COIN)
        if "order" in self.how:
            self.once(10 * STEP)

    def on_timer(self, timer: Any) -> None:
        if "order" in self.how and not self.open_orders():
            self.buy(COIN, 1, 95)


@pytest.mark.parametrize(
    "how",
    [
        "listen quotes",
        "listen quotes, order",
        "listen trades",
        "listen trades, order",
        "quiet quotes, timer",
        "quiet quotes, timer, order",
        "book, timer",
        "book, timer, order",
        "book, listen trades, order",
    ],
)
def test_memory_is_bounded(how: str) -> None:
    streams = [Long("quote"), Long("trade")]
    if "book" in how or how == "listen trades":
        streams.append(Long("book"))
    gc.collect()
    result = Backtest(Subscriber(how), streams, limits=Limits(price_collar=None)).run()
    assert result.events >= CHUNKS * ROWS
    assert len(result.orders) == ("order" in how)
    for stream in streams:
        assert stream.most <= 4, (stream.kind, stream.most)


def test_a_stream_that_nobody_asked_for_is_not_read() -> None:
    other = Instrument("UNREAD-USD.SIM")
    unread = Long("quote", other)
    Backtest(Subscriber("listen quotes"), [Long("quote"), unread]).run()
    assert unread.made == []
