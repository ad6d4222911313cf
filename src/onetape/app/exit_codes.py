"""What a command's exit code says; stable, for scripts."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import IntEnum

from onetape.model.errors import (
    ConfigurationError,
    DecodeError,
    NumberError,
    OnetapeError,
    TapeError,
    UnknownInstrumentError,
)


class ExitCode(IntEnum):
    """``FINDINGS``: the command did its work, and there is something to look at: a strategy that failed, rows that
    were left out, a tape with damage or gaps.
    """

    OK = 0
    FINDINGS = 1
    USAGE = 2
    DATA = 3
    INTERNAL = 4
    MACHINE = 5
    INTERRUPTED = 130


class StrategyError(OnetapeError):
    """A user's strategy does not import or does not start; the message names the line of their file."""


_MACHINE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.ENOMEM,
    errno.EFBIG,
    errno.EBUSY,
}


def exit_code(error: BaseException) -> ExitCode:
    """The code of an error: what the machine refused comes first, also behind an error of ours."""
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    chain = list(_causes(error))
    if any(isinstance(one, MemoryError) or getattr(one, "errno", None) in _MACHINE for one in chain):
        return ExitCode.MACHINE
    if isinstance(error, StrategyError):
        return ExitCode.FINDINGS
    if isinstance(error, (TapeError, DecodeError)):
        return ExitCode.DATA
    if isinstance(error, (ConfigurationError, UnknownInstrumentError, NumberError)):
        return ExitCode.USAGE
    if isinstance(error, (OSError, EOFError)):
        return ExitCode.DATA
    return ExitCode.INTERNAL


def describe(error: BaseException) -> str:
    """The message for a person: no class name where the message is ours, the file where the machine refused."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        hint = "; free some space and run the command again" if error.errno == errno.ENOSPC else ""
        return f"{place}{error.strerror}{hint}"
    if isinstance(error, OnetapeError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(20):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
