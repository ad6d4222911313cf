"""What the whole suite shares: it says which build runs, and hypothesis is not timed, for busy machines."""

from __future__ import annotations

import platform

import pytest
from hypothesis import settings

import onetape
from onetape.model import market

settings.register_profile("onetape", deadline=None, print_blob=True)
settings.load_profile("onetape")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    build = "pure Python" if market.__file__.endswith(".py") else "compiled"
    terminalreporter.write_line(
        f"onetape {onetape.__version__}, {build} build, {platform.python_implementation()} {platform.python_version()}"
    )
