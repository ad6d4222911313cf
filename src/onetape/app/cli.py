"""The command line. Commands import what they need when they run, so that ``onetape --version`` starts at once."""

from __future__ import annotations

import sys

from onetape._version import __version__


def main() -> None:
    """The console script ``onetape``; exits with a code of :class:`onetape.app.exit_codes.ExitCode`."""
    if sys.argv[1:] == ["--version"]:
        print(f"onetape {__version__}")
        return
    from onetape.app.commands.application import application

    application()
