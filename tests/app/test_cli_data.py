"""``onetape import``, ``synth`` and ``tape``: what they print and exit with."""

from __future__ import annotations

import errno
import gzip
import json
import shutil
from pathlib import Path

import pytest
from app_command import onetape

from onetape.tape import writer as writer_module

ROWS = "ts,price,size,side\n1723118401000,61659.7,0.5,buy\n1723118402000,61659.8,0.25,sell\n"
INSTRUMENT = "BTC-USDT.BINANCE,tick_size=0.1,lot_size=0.01"


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    file = tmp_path / "trades.csv"
    file.write_text(ROWS)
    return file


# ------------------------------------------------------------------------------------------------------ import
def test_a_file_is_imported_once(tmp_path: Path, trades: Path) -> None:
    tape = tmp_path / "a.tape"
    for already in (False, True):
        ran = onetape("import", trades, "--tape", tape, "--instrument", INSTRUMENT, "--json")
        assert ran.code == 0, ran.err
        (report,) = ran.json["files"]
        assert report["already_imported"] is already
        assert report["events"] == ({} if already else {"trade": 2})
    info = onetape("tape", "info", tape, "--json").json
    assert [(stream["kind"], stream["rows"]) for stream in info["streams"]] == [("trade", 2)]
    assert "2 trade" in onetape("import", trades, "--tape", tmp_path / "b", "--instrument", INSTRUMENT).out


def test_rows_left_out_are_named(tmp_path: Path, trades: Path) -> None:
    trades.write_text(
        ROWS + "1723118403000,61659.85,0.5,buy\n1723118404000,nothing,0.5,buy\n1723118405000,61659.9,1,buy\n"
    )
    ran = onetape("import", trades, "--tape", tmp_path / "a.tape", "--instrument", INSTRUMENT)
    assert ran.code == 1
    assert "3 trade" in ran.out and "trades.csv:4" in ran.out and "trades.csv:5" in ran.out
    assert onetape("tape", "info", tmp_path / "a.tape", "--json").json["rows"] == 3


def test_a_mapping_of_columns(tmp_path: Path, trades: Path) -> None:
    trades.write_text(ROWS.replace("ts,price,size,side", "when,px,qty,who"))
    mapping = "ts=when,price=px,size=qty,side=who"
    ran = onetape("import", trades, "--tape", tmp_path / "a", "--instrument", INSTRUMENT, "--map", mapping, "--json")
    assert ran.code == 0 and ran.json["files"][0]["events"] == {"trade": 2}


def test_a_truncated_gzip_gives_what_it_has(tmp_path: Path) -> None:
    rows = ROWS + "".join(
        f"{1723118403000 + i},6165{i % 10}.5,{1 + i * 7919 % 1000}.{i % 100:02d},buy\n" for i in range(5_000)
    )
    file = tmp_path / "trades.csv.gz"
    packed = gzip.compress(rows.encode())
    file.write_bytes(packed[: len(packed) // 2])
    ran = onetape("import", file, "--tape", tmp_path / "a.tape", "--instrument", INSTRUMENT, "--json")
    assert ran.code == 1
    (report,) = ran.json["files"]
    assert report["truncated"] and 500 < report["events"]["trade"] < 5_000


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--instrument", "BTC-USDT.BINANCE"], 2, ["grid", "tick_size"]),
        (["--instrument", "BTC-USDT.BINANCE,tick=1"], 2, ["'tick'", "tick_size"]),
        (["--instrument", "BTC-USDT.BINANCE,tick_size=x,lot_size=1"], 2, ["'x'", "not a number"]),
        (["--instrument", "BTC-USDT.BINANCE,tick_size=1,lot_size=0"], 2, ["positive"]),
        (["--instrument", "BTC,tick_size=1,lot_size=1"], 2, ["BTC"]),
        (["--instrument", INSTRUMENT + ",kind=house"], 2, ["house", "perpetual"]),
        (["--format", "xml"], 2, ["xml", "binance-frames"]),
        (["--map", "price"], 2, ["name=value"]),
        (["--map", "price=nowhere"], None, ["nowhere"]),
    ],
)
def test_import_wrong_usage(
    tmp_path: Path, trades: Path, options: list[str], code: int | None, words: list[str]
) -> None:
    ran = onetape("import", trades, "--tape", tmp_path / "a.tape", *options)
    assert ran.code == code or (code is None and ran.code in (2, 3))
    for word in words:
        assert word in ran.err


def test_files_that_are_none(tmp_path: Path) -> None:
    ran = onetape("import", tmp_path / "gone.csv", "--tape", tmp_path / "a.tape")
    assert ran.code == 3 and "no such file" in ran.err and not (tmp_path / "a.tape").exists()
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    ran = onetape("import", tmp_path / "noise", "--tape", tmp_path / "a.tape", "--json")
    assert ran.code == 2 and "noise" in ran.json["error"], "how to read it has to be said"


# ------------------------------------------------------------------------------------------------------- synth
def test_a_seed_is_a_market(tmp_path: Path) -> None:
    made = {}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        ran = onetape("synth", "--tape", tmp_path / name, "--seed", seed, "--events", 3_000, "--json")
        assert ran.code == 0 and sum(ran.json["events"].values()) >= 3_000
        info = onetape("tape", "info", tmp_path / name, "--json").json
        made[name] = [(stream["kind"], stream["rows"], stream["last"]) for stream in info["streams"]]
    assert made["a"] == made["b"] != made["c"]


