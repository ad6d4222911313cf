"""A connection's frames to events: finds out what each frame is, and keeps the books in step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec.json import Decoder

from onetape.marketdata.sync import SNAPSHOTS_ONLY, BookPolicy, BookSynchroniser
from onetape.model.enums import MarkKind
from onetape.model.errors import ConfigurationError, DecodeError, OnetapeError
from onetape.model.event import FRAME_SHIFT, Event
from onetape.model.instrument import Instrument
from onetape.model.system import SessionMark
from onetape.venues.binance import messages, public
from onetape.venues.binance.fields import FieldError
from onetape.venues.binance.messages import UNUSED, Combined
from onetape.venues.binance.symbols import Market, infer_instrument

#: Update ids of spot count on by one; an update may repeat what is known, it may leave out nothing.
_SPOT = BookPolicy(
    "Binance spot",
    old=lambda delta, last: delta.sequence <= last,
    starts=lambda delta, last: delta.first_sequence <= last + 1 <= delta.sequence,
    follows=lambda delta, last: delta.first_sequence <= last + 1 <= delta.sequence,
    resumes=lambda delta: delta.first_sequence,
)
#: Futures share their ids between symbols, so each update names the one before it. An update that comes after the
#: snapshot without a hole (``pu`` at or below it) starts the book even where its ``U`` is above ``lastUpdateId``.
_FUTURES = BookPolicy(
    "Binance futures",
    old=lambda delta, last: delta.sequence < last,
    starts=lambda delta, last: (
        delta.sequence >= last and (delta.first_sequence <= last or 0 <= delta.previous_sequence <= last)
    ),
    follows=lambda delta, last: delta.previous_sequence == last,
    resumes=lambda delta: delta.previous_sequence + 1,
)
POLICIES: dict[str, BookPolicy] = {"spot": _SPOT, "usdm": _FUTURES, "coinm": _FUTURES}

_PREFIX = b'{"stream":"'
_MAX_SYMBOLS = 20_000
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, FieldError, RecursionError)
_AT = re.compile(r" - at `(\$[^`]*)`$")
_PARTIAL = re.compile(r"depth\d+(@|$)")
_ROUTED = {
    "trade": messages.Trade,
    "aggTrade": messages.AggTrade,
    "bookTicker": messages.BookTicker,
    "depth": messages.DepthUpdate,
    "forceOrder": messages.ForceOrder,
    "markPrice": messages.MarkPrice,
}

Handler = Callable[[Any, int, int], list[Event]]


class _UnknownSymbolError(FieldError):
    pass


class BinanceDecoder:
    """Events of one market's frames, in the order they arrived.

    ``instruments`` by symbol (see ``parse_exchange_info``); without them each is inferred from its symbol and the
    decimals it is first written with. ``trades``: with both ``trade`` and ``aggTrade`` streams of a symbol every
    trade would count twice, so ``"first"`` uses the kind that came first for the symbol; or name one, or
    ``"both"``. ``open_bars`` also passes on bars that are not closed yet.

    ``unused`` counts frames that were understood and made no event, by reason, ``errors`` those that could not be
    read, by kind. ``books`` are the synchronisers by symbol; what each holds back is counted there.
    """

    def __init__(
        self,
        market: Market,
        instruments: dict[str, Instrument] | None = None,
        venue: str = "BINANCE",
        *,
        trades: Literal["first", "trade", "aggTrade", "both"] = "first",
        open_bars: bool = False,
        buffer_limit: int = 1000,
    ) -> None:
        if market not in POLICIES:
            raise ConfigurationError(f"{market!r} is not a market of Binance; write one of {', '.join(POLICIES)}")
        self.market = market
        self.venue = venue
        self.instruments: dict[str, Instrument] = dict(instruments or {})
        self.books: dict[str, BookSynchroniser] = {}
        self.unused: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._infer = instruments is None
        self._inferred = 0
        self._candidates: list[Instrument] = []
        self._policy = POLICIES[market]
        self._trades = trades
        self._trade_kind: dict[str, str] = {}
        self._open_bars = open_bars
        self._buffer_limit = buffer_limit
        self._routes: dict[bytes, tuple[Callable[[bytes], Combined[Any]], Handler]] = {}
        self._envelope = Decoder(messages.Envelope)
        self._probe = Decoder(messages.Probe)
        self._array = Decoder(list[msgspec.Raw])
        self._handlers: dict[Any, Handler] = {
            messages.Trade: self._trade,
            messages.AggTrade: self._trade,
            messages.BookTicker: self._quote,
            messages.DepthUpdate: self._depth_update,
            messages.Kline: self._bar,
            messages.MarkPrice: self._mark_price,
            messages.ForceOrder: self._liquidation,
            messages.OpenInterest: self._open_interest,
        }
        self._shapes = {shape.__struct_config__.tag: shape for shape in self._handlers}
        self._decoders = {shape: Decoder(shape).decode for shape in (*self._handlers, messages.Depth)}
        self._combined: dict[Any, Callable[[bytes], Combined[Any]]] = {
            shape: Decoder(Combined[shape]).decode  # type: ignore[valid-type]
            for shape in (*self._handlers, messages.Depth)
        }

    def decode(self, frame: bytes, ts_recv: int, frame_number: int, stream: str = "") -> list[Event]:
        """Events of one frame, stamped ``frame_number << 16 | place``; none if it is held back or not used.

        ``stream`` names what the frame was asked for (``btcusdt@depth5``, or ``btcusdt@depthSnapshot`` for the
        answer of REST's ``/depth``) where the frame itself does not. Without it a snapshot belongs to the only
        book that there is, and a futures partial depth frame cannot be told from a difference. Raises
        :class:`DecodeError`; the next frame can be decoded all the same.
        """
        seq = frame_number << FRAME_SHIFT
        try:
            if frame.startswith(_PREFIX):
                name = frame[11 : frame.find(b'"', 11)]
                route = self._routes.get(name) or self._add_route(name)
                if route is not None:
                    stream = name  # type: ignore[assignment]
                    events = route[1](route[0](frame).data, ts_recv, seq)
                else:
                    events = self._decode_any(frame, ts_recv, seq, stream)
            else:
                events = self._decode_any(frame, ts_recv, seq, stream)
        except _MALFORMED as error:
            raise self._error(error, stream, "$.data") from None
        if self._candidates:
            self.instruments.update((instrument.symbol, instrument) for instrument in self._candidates)
            self._candidates.clear()
        return events

    def connecting(self, ts_recv: int, frame_number: int, reason: str = "") -> list[Event]:
        """The connection is opened again: every book waits for a snapshot."""
        events = [e for book in self.books.values() for e in book.connecting(reason, ts_recv, ts_recv)]
        return _stamped(events, ts_recv, frame_number << FRAME_SHIFT)

    def close(self, ts_recv: int, frame_number: int, reason: str = "") -> list[Event]:
        """The connection has ended: no book is current any more."""
        events = [e for book in self.books.values() for e in book.close(reason, ts_recv, ts_recv)]
        return _stamped(events, ts_recv, frame_number << FRAME_SHIFT)

    # Finding out what a frame is

    def _add_route(self, name: bytes) -> tuple[Callable[[bytes], Combined[Any]], Handler] | None:
        """Decoder and handler of a stream whose name says what it carries."""
        symbol, at, channel = name.decode().partition("@")
        if not at or symbol.startswith("!"):
            return None
        kind = channel.partition("@")[0]
        shape: Any = messages.Kline if kind.startswith("kline_") else _ROUTED.get(kind)
        handler = self._handlers.get(shape)
        if _PARTIAL.match(channel):
            shape = messages.Depth if self.market == "spot" else messages.DepthUpdate
            handler = partial(self._partial_depth, symbol.upper())
        elif kind == "depthSnapshot":
            shape, handler = messages.Depth, partial(self._snapshot, symbol.upper())
        if handler is None:
            return None
        if len(self._routes) >= _MAX_SYMBOLS:
            self._routes.clear()
        route = self._routes[name] = self._combined[shape], handler
        return route

    def _decode_any(self, frame: bytes, ts_recv: int, seq: int, stream: str) -> list[Event]:
        """The long way, for frames whose first bytes do not tell what they are."""
        payload: bytes | msgspec.Raw = frame
        prefix = "$"
        try:
            if frame.lstrip()[:1] != b"[":
                envelope = self._envelope.decode(frame)
                if bytes(envelope.data):
                    payload, prefix = envelope.data, "$.data"
                    stream = envelope.stream or stream
            text = bytes(payload)
            if text.lstrip()[:1] != b"[":
                return self._decode_one(text, ts_recv, seq, stream)
            events: list[Event] = []
            where = prefix
            for at, item in enumerate(self._array.decode(text)):
                prefix = f"{where}[{at}]"
                try:
                    events += self._decode_one(bytes(item), ts_recv, seq + len(events), stream)
                except _UnknownSymbolError:
                    self.unused["of all symbols: not one of the instruments given"] += 1
            return events
        except _MALFORMED as error:
            raise self._error(error, stream, prefix) from None

    def _decode_one(self, payload: bytes, ts_recv: int, seq: int, stream: str) -> list[Event]:
        probe = self._probe.decode(payload)
        symbol, _, channel = stream.partition("@")
        shape: Any
        if channel.startswith("rpiDepth"):
            return self._skip("a second book: with the orders of retail price improvement")
        if probe.event is not None:
            shape = self._shapes.get(probe.event)
            if shape is None:
                reason = UNUSED.get(probe.event)
                if reason is None:
                    raise FieldError(f"unknown event type {probe.event!r}", ".e")
                return self._skip(reason)
            message = self._decoders[shape](payload)
            if shape is messages.DepthUpdate and _PARTIAL.match(channel):
                return self._partial_depth(message.symbol, message, ts_recv, seq)
            return self._handlers[shape](message, ts_recv, seq)
        if bytes(probe.last_id):
            depth = self._decoders[messages.Depth](payload)
            if _PARTIAL.match(channel):
                return self._partial_depth(symbol.upper(), depth, ts_recv, seq)
            return self._snapshot(symbol.upper(), depth, ts_recv, seq)
        if bytes(probe.open_interest):
            return self._open_interest(self._decoders[messages.OpenInterest](payload), ts_recv, seq)
        if bytes(probe.bid_size):
            return self._quote(self._decoders[messages.BookTicker](payload), ts_recv, seq)
        if bytes(probe.error) or (bytes(probe.code) and bytes(probe.msg)):
            answer = payload[:500].decode(errors="replace")
            return [SessionMark(MarkKind.NOTE, f"{self.venue} answered with an error: {answer}", ts_recv, ts_recv, seq)]
        if bytes(probe.result):
            return self._skip("answer to a subscription")
        raise FieldError("neither an event, a book nor an answer", "")

    def _skip(self, reason: str) -> list[Event]:
        self.unused[reason] += 1
        return []

    def _error(self, error: Exception, stream: str | bytes, prefix: str) -> DecodeError:
        self._candidates.clear()
        text, path = str(error), ""
        if isinstance(error, FieldError):
            kind, text, path = "value", error.message, prefix + error.path
        else:
            kind = "shape" if isinstance(error, msgspec.ValidationError) else "not JSON"
            found = _AT.search(text)
            if found:
                text, path = text[: found.start()], found[1]
                if not path.startswith(prefix):
                    path = prefix + path[1:]
            elif kind == "shape":
                path = prefix
        self.errors[kind] += 1
        channel = stream.decode(errors="replace") if isinstance(stream, bytes) else stream
        return DecodeError(text[:500], venue=self.venue, channel=channel[:100], path=path)

    # What each message becomes

    def _instrument(self, symbol: str, price: str, size: str) -> Instrument:
        """The instrument of a symbol that is not known yet, inferred; kept if its first frame turns out good."""
        for candidate in self._candidates:
            if candidate.symbol == symbol:
                return candidate
        if not self._infer:
            near = get_close_matches(symbol, self.instruments, 3)
            hint = f"; the nearest are {', '.join(near)}" if near else ""
            raise _UnknownSymbolError(f"unknown symbol {symbol!r}{hint}", ".s")
        self._inferred += 1
        if self._inferred > _MAX_SYMBOLS:
            raise _UnknownSymbolError(f"{symbol!r} is more than {_MAX_SYMBOLS} symbols without exchangeInfo", ".s")
        exact = self.market == "spot" or not price
        decimals = (8, 8) if exact else (len(price.partition(".")[2]), len(size.partition(".")[2]))
        try:
            instrument = infer_instrument(symbol, self.market, self.venue, *decimals)
        except OnetapeError as error:
            raise FieldError(str(error), ".s") from None
        self._candidates.append(instrument)
        return instrument

    def _trade(self, message: messages.Trade | messages.AggTrade, ts_recv: int, seq: int) -> list[Event]:
        if message.kind != "MARKET":
            return self._skip("no trade of the book: a transfer of the insurance fund or a deleveraging (X)")
        symbol = message.symbol
        wanted = self._trades
        if wanted != "both":
            kind = "trade" if type(message) is messages.Trade else "aggTrade"
            if wanted == "first":
                wanted = self._trade_kind.get(symbol) or kind  # type: ignore[assignment]
            if wanted != kind:
                return self._skip("the same trades come by another stream")
        instrument = self.instruments.get(symbol) or self._instrument(symbol, message.price, message.size)
        trade = public.trade(message, instrument, ts_recv, seq)
        if self._trades == "first":
            self._trade_kind[symbol] = wanted
        return [trade]

    def _quote(self, message: messages.BookTicker, ts_recv: int, seq: int) -> list[Event]:
        symbol = message.symbol
        instrument = self.instruments.get(symbol) or self._instrument(symbol, message.bid, message.bid_size)
        return [public.quote(message, instrument, ts_recv, seq)]

    def _book(self, symbol: str, instrument: Instrument, policy: BookPolicy) -> BookSynchroniser:
        book = self.books.get(symbol)
        if book is None or book.policy is not policy:
            book = self.books[symbol] = BookSynchroniser(instrument, policy, self._buffer_limit)
        return book

    def _book_instrument(self, symbol: str, message: messages.Depth | messages.DepthUpdate) -> Instrument:
        price, size = next(iter(message.bids or message.asks), ("", ""))
        return self.instruments.get(symbol) or self._instrument(symbol, price, size)

    def _depth_update(self, message: messages.DepthUpdate, ts_recv: int, seq: int) -> list[Event]:
        if message.previous_id is None and self._policy is _FUTURES:
            raise FieldError("Object missing required field `pu`", "")
        instrument = self._book_instrument(message.symbol, message)
        delta = public.book_delta(message, instrument, ts_recv, seq)
        return _stamped(self._book(message.symbol, instrument, self._policy).update(delta), ts_recv, seq)

    def _snapshot(self, symbol: str, message: messages.Depth, ts_recv: int, seq: int) -> list[Event]:
        symbol = message.symbol or symbol or self._only_symbol()
        instrument = self._book_instrument(symbol, message)
        snapshot = public.book_snapshot(message, instrument, ts_recv, seq)
        return _stamped(self._book(symbol, instrument, self._policy).snapshot(snapshot), ts_recv, seq)

    def _only_symbol(self) -> str:
        symbols = list(self.books or self.instruments)
        if len(symbols) != 1:
            raise FieldError(f"the snapshot names no symbol and there are {len(symbols)} books: name its stream", "")
        return symbols[0]

    def _partial_depth(
        self, symbol: str, message: messages.Depth | messages.DepthUpdate, ts_recv: int, seq: int
    ) -> list[Event]:
        if symbol in self.books and self.books[symbol].policy is self._policy:
            return self._skip("the best levels of a book that is kept whole")
        instrument = self._book_instrument(symbol, message)
        snapshot = public.book_snapshot(message, instrument, ts_recv, seq)
        return _stamped(self._book(symbol, instrument, SNAPSHOTS_ONLY).snapshot(snapshot), ts_recv, seq)

    def _bar(self, message: messages.Kline, ts_recv: int, seq: int) -> list[Event]:
        if not (message.candle.closed or self._open_bars):
            return self._skip("a bar that is not closed yet")
        symbol = message.symbol
        instrument = self.instruments.get(symbol) or self._instrument(
            symbol, message.candle.close, message.candle.volume
        )
        return [public.bar(message, instrument, ts_recv, seq)]

    def _mark_price(self, message: messages.MarkPrice, ts_recv: int, seq: int) -> list[Event]:
        instrument = self.instruments.get(message.symbol) or self._instrument(message.symbol, "", "")
        return list(public.mark_price(message, instrument, ts_recv, seq))

    def _liquidation(self, message: messages.ForceOrder, ts_recv: int, seq: int) -> list[Event]:
        order = message.order
        instrument = self.instruments.get(order.symbol) or self._instrument(order.symbol, order.price, order.size)
        return [public.liquidation(message, instrument, ts_recv, seq)]

    def _open_interest(self, message: messages.OpenInterest, ts_recv: int, seq: int) -> list[Event]:
        instrument = self.instruments.get(message.symbol) or self._instrument(message.symbol, "", "")
        return [public.open_interest(message, instrument, ts_recv, seq)]


def _stamped(events: list[Event], ts_recv: int, seq: int) -> list[Event]:
    for place, event in enumerate(events):
        event.stamp(ts_recv, seq + place)
    return events
