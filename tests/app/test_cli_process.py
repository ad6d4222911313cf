"""The command as a process: what a shell sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import onetape

PURE = os.environ.get("ONETAPE_PURE") == "1"
CODE = "from onetape.app.cli import main; main()"
SLOW = """
import pathlib, time
from onetape.strategy.base import Strategy
class Slow(Strategy):
    started: str
    def on_start(self): self.subscribe_trades("BTC-USDT-PERP.SIM")
    def on_trade(self, trade):
        pathlib.Path(self.started).touch()
        time.sleep(0.05)
"""


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CODE, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload, no-any-return]


def test_the_version_comes_at_once() -> None:
    best = 10.0
    for _ in range(3):
        began = time.perf_counter()
        ran = run("--version")
        best = min(best, time.perf_counter() - began)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"onetape {onetape.__version__}\n", "")
    assert best < 0.3, "something heavy is imported for --version"


def test_help_and_wrong_commands() -> None:
    ran = run("--help")
    assert ran.returncode == 0 and all(word in ran.stdout for word in ("import", "synth", "backtest", "Exit codes"))
    assert run("backtset").returncode == 2
    assert run().returncode == 2
    assert json.loads(run("--version", "--json").stdout) == {"onetape": onetape.__version__}


def test_a_whole_session(tmp_path: Path) -> None:
    """Make, look, run, keep, report: stdout is one JSON document each time, and stderr is empty."""
    strategy = tmp_path / "mine.py"
    strategy.write_text(
        "from onetape.strategy.base import Strategy\n"
        "class Mine(Strategy):\n"
        "    def on_start(self): self.subscribe_quotes('BTC-USDT-PERP.SIM'); self.sent = False\n"
        "    def on_quote(self, quote):\n"
        "        if not self.sent: self.buy(quote.instrument, 1); self.sent = True\n"
    )
    for command in (
        ["synth", "--tape", "a.tape", "--events", "2000", "--json"],
        ["tape", "info", "a.tape", "--json"],
        ["tape", "check", "a.tape", "--json"],
        ["backtest", "mine.py", "--tape", "a.tape", "--save", "run.json", "--json"],
        ["report", "run.json", "--json"],
    ):
        ran = run(*command, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert isinstance(json.loads(ran.stdout), dict)
        assert ran.stderr == ""
    assert (tmp_path / "run.html").stat().st_size > 100_000


def test_mistakes_are_messages(tmp_path: Path, market: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("from onetape.strategy.base import Strategy\n\nimport not_there\n")
    for command, code, word in (
        (["backtest", broken, "--tape", market], 1, "broken.py:3"),
        (["backtest", broken, "--tape", tmp_path / "gone"], 3, "no tape"),
        (["tape", "info", tmp_path / "gone"], 3, "no tape"),
        (["import", tmp_path / "gone.csv", "--tape", tmp_path / "a"], 3, "gone.csv"),
        (["synth", "--tape", tmp_path / "a", "--duration", "x"], 2, "'x'"),
        (["synth", "--tape", broken, "--events", "10"], 3, "is a file"),
    ):
        ran = run(*command)
        assert ran.returncode == code, ran.stderr
        assert word in ran.stderr and "Traceback" not in ran.stderr and ran.stdout == ""


def test_interrupted(tmp_path: Path, market: Path) -> None:
    strategy = tmp_path / "slow.py"
    strategy.write_text(SLOW)
    started = tmp_path / "started"
    command = [sys.executable, "-c", CODE, "backtest", str(strategy), "--tape", str(market), "--json"]
    command += ["--set", f"started={started}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if started.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        assert started.exists() and process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert json.loads(out)["exit_code"] == 130 and "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_under_the_report(tmp_path: Path, market: Path) -> None:
    """``/dev/full`` refuses every write with ENOSPC."""
    strategy = tmp_path / "mine.py"
    strategy.write_text("from onetape.strategy.base import Strategy\nclass Mine(Strategy): pass\n")
    code = (
        "from pathlib import Path; from onetape.app import whole_file;"
        "plain = Path.write_bytes; Path.write_bytes = lambda self, data: plain(Path('/dev/full'), data);" + CODE
    )
    command = [sys.executable, "-c", code, "backtest", str(strategy), "--tape", str(market)]
    ran = subprocess.run([*command, "--report", str(tmp_path / "r.html")], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 5, ran.stderr
    assert "No space left" in ran.stderr and "Traceback" not in ran.stderr
    assert list(tmp_path.glob("*.html*")) == list(tmp_path.glob(".*.tmp")) == []
