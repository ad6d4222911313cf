"""Columns of text to exact numbers, times and sides, a whole column at a time and never through a float."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onetape.model.arrow import raw_values
from onetape.model.enums import Side
from onetape.model.errors import ConfigurationError

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: More decimals than this are taken for the noise of binary floats when a grid is inferred.
MAX_DECIMALS = 12

_PLAIN = r"^-?\d{1,17}(\.\d{0,18})?$"
_NOISE = "noise"
_EXACT = 9e15
_UNIT_DECIMALS = {"s": 9, "ms": 6, "us": 3, "ns": 0}
#: An integer of this size is a time in that unit: 1 s to 5138 AD in s, from 1973 on in the others.
_RANGES = (("s", 0, 10**11), ("ms", 10**11, 10**14), ("us", 10**14, 10**17), ("ns", 10**17, 10**20))
_NUMERIC = r"^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SIDES = {
    **dict.fromkeys(("buy", "b", "bid", "bids", "1", "+1", "long", "buyer"), int(Side.BUY)),
    **dict.fromkeys(("sell", "s", "ask", "asks", "a", "2", "-1", "short", "seller"), int(Side.SELL)),
    **dict.fromkeys(("", "none", "n", "0", "unknown", "null", "nan"), int(Side.NONE)),
}
# "Was the buyer the maker": then the seller was the aggressor.
_BUYER_MAKER = {"true": int(Side.SELL), "false": int(Side.BUY), "1": int(Side.SELL), "0": int(Side.BUY)}


class Decimals:
    """A column of decimal text: which rows are numbers, and how many decimals each needs.

    Text with more than :data:`MAX_DECIMALS` decimals is what a program wrote that computed in binary floats
    (``0.00031099999999999997``): it stands for the decimal that it misses by a few units in the last place.
    """

    def __init__(self, text: Any) -> None:
        self.source = text
        self._noise: dict[int, float] = {}
        plain = _mask(pc.match_substring_regex(text, _PLAIN))
        if not plain.all():
            text, plain = self._mend(text, plain)
        self.valid = plain
        with_point = _mask(pc.match_substring(text, "."))
        if with_point.all():
            text = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
        elif with_point.any():
            text = pc.if_else(pa.array(with_point), pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), "."), text)
        point = pc.find_substring(text, ".").to_numpy(zero_copy_only=False)
        length = pc.binary_length(text).to_numpy(zero_copy_only=False)
        self.decimals: Int64Array = np.where(point >= 0, length - 1 - point, 0).astype(np.int64)
        for row in np.flatnonzero(plain & (self.decimals > MAX_DECIMALS)):
            self._noise[int(row)] = float(text[int(row)].as_py())
        self._text = text

    def __len__(self) -> int:
        return len(self._text)

    def raw(self, precision: int) -> tuple[Int64Array, BoolArray, BoolArray]:
        """Numbers at ``precision``, rows that fit it and 18 digits (others: 0), and those with more decimals."""
        fits = self.valid & (self.decimals <= precision)
        text = self._text if fits.all() else pc.if_else(pa.array(fits), self._text, "0")
        words = np.frombuffer(pc.cast(text, pa.decimal128(38, precision)).buffers()[1], "<i8").reshape(-1, 2)
        low, high = words[:, 0], words[:, 1]
        small = (high == (low >> 63)) & (low > -(10**18)) & (low < 10**18)
        fits &= small
        values = np.where(fits, low, 0)
        too_fine: BoolArray = self.valid & (self.decimals > precision)
        if self._noise:
            rows = np.fromiter(self._noise, np.int64)
            meant, good = _meant(np.fromiter(self._noise.values(), np.float64), precision)
            values[rows], fits[rows], too_fine[rows] = meant, good, ~good
        return values, fits, too_fine

    def needed(self) -> int:
        """Decimals that every number needs, but for noise."""
        decimals = self.decimals[self.valid]
        return int(decimals[decimals <= MAX_DECIMALS].max(initial=0))

    def _mend(self, text: Any, plain: BoolArray) -> tuple[Any, BoolArray]:
        """Spaces, plus signs, exponents and long fractions, row by row; rows that are no number become 0."""
        rows = np.flatnonzero(~plain)
        mended: list[str] = []
        for row, value in zip(rows, text.take(pa.array(rows)).cast(pa.binary()).to_pylist()):
            plain_text = _plain_text(value)
            if plain_text == _NOISE:
                self._noise[int(row)] = float(value)
                plain_text = "0"
            plain[row] = plain_text is not None
            mended.append(plain_text or "0")
        mask = np.zeros(len(text), bool)
        mask[rows] = True
        return pc.replace_with_mask(text, pa.array(mask), pa.array(mended, text.type)), plain


class Floats:
    """A column of binary floats, each taken for the decimal that it misses by a few units in the last place."""

    def __init__(self, array: Any) -> None:
        self.source = array
        self._values = pc.fill_null(pc.cast(array, pa.float64()), float("nan")).to_numpy(zero_copy_only=False)
        self.valid: BoolArray = np.isfinite(self._values)

    def raw(self, precision: int) -> tuple[Int64Array, BoolArray, BoolArray]:
        """As :meth:`Decimals.raw`."""
        values, fits = _meant(np.where(self.valid, self._values, 0.0), precision)
        fits &= self.valid
        large = np.abs(self._values) * 10.0**precision >= _EXACT
        return np.where(fits, values, 0), fits, self.valid & ~fits & ~large

    def needed(self) -> int:
        """Decimals that all but one number in a hundred need."""
        values = self._values[self.valid]
        for precision in range(MAX_DECIMALS):
            if not len(values) or _meant(values, precision)[1].mean() >= 0.99:
                return precision
        return MAX_DECIMALS


Numbers = Decimals | Floats


def number_column(column: Any) -> Numbers:
    """Exact numbers of a column of text or of floats."""
    return Floats(column) if pa.types.is_floating(column.type) else Decimals(column)


def _meant(values: npt.NDArray[np.float64], precision: int) -> tuple[Int64Array, BoolArray]:
    """The integers that ``values`` stand for at ``precision`` (the rule of ``onetape.model.numbers.to_raw``)."""
    power = 10.0**precision
    scaled = values * power
    small = np.abs(scaled) < _EXACT
    raw = np.rint(np.where(small, scaled, 0.0))
    good = small & (np.abs(values - raw / power) <= 8.9e-16 * np.abs(values))
    return np.where(good, raw, 0).astype(np.int64), good


def _mask(array: Any) -> BoolArray:
    result: BoolArray = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return result.astype(bool, copy=True)


def _plain_text(value: bytes | None) -> str | None:
    if not value or len(value) > 60:
        return None
    try:
        number = Decimal(value.decode("ascii").strip())
    except (InvalidOperation, UnicodeDecodeError):
        return None
    if not number.is_finite() or number.adjusted() >= 17:
        return None
    if not number or number.adjusted() < -400:
        return "0" if not number else _NOISE
    whole, _, fraction = f"{number:f}".partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > 18:
        return _NOISE
    return f"{whole}.{fraction}" if fraction else whole


def times(text: Any, unit: str = "") -> tuple[Int64Array, BoolArray]:
    """ns since the epoch and the rows that are times. ``unit``: s, ms, us, ns, iso, or found out for each row."""
    if unit and unit != "iso" and unit not in _UNIT_DECIMALS:
        raise ConfigurationError(f"{unit!r} is not a unit of time; write s, ms, us, ns or iso")
    text = pc.utf8_trim_whitespace(pc.fill_null(pc.cast(text, pa.string()), ""))
    whole = _mask(pc.match_substring_regex(text, r"^-?\d{1,18}$|^[1-8]\d{18}$"))
    values = pc.cast(text if whole.all() else pc.if_else(pa.array(whole), text, "0"), pa.int64())
    result: Int64Array = values.to_numpy(zero_copy_only=False).copy()
    if unit == "iso" or not (whole.any() or _mask(pc.match_substring_regex(text, _NUMERIC)).any()):
        return _iso(text)
    size = np.abs(result)
    for name, low, high in _RANGES:
        rows = whole & ((size >= low) & (size < high) if not unit else name == unit)
        factor = 10 ** _UNIT_DECIMALS[name]
        fits = size <= (2**63 - 1) // factor
        result = np.where(rows & fits, result * np.where(rows & fits, factor, 1), result)
        whole &= ~rows | fits
    rest = np.flatnonzero(~whole)
    for row, value in zip(rest.tolist(), text.take(pa.array(rest)).to_pylist()):
        ns = _fraction_ns(value, unit)
        result[row] = ns or 0
        whole[row] = ns is not None
    return result, whole


def _fraction_ns(value: str, unit: str) -> int | None:
    """ns of one number with a fraction or an exponent; what is finer than a ns is cut."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return _iso_ns(value.encode()) if not unit else None
    if not number.is_finite() or number.adjusted() > 18:
        return None
    if not unit:
        unit = next(name for name, low, high in _RANGES if low <= abs(number) < high)
    ns = int(number.scaleb(_UNIT_DECIMALS[unit]))
    return ns if -(2**63) < ns < 2**63 else None


