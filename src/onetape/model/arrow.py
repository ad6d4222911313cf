"""Events as Arrow rows and back, built from each class's ``FIELDS``.

One batch is one event class and one version of one instrument, named in the schema's metadata. This is also the
form of the Parquet files of a tape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onetape.model.codec import (
    CODEC_VERSION,
    COMMON_FIELDS,
    Lookup,
    enum_type,
    event_type,
    find_instrument,
    precision_of,
)
from onetape.model.enums import BookFlag, Side
from onetape.model.errors import DecodeError, NumberError, TapeError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot
from onetape.model.numbers import MONEY_PRECISION, NO_PRICE

#: A price or size on a tape is a DECIMAL(18): its raw number is below this.
RAW_LIMIT = 10**18

_TIME = pa.timestamp("ns", tz="UTC")
_LAST, _SNAPSHOT, _CLEAR = int(BookFlag.LAST), int(BookFlag.SNAPSHOT), int(BookFlag.CLEAR)
_BUY, _SELL = int(Side.BUY), int(Side.SELL)


def arrow_schema(cls: type[Event], instrument: Instrument | None = None) -> Any:
    """Columns of one event class and instrument version. ``_raw`` is dropped from names; times are ns, UTC.

    Prices and sizes are DECIMAL(18, precision), amounts DECIMAL(38, 18), enums their int8 values. Book events are
    one row a level (see :mod:`onetape.model.columns`); an update that names no level is one row with side 0.
    """
    book = "levels" in cls.FIELDS.values()
    fields = [
        pa.field("ts_event", _TIME, nullable=False),
        pa.field("ts_recv", _TIME, nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
    ]
    kinds = _BOOK_KINDS if book else cls.FIELDS
    for name, kind in kinds.items():
        if kind != "instrument":
            fields.append(pa.field(name.removesuffix("_raw"), _arrow_type(kind, instrument), nullable=kind == "price?"))
    metadata: dict[bytes | str, bytes | str] = {
        "onetape.type": cls.KIND if book else cls.__name__,
        "onetape.codec": str(CODEC_VERSION),
    }
    if "instrument" in cls.FIELDS.values():
        if instrument is None:
            raise TapeError(f"{cls.__name__} rows need the instrument they belong to")
        metadata["onetape.instrument"] = instrument.id
        metadata["onetape.version"] = str(instrument.version)
    return pa.schema(fields, metadata=dict(metadata))


_BOOK_KINDS = {
    "side": "Side",
    "price": "price",
    "size": "size",
    "flags": "Side",
    "sequence": "int",
    "first_sequence": "int",
    "previous_sequence": "int",
}


def _arrow_type(kind: str, instrument: Instrument | None) -> Any:
    if kind in ("price", "price?", "size"):
        return pa.decimal64(18, precision_of(kind, instrument))
    simple: Any = {
        "int": pa.int64(),
        "time": _TIME,
        "text": pa.string(),
        "bool": pa.bool_(),
        "amount": pa.decimal128(38, MONEY_PRECISION),
        "definition": pa.string(),
    }.get(kind)
    if simple is not None:
        return simple
    enum_type(kind)
    return pa.int8()


def raw_array(values: npt.NDArray[Any], dtype: Any) -> Any:
    """An Arrow array over the int64 ``values`` themselves; ``dtype`` is any type of that width."""
    values = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(dtype, len(values), [None, pa.py_buffer(memoryview(cast(Any, values)))])


def raw_values(array: Any) -> npt.NDArray[np.int64]:
    """The int64 numbers under an Arrow array of an 8-byte type, without a copy; nulls hold anything."""
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), np.int64)
    return np.frombuffer(buffer, np.int64, len(array), array.offset * 8)


def to_record_batch(events: Sequence[Event]) -> Any:
    """Rows of events of one class (book updates and snapshots may mix) and one instrument version."""
    if not events:
        raise TapeError("no events: the columns are those of the first one")
    first = events[0]
    cls, book = type(first), isinstance(first, (BookDelta, BookSnapshot))
    instrument = getattr(first, "instrument", None) if "instrument" in cls.FIELDS.values() else None
    for event in events:
        if type(event) is not cls and not (book and isinstance(event, (BookDelta, BookSnapshot))):
            raise TapeError(f"{type(event).__name__} among {cls.__name__} rows")
        if instrument is not None and (found := event.instrument) is not instrument and found != instrument:  # type: ignore[attr-defined]
            raise TapeError(f"{found.id} version {found.version} among rows of {instrument}")
    schema = arrow_schema(cls, instrument)
    if book:
        return pa.record_batch(_book_arrays(events, schema), schema=schema)
    arrays = [
        _arrow_array("time", [getattr(event, name) for event in events], schema.field(name)) for name in COMMON_FIELDS
    ]
    for name, kind in cls.FIELDS.items():
        if kind != "instrument":
            field = schema.field(name.removesuffix("_raw"))
            arrays.append(_arrow_array(kind, [getattr(event, name) for event in events], field))
    if any(array.type != field.type for array, field in zip(arrays, schema)):
        fields = [field.with_type(array.type) for array, field in zip(arrays, schema)]
        schema = pa.schema(fields, metadata=schema.metadata)
    return pa.record_batch(arrays, schema=schema)


def _arrow_array(kind: str, values: list[Any], field: Any) -> Any:
    try:
        if kind in ("price", "price?", "size"):
            return _decimal_array(values, field)
        if kind in ("int", "time"):
            return raw_array(np.array(values, dtype=np.int64), field.type)
    except OverflowError:
        raise NumberError(f"column {field.name}: a number does not fit 64 bits") from None
    if kind == "amount":
        return _amount_array(values, field)
    if kind == "definition":
        return pa.array([json.dumps(value.to_dict()) for value in values], pa.string())
    return pa.array(values, field.type)


def _decimal_array(values: list[int], field: Any) -> Any:
    raw = np.array(values, dtype=np.int64)
    missing = raw == NO_PRICE
    if (np.abs(np.where(missing, 0, raw)) >= RAW_LIMIT).any() or (missing.any() and not field.nullable):
        raise NumberError(f"column {field.name}: a number has more than 18 digits at this precision")
    if not missing.any():
        return raw_array(raw, field.type)
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return pa.Array.from_buffers(field.type, len(raw), [valid, pa.py_buffer(memoryview(cast(Any, raw)))])


def _amount_array(values: list[int], field: Any) -> Any:
    """Little-endian two's complement, 16 bytes each; 32 (DECIMAL(76)) if one of them has more than 38 digits."""
    largest = max(map(abs, values))
    if largest >= 10**76:
        raise NumberError(f"column {field.name}: {largest} has more than 76 digits")
    width, dtype = (16, field.type) if largest < 10**38 else (32, pa.decimal256(76, MONEY_PRECISION))
    data = b"".join([value.to_bytes(width, "little", signed=True) for value in values])
    return pa.Array.from_buffers(dtype, len(values), [None, pa.py_buffer(data)])


