"""A market maker over the real BTCUSDT capture: level 2 with trades, and what happens when the book is not whole."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from onetape.app.backtest import Backtest
from onetape.app.result import Result
from onetape.model import market as market_module
from onetape.model.enums import Health, Liquidity
from onetape.model.system import StreamHealth
from onetape.sim.latency import ConstantLatency
from onetape.strategy.base import Strategy
from onetape.tape.catalog import Tape
from onetape.tape.importers.import_file import import_file

ROOT = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("ONETAPE_SHARED_DATA", ROOT.parent / "shared" / "data"))
CAPTURE = SHARED_DATA / "hftbacktest" / "usdm" / "btcusdt_20240808.gz"
MAKER = ROOT / "examples" / "market_maker.py"
PURE = market_module.__file__.endswith(".py")
MS = 1_000_000

pytestmark = pytest.mark.skipif(not CAPTURE.exists(), reason=f"{CAPTURE} is not here")


def maker_class() -> type[Strategy]:
    spec = importlib.util.spec_from_file_location("market_maker", MAKER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[Strategy] = module.MarketMaker
    return found


def watched() -> type[Any]:
    class Watched(maker_class()):  # type: ignore[misc]
        """The example, and a witness of the book's health and shape at each order."""

        def on_start(self) -> None:
            super().on_start()
            self.states: list[tuple[int, str]] = []
            self.sent: list[tuple[int, str, bool]] = []
            self.subscribe(StreamHealth, self.market)
            self.subscribe_trades(self.market)

        def on_event(self, event: Any) -> None:
            self.states.append((event.ts_recv, event.health.name))
            if event.health is not Health.LIVE:
                self.cancel_all()

        def on_order(self, report: Any) -> None:
            state = self._context.kernel.states.get(self.market.index)
            if report.exec_type.name == "NEW":
                self.sent.append((report.ts_event, Health(state.health).name, self.depth.crossed))

    return Watched


def play(tape: Path, size: float = 0.02, chunk_rows: int = 65_536) -> tuple[Backtest, Result, Any]:
    opened = Tape(tape)
    (instrument_id,) = opened.instruments
    strategy = watched()(instrument_id=instrument_id, size=size, id="maker")
    latency = ConstantLatency(2 * MS, 2 * MS)
    backtest = Backtest(strategy, opened, latency=latency, chunk_rows=chunk_rows, balances={"USDT": 100_000})
    return backtest, backtest.run(), strategy


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "tape"
    import_file(CAPTURE, Tape.create(path), format="binance-frames", market="usdm")
    return path


def check(backtest: Backtest, result: Result) -> None:
    assert result.failures == [] and result.illegal == 0
    assert not any(result.ledger_sums.values())
    for order in result.orders:
        assert sum(fill.last_qty_raw for fill in result.fills if fill.order is order) == order.cum_qty_raw
    for state in backtest.kernel.states:
        market = backtest.exchange.market(state.instrument)
        assert market is not None and market.position_raw == state.position_raw


def healths(strategy: Any) -> list[tuple[int, str]]:
    return [item for item in strategy.states if item[1] in ("LIVE", "GAPPED", "CROSSED", "SYNCING")]


@pytest.mark.slow
def test_a_market_maker_over_the_capture(tape: Path) -> None:
    backtest, result, strategy = play(tape)
    check(backtest, result)
    reasons = Counter(fill.reason_type.name for fill in result.fills)
    summary = result.to_dict()
    print(json.dumps({**{k: v for k, v in summary.items() if k != "failures"}, "reasons": reasons}, default=str))
    assert len(result.fills) > 50
    assert reasons["TRADED_THROUGH"] and reasons["QUEUE_EXHAUSTED"]
    assert all(fill.reason.split()[-1].replace(".", "").isdigit() for fill in result.fills)
    assert all(fill.liquidity is Liquidity.MAKER for fill in result.fills)
    assert {state for _, state, _ in strategy.sent} == {"LIVE"}
    assert not any(crossed for _, _, crossed in strategy.sent)
    live = min(ts for ts, state in healths(strategy) if state == "LIVE")
    assert (
        min(order.ts_created for order in result.orders if order.order_id or order.ord_status.name != "REJECTED")
        >= live
    )
    for rows in () if PURE else (1_000, 7_777):
        assert play(tape, chunk_rows=rows)[1].digest == result.digest


@pytest.mark.slow
def test_after_a_lost_update_nothing_is_traded(tmp_path: Path) -> None:
    """One depth frame is missing, and no snapshot comes again: no order goes out after it, and those that were at
    the venue are canceled. Until the cancel arrives, trades may fill them; the book does nothing any more."""
    lines = gzip.decompress(CAPTURE.read_bytes()).splitlines(keepends=True)
    depth = [i for i, line in enumerate(lines) if b"depthUpdate" in line]
    lost = depth[len(depth) // 2]
    damaged = tmp_path / "lost.gz"
    damaged.write_bytes(gzip.compress(b"".join(lines[:lost] + lines[lost + 1 :]), 1))
    import_file(damaged, Tape.create(tmp_path / "tape"), format="binance-frames", market="usdm")
    backtest, result, strategy = play(tmp_path / "tape")
    check(backtest, result)
    gapped = [ts for ts, state in healths(strategy) if state == "GAPPED"]
    assert gapped and healths(strategy)[-1][1] == "GAPPED"
    passed = [order for order in result.orders if order.ord_status.name != "REJECTED"]
    assert passed and max(order.ts_created for order in passed) < gapped[0]
    refused = [order for order in result.orders if order.ord_status.name == "REJECTED" and order.ts_created > gapped[0]]
    assert refused and all("GAPPED" in order.text for order in refused)
    assert all(fill.ts_event <= gapped[0] + 2 * MS for fill in result.fills)
    after = {fill.reason_type.name for fill in result.fills if fill.ts_event > gapped[0]}
    assert after <= {"TRADED_THROUGH", "QUEUE_EXHAUSTED"}
    assert result.fills and not any(order.is_open for order in result.orders)


@pytest.mark.slow
def test_the_other_build_gives_the_same_digest(tape: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_backtest_capture as t; from pathlib import Path;"
        "print(t.PURE, t.play(Path(sys.argv[2]))[1].digest)"
    )
    digests = {}
    for pure in ("", "1"):
        environment = {**os.environ, "ONETAPE_PURE": pure}
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent), str(tape)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
        build, digest = done.stdout.split()
        digests[build] = digest
    assert len(set(digests.values())) == 1
