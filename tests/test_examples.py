"""The examples' results, pinned to the last digit: the same on both builds, in every run, in every way of reading.

A change that alters a result on purpose changes the pins here, and says so in the changelog.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from onetape.app.backtest import backtest
from onetape.app.result import Result
from onetape.app.strategy_file import load_strategies
from onetape.model.enums import InstrumentKind
from onetape.model.instrument import Instrument
from onetape.sim.latency import ConstantLatency
from onetape.sim.synth import SynthParameters, synth_many
from onetape.tape.catalog import Tape

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PERPETUAL = InstrumentKind.PERPETUAL
BTC = Instrument(
    "BTC-USDT-PERP.SIM",
    PERPETUAL,
    tick_size="1",
    lot_size="0.001",
    maker_fee="-0.00002",
    taker_fee="0.0002",
)
ETH = Instrument("ETH-USDT-PERP.SIM", PERPETUAL, tick_size="0.05", lot_size="0.01", taker_fee="0.0002")
MILLISECOND = 1_000_000


class Pin(NamedTuple):
    events: int
    orders: int
    fills: int
    rejected: int
    pnl: str
    fees: str
    digest: str


#: Example, its parameters, latency in ms, and what comes of it.
PINS: dict[str, tuple[dict[str, str], int, Pin]] = {
    "ema_cross": (
        {"fast": "100", "slow": "400"},
        0,
        Pin(
            21591,
            55,
            66,
            0,
            "-125.7583976",
            "130.7123976",
            "c67dd5dd4f906ce546b8f19a27597bb0e71636ecf34a56bb4f7e15d32e0df75e",
        ),
    ),
    "ema_cross_bars": (
        {"bars": "1s", "stop_atrs": "2.5"},
        0,
        Pin(
            21591,
            38,
            30,
            0,
            "-45.0000956",
            "44.3700956",
            "25d548d98fe1ffd7a0622cf599e4b2c57dcbf65b01f061aff4bf065850373612",
        ),
    ),
    "market_maker": (
        {},
        2,
        Pin(
            61305,
            1124,
            94,
            0,
            "0.30665292",
            "-1.47265292",
            "c35d7165691ed68564e0c2f977b6edbbe02bbfd0e8c590c48521f0e2702073a6",
        ),
    ),
    "pairs": (
        {"bars": "1s", "period": "30"},
        0,
        Pin(
            42804,
            58,
            82,
            0,
            "-60.9765355",
            "57.7330355",
            "c46a3dff0650ecb715c8deda5096fb9a87828f8a049901dfbbb5323d84eca8c3",
        ),
    ),
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    return make_tape(tmp_path_factory.mktemp("examples") / "pair.tape", 200_000)


def make_tape(path: Path, events: int) -> Tape:
    tape = Tape.create(path)
    parameters = [SynthParameters(price=price, rate=200.0, volatility=3.0) for price in ("60000", "3000")]
    with tape.writer() as writer:
        for columns in synth_many([BTC, ETH], seed=7, events=events, parameters=parameters):
            writer.append_columns(columns)
    return tape


def run(name: str, tape: Tape, chunk_rows: int = 65_536) -> Result:
    settings, latency, _ = PINS[name]
    strategies = load_strategies([str(EXAMPLES / f"{name}.py")], settings)
    options: dict[str, Any] = {"latency": ConstantLatency(latency * MILLISECOND, latency * MILLISECOND)}
    return backtest(strategies, tape, balances={"USDT": 100_000}, chunk_rows=chunk_rows, **options)


def pin_of(result: Result) -> Pin:
    summary = result.to_dict()
    return Pin(
        summary["events"],
        summary["orders"],
        summary["fills"],
        summary["rejected"],
        summary["pnl"].get("USDT", "0"),
        summary["fees"].get("USDT", "0"),
        summary["digest"],
    )


def test_every_example_is_pinned() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(PINS)


@pytest.mark.parametrize("name", PINS)
def test_example(name: str, market: Tape) -> None:
    result = run(name, market)
    assert result.failures == []
    assert result.illegal == 0
    assert set(result.ledger_sums.values()) <= {0}
    assert pin_of(result) == PINS[name][2]


@pytest.mark.parametrize("name", PINS)
def test_every_run_is_the_same(name: str, market: Tape) -> None:
    """Three runs, events read in chunks of 1,000 and of everything: the pinned digest."""
    for chunk_rows in (1_000, 10**9, 65_536):
        assert pin_of(run(name, market, chunk_rows)) == PINS[name][2]


@pytest.mark.parametrize("name", PINS)
def test_row_by_row(name: str, tmp_path: Path) -> None:
    """A tape that is read one row at a time gives what it gives whole."""
    tape = make_tape(tmp_path / "small.tape", 25_000)
    whole = run(name, tape)
    assert pin_of(run(name, tape, 1)) == pin_of(whole)
    assert whole.orders


def test_a_cent_makes_another_digest(market: Tape) -> None:
    """The digest is over what was decided, so it must see the smallest difference."""
    strategies = load_strategies([str(EXAMPLES / "market_maker.py")], {"size": "0.021"})
    latency = ConstantLatency(2 * MILLISECOND, 2 * MILLISECOND)
    other = backtest(strategies, market, balances={"USDT": 100_000}, latency=latency)
    assert other.digest != PINS["market_maker"][2].digest


def test_examples_are_short_and_say_what_they_show() -> None:
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text()
        assert f"onetape backtest examples/{path.name}" in text.split('"""')[1]
        code = [line for line in text.split('"""', 2)[2].splitlines() if line.strip()]
        assert len(code) <= 50, path.name
