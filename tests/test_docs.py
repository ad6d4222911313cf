"""The documentation is run: every ``python`` block, every ``$ onetape`` line, every docstring example, every link.

The blocks of one page share a namespace and an empty folder, in which ``examples`` is the repository's. Before a
block, ``<!-- no-run -->`` skips it and ``<!-- file: name.py -->`` writes it to that file instead of running it.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})

FENCE = re.compile(
    r"(?:<!-- (?P<mark>no-run|file: [^ ]+) -->\s*\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```$",
    re.M | re.S,
)


@dataclass
class Block:
    language: str
    text: str
    line: int
    mark: str


def blocks(page: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(page):
        indent = len(match["indent"])
        text = "".join(line[indent:] for line in match["text"].splitlines(keepends=True))
        line = page.count("\n", 0, match.start("text")) + 1
        found.append(Block(match["language"], text, line, match["mark"] or ""))
    return found


def commands(block: Block) -> Iterator[tuple[int, str]]:
    """Line and text of each ``$ onetape …``, backslash continuations joined."""
    lines = block.text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("$ onetape"):
            command = line[2:]
            while command.endswith("\\"):
                number += 1
                command = command[:-1] + lines[number].strip()
            yield block.line + number, command


def run_page(page: Path, folder: Path) -> int:
    """Run a page's blocks in order; how many things were run."""
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(page)}
    count = 0
    for block in blocks(page.read_text()):
        if block.mark == "no-run":
            continue
        if block.mark.startswith("file: "):
            (folder / block.mark.removeprefix("file: ")).write_text(block.text)
        elif block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            exec(code, namespace)
            count += 1
        elif block.language == "console":
            for line, command in commands(block):
                run_command(command, folder, f"{page.name}:{line}")
                count += 1
    return count


def run_command(command: str, folder: Path, place: str) -> None:
    if not (SOURCE / "onetape/app/cli.py").exists():
        pytest.skip(f"{place} needs the command line, which is not there yet")
    arguments = shlex.split(command, comments=True)[1:]
    code = "from onetape.app.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{place}: `{command}` exited with {done.returncode}\n{done.stderr or done.stdout}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, offline but for this machine itself."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise OSError(f"the examples of the documentation run offline, not with {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES])
def test_page_runs(page: Path, folder: Path) -> None:
    run_page(page, folder)


def test_a_wrong_example_would_be_seen(folder: Path) -> None:
    page = folder / "page.md"
    page.write_text("text\n\n```python\nx = 1\n```\n\n```python\nassert x == 1\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as caught:
        run_page(page, folder)
    assert caught.traceback[-1].lineno == 8, "the traceback names the page's own line, counted from 0"


def test_marks_and_other_languages(folder: Path) -> None:
    page = folder / "page.md"
    page.write_text(
        "<!-- no-run -->\n```python\nboom\n```\n<!-- file: mine.py -->\n```python\nvalue = 3\n```\n"
        "```sh\nboom\n```\n1. in a list\n   ```python\n   if True:\n       done = 1\n   ```\n"
        "```python\nimport pathlib\nassert pathlib.Path('mine.py').exists() and done\n```\n"
    )
    assert run_page(page, folder) == 2


def test_commands_are_found_and_joined() -> None:
    (block,) = blocks("```console\n$ make demo\n$ onetape synth \\\n    out\nmade\n$ onetape --version\n```\n")
    assert [command for _, command in commands(block)] == ["onetape synth out", "onetape --version"]


@pytest.mark.usefixtures("folder")
def test_examples_cannot_reach_the_network() -> None:
    with pytest.raises(OSError, match="offline"), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))


# -------------------------------------------------------------------------------------------- docstring examples
def docstring_examples() -> Iterator[Any]:
    """Read from the sources, for compiled functions hide theirs from doctest."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text and ">>>" in text:
                    where = f"{name}.{getattr(node, 'name', '')}".rstrip(".")
                    yield pytest.param(name, where, text, id=where)


@pytest.mark.parametrize(("module", "where", "text"), list(docstring_examples()))
def test_docstring_example(module: str, where: str, text: str) -> None:
    namespace = dict(vars(importlib.import_module(module)))
    example = doctest.DocTestParser().get_doctest(text, namespace, where, None, None)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    shown: list[str] = []
    runner.run(example, out=shown.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(shown)


# ---------------------------------------------------------------------------------------------------------- links
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def broken_links(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text())
    targets = [link.split("#")[0] for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    return [target for target in targets if target and not (page.parent / target).exists()]


def test_links_lead_somewhere() -> None:
    assert {page.name: links for page in PAGES if (links := broken_links(page))} == {}


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("[a](page.md#x) [b](https://x.y) [c](gone.md)\n```\n[d](code.md)\n```\n")
    assert broken_links(tmp_path / "page.md") == ["gone.md"]


def test_every_page_is_on_the_site() -> None:
    """The rooms' pages are listed by pattern; any other page must be named in the index."""
    index = (ROOT / "docs" / "index.md").read_text()
    others = [page for page in (ROOT / "docs").glob("*.md") if page.stem != "index"]
    assert [page.name for page in others if not re.search(rf"^{page.stem}$", index, re.M)] == []
