"""What a command says: tables for people or one JSON document on stdout; progress, logs and errors on stderr."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from onetape.app.exit_codes import ExitCode, describe, exit_code
from onetape.model.errors import ConfigurationError

WIDE = 120

Advance = Callable[[int], None]


class Terminal:
    """``advance(completed)`` of :meth:`progress` may be called as often as one likes."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    def show(self, renderable: Any) -> None:
        """For people only."""
        if not self.as_json:
            self.out.print(renderable)

    def document(self, value: Any) -> None:
        """The JSON document, if it was asked for."""
        if self.as_json:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")

    def note(self, text: str) -> None:
        self.err.print(text, markup=False, highlight=False, soft_wrap=True)

    def table(self, *columns: str, right: tuple[str, ...] = ()) -> Table:
        table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        return table

    @contextmanager
    def progress(self, what: str, total: int, unit: str = "") -> Iterator[Advance]:
        """A bar on stderr, where that is a terminal."""
        if not self.err.is_terminal:
            yield _nothing
            return
        from rich import progress

        columns: list[progress.ProgressColumn] = [
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
        ]
        if unit == "bytes":
            columns.append(progress.DownloadColumn())
        columns += [progress.TimeElapsedColumn(), progress.TimeRemainingColumn()]
        with progress.Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(escape(what), total=max(total, 1))
            yield lambda completed: bar.update(task, completed=completed)

    def fail(self, error: BaseException) -> ExitCode:
        """Say what went wrong, in words; a traceback only of a bug of ours, and only if it is asked for."""
        code = exit_code(error)
        message = describe(error)
        if code is ExitCode.INTERNAL:
            if os.environ.get("ONETAPE_DEBUG") == "1":
                traceback.print_exception(error, file=sys.stderr)
            frames = traceback.extract_tb(error.__traceback__)
            place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
            message = (
                f"{message}{place}. This is a bug in onetape, please report it; ONETAPE_DEBUG=1 shows the traceback"
            )
        self.err.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
        self.document({"error": message, "kind": code.name.lower(), "exit_code": int(code)})
        return code


@contextmanager
def command(as_json: bool) -> Iterator[Terminal]:
    """The body of every command: an error becomes a message and an exit code."""
    terminal = Terminal(as_json)
    try:
        yield terminal
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, (typer.Exit, typer.Abort, BrokenPipeError)):
            raise
        raise typer.Exit(terminal.fail(error)) from None


class LogHandler(logging.Handler):
    """Log lines above the progress bar. Tracebacks are left to the summary, which names the user's line."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self._terminal.note(f"{record.levelname.lower()}: {record.getMessage()}")


@contextmanager
def logging_to(terminal: Terminal, level: str) -> Iterator[None]:
    """Log lines of onetape and of strategies go to stderr while this lasts."""
    logger = logging.getLogger("onetape")
    handler = LogHandler(terminal)
    before, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        logger.propagate = propagate


def _nothing(completed: int) -> None:
    del completed


def _console(file: Any) -> Console:
    console = Console(file=file)
    return console if console.is_terminal else Console(file=file, width=max(console.width, WIDE))


def check_log_level(level: str) -> None:
    if level.lower() not in ("debug", "info", "warning", "error"):
        raise ConfigurationError(f"--log-level {level!r}: write debug, info, warning or error")
