"""Looking a tape over: damaged files, time going backwards, gaps, duplicates, crossed quotes and books."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from onetape.marketdata.book import Book
from onetape.model.codec import iso_time
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.errors import OnetapeError
from onetape.model.system import Gap
from onetape.tape.manifest import MANIFEST, TEMPORARY, Manifest, Part
from onetape.tape.reader import TapeStream, open_streams

_INTERVALS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WINDOW = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should know. ``count`` is in rows, updates or files; ``place`` names the first.

    ``kind``: damaged (files), unfinished (files of an interrupted writer, harmless), backwards (time), gap,
    duplicate, crossed.
    """

    kind: str
    place: str
    message: str
    count: int = 1


def check_tape(manifest: Manifest) -> list[Finding]:
    """Every file, then every row of the streams whose files are whole. Reads the whole tape in bounded memory."""
    findings = list(_files(manifest))
    damaged = {finding.place for finding in findings if finding.kind == "damaged"}
    for stream in open_streams(manifest, trade_ids=True):
        if damaged.isdisjoint(part.path for part in manifest.parts if _belongs(part, stream)):
            try:
                findings += _rows(stream)
            except OnetapeError as error:
                findings.append(Finding("damaged", str(stream), str(error)))
    return findings


def _belongs(part: Part, stream: TapeStream) -> bool:
    return (part.kind, part.instrument, part.spec) == (stream.kind, stream.instrument_id, stream.spec)


def _files(manifest: Manifest) -> Iterator[Finding]:
    known = {part.path: part for part in manifest.parts}
    for path in sorted(manifest.path.rglob("*")):
        name = path.relative_to(manifest.path).as_posix()
        if name.endswith(TEMPORARY):
            yield Finding("unfinished", name, "left over from a writer that was interrupted; it can be deleted")
        elif name.endswith(".parquet") and name not in known:
            yield Finding("unfinished", name, f"not in {MANIFEST}: its writer was interrupted; it can be deleted")
    for part in manifest.parts:
        reason = _damage(manifest, part)
        if reason:
            yield Finding("damaged", part.path, f"{reason}; import its source again on a new tape")


def _damage(manifest: Manifest, part: Part) -> str:
    path = manifest.path / part.path
    if not path.is_file():
        return "the file is missing"
    try:
        size = path.stat().st_size
        if size != part.bytes:
            return f"the file has {size} bytes instead of {part.bytes}"
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    return "" if digest == part.sha256 else "the file's content has changed"


