"""What the command line's tests share: a small market, and strategy files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from app_command import COUNTING, onetape


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market") / "btc.tape"
    ran = onetape("synth", "--tape", folder, "--seed", 7, "--events", 20_000, "--volatility", 3, "--json")
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A strategy file: :data:`COUNTING` with one line in place of another, or a text of one's own."""

    def write_file(name: str = "mine.py", text: str = COUNTING, **changes: str) -> Path:
        if handle := changes.get("handle"):
            text = text[: text.index("        held = ")] + "        " + handle + "\n"
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_file
