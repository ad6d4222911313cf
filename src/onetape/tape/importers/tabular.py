"""CSV and Parquet files of anyone, by a mapping of our fields to their columns.

``{"ts": "time", "price": "px", "size": "qty", "side": "aggressor"}``; a number instead of a column's name holds
for all rows (``{"bid_size": "1"}``). Fields that are not mapped are looked for under their usual names.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from onetape.model.errors import ConfigurationError, DecodeError, TapeError
from onetape.model.instrument import Instrument
from onetape.tape.importers.request import Import
from onetape.tape.importers.rows import OPTIONAL, REQUIRED, RowImporter
from onetape.tape.importers.source import WholeLines
from onetape.tape.importers.text import Int64Array

_BLOCK = 1 << 23
_ROWS = 131_072
_NUMBER = re.compile(r"-?\d+(\.\d+)?$")

#: Usual names of columns, in small letters without spaces and underscores; the first that a file has is taken.
USUAL = {
    "ts": (
        "ts",
        "tsevent",
        "time",
        "timestamp",
        "datetime",
        "date",
        "opentime",
        "tradetime",
        "transacttime",
        "timestamputc",
        "epoch",
        "index",
        "unnamed:0",
        "",
    ),
    "ts_recv": ("tsrecv", "localtimestamp", "receipttimestamp", "receivedat", "tsinit", "localtime"),
    "ts_close": ("closetime", "tsclose"),
    "price": ("price", "px", "last", "rate", "tradeprice"),
    "size": ("size", "qty", "quantity", "amount", "volume", "vol"),
    "side": ("side", "aggressor", "aggressorside", "direction", "takerside"),
    "buyer_maker": ("isbuyermaker", "buyermaker", "m"),
    "trade_id": ("tradeid", "id", "aggtradeid"),
    "bid": ("bid", "bidprice", "bestbid", "bestbidprice", "bidpx"),
    "ask": ("ask", "askprice", "bestask", "bestaskprice", "askpx", "offer"),
    "bid_size": ("bidsize", "bidqty", "bidamount", "bestbidqty", "bidvolume", "bidsz"),
    "ask_size": ("asksize", "askqty", "askamount", "bestaskqty", "askvolume", "asksz"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
    "count": ("count", "trades", "numberoftrades"),
    "buy_volume": ("buyvolume", "takerbuyvolume", "takerbuybaseassetvolume"),
    "snapshot": ("issnapshot", "snapshot"),
    "sequence": ("sequence", "updateid", "lastupdateid"),
    "symbol": ("symbol", "instrument", "ticker", "pair"),
}


def import_csv(job: Import) -> None:
    """Text with a header line."""
    for name, chunks in job.source.members():
        stream = WholeLines(job.source, chunks)
        head = _first_line(stream)
        text = head.lstrip(b"\xef\xbb\xbf").decode("utf8", "replace").rstrip("\r\n")
        separator = max(",;\t|", key=text.count)
        names = [part.strip().strip('"') for part in text.split(separator)]
        if not text or all(_NUMBER.match(part) for part in names):
            raise DecodeError("the first line must name the columns", path=f"{name}:1")
        batches = read_csv(job, name, stream, names, start=2, separator=separator)
        _import_rows(job, name, names, batches)


def read_csv(
    job: Import, name: str, stream: Any, names: list[str], *, start: int, separator: str = ","
) -> Iterator[tuple[Int64Array, pa.RecordBatch]]:
    """Line numbers and columns of text; lines with too few or too many fields are reported and left out."""
    wrong: list[int] = []

    def invalid(row: Any) -> Any:
        line = row.number + start - 1
        wrong.append(line)
        job.report.skip(
            f"{name}:{line}",
            f"{row.actual_columns} fields instead of {row.expected_columns}",
            "wrong number of fields",
        )
        return "skip"

    unique = [f"{column}#{i}" if column in names[:i] else column for i, column in enumerate(names)]
    try:
        # A whole block at a time: a grid is inferred from the first.
        reader = csv.open_csv(
            io.BufferedReader(stream, _BLOCK),
            read_options=csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=unique),
            parse_options=csv.ParseOptions(delimiter=separator, invalid_row_handler=invalid, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types={column: pa.string() for column in unique},
                check_utf8=False,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty" in str(error):
            return
        raise DecodeError(str(error), path=name) from None
    line = start
    try:
        for batch in reader:
            bad = np.array(sorted(set(wrong)), np.int64)
            candidates = np.arange(line, line + batch.num_rows + len(bad))
            numbers = candidates[~np.isin(candidates, bad)][: batch.num_rows]
            if len(numbers):
                line = int(numbers[-1]) + 1
                yield numbers, batch
            wrong[:] = [number for number in wrong if number >= line]
    except pa.ArrowInvalid as error:
        raise DecodeError(str(error), path=f"{name} after line {line}") from None


def import_parquet(job: Import) -> None:
    """Parquet, or Arrow (Feather). Columns may be integers, decimals, floats, times or text."""
    if job.source.zipped:
        raise TapeError(f"{job.source.path}: unpack the zip first")
    try:
        if job.source.head.startswith(b"ARROW1"):
            with pa.ipc.open_file(str(job.source.path)) as arrow:
                batches: Iterator[Any] = (arrow.get_batch(i) for i in range(arrow.num_record_batches))
                rows = sum(arrow.get_batch(i).num_rows for i in range(arrow.num_record_batches))
                _import_rows(job, job.source.name, list(arrow.schema.names), _numbered(batches, rows, job))
            return
        with pq.ParquetFile(job.source.path, pre_buffer=False) as file:
            rows = file.metadata.num_rows
            batches = file.iter_batches(batch_size=_ROWS, use_threads=False)
            _import_rows(job, job.source.name, list(file.schema_arrow.names), _numbered(batches, rows, job))
    except (pa.ArrowException, OSError) as error:
        raise DecodeError(str(error), path=job.source.name) from None


def _numbered(batches: Iterator[Any], total: int, job: Import) -> Iterator[tuple[Int64Array, Any]]:
    row = 1
    for batch in batches:
        columns = [_as_text(column) for column in batch.columns]
        yield np.arange(row, row + batch.num_rows), pa.record_batch(columns, names=batch.schema.names)
        row += batch.num_rows
        job.progress(row - 1, total)


def _as_text(column: Any) -> Any:
    """Numbers and times of any type as text; floats stay floats."""
    if pa.types.is_floating(column.type):
        return column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        return pc.cast(pc.cast(column.cast(pa.timestamp("ns", column.type.tz)), pa.int64()), pa.string())
    if pa.types.is_date(column.type):
        return pc.cast(pc.cast(column.cast(pa.timestamp("ns")), pa.int64()), pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.string(), safe=False)
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(len(column), pa.string())


def _first_line(stream: WholeLines) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (byte := stream.read(1)):
        line += byte
        if len(line) > 1 << 20:
            break
    return line


def _import_rows(
    job: Import, name: str, names: list[str], batches: Iterator[tuple[Int64Array, pa.RecordBatch]]
) -> None:
    mapping = columns_of(names, job.options.mapping)
    kind = _kind(mapping, job.options.kind, name)
    chosen = {field: column for field, column in mapping.items() if field in (*REQUIRED[kind], *OPTIONAL[kind])}
    if "side" in chosen and kind == "trade":
        chosen.pop("buyer_maker", None)
    missing = [field for field in REQUIRED[kind] if field not in chosen]
    if missing:
        raise ConfigurationError(
            f"{name}: {kind} rows need {', '.join(missing)}; map each to a number or a column "
            f"({', '.join(names)}), for example {missing[0]}={names[0]}"
        )
    job.report.note(f"{kind} rows: " + ", ".join(f"{field}={column}" for field, column in chosen.items()))
    importer = RowImporter(job, kind, _make(job), spec=job.options.spec)
    symbol = _symbol(job, name)
    for numbers, batch in batches:
        fields: dict[str, Any] = {}
        for field, column in chosen.items():
            if column in names:
                fields[field] = batch.column(names.index(column))
            else:
                fields[field] = pa.repeat(pa.scalar(column, pa.string()), batch.num_rows)
        importer.feed(name, fields, numbers, symbol)
    importer.finish()


def columns_of(names: list[str], mapping: Any) -> dict[str, str]:
    """Our fields to columns: as mapped, then by usual names."""
    fields = {field for table in (REQUIRED, OPTIONAL) for group in table.values() for field in group}
    chosen: dict[str, str] = {}
    for field, column in mapping.items():
        if field not in fields:
            raise ConfigurationError(f"{field!r} is not a field; those are {', '.join(sorted(fields))}")
        if column not in names and not _NUMBER.match(column):
            raise ConfigurationError(f"there is no column {column!r}; the file has {', '.join(names)}")
        chosen[field] = column
    plain = {re.sub(r"[\s_.\-]", "", column).lower(): column for column in reversed(names)}
    for field, usual in USUAL.items():
        if field not in chosen:
            for word in usual:
                if word in plain and (plain[word] not in chosen.values() or field in ("size", "volume")):
                    chosen[field] = plain[word]
                    break
    return chosen


def _kind(mapping: dict[str, str], kind: str, name: str) -> str:
    if kind:
        if kind not in REQUIRED:
            raise ConfigurationError(f"{kind!r} rows cannot be imported; those that can are {', '.join(REQUIRED)}")
        return kind
    if "bid" in mapping and "ask" in mapping:
        return "quote"
    if "open" in mapping and "close" in mapping:
        return "bar"
    if "snapshot" in mapping and "side" in mapping:
        return "book"
    if "price" in mapping:
        return "trade"
    raise ConfigurationError(f"{name}: cannot tell trades, quotes, bars or a book by the columns; give a mapping")


def _symbol(job: Import, name: str) -> str:
    if isinstance(job.options.instrument, Instrument):
        return job.options.instrument.symbol
    stem = re.split(r"[-. ]", name.rpartition("/")[2])[0]
    return stem.upper() or "FILE"


def _make(job: Import) -> Any:
    """An instrument of a symbol that nobody named: its text at venue LOCAL, one step is the last decimal seen."""

    def make(symbol: str, price_precision: int, size_precision: int) -> Instrument:
        name = re.sub(r"[\s/\\]+", "-", symbol).strip("-.") or "FILE"
        try:
            return Instrument(
                f"{name}.{job.options.venue or 'LOCAL'}",
                symbol=symbol,
                tick_size=f"1e-{price_precision}",
                lot_size=f"1e-{size_precision}",
            )
        except ConfigurationError as error:
            raise TapeError(f"{job.source.name}: no instrument can be inferred for {symbol!r}: {error}") from None

    return make
