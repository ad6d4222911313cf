"""Market data of a backtest: opens a tape's streams, for us and for the simulated exchange, when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from onetape.kernel.loop import Kernel, Source
from onetape.marketdata.barspec import BarSpec
from onetape.marketdata.book import Book
from onetape.marketdata.feed import Feed
from onetape.marketdata.sources import BarSource, BookSource, ColumnSource, EventSource, QuoteSource, TradeSource
from onetape.model.columns import COLUMNS
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, BookDelta, BookSnapshot, InstrumentUpdate, Quote, Trade
from onetape.model.system import StreamHealth
from onetape.sim.cursor import BarCursor, BookCursor, QuoteCursor, TradeCursor
from onetape.sim.exchange import SimExchange
from onetape.sim.market import Market

_KINDS: dict[type, str] = {
    Trade: "trade",
    Quote: "quote",
    Book: "book",
    BookDelta: "book",
    BookSnapshot: "book",
    Bar: "bar",
}


class Stream(Protocol):
    """One kind of one instrument, in time order: columns for the hot kinds, lists of events for the others."""

    kind: str
    spec: str

    @property
    def instrument(self) -> Instrument | None: ...

    def __iter__(self) -> Iterator[Any]: ...


class TapeFeed:
    """The tape side of a backtest. ``books`` are shared with whoever keeps them for strategies."""

    def __init__(self, kernel: Kernel, exchange: SimExchange, streams: Iterable[Stream]) -> None:
        self.books: dict[int, Book] = {}
        self._kernel = kernel
        self._exchange = exchange
        self._streams: dict[tuple[str, int, str], Stream] = {}
        self._feeds: dict[tuple[str, int, str], Feed] = {}
        self._sources: dict[tuple[str, int, str], Source] = {}
        for stream in streams:
            if stream.instrument is None:
                continue
            key = (stream.kind, stream.instrument.index, stream.spec)
            if key in self._streams:
                raise ConfigurationError(
                    f"two streams of {stream.kind} {stream.spec} of {stream.instrument.id}: "
                    "join them to one in the order of time"
                )
            self._streams[key] = stream

    def subscribe(self, event_type: type, instrument: Instrument, spec: str = "") -> bool:
        kind = _KINDS.get(event_type) or str(getattr(event_type, "KIND", ""))
        key = (kind, instrument.index, spec)
        if key not in self._streams:
            return False
        self._prepare(instrument)
        source = self._sources.get(key)
        if source is None:
            source = self._open(key, instrument)
            self._sources[key] = source
            self._kernel.add_source(source)
        if isinstance(source, ColumnSource):
            source.refresh()
        return True

    def _prepare(self, instrument: Instrument) -> None:
        """What every session needs of an instrument beside the data that a strategy asked for."""
        if self._exchange.market(instrument) is None:
            self._exchange.add_market(self._market(instrument))
            self.subscribe(StreamHealth, instrument)
            self.subscribe(InstrumentUpdate, instrument)

    def _market(self, instrument: Instrument) -> Market:
        return Market(
            instrument,
            self._exchange.reports,
            books=self._cursor("book", instrument, BookCursor),
            quotes=self._cursor("quote", instrument, QuoteCursor),
            trades=self._cursor("trade", instrument, TradeCursor),
            bars=self._cursor("bar", instrument, BarCursor),
        )

    def _cursor(self, kind: str, instrument: Instrument, cursor: Callable[[Feed], Any]) -> Any:
        """A cursor over the first stream of that kind; of bars, over the shortest."""
        keys = [key for key in self._streams if key[:2] == (kind, instrument.index)]
        if kind == "bar" and any(key[:2] in _prices(instrument.index) for key in self._streams):
            return None
        if kind == "quote" and ("book", instrument.index, "") in self._streams:
            return None
        if not keys:
            return None
        return cursor(self._feed(min(keys, key=_spec_length)))

    def _feed(self, key: tuple[str, int, str]) -> Feed:
        feed = self._feeds.get(key)
        if feed is None or feed.first is None:
            stream = self._streams[key]
            instrument = stream.instrument
            assert instrument is not None
            feed = self._feeds[key] = Feed(stream.kind, instrument, iter(stream), stream.spec)
            feed.on_turn = Release(self._exchange, instrument)
        return feed

    def _open(self, key: tuple[str, int, str], instrument: Instrument) -> Source:
        kind = key[0]
        kernel = self._kernel
        if kind not in COLUMNS:
            events = EventSource(kernel, kind, iter(self._streams[key]))
            events.skip_to(kernel.clock.now)
            return events
        source: ColumnSource
        feed = self._feed(key)
        if kind == "trade":
            source = TradeSource(kernel, feed)
        elif kind == "quote":
            source = QuoteSource(kernel, feed)
        elif kind == "bar":
            source = BarSource(kernel, feed)
        else:
            source = BookSource(kernel, feed, self.books.setdefault(instrument.index, Book(instrument)))
        source.skip_to(kernel.clock.now)
        return source


class Release:
    """Tells the exchange that our side has left a run of columns."""

    def __init__(self, exchange: SimExchange, instrument: Instrument) -> None:
        self._exchange = exchange
        self._instrument = instrument

    def __call__(self, ts: int) -> None:
        self._exchange.release(self._instrument, ts)


def _prices(index: int) -> set[tuple[str, int]]:
    return {("book", index), ("quote", index), ("trade", index)}


def _spec_length(key: tuple[str, int, str]) -> tuple[int, str]:
    return (BarSpec.parse(key[2]).step_ns if key[2] else 0, key[2])
