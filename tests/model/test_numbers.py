"""Numbers against ``decimal`` and ``fractions``: exact ways in and out, and a clear word for what is not a number."""

from __future__ import annotations

import math
import time
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onetape.model.errors import NumberError, OffGridError
from onetape.model.numbers import (
    MONEY_ONE,
    RAW_MAX,
    divide_half_even,
    format_money,
    format_raw,
    money,
    money_to_float,
    parse_raw,
    product,
    shorten,
    to_decimal,
    to_float,
    to_raw,
)

raws = st.integers(-RAW_MAX, RAW_MAX)
precisions = st.integers(0, 18)


@given(raws, precisions)
def test_text_round_trips(raw: int, precision: int) -> None:
    text = format_raw(raw, precision)
    assert Decimal(text) == Decimal(raw).scaleb(-precision, Context(prec=60))
    assert parse_raw(text, precision) == raw
    assert to_raw(text, precision) == raw
    assert to_raw(Decimal(text), precision) == raw
    assert to_decimal(raw, precision) == Decimal(text)
    assert str(to_decimal(raw, precision)) in (text, str(Decimal(text)))


@given(
    st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    precisions,
)
@example("0e-999", 2)
@example("0e999999999", 2)
@example("-0.00", 0)
@example("1." + "0" * 300, 3)
@example("0" * 300 + "1", 3)
def test_every_plain_decimal_reads_as_decimal_does(text: str, precision: int) -> None:
    exact = Fraction(Decimal(text)) * 10**precision
    if exact.denominator == 1 and abs(exact) <= RAW_MAX:
        assert parse_raw(text, precision) == exact
    else:
        with pytest.raises(NumberError):
            parse_raw(text, precision)


@given(st.text(max_size=12) | st.text("0123456789.+-eE_ ", max_size=12), precisions)
def test_any_text_is_a_number_or_a_number_error(text: str, precision: int) -> None:
    try:
        raw = parse_raw(text, precision)
    except NumberError as error:
        assert str(error)
    else:
        assert text.isascii()
        assert not set(text) - set("0123456789.+-eE")
        assert Fraction(Decimal(text)) * 10**precision == raw


NOT_NUMBERS = ["", " ", ".", "-", "+", "--1", "+-1", "1-", "1.2.3", "1_0", " 1", "1 ", "1\n", "١٢", "１", "0x10"]
NOT_NUMBERS += ["nan", "inf", "-Infinity", "1e", "e5", "1e5.5", "1,000", "None", "\0"]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_what_python_might_take_for_a_number_and_we_do_not(text: str) -> None:
    for read in (lambda: parse_raw(text, 2), lambda: to_raw(text, 2), lambda: money(text)):
        with pytest.raises(NumberError, match="is not a decimal number"):
            read()


@pytest.mark.parametrize("text", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 100_000, "0." + "1" * 100_000])
def test_giants_are_refused_at_once(text: str) -> None:
    began = time.perf_counter()
    for read in (lambda: parse_raw(text, 8), lambda: money(text), lambda: to_raw(text, 8)):
        with pytest.raises(NumberError) as caught:
            read()
        assert len(str(caught.value)) < 250
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "value", [Decimal("1e999999999"), Decimal("1e-999999999"), 10**10_000, 1e308, 5e-324], ids=range(5)
)
def test_giants_that_are_numbers_already(value: object) -> None:
    with pytest.raises(NumberError):
        to_raw(value, 8)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("-Inf")])
def test_numbers_that_are_not_finite(value: object) -> None:
    for read in (lambda: to_raw(value, 2), lambda: money(value)):  # type: ignore[arg-type]
        with pytest.raises(NumberError):
            read()


@pytest.mark.parametrize("value", [None, [], b"1", object(), 1j])
def test_what_is_no_kind_of_number(value: object) -> None:
    for read in (lambda: to_raw(value, 2), lambda: money(value)):  # type: ignore[arg-type]
        with pytest.raises(NumberError, match="give an int, float, str or Decimal"):
            read()


def test_numpy_numbers_are_numbers() -> None:
    assert to_raw(np.int64(5), 2) == to_raw(np.float64(5.0), 2) == to_raw(np.uint8(5), 2) == 500
    assert to_raw(np.float64(1e16), 0) == 10**16
    with pytest.raises(OffGridError, match="the nearest are 0.00 and 0.01"):
        to_raw(np.float64(0.005), 2)
    assert money(np.int64(5)) == money(np.float64(5.0)) == 5 * MONEY_ONE


