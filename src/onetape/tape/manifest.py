"""What is on a tape: ``tape.json`` lists its instruments, part files and imported sources.

A part file counts once the manifest names it. Files are written under a temporary name, synced and renamed, the
manifest last, so a tape is always as of its last commit, whatever was interrupted.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from onetape._version import __version__
from onetape.model.errors import TapeError, UnknownInstrumentError
from onetape.model.instrument import Instrument

#: Of the folder layout and the manifest; the rows have the codec's version as well.
FORMAT = 1
MANIFEST = "tape.json"
LOCK = "tape.lock"
TEMPORARY = ".tmp"


class Part(msgspec.Struct, frozen=True):
    """One Parquet file: one kind, one instrument version; ``first`` and ``last`` are its rows' ``ts_recv``."""

    path: str
    kind: str
    instrument: str
    version: int
    spec: str
    rows: int
    bytes: int
    first: int
    last: int
    sha256: str


class Source(msgspec.Struct, frozen=True):
    """A file that was imported; the same content with the same settings is not imported again."""

    name: str
    sha256: str
    settings: str
    events: dict[str, int]


class _Stored(msgspec.Struct):
    format: int
    created_by: str
    instruments: list[dict[str, Any]]
    parts: list[Part]
    sources: list[Source]


class _Format(msgspec.Struct):
    format: int = 0


class Manifest:
    """The manifest of the tape in folder ``path``, as of when it was read or last committed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.created_by = __version__
        self.parts: list[Part] = []
        self.sources: list[Source] = []
        self.versions: dict[str, dict[int, Instrument]] = {}

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Errors say what is wrong with the tape and what to do."""
        try:
            data = (path / MANIFEST).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise TapeError(_missing(path)) from None
        except OSError as error:
            raise TapeError(f"{path / MANIFEST}: {error.strerror}") from None
        try:
            version = msgspec.json.decode(data, type=_Format).format
            if version > FORMAT:
                raise TapeError(f"{path}: tape of format {version}; this onetape {__version__} reads up to {FORMAT}")
            stored = msgspec.json.decode(data, type=_Stored)
        except msgspec.MsgspecError as error:
            raise TapeError(f"{path / MANIFEST} is damaged: {error}") from None
        manifest = cls(path)
        manifest.created_by = stored.created_by
        manifest.parts = stored.parts
        manifest.sources = stored.sources
        for fields in stored.instruments:
            manifest.add_instrument(Instrument(**fields))
        return manifest

    def add_instrument(self, instrument: Instrument) -> Instrument:
        """Make a version known; other terms under a version that is known already are refused."""
        known = self.versions.setdefault(instrument.id, {}).setdefault(instrument.version, instrument)
        if known is not instrument and known != instrument:
            raise TapeError(
                f"{self.path}: version {instrument.version} of {instrument.id} is on this tape with other terms: "
                f"{known}; make the next version with Instrument.replace()"
            )
        return known

    def instrument(self, instrument_id: str, version: int | None = None) -> Instrument:
        """That version of an instrument, the latest if none is named."""
        versions = self.versions.get(instrument_id)
        if not versions:
            known = ", ".join(sorted(self.versions)[:10]) or "none"
            raise UnknownInstrumentError(f"{instrument_id} is not on the tape {self.path}; it has {known}")
        if version is None:
            return versions[max(versions)]
        if version not in versions:
            raise UnknownInstrumentError(f"version {version} of {instrument_id} is not on the tape {self.path}")
        return versions[version]

    def write(self) -> None:
        """Replace ``tape.json`` durably."""
        stored = _Stored(
            FORMAT,
            self.created_by,
            [version.to_dict() for versions in self.versions.values() for _, version in sorted(versions.items())],
            self.parts,
            self.sources,
        )
        temporary = self.path / (MANIFEST + TEMPORARY)
        with open(temporary, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(stored), indent=1))
            sync(file.fileno())
        temporary.replace(self.path / MANIFEST)
        sync_folder(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer out, in this and other processes."""
        with open(self.path / LOCK, "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise TapeError(f"{self.path} is being written by another process") from None
            yield


def part_folder(kind: str, instrument_id: str, spec: str) -> str:
    """Folder of a stream's part files inside the tape."""
    names = (kind, instrument_id or "_", *((spec,) if spec else ()))
    return "/".join(quote(name, safe="$:+@, ") for name in names)


def sync(descriptor: int) -> None:
    os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(path: Path) -> str:
    if not path.exists():
        return f"{path}: there is no tape; onetape import or onetape synth makes one"
    if not path.is_dir():
        return f"{path} is a file; a tape is a folder with a {MANIFEST} in it"
    if any(path.glob("*/*/*.parquet*")):
        return f"{path} has no {MANIFEST}: it was not finished, or the file was removed; import its sources again"
    return f"{path} is not a tape: it has no {MANIFEST}"
