"""Synthetic markets: the same from the same seed on both builds, consistent in themselves, and like a market."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onetape.model.columns import COLUMNS, TIME_COLUMNS, Columns
from onetape.model.enums import BookFlag, Side
from onetape.model.errors import ConfigurationError, OffGridError
from onetape.model.instrument import Instrument
from onetape.sim.synth import DEFAULT_START, SynthParameters, synth, synth_many

BTC = Instrument("BTC-USDT.SIM", tick_size="0.1", lot_size="0.001")
ETH = Instrument("ETH-USDT.SIM", tick_size="0.05", lot_size="0.01", min_qty="0.02", max_qty="40")
LUMPY = Instrument("LUMP.SIM", tick_size="0.25", lot_size="5", min_qty=100, max_qty=500)
SECOND = 10**9
DAY = 86_400 * SECOND


def digest(runs: Iterable[Columns]) -> str:
    total = hashlib.sha256()
    for run in runs:
        total.update(f"{run.kind} {run.instrument.id} {run.rows} {run.trade_ids}".encode())
        for name in (*TIME_COLUMNS, *COLUMNS[run.kind]):
            total.update(run[name].tobytes())
    return total.hexdigest()


def gather(runs: Iterable[Columns], instrument: Instrument = BTC) -> dict[str, dict[str, np.ndarray]]:
    parts: dict[str, list[Columns]] = {"book": [], "trade": [], "quote": []}
    for run in runs:
        if run.instrument is instrument:
            parts[run.kind].append(run)
    return {
        kind: {name: np.concatenate([run[name] for run in found]) for name in found[0].arrays}
        for kind, found in parts.items()
        if found
    }


@cache
def market() -> dict[str, dict[str, np.ndarray]]:
    """About half an hour, made once for the tests that look at it."""
    return gather(synth(BTC, seed=11, events=250_000))


def mids(table: dict[str, dict[str, np.ndarray]], every: int) -> np.ndarray:
    quote = table["quote"]
    grid = np.arange(quote["ts_event"][0], quote["ts_event"][-1], every)
    place = np.searchsorted(quote["ts_event"], grid, side="right") - 1
    return (quote["bid"] + quote["ask"])[place] / 2 / BTC.tick_raw


def autocorrelation(values: np.ndarray, lag: int) -> float:
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred**2).mean())


# The same from the same seed


def test_same_seed_same_market_and_another_seed_another() -> None:
    first, again, other = (digest(synth(BTC, seed=seed, events=20_000)) for seed in (3, 3, 4))
    assert first == again != other


def test_both_builds_make_the_same_market() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_synth import *\n"
        "from onetape.sim import flow\n"
        "print(flow.__file__.endswith('.py'), digest(synth_many([BTC, ETH], seed=5, events=30_000)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, os.path.dirname(__file__)],  # noqa: PTH120
        env={**os.environ, "ONETAPE_PURE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert said == ["True", digest(synth_many([BTC, ETH], seed=5, events=30_000))]


def test_seed_is_pinned() -> None:
    """A seed must go on meaning the same market; change this on purpose only, and say so in the changelog."""
    assert digest(synth(BTC, seed=1, events=5_000))[:16] == "730e5e6b3b1f705f"


def test_longer_market_begins_with_the_shorter() -> None:
    short = gather(synth(BTC, seed=9, events=30_000))
    long = gather(synth(BTC, seed=9, events=90_000))
    timed = gather(synth(BTC, seed=9, duration=100 * SECOND))
    for kind in ("book", "trade", "quote"):
        for name, values in short[kind].items():
            assert (long[kind][name][: len(values)] == values).all()
        for name, values in timed[kind].items():
            assert (long[kind][name][: len(values)] == values).all()


# Consistent in itself


def replay(book: dict[str, np.ndarray], quote: dict[str, np.ndarray], instrument: Instrument) -> None:
    """Rebuild the book row by row: never empty or crossed, and each quote is its best."""
    sides: tuple[dict[int, int], ...] = ({}, {}, {})
    quotes = dict(
        zip(
            quote["sequence"].tolist(),
            zip(*(quote[name].tolist() for name in ("bid", "bid_size", "ask", "ask_size"))),
        )
    )
    shown = (0, 0, 0, 0)
    rows = zip(*(book[name].tolist() for name in ("side", "price", "size", "flags", "sequence")))
    for side, price, size, flags, sequence in rows:
        assert price > 0 and price % instrument.tick_raw == 0 and size % instrument.lot_raw == 0
        if flags & BookFlag.CLEAR:
            assert sequence == 1
        if size:
            sides[side][price] = size
        else:
            del sides[side][price]
        if flags & BookFlag.LAST:
            bid, ask = max(sides[Side.BUY]), min(sides[Side.SELL])
            assert bid < ask
            best = (bid, sides[Side.BUY][bid], ask, sides[Side.SELL][ask])
            assert quotes.pop(sequence, shown) == best
            shown = best
    assert not quotes


@pytest.mark.parametrize("instrument", [BTC, ETH, LUMPY], ids=lambda instrument: instrument.id)
@pytest.mark.parametrize(
    "parameters",
    [
        SynthParameters(),
        SynthParameters(volatility=100.0, jumps=3600.0, orders=40, burstiness=0.9),
        SynthParameters(rate=0.5, volatility=0.0, latency=0, intraday=True),
        SynthParameters(price=100, volatility=50.0, half_life=1e6, informed=1.0),
    ],
    ids=["default", "wild", "quiet", "cheap"],
)
def test_book_is_never_empty_or_crossed_and_quotes_are_its_best(
    instrument: Instrument, parameters: SynthParameters
) -> None:
    table = gather(synth(instrument, seed=2, events=25_000, parameters=parameters), instrument)
    replay(table["book"], table["quote"], instrument)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**64),
    rate=st.floats(0.01, 1e6),
    volatility=st.floats(0, 1e4),
    orders=st.integers(40, 2_000),
    order_lots=st.integers(1, 10**6),
    burstiness=st.floats(0, 0.9),
    latency=st.integers(0, 60 * SECOND),
)
def test_any_parameters_make_a_book_that_holds(
    seed: int, rate: float, volatility: float, orders: int, order_lots: int, burstiness: float, latency: int
) -> None:
    parameters = SynthParameters(
        rate=rate,
        volatility=volatility,
        orders=orders,
        order_lots=order_lots,
        burstiness=burstiness,
        latency=latency,
    )
    table = gather(synth(BTC, seed=seed, events=1_500, parameters=parameters))
    replay(table["book"], table["quote"], BTC)


def test_trades_are_what_left_the_book() -> None:
    """A trade's size leaves the level of its price, in the same frame, on the side it took from."""
    table = gather(synth(BTC, seed=6, events=30_000))
    book, trade = table["book"], table["trade"]
    taken: dict[tuple[int, int, int], int] = {}
    for seq, side, price, size in zip(*(trade[name].tolist() for name in ("seq", "side", "price", "size"))):
        key = (seq >> 16, 3 - side, price)
        taken[key] = taken.get(key, 0) + size
    sizes: dict[tuple[int, int], int] = {}
    for seq, side, price, size in zip(*(book[name].tolist() for name in ("seq", "side", "price", "size"))):
        before = sizes.get((side, price), 0)
        if (lost := taken.pop((seq >> 16, side, price), None)) is not None:
            assert before - size == lost
        sizes[side, price] = size
    assert not taken


