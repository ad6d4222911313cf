"""Market data on demand: opens feeds when somebody subscribes, builds bars and derives quotes that no feed has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onetape.kernel.bus import ALL, ROOM, Handler
from onetape.kernel.clock import NEVER
from onetape.kernel.loop import Call, Kernel
from onetape.marketdata.bars import BarBuilder
from onetape.marketdata.barspec import BarSpec, PriceSource
from onetape.marketdata.book import Book
from onetape.marketdata.quotes import DerivedQuotes
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, InstrumentUpdate, Quote, Trade
from onetape.model.system import StreamHealth
from onetape.ports import MarketDataFeed


class Subscriptions:
    def __init__(self, kernel: Kernel, feed: MarketDataFeed) -> None:
        kernel.bus.subscribe(StreamHealth, ALL, self._on_health, self, ROOM)
        kernel.bus.subscribe(InstrumentUpdate, ALL, self._on_instrument, self, ROOM)
        self._kernel = kernel
        self._feed = feed
        self._builders: dict[tuple[int, str], BuiltBars] = {}
        self._derived: set[int] = set()
        self._handlers: dict[tuple[type, int, str, Callable[[Any], object]], Handler] = {}

    def subscribe(
        self,
        event_type: type,
        instrument: Instrument,
        callback: Callable[[Any], object],
        owner: object,
        spec: str = "",
    ) -> Handler:
        """Have ``callback`` called with events of ``event_type``.

        Where no feed has them, bars of ``spec`` are built and quotes derived from the book.

        A second subscription of the same callback to the same is the first one.
        """
        self._kernel.states.add(instrument)
        if event_type is Bar:
            spec = str(BarSpec.parse(spec))
        key = (event_type, instrument.index, spec, callback)
        handler = self._handlers.get(key)
        if handler is not None and handler.active:
            return handler
        handler = self._kernel.bus.subscribe(event_type, instrument.index, callback, owner, spec=spec)
        try:
            self._open(event_type, instrument, spec)
        except ConfigurationError:
            self._kernel.bus.unsubscribe(handler)
            raise
        self._handlers[key] = handler
        return handler

    def _open(self, event_type: type, instrument: Instrument, spec: str) -> None:
        if self._feed.subscribe(event_type, instrument, spec) or (event_type is Quote and self._derive(instrument)):
            return
        if event_type is Bar:
            self._build(instrument, spec)
        elif event_type in (Trade, Quote, Book):
            raise ConfigurationError(
                f"no {event_type.__name__.lower()}s of {instrument.id} here; `onetape tape info` lists what a tape has"
            )

    def _derive(self, instrument: Instrument) -> bool:
        if instrument.index in self._derived:
            return True
        derived = DerivedQuotes(self._kernel)
        handler = self._kernel.bus.subscribe(Book, instrument.index, derived.on_book, derived, ROOM)
        if not self._feed.subscribe(Book, instrument):
            self._kernel.bus.unsubscribe(handler)
            return False
        self._derived.add(instrument.index)
        return True

    def _on_health(self, event: StreamHealth) -> None:
        self._kernel.states.add(event.instrument).health = int(event.health)

    def _on_instrument(self, event: InstrumentUpdate) -> None:
        self._kernel.states.add(event.instrument)

    def book(self, instrument: Instrument) -> Book:
        """The book of ``instrument``, kept from now on if it was not."""
        if instrument.index not in self._feed.books and not self._feed.subscribe(Book, instrument):
            raise ConfigurationError(
                f"there is no book of {instrument.id} here; `onetape tape info` lists what there is"
            )
        book: Book = self._feed.books[instrument.index]
        return book

    def _build(self, instrument: Instrument, spec: str) -> None:
        parsed = BarSpec.parse(spec)
        if (instrument.index, spec) in self._builders:
            return
        builder = BuiltBars(self._kernel, instrument, parsed, spec)
        trades = parsed.source is PriceSource.TRADE
        event_type: type = Trade if trades else Quote
        callback: Callable[[Any], object] = builder.on_trade if trades else builder.on_quote
        # Before the feed: it looks once at who listens.
        handler = self._kernel.bus.subscribe(event_type, instrument.index, callback, builder, ROOM)
        try:
            self._open(event_type, instrument, "")
        except ConfigurationError:
            self._kernel.bus.unsubscribe(handler)
            source = "trades" if trades else "quotes"
            raise ConfigurationError(
                f"no {spec} bars of {instrument.id} here, and no {source} to build them from"
            ) from None
        self._builders[(instrument.index, spec)] = builder


#: How long after its end a time bar still waits for trades on their way, if no later one has closed it.
_GRACE = 1_000_000_000


class BuiltBars:
    """Bars of one rule, built as trades or quotes come in; a timer closes those that no later event closes."""

    def __init__(self, kernel: Kernel, instrument: Instrument, spec: BarSpec, name: str) -> None:
        self._kernel = kernel
        self._index = instrument.index
        self._name = name
        self._builder = BarBuilder(instrument, spec, self._publish)
        self._timer: Call | None = None
        self._closes = NEVER

    def _publish(self, bar: Bar) -> None:
        self._kernel.bus.dispatch(self._kernel.bus.handlers(Bar, self._index, self._name), bar)

    def on_trade(self, trade: Trade) -> None:
        self._builder.update_trade(trade)
        self._set_timer()

    def on_quote(self, quote: Quote) -> None:
        self._builder.update_quote(quote)
        self._set_timer()

    def _set_timer(self) -> None:
        closes = self._builder.next_close
        if closes == self._closes:
            return
        self._closes = closes
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if closes != NEVER:
            self._timer = self._kernel.call_at(closes + _GRACE, self._close)

    def _close(self, due: int) -> None:
        self._timer = None
        self._builder.close_until(due - _GRACE, due)
        self._set_timer()
