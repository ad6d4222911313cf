"""``onetape report``: HTML out of a run that was kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onetape.app.commands.options import Json


def report_command(
    run: Annotated[Path, typer.Argument(metavar="RUN.json", help="What onetape backtest --save wrote.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Where to.  [default: beside the run]")] = None,
    json: Json = False,
) -> None:
    """Write the HTML report of a run: one file that needs no network."""
    from onetape.app.terminal import command

    with command(json) as terminal:
        from onetape.app.report.page import write_report
        from onetape.app.run_record import RunRecord
        from onetape.model.errors import ConfigurationError

        target = run.with_suffix(".html") if html is None else html
        if target.is_dir() or target == run:
            raise ConfigurationError(f"--html {target}: name another file")
        write_report(RunRecord.read(run), target)
        terminal.document({"run": str(run), "html": str(target), "bytes": target.stat().st_size})
        terminal.show(f"report: {target}")