def test_events_are_in_one_order_over_kinds() -> None:
    """Trades, then the book, then the quote of a frame; frames in order of time."""
    table = gather(synth(BTC, seed=6, events=50_000))
    places: dict[int, list[tuple[int, str]]] = {}
    for kind, columns in table.items():
        assert (np.diff(columns["ts_recv"]) >= 0).all() and (np.diff(columns["ts_event"]) >= 0).all()
        assert (np.diff(columns["seq"]) >= 0).all()
        for seq in np.unique(columns["seq"]).tolist():
            places.setdefault(seq >> 16, []).append((seq & 0xFFFF, kind))
    assert sorted(places) == list(range(len(places)))
    for found in places.values():
        kinds = [kind for _, kind in sorted(found)]
        assert [place for place, _ in sorted(found)] == list(range(len(found)))
        trades = kinds.count("trade")
        assert kinds in (["trade"] * trades + ["book"], ["trade"] * trades + ["book", "quote"])
    times = np.concatenate([columns["ts_recv"] for columns in table.values()])
    seqs = np.concatenate([columns["seq"] for columns in table.values()])
    assert (np.diff(times[np.argsort(seqs, kind="stable")]) >= 0).all()
    book = table["book"]
    updates = book["sequence"][book["flags"] & BookFlag.LAST > 0]
    assert (updates == np.arange(1, len(updates) + 1)).all()
    later = book["sequence"] > 1
    assert (book["previous_sequence"][later] == book["sequence"][later] - 1).all()
    snapshot = book["flags"] & BookFlag.SNAPSHOT > 0
    assert (snapshot == (book["sequence"] == 1)).all() and book["flags"][0] & BookFlag.CLEAR


