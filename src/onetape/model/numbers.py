"""Exact numbers: decimal text to scaled integers and back, never through a float.

A *raw* number is an ``int64`` at some precision: ``61659.70`` at precision 2 is ``6165970``.
Money is a Python integer at ``MONEY_PRECISION`` decimals, of any magnitude.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import SupportsIndex

from onetape.model.errors import NumberError, OffGridError

MONEY_PRECISION = 18
MONEY_ONE: int = 10**18
INT64_MAX = 2**63 - 1
#: Raw numbers have 18 digits at most, as DECIMAL(18) on the tape; sums and doubles of them still fit 64 bits.
RAW_MAX = 10**18 - 1
#: The raw price of an order that has none. Zero and negative prices are real on some markets.
NO_PRICE = -(2**63)

_EXACT_FLOAT = 1 << 53
_SMALL = 1 << 31
_POWERS: tuple[int, ...] = tuple([10**n for n in range(39)])
_FLOAT_POWERS: tuple[float, ...] = tuple([10.0**n for n in range(23)])

#: Plain ASCII decimals, also as FIX writes them (``.5``, ``5.``): not everything that Python takes for a number.
_DECIMAL_TEXT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LONGEST_TEXT = 400
_LARGEST_EXPONENT = 75
_SMALLEST_EXPONENT = -400

Number = int | float | str | Decimal


def power_of_ten(exponent: int) -> int:
    """``10**exponent`` as a Python integer, exponent 0 to 38."""
    return _POWERS[exponent]


def parse_raw(text: str, precision: int) -> int:
    """Scaled integer of decimal ``text``; digits beyond ``precision`` must be zeros.

    >>> parse_raw("61659.70", 2)
    6165970
    """
    if len(text) > _LONGEST_TEXT:
        return _parse_slow(text, precision)
    value = 0
    digits = 0
    fraction = -1
    negative = False
    first = True
    for char in text:
        if "0" <= char <= "9":
            if fraction >= 0:
                if fraction == precision:
                    if char != "0":
                        return _parse_slow(text, precision)
                    continue
                fraction += 1
            value = value * 10 + (ord(char) - 48)
            digits += 1
        elif char == "." and fraction < 0:
            fraction = 0
        elif char == "-" and first:
            negative = True
        else:
            return _parse_slow(text, precision)
        first = False
    if fraction < 0:
        fraction = 0
    if digits == 0 or digits + precision - fraction > 18:
        return _parse_slow(text, precision)
    while fraction < precision:
        value = value * 10
        fraction += 1
    return -value if negative else value


def _parse_slow(text: str, precision: int) -> int:
    """Exponents, long digit strings, and every kind of error."""
    return _from_decimal(to_exact(text), precision, shorten(text))


def to_exact(value: Number) -> Decimal:
    """The decimal that a user's number stands for, exactly; finite."""
    number: Decimal
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, float):
        number = Decimal(float.__repr__(value))
    elif isinstance(value, str):
        if len(value) > _LONGEST_TEXT or not _DECIMAL_TEXT.fullmatch(value):
            raise NumberError(f"{shorten(value)} is not a decimal number")
        number = Decimal(value)
    elif isinstance(value, SupportsIndex):
        number = Decimal(value.__index__())
    else:
        raise NumberError(f"{shorten(value)} is not a number: give an int, float, str or Decimal")
    if not number.is_finite():
        raise NumberError(f"{shorten(value)} is not a finite number")
    return number


def integer_ratio(value: Decimal) -> tuple[int, int]:
    """Numerator and denominator, never gigantic: 10**76 is an error, what is below 10**-400 becomes that."""
    if not value:
        return 0, 1
    exponent = value.adjusted()
    if exponent > _LARGEST_EXPONENT:
        raise NumberError(f"{shorten(value)} is too large")
    if exponent < _SMALLEST_EXPONENT:
        return (-1 if value.is_signed() else 1), 10**-_SMALLEST_EXPONENT
    return value.as_integer_ratio()


def shorten(value: object) -> str:
    """A value as it appears in error messages, of any length and kind."""
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # an integer of more digits than Python agrees to write
        return "an integer of thousands of digits"
    return text if len(text) <= 60 else f"{text[:40]}…{text[-10:]}"


