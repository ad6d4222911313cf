"""Streaming reads: each stream of a tape in order of time, in bounded memory whatever the tape's size."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from onetape.model.arrow import book_events, from_record_batch, raw_values
from onetape.model.columns import COLUMNS, SMALL_COLUMNS, TIME_COLUMNS, Columns
from onetape.model.enums import Side
from onetape.model.errors import TapeError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, InstrumentUpdate, Quote, Trade
from onetape.tape.manifest import Manifest, Part
from onetape.tape.schema import int8_values, wanted_columns

#: Order of streams at equal ``ts_recv`` and ``seq``: terms first, then books, trades, bars, and the rest.
KIND_ORDER = ("instrument", "mark", "gap", "health", "book", "quote", "trade", "bar")

_SIDES = tuple(Side)
_MAX_TIME = (1 << 63) - 1


class TapeStream:
    """One kind of one instrument. Iterating gives :class:`Columns` (hot kinds) or lists of events, in time order.

    It can be iterated any number of times; each opens the files anew and holds a row group or two at a time.
    """

    def __init__(
        self,
        manifest: Manifest,
        parts: list[Part],
        *,
        start: int | None = None,
        end: int | None = None,
        chunk_rows: int = 65_536,
        trade_ids: bool = False,
        projection: tuple[str, ...] | None = None,
    ) -> None:
        if chunk_rows < 1:
            raise TapeError(f"chunk_rows is {chunk_rows}; it must be 1 or more")
        self.kind = parts[0].kind
        self.instrument_id = parts[0].instrument
        self.spec = parts[0].spec
        self.rows = sum(part.rows for part in parts)
        self.first = min(part.first for part in parts)
        self.last = max(part.last for part in parts)
        self._manifest = manifest
        self._parts = sorted(parts, key=attrgetter("first", "last", "path"))
        self._start = -_MAX_TIME if start is None else start
        self._end = _MAX_TIME if end is None else end
        self._chunk_rows = chunk_rows
        self._names = wanted_columns(self.kind, projection, trade_ids) if self.hot else None

    @property
    def hot(self) -> bool:
        """Whether the stream is read as columns."""
        return self.kind in COLUMNS

    @property
    def instrument(self) -> Instrument | None:
        """The version that the first chunk has; ``None`` for kinds that belong to no instrument."""
        if not self.instrument_id:
            return None
        if self.kind == InstrumentUpdate.KIND:
            return self._manifest.instrument(self.instrument_id)
        return self._manifest.instrument(self.instrument_id, self._parts[0].version)

    def __repr__(self) -> str:
        return f"TapeStream({' '.join(filter(None, (self.kind, self.instrument_id, self.spec)))}, {self.rows} rows)"

    def __iter__(self) -> Iterator[Any]:
        return self.columns() if self.hot else self.batches()

    def columns(self) -> Iterator[Columns]:
        """Chunks of at most ``chunk_rows`` rows, but a book update is never split."""
        for group in _overlapping(self._parts):
            runs = self._part_columns(group[0]) if len(group) == 1 else self._merged(group)
            for run in runs:
                yield from _chunks(run, self._chunk_rows)

    def batches(self) -> Iterator[list[Event]]:
        """Events of any kind, as lists of at most ``chunk_rows``."""
        if self.hot:
            for run in self.columns():
                yield columns_to_events(run)
            return
        for group in _overlapping(self._parts):
            lists = [self._part_events(part) for part in group]
            if len(lists) == 1:
                yield from lists[0]
            else:
                merged = heapq.merge(*(_flatten(events) for events in lists), key=attrgetter("ts_recv", "seq"))
                yield from _in_lists(merged, self._chunk_rows)

    def events(self) -> Iterator[Event]:
        return _flatten(self.batches())

    def _part_columns(self, part: Part) -> Iterator[Columns]:
        instrument = self._manifest.instrument(part.instrument, part.version)
        for table in self._row_groups(part, self._names):
            arrays = {}
            for name in self._names or ():
                if name != "trade_id":
                    array = table.column(name).chunk(0)
                    arrays[name] = int8_values(array) if name in SMALL_COLUMNS else raw_values(array)
            low, high = self._bounds(arrays["ts_recv"])
            if low >= high:
                continue
            if high - low < table.num_rows:
                arrays = {name: array[low:high] for name, array in arrays.items()}
            ids = None
            if self._names and "trade_id" in self._names:
                ids = self._python(part, table.column("trade_id").slice(low, high - low).to_pylist)
            yield Columns(self.kind, instrument, arrays, trade_ids=ids, spec=self.spec)

    def _part_events(self, part: Part) -> Iterator[list[Event]]:
        for table in self._row_groups(part, None):
            low, high = self._bounds(raw_values(table.column("ts_recv").chunk(0)))
            for start in range(low, high, self._chunk_rows):
                for batch in table.slice(start, min(self._chunk_rows, high - start)).to_batches():
                    yield self._python(part, partial(from_record_batch, batch, self._manifest.instrument))

    def _python(self, part: Part, convert: Callable[[], list[Any]]) -> list[Any]:
        """Values of a row group as Python objects; those of a damaged file may be anything."""
        try:
            return convert()
        except (UnicodeDecodeError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise TapeError(f"{self._manifest.path / part.path} is damaged: {error}; run onetape tape check") from None

    def _bounds(self, times: Any) -> tuple[int, int]:
        return int(np.searchsorted(times, self._start)), int(np.searchsorted(times, self._end))

    def _row_groups(self, part: Part, names: list[str] | None) -> Iterator[Any]:
        if part.last < self._start or part.first >= self._end:
            return
        path = self._manifest.path / part.path
        try:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                place = file.schema_arrow.names.index("ts_recv")
                whole = self._start <= part.first and part.last < self._end
                for index in range(file.num_row_groups):
                    if whole or self._in_range(file.metadata.row_group(index).column(place).statistics):
                        yield file.read_row_group(index, columns=names, use_threads=False).combine_chunks()
        except (OSError, pa.ArrowException, ValueError) as error:
            raise TapeError(f"{path} is damaged or missing: {error}; run onetape tape check") from None

    def _in_range(self, statistics: Any) -> bool:
        if statistics is None or not statistics.has_min_max:
            return True
        low, high = int(statistics.min_raw), int(statistics.max_raw)
        return high >= self._start and low < self._end

    def _merged(self, parts: list[Part]) -> Iterator[Columns]:
        """Parts whose times overlap, merged a window at a time: up to the least of the last times in hand."""
        readers = [self._part_columns(part) for part in parts]
        heads = [next(reader, None) for reader in readers]
        while any(head is not None for head in heads):
            horizon = min(int(head["ts_recv"][-1]) for head in heads if head is not None)
            cuts = [0 if head is None else int(np.searchsorted(head["ts_recv"], horizon)) for head in heads]
            if not any(cuts):
                # Only rows of the horizon itself are left before it: all of them, also those still to be read.
                for i, head in enumerate(heads):
                    while head is not None and head["ts_recv"][-1] == horizon:
                        more = next(readers[i], None)
                        if more is None:
                            break
                        heads[i] = head = _joined([head, more])
                    if head is not None:
                        cuts[i] = int(np.searchsorted(head["ts_recv"], horizon, side="right"))
            window = [head.slice(0, cut) for head, cut in zip(heads, cuts) if head is not None and cut]
            for i, (head, cut) in enumerate(zip(heads, cuts)):
                if head is not None and cut:
                    heads[i] = head.slice(cut, head.rows) if cut < head.rows else next(readers[i], None)
            yield from _sorted_runs(window)


def open_streams(
    manifest: Manifest,
    *,
    instruments: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    start: int | None = None,
    end: int | None = None,
    chunk_rows: int = 65_536,
    trade_ids: bool = False,
    projection: Mapping[str, tuple[str, ...]] | None = None,
) -> list[TapeStream]:
    """Streams of a tape in their order at equal times; see :class:`onetape.tape.catalog.Tape`."""
    for instrument_id in instruments or ():
        manifest.instrument(instrument_id)
    found: dict[tuple[str, str, str], list[Part]] = {}
    for part in manifest.parts:
        if instruments is not None and part.instrument and part.instrument not in instruments:
            continue
        if kinds is not None and part.kind not in kinds:
            continue
        if (start is None or part.last >= start) and (end is None or part.first < end):
            found.setdefault((part.kind, part.instrument, part.spec), []).append(part)
    return [
        TapeStream(
            manifest,
            found[key],
            start=start,
            end=end,
            chunk_rows=chunk_rows,
            trade_ids=trade_ids,
            projection=(projection or {}).get(key[0]),
        )
        for key in sorted(found, key=stream_order)
    ]


def stream_order(key: tuple[str, str, str]) -> tuple[int, str, str, str]:
    """Rank of a stream among those of the same moment."""
    kind, instrument_id, spec = key
    rank = KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)
    return rank, kind, instrument_id, spec


def merge_events(streams: list[TapeStream]) -> Iterator[Event]:
    """Events of all ``streams`` in order of (``ts_recv``, ``seq``, place in the list)."""
    return heapq.merge(*(stream.events() for stream in streams), key=attrgetter("ts_recv", "seq"))


def columns_to_events(columns: Columns) -> list[Event]:
    """The event objects of a run of columns."""
    instrument = columns.instrument
    values: dict[str, list[int]] = {name: columns[name].tolist() for name in (*TIME_COLUMNS, *COLUMNS[columns.kind])}
    times = (values["ts_event"], values["ts_recv"], values["seq"])
    if columns.kind == "trade":
        ids = columns.trade_ids or [""] * columns.rows
        rows = zip(values["price"], values["size"], values["side"], ids, *times)
        return [Trade(instrument, price, size, _SIDES[side], *rest) for price, size, side, *rest in rows]
    if columns.kind == "book":
        return book_events(instrument, values)
    if columns.kind == "quote":
        fields = [values[name] for name in COLUMNS["quote"]]
        return [Quote(instrument, *row) for row in zip(*fields, *times)]
    names = ("open", "high", "low", "close", "volume", "buy_volume", "count", "ts_open")
    fields = [values[name] for name in names]
    return [Bar(instrument, columns.spec, *row) for row in zip(*fields, *times)]


def _flatten(batches: Iterator[list[Event]]) -> Iterator[Event]:
    for batch in batches:
        yield from batch


def _in_lists(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def _overlapping(parts: list[Part]) -> Iterator[list[Part]]:
    """Parts in order of time; those whose times overlap together."""
    group: list[Part] = []
    last = 0
    for part in parts:
        if group and part.first > last:
            yield group
            group = []
        last = max(last, part.last) if group else part.last
        group.append(part)
    if group:
        yield group


def _chunks(columns: Columns, size: int) -> Iterator[Columns]:
    if columns.rows <= size:
        yield columns
        return
    if columns.kind != "book":
        for start in range(0, columns.rows, size):
            yield columns.slice(start, min(start + size, columns.rows))
        return
    ends = np.flatnonzero(columns["flags"] & 1) + 1
    start = 0
    while start < columns.rows:
        place = int(np.searchsorted(ends, start + size, side="right")) - 1
        stop = int(ends[place]) if place >= 0 and ends[place] > start else int(ends[place + 1])
        yield columns.slice(start, stop)
        start = stop


def _sorted_runs(runs: list[Columns]) -> Iterator[Columns]:
    """One window of several parts in order of (``ts_recv``, ``seq``), split where the version changes."""
    if len(runs) == 1:
        yield runs[0]
        return
    joined = _joined(runs)
    source = np.repeat(np.arange(len(runs)), [run.rows for run in runs])
    order = np.lexsort((source, joined["seq"], joined["ts_recv"]))
    version = np.array([run.instrument.version for run in runs])[source[order]]
    cuts = [0, *(np.flatnonzero(version[1:] != version[:-1]) + 1).tolist(), len(order)]
    for start, stop in pairwise(cuts):
        rows = order[start:stop]
        yield Columns(
            joined.kind,
            runs[int(source[rows[0]])].instrument,
            {name: array[rows] for name, array in joined.arrays.items()},
            trade_ids=None if joined.trade_ids is None else [joined.trade_ids[row] for row in rows],
            spec=joined.spec,
        )


def _joined(runs: list[Columns]) -> Columns:
    ids: list[str] | None = None
    if all(run.trade_ids is not None for run in runs):
        ids = [text for run in runs for text in run.trade_ids or ()]
    arrays = {name: np.concatenate([run[name] for run in runs]) for name in runs[0].arrays}
    return Columns(runs[0].kind, runs[0].instrument, arrays, trade_ids=ids, spec=runs[0].spec)
