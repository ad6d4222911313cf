"""Market events. Every price and size is held raw (``bid_raw``) and seen as a float (``bid``)."""

from __future__ import annotations

from onetape.model.enums import Side
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.numbers import money_to_float, to_float

Levels = tuple[tuple[int, int], ...]

_SIDES = tuple(Side)


class Trade(Event):
    """One trade. ``side`` is the aggressor's."""

    __slots__ = ("instrument", "price_raw", "side", "size_raw", "trade_id")

    KIND = "trade"
    FIELDS = {
        "instrument": "instrument",
        "price_raw": "price",
        "size_raw": "size",
        "side": "Side",
        "trade_id": "text",
    }

    instrument: Instrument
    price_raw: int
    size_raw: int
    side: Side
    trade_id: str

    def __init__(
        self,
        instrument: Instrument,
        price_raw: int,
        size_raw: int,
        side: Side = Side.NONE,
        trade_id: str = "",
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.price_raw = price_raw
        self.size_raw = size_raw
        self.side = _SIDES[side]
        self.trade_id = trade_id
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def price(self) -> float:
        return to_float(self.price_raw, self.instrument.price_precision)

    @property
    def size(self) -> float:
        return to_float(self.size_raw, self.instrument.size_precision)


class Quote(Event):
    """Best bid and ask. A side that is empty has size 0 and price 0."""

    __slots__ = ("ask_raw", "ask_size_raw", "bid_raw", "bid_size_raw", "instrument", "sequence")

    KIND = "quote"
    FIELDS = {
        "instrument": "instrument",
        "bid_raw": "price",
        "ask_raw": "price",
        "bid_size_raw": "size",
        "ask_size_raw": "size",
        "sequence": "int",
    }

    instrument: Instrument
    bid_raw: int
    ask_raw: int
    bid_size_raw: int
    ask_size_raw: int
    sequence: int

    def __init__(
        self,
        instrument: Instrument,
        bid_raw: int,
        ask_raw: int,
        bid_size_raw: int,
        ask_size_raw: int,
        sequence: int = 0,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.bid_raw = bid_raw
        self.ask_raw = ask_raw
        self.bid_size_raw = bid_size_raw
        self.ask_size_raw = ask_size_raw
        self.sequence = sequence
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def bid(self) -> float:
        return to_float(self.bid_raw, self.instrument.price_precision)

    @property
    def ask(self) -> float:
        return to_float(self.ask_raw, self.instrument.price_precision)

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2

    @property
    def bid_size(self) -> float:
        return to_float(self.bid_size_raw, self.instrument.size_precision)

    @property
    def ask_size(self) -> float:
        return to_float(self.ask_size_raw, self.instrument.size_precision)


class BookSnapshot(Event):
    """A whole book, or its best levels: ``((price_raw, size_raw), …)`` from the best outwards on each side."""

    __slots__ = ("asks", "bids", "instrument", "sequence")

    KIND = "book"
    FIELDS = {"instrument": "instrument", "bids": "levels", "asks": "levels", "sequence": "int"}

    instrument: Instrument
    bids: Levels
    asks: Levels
    sequence: int

    def __init__(
        self,
        instrument: Instrument,
        bids: Levels,
        asks: Levels,
        sequence: int = 0,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.bids = bids
        self.asks = asks
        self.sequence = sequence
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq


class BookDelta(Event):
    """One atomic update of a book: the new size of each level named, 0 to remove it.

    It covers the venue's updates ``first_sequence`` to ``sequence``; ``previous_sequence`` is that of the update
    before it where the venue says so, else -1.
    """

    __slots__ = ("asks", "bids", "first_sequence", "instrument", "previous_sequence", "sequence")

    KIND = "book"
    FIELDS = {
        "instrument": "instrument",
        "bids": "levels",
        "asks": "levels",
        "first_sequence": "int",
        "sequence": "int",
        "previous_sequence": "int",
    }

    instrument: Instrument
    bids: Levels
    asks: Levels
    first_sequence: int
    sequence: int
    previous_sequence: int

    def __init__(
        self,
        instrument: Instrument,
        bids: Levels,
        asks: Levels,
        first_sequence: int = 0,
        sequence: int = 0,
        previous_sequence: int = -1,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.bids = bids
        self.asks = asks
        self.first_sequence = first_sequence
        self.sequence = sequence
        self.previous_sequence = previous_sequence
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq


class Bar(Event):
    """Open, high, low, close of the trades (or quotes) in ``[ts_open, ts_event)``.

    ``spec`` names the rule in short: ``1m``, ``100t`` (ticks), ``5v`` (volume), ``1000$`` (value), ``20i``
    (imbalance). ``buy_volume_raw`` is what aggressive buyers took.
    """

    __slots__ = (
        "buy_volume_raw",
        "close_raw",
        "count",
        "high_raw",
        "instrument",
        "low_raw",
        "open_raw",
        "spec",
        "ts_open",
        "volume_raw",
    )

    KIND = "bar"
    FIELDS = {
        "instrument": "instrument",
        "spec": "text",
        "ts_open": "time",
        "open_raw": "price",
        "high_raw": "price",
        "low_raw": "price",
        "close_raw": "price",
        "volume_raw": "size",
        "buy_volume_raw": "size",
        "count": "int",
    }

    instrument: Instrument
    spec: str
    ts_open: int
    open_raw: int
    high_raw: int
    low_raw: int
    close_raw: int
    volume_raw: int
    buy_volume_raw: int
    count: int

    def __init__(
        self,
        instrument: Instrument,
        spec: str,
        open_raw: int,
        high_raw: int,
        low_raw: int,
        close_raw: int,
        volume_raw: int,
        buy_volume_raw: int = 0,
        count: int = 0,
        ts_open: int = 0,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.spec = spec
        self.open_raw = open_raw
        self.high_raw = high_raw
        self.low_raw = low_raw
        self.close_raw = close_raw
        self.volume_raw = volume_raw
        self.buy_volume_raw = buy_volume_raw
        self.count = count
        self.ts_open = ts_open
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def open(self) -> float:
        return to_float(self.open_raw, self.instrument.price_precision)

    @property
    def high(self) -> float:
        return to_float(self.high_raw, self.instrument.price_precision)

    @property
    def low(self) -> float:
        return to_float(self.low_raw, self.instrument.price_precision)

    @property
    def close(self) -> float:
        return to_float(self.close_raw, self.instrument.price_precision)

    @property
    def volume(self) -> float:
        return to_float(self.volume_raw, self.instrument.size_precision)

    @property
    def buy_volume(self) -> float:
        return to_float(self.buy_volume_raw, self.instrument.size_precision)


class Liquidation(Event):
    """A forced order. ``side`` is the order's."""

    __slots__ = ("instrument", "price_raw", "side", "size_raw")

    KIND = "liquidation"
    FIELDS = {"instrument": "instrument", "price_raw": "price", "size_raw": "size", "side": "Side"}

    instrument: Instrument
    price_raw: int
    size_raw: int
    side: Side

    def __init__(
        self,
        instrument: Instrument,
        price_raw: int,
        size_raw: int,
        side: Side,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.price_raw = price_raw
        self.size_raw = size_raw
        self.side = _SIDES[side]
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def price(self) -> float:
        return to_float(self.price_raw, self.instrument.price_precision)

    @property
    def size(self) -> float:
        return to_float(self.size_raw, self.instrument.size_precision)


class FundingRate(Event):
    """Rate that longs pay to shorts at ``next_funding_time``; ``rate_raw`` is exact at 18 decimals."""

    __slots__ = ("instrument", "next_funding_time", "rate_raw")

    KIND = "funding_rate"
    FIELDS = {"instrument": "instrument", "rate_raw": "amount", "next_funding_time": "time"}

    instrument: Instrument
    rate_raw: int
    next_funding_time: int

    def __init__(
        self,
        instrument: Instrument,
        rate_raw: int,
        next_funding_time: int = 0,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.rate_raw = rate_raw
        self.next_funding_time = next_funding_time
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def rate(self) -> float:
        return money_to_float(self.rate_raw)


class MarkPrice(Event):
    """The venue's mark and index price, exact at 18 decimals (finer than the tick); an index not given is 0."""

    __slots__ = ("index_raw", "instrument", "mark_raw")

    KIND = "mark_price"
    FIELDS = {"instrument": "instrument", "mark_raw": "amount", "index_raw": "amount"}

    instrument: Instrument
    mark_raw: int
    index_raw: int

    def __init__(
        self,
        instrument: Instrument,
        mark_raw: int,
        index_raw: int = 0,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.mark_raw = mark_raw
        self.index_raw = index_raw
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def mark(self) -> float:
        return money_to_float(self.mark_raw)

    @property
    def index(self) -> float:
        return money_to_float(self.index_raw)


class OpenInterest(Event):
    """Open contracts, in the instrument's size."""

    __slots__ = ("instrument", "open_interest_raw")

    KIND = "open_interest"
    FIELDS = {"instrument": "instrument", "open_interest_raw": "size"}

    instrument: Instrument
    open_interest_raw: int

    def __init__(
        self, instrument: Instrument, open_interest_raw: int, ts_event: int = 0, ts_recv: int = 0, seq: int = 0
    ) -> None:
        self.instrument = instrument
        self.open_interest_raw = open_interest_raw
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def open_interest(self) -> float:
        return to_float(self.open_interest_raw, self.instrument.size_precision)


class InstrumentUpdate(Event):
    """From here on ``instrument`` is the valid version."""

    __slots__ = ("instrument",)

    KIND = "instrument"
    FIELDS = {"instrument": "definition"}

    instrument: Instrument

    def __init__(self, instrument: Instrument, ts_event: int = 0, ts_recv: int = 0, seq: int = 0) -> None:
        self.instrument = instrument
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq
