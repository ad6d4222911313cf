"""What the whole suite shares: it says which build runs, and hypothesis is not timed, for busy machines."""

from __future__ import annotations

import os
import platform

import pytest
from hypothesis import settings

import onetape
from onetape.model import market

# A change is judged on the same examples each time (CI is set there); people at work get new ones with every run.
settings.register_profile("onetape", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("onetape")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    build = "pure Python" if market.__file__.endswith(".py") else "compiled"
    terminalreporter.write_line(
        f"onetape {onetape.__version__}, {build} build, {platform.python_implementation()} {platform.python_version()}"
    )
