"""Any event to MessagePack or a dict for people, and back; :mod:`onetape.model.arrow` does Arrow rows.

All are built from each class's ``FIELDS``, so a new event class needs nothing here. An instrument travels as
its id and version; reading needs a lookup: a mapping of id to :class:`Instrument`, or a callable
``(id, version) -> Instrument``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import Any

import msgspec

from onetape.model import enums
from onetape.model.errors import DecodeError, OnetapeError, TapeError, UnknownInstrumentError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE, format_money, format_raw, money, parse_raw

#: Raised when what is written here can no longer be read by older code.
CODEC_VERSION = 1

Lookup = Mapping[str, Instrument] | Callable[[str, int], Instrument]

COMMON_FIELDS = ("ts_event", "ts_recv", "seq")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = 1 << 63
_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(list[Any])


def event_types() -> dict[str, type[Event]]:
    """Every event class that has been imported, by name."""
    found: dict[str, type[Event]] = {}
    waiting: list[type[Event]] = [Event]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            waiting.append(cls)
            if cls.KIND:
                found[cls.__name__] = cls
    return found


def event_type(name: str) -> type[Event]:
    """The class of that name; an event of a newer onetape is a :class:`TapeError`."""
    cls = _type_or_none(name)
    if cls is None:
        _type_or_none.cache_clear()
        raise TapeError(f"unknown event type {name!r}: written by a newer onetape? known: {', '.join(event_types())}")
    return cls


@cache
def _type_or_none(name: str) -> type[Event] | None:
    return event_types().get(name)


def find_instrument(instruments: Lookup, instrument_id: str, version: int) -> Instrument:
    """That version of the instrument, else an :class:`UnknownInstrumentError`."""
    if callable(instruments):
        return instruments(instrument_id, version)
    instrument = instruments.get(instrument_id)
    if instrument is None:
        raise UnknownInstrumentError(f"instrument {instrument_id} is not known")
    if instrument.version != version:
        raise UnknownInstrumentError(
            f"version {version} of {instrument_id} is not known; version {instrument.version} is"
        )
    return instrument


@cache
def enum_type(name: str) -> type[IntEnum]:
    cls = getattr(enums, name, None)
    if not (isinstance(cls, type) and issubclass(cls, IntEnum)):
        raise TapeError(f"{name!r} is neither a field kind nor an enum")
    return cls


# MessagePack: [type, codec version, ts_event, ts_recv, seq, *fields]


def encode(event: Event) -> bytes:
    """MessagePack of one event."""
    values: list[Any] = [type(event).__name__, CODEC_VERSION, event.ts_event, event.ts_recv, event.seq]
    for name, kind in event.FIELDS.items():
        value = getattr(event, name)
        if kind == "instrument":
            value = (value.id, value.version)
        elif kind == "definition":
            value = value.to_dict()
        elif kind == "amount" and not -_INT64 <= value < _INT64:
            value = str(value)
        values.append(value)
    return _packer.encode(values)


def decode(data: bytes | bytearray | memoryview, instruments: Lookup) -> Event:
    """The event of :func:`encode`'s bytes. Anything else is a :class:`DecodeError`."""
    try:
        values = _unpacker.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"not an encoded event: {error}") from None
    if len(values) < 5 or not isinstance(values[0], str) or type(values[1]) is not int:
        raise DecodeError("not an encoded event: [type, version, ts_event, ts_recv, seq, …] expected")
    name, version = values[0], values[1]
    if version > CODEC_VERSION:
        raise TapeError(f"{name} was written in codec version {version}; this onetape reads up to {CODEC_VERSION}")
    cls = event_type(name)
    if len(values) != 5 + len(cls.FIELDS):
        raise DecodeError(f"{len(values) - 5} fields instead of {len(cls.FIELDS)}", channel=name)
    fields: dict[str, Any] = {}
    for place, (field, kind) in enumerate(
        (*((common, "time") for common in COMMON_FIELDS), *cls.FIELDS.items()), start=2
    ):
        try:
            fields[field] = _unpack(kind, values[place], instruments)
        except UnknownInstrumentError:
            raise
        except (TypeError, ValueError, IndexError, OnetapeError) as error:
            raise DecodeError(str(error), channel=name, path=f"$[{place}] ({field})") from None
    return _build(cls, fields)


