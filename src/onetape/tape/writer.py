"""Appending to a tape: events or columns of any kinds and instruments, in bounded memory, all or nothing.

Rows of each stream (kind, instrument, bar rule) are gathered to row groups and written to a part file. A part ends
when the instrument's version changes, or at the end of a UTC day once it has a row group's worth of rows: a busy
stream has a file a day, a sparse one no crumbs. Nothing counts before :meth:`TapeWriter.commit`.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from onetape.model.arrow import raw_array, raw_values, to_record_batch
from onetape.model.columns import COLUMNS, Columns
from onetape.model.errors import TapeError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import InstrumentUpdate
from onetape.tape.manifest import TEMPORARY, Manifest, Part, Source, part_folder, sync, sync_folder
from onetape.tape.schema import check_columns, columns_to_batch, parquet_options

ROW_GROUP = 65_536
_EVENTS = 4_096
_MAX_BUFFERED = 4_000_000
_MAX_OPEN = 200
_DAY = 86_400 * 10**9

Key = tuple[str, str, str]


class TapeWriter:
    """``with TapeWriter(manifest) as writer: writer.append(event)``; leaving commits, an exception discards.

    Rows of a stream are kept in order of ``ts_recv``: one that is earlier than the one before it gets that one's
    time (``ts_event`` keeps the venue's) and is counted in ``clamped``.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.rows: dict[Key, int] = {}
        self.clamped: dict[Key, int] = {}
        self._streams: dict[Key, _Stream] = {}
        self._finished: list[tuple[Path, Part]] = []
        self._buffered = 0
        self._exit = ExitStack()

    def __enter__(self) -> TapeWriter:
        self._exit.enter_context(self.manifest.locked())
        # Another process may have committed since the manifest was read.
        fresh = Manifest.read(self.manifest.path)
        self.manifest.parts, self.manifest.sources = fresh.parts, fresh.sources
        for versions in fresh.versions.values():
            for instrument in versions.values():
                self.manifest.add_instrument(instrument)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
            else:
                self.abort()
        finally:
            self._exit.close()

    def append(self, event: Event) -> None:
        """One event of any kind."""
        fields = event.FIELDS
        instrument: Instrument | None = event.instrument if "instrument" in fields else None  # type: ignore[attr-defined]
        spec: str = event.spec if "spec" in fields else ""  # type: ignore[attr-defined]
        key = (event.KIND, "" if instrument is None else instrument.id, spec)
        stream = self._streams.get(key) or self._open(key)
        if instrument is not stream.instrument:
            self._new_version(stream, instrument)
        stream.events.append(event)
        if len(stream.events) >= _EVENTS:
            self._gather(stream)

    def extend(self, events: Iterable[Event]) -> None:
        for event in events:
            self.append(event)

    def append_columns(self, columns: Columns) -> None:
        """A run of rows; updates of a book must be whole."""
        if not columns.rows:
            return
        check_columns(columns)
        key = (columns.kind, columns.instrument.id, columns.spec)
        stream = self._streams.get(key) or self._open(key)
        if columns.instrument is not stream.instrument:
            self._new_version(stream, columns.instrument)
        self._gather(stream)
        self._take(stream, columns_to_batch(columns))

    def commit(self, sources: Sequence[Source] = ()) -> None:
        """Make all that was appended part of the tape, durably; ``sources`` notes the files it came from."""
        manifest = self.manifest
        kept = len(manifest.parts), len(manifest.sources)
        renamed: list[Path] = []
        try:
            for stream in self._streams.values():
                self._gather(stream)
                self._flush(stream)
                self._close_part(stream)
            if not self._finished and not sources:
                return
            for temporary, part in self._finished:
                final = manifest.path / part.path
                temporary.replace(final)
                renamed.append(final)
            for folder in {path.parent for path in renamed} | {manifest.path}:
                sync_folder(folder)
            manifest.parts.extend(part for _, part in self._finished)
            manifest.sources.extend(sources)
            manifest.write()
            self._finished = []
        except OSError as error:
            del manifest.parts[kept[0] :], manifest.sources[kept[1] :]
            for path in renamed:
                path.unlink(missing_ok=True)
            self.abort()
            raise _write_error(manifest.path, error) from error

    def abort(self) -> None:
        """Forget all that was appended since the last commit."""
        for stream in self._streams.values():
            if stream.file is not None:
                stream.discard()
        for temporary, _ in self._finished:
            temporary.unlink(missing_ok=True)
        self._streams.clear()
        self._finished = []
        self._buffered = 0

    def _open(self, key: Key) -> _Stream:
        stream = self._streams[key] = _Stream(key)
        self.rows.setdefault(key, 0)
        return stream

    def _new_version(self, stream: _Stream, instrument: Instrument | None) -> None:
        if instrument is None or instrument == stream.instrument:
            return
        self.manifest.add_instrument(instrument)
        if stream.key[0] == InstrumentUpdate.KIND:
            # An update's rows hold the definition itself, so versions share a file.
            return
        self._gather(stream)
        try:
            self._flush(stream)
            self._close_part(stream)
        except OSError as error:
            self.abort()
            raise _write_error(self.manifest.path, error) from error
        stream.instrument = instrument

    def _gather(self, stream: _Stream) -> None:
        if stream.events:
            events, stream.events = stream.events, []
            for run in _same_class(events):
                self._take(stream, to_record_batch(run))

    def _take(self, stream: _Stream, batch: pa.RecordBatch) -> None:
        batch, clamped = _in_order(batch, stream.last)
        if clamped:
            self.clamped[stream.key] = self.clamped.get(stream.key, 0) + clamped
        stream.last = int(raw_values(batch.column("ts_recv"))[-1])
        if stream.batches and stream.batches[0].schema != batch.schema:
            self._flush(stream)
        stream.batches.append(batch)
        stream.buffered += batch.num_rows
        self._buffered += batch.num_rows
        self.rows[stream.key] += batch.num_rows
        try:
            if stream.buffered >= ROW_GROUP:
                self._flush(stream, whole_groups=True)
            elif self._buffered > _MAX_BUFFERED:
                self._flush(max(self._streams.values(), key=lambda other: other.buffered))
        except OSError as error:
            self.abort()
            raise _write_error(self.manifest.path, error) from error

    def _flush(self, stream: _Stream, whole_groups: bool = False) -> None:
        """Write what is buffered; with ``whole_groups``, keep back what does not fill a row group."""
        if not stream.batches:
            return
        table = pa.Table.from_batches(stream.batches).combine_chunks()
        start = 0
        while start < table.num_rows:
            stop = _group_end(table, start)
            if whole_groups and stop == table.num_rows and stop - start < ROW_GROUP:
                break
            self._write_group(stream, table.slice(start, stop - start))
            start = stop
        self._buffered -= start
        stream.buffered = table.num_rows - start
        stream.batches = table.slice(start).combine_chunks().to_batches() if stream.buffered else []

    def _write_group(self, stream: _Stream, table: Any) -> None:
        times = raw_values(table.column("ts_recv").chunk(0))
        if stream.file is not None and stream.schema != table.schema:
            self._close_part(stream)
        if stream.file is not None and stream.part_rows >= ROW_GROUP and times[-1] >= stream.day_end:
            cut = int(np.searchsorted(times, stream.day_end))
            if cut:
                stream.write(table.slice(0, cut), times[:cut])
            self._close_part(stream)
            table, times = table.slice(cut), times[cut:]
        if stream.file is None:
            self._bound_open_files()
            stream.open(self._next_path(stream.key, int(times[0])), table.schema)
        stream.write(table, times)

    def _close_part(self, stream: _Stream) -> None:
        if stream.file is None:
            return
        temporary, digest = stream.close()
        kind, instrument_id, spec = stream.key
        path = temporary.with_name(temporary.name.removesuffix(TEMPORARY))
        part = Part(
            path=path.relative_to(self.manifest.path).as_posix(),
            kind=kind,
            instrument=instrument_id,
            version=0 if stream.instrument is None else stream.instrument.version,
            spec=spec,
            rows=stream.part_rows,
            bytes=temporary.stat().st_size,
            first=stream.part_first,
            last=stream.part_last,
            sha256=digest,
        )
        self._finished.append((temporary, part))

    def _bound_open_files(self) -> None:
        opened = [stream for stream in self._streams.values() if stream.file is not None]
        if len(opened) >= _MAX_OPEN:
            self._close_part(min(opened, key=lambda stream: stream.part_last))

    def _next_path(self, key: Key, first: int) -> Path:
        folder = self.manifest.path / part_folder(*key)
        folder.mkdir(parents=True, exist_ok=True)
        day = str(np.datetime64(first // _DAY, "D"))
        number = 0
        while (path := folder / f"{day}-{number}.parquet").exists() or _temporary(path).exists():
            number += 1
        return _temporary(path)


class _Stream:
    """Buffers and the open part file of one stream."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.instrument: Instrument | None = None
        self.events: list[Event] = []
        self.batches: list[pa.RecordBatch] = []
        self.buffered = 0
        self.last = -(1 << 63)
        self.file: _HashedFile | None = None
        self.path = Path()
        self.schema: pa.Schema | None = None
        self.part_rows = 0
        self.part_first = 0
        self.part_last = 0
        self.day_end = 0
        self._parquet: Any = None

    def open(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.file = _HashedFile(open(path, "wb"))  # noqa: SIM115
        self.schema = schema
        self.part_rows = 0
        self._parquet = pq.ParquetWriter(cast(Any, self.file), schema, **parquet_options(schema))

    def write(self, table: Any, times: Any) -> None:
        if not self.part_rows:
            self.part_first = int(times[0])
        self._parquet.write_table(table, row_group_size=table.num_rows)
        self.part_rows += table.num_rows
        self.part_last = int(times[-1])
        self.day_end = (self.part_last // _DAY + 1) * _DAY

    def close(self) -> tuple[Path, str]:
        """Finish the part durably, under its temporary name; returns that and the SHA-256."""
        assert self.file is not None
        self._parquet.close()
        digest = self.file.finish()
        self.file = None
        return self.path, digest

    def discard(self) -> None:
        if self.file is not None:
            with suppress(OSError):
                self.file.close()
            self.file = None
        self.path.unlink(missing_ok=True)


class _HashedFile:
    """A file being written from front to back, and the hash of what was written."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self._hash.update(data)
        return int(self._file.write(data))

    def tell(self) -> int:
        return int(self._file.tell())

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True
        self._file.close()

    def finish(self) -> str:
        self.flush()
        sync(self._file.fileno())
        self.close()
        return self._hash.hexdigest()


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + TEMPORARY)


def _group_end(table: Any, start: int) -> int:
    """End of the row group from ``start``: rows of one ``ts_recv``, so also of one book update, stay together."""
    stop = start + ROW_GROUP
    if stop >= table.num_rows:
        return int(table.num_rows)
    if "flags" not in table.schema.names:
        return stop
    flags = table.column("flags").chunk(0).to_numpy()
    while stop < table.num_rows and not flags[stop - 1] & 1:
        stop += 1
    return stop


def _in_order(batch: pa.RecordBatch, last: int) -> tuple[pa.RecordBatch, int]:
    times = raw_values(batch.column("ts_recv"))
    if times[0] >= last and (times[1:] >= times[:-1]).all():
        return batch, 0
    ordered = np.maximum(np.maximum.accumulate(times), last)
    place = batch.schema.names.index("ts_recv")
    field = batch.schema.field(place)
    return batch.set_column(place, field, raw_array(ordered, field.type)), int((ordered != times).sum())


def _same_class(events: list[Event]) -> Iterable[list[Event]]:
    """Book events may mix; a kind of several other classes (orders) is written class by class."""
    if events[0].KIND in COLUMNS or all(type(event) is type(events[0]) for event in events):
        yield events
        return
    run: list[Event] = []
    for event in events:
        if run and type(event) is not type(run[0]):
            yield run
            run = []
        run.append(event)
    yield run


def _write_error(path: Path, error: OSError) -> TapeError:
    if error.errno == errno.ENOSPC:
        return TapeError(f"{path}: the disk is full; the tape is as of its last commit, nothing of it is lost")
    return TapeError(f"{path}: {error.strerror or error}; the tape is as of its last commit")
