from __future__ import annotations

import importlib.util
from decimal import Decimal
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onetape.marketdata import bars as bars_module
from onetape.marketdata.bars import MAX_BARS_AT_ONCE, NEVER, BarBuilder
from onetape.model.enums import Side
from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
BTC = Instrument("BTC-USDT.TEST", tick_size="0.01", lot_size="0.001")


def build(spec: str, *trades: tuple[int, int, int, int], **options: bool) -> tuple[BarBuilder, list[Bar]]:
    """Bars of ``(ts, price, size, side)``, unfinished ones left open."""
    bars: list[Bar] = []
    builder = BarBuilder(BTC, spec, bars.append, **options)
    for ts, price, size, side in trades:
        builder.update(price, size, side, ts, ts)
    return builder, bars


def row(bar: Bar) -> tuple[int, ...]:
    return (bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw, bar.volume_raw, bar.buy_volume_raw, bar.count)


def test_time_bar_has_its_interval_and_is_closed_by_the_next_trade() -> None:
    _, bars = build("1m", (MINUTE + 5, 10, 2, 1), (MINUTE + 6, 12, 3, 2), (MINUTE + 7, 8, 4, 1), (2 * MINUTE, 9, 1, 1))
    assert [row(bar) for bar in bars] == [(10, 12, 8, 8, 9, 6, 3)]
    assert (bars[0].ts_open, bars[0].ts_event, bars[0].ts_recv) == (MINUTE, 2 * MINUTE, 2 * MINUTE)
    assert bars[0].spec == "1m"


def test_trade_at_the_boundary_belongs_to_the_next_bar() -> None:
    builder, bars = build("1m", (2 * MINUTE - 1, 10, 1, 1), (2 * MINUTE, 11, 1, 1))
    assert [bar.close_raw for bar in bars] == [10]
    assert builder.partial is not None
    assert builder.partial.ts_open == 2 * MINUTE


def test_timer_closes_on_time_and_only_once() -> None:
    builder, bars = build("1m", (5, 10, 1, 1))
    assert builder.next_close == MINUTE
    assert builder.close_until(MINUTE - 1) == 0
    assert builder.close_until(MINUTE) == 1
    assert builder.close_until(MINUTE) == 0
    assert builder.next_close == NEVER
    assert (bars[0].ts_event, bars[0].ts_recv) == (MINUTE, MINUTE)
    builder.update(11, 1, 1, 3 * MINUTE, 3 * MINUTE)
    assert builder.close_until(10 * MINUTE) == 1
    assert [bar.ts_open for bar in bars] == [0, 3 * MINUTE]


def test_empty_intervals_make_no_bar() -> None:
    _, bars = build("1s", (0, 10, 1, 1), (5 * SECOND, 10, 1, 1), (9 * SECOND, 1, 1, 1))
    assert [bar.ts_open for bar in bars] == [0, 5 * SECOND]


