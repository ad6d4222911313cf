"""DBN files of Databento (versions 1 to 3, plain or zstd), decoded by their own ``databento-dbn``.

========================  =====================================================================================
trades, tbbo, mbp-1       trades; best prices as quotes (tbbo has those from before its trade)
cmbp-1, bbo, cbbo         quotes, also the sampled and the consolidated ones
mbp-10                    a snapshot, then what changed in the ten levels
mbo                       every order is followed; its sum by price is the book, and trades are trades
ohlcv                     bars; DBN stamps a bar with its open
definition                instruments on the tape's list, a new version where terms changed
status, statistics,       counted as unused: no event of ours says what they say
imbalance, system
========================  =====================================================================================

Source: https://databento.com/docs/standards-and-conventions and the record definitions in databento-dbn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from onetape.model.enums import Side
from onetape.model.errors import DecodeError, OnetapeError, TapeError
from onetape.model.event import FRAME_SHIFT, Event
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from onetape.tape.importers.dbn_instruments import DbnInstruments
from onetape.tape.importers.request import Import

_UNDEF_PRICE = (1 << 63) - 1
_UNDEF_TIME = (1 << 64) - 1
_LAST, _SNAPSHOT, _TOP = 128, 32, 64
_SIDES = {"A": Side.SELL, "B": Side.BUY}
_BARS = {"ohlcv-1s": ("1s", 1), "ohlcv-1m": ("1m", 60), "ohlcv-1h": ("1h", 3_600), "ohlcv-1d": ("1d", 86_400)}
_FRAGMENT = re.compile(r"\.v(\d)\..*frag|\.frag")

Levels9 = dict[int, int]


def import_dbn(job: Import) -> None:
    """Import every record there is something for."""
    try:
        import databento_dbn
    except ImportError:
        raise TapeError("importing DBN needs the package databento-dbn") from None
    for name, chunks in job.source.members():
        importer = DbnImporter(job, name)
        number = 0
        for records in _records(databento_dbn, job, name, chunks):
            importer.instruments.prepare(records)
            for record in records:
                number += 1
                importer.record(record, number)
        importer.finish(number)


def _records(dbn: Any, job: Import, name: str, chunks: Iterator[bytes]) -> Iterator[list[Any]]:
    fragment = _FRAGMENT.search(name) or _FRAGMENT.search(job.source.name)
    if fragment:
        version = int(fragment[1]) if fragment[1] else dbn.DBN_VERSION
        decoder = dbn.DBNDecoder(has_metadata=False, input_version=version)
        job.report.note(f"{name} has no metadata: taken for DBN version {version}; its instruments are numbers")
    else:
        decoder = dbn.DBNDecoder()
    seen = begun = False
    for chunk in chunks:
        if not seen and not fragment and not chunk.startswith(b"DBN"):
            raise TapeError(f"{name} is not DBN; the older DBZ has to be converted with Databento's dbn tool")
        seen = True
        try:
            records = decoder.write_and_decode(chunk)
        except dbn.DBNError as error:
            raise DecodeError(str(error), venue="DBN", path=name) from None
        begun = begun or bool(records)
        yield records
    if not begun and not fragment:
        raise DecodeError("the file ends within its metadata", venue="DBN", path=name)
    rest = len(decoder.buffer())
    if rest and not job.source.truncated:
        job.source.truncated = f"{name}: truncated: the last record has {rest} bytes only and was left out"


class DbnImporter:
    """Records of one file to events; keeps the state of books."""

    def __init__(self, job: Import, name: str) -> None:
        self.job = job
        self.name = name
        self.instruments = DbnInstruments(job, name)
        self._orders: dict[Any, _OrderBook] = {}
        self._ten: dict[Any, _TenLevels] = {}
        self._quotes: dict[Any, tuple[int, ...]] = {}

    def record(self, record: Any, number: int) -> None:
        """One record; what is wrong with it is reported with its number."""
        kind = type(record).__name__
        if kind == "Metadata":
            self.instruments.metadata(record)
            return
        place = f"{self.name}:{number}"
        try:
            events = self._events(record, kind, number << FRAME_SHIFT, place)
        except OnetapeError as error:
            self.job.report.skip(place, str(error), type(error).__name__)
            return
        for event in events:
            self.job.append(event, place)

    def finish(self, number: int) -> None:
        """Write updates whose last record never came."""
        for books in (self._orders, self._ten):
            for book in books.values():
                event = book.publish(number << FRAME_SHIFT | 0xFFFF)
                if event is not None:
                    self.job.append(event, f"{self.name}:{number}")
        partial = [instrument_id for instrument_id, book in self._orders.items() if not book.begun]
        if partial:
            self.job.report.note(
                f"{self.name} starts within the session: the book of {', '.join(partial[:10])} has only "
                "the orders that were added since"
            )
        for reason, count in self.instruments.unused.items():
            self.job.report.unused[reason] += count

    def _events(self, record: Any, kind: str, seq: int, place: str) -> list[Event]:
        if kind == "SymbolMappingMsg":
            self.instruments.map_symbol(record)
            return []
        if kind.startswith("InstrumentDefMsg"):
            self.instruments.define(record)
            return []
        kind = kind.removesuffix("V1").removesuffix("V2")
        if kind == "ErrorMsg":
            self.job.report.skip(place, f"the gateway said: {record.err}", "an error message of the gateway")
            return []
        if kind in ("MBOMsg", "MBP10Msg"):
            return self._book(record, kind, seq, place)
        if kind == "TradeMsg":
            return self._trade(record, seq, place)
        if kind in ("MBP1Msg", "CMBP1Msg"):
            quotes = self._quote(record, seq + 1, place)
            if str(record.action) != "T":
                return quotes
            before = str(record.rtype) == "tbbo" or self.instruments.schema in ("tbbo", "tcbbo")
            trades = self._trade(record, seq + 2 if before else seq, place)
            return quotes + trades if before else trades + quotes
        if kind in ("BBOMsg", "CBBOMsg"):
            return self._quote(record, seq, place)
        if kind == "OHLCVMsg":
            return self._bar(record, seq, place)
        self.job.report.unused[kind.removesuffix("Msg").lower()] += 1
        return []

    def _times(self, record: Any, place: str) -> tuple[int, int]:
        ts_recv = record.ts_recv if record.ts_recv != _UNDEF_TIME else record.ts_event
        ts_event = record.ts_event if record.ts_event != _UNDEF_TIME else ts_recv
        return ts_event, self.job.arrival(ts_recv, place)

    def _trade(self, record: Any, seq: int, place: str) -> list[Event]:
        if record.price == _UNDEF_PRICE:
            self.job.report.skip(place, "a trade without a price")
            return []
        instrument = self.instruments.of(record)
        ts_event, ts_recv = self._times(record, place)
        side = _SIDES.get(str(record.side), Side.NONE)
        price = _raw(record.price, instrument)
        return [Trade(instrument, price, _size(record.size, instrument), side, "", ts_event, ts_recv, seq)]

    def _quote(self, record: Any, seq: int, place: str) -> list[Event]:
        instrument = self.instruments.of(record)
        level = record.levels[0] if isinstance(record.levels, list) else record.levels
        values = (
            *_side(level.bid_px, level.bid_sz, instrument),
            *_side(level.ask_px, level.ask_sz, instrument),
        )
        key = instrument.id
        if self._quotes.get(key) == (instrument.version, *values):
            self.job.report.unused["the best prices as before"] += 1
            return []
        self._quotes[key] = (instrument.version, *values)
        ts_event, ts_recv = self._times(record, place)
        bid, bid_size, ask, ask_size = values
        sequence = getattr(record, "sequence", 0)
        return [Quote(instrument, bid, ask, bid_size, ask_size, sequence, ts_event, ts_recv, seq)]

    def _bar(self, record: Any, seq: int, place: str) -> list[Event]:
        found = _BARS.get(str(record.rtype))
        if found is None:
            self.job.report.unused[f"bars of {record.rtype}"] += 1
            return []
        instrument = self.instruments.of(record)
        spec, seconds = found
        close = record.ts_event + seconds * 10**9
        return [
            Bar(
                instrument,
                spec,
                _raw(record.open, instrument),
                _raw(record.high, instrument),
                _raw(record.low, instrument),
                _raw(record.close, instrument),
                _size(record.volume, instrument),
                ts_open=record.ts_event,
                ts_event=close,
                ts_recv=self.job.arrival(close, place),
                seq=seq,
            )
        ]

    def _book(self, record: Any, kind: str, seq: int, place: str) -> list[Event]:
        instrument = self.instruments.of(record)
        events: list[Event] = []
        book: _OrderBook | _TenLevels
        if kind == "MBOMsg":
            book = self._orders.get(instrument.id) or self._orders.setdefault(instrument.id, _OrderBook())
        else:
            book = self._ten.get(instrument.id) or self._ten.setdefault(instrument.id, _TenLevels())
        times = self._times(record, place)
        if book.instrument is not None and book.pending and book.breaks_before(record, times[1]):
            event = book.publish(seq)
            if event is not None:
                events.append(event)
        book.use(instrument)
        action = str(record.action)
        if action == "T":
            events += self._trade(record, seq + 1, place)
        unknown = book.apply(record, action)
        if unknown:
            self.job.report.unused[unknown] += 1
        book.stamp(record.sequence, *times)
        if record.flags & _LAST:
            event = book.publish(seq + 2)
            if event is not None:
                events.append(event)
        return events


class _Book:
    """Levels of both sides in units of 1e-9, and what is yet to be told."""

    def __init__(self) -> None:
        self.instrument: Instrument | None = None
        self.levels: tuple[Levels9, Levels9] = ({}, {})
        self.changed: tuple[set[int], set[int]] = (set(), set())
        self.whole = True
        self.pending = False
        self.sequence = 0
        self._told = 0
        self.ts_event = 0
        self.ts_recv = 0

    def use(self, instrument: Instrument) -> None:
        """A new version may have another precision: it begins with a whole book."""
        if instrument is not self.instrument:
            self.instrument = instrument
            self.whole = True

    def stamp(self, sequence: int, ts_event: int, ts_recv: int) -> None:
        self.sequence, self.ts_event, self.ts_recv = sequence, ts_event, ts_recv

    def breaks_before(self, record: Any, ts_recv: int) -> bool:
        """Whether the update in hand is over though no record was marked as its last."""
        return bool(ts_recv != self.ts_recv)

    def publish(self, seq: int) -> Event | None:
        """The update in hand, if it changes anything."""
        instrument = self.instrument
        if instrument is None or not self.pending:
            return None
        self.pending = False
        sides: list[Any] = []
        for levels, changed, sign in zip(self.levels, self.changed, (-1, 1)):
            prices = sorted(levels if self.whole else changed, key=lambda price: sign * price)
            changed.clear()
            sides.append(tuple((_raw(price, instrument), _size(levels.get(price, 0), instrument)) for price in prices))
        times = (self.ts_event, self.ts_recv, seq)
        if self.whole:
            self.whole = False
            self._told = self.sequence
            return BookSnapshot(instrument, sides[0], sides[1], self.sequence, *times)
        if not sides[0] and not sides[1]:
            return None
        previous, self._told = self._told, self.sequence
        return BookDelta(instrument, sides[0], sides[1], self.sequence, self.sequence, previous, *times)


class _OrderBook(_Book):
    """Every order, by its id."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = False
        self._orders: dict[int, tuple[int, int, int]] = {}
        self._snapshot = False

    def breaks_before(self, record: Any, ts_recv: int) -> bool:
        if self._snapshot and record.flags & _SNAPSHOT:
            return False
        return ts_recv != self.ts_recv or self._snapshot

    def apply(self, record: Any, action: str) -> str:
        """Follow one message; says why it was not used, if so."""
        snapshot = bool(record.flags & _SNAPSHOT)
        if action == "R" or (snapshot and not self._snapshot):
            self._clear()
        self._snapshot = snapshot
        if action in ("R", "T", "F", "N"):
            return ""
        side = {"B": 0, "A": 1}.get(str(record.side))
        if side is None or record.price == _UNDEF_PRICE:
            return "orders without a side or a price"
        if record.flags & _TOP:
            return "best prices among orders"
        if action in ("A", "M"):
            self._remove(record.order_id, None)
            self._orders[record.order_id] = (side, record.price, record.size)
            self._add(side, record.price, record.size)
        elif action == "C" and not self._remove(record.order_id, record.size):
            return "cancels of orders that were never seen"
        return ""

    def _clear(self) -> None:
        self.begun = True
        self._orders.clear()
        for levels, changed in zip(self.levels, self.changed):
            levels.clear()
            changed.clear()
        self.whole = self.pending = True

    def _add(self, side: int, price: int, size: int) -> None:
        levels = self.levels[side]
        total = levels.get(price, 0) + size
        if total > 0:
            levels[price] = total
        else:
            levels.pop(price, None)
        self.changed[side].add(price)
        self.pending = True

    def _remove(self, order_id: int, size: int | None) -> bool:
        order = self._orders.get(order_id)
        if order is None:
            return False
        side, price, held = order
        gone = held if size is None else min(size, held)
        if gone == held:
            del self._orders[order_id]
        else:
            self._orders[order_id] = (side, price, held - gone)
        self._add(side, price, -gone)
        return True


