"""How columns lie in Parquet: the codec's Arrow form, and an encoding for each column.

Integers of 8 bytes are delta-encoded, which on market data beats dictionaries in size and in speed of decoding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from onetape.model.arrow import RAW_LIMIT, arrow_schema, raw_array
from onetape.model.columns import COLUMNS, SMALL_COLUMNS, TIME_COLUMNS, Columns
from onetape.model.errors import NumberError, TapeError
from onetape.model.event import Event
from onetape.model.market import Bar, BookDelta, Quote, Trade

HOT_TYPES: dict[str, type[Event]] = {"trade": Trade, "quote": Quote, "book": BookDelta, "bar": Bar}

_DECIMALS = ("price", "size", "bid", "ask", "bid_size", "ask_size", "open", "high", "low", "close", "volume")


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """Arguments of :class:`pyarrow.parquet.ParquetWriter` for a part file."""
    delta, dictionary = {}, []
    for field in schema:
        kind = field.type
        if pa.types.is_int64(kind) or pa.types.is_timestamp(kind) or pa.types.is_decimal64(kind):
            delta[field.name] = "DELTA_BINARY_PACKED"
        elif field.name == "trade_id":
            delta[field.name] = "DELTA_BYTE_ARRAY"
        elif not pa.types.is_decimal(kind):
            dictionary.append(field.name)
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": dictionary or False,
        "column_encoding": delta or None,
        "data_page_version": "2.0",
        "write_statistics": True,
        "store_decimal_as_integer": True,
        "version": "2.6",
    }


def check_columns(columns: Columns) -> None:
    """Refuse numbers that a DECIMAL(18) does not hold, and a book run that ends within an update."""
    for name in _DECIMALS:
        array = columns.arrays.get(name)
        if array is not None and max(-int(array.min()), int(array.max())) >= RAW_LIMIT:
            raise NumberError(f"{columns.instrument.id} {columns.kind} column {name}: a number has more than 18 digits")
    if columns.kind == "book" and not columns["flags"][-1] & 1:
        raise TapeError(f"{columns.instrument.id}: book columns end within an update (no LAST flag on the last row)")


def columns_to_batch(columns: Columns) -> pa.RecordBatch:
    """The codec's rows of ``columns``, over the same memory."""
    schema = arrow_schema(HOT_TYPES[columns.kind], columns.instrument)
    arrays = []
    for field in schema:
        if field.name == "trade_id":
            arrays.append(pa.array(columns.trade_ids or [""] * columns.rows, field.type))
        elif field.name == "spec":
            arrays.append(pa.repeat(pa.scalar(columns.spec, field.type), columns.rows))
        elif field.name in SMALL_COLUMNS:
            arrays.append(pa.array(columns[field.name], field.type))
        else:
            arrays.append(raw_array(columns[field.name], field.type))
    return pa.record_batch(arrays, schema=schema)


def wanted_columns(kind: str, projection: tuple[str, ...] | None, trade_ids: bool) -> list[str]:
    """Names to read from a part file of a hot kind; ``ts_recv`` and ``seq`` order the tape and always come."""
    names = [*TIME_COLUMNS, *COLUMNS[kind]]
    if projection is not None:
        unknown = set(projection) - set(names)
        if unknown:
            raise TapeError(f"{kind} has no column {', '.join(sorted(unknown))}; it has {', '.join(names)}")
        always = {"ts_recv", "seq", "flags"}
        names = [name for name in names if name in projection or name in always]
    if kind == "trade" and trade_ids:
        names.append("trade_id")
    return names


def int8_values(array: Any) -> Any:
    return np.frombuffer(array.buffers()[1], np.int8, len(array), array.offset)
