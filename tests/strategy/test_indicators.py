"""Every indicator against values that others computed, and against its own definition."""

from __future__ import annotations

import csv
import json
import lzma
import math
import os
import pickle
import statistics
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import onetape.strategy.indicators as indicators
from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Trade
from onetape.strategy.indicators import (
    ADL,
    ADX,
    ATR,
    CCI,
    CMO,
    DEMA,
    EMA,
    HMA,
    KAMA,
    MACD,
    MFI,
    OBV,
    PPO,
    RMA,
    ROC,
    RSI,
    SMA,
    TEMA,
    TSI,
    VWAP,
    VWMA,
    WMA,
    Aroon,
    Awesome,
    Bollinger,
    ChaikinOscillator,
    Choppiness,
    Donchian,
    ForceIndex,
    Indicator,
    Keltner,
    Momentum,
    RollingVWAP,
    StdDev,
    Stochastic,
    Supertrend,
    TrueRange,
    UltimateOscillator,
    Vortex,
    WilliamsR,
)
from onetape.strategy.indicators.base import Extreme

SHARED_DATA = Path(os.environ.get("ONETAPE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
DATA = SHARED_DATA / "indicators"
Row = dict[str, float | None]
Make = Callable[[], Any]

needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no expected values at {DATA}")
ALL = [getattr(indicators, name) for name in indicators.__all__ if name not in ("BarIndicator", "Candle", "Indicator")]


def read(path: Path) -> str:
    if path.exists():
        return path.read_text(encoding="utf-8-sig")
    return lzma.open(f"{path}.xz", "rt", encoding="utf-8-sig").read()


def table(path: Path) -> list[Row]:
    """Rows of numbers by column name and by position; None where there is no number."""
    header, *lines = csv.reader(read(path).splitlines())
    rows = []
    for line in lines:
        numbers = [_number(text) for text in line]
        row: Row = {str(at): number for at, number in enumerate(numbers)}
        row.update({name.strip().lower(): number for name, number in zip(header, numbers)})
        rows.append(row)
    return rows


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def new(kind: Any) -> Any:
    try:
        return kind()
    except TypeError:
        return kind(10)


def feed(indicator: Any, row: Row) -> None:
    if isinstance(indicator, Indicator):
        indicator.update(row["close"])  # type: ignore[arg-type]
    else:
        indicator.update(row["high"], row["low"], row["close"], row.get("volume", math.nan))


def run(indicator: Any, rows: list[Row], attribute: str = "value") -> list[float | None]:
    outputs = []
    for row in rows:
        feed(indicator, row)
        outputs.append(getattr(indicator, attribute))
    return outputs


def agreement(got: list[float | None], expected: list[float | None], tolerance: float) -> tuple[int, int]:
    """How many of the expected values are met."""
    pairs = [(g, e) for g, e in zip(got, expected) if e is not None]
    met = sum(g is not None and abs(g - e) <= tolerance * max(1.0, abs(e)) for g, e in pairs)
    return met, len(pairs)


STOCK_INDICATORS: list[tuple[str, str, Make, str]] = [
    ("sma", "sma", lambda: SMA(20), "value"),
    ("smma", "smma", lambda: RMA(20), "value"),
    ("elder-ray", "ema", lambda: EMA(13), "value"),
    ("macd", "fastEma", lambda: EMA(12), "value"),
    ("macd", "slowEma", lambda: EMA(26), "value"),
    ("bb", "sma", Bollinger, "value"),
    ("bb", "upperBand", Bollinger, "upper"),
    ("bb", "lowerBand", Bollinger, "lower"),
    ("bb", "percentB", Bollinger, "percent_b"),
    ("stdev", "stdDev", lambda: StdDev(14), "value"),
    ("stdev", "mean", lambda: StdDev(14), "mean"),
    ("macd", "macd", MACD, "value"),
    ("macd", "signal", MACD, "signal"),
    ("macd", "histogram", MACD, "histogram"),
    ("stoch", "oscillator", Stochastic, "value"),
    ("stoch", "signal", Stochastic, "d"),
    ("rsi", "rsi", RSI, "value"),
    ("roc", "roc", lambda: ROC(14), "value"),
    ("roc", "momentum", lambda: Momentum(14), "value"),
    ("cmo", "cmo", CMO, "value"),
    ("atr", "atr", ATR, "value"),
    ("atr", "tr", TrueRange, "value"),
    ("donchian", "upperBand", lambda: Donchian(20, previous=True), "upper"),
    ("donchian", "lowerBand", lambda: Donchian(20, previous=True), "lower"),
    ("donchian", "centerline", lambda: Donchian(20, previous=True), "value"),
    ("starc", "centerline", lambda: Keltner(5, 2.0, 10, SMA), "value"),
    ("starc", "upperBand", lambda: Keltner(5, 2.0, 10, SMA), "upper"),
    ("starc", "lowerBand", lambda: Keltner(5, 2.0, 10, SMA), "lower"),
    ("obv", "obv", OBV, "value"),
    ("adl", "adl", ADL, "value"),
    ("chaikin-osc", "oscillator", ChaikinOscillator, "value"),
    ("force", "forceIndex", lambda: ForceIndex(2), "value"),
    ("mfi", "mfi", MFI, "value"),
    ("vwap", "vwap", VWAP, "value"),
    ("vwma", "vwma", lambda: VWMA(14), "value"),
    ("vortex", "pvi", Vortex, "plus"),
    ("vortex", "nvi", Vortex, "minus"),
    ("chop", "chop", Choppiness, "value"),
    ("uo", "ultimate", UltimateOscillator, "value"),
    ("awesome", "oscillator", Awesome, "value"),
    ("supertrend", "superTrend", Supertrend, "value"),
]


@needs_data
@pytest.mark.parametrize(("name", "field", "make", "attribute"), STOCK_INDICATORS)
def test_stock_indicators_values(name: str, field: str, make: Make, attribute: str) -> None:
    quotes = table(DATA / "Stock.Indicators" / "quotes" / "default.csv")
    results = json.loads(read(DATA / "Stock.Indicators" / "results" / f"{name}.standard.json"))
    expected = [row.get(field) for row in results]
    got = run(make(), quotes, attribute)
    met, count = agreement(got, expected, 1e-12)
    assert met == count > 440
    assert sum(value is not None for value in got) == count, "ready exactly when the source is"


@needs_data
@pytest.mark.parametrize(("name", "make", "after"), [("dema", lambda: DEMA(14), 120), ("tema", lambda: TEMA(20), 230)])
def test_stock_indicators_seed_averages_of_averages_at_once(name: str, make: Make, after: int) -> None:
    """It starts the second EMA from the first one's first value; ours waits for its period. They meet."""
    quotes = table(DATA / "Stock.Indicators" / "quotes" / "default.csv")
    results = json.loads(read(DATA / "Stock.Indicators" / "results" / f"{name}.standard.json"))
    got = run(make(), quotes)
    met, count = agreement(got[after:], [row[name] for row in results][after:], 1e-9)
    assert met == count == 502 - after


LEAN: list[tuple[str, str, Make, str, float]] = [
    ("spy_bollinger_bands.txt", "5", Bollinger, "value", 1e-6),
    ("spy_bollinger_bands.txt", "6", Bollinger, "upper", 1e-6),
    ("spy_bollinger_bands.txt", "7", Bollinger, "lower", 1e-6),
    ("spy_bollinger_bands.txt", "9", Bollinger, "percent_b", 1e-4),
    ("spy_atr.txt", "5", lambda: ATR(14, SMA), "value", 1e-5),
    ("spy_with_roc50.txt", "5", lambda: Momentum(50), "value", 2e-5),
    ("spy_with_cci.txt", "5", lambda: CCI(14), "value", 1e-3),
    ("spy_aroon_oscillator.txt", "5", lambda: Aroon(14), "value", 1e-6),
    ("spy_mfi.txt", "6", lambda: MFI(20), "value", 1e-6),
    ("spy_with_adx.txt", "16", ADX, "value", 1e-5),
    ("spy_with_adx.txt", "11", ADX, "plus", 1e-5),
    ("spy_with_adx.txt", "12", ADX, "minus", 1e-5),
    ("spy_tema.txt", "5", lambda: TEMA(5), "value", 1e-12),
    ("spy_ad.txt", "6", ADL, "value", 1e-12),
    ("spy_kama.txt", "6", lambda: KAMA(5), "value", 1e-12),
    ("spy_tr.txt", "6", TrueRange, "value", 1e-12),
    ("spy_with_ForceIndex.csv", "6", lambda: ForceIndex(20), "value", 1e-12),
    ("spy_ao.txt", "7", Awesome, "value", 1e-11),
    ("spy_tsi.csv", "5", TSI, "value", 1e-12),
    ("spy_tsi.csv", "6", TSI, "signal", 1e-12),
]


@needs_data
@pytest.mark.parametrize(("file", "column", "make", "attribute", "tolerance"), LEAN)
def test_lean_values(file: str, column: str, make: Make, attribute: str, tolerance: float) -> None:
    """To the digits that each file has."""
    rows = table(DATA / "lean" / file)
    met, count = agreement(run(make(), rows, attribute), [row.get(column) for row in rows], tolerance)
    assert met == count > 320


@needs_data
def test_lean_donchian() -> None:
    """The file's channel grows from the first bar; ours is there with the 50th."""
    rows = table(DATA / "lean" / "spy_with_don50.txt")
    for column, attribute in (("5", "upper"), ("6", "lower"), ("7", "value")):
        met, count = agreement(run(Donchian(50), rows, attribute)[49:], [row[column] for row in rows[49:]], 1e-12)
        assert met == count == 451


def typical(row: Row) -> float:
    return (row["high"] + row["low"] + row["close"]) / 3.0  # type: ignore[operator]


def mean_of_four(row: Row) -> float:
    return (row["open"] + row["high"] + row["low"] + row["close"]) / 4.0  # type: ignore[operator]


@needs_data
@pytest.mark.parametrize(
    ("file", "column", "make", "price"),
    [
        ("spy_with_keltner.csv", "7", lambda: SMA(20), typical),
        ("spy_with_vwap.txt", "6", lambda: VWMA(50), mean_of_four),
    ],
)
def test_lean_values_of_another_price(file: str, column: str, make: Make, price: Callable[[Row], float]) -> None:
    rows = table(DATA / "lean" / file)
    priced = [{**row, "close": price(row)} for row in rows]
    met, count = agreement(run(make(), priced), [row.get(column) for row in rows], 1e-6)
    assert met == count > 450


@needs_data
def test_lean_ppo_takes_simple_averages() -> None:
    rows = table(DATA / "lean" / "spy_ppo.txt")
    fast, slow = run(SMA(5), rows), run(SMA(10), rows)
    made = [None if f is None or s is None else 100.0 * (f - s) / s for f, s in zip(fast, slow)]
    met, count = agreement(made, [row["6"] for row in rows], 1e-12)
    assert met == count == 491


@needs_data
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", ["zeros", "penny", "toobig", "bad"])
def test_odd_quotes_give_finite_values(kind: Any, name: str) -> None:
    rows = table(DATA / "Stock.Indicators" / "quotes" / f"{name}.csv")
    rows = [row for row in rows if all(row.get(part) is not None for part in ("high", "low", "close", "volume"))]
    assert len(rows) > 50
    assert all(value is None or math.isfinite(value) for value in run(new(kind), rows))


NUMBERS = st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=80)


@given(numbers=NUMBERS, period=st.integers(1, 12))
def test_windows_equal_their_definition(numbers: list[float], period: int) -> None:
    sma, wma, deviation = SMA(period), WMA(period), StdDev(period)
    high, low = Extreme(period, 1), Extreme(period, -1)
    for at, x in enumerate(numbers):
        window = numbers[max(0, at - period + 1) : at + 1]
        values = (sma.update(x), wma.update(x), deviation.update(x))
        assert (high.update(x), low.update(x)) == (max(window), min(window))
        assert window[-1 - high.age] == max(window)
        if len(window) < period:
            assert values == (None, None, None)
        else:
            weights = range(1, period + 1)
            assert values == (
                pytest.approx(statistics.fmean(window)),
                pytest.approx(sum(w * n for w, n in zip(weights, window)) / sum(weights)),
                pytest.approx(statistics.pstdev(window), rel=1e-6, abs=1e-6),
            )


@given(numbers=NUMBERS)
def test_ema_from_the_first_number(numbers: list[float]) -> None:
    ema, expected = EMA(9, seed_first=True), numbers[0]
    for x in numbers:
        expected = expected + 0.2 * (x - expected)
        assert ema.update(x) == pytest.approx(expected)
    assert EMA(9, seed_first=True).update(3.0) == 3.0


def test_hull_average_of_a_straight_line_has_no_lag() -> None:
    hull = HMA(16)
    for x in range(100):
        hull.update(float(x))
    assert hull.value == pytest.approx(99.0, abs=1.0)
    assert HMA(2).update(1.0) is None


def test_williams_is_the_unsmoothed_stochastic_from_the_top() -> None:
    williams, stochastic = WilliamsR(5), Stochastic(5, 1, 1)
    for at in range(40):
        price = 100.0 + 7.0 * math.sin(at)
        williams.update(price + 1.0, price - 1.0, price)
        stochastic.update(price + 1.0, price - 1.0, price)
    assert williams.value is not None
    assert stochastic.value == pytest.approx(williams.value + 100.0)


def test_ppo_is_the_macd_in_percent() -> None:
    ppo, macd, slow = PPO(3, 5, 2), MACD(3, 5, 2), EMA(5)
    for at in range(40):
        for indicator in (ppo, macd, slow):
            indicator.update(100.0 + 7.0 * math.sin(at))
    assert ppo.value == pytest.approx(100.0 * macd.value / slow.value)  # type: ignore[operator]


def test_ready_waits_for_every_output() -> None:
    macd = MACD(2, 3, 4)
    states = []
    for x in range(8):
        macd.update(float(x))
        states.append((macd.value is not None, macd.signal is not None, macd.ready))
    assert states[2] == (True, False, False)
    assert states[5] == (True, True, True)


STOCK = Instrument("AAPL.NASDAQ", tick_size="0.01", lot_size="1")
HOUR = 3600 * 1_000_000_000


def bar(at: int, price: int, volume: int) -> Bar:
    return Bar(STOCK, "1h", price, price + 3, price - 3, price, volume, ts_open=at, ts_event=at + HOUR)


def test_bars_and_numbers_are_the_same_input() -> None:
    by_bar, by_number = MFI(3), MFI(3)
    for at in range(9):
        a_bar = bar(at, 1000 + at * at % 7, 10)
        assert by_bar.update(a_bar) == by_number.update(a_bar.high, a_bar.low, a_bar.close, a_bar.volume)
    assert by_bar.ready


def test_vwap_starts_anew_with_the_session() -> None:
    friday = 1_709_856_000 * 1_000_000_000 + 15 * HOUR
    vwap = VWAP("America/New_York 09:30-16:00")
    assert vwap.update(bar(friday, 1000, 30)) == 10.0
    assert vwap.update(bar(friday + HOUR, 2000, 10)) == 12.5
    assert vwap.update(bar(friday + 3 * 24 * HOUR, 3000, 10)) == 30.0
    assert vwap.update_trade(Trade(STOCK, 1000, 10, ts_event=friday + 3 * 24 * HOUR + 1)) == 20.0
    vwap.reset()
    assert not vwap.ready


def test_rolling_vwap_forgets() -> None:
    vwap = RollingVWAP(2)
    assert [vwap.update(bar(0, price, 10)) for price in (1000, 2000, 3000)] == [None, 15.0, 25.0]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused_and_changes_nothing(kind: Any, bad: float) -> None:
    rows: list[Row] = [
        {"close": (price := 100.0 + 9.0 * math.sin(at)), "high": price + 1, "low": price - 1, "volume": 5.0}
        for at in range(200)
    ]
    clean, tried = new(kind), new(kind)
    for at, row in enumerate(rows):
        feed(clean, row)
        if at % 50 == 1:
            with pytest.raises(NumberError, match="finite number"):
                feed(tried, {**row, "close": bad})
        feed(tried, row)
        assert clean.value == tried.value
    assert clean.ready


@pytest.mark.parametrize("kind", [ADL, MFI, OBV, VWAP, VWMA, ForceIndex, ChaikinOscillator])
def test_volume_left_out_is_an_error(kind: Any) -> None:
    with pytest.raises(NumberError, match="nan is not a finite number"):
        new(kind).update(3.0, 1.0, 2.0)


@pytest.mark.parametrize("period", [0, -1, 2.5, "14", None])
@pytest.mark.parametrize("kind", [SMA, EMA, RMA, RSI, ATR, Donchian, CCI, MFI, Vortex, Choppiness, Aroon, KAMA, HMA])
def test_a_period_is_a_whole_number(kind: Any, period: Any) -> None:
    with pytest.raises(ConfigurationError, match="whole number"):
        kind(period)


def test_macd_periods_in_order() -> None:
    with pytest.raises(ConfigurationError, match="fast period"):
        MACD(26, 12)


@pytest.mark.parametrize("kind", ALL)
def test_memory_is_bounded_and_state_can_be_saved(kind: Any) -> None:
    indicator = new(kind)

    def play(start: int, stop: int) -> None:
        for at in range(start, stop):
            price = 100.0 + 9.0 * math.sin(at)
            feed(indicator, {"close": price, "high": price + 1, "low": price - 1, "volume": 5.0})

    play(0, 500)
    tracemalloc.start()
    play(500, 1000)
    before = tracemalloc.get_traced_memory()[0]
    play(1000, 4000)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 4000
    saved = pickle.loads(pickle.dumps(indicator))
    play(4000, 4010)
    value = indicator.value
    indicator = saved
    play(4000, 4010)
    assert indicator.value == value