def _from_decimal(value: Decimal, precision: int, shown: str) -> int:
    if value.adjusted() > _LARGEST_EXPONENT and value:
        raise NumberError(f"{shown} does not fit 18 digits at {precision} decimals")
    numerator, denominator = integer_ratio(value)
    raw, rest = divmod(numerator * _POWERS[precision], denominator)
    if rest:
        low, high = format_raw(raw, precision), format_raw(raw + 1, precision)
        raise OffGridError(f"{shown} has more than {precision} decimals; the nearest are {low} and {high}")
    if not -RAW_MAX <= raw <= RAW_MAX:
        raise NumberError(f"{shown} does not fit 18 digits at {precision} decimals")
    return raw


def to_raw(value: Number, precision: int) -> int:
    """Scaled integer of a user's number.

    A float is taken as the decimal it was meant to be if it lies within four units in its last place of one
    (``quote.bid - 0.1`` works); anything else between two steps is an :class:`OffGridError`.
    """
    if isinstance(value, float):
        return _from_float(value, precision)
    if isinstance(value, int):
        if not -RAW_MAX <= value * _POWERS[precision] <= RAW_MAX:
            raise NumberError(f"{shorten(value)} does not fit 18 digits at {precision} decimals")
        return value * _POWERS[precision]
    if isinstance(value, str):
        return parse_raw(value, precision)
    return _from_decimal(to_exact(value), precision, shorten(value))


def _from_float(value: float, precision: int) -> int:
    power = _FLOAT_POWERS[precision]
    scaled = value * power
    if not -9e15 < scaled < 9e15:
        if not math.isfinite(value):
            raise NumberError(f"{value} is not a finite number")
        return _from_decimal(to_exact(value), precision, shorten(value))
    raw = int(scaled + 0.5) if scaled >= 0.0 else int(scaled - 0.5)
    error = value - raw / power
    if error < 0.0:
        error = -error
    if error > 8.9e-16 * (value if value > 0.0 else -value):
        return _from_decimal(to_exact(value), precision, shorten(value))
    return raw


def to_float(raw: int, precision: int) -> float:
    """The double nearest to ``raw / 10**precision``."""
    if -_EXACT_FLOAT <= raw <= _EXACT_FLOAT:
        power = _FLOAT_POWERS[precision]
        return raw / power
    return _wide_to_float(raw, precision)


def _wide_to_float(raw: int, precision: int) -> float:
    return raw / _POWERS[precision]


def to_decimal(raw: int, precision: int) -> Decimal:
    return Decimal(format_raw(raw, precision))


def format_raw(raw: int, precision: int) -> str:
    """Plain decimal text of a raw number, all of its decimals written.

    >>> format_raw(6165970, 2)
    '61659.70'
    """
    if precision == 0:
        return str(raw)
    whole, fraction = divmod(abs(raw), _POWERS[precision])
    return f"{'-' if raw < 0 else ''}{whole}.{fraction:0{precision}d}"


def money(value: Number) -> int:
    """Exact money of a user's number: an integer at 18 decimals."""
    if isinstance(value, int):
        return value * MONEY_ONE
    numerator, denominator = integer_ratio(to_exact(value))
    raw, rest = divmod(numerator * MONEY_ONE, denominator)
    if rest:
        raise OffGridError(f"{shorten(value)} has more than {MONEY_PRECISION} decimals")
    return raw


def format_money(amount: int) -> str:
    """Shortest exact decimal text of money.

    >>> format_money(1_500_000_000_000_000_000)
    '1.5'
    """
    whole, fraction = divmod(abs(amount), MONEY_ONE)
    sign = "-" if amount < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:018d}".rstrip("0")


def money_to_float(amount: int) -> float:
    return amount / MONEY_ONE


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer quotient rounded half to even; ``denominator`` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def lowest_terms(numerator: int, denominator: int) -> tuple[int, int]:
    """The same fraction in its smallest numbers."""
    divisor = math.gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor


def product(left: int, right: int) -> int:
    """Exact product of two raw numbers, of any magnitude."""
    if -_SMALL < left < _SMALL and -_SMALL < right < _SMALL:
        small = left * right
        return small
    return _wide_product(left, right)


def _wide_product(left: int, right: int) -> int:
    return left * right
