"""Our side's readers of column feeds: they keep prices and books, and make an object only if somebody listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onetape.kernel.bus import ALL, ROOM, Bus, Handler
from onetape.kernel.clock import NEVER
from onetape.kernel.loop import Kernel, Source
from onetape.kernel.state import InstrumentState
from onetape.marketdata.book import Book
from onetape.marketdata.feed import Feed, Run
from onetape.model.enums import BookFlag, Health, Side
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade

#: Uncompiled, lists of Python integers are both faster than arrays and free of NumPy's scalar types.
_COMPILED = not __file__.endswith(".py")
_NEVER = NEVER
_LAST = int(BookFlag.LAST)
_CLEAR = int(BookFlag.CLEAR)
_SNAPSHOT = int(BookFlag.SNAPSHOT)
_SELL = int(Side.SELL)
_SIDES = tuple(Side)
_CONNECTING = int(Health.CONNECTING)
_LIVE = int(Health.LIVE)
_CROSSED = int(Health.CROSSED)


def _view(column: Any) -> Any:
    return column if _COMPILED else column.tolist()


class ColumnSource(Source):
    """Common part: the chain of runs, the place in it, and who listens."""

    __slots__ = (
        "_at",
        "_bus",
        "_event_type",
        "_feed",
        "_fresh",
        "_kernel",
        "_route",
        "_rows",
        "_run",
        "_seq",
        "_ts_event",
        "_ts_recv",
        "_version",
        "instrument",
        "state",
    )

    instrument: Instrument
    state: InstrumentState
    _event_type: type
    _feed: Feed
    _run: Run
    _kernel: Kernel
    _bus: Bus
    _route: tuple[Handler, ...]
    _version: int
    _at: int
    _rows: int
    _fresh: bool
    _ts_recv: Any
    _ts_event: Any
    _seq: Any

    def __init__(self, kernel: Kernel, feed: Feed, event_type: type) -> None:
        super().__init__()
        self._kernel = kernel
        self._bus = kernel.bus
        self._feed = feed
        self._event_type = event_type
        self.instrument = feed.instrument
        self.state = kernel.states.add(feed.instrument)
        self._at = self._rows = 0
        self._fresh = True
        self._version = -1
        self._route = ()
        self.refresh()
        if feed.first is not None:
            self._enter(feed.first)
            self._look()

    def refresh(self) -> None:
        """Look up again who listens."""
        self._version = self._bus.version
        self._route = self._bus.handlers(self._event_type, self.instrument.index, self._feed.spec)
        self.quiet = len(self._route) == 0

    def skip_to(self, ts: int) -> None:
        """Pass over what happened before ``ts``, as a subscription made at that time does."""
        quiet = self.quiet
        self.quiet = True
        bound = self._kernel.bound
        self._kernel.bound = _NEVER
        if self.next_ts < ts:
            self.run(ts, -_NEVER)
        self._kernel.bound = bound
        self.quiet = quiet

    def _enter(self, run: Run) -> None:
        columns = run.columns
        self._run = run
        self._at = 0
        self._rows = columns.rows
        self._ts_recv = _view(columns["ts_recv"])
        self._ts_event = _view(columns["ts_event"])
        self._seq = _view(columns["seq"])
        self.horizon = self._ts_recv[self._rows - 1]
        self._fresh = self._fresh or columns.instrument is not self.instrument
        self.instrument = columns.instrument
        self._load(run)

    def _load(self, run: Run) -> None:
        raise NotImplementedError

    def _turn(self) -> bool:
        """Go on to the next run; False at the end."""
        if self._rows == 0:
            return False
        run = self._run.next()
        if run is None:
            return False
        if self._feed.on_turn is not None:
            self._feed.on_turn(self.horizon)
        self._enter(run)
        return True

    def _look(self) -> None:
        """Publish the place of the next event."""
        if self._at < self._rows or self._turn():
            self.next_ts = self._ts_recv[self._at]
            self.next_seq = self._seq[self._at]
        else:
            self.next_ts = _NEVER
            self.next_seq = 0

    def _adopt(self) -> None:
        """The first row, or the first of another version of the instrument, happens now."""
        self._fresh = False
        state = self.state
        if state.ts == 0 and state.ts_last == 0:
            state.instrument = self.instrument
        self._kernel.states.add(self.instrument)
        if state.health == _CONNECTING:
            state.health = _LIVE


class QuoteSource(ColumnSource):
    __slots__ = ("_ask", "_ask_size", "_bid", "_bid_size", "_sequence")

    def __init__(self, kernel: Kernel, feed: Feed) -> None:
        super().__init__(kernel, feed, Quote)

    def _load(self, run: Run) -> None:
        columns = run.columns
        self._bid = _view(columns["bid"])
        self._ask = _view(columns["ask"])
        self._bid_size = _view(columns["bid_size"])
        self._ask_size = _view(columns["ask_size"])
        self._sequence = _view(columns["sequence"])

    def run(self, limit_ts: int, limit_seq: int) -> None:
        kernel = self._kernel
        bus = self._bus
        clock = kernel.clock
        state = self.state
        while self._at < self._rows or self._turn():
            i = self._at
            ts = self._ts_recv[i]
            if ts >= kernel.bound or ts > limit_ts or (ts == limit_ts and self._seq[i] >= limit_seq):
                break
            self._at = i + 1
            if self._fresh:
                self._adopt()
            state.bid_raw = self._bid[i]
            state.ask_raw = self._ask[i]
            state.bid_size_raw = self._bid_size[i]
            state.ask_size_raw = self._ask_size[i]
            state.ts = ts
            kernel.events += 1
            if self.quiet:
                continue
            clock.now = ts
            quote = Quote.__new__(Quote)
            quote.instrument = self.instrument
            quote.bid_raw = self._bid[i]
            quote.ask_raw = self._ask[i]
            quote.bid_size_raw = self._bid_size[i]
            quote.ask_size_raw = self._ask_size[i]
            quote.sequence = self._sequence[i]
            quote.ts_event = self._ts_event[i]
            quote.ts_recv = ts
            quote.seq = self._seq[i]
            for handler in self._route:
                if handler.active:
                    try:
                        handler.callback(quote)
                    except Exception as error:
                        bus.on_error(handler, quote, error)
            if bus.version != self._version:
                self.refresh()
        self._look()


class TradeSource(ColumnSource):
    __slots__ = ("_ids", "_price", "_side", "_size")

    _ids: Any

    def __init__(self, kernel: Kernel, feed: Feed) -> None:
        super().__init__(kernel, feed, Trade)

    def _load(self, run: Run) -> None:
        columns = run.columns
        self._price = _view(columns["price"])
        self._size = _view(columns["size"])
        self._side = _view(columns["side"])
        self._ids = columns.trade_ids

    def run(self, limit_ts: int, limit_seq: int) -> None:
        kernel = self._kernel
        bus = self._bus
        clock = kernel.clock
        state = self.state
        while self._at < self._rows or self._turn():
            i = self._at
            ts = self._ts_recv[i]
            if ts >= kernel.bound or ts > limit_ts or (ts == limit_ts and self._seq[i] >= limit_seq):
                break
            self._at = i + 1
            if self._fresh:
                self._adopt()
            state.last_raw = self._price[i]
            state.ts_last = ts
            kernel.events += 1
            if self.quiet:
                continue
            clock.now = ts
            trade = Trade.__new__(Trade)
            trade.instrument = self.instrument
            trade.price_raw = self._price[i]
            trade.size_raw = self._size[i]
            trade.side = _SIDES[self._side[i]]
            trade.trade_id = "" if self._ids is None else self._ids[i]
            trade.ts_event = self._ts_event[i]
            trade.ts_recv = ts
            trade.seq = self._seq[i]
            for handler in self._route:
                if handler.active:
                    try:
                        handler.callback(trade)
                    except Exception as error:
                        bus.on_error(handler, trade, error)
            if bus.version != self._version:
                self.refresh()
        self._look()


class BarSource(ColumnSource):
    __slots__ = ("_buy_volume", "_close", "_count", "_high", "_low", "_open", "_spec", "_ts_open", "_volume")

    _spec: str

    def __init__(self, kernel: Kernel, feed: Feed) -> None:
        super().__init__(kernel, feed, Bar)

    def _load(self, run: Run) -> None:
        columns = run.columns
        self._spec = columns.spec
        self._ts_open = _view(columns["ts_open"])
        self._open = _view(columns["open"])
        self._high = _view(columns["high"])
        self._low = _view(columns["low"])
        self._close = _view(columns["close"])
        self._volume = _view(columns["volume"])
        self._buy_volume = _view(columns["buy_volume"])
        self._count = _view(columns["count"])

    def run(self, limit_ts: int, limit_seq: int) -> None:
        kernel = self._kernel
        bus = self._bus
        clock = kernel.clock
        state = self.state
        while self._at < self._rows or self._turn():
            i = self._at
            ts = self._ts_recv[i]
            if ts >= kernel.bound or ts > limit_ts or (ts == limit_ts and self._seq[i] >= limit_seq):
                break
            self._at = i + 1
            if self._fresh:
                self._adopt()
            state.last_raw = self._close[i]
            state.ts_last = ts
            kernel.events += 1
            if self.quiet:
                continue
            clock.now = ts
            bar = Bar.__new__(Bar)
            bar.instrument = self.instrument
            bar.spec = self._spec
            bar.open_raw = self._open[i]
            bar.high_raw = self._high[i]
            bar.low_raw = self._low[i]
            bar.close_raw = self._close[i]
            bar.volume_raw = self._volume[i]
            bar.buy_volume_raw = self._buy_volume[i]
            bar.count = self._count[i]
            bar.ts_open = self._ts_open[i]
            bar.ts_event = self._ts_event[i]
            bar.ts_recv = ts
            bar.seq = self._seq[i]
            for handler in self._route:
                if handler.active:
                    try:
                        handler.callback(bar)
                    except Exception as error:
                        bus.on_error(handler, bar, error)
            if bus.version != self._version:
                self.refresh()
        self._look()


class BookSource(ColumnSource):
    """Keeps ``book``; handlers of :class:`Book` hear it after each whole update, those of deltas get the update.

    ``_start`` is the first row of the update in hand.
    """

    __slots__ = (
        "_deltas",
        "_first_sequence",
        "_flags",
        "_previous_sequence",
        "_price",
        "_sequence",
        "_side",
        "_size",
        "_snapshots",
        "_start",
        "book",
    )

    book: Book
    _deltas: tuple[Handler, ...]
    _snapshots: tuple[Handler, ...]

    def __init__(self, kernel: Kernel, feed: Feed, book: Book) -> None:
        self.book = book
        self._start = 0
        super().__init__(kernel, feed, Book)

    def refresh(self) -> None:
        self._version = self._bus.version
        index = self.instrument.index
        self._route = self._bus.handlers(Book, index)
        self._deltas = self._bus.handlers(BookDelta, index)
        self._snapshots = self._bus.handlers(BookSnapshot, index)
        self.quiet = not self._route and not self._deltas and not self._snapshots

    def _load(self, run: Run) -> None:
        columns = run.columns
        self._start = 0
        self._side = _view(columns["side"])
        self._price = _view(columns["price"])
        self._size = _view(columns["size"])
        self._flags = _view(columns["flags"])
        self._sequence = _view(columns["sequence"])
        self._first_sequence = _view(columns["first_sequence"])
        self._previous_sequence = _view(columns["previous_sequence"])

    def _adopt(self) -> None:
        ColumnSource._adopt(self)
        known = self.book.instrument
        if (known.price_precision, known.size_precision) != (
            self.instrument.price_precision,
            self.instrument.size_precision,
        ):
            self.book.clear()
        self.book.instrument = self.instrument

    def run(self, limit_ts: int, limit_seq: int) -> None:
        kernel = self._kernel
        bus = self._bus
        clock = kernel.clock
        book = self.book
        ts = 0
        while self._at < self._rows or self._turn():
            i = self._at
            ts = self._ts_recv[i]
            if ts >= kernel.bound or ts > limit_ts or (ts == limit_ts and self._seq[i] >= limit_seq):
                break
            self._at = i + 1
            if self._fresh:
                self._adopt()
            book.apply_row(self._side[i], self._price[i], self._size[i], self._flags[i])
            kernel.events += 1
            if not self._flags[i] & _LAST:
                continue
            start = self._start
            self._start = i + 1
            book.ts_recv = ts
            book.ts_event = self._ts_event[i]
            book.sequence = self._sequence[i]
            if self.quiet:
                continue
            self._mark()
            clock.now = ts
            if self._deltas or self._snapshots:
                self._tell_update(start, i)
            for handler in self._route:
                if handler.active:
                    try:
                        handler.callback(book)
                    except Exception as error:
                        bus.on_error(handler, book, error)
            if bus.version != self._version:
                self.refresh()
        self._mark()
        self._look()

    def _mark(self) -> None:
        """Show the best prices, and a crossed book, to the other rooms."""
        book = self.book
        state = self.state
        bids = book.bids
        asks = book.asks
        state.bid_raw = bids.best_price()
        state.ask_raw = asks.best_price()
        state.bid_size_raw = bids.best_size()
        state.ask_size_raw = asks.best_size()
        state.ts = book.ts_recv
        if bids.count > 0 and asks.count > 0 and state.bid_raw >= state.ask_raw:
            if state.health == _LIVE:
                state.health = _CROSSED
        elif state.health == _CROSSED:
            state.health = _LIVE

    def _tell_update(self, start: int, last: int) -> None:
        bids = []
        asks = []
        for row in range(start, last + 1):
            if self._side[row] == _SELL:
                asks.append((int(self._price[row]), int(self._size[row])))
            elif self._side[row]:
                bids.append((int(self._price[row]), int(self._size[row])))
        stamps = (int(self._ts_event[last]), int(self._ts_recv[last]), int(self._seq[last]))
        sequence = int(self._sequence[last])
        event: Event
        if self._flags[start] & _SNAPSHOT:
            event = BookSnapshot(self.instrument, tuple(bids), tuple(asks), sequence, *stamps)
            self._bus.dispatch(self._snapshots, event)
        else:
            first, previous = int(self._first_sequence[last]), int(self._previous_sequence[last])
            event = BookDelta(self.instrument, tuple(bids), tuple(asks), first, sequence, previous, *stamps)
            self._bus.dispatch(self._deltas, event)


class EventSource(Source):
    """Ready-made events, in order: the rarer kinds, of which every one is published."""

    __slots__ = ("_at", "_batch", "_batches", "_kernel", "kind")

    kind: str
    _batch: list[Event]
    _batches: Iterator[list[Event]]
    _at: int

    def __init__(self, kernel: Kernel, kind: str, batches: Iterator[list[Event]]) -> None:
        super().__init__()
        self.kind = kind
        self._kernel = kernel
        self._batches = iter(batches)
        self._batch = []
        self._at = 0
        self._look()

    def _look(self) -> None:
        while self._at >= len(self._batch):
            batch = next(self._batches, None)
            if batch is None:
                self.next_ts = _NEVER
                return
            self._batch = batch
            self._at = 0
        event = self._batch[self._at]
        self.next_ts = event.ts_recv
        self.next_seq = event.seq

    def skip_to(self, ts: int) -> None:
        """Pass over what happened before ``ts``; rooms are told the last of it: they keep the present state."""
        last: Event | None = None
        while self.next_ts < ts:
            last = self._batch[self._at]
            self._at += 1
            self._look()
        if last is not None:
            instrument = getattr(last, "instrument", None)
            index = ALL if instrument is None else instrument.index
            handlers = self._kernel.bus.handlers(type(last), index)
            self._kernel.bus.dispatch(tuple([each for each in handlers if each.priority == ROOM]), last)

    def run(self, limit_ts: int, limit_seq: int) -> None:
        kernel = self._kernel
        while self.next_ts < kernel.bound and (
            self.next_ts < limit_ts or (self.next_ts == limit_ts and self.next_seq < limit_seq)
        ):
            event = self._batch[self._at]
            self._at += 1
            kernel.clock.advance(event.ts_recv)
            kernel.events += 1
            kernel.bus.publish(event)
            self._look()
