"""Values of a message's fields: decimal text to raw numbers, times to nanoseconds, each error with its path."""

from __future__ import annotations

from onetape.model.errors import NumberError
from onetape.model.instrument import Instrument
from onetape.model.numbers import parse_raw

_LAST_MILLISECOND = 9_223_372_036_854
_FIRST_MICROSECOND = 100_000_000_000_000


class FieldError(NumberError):
    """A value that the documented shape allows and that makes no sense; ``path`` is below the message."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


def nanoseconds(time: int, path: str) -> int:
    """ns of a venue time in milliseconds, or microseconds if it is too great for those (years 1973 to 2262)."""
    if time <= _LAST_MILLISECOND:
        return time * 1_000_000
    if time < _FIRST_MICROSECOND:
        raise FieldError(f"{time} is neither a time in milliseconds nor in microseconds", path)
    return time * 1_000


def price(instrument: Instrument, text: str, path: str) -> int:
    """Raw price, above zero."""
    try:
        raw = parse_raw(text, instrument.price_precision)
    except NumberError as error:
        raise FieldError(f"price of {instrument.id}: {error}", path) from None
    if raw <= 0:
        raise FieldError(f"price {text} of {instrument.id} is not above zero", path)
    return raw


def size(instrument: Instrument, text: str, path: str) -> int:
    """Raw size, zero or above."""
    try:
        raw = parse_raw(text, instrument.size_precision)
    except NumberError as error:
        raise FieldError(f"size of {instrument.id}: {error}", path) from None
    if raw < 0:
        raise FieldError(f"size {text} of {instrument.id} is negative", path)
    return raw


def levels(instrument: Instrument, pairs: list[tuple[str, str]], path: str) -> tuple[tuple[int, int], ...]:
    """``((price_raw, size_raw), …)`` of an update's levels, in the order sent; size 0 removes a level."""
    price_precision = instrument.price_precision
    size_precision = instrument.size_precision
    out = []
    at = 0
    for price_text, size_text in pairs:
        try:
            price_raw = parse_raw(price_text, price_precision)
            size_raw = parse_raw(size_text, size_precision)
        except NumberError as error:
            raise FieldError(f"level of {instrument.id}: {error}", f"{path}[{at}]") from None
        if price_raw <= 0 or size_raw < 0:
            raise FieldError(f"{size_text} at {price_text} is no level of {instrument.id}", f"{path}[{at}]")
        out.append((price_raw, size_raw))
        at += 1  # noqa: SIM113 - compiled, it is a C integer
    return tuple(out)


def side(
    instrument: Instrument, pairs: list[tuple[str, str]], descending: bool, path: str
) -> tuple[tuple[int, int], ...]:
    """One side of a whole book: sizes above zero, prices strictly from the best outwards."""
    whole = levels(instrument, pairs, path)
    last = 0
    at = 0
    for price_raw, size_raw in whole:
        if size_raw == 0:
            raise FieldError(f"a level of {instrument.id} without a size in a whole book", f"{path}[{at}]")
        if at and (price_raw >= last if descending else price_raw <= last):
            raise FieldError(f"levels of {instrument.id} are not in the order of price", f"{path}[{at}]")
        last = price_raw
        at += 1  # noqa: SIM113
    return whole