def _unpack(kind: str, value: Any, instruments: Lookup) -> Any:
    if kind in ("price", "price?", "size", "int", "time"):
        return _integer(value)
    if kind == "instrument":
        instrument_id, version = value
        return find_instrument(instruments, _text(instrument_id), _integer(version))
    if kind == "text":
        return _text(value)
    if kind == "levels":
        return tuple((_integer(price), _integer(size)) for price, size in value)
    if kind == "amount":
        return int(value) if isinstance(value, str) else _wide(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise TypeError(f"{value!r} is not true or false")
        return value
    if kind == "definition":
        return Instrument(**value)
    return enum_type(kind)(_integer(value))


def _integer(value: Any) -> int:
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise TypeError(f"{value!r} is not a 64-bit integer")
    return value


def _wide(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _build(cls: type[Event], fields: dict[str, Any]) -> Event:
    return cls(**fields)


# dict


def to_dict(event: Event) -> dict[str, Any]:
    """An event for people: decimals as text, enum names, ids; times in ns and, as ``…_iso``, in ISO 8601."""
    result: dict[str, Any] = {"type": type(event).__name__}
    instrument = getattr(event, "instrument", None)
    for name, kind in event.FIELDS.items():
        value = getattr(event, name)
        key = name.removesuffix("_raw")
        if kind == "instrument":
            result[key] = value.id
            result["version"] = value.version
        elif kind == "definition":
            result[key] = value.to_dict()
        elif kind in ("price", "price?", "size"):
            result[key] = _decimal_text(value, kind, instrument)
        elif kind == "amount":
            result[key] = format_money(value)
        elif kind == "levels":
            result[key] = [
                [_decimal_text(price, "price", instrument), _decimal_text(size, "size", instrument)]
                for price, size in value
            ]
        elif kind in ("int", "text", "bool"):
            result[key] = value
        elif kind == "time":
            result[key] = value
            result[key + "_iso"] = iso_time(value)
        else:
            result[key] = value.name
    for name in COMMON_FIELDS:
        result[name] = getattr(event, name)
        if name != "seq":
            result[name + "_iso"] = iso_time(result[name])
    return result


def from_dict(values: Mapping[str, Any], instruments: Lookup) -> Event:
    """The event of :func:`to_dict`'s dict; ``…_iso`` is for reading only and ignored."""
    cls = event_type(_text(values.get("type")))
    fields: dict[str, Any] = {}
    instrument: Instrument | None = None
    for name, kind in (*cls.FIELDS.items(), *((common, "time") for common in COMMON_FIELDS)):
        key = name.removesuffix("_raw")
        try:
            value = values[key]
            if kind == "instrument":
                instrument = value = find_instrument(instruments, _text(value), _integer(values["version"]))
            elif kind in ("price", "price?", "size"):
                value = _decimal_raw(value, kind, instrument)
            elif kind == "amount":
                value = money(_text(value))
            elif kind == "levels":
                value = tuple(
                    (_decimal_raw(price, "price", instrument), _decimal_raw(size, "size", instrument))
                    for price, size in value
                )
            elif kind in ("int", "time", "text", "bool", "definition"):
                value = _unpack(kind, value, instruments)
            else:
                value = enum_type(kind)[value]
        except UnknownInstrumentError:
            raise
        except KeyError as error:
            raise DecodeError(f"{error} is missing or unknown", channel=cls.__name__, path=f"$.{key}") from None
        except (TypeError, ValueError, OnetapeError) as error:
            raise DecodeError(str(error), channel=cls.__name__, path=f"$.{key}") from None
        fields[name] = value
    return _build(cls, fields)


def iso_time(ns: int) -> str:
    """ISO 8601 in UTC of nanoseconds since the epoch.

    >>> iso_time(1_700_000_000_000_000_001)
    '2023-11-14T22:13:20.000000001Z'
    """
    seconds, rest = divmod(ns, 10**9)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")
    return f"{text}.{rest:09d}Z" if rest else f"{text}Z"


def precision_of(kind: str, instrument: Instrument | None) -> int:
    if instrument is None:
        return 0
    return instrument.size_precision if kind == "size" else instrument.price_precision


def _decimal_text(raw: int, kind: str, instrument: Instrument | None) -> str | None:
    return None if raw == NO_PRICE and kind == "price?" else format_raw(raw, precision_of(kind, instrument))


def _decimal_raw(text: Any, kind: str, instrument: Instrument | None) -> int:
    return NO_PRICE if text is None and kind == "price?" else parse_raw(_text(text), precision_of(kind, instrument))
