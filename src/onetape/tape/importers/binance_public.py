"""Files of data.binance.vision: trades, aggTrades, klines, bookTicker, fundingRate, and the depth downloads.

Columns as https://github.com/binance/binance-public-data describes them. Spot files have no header, newer
futures files do. Times are ms; in spot files from 2025-01-01 on µs. ``bookDepth`` holds sums at percentages from
the middle instead of levels, and mark, index and premium klines are no trades: they are refused with that reason.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import PurePath
from typing import Any

from onetape.model.errors import ConfigurationError, DecodeError, OnetapeError, TapeError
from onetape.model.event import FRAME_SHIFT
from onetape.model.instrument import Instrument
from onetape.model.market import FundingRate
from onetape.model.numbers import money
from onetape.tape.importers.request import Import
from onetape.tape.importers.rows import RowImporter
from onetape.tape.importers.source import WholeLines
from onetape.tape.importers.tabular import read_csv
from onetape.tape.importers.text import times

_KLINE = [
    "ts",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "ts_close",
    "quote_volume",
    "count",
    "buy_volume",
    "buy_quote_volume",
    "ignore",
]

#: Names of each layout's columns in our terms, and the first words of its header.
LAYOUTS: dict[str, tuple[str, list[str]]] = {
    "trades": ("trade", ["trade_id", "price", "size", "quote_size", "ts", "buyer_maker", "best_match"]),
    "aggTrades": (
        "trade",
        ["trade_id", "price", "size", "first_id", "last_id", "ts", "buyer_maker", "best_match"],
    ),
    "klines": ("bar", _KLINE),
    "bookTicker": ("quote", ["sequence", "bid", "bid_size", "ask", "ask_size", "ts", "ts_recv"]),
    "depth": (
        "book",
        ["symbol", "ts", "first_sequence", "sequence", "side", "snapshot", "price", "size", "previous_sequence"],
    ),
    "fundingRate": ("funding_rate", ["ts", "interval_hours", "rate"]),
}
_HEADERS = {
    "id": "trades",
    "trade_id": "trades",
    "agg_trade_id": "aggTrades",
    "open_time": "klines",
    "update_id": "bookTicker",
    "calc_time": "fundingRate",
}
_REFUSED = {
    "bookDepth": "it holds sums at percentages from the middle price, no levels of a book",
    "markPriceKlines": "they are bars of the mark price, not of trades",
    "indexPriceKlines": "they are bars of the index, not of trades",
    "premiumIndexKlines": "they are bars of the premium index, not of trades",
    "metrics": "open interest and ratios in five-minute rows are not imported",
    "liquidationSnapshot": "use the forceOrder stream",
}
_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:_[A-Z0-9]+)?)-(?P<what>[A-Za-z]+|\d+(?:mo|[smhdw]))-\d{4}-\d{2}(?:-\d{2})?\.(?:csv|zip)"
)
_DEPTH_NAME = re.compile(r"(?P<symbol>[A-Z0-9]+(?:_(?:PERP|\d{6}))?)_[TS]_DEPTH.*\.csv", re.IGNORECASE)
_MARKETS = {"spot": "spot", "um": "usdm", "cm": "coinm"}


def public_file(name: str, first_line: str) -> tuple[str, str] | None:
    """Layout (``1m`` for klines) and symbol of a file, by its name or header; ``None`` if it is none of these."""
    base = PurePath(name).name
    found = _NAME.match(base)
    words = [word.strip().strip('"').lower() for word in first_line.split(",")]
    if words[:4] == ["symbol", "timestamp", "first_update_id", "last_update_id"]:
        return "depth", ""
    if found:
        return found["what"], found["symbol"]
    depth = _DEPTH_NAME.match(base)
    if depth:
        return "depth", depth["symbol"].upper()
    layout = _HEADERS.get(words[0])
    if layout in ("klines", "bookTicker", "fundingRate", "aggTrades") and len(words) > 2:
        return layout, ""
    return None


def import_public(job: Import) -> None:
    """Import a file, or each member of a zip."""
    for name, chunks in job.source.members():
        if name.endswith(".CHECKSUM"):
            continue
        stream = WholeLines(job.source, chunks)
        _import_member(job, name, stream)


def _import_member(job: Import, name: str, stream: WholeLines) -> None:
    first = _peek(stream)
    line = first.partition(b"\n")[0].decode("utf8", "replace").strip()
    found = public_file(name, line) or public_file(job.source.name, line)
    if found is None:
        raise TapeError(f"{name}: not the name of a file of data.binance.vision; name it SYMBOL-trades-2024-08-08.csv")
    what, symbol = found
    folders = {part for path in (name, str(job.source.path)) for part in PurePath(path).parts}
    refused = next((part for part in (what, *folders) if part in _REFUSED), None)
    if refused:
        raise TapeError(f"{name}: {refused} files cannot be imported: {_REFUSED[refused]}")
    layout = what if what in LAYOUTS else "klines"
    kind, columns = LAYOUTS[layout]
    fields = line.split(",")
    header = (not fields[0].strip().strip('"').lstrip("-").isdigit() and layout != "depth") or fields[0] == "symbol"
    if not line:
        job.report.note(f"{name} is empty")
        return
    if len(fields) < len(columns) - columns.count("previous_sequence") - columns.count("best_match"):
        raise DecodeError(f"{len(fields)} columns; {layout} files have {len(columns)}", path=f"{name}:1")
    columns = columns[: len(fields)] + [f"more{i}" for i in range(len(columns), len(fields))]
    market = job.options.market or _market(folders, symbol, layout, fields, header)
    job.report.note(f"{name}: {layout} of {symbol or 'the symbols inside'}, market {market}")
    batches = read_csv(job, name, _Joined(first, stream), columns, start=1)
    if kind == "funding_rate":
        _import_funding(job, name, batches, columns, symbol, market, header)
        return
    spec = what.replace("mo", "M") if layout == "klines" and what != "klines" else job.options.spec
    importer = RowImporter(job, kind, _maker(job, market), spec=spec)
    wanted = set(columns) - {"quote_size", "best_match", "first_id", "last_id", "ignore"}
    if layout == "bookTicker":
        wanted.discard("ts_recv")
    for numbers, batch in batches:
        if header and numbers[0] == 1:
            numbers, batch = numbers[1:], batch.slice(1)
        chosen = {
            column: batch.column(i) for i, column in enumerate(columns) if column in wanted and column[:4] != "more"
        }
        importer.feed(name, chosen, numbers, symbol)
    importer.finish()


def _import_funding(
    job: Import, name: str, batches: Any, columns: list[str], symbol: str, market: str, header: bool
) -> None:
    instrument = job.known(symbol) or _on_tape_or_made(job, symbol, market)
    for numbers, batch in batches:
        clock, good = times(batch.column(columns.index("ts")))
        rates = batch.column(columns.index("rate")).to_pylist()
        for number, moment, fine, rate in zip(numbers.tolist(), clock.tolist(), good.tolist(), rates):
            place = f"{name}:{number}"
            if header and number == 1:
                continue
            if not fine:
                job.report.skip(place, "not a time")
                continue
            try:
                event = FundingRate(instrument, money(rate), 0, moment, moment, number << FRAME_SHIFT)
            except OnetapeError as error:
                job.report.skip(place, str(error), "rate is not a number")
                continue
            job.append(event, place)


def _on_tape_or_made(job: Import, symbol: str, market: str) -> Instrument:
    made: Instrument = _maker(job, market)(symbol, 8, 8)
    versions = job.manifest.versions.get(made.id)
    if versions:
        return versions[max(versions)]
    job.report.inferred.append(made)
    return made


def _market(folders: set[str], symbol: str, layout: str, fields: list[str], header: bool) -> str:
    """By the folders of the site, else by what is different in the columns of each market."""
    for folder, market in _MARKETS.items():
        if folder in folders:
            return market
    if "_" in symbol:
        return "coinm" if symbol.partition("_")[0].endswith("USD") else "usdm"
    if layout in ("trades", "aggTrades"):
        return "spot" if len(fields) == len(LAYOUTS[layout][1]) else "usdm"
    return "usdm" if header or layout in ("bookTicker", "fundingRate", "depth") else "spot"


def _maker(job: Import, market: str) -> Any:
    symbols: Any = import_module("onetape.venues.binance.symbols")

    def make(symbol: str, price_precision: int, size_precision: int) -> Instrument:
        try:
            made: Instrument = symbols.infer_instrument(
                symbol, market, job.options.venue or "BINANCE", price_precision, size_precision
            )
        except OnetapeError as error:
            raise ConfigurationError(f"{job.source.name}: {error}; name the instrument") from None
        return made

    return make


def _peek(stream: WholeLines) -> bytes:
    data = b""
    while b"\n" not in data and (more := stream.read(1 << 16)):
        data += more
    return data


class _Joined(WholeLines):
    """A stream with the bytes already taken from it put back."""

    def __init__(self, first: bytes, stream: WholeLines) -> None:
        super().__init__(stream._source, iter(()))
        self._first = first
        self._stream = stream

    def readinto(self, buffer: Any) -> int:
        if self._first:
            size = min(len(buffer), len(self._first))
            buffer[:size] = self._first[:size]
            self._first = self._first[size:]
            return size
        return self._stream.readinto(buffer)
