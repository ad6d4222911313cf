"""The errors a user can meet, each saying what was wrong, where, and what to write instead."""

from __future__ import annotations


class OnetapeError(Exception):
    """Base of every error raised on purpose."""


class ConfigurationError(OnetapeError):
    """A setting, parameter or command-line value is wrong; the message says what to write instead."""


class NumberError(OnetapeError, ValueError):
    """A price, size or amount is not a number, not finite, or does not fit the instrument."""


class OffGridError(NumberError):
    """A price or size lies between two valid steps; the message names the nearest valid ones."""


class DecodeError(OnetapeError, ValueError):
    """A message from outside does not have the documented shape.

    ``venue``, ``channel`` and ``path`` (as in ``$.data.b[3][0]``) say where.
    """

    def __init__(self, message: str, *, venue: str = "", channel: str = "", path: str = "") -> None:
        place = " ".join(part for part in (venue, channel, path) if part)
        super().__init__(f"{place}: {message}" if place else message)
        self.venue = venue
        self.channel = channel
        self.path = path


class UnknownInstrumentError(OnetapeError, LookupError):
    """No instrument of that name is known; the message names the nearest ones."""


class TapeError(OnetapeError):
    """A tape is missing, damaged, or written by a newer version."""


class OrderStateError(OnetapeError):
    """An order event that the state machine does not allow."""
