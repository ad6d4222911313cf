"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from onetape._version import __version__
from onetape.app.commands.backtest import backtest_command
from onetape.app.commands.import_files import import_command
from onetape.app.commands.options import Json
from onetape.app.commands.report import report_command
from onetape.app.commands.synth import synth_command
from onetape.app.commands.tape import tape_commands

application = typer.Typer(
    name="onetape",
    help="Record live markets, trade them, replay them: one tape, one code path.",
    epilog="Exit codes: 0 done; 1 done, with findings or a failed strategy; 2 wrong usage or configuration; "
    "3 missing or bad data; 4 a bug in onetape; 5 the machine refused (disk full, no right); 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
application.command("import")(import_command)
application.command("synth")(synth_command)
application.add_typer(tape_commands, name="tape")
application.command("backtest")(backtest_command)
application.command("report")(report_command)


@application.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    json: Json = False,
) -> None:
    if version:
        typer.echo(f'{{"onetape": "{__version__}"}}' if json else f"onetape {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
