"""Values as people write them on the command line, made into what the engine takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from onetape.kernel.timers import duration_ns
from onetape.model.enums import InstrumentKind
from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.instrument import Instrument
from onetape.model.numbers import money
from onetape.risk.limits import Limits
from onetape.sim.fees import FixedFees
from onetape.sim.latency import ConstantLatency, LatencyModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_TERMS = ("base", "quote", "settle", "symbol", "tick_size", "lot_size")
_NUMBER_TERMS = ("min_qty", "max_qty", "min_notional", "multiplier", "maker_fee", "taker_fee")
_TERMS = ("kind", *_TEXT_TERMS, *_NUMBER_TERMS, "inverse")


def pairs(option: str, texts: Iterable[str], *, separated: bool = False) -> dict[str, str]:
    """``name=value`` of each text; ``separated``: several in one, with commas between them."""
    found: dict[str, str] = {}
    for text in texts:
        for part in text.split(",") if separated else [text]:
            name, equals, value = part.partition("=")
            if not equals or not name.strip() or not value.strip():
                raise ConfigurationError(f"{option} {text!r}: write name=value")
            if name.strip() in found:
                raise ConfigurationError(f"{option}: {name.strip()} is given twice")
            found[name.strip()] = value.strip()
    return found


def balances(texts: Iterable[str]) -> dict[str, Decimal]:
    """``USDT=100000`` each."""
    found = {}
    for currency, text in pairs("--balance", texts, separated=True).items():
        found[currency] = decimal("--balance", text)
        money(found[currency])
    return found


def decimal(option: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ConfigurationError(f"{option}: {text!r} is not a number")
    return number


def instrument(text: str, known: Mapping[str, Instrument], defaults: Mapping[str, str] | None = None) -> Instrument:
    """``BTC-USDT.BINANCE,tick_size=0.01,lot_size=0.00001``; the id alone for one that is ``known``."""
    instrument_id, comma, rest = text.partition(",")
    terms = pairs("--instrument", [rest], separated=True) if comma else {}
    if not terms and instrument_id in known:
        return known[instrument_id]
    terms = {**(defaults or {}), **terms}
    for name in terms:
        if name not in _TERMS:
            raise ConfigurationError(f"--instrument {text!r}: {name!r} is not a term; there are {', '.join(_TERMS)}")
    if not {"tick_size", "lot_size"} <= terms.keys():
        raise ConfigurationError(
            f"--instrument {text!r}: its grid is not known here; "
            f"write {instrument_id},tick_size=0.01,lot_size=0.001 (with its own steps)"
        )
    for name in ("tick_size", "lot_size", *_NUMBER_TERMS):
        if name in terms:
            decimal(f"--instrument {instrument_id}, {name}", terms[name])
    kind = terms.pop("kind", "SPOT").upper()
    if kind not in InstrumentKind.__members__:
        kinds = ", ".join(one.lower() for one in InstrumentKind.__members__)
        raise ConfigurationError(f"--instrument {text!r}: kind {kind.lower()!r}; write one of {kinds}")
    inverse = _truth(terms.pop("inverse", "no"))
    try:
        return Instrument(instrument_id, InstrumentKind[kind], inverse=inverse, **terms)  # type: ignore[arg-type]
    except NumberError as error:
        raise ConfigurationError(f"--instrument {text!r}: {error}") from None


def time_ns(option: str, text: str) -> int:
    """ISO 8601 (UTC where it names no zone), or nanoseconds since the epoch."""
    if text.isdigit() and len(text) > 8:
        return int(text)
    head, dot, tail = text.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    try:
        moment = datetime.fromisoformat(head + tail[digits:] if dot else text)
    except ValueError:
        raise ConfigurationError(f"{option} {text!r}: write a time such as 2026-01-05T09:30:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 10**9 + int(tail[:digits][:9].ljust(9, "0") if dot else 0)


def duration(option: str, text: str) -> int:
    """Nanoseconds of ``5ms``, ``1h30m`` or ``0``."""
    if text in ("0", "0ns", "0us", "0ms", "0s"):
        return 0
    try:
        return duration_ns(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{option}: {error}") from None


def latency(text: str) -> LatencyModel:
    """``5ms`` each way, or ``entry,response``."""
    parts = [duration("--latency", part.strip()) for part in text.split(",")]
    if len(parts) > 2:
        raise ConfigurationError(f"--latency {text!r}: write one duration, or two as entry,response")
    return ConstantLatency(parts[0], parts[-1])


def fees(text: str) -> FixedFees:
    """``maker,taker`` as fractions of the traded value; a negative one is a rebate."""
    parts = [decimal("--fees", part.strip()) for part in text.split(",")]
    if len(parts) != 2:
        raise ConfigurationError(f"--fees {text!r}: write maker,taker as fractions, such as 0.0002,0.0005")
    if any(abs(part) >= 1 for part in parts):
        raise ConfigurationError(f"--fees {text!r}: a fee of 100 % or more; write fractions, such as 0.0002,0.0005")
    return FixedFees(*parts)


def limits(texts: Iterable[str]) -> tuple[Limits | None, dict[str, Limits]]:
    """``max_position=5,price_collar=0.02`` for all, ``BTC-USDT.SIM:max_position=1`` for one instrument."""
    general: dict[str, str] = {}
    special: dict[str, dict[str, str]] = {}
    for text in texts:
        place, colon, rest = text.partition(":")
        target = special.setdefault(place, {}) if colon else general
        target.update(pairs("--limits", [rest if colon else text], separated=True))
    return (
        _limits(general) if general else None,
        {place: _limits({**general, **terms}) for place, terms in special.items()},
    )


def _limits(terms: Mapping[str, str]) -> Limits:
    values = {name: None if value.lower() == "none" else value for name, value in terms.items()}
    try:
        return msgspec.convert(values, Limits, strict=False)
    except msgspec.ValidationError as error:
        names = ", ".join(Limits.__struct_fields__)
        raise ConfigurationError(f"--limits {dict(terms)}: {error}; there are {names}") from None


def _truth(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "on")