class _Tally:
    """Counts of one stream, with the time of the first of each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, kind: str, message: str, count: int, first: int) -> None:
        if count:
            before, place = self._found.get((kind, message), (0, first))
            self._found[(kind, message)] = (before + count, place)

    def mask(self, kind: str, message: str, rows: npt.NDArray[np.bool_], times: Any) -> None:
        found = np.flatnonzero(rows)
        if len(found):
            self.add(kind, message, len(found), int(times[found[0]]))

    def findings(self) -> list[Finding]:
        return [
            Finding(kind, f"{self.name} at {iso_time(first)}", message, count)
            for (kind, message), (count, first) in self._found.items()
        ]


def _rows(stream: TapeStream) -> list[Finding]:
    tally = _Tally(" ".join(filter(None, (stream.kind, stream.instrument_id, stream.spec))))
    if not stream.hot:
        last = -(1 << 63)
        for event in stream.events():
            if event.ts_recv < last:
                tally.add("backwards", "arrival time goes backwards", 1, event.ts_recv)
            last = event.ts_recv
            if isinstance(event, Gap):
                tally.add("gap", f"updates of {event.channel} that never arrived", 1, event.ts_recv)
        return tally.findings()
    looks: dict[str, type[Any]] = {"trade": _Trades, "quote": _Quotes, "book": _Books, "bar": _Bars}
    look = looks[stream.kind](tally, stream)
    before: Columns | None = None
    for run in stream.columns():
        _common(tally, run, before)
        look.run(run)
        before = run.slice(max(0, run.rows - _WINDOW), run.rows)
    return tally.findings()


def _common(tally: _Tally, run: Columns, before: Columns | None) -> None:
    times = run["ts_recv"]
    if before is not None and times[0] < before["ts_recv"][-1]:
        tally.add("backwards", "arrival time goes backwards", 1, int(times[0]))
    tally.mask("backwards", "arrival time goes backwards", times[1:] < times[:-1], times[1:])
    if run.kind == "book":
        return
    # The same row twice in a row, whatever its number: an overlap of two imports, or a doubled message.
    names = [name for name in run.arrays if name != "seq"]
    joined = {name: run[name] if before is None else np.concatenate([before[name][-1:], run[name]]) for name in names}
    same = np.logical_and.reduce([joined[name][1:] == joined[name][:-1] for name in names])
    ids = run.trade_ids
    if ids is not None and any(ids):
        all_ids = [*(() if before is None or before.trade_ids is None else before.trade_ids[-1:]), *ids]
        same &= np.array([a == b for a, b in pairwise(all_ids)], bool)
    elif run.kind == "trade":
        # Equal trades without an id are common and say nothing.
        return
    tally.mask("duplicate", f"{run.kind} rows equal to the one before", same, joined["ts_recv"][1:])


class _Trades:
    def __init__(self, tally: _Tally, stream: TapeStream) -> None:
        self._tally = tally

    def run(self, run: Columns) -> None:
        self._tally.mask("damaged", "trades without a positive size", run["size"] <= 0, run["ts_recv"])


class _Quotes:
    def __init__(self, tally: _Tally, stream: TapeStream) -> None:
        self._tally = tally

    def run(self, run: Columns) -> None:
        both = (run["bid_size"] > 0) & (run["ask_size"] > 0)
        self._tally.mask(
            "crossed", "quotes with bid at or above ask", both & (run["bid"] >= run["ask"]), run["ts_recv"]
        )


class _Bars:
    def __init__(self, tally: _Tally, stream: TapeStream) -> None:
        self._tally = tally
        unit = _INTERVALS.get(stream.spec[-1:])
        number = stream.spec[:-1]
        self._step = int(number) * unit * 10**9 if unit and number.isdigit() else 0
        self._last: int | None = None

    def run(self, run: Columns) -> None:
        opens = run["ts_open"]
        low, high = run["low"], run["high"]
        wrong = (low > np.minimum(run["open"], run["close"])) | (high < np.maximum(run["open"], run["close"]))
        self._tally.mask("damaged", "bars whose open or close lies outside of low to high", wrong, run["ts_recv"])
        if self._last is not None:
            opens = np.concatenate([[self._last], opens])
        self._last = int(opens[-1])
        steps = np.diff(opens)
        self._tally.mask("duplicate", "bars of a time that there is one for", steps == 0, opens[1:])
        if self._step:
            missing = np.maximum(steps // self._step - 1, 0)
            holes = np.flatnonzero(missing)
            if len(holes):
                message = "bars missing (also where nothing traded)"
                self._tally.add("gap", message, int(missing.sum()), int(opens[1:][holes[0]]))


class _Books:
    def __init__(self, tally: _Tally, stream: TapeStream) -> None:
        assert stream.instrument is not None
        self._tally = tally
        self._book = Book(stream.instrument)
        self._version = stream.instrument.version
        self._sequence = -1
        self._crossed = False

    def run(self, run: Columns) -> None:
        if run.instrument.version != self._version:
            self._book, self._version = Book(run.instrument), run.instrument.version
        self._links(run)
        book, apply = self._book, self._book.apply_row
        times = run["ts_recv"]
        rows = zip(run["side"].tolist(), run["price"].tolist(), run["size"].tolist(), run["flags"].tolist())
        for place, (side, price, size, flags) in enumerate(rows):
            apply(side, price, size, flags)
            if flags & 1:
                crossed = book.crossed
                if crossed and not self._crossed:
                    self._tally.add("crossed", "times that bid came at or above ask", 1, int(times[place]))
                self._crossed = crossed

    def _links(self, run: Columns) -> None:
        ends = np.flatnonzero(run["flags"] & int(BookFlag.LAST))
        sequence, previous = run["sequence"][ends], run["previous_sequence"][ends]
        before = np.concatenate([[self._sequence], sequence[:-1]])
        snapshot = (run["flags"][ends] & int(BookFlag.SNAPSHOT)) != 0
        after_snapshot = (
            np.concatenate([[True], snapshot[:-1]]) if self._sequence < 0 else np.append(False, snapshot[:-1])
        )
        broken = (previous >= 0) & (previous > before) & ~snapshot & ~after_snapshot
        self._tally.mask("gap", "book updates that do not follow the one before", broken, run["ts_recv"][ends])
        if len(sequence):
            self._sequence = int(sequence[-1])