def test_fill_gaps_repeats_the_close_without_volume() -> None:
    builder, bars = build("1s", (0, 10, 1, 1), (3 * SECOND, 20, 1, 1), fill_gaps=True)
    assert [row(bar) for bar in bars] == [
        (10, 10, 10, 10, 1, 1, 1),
        (10, 10, 10, 10, 0, 0, 0),
        (10, 10, 10, 10, 0, 0, 0),
    ]
    assert builder.close_until(6 * SECOND) == 3
    assert [bar.ts_event // SECOND for bar in bars] == [1, 2, 3, 4, 5, 6]
    assert builder.next_close == 7 * SECOND


def test_gap_too_long_to_be_true_is_not_filled() -> None:
    builder, bars = build("1s", (0, 10, 1, 1), ((MAX_BARS_AT_ONCE + 9) * SECOND, 20, 1, 1), fill_gaps=True)
    assert (len(bars), builder.unfilled) == (1, 1)


@pytest.mark.parametrize("drop", [False, True])
def test_late_trade_is_counted_and_follows_the_policy(drop: bool) -> None:
    builder, bars = build("1m", (MINUTE, 10, 1, 1), (MINUTE - 1, 99, 5, 1), drop_late=drop)
    builder.close_until(2 * MINUTE)
    builder.update(50, 7, 1, 2 * MINUTE - 1, 2 * MINUTE + 1)
    builder.close_until(3 * MINUTE)
    assert builder.late == 2
    assert [row(bar) for bar in bars] == (
        [(10, 10, 10, 10, 1, 1, 1)] if drop else [(10, 99, 10, 99, 6, 6, 2), (50, 50, 50, 50, 7, 7, 1)]
    )
    assert [bar.ts_open for bar in bars] == ([MINUTE] if drop else [MINUTE, 2 * MINUTE])


def test_clock_by_arrival() -> None:
    bars: list[Bar] = []
    builder = BarBuilder(BTC, "1m", bars.append, use_ts_recv=True)
    builder.update(10, 1, 1, MINUTE - 5, MINUTE + 5)
    builder.close_until(2 * MINUTE)
    assert bars[0].ts_open == MINUTE


def test_tick_bars() -> None:
    builder, bars = build("3t", *[(ts, 10 + ts, 1, 1) for ts in range(7)])
    assert [(bar.ts_open, bar.ts_event, bar.count) for bar in bars] == [(0, 2, 3), (3, 5, 3)]
    assert builder.flush() == 1
    assert bars[-1].count == 1


def test_volume_bar_keeps_the_trade_that_completes_it_whole() -> None:
    _, bars = build("0.005v", (1, 10, 4, 1), (2, 11, 9, 2), (3, 12, 5, 1))
    assert [(bar.volume_raw, bar.count, bar.ts_event) for bar in bars] == [(13, 2, 2), (5, 1, 3)]


def test_volume_bars_split_exactly() -> None:
    builder, bars = build("0.005v", (1, 10, 4, 1), (2, 11, 13, 2), split=True)
    assert [(bar.volume_raw, bar.buy_volume_raw, bar.open_raw) for bar in bars] == [
        (5, 4, 10),
        (5, 0, 11),
        (5, 0, 11),
    ]
    assert builder.partial is not None
    assert builder.partial.volume_raw == 2


def test_enormous_trade_is_not_split_into_a_flood() -> None:
    builder, bars = build("0.001v", (1, 10, MAX_BARS_AT_ONCE + 1, 1), split=True)
    assert (len(bars), builder.unsplit) == (1, 1)


def test_value_bars_add_price_times_size() -> None:
    # 0.10 x 0.004 = 0.0004, 0.11 x 0.006 = 0.00066
    _, bars = build("0.001$", (1, 10, 4, 1), (2, 11, 6, 1), (3, 11, 6, 1))
    assert [(bar.volume_raw, bar.ts_event) for bar in bars] == [(10, 2)]


def test_value_is_exact_where_the_sum_passes_64_bits() -> None:
    fine = Instrument("X-Y.TEST", tick_size="0.00000001", lot_size="0.00000001")
    bars: list[Bar] = []
    builder = BarBuilder(fine, "1000$", bars.append)
    one = 10**8
    for ts in range(11):
        builder.update(100 * one, one - (ts == 0), 1, ts, ts)
    assert [bar.count for bar in bars] == [11]
    for ts in range(10):
        builder.update(100 * one, one, 1, ts, ts)
    assert [bar.count for bar in bars] == [11, 10]


def test_value_of_an_inverse_contract_is_in_the_quote_currency() -> None:
    inverse = Instrument("BTC-USD-PERP.TEST", tick_size="0.1", lot_size="1", multiplier=100, inverse=True)
    bars: list[Bar] = []
    builder = BarBuilder(inverse, "1000$", bars.append)
    for ts, size in enumerate((9, 1, 10)):
        builder.update(600_000, size, 1, ts, ts)
    assert [bar.volume_raw for bar in bars] == [10, 10]


def test_imbalance_bars_follow_the_aggressor() -> None:
    _, bars = build("2i", *[(ts, 10, 1, side) for ts, side in enumerate((1, 2, 1, 1, 2, 2))])
    assert [(bar.ts_event, bar.count) for bar in bars] == [(3, 4), (5, 2)]


def test_imbalance_bars_use_the_tick_rule_where_nobody_says() -> None:
    # none, up, same (up), and after the bar: same (up), down, down, down
    prices = (10, 11, 11, 11, 10, 9, 8)
    _, bars = build("2i", *[(ts, price, 1, 0) for ts, price in enumerate(prices)])
    assert [(bar.ts_event, bar.count) for bar in bars] == [(2, 3), (6, 4)]


@pytest.mark.parametrize(("source", "close"), [("bid", 10), ("ask", 13), ("mid", 12)])
def test_quote_bars(source: str, close: int) -> None:
    bars: list[Bar] = []
    builder = BarBuilder(BTC, f"1m:{source}", bars.append)
    builder.update_quote(Quote(BTC, 10, 13, 5, 5, ts_event=1))
    assert builder.update_quote(Quote(BTC, 10 if source == "ask" else 0, 0 if source == "ask" else 13, 0, 0)) == 0
    if source == "mid":
        assert builder.skipped == 1
    builder.close_until(MINUTE)
    assert bars[0].open_raw == close
    assert bars[0].volume_raw == 0
    assert bars[0].spec == f"1m:{source}"


@pytest.mark.parametrize(("bid", "ask", "mid"), [(10, 11, 10), (11, 12, 12), (-2, -1, -2), (-1, 0, 0), (10, 12, 11)])
def test_mid_rounds_half_to_even(bid: int, ask: int, mid: int) -> None:
    builder = BarBuilder(BTC, "1m:mid", lambda _: None)
    builder.update_quote(Quote(BTC, bid, ask, 5, 5))
    assert builder.partial is not None
    assert builder.partial.close_raw == mid


def test_session_takes_its_hours_only_and_cuts_the_last_bar() -> None:
    # 2024-03-08 (EST) and 2024-03-11 (EDT): the opening moves from 14:30 to 13:30 UTC.
    friday, monday = 1_709_856_000 * SECOND, 1_710_115_200 * SECOND
    hour = 3600 * SECOND
    before, opening = (friday + 14 * hour, 9, 1, 1), (friday + 14 * hour + 30 * MINUTE, 10, 1, 1)
    last, after = (friday + 21 * hour - 1, 11, 1, 1), (friday + 21 * hour, 12, 1, 1)
    builder, bars = build(
        "1h@America/New_York 09:30-16:00",
        *(before, opening, last, after, after),
        (monday + 13 * hour + 30 * MINUTE, 13, 1, 1),
    )
    assert builder.outside == 3
    assert [(bar.ts_open - friday, bar.ts_event - friday) for bar in bars] == [
        (14 * hour + 30 * MINUTE, 15 * hour + 30 * MINUTE),
        (20 * hour + 30 * MINUTE, 21 * hour),
    ]
    assert builder.partial is not None
    assert builder.partial.ts_open == monday + 13 * hour + 30 * MINUTE


def test_filling_stops_at_the_end_of_the_session() -> None:
    open_ = 1_709_856_000 * SECOND + 20 * 3600 * SECOND + 55 * MINUTE
    builder, bars = build("1m@America/New_York 09:30-16:00", (open_, 10, 1, 1), fill_gaps=True)
    builder.close_until(open_ + 3 * DAY)
    assert len(bars) == 5
    assert builder.next_close == NEVER


def test_week_bar_goes_on_over_the_night() -> None:
    monday = 1_710_115_200 * SECOND
    noon = 17 * 3600 * SECOND
    builder, bars = build(
        "1w@America/New_York 09:30-16:00",
        *[(monday + day * DAY + noon, 10 + day, 1, 1) for day in (0, 1, 4)],
        (monday + 7 * DAY + noon, 50, 1, 1),
    )
    assert [row(bar) for bar in bars] == [(10, 14, 10, 14, 3, 3, 3)]
    assert builder.late == 0


def test_tick_bars_end_with_their_session() -> None:
    noon = 1_710_115_200 * SECOND + 17 * 3600 * SECOND
    builder, bars = build("10t@America/New_York 09:30-16:00", (noon, 1, 1, 1), (noon + DAY, 2, 1, 1))
    assert [(bar.count, bar.ts_event) for bar in bars] == [(1, noon)]
    assert builder.update(3, 1, 1, noon + 1, noon + DAY) == 0
    assert builder.late == 1


def test_bars_from_bars_close_with_the_last_of_them() -> None:
    bars: list[Bar] = []
    builder = BarBuilder(BTC, "2m", bars.append)
    for minute, close in enumerate((11, 9, 12)):
        at = minute * MINUTE
        builder.update_bar(
            Bar(BTC, "1m", 10, 13, 8, close, 5, 2, 4, ts_open=at, ts_event=at + MINUTE, ts_recv=at + MINUTE)
        )
    assert [(row(bar), bar.ts_open, bar.ts_event, bar.ts_recv) for bar in bars] == [
        ((10, 13, 8, 9, 10, 4, 8), 0, 2 * MINUTE, 2 * MINUTE)
    ]
    with pytest.raises(ConfigurationError, match="does not fit into the 2m bar"):
        builder.update_bar(Bar(BTC, "1h", 10, 13, 8, 9, 5, ts_open=180 * SECOND, ts_event=3600 * SECOND))
    with pytest.raises(ConfigurationError, match="not made of bars"):
        BarBuilder(BTC, "5t", bars.append).update_bar(bars[0])


def test_volume_bars_from_bars() -> None:
    bars: list[Bar] = []
    builder = BarBuilder(BTC, "0.010v", bars.append)
    for minute in range(5):
        builder.update_bar(Bar(BTC, "1m", 10, 13, 8, 9, 4, ts_open=minute * MINUTE, ts_event=(minute + 1) * MINUTE))
    assert [(bar.volume_raw, bar.ts_open, bar.ts_event) for bar in bars] == [(12, 0, 3 * MINUTE)]


@pytest.mark.parametrize(("price", "size"), [(10, -1), (10, 2**62), (2**62, 1), (-(2**63), 1)])
def test_bad_numbers_are_refused_and_the_bar_stands(price: int, size: int) -> None:
    builder, bars = build("1m", (1, 10, 1, 1))
    with pytest.raises(NumberError, match=r"BTC-USDT.TEST: a (price|size) of"):
        builder.update(price, size, 1, 2, 2)
    assert builder.refused == 1
    builder.update(11, 1, 1, 3, 3)
    builder.flush()
    assert [row(bar) for bar in bars] == [(10, 11, 10, 11, 2, 2, 2)]


def test_volume_beyond_64_bits_is_refused() -> None:
    big = 2**62 - 1
    builder, bars = build("1m", (1, 10, big, 1), (2, 10, big, 1))
    with pytest.raises(NumberError):
        builder.update(10, big, 1, 3, 3)
    builder.flush()
    assert bars[0].volume_raw == 2 * big


def test_wrong_input_is_named() -> None:
    other = Instrument("ETH-USDT.TEST")
    with pytest.raises(ConfigurationError, match=r"bar of BTC-USDT.TEST was given an event of ETH-USDT.TEST"):
        BarBuilder(BTC, "1m", print).update_trade(Trade(other, 1, 1))
    with pytest.raises(ConfigurationError, match="not made of trades"):
        BarBuilder(BTC, "1m:mid", print).update_trade(Trade(BTC, 1, 1))
    with pytest.raises(ConfigurationError, match="not made of quotes"):
        BarBuilder(BTC, "1m", print).update_quote(Quote(BTC, 1, 2, 1, 1))
    with pytest.raises(ConfigurationError, match="only volume bars"):
        BarBuilder(BTC, "1m", print, split=True)
    with pytest.raises(ConfigurationError, match="only time bars"):
        BarBuilder(BTC, "5t", print, fill_gaps=True)
    with pytest.raises(NumberError, match="more than 3 decimals"):
        BarBuilder(BTC, "0.0001v", print)


def test_finer_ticks_in_the_middle_of_a_bar() -> None:
    finer = BTC.replace(tick_size="0.001", lot_size="0.0001", price_precision=3, size_precision=4)
    bars: list[Bar] = []
    builder = BarBuilder(BTC, "1m", bars.append)
    builder.update_trade(Trade(BTC, 10, 2, Side.BUY))
    builder.update_trade(Trade(finer, 101, 5, Side.SELL))
    builder.flush()
    assert [row(bar) for bar in bars] == [(100, 101, 100, 101, 25, 20, 2)]
    assert bars[0].instrument is finer


def test_coarser_ticks_close_a_bar_they_cannot_hold() -> None:
    coarser = BTC.replace(tick_size="0.1", price_precision=1)
    bars: list[Bar] = []
    builder = BarBuilder(BTC, "1m", bars.append)
    builder.update_trade(Trade(BTC, 11, 2))
    builder.update_trade(Trade(coarser, 1, 5))
    builder.flush()
    assert [(bar.close, bar.volume_raw) for bar in bars] == [(0.11, 2), (0.1, 5)]
    assert builder.cut == 1


@pytest.mark.parametrize("spec", ["0.010v", "0.002$"])
def test_threshold_survives_a_change_of_decimals(spec: str) -> None:
    finer = BTC.replace(tick_size="0.001", lot_size="0.0001", price_precision=3, size_precision=4)
    _, expected = build(spec, *[(ts, 10, 3, 1) for ts in range(30)])
    bars: list[Bar] = []
    builder = BarBuilder(BTC, spec, bars.append)
    for ts in range(30):
        builder.update_trade(Trade(BTC, 10, 3, ts_event=ts) if ts < 13 else Trade(finer, 100, 30, ts_event=ts))
    assert [(bar.count, bar.volume) for bar in bars] == [(bar.count, bar.volume) for bar in expected]


TRADES = st.lists(
    st.tuples(
        st.integers(0, 200 * SECOND),
        st.integers(-50, 50),
        st.integers(0, 30),
        st.sampled_from([0, 1, 2]),
    ),
    max_size=60,
)
SPECS = st.sampled_from(
    [
        "1s",
        "7s",
        "1m",
        "1d",
        "1M",
        "4t",
        "0.025v",
        "0.01$",
        "3i",
        "1m@Asia/Kolkata 05:31-05:33",
        "5t@UTC 00:00-00:02",
    ]
)


@given(trades=TRADES, spec=SPECS, ordered=st.booleans())
def test_bars_partition_the_trades(trades: list[tuple[int, int, int, int]], spec: str, ordered: bool) -> None:
    if ordered:
        trades = sorted(trades)
    builder, bars = build(spec, *trades)
    builder.flush()
    assert sum(bar.count for bar in bars) + builder.outside == len(trades)
    if builder.outside == 0:
        assert sum(bar.volume_raw for bar in bars) == sum(size for _, _, size, _ in trades)
        assert sum(bar.buy_volume_raw for bar in bars) == sum(size for _, _, size, side in trades if side == 1)
    for bar in bars:
        assert bar.low_raw <= min(bar.open_raw, bar.close_raw) <= max(bar.open_raw, bar.close_raw) <= bar.high_raw
        assert bar.ts_open <= bar.ts_event
        assert bar.count > 0
    ends = [bar.ts_event for bar in bars]
    assert ends == sorted(ends)
    if spec[-1] in "smdM":
        assert all(later.ts_open >= earlier.ts_event for earlier, later in pairwise(bars))
    if ordered:
        assert builder.late == 0


@given(trades=TRADES)
def test_split_volume_bars_are_all_of_the_same_size(trades: list[tuple[int, int, int, int]]) -> None:
    builder, bars = build("0.007v", *trades, split=True)
    assert all(bar.volume_raw == 7 for bar in bars)
    rest = builder.partial.volume_raw if builder.partial else 0
    assert 7 * len(bars) + rest == sum(size for _, _, size, _ in trades)


@given(trades=TRADES, spec=st.sampled_from(["1s", "3s", "1m"]), timers=st.lists(st.integers(0, 200 * SECOND)))
def test_timers_do_not_change_the_bars(trades: list[tuple[int, int, int, int]], spec: str, timers: list[int]) -> None:
    _, expected = build(spec, *sorted(trades), (300 * SECOND, 1, 1, 1), fill_gaps=True)
    bars: list[Bar] = []
    builder = BarBuilder(BTC, spec, bars.append, fill_gaps=True)
    events: list[tuple[int, ...]] = [*trades, (300 * SECOND, 1, 1, 1), *((ts,) for ts in timers)]
    for ts, *trade in sorted(events):
        if trade:
            builder.update(*trade, ts, ts)
        else:
            builder.close_until(ts)
    assert [(row(bar), bar.ts_open, bar.ts_event) for bar in bars] == [
        (row(bar), bar.ts_open, bar.ts_event) for bar in expected
    ]


@pytest.fixture(scope="module")
def pure() -> ModuleType:
    """The same source, uncompiled."""
    path = str(bars_module.__file__).partition(".cpython")[0].removesuffix(".py") + ".py"
    spec = importlib.util.spec_from_file_location("pure_bars", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(max_examples=200)
@given(
    trades=TRADES,
    spec=SPECS,
    drop_late=st.booleans(),
    use_ts_recv=st.booleans(),
    prices=st.sampled_from([1, 10**12]),
    sizes=st.sampled_from([1, 10**12]),
)
def test_pure_and_compiled_agree(
    pure: ModuleType, trades: list[tuple[int, int, int, int]], spec: str, prices: int, sizes: int, **options: bool
) -> None:
    results: list[Any] = []
    for module in (pure, bars_module):
        bars: list[Bar] = []
        builder = module.BarBuilder(BTC, spec, bars.append, **options)
        for ts, price, size, side in trades:
            builder.update(price * prices, size * sizes, side, ts, ts + size)
        results.append((bars, builder.partial, builder.late, builder.outside, builder.next_close))
    assert results[0] == results[1]


@given(
    spec=st.sampled_from(["0.025v", "10000000000000.01$"]),
    trades=st.lists(st.tuples(st.integers(1, 2**50), st.integers(1, 2**50)), max_size=40),
)
def test_value_bars_equal_exact_arithmetic(spec: str, trades: list[tuple[int, int]]) -> None:
    _, bars = build(spec, *[(ts, price, size, 1) for ts, (price, size) in enumerate(trades)])
    threshold, filled, ends = Decimal(spec[:-1]), Decimal(0), []
    for ts, (price, size) in enumerate(trades):
        filled += (Decimal(price) / 100 if "$" in spec else 1) * Decimal(size) / 1000
        if filled >= threshold:
            ends.append(ts)
            filled = Decimal(0)
    assert [bar.ts_event for bar in bars] == ends