class _TenLevels(_Book):
    """The ten best levels of each side, as every record gives them."""

    def apply(self, record: Any, action: str) -> str:
        """Compare the record's levels with those known."""
        if action == "R":
            self.whole = True
        for side, name in enumerate(("bid", "ask")):
            now: Levels9 = {}
            for level in record.levels:
                price, size = getattr(level, f"{name}_px"), getattr(level, f"{name}_sz")
                if price != _UNDEF_PRICE and size > 0:
                    now[price] = size
            known = self.levels[side]
            self.changed[side].update(price for price in known if price not in now)
            self.changed[side].update(price for price, size in now.items() if known.get(price) != size)
            known.clear()
            known.update(now)
        self.pending = bool(self.whole or self.changed[0] or self.changed[1] or self.pending)
        return ""


def _side(price: int, size: int, instrument: Instrument) -> tuple[int, int]:
    """Raw price and size; a side without a price or a size is empty."""
    if price == _UNDEF_PRICE or size == 0:
        return 0, 0
    return _raw(price, instrument), _size(size, instrument)


def _raw(price: int, instrument: Instrument) -> int:
    """Price at the instrument's precision from units of 1e-9."""
    precision = instrument.price_precision
    if precision >= 9:
        return int(price * 10 ** (precision - 9))
    raw, rest = divmod(price, 10 ** (9 - precision))
    if rest:
        raise DecodeError(f"price {price}e-9 has more than {precision} decimals", venue=instrument.id)
    return int(raw)


def _size(size: int, instrument: Instrument) -> int:
    return int(size * 10**instrument.size_precision)