def test_the_same_market_twice_and_another_over_it(tmp_path: Path) -> None:
    command = ["synth", "--tape", tmp_path / "a", "--events", 500]
    assert onetape(*command).code == 0
    before = onetape("tape", "info", tmp_path / "a", "--json").out
    again = onetape(*command, "--json")
    assert again.code == 0 and again.json["already_made"] is True
    assert onetape("tape", "info", tmp_path / "a", "--json").out == before
    other = onetape(*command, "--seed", 2)
    assert other.code == 2 and "already" in other.err


def test_two_markets_that_move_together(tmp_path: Path) -> None:
    ran = onetape(
        "synth", "--tape", tmp_path / "a", "--duration", "20s", "--start", "2026-02-01T12:00", "--price", 50_000,
        "--price", 2_000, "--instrument", "BTC-USDT.SIM,tick_size=1,lot_size=0.01",
        "--instrument", "ETH-USDT.SIM,tick_size=0.1,lot_size=0.1", "--set", "orders=200", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["instruments"] == ["BTC-USDT.SIM", "ETH-USDT.SIM"]
    begin = 1_769_947_200 * 10**9
    assert begin <= ran.json["first"] < ran.json["last"] <= begin + 20 * 10**9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--duration", "soon"], "'soon'"),
        (["--rate", "-1"], "rate is -1"),
        (["--set", "mood=3"], "mood"),
        (["--set", "orders=many"], "orders=many"),
        (["--price", "cheap"], "'cheap'"),
        (["--price", "1", "--price", "2"], "2 times for 1"),
        (["--seed", "-1"], "--seed"),
        (["--correlation", "7"], "correlation is 7"),
        (["--instrument", "BTC-USDT.SIM"], "tick_size"),
        (["--start", "never"], "'never'"),
    ],
)
def test_synth_wrong_usage(tmp_path: Path, options: list[str], words: str) -> None:
    ran = onetape("synth", "--tape", tmp_path / "a", "--events", "100", *options)
    assert ran.code == 2 and words in ran.err


# -------------------------------------------------------------------------------------------------------- tape
def test_info_and_check_of_a_good_tape(market: Path) -> None:
    ran = onetape("tape", "info", market)
    assert ran.code == 0
    for word in ("book", "quote", "trade", "BTC-USDT-PERP.SIM", "perpetual", "from synth"):
        assert word in ran.out
    assert onetape("tape", "check", market).code == 0
    assert onetape("tape", "check", market, "--json").json["findings"] == []


def test_check_finds_damage(market: Path, tmp_path: Path) -> None:
    tape = tmp_path / "copy.tape"
    shutil.copytree(market, tape)
    part = next(tape.rglob("trade/**/*.parquet"))
    part.write_bytes(part.read_bytes()[:-100])
    ran = onetape("tape", "check", tape)
    assert ran.code == 1 and "damaged" in ran.out and part.name in ran.out
    (finding,) = onetape("tape", "check", tape, "--json").json["findings"]
    assert finding["kind"] == "damaged"


def test_tapes_that_do_not_open(market: Path, tmp_path: Path) -> None:
    strategy = tmp_path / "mine.py"
    strategy.write_text("from onetape.strategy.base import Strategy\nclass Mine(Strategy): pass\n")
    half, newer, damaged = tmp_path / "half", tmp_path / "newer", tmp_path / "damaged"
    for folder in (half, newer, damaged):
        shutil.copytree(market, folder)
    (half / "tape.json").unlink()
    manifest = json.loads((newer / "tape.json").read_text())
    (newer / "tape.json").write_text(json.dumps({**manifest, "format": 99}))
    (damaged / "tape.json").write_text(json.dumps(manifest)[:300])
    for folder, word in (
        (tmp_path / "gone", "no tape"),
        (half, "not finished"),
        (newer, "format 99"),
        (damaged, "damaged"),
        (strategy, "is a file"),
    ):
        for command in (
            ["tape", "info"],
            ["tape", "check"],
            ["backtest", strategy, "--tape"],
        ):
            ran = onetape(*command, folder)
            assert ran.code == 3 and word in ran.err, (command, ran.err)


def test_a_part_that_is_gone_ends_a_backtest(market: Path, tmp_path: Path) -> None:
    tape = tmp_path / "copy.tape"
    shutil.copytree(market, tape)
    next(tape.rglob("trade/**/*.parquet")).unlink()
    strategy = tmp_path / "mine.py"
    strategy.write_text(
        "from onetape.strategy.base import Strategy\n"
        "class Mine(Strategy):\n    def on_start(self): self.subscribe_trades('BTC-USDT-PERP.SIM')\n"
    )
    ran = onetape("backtest", strategy, "--tape", tape)
    assert ran.code == 3 and "trade/BTC-USDT-PERP.SIM" in ran.err


def test_a_full_disk_is_told_and_harmless(tmp_path: Path, trades: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tape = tmp_path / "a.tape"
    assert onetape("import", trades, "--tape", tape, "--instrument", INSTRUMENT).code == 0
    before = onetape("tape", "info", tape, "--json").out
    trades.write_text(ROWS + "1723118409000,61659.9,1,buy\n")
    with monkeypatch.context() as patched:
        patched.setattr(writer_module, "sync", full)
        ran = onetape("import", trades, "--tape", tape, "--instrument", INSTRUMENT)
        assert ran.code == 5 and "the disk is full" in ran.err
        assert onetape("synth", "--tape", tmp_path / "b.tape", "--events", 500).code == 5
    assert onetape("tape", "info", tape, "--json").out == before
    assert onetape("import", trades, "--tape", tape, "--instrument", INSTRUMENT).code == 0