def test_trade_ids_count_on_over_windows() -> None:
    ids = [name for run in synth(BTC, seed=1, events=120_000) if run.kind == "trade" for name in run.trade_ids or ()]
    assert ids == [str(number + 1) for number in range(len(ids))] and len(ids) > 10_000


def test_latency_is_positive_and_can_be_off() -> None:
    late = gather(synth(BTC, seed=1, events=20_000, parameters=SynthParameters(latency=5_000_000)))["trade"]
    delay = late["ts_recv"] - late["ts_event"]
    assert delay.min() >= 2_500_000 and 4_000_000 < delay.mean() < 20_000_000
    none = gather(synth(BTC, seed=1, events=20_000, parameters=SynthParameters(latency=0)))["trade"]
    assert (none["ts_recv"] == none["ts_event"]).all()


def test_length_by_events_and_by_duration() -> None:
    def count(runs: Iterable[Columns]) -> int:
        return sum(int((run["flags"] & BookFlag.LAST > 0).sum()) if run.kind == "book" else run.rows for run in runs)

    assert 0 <= count(synth(BTC, seed=1, events=12_345)) - 12_345 < 200
    assert 0 <= count(synth_many([BTC, ETH], seed=1, events=12_345)) - 12_345 < 200
    table = gather(synth(BTC, seed=1, duration=60 * SECOND, start=DAY))
    assert table["book"]["ts_event"][0] == DAY
    assert DAY + 55 * SECOND < table["book"]["ts_recv"][-1] < DAY + 60 * SECOND


def test_windows_are_bounded_and_in_order() -> None:
    runs = synth(BTC, seed=1, duration=365 * DAY)
    last = 0
    for run in islice(runs, 9):
        assert run.rows < 200_000
        if run.kind == "book":
            assert run["ts_recv"][0] >= last
        last = max(last, int(run["ts_recv"][-1]))


def test_instruments_of_one_call_move_together_and_share_one_order() -> None:
    runs = list(synth_many([BTC, ETH], seed=8, duration=900 * SECOND, correlation=0.9))
    moves = []
    for instrument in (BTC, ETH):
        quote = gather(runs, instrument)["quote"]
        grid = np.arange(DEFAULT_START + SECOND, DEFAULT_START + 899 * SECOND, 15 * SECOND)
        place = np.searchsorted(quote["ts_recv"], grid) - 1
        moves.append(np.diff(((quote["bid"] + quote["ask"]) / 2 / instrument.tick_raw)[place]))
    assert np.corrcoef(*moves)[0, 1] > 0.6
    frames = [np.unique(run["seq"] >> 16) for run in runs if run.kind == "book"]
    together = np.concatenate(frames)
    assert len(np.unique(together)) == len(together) == together.max() + 1
    for run in runs:
        grid_rows = run["size"] if "size" in run.arrays else run["bid_size"]
        assert (grid_rows % run.instrument.lot_raw == 0).all()


# Like a market


def test_spread_is_mostly_one_to_three_ticks() -> None:
    spread = (market()["quote"]["ask"] - market()["quote"]["bid"]) // BTC.tick_raw
    assert 1 <= np.median(spread) <= 3
    assert spread.max() < 200


def test_commands_come_at_the_given_rate() -> None:
    book = market()["book"]
    seconds = (book["ts_event"][-1] - book["ts_event"][0]) / SECOND
    assert 60 < book["sequence"][-1] / seconds < 150


