"""Importing a file, whatever it is, all or nothing; the same file twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from onetape.model.errors import TapeError
from onetape.model.instrument import Instrument
from onetape.tape.catalog import Tape
from onetape.tape.importers.binance_frames import import_frames
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

    ``format`` is one of :data:`FORMATS`, or found by name and content. See :class:`Options` for the others. Raises
    :class:`TapeError` where nothing of the file can be used; the tape is then as it was.
    """
    options = Options(instrument, mapping or {}, kind, time_unit, spec, market, venue)
    with Source(Path(path), progress) as source:
        name = _format(source, options) if format == "auto" else format
        if name not in FORMATS:
            raise TapeError(f"{format!r} is not a format to import; write one of {', '.join(FORMATS)}, auto")
        report = ImportReport(str(path), name, bytes=source.size)
        digest, settings = source.sha256(), options.settings(name)
        with tape.writer() as writer:
            manifest = tape.manifest
            for earlier in manifest.sources:
                if earlier.sha256 == digest and earlier.settings == settings:
                    report.already_imported = True
                    report.note(f"already on the tape, imported as {earlier.name}")
                    return report
            FORMATS[name](Import(source, manifest, writer, options, report))
            report.truncated = source.truncated
            late = sum(writer.clamped.values())
            report.clamped = max(report.clamped, late)
            writer.commit(ImportedSource(source.name, digest, settings, dict(report.events)))
        if progress is not None:
            progress(source.size, source.size)
    return report


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
