"""Importing a file, whatever it is, all or nothing; the same file twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from onetape.model.errors import TapeError
from onetape.model.instrument import Instrument
from onetape.tape.catalog import Tape
from onetape.tape.importers.binance_frames import import_captures, import_frames
from onetape.tape.importers.binance_public import import_public, public_file
from onetape.tape.importers.dbn import import_dbn
from onetape.tape.importers.report import ImportReport
from onetape.tape.importers.request import Import, Options
from onetape.tape.importers.source import Progress, Source
from onetape.tape.importers.tabular import import_csv, import_parquet
from onetape.tape.manifest import Source as ImportedSource

FORMATS: dict[str, Callable[[Import], None]] = {
    "binance-frames": import_frames,
    "binance-public": import_public,
    "dbn": import_dbn,
    "csv": import_csv,
    "parquet": import_parquet,
}


def import_file(
    path: str | Path,
    tape: Tape,
    *,
    format: str = "auto",  # noqa: A002
    instrument: Instrument | Mapping[str, Instrument] | None = None,
    mapping: Mapping[str, str] | None = None,
    kind: str = "",
    time_unit: str = "",
    spec: str = "",
    market: str = "",
    venue: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Put what a file holds on the tape; bad rows are left out and reported, good ones kept.

    ``format`` is one of :data:`FORMATS`, or found by name and content; the others are as in :class:`Options`.
    Raises an :class:`OnetapeError` where nothing of the file can be used; the tape is then as it was.
    """
    options = Options(instrument, mapping or {}, kind, time_unit, spec, market, venue)
    return import_files([path], tape, options, format=format, progress=progress)[0]


def import_files(
    paths: Sequence[str | Path],
    tape: Tape,
    options: Options | None = None,
    *,
    format: str = "auto",  # noqa: A002
    progress: Progress | None = None,
) -> list[ImportReport]:
    """Import several files, one after the other; those of one capture of frames are merged by time.

    ``progress`` is told the bytes of all of them. A file that cannot be used stops the import there: what came
    before it is on the tape.
    """
    options = options or Options()
    files = [Path(path) for path in paths]
    total = sum(path.stat().st_size for path in files if path.is_file())
    done = 0

    def tell(part: int, _: int) -> None:
        if progress is not None:
            progress(min(done + part, total), total)

    reports: list[ImportReport] = []
    captures: list[tuple[Source, ImportReport]] = []
    with ExitStack() as stack:
        for path in files:
            source = stack.enter_context(Source(path, tell))
            name = _format(source, options) if format == "auto" else format
            if name not in FORMATS:
                raise TapeError(f"{format!r} is not a format to import; write one of {', '.join(FORMATS)}, auto")
            report = ImportReport(str(path), name, bytes=source.size)
            reports.append(report)
            if name == "binance-frames":
                captures.append((source, report))
            else:
                _import([(source, report)], tape, options, FORMATS[name])
                done += source.size
        if captures:
            _import(captures, tape, options)
    if progress is not None:
        progress(total, total)
    return reports


def _import(
    sources: list[tuple[Source, ImportReport]],
    tape: Tape,
    options: Options,
    run: Callable[[Import], None] | None = None,
) -> None:
    """All or nothing, by ``run`` for one file, else as one capture. Files that are on the tape are left out."""
    with tape.writer() as writer:
        jobs: list[Import] = []
        imported: list[ImportedSource] = []
        for source, report in sources:
            digest, settings = source.sha256(), options.settings(report.format)
            for earlier in (*tape.manifest.sources, *imported):
                if earlier.sha256 == digest and earlier.settings == settings:
                    report.already_imported = True
                    report.note(f"already on the tape, imported as {earlier.name}")
                    break
            else:
                jobs.append(Import(source, tape.manifest, writer, options, report))
                imported.append(ImportedSource(source.name, digest, settings, {}))
        if not jobs:
            return
        if run is None:
            import_captures(jobs)
        else:
            run(jobs[0])
        for job in jobs:
            job.report.truncated = job.source.truncated
        named = [msgspec.structs.replace(one, events=dict(job.report.events)) for one, job in zip(imported, jobs)]
        writer.commit(named)


def _format(source: Source, options: Options) -> str:
    if source.head.startswith((b"PAR1", b"ARROW1")):
        return "parquet"
    name, sample = source.sample()
    if sample.startswith(b"DBN") or b".dbn" in source.name.encode():
        return "dbn"
    if sample.startswith(b"DBZ") or source.name.endswith(".dbz"):
        return "dbn"
    first = sample.lstrip(b"\xef\xbb\xbf \r\n").partition(b"\n")[0]
    if (first[:1].isdigit() and b"{" in first[:60]) or first.startswith((b"wss://", b"https://")):
        return "binance-frames"
    if not options.mapping and public_file(name, first.decode("utf8", "replace")) is not None:
        return "binance-public"
    if b"," in first or b";" in first or b"\t" in first:
        return "csv"
    raise TapeError(f"{source.path}: cannot tell what this is; name its format: {', '.join(FORMATS)}")
