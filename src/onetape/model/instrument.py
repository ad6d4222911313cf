"""What can be traded, and the grid its prices and sizes lie on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from onetape.model.enums import InstrumentKind, OptionRight, Side
from onetape.model.errors import ConfigurationError, NumberError, OffGridError
from onetape.model.ids import instrument_index, split_id
from onetape.model.numbers import (
    MONEY_ONE,
    MONEY_PRECISION,
    RAW_MAX,
    Number,
    divide_half_even,
    format_raw,
    integer_ratio,
    lowest_terms,
    money,
    parse_raw,
    power_of_ten,
    product,
    shorten,
    to_decimal,
    to_exact,
    to_float,
    to_raw,
)


class Instrument:
    """One version of a tradable instrument. Immutable; a change of terms is a new version of the same id.

    ``tick_raw`` and ``lot_raw`` are the price and size steps at ``price_precision`` and ``size_precision``.
    ``multiplier`` is how much of ``base`` (of ``quote`` if ``inverse``) one unit of size stands for.
    ``max_qty_raw`` and ``min_notional`` are 0 where there is no such limit. Times are ns since the epoch, UTC.
    """

    __slots__ = (
        "base",
        "expiry",
        "id",
        "index",
        "inverse",
        "kind",
        "lot_raw",
        "maker_fee",
        "maker_ratio",
        "max_qty_raw",
        "min_notional",
        "min_qty_raw",
        "multiplier",
        "notional_factor",
        "option_right",
        "price_precision",
        "quote",
        "settle",
        "size_precision",
        "strike",
        "symbol",
        "taker_fee",
        "taker_ratio",
        "tick_raw",
        "ts_event",
        "venue",
        "version",
    )

    id: str
    index: int
    venue: str
    symbol: str
    kind: InstrumentKind
    base: str
    quote: str
    settle: str
    price_precision: int
    size_precision: int
    tick_raw: int
    lot_raw: int
    min_qty_raw: int
    max_qty_raw: int
    multiplier: int
    notional_factor: int
    min_notional: int
    inverse: bool
    expiry: int
    strike: int
    option_right: OptionRight
    maker_fee: int
    taker_fee: int
    maker_ratio: tuple[int, int]
    taker_ratio: tuple[int, int]
    version: int
    ts_event: int

    def __init__(
        self,
        id: str,  # noqa: A002
        kind: InstrumentKind = InstrumentKind.SPOT,
        *,
        base: str = "",
        quote: str = "",
        settle: str = "",
        symbol: str = "",
        tick_size: Number = "0.01",
        lot_size: Number = "0.001",
        price_precision: int = -1,
        size_precision: int = -1,
        min_qty: Number = 0,
        max_qty: Number = 0,
        min_notional: Number = 0,
        multiplier: Number = 1,
        inverse: bool = False,
        expiry: int = 0,
        strike: Number = 0,
        option_right: OptionRight = OptionRight.NONE,
        maker_fee: Number = 0,
        taker_fee: Number = 0,
        version: int = 0,
        ts_event: int = 0,
    ) -> None:
        name, venue = split_id(id)
        parts = name.split("-")
        self.id = id
        self.index = instrument_index(id)
        self.venue = venue
        self.symbol = symbol or name
        self.kind = InstrumentKind(kind)
        self.base = base or parts[0]
        self.quote = quote or (parts[1] if len(parts) > 1 and parts[1].isalpha() else "USD")
        self.inverse = bool(inverse)
        self.settle = settle or (self.base if inverse else self.quote)
        tick, lot = _step(id, "tick_size", tick_size), _step(id, "lot_size", lot_size)
        self.price_precision = _decimals(tick) if price_precision < 0 else price_precision
        self.size_precision = _decimals(lot) if size_precision < 0 else size_precision
        if self.price_precision > MONEY_PRECISION or self.size_precision > MONEY_PRECISION:
            raise ConfigurationError(f"{id}: at most {MONEY_PRECISION} decimals are supported")
        if _decimals(tick) > self.price_precision or _decimals(lot) > self.size_precision:
            raise ConfigurationError(
                f"{id}: tick_size {tick} and lot_size {lot} have more decimals than price_precision "
                f"{self.price_precision} and size_precision {self.size_precision}"
            )
        self.tick_raw = to_raw(tick, self.price_precision)
        self.lot_raw = to_raw(lot, self.size_precision)
        self.min_qty_raw = to_raw(min_qty, self.size_precision)
        self.max_qty_raw = to_raw(max_qty, self.size_precision)
        if self.min_qty_raw < 0 or self.max_qty_raw < 0 or 0 < self.max_qty_raw < self.min_qty_raw:
            raise ConfigurationError(
                f"{id}: min_qty {min_qty} and max_qty {max_qty}: write 0 for none, and a maximum that is not "
                "below the minimum"
            )
        self.min_notional = money(min_notional)
        self.multiplier = money(multiplier)
        factor, rest = divmod(self.multiplier, power_of_ten(self.price_precision + self.size_precision))
        if self.multiplier <= 0 or (rest and not inverse):
            raise ConfigurationError(
                f"{id}: price decimals ({self.price_precision}), size decimals ({self.size_precision}) and those of "
                f"the multiplier {multiplier} must add up to {MONEY_PRECISION} at most for money to stay exact"
            )
        self.notional_factor = factor
        self.expiry = expiry
        self.strike = money(strike)
        self.option_right = OptionRight(option_right)
        self.maker_fee = money(maker_fee)
        self.taker_fee = money(taker_fee)
        self.maker_ratio = lowest_terms(self.maker_fee, MONEY_ONE)
        self.taker_ratio = lowest_terms(self.taker_fee, MONEY_ONE)
        self.version = version
        self.ts_event = ts_event

    def price_raw(self, price: Number) -> int:
        """Raw of a price that lies on the tick grid; else :class:`OffGridError` names the nearest two."""
        try:
            raw = to_raw(price, self.price_precision)
        except OffGridError:
            raise self._off_grid("price", price, self.tick_raw, self.price_precision) from None
        if self.tick_raw != 1 and raw % self.tick_raw:
            raise self._off_grid("price", price, self.tick_raw, self.price_precision)
        return raw

    def qty_raw(self, qty: Number) -> int:
        """Raw of a size that lies on the lot grid; else :class:`OffGridError` names the nearest two."""
        try:
            raw = to_raw(qty, self.size_precision)
        except OffGridError:
            raise self._off_grid("size", qty, self.lot_raw, self.size_precision) from None
        if self.lot_raw != 1 and raw % self.lot_raw:
            raise self._off_grid("size", qty, self.lot_raw, self.size_precision)
        return raw

    def _off_grid(self, what: str, value: Number, step: int, precision: int) -> OffGridError:
        number = to_exact(value)
        numerator, denominator = integer_ratio(number)
        below = numerator * power_of_ten(precision) // (denominator * step) * step
        return OffGridError(
            f"{self.id}: {what} {shorten(number)} is off the grid of {format_raw(step, precision)}; "
            f"the nearest are {format_raw(below, precision)} and {format_raw(below + step, precision)}"
        )

    def round_price(self, price: Number, side: Side = Side.NONE) -> Decimal:
        """Nearest price on the grid; with a side, the nearest that is not more aggressive."""
        return self._round(price, self.tick_raw, self.price_precision, side)

    def round_size(self, qty: Number) -> Decimal:
        """Largest size on the lot grid that is not above ``qty``."""
        return self._round(qty, self.lot_raw, self.size_precision, Side.BUY)

    def _round(self, value: Number, step: int, precision: int, side: Side) -> Decimal:
        try:
            numerator, denominator = integer_ratio(to_exact(value))
        except NumberError as error:
            raise NumberError(f"{self.id}: {error}") from None
        numerator *= power_of_ten(precision)
        denominator *= step
        if side is Side.BUY:
            steps = numerator // denominator
        elif side is Side.SELL:
            steps = -(-numerator // denominator)
        else:
            steps = divide_half_even(numerator, denominator)
        if abs(steps * step) > RAW_MAX:
            raise NumberError(f"{self.id}: {shorten(value)} does not fit 18 digits at {precision} decimals")
        return to_decimal(steps * step, precision)

    def parse_price(self, text: str) -> int:
        return parse_raw(text, self.price_precision)

    def parse_size(self, text: str) -> int:
        return parse_raw(text, self.size_precision)

    def price_to_float(self, raw: int) -> float:
        return to_float(raw, self.price_precision)

    def size_to_float(self, raw: int) -> float:
        return to_float(raw, self.size_precision)

    def format_price(self, raw: int) -> str:
        return format_raw(raw, self.price_precision)

    def format_size(self, raw: int) -> str:
        return format_raw(raw, self.size_precision)

    def notional(self, price_raw: int, qty_raw: int) -> int:
        """Value of ``qty`` at ``price`` as money in ``settle``, signed as ``qty`` is.

        Linear: price x size x multiplier, exact. Inverse: size x multiplier / price, rounded half to even at
        the 18th decimal.
        """
        if self.inverse:
            if price_raw <= 0:
                raise NumberError(f"{self.id}: an inverse contract has no value at price {price_raw}")
            return divide_half_even(
                qty_raw * self.multiplier * power_of_ten(self.price_precision),
                price_raw * power_of_ten(self.size_precision),
            )
        return product(price_raw, qty_raw) * self.notional_factor

    def replace(self, **changes: Any) -> Instrument:
        """The next version, with ``changes`` to the constructor's arguments. Decimals are added where a finer step
        needs them, and never taken away."""
        terms = {**self.to_dict(), "version": self.version + 1, **changes}
        for step, precision in (("tick_size", "price_precision"), ("lot_size", "size_precision")):
            if precision not in changes:
                terms[precision] = max(terms[precision], _decimals(_step(self.id, step, terms[step])))
        return Instrument(**terms)

    def to_dict(self) -> dict[str, Any]:
        """Constructor arguments, numbers as exact decimal text."""
        return {
            "id": self.id,
            "kind": int(self.kind),
            "base": self.base,
            "quote": self.quote,
            "settle": self.settle,
            "symbol": self.symbol,
            "tick_size": format_raw(self.tick_raw, self.price_precision),
            "lot_size": format_raw(self.lot_raw, self.size_precision),
            "price_precision": self.price_precision,
            "size_precision": self.size_precision,
            "min_qty": format_raw(self.min_qty_raw, self.size_precision),
            "max_qty": format_raw(self.max_qty_raw, self.size_precision),
            "min_notional": format_raw(self.min_notional, MONEY_PRECISION),
            "multiplier": format_raw(self.multiplier, MONEY_PRECISION),
            "inverse": self.inverse,
            "expiry": self.expiry,
            "strike": format_raw(self.strike, MONEY_PRECISION),
            "option_right": int(self.option_right),
            "maker_fee": format_raw(self.maker_fee, MONEY_PRECISION),
            "taker_fee": format_raw(self.taker_fee, MONEY_PRECISION),
            "version": self.version,
            "ts_event": self.ts_event,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instrument) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def __repr__(self) -> str:
        tick = format_raw(self.tick_raw, self.price_precision)
        lot = format_raw(self.lot_raw, self.size_precision)
        return f"Instrument({self.id}, {self.kind.name}, tick {tick}, lot {lot}, version {self.version})"


def _step(id: str, name: str, value: Number) -> Decimal:  # noqa: A002
    try:
        step = to_exact(value)
    except NumberError:
        step = Decimal(0)
    if step <= 0:
        raise ConfigurationError(f"{id}: {name} {value!r} is not a step; write a positive decimal such as '0.01'")
    return step


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
