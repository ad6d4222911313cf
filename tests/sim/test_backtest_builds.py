"""The same sessions on the compiled and the pure build, and over a change of an instrument's decimals."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sim_script import FREE, Run, Script, columns
from test_exchange_properties import MAKERS, market, play

from onetape.app.backtest import Backtest
from onetape.marketdata.feed import Feed
from onetape.model import market as market_module
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.sim.cursor import QuoteCursor
from onetape.sim.latency import ConstantLatency
from onetape.sim.market import Market
from onetape.sim.venue import VenueReports

PURE = market_module.__file__.endswith(".py")
COARSE = Instrument("GRID-USD.SIM", tick_size="0.1", lot_size="1")
FINE = Instrument("GRID-USD.SIM", tick_size="0.01", lot_size="1", version=1)
NAMES = ("ts", "bid", "bid_size", "ask", "ask_size")


def digest() -> str:
    """Of three sessions over each kind of market."""
    whole = hashlib.sha256()
    for kind in MAKERS:
        for seed, clock in enumerate(("same", "late", "skewed")):
            result = play(market(kind, seed, clock), seed, latency=ConstantLatency(seed * 2, seed * 3))
            whole.update(result.result.digest.encode())
            whole.update(repr((result.fills, result.result.pnl, result.news())).encode())
    return whole.hexdigest()


def test_both_builds_do_the_same() -> None:
    code = "import test_backtest_builds as t; print(t.PURE, t.digest())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ONETAPE_PURE": "" if PURE else "1"},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    build, other = done.stdout.split()
    if build == str(PURE):
        pytest.skip("there is only one build here")
    assert other == digest()


def test_another_number_of_decimals_empties_the_venues_book_with_its_first_row() -> None:
    first = columns("quote", NAMES, [(1000, 99, 5, 101, 5)], COARSE)
    second = columns("quote", NAMES, [(2000, 995, 0, 1005, 7)], FINE)
    venue = Market(COARSE, VenueReports(), quotes=QuoteCursor(Feed("quote", COARSE, iter([first, second]))))
    venue.catch_up(1999)
    assert venue.instrument is COARSE
    assert (venue.book.bids.levels(0), venue.book.asks.levels(0)) == (((99, 5),), ((101, 5),))
    venue.catch_up(2000)
    assert venue.instrument is FINE
    assert (venue.book.bids.levels(0), venue.book.asks.levels(0)) == ((), ((1005, 7),))


class TwoGrids:
    """A stream of two versions."""

    kind, spec, first, last = "quote", "", 1000, 3000
    instrument: Instrument | None = COARSE

    def __iter__(self) -> object:
        yield columns("quote", NAMES, [(1000, 99, 5, 101, 5), (1100, 99, 5, 101, 5)], COARSE)
        yield columns("quote", NAMES, [(2000, 995, 5, 1005, 7), (3000, 995, 5, 1005, 7)], FINE)


def test_orders_before_and_after_a_change_of_decimals() -> None:
    def trade(script: Script) -> None:
        script.buy("GRID-USD.SIM", 2)

    def leave(script: Script) -> None:
        script.close("GRID-USD.SIM")

    script = Script([(1050, trade), (1090, leave), (2500, trade)], ["quote"])
    script.instruments = (COARSE,)
    backtest = Backtest(script, [TwoGrids()], limits=FREE)  # type: ignore[list-item]
    try:
        result = Run(script, backtest, backtest.run())
    except ConfigurationError as error:
        pytest.fail(f"flat, so it should go on: {error}")
    assert [(ts, qty, px) for ts, qty, px, *_ in result.fills] == [(1050, 2, 101), (1090, -2, 99), (2500, 2, 1005)]
    assert [str(fill.last_px) for fill in result.result.fills] == ["10.1", "9.9", "10.05"]


def test_an_open_position_over_a_change_of_decimals_is_named() -> None:
    script = Script([(1050, lambda script: script.buy("GRID-USD.SIM", 2))], ["quote"])
    script.instruments = (COARSE,)
    with pytest.raises(ConfigurationError, match="version 1 has other decimals"):
        Backtest(script, [TwoGrids()], limits=FREE).run()  # type: ignore[list-item]