@pytest.mark.parametrize(("text", "nearest"), [("1.005", "1.00 and 1.01"), ("-1.005", "-1.01 and -1.00")])
def test_off_grid_names_the_nearest_two(text: str, nearest: str) -> None:
    for value in (text, Decimal(text), float(text)):
        with pytest.raises(OffGridError, match=f"the nearest are {nearest}"):
            to_raw(value, 2)


@given(raws, precisions)
def test_float_view_is_the_nearest_double(raw: int, precision: int) -> None:
    assert to_float(raw, precision) == float(Fraction(raw, 10**precision))


@given(st.integers(2**53 - 3, 2**53 + 3) | st.integers(2**53, 2**63 - 1), st.sampled_from([-1, 1]), precisions)
def test_float_view_beyond_the_doubles_exact_integers(raw: int, sign: int, precision: int) -> None:
    assert to_float(sign * raw, precision) == float(Fraction(sign * raw, 10**precision))


@given(st.integers(-(10**14), 10**14), st.integers(0, 10))
def test_a_float_is_the_decimal_it_was_meant_to_be(raw: int, precision: int) -> None:
    value = to_float(raw, precision)
    assert to_raw(value, precision) == raw
    for near in (math.nextafter(value, math.inf), math.nextafter(value, -math.inf)):
        if abs(raw) > 10:
            assert to_raw(near, precision) == raw


def test_float_arithmetic_within_four_units_is_forgiven_and_no_more() -> None:
    assert to_raw(0.1 + 0.2, 1) == 3
    assert to_raw(61659.7 - 0.1, 1) == 616596
    value = 100.1
    for _ in range(3):
        value = math.nextafter(value, math.inf)
    assert to_raw(value, 1) == 1001
    for _ in range(20):
        value = math.nextafter(value, math.inf)
    with pytest.raises(OffGridError):
        to_raw(value, 1)


@given(st.floats(allow_nan=False, allow_infinity=False), precisions)
def test_any_float_is_near_its_raw_or_refused(value: float, precision: int) -> None:
    try:
        raw = to_raw(value, precision)
    except NumberError:
        return
    assert abs(Fraction(value) - Fraction(raw, 10**precision)) <= 5 * Fraction(math.ulp(value))


@given(st.integers(-(10**60), 10**60), st.integers(1, 10**30))
def test_divide_half_even(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert divide_half_even(numerator, denominator) == round(exact)
    with localcontext(Context(prec=120)):
        quotient = Decimal(numerator) / Decimal(denominator)
        if Fraction(quotient) == exact:
            assert divide_half_even(numerator, denominator) == int(quotient.to_integral_value(ROUND_HALF_EVEN))


@given(st.integers(-(10**40), 10**40))
def test_money_text_round_trips(amount: int) -> None:
    text = format_money(amount)
    assert Fraction(text) == Fraction(amount, MONEY_ONE)
    assert not text.endswith(("." if "." in text else "x",))
    if abs(amount) < 10**56:
        assert money(text) == amount
    assert money_to_float(amount) == float(Fraction(amount, MONEY_ONE))


def test_money_is_exact_or_refused() -> None:
    assert money("0.000000000000000001") == 1
    assert money(0.1) == 10**17
    assert money(10**30) == 10**48
    with pytest.raises(OffGridError, match="more than 18 decimals"):
        money("0.0000000000000000001")


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
@example(2**31, 2**31)
@example(-(2**31) + 1, 2**31 - 1)
def test_product_never_wraps(left: int, right: int) -> None:
    assert product(left, right) == left * right


def test_decimals_do_not_depend_on_the_user_s_context() -> None:
    with localcontext(Context(prec=3)):
        assert to_decimal(123456789, 2) == Decimal("1234567.89")
        assert to_raw(Decimal("1234567.89"), 2) == 123456789


def test_shown_values_are_short() -> None:
    assert shorten("abc") == "'abc'"
    assert len(shorten("x" * 10_000)) < 60
    assert shorten(10**10_000) == "an integer of thousands of digits"
