"""``onetape import``: files of others onto a tape."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onetape.app.commands.options import Instruments, Json, TapeFolder

if TYPE_CHECKING:
    from onetape.app.terminal import Terminal
    from onetape.tape.importers.report import ImportReport

SHOWN = 10


def import_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Also gzip, xz, bzip2, zstd or zip.")],
    tape: TapeFolder,
    format_: Annotated[
        str, typer.Option("--format", help="binance-frames, binance-public, dbn, csv, parquet, or auto.")
    ] = "auto",
    instrument: Instruments = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN,…", help="Columns of a CSV or Parquet file: ts=time,price=px,…"),
    ] = None,
    kind: Annotated[str, typer.Option(help="trade, quote, book or bar, where the columns do not say.")] = "",
    time_unit: Annotated[str, typer.Option(help="s, ms, us, ns or iso, where the numbers do not say.")] = "",
    spec: Annotated[str, typer.Option(help="Of bars: 1m, 1h, …")] = "",
    market: Annotated[str, typer.Option(help="spot, usdm or coinm, where a Binance file does not say.")] = "",
    venue: Annotated[str, typer.Option(help="Of instruments that nobody named.")] = "",
    json: Json = False,
) -> None:
    """Put files on a tape. What is wrong in a file is left out, counted and named by file:line; the rest is kept.

    The same file twice changes nothing. Exits with 1 if rows were left out or a file ended early.
    """
    from onetape.app.terminal import command

    with command(json) as terminal:
        import time

        from onetape.app import option_values
        from onetape.app.exit_codes import ExitCode
        from onetape.model.errors import ConfigurationError, TapeError
        from onetape.tape.catalog import Tape
        from onetape.tape.importers.import_file import FORMATS, import_files
        from onetape.tape.importers.request import Options

        if format_ != "auto" and format_ not in FORMATS:
            raise ConfigurationError(f"--format {format_!r}: write one of {', '.join(FORMATS)}, auto")
        for file in files:
            if not file.is_file():
                raise TapeError(f"{file}: there is no such file" if not file.is_dir() else f"{file} is a folder")
        mapping = option_values.pairs("--map", map_ or [], separated=True)
        target = Tape.create(tape)
        named = [option_values.instrument(text, target.instruments) for text in instrument or []]
        options = Options(
            instrument=None if not named else named[0] if len(named) == 1 else {one.symbol: one for one in named},
            mapping=mapping,
            kind=kind,
            time_unit=time_unit,
            spec=spec,
            market=market,
            venue=venue,
        )
        began = time.perf_counter()
        with terminal.progress("importing", sum(file.stat().st_size for file in files), "bytes") as advance:
            reports = import_files(files, target, options, format=format_, progress=lambda done, _: advance(done))
        seconds = round(time.perf_counter() - began, 3)
        terminal.document({"tape": str(tape), "seconds": seconds, "files": [report.to_dict() for report in reports]})
        if not json:
            _show(terminal, reports)
            terminal.show(f"{sum(report.events.total() for report in reports):,} events in {seconds:,} s: {tape}")
        if any(report.skipped_count or report.truncated for report in reports):
            raise typer.Exit(ExitCode.FINDINGS)


def _show(terminal: Terminal, reports: Sequence[ImportReport]) -> None:
    from rich.markup import escape

    table = terminal.table("file", "format", "imported", "left out", "notes", right=("left out",))
    for report in reports:
        notes = list(report.notes)
        if report.truncated:
            notes.append(f"[red]ended early: {escape(report.truncated)}[/]")
        if report.clamped:
            notes.append(f"{report.clamped:,} times went backwards, first at {escape(report.first_clamped)}")
        if report.inferred:
            notes.append("inferred " + ", ".join(sorted({escape(one.id) for one in report.inferred})))
        notes += [f"{count:,} {escape(kind)} have no place on a tape" for kind, count in report.unused.items()]
        table.add_row(
            escape(report.path),
            report.format,
            "\n".join(f"{count:,} {kind}" for kind, count in report.events.items()) or "nothing",
            f"{report.skipped_count:,}",
            "\n".join(notes),
        )
    terminal.show(table)
    for report in reports:
        for reason, count in report.skipped_by_reason.most_common(SHOWN):
            terminal.show(f"[yellow]left out[/] {count:,}: {escape(reason)}")
        for row in report.skipped[:SHOWN]:
            terminal.show(f"  {escape(row.place)}: {escape(row.reason)}")
        if report.skipped_count > SHOWN:
            terminal.show(f"  … and {report.skipped_count - SHOWN:,} more; --json names the first 1,000")
