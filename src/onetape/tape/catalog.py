"""The tape: a folder of Parquet files, by kind, instrument and UTC day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onetape.model.errors import TapeError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.tape.check import Finding, check_tape
from onetape.tape.manifest import MANIFEST, Manifest, Source
from onetape.tape.reader import TapeStream, merge_events, open_streams, stream_order
from onetape.tape.writer import TapeWriter


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a tape has of one stream. Rows of a book are levels; times are ``ts_recv``, ns."""

    kind: str
    instrument: str
    spec: str
    versions: tuple[int, ...]
    parts: int
    rows: int
    first: int
    last: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TapeInfo:
    path: str
    created_by: str
    streams: tuple[StreamInfo, ...]
    instruments: tuple[Instrument, ...]
    sources: tuple[Source, ...]

    @property
    def rows(self) -> int:
        return sum(stream.rows for stream in self.streams)

    @property
    def bytes(self) -> int:
        return sum(stream.bytes for stream in self.streams)


class Tape:
    """``Tape("btc.tape")`` opens a tape, ``Tape.create("btc.tape")`` makes it first if there is none."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest = Manifest.read(self.path)

    @classmethod
    def create(cls, path: str | Path) -> Tape:
        """Open the tape at ``path``, made empty if the folder is missing or empty."""
        folder = Path(path)
        if not (folder / MANIFEST).exists():
            try:
                if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                    Manifest.read(folder)
                folder.mkdir(parents=True, exist_ok=True)
                Manifest(folder).write()
            except OSError as error:
                raise TapeError(f"cannot make a tape at {folder}: {error.strerror or error}") from error
        return cls(folder)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """The latest version of every instrument, by id."""
        return {instrument_id: self.manifest.instrument(instrument_id) for instrument_id in self.manifest.versions}

    def instrument(self, instrument_id: str, version: int | None = None) -> Instrument:
        """That version of an instrument, the latest if none is named."""
        return self.manifest.instrument(instrument_id, version)

    def writer(self) -> TapeWriter:
        """A context manager to append with; one at a time for each tape."""
        return TapeWriter(self.manifest)

    def streams(
        self,
        instruments: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        start: int | None = None,
        end: int | None = None,
        chunk_rows: int = 65_536,
        *,
        trade_ids: bool = False,
        columns: Mapping[str, tuple[str, ...]] | None = None,
    ) -> list[TapeStream]:
        """Streams with rows in ``start <= ts_recv < end``, in their order at equal times.

        ``columns`` narrows what is read of a hot kind, by kind; the others read as zeros. Kinds that belong to no
        instrument come whatever ``instruments`` says.
        """
        return open_streams(
            self.manifest,
            instruments=instruments,
            kinds=kinds,
            start=start,
            end=end,
            chunk_rows=chunk_rows,
            trade_ids=trade_ids,
            projection=columns,
        )

    def events(
        self,
        instruments: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> Iterator[Event]:
        """Every event as an object, in order of (``ts_recv``, ``seq``, stream): for people and tests."""
        return merge_events(self.streams(instruments, kinds, start, end, chunk_rows=4_096, trade_ids=True))

    def info(self) -> TapeInfo:
        """What is on the tape."""
        streams = []
        keys = {(part.kind, part.instrument, part.spec) for part in self.manifest.parts}
        for key in sorted(keys, key=stream_order):
            parts = [part for part in self.manifest.parts if (part.kind, part.instrument, part.spec) == key]
            streams.append(
                StreamInfo(
                    *key,
                    versions=tuple(sorted({part.version for part in parts})),
                    parts=len(parts),
                    rows=sum(part.rows for part in parts),
                    first=min(part.first for part in parts),
                    last=max(part.last for part in parts),
                    bytes=sum(part.bytes for part in parts),
                )
            )
        return TapeInfo(
            str(self.path),
            self.manifest.created_by,
            tuple(streams),
            tuple(version for versions in self.manifest.versions.values() for version in versions.values()),
            tuple(self.manifest.sources),
        )

    def check(self) -> list[Finding]:
        """Look at every file and row: damage, gaps, duplicates, crossed books, time going backwards."""
        return check_tape(self.manifest)

    @staticmethod
    def check_folder(path: str | Path) -> list[Finding]:
        """As :meth:`check`, but a tape that does not even open is a finding too."""
        try:
            return Tape(path).check()
        except TapeError as error:
            return [Finding("damaged", str(path), str(error))]