def test_arrivals_come_in_bursts() -> None:
    """Of a Poisson process the variance of counts is their mean; of a self-exciting one, more."""
    dispersion = []
    for burstiness in (0.0, 0.6):
        parameters = SynthParameters(burstiness=burstiness, jumps=0.0, volatility=0.1)
        book = gather(synth(BTC, seed=3, events=40_000, parameters=parameters))["book"]
        first = book["ts_event"][np.flatnonzero(np.diff(book["sequence"], prepend=0))]
        counts = np.bincount((first - first[0]) // (SECOND // 4))
        dispersion.append(counts.var() / counts.mean())
    assert 0.8 < dispersion[0] < dispersion[1] / 1.5


def test_trade_signs_are_alike_for_long() -> None:
    """With a fair price that rests, so that only the splitting of orders makes it."""
    calm = SynthParameters(volatility=0.0, jumps=0.0)
    trade = gather(synth(BTC, seed=1, events=40_000, parameters=calm))["trade"]
    first = np.diff(trade["seq"] >> 16, prepend=-1) > 0
    signs = np.where(trade["side"][first] == Side.BUY, 1.0, -1.0)
    assert autocorrelation(signs, 1) > 0.2
    assert autocorrelation(signs, 10) > 0.05
    assert abs(signs.mean()) < 0.2


def test_volatility_clusters() -> None:
    parameters = SynthParameters(volatility=3.0, jumps=0.0, trend=0.0, rate=20.0)
    found = []
    for seed in (1, 2, 3):
        moves = np.abs(np.diff(mids(gather(synth(BTC, seed=seed, events=60_000, parameters=parameters)), 5 * SECOND)))
        found += [autocorrelation(moves, lag) for lag in (1, 2, 3)]
    assert np.mean(found) > 0.1


def test_moves_are_of_the_given_volatility_with_fat_tails() -> None:
    moves = np.diff(mids(market(), 10 * SECOND))
    assert 1.5 < moves.std() < 8.0
    assert ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2 > 3.5
    calm = gather(synth(BTC, seed=11, events=50_000, parameters=SynthParameters(volatility=0.0, jumps=0.0)))
    assert np.diff(mids(calm, 10 * SECOND)).std() < 1.0


def test_sizes_have_a_heavy_tail() -> None:
    sizes = market()["trade"]["size"]
    assert sizes.max() > 20 * np.median(sizes)


def test_book_opens_deep_and_stays_deep() -> None:
    sizes: dict[tuple[int, int], int] = {}
    depths = []
    for sequence, side, price, size in zip(
        *(market()["book"][name].tolist() for name in ("sequence", "side", "price", "size"))
    ):
        sizes[side, price] = size
        if not size:
            del sizes[side, price]
        if sequence % 1_000 == 2:
            depths.append(len(sizes))
    assert 80 < min(depths) <= max(depths) < 600


def test_intraday_activity_is_a_u() -> None:
    parameters = SynthParameters(rate=1.0, intraday=True)
    book = gather(synth(BTC, seed=4, duration=DAY, start=0, parameters=parameters))["book"]
    hours = np.bincount(book["ts_event"] // (3600 * SECOND), minlength=24)
    assert hours[[0, 1, 22, 23]].mean() > 1.5 * hours[[10, 11, 12, 13]].mean()


# Wrong parameters


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0.0},
        {"rate": float("nan")},
        {"volatility": -1.0},
        {"orders": 1},
        {"order_lots": 0},
        {"burstiness": 1.0},
        {"latency": -1},
    ],
)
def test_a_parameter_out_of_range_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SynthParameters(**wrong)  # type: ignore[arg-type]


def test_wrong_calls_are_refused_before_the_first_event() -> None:
    with pytest.raises(ConfigurationError, match="how long"):
        synth(BTC, seed=1)
    with pytest.raises(ConfigurationError, match="seed"):
        synth(BTC, seed=-1, events=1)
    with pytest.raises(ConfigurationError, match="twice"):
        synth_many([BTC, BTC], seed=1, events=1)
    with pytest.raises(ConfigurationError, match="correlation"):
        synth_many([BTC, ETH], seed=1, events=1, correlation=0.0)
    with pytest.raises(ConfigurationError, match="price"):
        synth(BTC, seed=1, events=1, parameters=SynthParameters(price="0.1"))
    with pytest.raises(OffGridError):
        synth(BTC, seed=1, events=1, parameters=SynthParameters(price="100.05"))
    with pytest.raises(ConfigurationError, match="do not fit"):
        synth(BTC, seed=1, events=1, parameters=SynthParameters(orders=10**6, order_lots=10**9))
