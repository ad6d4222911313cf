"""``onetape tape info`` and ``onetape tape check``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onetape.app.commands.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from onetape.app.terminal import Terminal
    from onetape.tape.catalog import StreamInfo

tape_commands = typer.Typer(no_args_is_help=True, help="Look at a tape.")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The tape.")]


def streams_table(terminal: Terminal, streams: Sequence[StreamInfo]) -> Table:
    from onetape.model.codec import iso_time

    table = terminal.table("kind", "instrument", "rows", "from", "to", "size", right=("rows", "size"))
    for stream in streams:
        table.add_row(
            f"{stream.kind} {stream.spec}".strip(),
            stream.instrument or "-",
            f"{stream.rows:,}",
            iso_time(stream.first // 10**6 * 10**6)[:23].rstrip("Z"),
            iso_time(stream.last // 10**6 * 10**6)[:23].rstrip("Z"),
            f"{stream.bytes / 1e6:,.2f} MB",
        )
    return table


@tape_commands.command("info")
def info_command(tape: Folder, json: Json = False) -> None:
    """What is on a tape: streams, instruments, where it came from."""
    from onetape.app.terminal import command

    with command(json) as terminal:
        from rich.markup import escape

        from onetape.tape.catalog import Tape

        info = Tape(tape).info()
        document: dict[str, Any] = {
            "path": info.path,
            "created_by": info.created_by,
            "rows": info.rows,
            "bytes": info.bytes,
            "streams": [asdict(stream) for stream in info.streams],
            "instruments": [instrument.to_dict() for instrument in info.instruments],
            "sources": list(info.sources),
        }
        terminal.document(document)
        terminal.show(streams_table(terminal, info.streams))
        table = terminal.table("instrument", "version", "kind", "tick", "lot", "settle", "maker", "taker")
        for one, terms in zip(info.instruments, document["instruments"]):
            table.add_row(
                escape(one.id),
                str(one.version),
                one.kind.name.lower(),
                terms["tick_size"],
                terms["lot_size"],
                escape(one.settle),
                _plain(terms["maker_fee"]),
                _plain(terms["taker_fee"]),
            )
        terminal.show(table)
        for source in info.sources:
            terminal.show(
                f"from {escape(source.name)}: " + ", ".join(f"{n:,} {kind}" for kind, n in source.events.items())
            )
        terminal.show(f"{info.rows:,} rows, {info.bytes / 1e6:,.1f} MB, made by onetape {info.created_by}")


@tape_commands.command("check")
def check_command(tape: Folder, json: Json = False) -> None:
    """Look at every file and row of a tape: damage, gaps, duplicates, crossed books, time going backwards.

    Exits with 1 if there is anything.
    """
    from onetape.app.terminal import command

    with command(json) as terminal:
        from rich.markup import escape

        from onetape.app.exit_codes import ExitCode
        from onetape.tape.catalog import Tape

        opened = Tape(tape)
        with terminal.err.status("checking"):
            findings = opened.check()
        terminal.document({"path": str(tape), "findings": [asdict(finding) for finding in findings]})
        if not findings:
            terminal.show(f"{escape(str(tape))}: {opened.info().rows:,} rows, nothing to complain of")
            return
        table = terminal.table("finding", "count", "where", "what", right=("count",))
        for finding in findings:
            table.add_row(finding.kind, f"{finding.count:,}", escape(finding.place), escape(finding.message))
        terminal.show(table)
        raise typer.Exit(ExitCode.FINDINGS)


def _plain(decimal: str) -> str:
    return decimal.rstrip("0").rstrip(".") if "." in decimal else decimal