def _book_arrays(events: Sequence[Event], schema: Any) -> list[Any]:
    """Explode updates to one row a level."""
    rows: list[tuple[int, int, int, int]] = []
    heads: list[tuple[int, int, int, int, int, int]] = []
    counts: list[int] = []
    for event in events:
        assert isinstance(event, (BookDelta, BookSnapshot))
        start = len(rows)
        if isinstance(event, BookDelta):
            flags, first, previous = 0, event.first_sequence, event.previous_sequence
        else:
            flags, first, previous = _SNAPSHOT, event.sequence, -1
        rows += [(1, price, size, flags) for price, size in event.bids]
        rows += [(2, price, size, flags) for price, size in event.asks]
        if len(rows) == start:
            rows.append((0, 0, 0, flags))
        if flags:
            rows[start] = (*rows[start][:3], rows[start][3] | _CLEAR)
        rows[-1] = (*rows[-1][:3], rows[-1][3] | _LAST)
        counts.append(len(rows) - start)
        heads.append((event.ts_event, event.ts_recv, event.seq, event.sequence, first, previous))
    try:
        head = np.repeat(np.array(heads, dtype=np.int64), counts, axis=0)
        row = np.array(rows, dtype=np.int64)
    except OverflowError:
        raise NumberError("a book level or sequence does not fit 64 bits") from None
    if (np.abs(row[:, 1:3]) >= RAW_LIMIT).any():
        raise NumberError("a book level has more than 18 digits at this precision")
    values = [*(head[:, i] for i in range(3)), *(row[:, i] for i in range(4)), *(head[:, i] for i in range(3, 6))]
    return [
        pa.array(value.astype(np.int8)) if field.type == pa.int8() else raw_array(value, field.type)
        for value, field in zip(values, schema)
    ]


