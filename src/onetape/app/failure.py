"""A strategy that was stopped, and the line of the user's file that did it."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from onetape.strategy.base import Strategy


@dataclass(frozen=True, slots=True)
class Failure:
    """``event`` is the event in hand (or the handler without one), ``where`` file:line and its text."""

    strategy: str
    event: str
    error: str
    ts: int
    handler: str = ""
    where: str = ""


def failure_of(strategy: Strategy, event: str, error: Exception, ts: int) -> Failure:
    files = files_of(type(strategy))
    own = _own_frames(error, files)
    handler = own[0].name if own else ""
    return Failure(strategy.id, event, f"{type(error).__name__}: {error}", ts, handler, _where(own))


def blame(error: BaseException, files: Iterable[str]) -> str:
    """``file:line: Error: message`` and that line's text, at the innermost line of the user's ``files``."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        text = f"\n    {error.text.strip()}" if error.text else ""
        return f"{short_path(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}{text}"
    said = str(error)
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    own = _own_frames(error, files)
    if not own:
        return what
    place, _, line = _where(own).partition("\n")
    return f"{place}: {what}\n{line}" if line else f"{place}: {what}"


def files_of(cls: type) -> list[str]:
    """The files that a strategy's class and its parents below :class:`Strategy` are in."""
    files = []
    for parent in cls.__mro__:
        if parent is Strategy:
            break
        try:
            files.append(inspect.getfile(parent))
        except (TypeError, OSError):
            continue
    return files


def short_path(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename


def _own_frames(error: BaseException, files: Iterable[str]) -> list[traceback.FrameSummary]:
    own = {str(Path(file).resolve()) for file in files}
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if str(Path(frame.filename).resolve()) in own]


def _where(own: list[traceback.FrameSummary]) -> str:
    if not own:
        return ""
    text = f"\n    {own[-1].line}" if own[-1].line else ""
    return f"{short_path(own[-1].filename)}:{own[-1].lineno}{text}"
