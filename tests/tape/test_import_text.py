"""Columns of text to exact numbers and times, compared row by row with the exact parser."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.model.codec import iso_time
from onetape.model.enums import Side
from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.numbers import parse_raw, to_raw
from onetape.tape.importers.text import MAX_DECIMALS, Decimals, Floats, sides, times

decimal_text = st.decimals(-(10**9), 10**9, allow_nan=False, places=8).map(lambda d: f"{d:f}")
written = st.one_of(
    decimal_text,
    st.integers(-(10**16), 10**16).map(str),
    decimal_text.map(lambda text: f" +{text}" if text[0] != "-" else text + " "),
    st.decimals(0, 10**6, allow_nan=False, places=6).map(lambda d: f"{d:e}"),
    st.sampled_from(["", "abc", "nan", "inf", "-", ".", "1.2.3", "1,5", "0x10", "--1", "1e400", "\x00", "\uff11"]),
)


@given(st.lists(written, min_size=1, max_size=20), st.integers(0, 9))
def test_decimals_are_those_of_the_exact_parser(texts: list[str], precision: int) -> None:
    raw, fits, fine = Decimals(pa.array(texts)).raw(precision)
    for text, value, fit, too_fine in zip(texts, raw, fits, fine):
        try:
            expected = parse_raw(text.strip(), precision)
        except NumberError:
            assert not fit, text
            continue
        if fit:
            assert value == expected
        else:
            assert abs(expected) >= 10**18 or not text.isascii(), text
        assert not too_fine


def test_nulls_are_not_numbers() -> None:
    assert Decimals(pa.array(["1", None, "2"])).valid.tolist() == [True, False, True]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20), st.integers(0, 8))
def test_floats_stand_for_the_decimals_they_were_written_as(values: list[int], precision: int) -> None:
    floats = [value / 10**precision for value in values]
    raw, fits, fine = Floats(pa.array(floats)).raw(precision)
    assert fits.all()
    assert not fine.any()
    assert raw.tolist() == values == [to_raw(value, precision) for value in floats]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=20), st.integers(0, 6))
def test_noise_of_binary_floats_in_text_is_mended(values: list[int], precision: int) -> None:
    noisy = [format(Decimal(value / 10**precision), ".17f") for value in values]
    raw, fits, _ = Decimals(pa.array(noisy)).raw(precision)
    assert raw[fits].tolist() == [value for value, fit in zip(values, fits) if fit]
    assert fits.all()


def test_the_grid_that_numbers_need() -> None:
    assert Decimals(pa.array(["1.50", "2.25", "3", "0.1000"])).needed() == 2
    assert Decimals(pa.array(["0.00031099999999999997", "0.001"])).needed() == 3
    assert Floats(pa.array([0.5, 0.25, 3.0])).needed() == 2
    assert Floats(pa.array([0.1] * 1_000 + [1 / 3])).needed() == 1
    assert Floats(pa.array([1 / 3, 2 / 7])).needed() == MAX_DECIMALS


MOMENT = 1_723_161_255_030_314_667


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("1723161255030314667", "", MOMENT),
        ("1723161255030314", "", MOMENT // 1_000 * 1_000),
        ("1723161255030", "", MOMENT // 10**6 * 10**6),
        ("1723161255", "", MOMENT // 10**9 * 10**9),
        ("1723161255.030314667", "", MOMENT),
        ("1723161255.030314667123", "s", MOMENT),
        ("1723161255030.314667", "ms", MOMENT),
        ("1723161255", "s", MOMENT // 10**9 * 10**9),
        ("5", "ns", 5),
        ("2024-08-08T23:54:15.030314667Z", "", MOMENT),
        ("2024-08-08 23:54:15.030314667", "iso", MOMENT),
        ("2024-08-09T01:54:15.030314667+02:00", "", MOMENT),
        ("2024-08-08", "", 1_723_075_200 * 10**9),
    ],
)
def test_times(text: str, unit: str, expected: int) -> None:
    values, good = times(pa.array([text]), unit)
    assert good.tolist() == [True]
    assert values.tolist() == [expected]
    # And among rows that are no times at all.
    values, good = times(pa.array(["x", text, "", None]), unit)
    assert good.tolist() == [False, True, False, False]
    assert values[1] == expected


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_iso_times_are_read_as_they_are_written(ns: int) -> None:
    values, good = times(pa.array([iso_time(ns), "nonsense"]))
    assert good.tolist() == [True, False]
    assert values[0] == ns
    assert datetime.fromtimestamp(ns // 10**9, UTC).isoformat()[:19] == iso_time(ns)[:19]


@given(st.lists(st.text(max_size=25) | st.none(), min_size=1, max_size=10), st.sampled_from(["", "s", "ns", "iso"]))
def test_any_text_is_a_time_or_is_not(texts: list[str | None], unit: str) -> None:
    values, good = times(pa.array(texts, pa.string()), unit)
    assert len(values) == len(good) == len(texts)


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="fortnights"):
        times(pa.array(["1"]), "fortnights")


def test_sides() -> None:
    values, good = sides(pa.array(["Buy", " SELL ", "bid", "a", "", None, "north"]))
    assert values.tolist()[:6] == [Side.BUY, Side.SELL, Side.BUY, Side.SELL, Side.NONE, Side.NONE]
    assert good.tolist() == [True] * 6 + [False]
    values, good = sides(pa.array(["True", "false", "maybe"]), buyer_maker=True)
    assert values.tolist()[:2] == [Side.SELL, Side.BUY]
    assert good.tolist() == [True, True, False]
