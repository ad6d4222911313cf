"""A file to import, as bytes: plain, gzip, xz, bzip2, zstd or the members of a zip, told by their first bytes.

A compressed file that ends early gives what could be read, cut at its last whole line where it is text, and says
so in ``truncated``.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from onetape.model.errors import DecodeError, TapeError

#: ``(bytes done, bytes in all)`` of the file as it lies on disk.
Progress = Callable[[int, int], None]

_CHUNK = 1 << 18
_LONGEST_LINE = 1 << 26
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, OSError, pa.ArrowException)


class Source:
    """An open file. ``name`` is what error messages call it."""

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        self.path = path
        self.name = path.name
        self.truncated = ""
        self._progress = progress
        self._raw: BinaryIO | None = None
        with self._open() as file:
            self.size = path.stat().st_size
            self.head = file.read(6)

    def _open(self) -> BinaryIO:
        try:
            return open(self.path, "rb")
        except OSError as error:
            raise TapeError(f"cannot read {self.path}: {error.strerror}") from None

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._raw is not None:
            self._raw.close()

    def report(self, done: int) -> None:
        """Tell how far the import is, in bytes."""
        if self._progress is not None:
            self._progress(done, self.size)

    def sha256(self) -> str:
        """Of the file as it lies on disk."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def zipped(self) -> bool:
        return self.head.startswith(b"PK\x03\x04")

    def members(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Name and uncompressed bytes of each file inside; of the file itself if it is no zip."""
        if self._raw is not None:
            self._raw.close()
        self._raw = raw = self._open()
        if not self.zipped:
            yield self.name, self._chunks(self._stream(raw), raw, self.name)
            return
        try:
            archive = zipfile.ZipFile(raw)
        except (zipfile.BadZipFile, OSError) as error:
            raise DecodeError(f"not a whole zip file: {error}", path=self.name) from None
        for info in archive.infolist():
            if not info.is_dir():
                try:
                    member = archive.open(info)
                except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
                    raise DecodeError(f"cannot unpack: {error}", path=f"{self.name}/{info.filename}") from None
                yield info.filename, self._chunks(member, raw, f"{self.name}/{info.filename}")

    def sample(self, size: int = 1 << 16) -> tuple[str, bytes]:
        """Name and first bytes of the first member, to find out what it is."""
        for name, chunks in self.members():
            data = b""
            for chunk in chunks:
                data += chunk
                if len(data) >= size:
                    break
            self.truncated = ""
            return name, data[:size]
        return self.name, b""

    def _stream(self, raw: BinaryIO) -> Any:
        head = self.head
        if head.startswith(b"\x1f\x8b"):
            return gzip.GzipFile(fileobj=raw)
        if head.startswith(b"\xfd7zXZ\x00"):
            return lzma.LZMAFile(raw)
        if head.startswith(b"BZh"):
            return bz2.BZ2File(raw)
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            return pa.CompressedInputStream(pa.PythonFile(cast(Any, raw), "r"), "zstd")
        return raw

    def _chunks(self, stream: Any, raw: BinaryIO, name: str) -> Iterator[bytes]:
        read = getattr(stream, "read1", None) or stream.read
        while True:
            try:
                chunk = read(_CHUNK)
            except _DAMAGE as error:
                self.truncated = f"{name}: truncated or damaged after byte {raw.tell()} of {self.size}: {error}"
                return
            if not chunk:
                return
            self.report(self.size if raw.closed else min(raw.tell(), self.size))
            yield chunk


def lines(source: Source, chunks: Iterator[bytes], start: int = 1) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without their ends; of a truncated source only those that are whole."""
    number = start
    rest = b""
    for chunk in chunks:
        block = rest + chunk
        found = block.split(b"\n")
        rest = found.pop()
        for line in found:
            yield number, line
            number += 1
        if len(rest) > _LONGEST_LINE:
            raise DecodeError(f"a line longer than {_LONGEST_LINE} bytes", path=f"{source.name}:{number}")
    if rest and not source.truncated:
        yield number, rest
    elif rest:
        source.truncated += f"; line {number} is cut off and was left out"


class WholeLines(io.RawIOBase):
    """The text of ``chunks`` as a file, without the last line of a truncated source; always valid UTF-8."""

    def __init__(self, source: Source, chunks: Iterator[bytes]) -> None:
        self._source = source
        self._chunks = chunks
        self._ready = b""
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
                if self._rest and self._source.truncated:
                    self._source.truncated += "; the line that is cut off was left out"
                else:
                    self._ready = _utf8(self._rest)
                self._rest = b""
                break
            cut = chunk.rfind(b"\n") + 1
            if cut:
                self._ready, self._rest = _utf8(self._rest + chunk[:cut]), chunk[cut:]
            else:
                self._rest += chunk
                if len(self._rest) > _LONGEST_LINE:
                    raise DecodeError(f"a line longer than {_LONGEST_LINE} bytes", path=self._source.name)
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def _utf8(text: bytes) -> bytes:
    """Bytes that are no UTF-8 become replacement characters, so that their row can be reported."""
    return text if text.isascii() else text.decode("utf8", "replace").encode()
