"""What an importer is given, and the one way events go from it to the tape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from onetape.model.arrow import RAW_LIMIT
from onetape.model.columns import Columns
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot, Quote, Trade
from onetape.model.numbers import NO_PRICE
from onetape.tape.importers.report import ImportReport
from onetape.tape.importers.source import Source
from onetape.tape.manifest import Manifest
from onetape.tape.writer import TapeWriter

#: Times before 1970 or after 2200 are not times of market data.
EARLIEST, LATEST = 1, 7_258_118_400 * 10**9


@dataclass(slots=True)
class Options:
    """What the caller said about the file.

    ``instrument``: one for the whole file, or by the file's symbols; without it they are inferred or found on the
    tape. ``mapping``: our field to the file's column, or to a number that all rows have. ``kind``, ``time_unit``
    (``s ms us ns iso``), ``spec`` (of bars), ``market`` and ``venue`` where the file does not say.
    """

    instrument: Instrument | Mapping[str, Instrument] | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    time_unit: str = ""
    spec: str = ""
    market: str = ""
    venue: str = ""

    def settings(self, format_name: str) -> str:
        """Text that is the same for the same settings, to know an import again."""
        if isinstance(self.instrument, Instrument):
            instruments = self.instrument.id
        else:
            instruments = ",".join(sorted(one.id for one in (self.instrument or {}).values()))
        mapping = ",".join(f"{name}={column}" for name, column in sorted(self.mapping.items()))
        parts = (format_name, instruments, mapping, self.kind, self.time_unit, self.spec, self.market, self.venue)
        return ";".join(parts).rstrip(";")


class Import:
    """One import under way."""

    def __init__(
        self, source: Source, manifest: Manifest, writer: TapeWriter, options: Options, report: ImportReport
    ) -> None:
        self.source = source
        self.manifest = manifest
        self.writer = writer
        self.options = options
        self.report = report
        self._now = 0

    def progress(self, done: int, total: int) -> None:
        """Report rows of a file that is not read byte by byte."""
        self.source.report(done * self.source.size // max(total, 1))

    def arrival(self, ts_recv: int, place: str) -> int:
        """Arrival times do not go backwards: an earlier one becomes the one before, and is counted."""
        if ts_recv >= self._now:
            self._now = ts_recv
            return ts_recv
        self.report.clamped += 1
        self.report.first_clamped = self.report.first_clamped or place
        return self._now

    def known(self, symbol: str) -> Instrument | None:
        """The instrument that the caller named for a symbol, or the tape has under it."""
        given = self.options.instrument
        if isinstance(given, Instrument):
            return given
        if given is not None:
            return given.get(symbol)
        return None

    def append(self, event: Event, place: str) -> None:
        """Write one event, if its numbers can be."""
        reason = _unfit(event)
        if reason:
            self.report.skip(place, reason)
            return
        self.writer.append(event)
        self.report.events[event.KIND] += 1

    def append_columns(self, columns: Columns) -> None:
        """Write rows whose numbers and times have been looked at."""
        self.writer.append_columns(columns)
        rows = columns.rows
        if columns.kind == "book":
            rows = int(np.count_nonzero(columns["flags"] & 1))
        self.report.events[columns.kind] += rows


def _unfit(event: Event) -> str:
    """Why an event cannot be written, or nothing."""
    if not EARLIEST <= event.ts_recv < LATEST:
        return "the time is before 1970 or after 2200"
    if isinstance(event, Quote):
        if 0 <= event.bid_size_raw < RAW_LIMIT and 0 <= event.ask_size_raw < RAW_LIMIT:
            if -RAW_LIMIT < event.bid_raw < RAW_LIMIT and -RAW_LIMIT < event.ask_raw < RAW_LIMIT:
                return ""
            return "a price has more than 18 digits"
        return "a size is negative or has more than 18 digits"
    if isinstance(event, Trade):
        if event.size_raw <= 0:
            return "the size of a trade must be positive"
        if event.size_raw < RAW_LIMIT and -RAW_LIMIT < event.price_raw < RAW_LIMIT:
            return ""
        return "a price or size has more than 18 digits"
    if isinstance(event, (BookDelta, BookSnapshot)):
        for levels in (event.bids, event.asks):
            for price, size in levels:
                if not 0 <= size < RAW_LIMIT or not -RAW_LIMIT < price < RAW_LIMIT:
                    return "a book level with an impossible price or size"
        return ""
    for name, kind in event.FIELDS.items():
        if kind in ("price", "size"):
            value = getattr(event, name)
            if not -RAW_LIMIT < value < RAW_LIMIT and value != NO_PRICE:
                return f"{name.removesuffix('_raw')} has more than 18 digits"
            if kind == "size" and value < 0:
                return f"{name.removesuffix('_raw')} is negative"
    return ""
