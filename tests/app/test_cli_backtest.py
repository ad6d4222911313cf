"""``onetape backtest`` and ``report``: what they print, keep and exit with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from app_command import COUNTING, onetape

from onetape.app.commands import backtest as backtest_module

Write = Callable[..., Path]


def test_json_says_what_a_run_came_to(market: Path, write: Write) -> None:
    ran = onetape("backtest", write(), "--tape", market, "--set", "period=40", "--balance", "USDT=1000", "--json")
    assert ran.code == 0 and ran.err == ""
    run = ran.json
    assert run["events"] > 1_000 and run["run_s"] > 0 and run["events_per_s"] > 0
    assert run["orders"] > 10 and run["fills"] >= run["orders"] and run["rejected"] == 0
    assert re.fullmatch(r"-?\d+\.\d+", run["pnl"]["USDT"]) and re.fullmatch(r"\d+\.\d+", run["fees"]["USDT"])
    assert isinstance(run["max_drawdown"]["USDT"], str)
    assert list(run["positions"]) == ["BTC-USDT-PERP.SIM"]
    assert re.fullmatch("[0-9a-f]{64}", run["digest"])
    assert set(run["ledger_sums"].values()) == {"0"}
    (strategy,) = run["strategies"]
    assert strategy["id"] == "Counting" and strategy["parameters"]["period"] == "40"
    assert run["failures"] == []


def test_tables_for_people(market: Path, write: Write) -> None:
    ran = onetape("backtest", write(), "--tape", market)
    assert ran.code == 0
    for word in (
        "Counting",
        "period=50",
        "orders",
        "fills",
        "rejected",
        "digest",
        "P&L",
        "max drawdown",
        "position",
    ):
        assert word in ran.out


def test_settings_change_the_run(market: Path, write: Write) -> None:
    file = write()
    digests = {}
    for name, options in {
        "plain": [],
        "again": [],
        "chunks": ["--chunk-rows", 100],
        "latency": ["--latency", "5ms,1ms"],
        "fees": ["--fees", "0.0002,0.0005"],
        "end": ["--end", "2026-01-05T00:00:40"],
        "size": ["--set", "size=0.02"],
        "limits": ["--limits", "max_order_qty=0.005"],
    }.items():
        run = onetape("backtest", file, "--tape", market, "--json", *options).json
        digests[name] = run["digest"]
        if name == "limits":
            assert run["rejected"] == run["orders"] > 0 and run["fills"] == 0
        if name == "plain":
            paid = run["fees"]
        if name == "fees":
            assert run["fees"] != paid
    assert digests["plain"] == digests["again"] == digests["chunks"] == digests["fees"]
    others = [digest for name, digest in digests.items() if name not in ("again", "chunks", "fees")]
    assert len(set(others)) == len(others), digests


def test_limits_of_one_instrument(market: Path, write: Write) -> None:
    limits = "BTC-USDT-PERP.SIM:max_order_qty=0.005"
    run = onetape("backtest", write(), "--tape", market, "--json", "--limits", limits).json
    assert run["rejected"] == run["orders"]
    ran = onetape("backtest", write(), "--tape", market, "--limits", "ETH-USDT.SIM:max_order_qty=1")
    assert ran.code == 2 and "not on the tape" in ran.err


def test_several_strategies_in_one_run(market: Path, write: Write) -> None:
    one = write("one.py")
    two = write("two.py", COUNTING.replace("class Counting", "class Second"))
    ran = onetape(
        "backtest", one, two, f"{one}:Counting", "--tape", market, "--json",
        "--set", "period=100", "--set", "Second.period=70", "--set", "Counting-2.size=0.05",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = {strategy["id"]: strategy["parameters"] for strategy in ran.json["strategies"]}
    assert {name: (terms["period"], terms["size"]) for name, terms in told.items()} == {
        "Counting": ("100", "0.01"),
        "Second": ("70", "0.01"),
        "Counting-2": ("100", "0.05"),
    }


def test_a_handler_that_raises_stops_its_strategy_only(market: Path, write: Write) -> None:
    broken = write("broken.py", handle="self.buy(trade.instrument, self.size, 60000.5)")
    other = write("other.py", COUNTING.replace("class Counting", "class Other"))
    ran = onetape("backtest", broken, other, "--tape", market)
    assert ran.code == 1
    for word in ("Counting failed", "on_trade", "Trade", "OffGridError", "60000 and 60001", "broken.py:"):
        assert word in ran.out
    run = onetape("backtest", broken, other, "--tape", market, "--json").json
    (failure,) = run["failures"]
    assert failure["strategy"] == "Counting" and failure["handler"] == "on_trade" and failure["event"] == "Trade"
    assert failure["where"].endswith("self.buy(trade.instrument, self.size, 60000.5)")
    assert run["orders"] > 0, "the other strategy went on"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("import nothing_of_this_name\n", 1, ["does not import", "mine.py:1", "nothing_of_this_name"]),
        ("x = (1,\n", 1, ["mine.py:1", "SyntaxError"]),
        ("x = 1\n\ny = 1 / 0\n", 1, ["mine.py:3", "ZeroDivisionError", "y = 1 / 0"]),
        ("import sys\nsys.exit(3)\n", 1, ["mine.py:2", "SystemExit"]),
        ("x = 1\n", 2, ["no strategy"]),
        (
            COUNTING + "class Second(Counting): pass\n",
            2,
            ["several strategies", "Counting, Second", "mine.py:Counting"],
        ),
        (COUNTING.replace("self.count = 0", "self.count = {}['key']"), 1, ["on_start", "mine.py:", "KeyError"]),
        (
            COUNTING.replace("BTC-USDT-PERP.SIM", "BTC-USDT-PERP.SIN"),
            2,
            ["BTC-USDT-PERP.SIN", "BTC-USDT-PERP.SIM"],
        ),
        (COUNTING.replace("subscribe_trades(self", "subscribe_bars(self"), 1, ["TypeError", "spec"]),
        (COUNTING.replace("period: int", "period: nowhere"), 1, ["mine.py:6", "nowhere"]),
        (COUNTING.replace("period: int = 50", "period: int"), 2, ["needs a value for 'period'"]),
        (COUNTING.replace("period", "every"), 2, ["Counting.every", "Strategy"]),
        (COUNTING.replace("self.count += 1", "raise SystemExit(5)"), 1, ["sys.exit(5)"]),
        ("\x00", 1, ["mine.py"]),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_a_wrong_strategy_file(market: Path, write: Write, text: str, code: int, words: list[str]) -> None:
    ran = onetape("backtest", write(text=text), "--tape", market)
    assert ran.code == code, ran.err
    for word in words:
        assert word in ran.err
    told = onetape("backtest", write(text=text), "--tape", market, "--json").json
    assert told["exit_code"] == code and told["error"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "period=many"], ["period", "int", "many"]),
        (["--set", "priod=3"], ["priod", "did you mean 'period'"]),
        (["--set", "Other.period=3"], ["Other", "there are Counting"]),
        (["--set", "period"], ["name=value"]),
        (["--balance", "USDT"], ["name=value"]),
        (["--balance", "USDT=much"], ["much", "not a number"]),
        (["--start", "yesterday"], ["yesterday", "2026-01-05"]),
        (["--latency", "5"], ["5", "duration"]),
        (["--latency", "1ms,2ms,3ms"], ["entry,response"]),
        (["--fees", "0.1"], ["maker,taker"]),
        (["--fees", "2,3"], ["100 %"]),
        (["--limits", "max_size=3"], ["max_size", "max_order_qty"]),
        (["--limits", "max_order_qty=-3"], ["positive"]),
        (["--start", "2027-01-05"], ["no market data"]),
        (["--log-level", "loud"], ["debug, info"]),
        (["--chunk-rows", "0"], ["chunk-rows"]),
        (["--report", "."], ["folder"]),
        (["--unheard", "1"], ["unheard"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage(market: Path, write: Write, options: list[str], words: list[str]) -> None:
    ran = onetape("backtest", write(), "--tape", market, *options)
    assert ran.code == 2, ran.err
    for word in words:
        assert word in ran.err


def test_a_strategy_file_that_is_not_there(market: Path, tmp_path: Path, write: Write) -> None:
    assert onetape("backtest", tmp_path / "gone.py", "--tape", market).code == 2
    assert onetape("backtest", tmp_path, "--tape", market).code == 2
    ran = onetape("backtest", f"{write()}:Gone", "--tape", market)
    assert ran.code == 2 and "no class Gone; it has Counting" in ran.err


def test_an_interrupt_is_no_crash(market: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backtest_module, "_run", interrupted)
    ran = onetape("backtest", write(), "--tape", market)
    assert ran.code == 130 and "interrupted" in ran.err


def test_a_bug_of_ours_is_told_as_one(market: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(backtest_module, "_run", broken)
    ran = onetape("backtest", write(), "--tape", market)
    assert ran.code == 4 and "a bug" in ran.err and "report" in ran.err and "ONETAPE_DEBUG" in ran.err


def test_logs_go_to_stderr(market: Path, write: Write) -> None:
    text = COUNTING.replace("self.count = 0", "self.count = 0; self.log.info('hello [x]')")
    file = write(text=text)
    assert "hello [x]" in onetape("backtest", file, "--tape", market).err
    assert "hello" not in onetape("backtest", file, "--tape", market, "--log-level", "warning").err
    ran = onetape("backtest", file, "--tape", market, "--json")
    assert "hello" in ran.err and ran.json["orders"]


# ----------------------------------------------------------------------------------------------------- reports
def test_a_run_is_kept_and_reported(market: Path, write: Write, tmp_path: Path) -> None:
    run, direct, later = tmp_path / "deep/run.json", tmp_path / "direct.html", tmp_path / "later.html"
    ran = onetape("backtest", write(), "--tape", market, "--save", run, "--report", direct, "--json")
    assert ran.code == 0, ran.err
    kept = json.loads(run.read_text())
    assert kept["summary"]["digest"] == ran.json["digest"]
    assert len(kept["orders"]) == ran.json["orders"] and len(kept["fills"]) == ran.json["fills"]
    told = onetape("report", run, "--html", later, "--json")
    assert told.code == 0 and told.json["bytes"] == later.stat().st_size
    assert later.read_bytes() == direct.read_bytes()
    assert onetape("report", run).code == 0 and (tmp_path / "deep/run.html").exists()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 1}', "\x00\xff", '{"format": "x"}'])
def test_a_run_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(text.encode("latin1"))
    ran = onetape("report", file)
    assert ran.code == 3 and "run.json" in ran.err


def test_runs_that_cannot_be_reported(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    assert onetape("report", file).code == 3
    file.write_text('{"format": 99}')
    ran = onetape("report", file)
    assert ran.code == 3 and "format 99" in ran.err
    assert onetape("report", file, "--html", file).code == 2