def _iso(text: Any) -> tuple[Int64Array, BoolArray]:
    """ISO 8601; without a zone it is UTC."""
    for dtype in (pa.timestamp("ns", tz="UTC"), pa.timestamp("ns")):
        try:
            parsed = pc.cast(text, dtype)
        except pa.ArrowInvalid:
            continue
        good = _mask(pc.is_valid(parsed))
        return np.where(good, raw_values(parsed), 0), good
    values, good_rows = [], []
    for row in text.cast(pa.binary()).to_pylist():
        value = _iso_ns(row)
        values.append(value or 0)
        good_rows.append(value is not None)
    return np.array(values, np.int64), np.array(good_rows, bool)


def _iso_ns(value: bytes | None) -> int | None:
    """One time, with up to nine decimals of a second."""
    try:
        text = (value or b"").decode("ascii").strip()
        head, dot, tail = text.partition(".")
        digits = len(tail) - len(tail.lstrip("0123456789"))
        moment = datetime.fromisoformat(head + tail[digits:] if dot else text)
    except (ValueError, UnicodeDecodeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    ns = (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1_000
    ns += int(tail[:digits][:9].ljust(9, "0")) if dot else 0
    return ns if -(2**63) < ns < 2**63 else None


def sides(text: Any, buyer_maker: bool = False) -> tuple[npt.NDArray[np.int8], BoolArray]:
    """:class:`Side` values and the rows that name one (or say there is none)."""
    words = _BUYER_MAKER if buyer_maker else _SIDES
    place = pc.index_in(pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(text, ""))), pa.array(list(words)))
    good = _mask(pc.is_valid(place))
    values = np.array(list(words.values()), np.int8)[pc.fill_null(place, 0).to_numpy(zero_copy_only=False)]
    return np.where(good, values, 0).astype(np.int8), good