def from_record_batch(batch: Any, instruments: Lookup) -> list[Event]:
    """The events of :func:`to_record_batch`'s rows; a book update whose rows are not all there is an error."""
    metadata = {key.decode(): value.decode() for key, value in (batch.schema.metadata or {}).items()}
    name = metadata.get("onetape.type")
    if name is None:
        raise DecodeError("rows without the name of their event type in the schema's metadata")
    if int(metadata.get("onetape.codec", 1)) > CODEC_VERSION:
        raise TapeError(f"{name} rows are of a newer codec version; this onetape reads up to {CODEC_VERSION}")
    instrument: Instrument | None = None
    if "onetape.instrument" in metadata:
        instrument = find_instrument(
            instruments, metadata["onetape.instrument"], int(metadata.get("onetape.version", 0))
        )
    if name == BookDelta.KIND:
        assert instrument is not None
        return book_events(instrument, _book_rows(batch))
    cls = event_type(name)
    columns: dict[str, list[Any]] = {}
    for field, kind in (*cls.FIELDS.items(), *((common, "time") for common in COMMON_FIELDS)):
        if kind == "instrument":
            columns[field] = [instrument] * batch.num_rows
            continue
        key = field.removesuffix("_raw")
        if key not in batch.schema.names:
            raise DecodeError(f"no column {key}", channel=name)
        columns[field] = _python_values(kind, batch.column(key))
    names = list(columns)
    return [cls(**dict(zip(names, values))) for values in zip(*columns.values())]


def _python_values(kind: str, array: Any) -> list[Any]:
    if kind in ("price", "price?", "size", "int", "time"):
        raw = raw_values(array)
        if array.null_count:
            raw = np.where(array.is_null().to_numpy(zero_copy_only=False), NO_PRICE, raw)
        values: list[Any] = raw.tolist()
        return values
    if kind == "amount":
        width = array.type.bit_width // 8
        data = array.buffers()[1].to_pybytes()
        start = array.offset * width
        return [
            int.from_bytes(data[i : i + width], "little", signed=True)
            for i in range(start, start + width * len(array), width)
        ]
    if kind == "definition":
        return [Instrument(**json.loads(text)) for text in array.to_pylist()]
    if kind in ("text", "bool"):
        return list(array.to_pylist())
    members = {int(member): member for member in enum_type(kind)}
    try:
        return [members[value] for value in array.to_pylist()]
    except KeyError as error:
        raise TapeError(f"{error} is not a {kind} this onetape knows: written by a newer one?") from None


def _book_rows(batch: Any) -> dict[str, list[int]]:
    return {
        name: (array.to_pylist() if array.type == pa.int8() else raw_values(array).tolist())
        for name, array in zip(batch.schema.names, batch.columns)
    }


def book_events(instrument: Instrument, rows: Mapping[str, list[int]]) -> list[Event]:
    """Gather book rows, one a level, given by column, to updates and snapshots."""
    events: list[Event] = []
    bids: list[tuple[int, int]] = []
    asks: list[tuple[int, int]] = []
    sequence, first, previous = rows["sequence"], rows["first_sequence"], rows["previous_sequence"]
    times = list(zip(rows["ts_event"], rows["ts_recv"], rows["seq"]))
    flag = _LAST
    for i, (side, price, size, flag) in enumerate(zip(rows["side"], rows["price"], rows["size"], rows["flags"])):
        if side == _BUY:
            bids.append((price, size))
        elif side == _SELL:
            asks.append((price, size))
        if not flag & _LAST:
            continue
        if flag & _SNAPSHOT:
            events.append(BookSnapshot(instrument, tuple(bids), tuple(asks), sequence[i], *times[i]))
        else:
            delta = BookDelta(instrument, tuple(bids), tuple(asks), first[i], sequence[i], previous[i], *times[i])
            events.append(delta)
        bids, asks = [], []
    if not flag & _LAST:
        raise DecodeError("the last book update has no row marked as its last", channel=BookDelta.KIND)
    return events
