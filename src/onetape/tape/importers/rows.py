"""Rows of a table, as columns of text in our terms, to the tape's columns; what is wrong is left out, by row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.errors import ConfigurationError, TapeError
from onetape.model.event import FRAME_SHIFT
from onetape.model.instrument import Instrument
from onetape.model.numbers import format_raw
from onetape.tape.importers.request import EARLIEST, LATEST, Import
from onetape.tape.importers.text import BoolArray, Int64Array, Numbers, number_column, sides, times

#: Fields of each kind: those a file must give, then those it may.
REQUIRED = {
    "trade": ("ts", "price", "size"),
    "quote": ("ts", "bid", "ask", "bid_size", "ask_size"),
    "bar": ("ts", "open", "high", "low", "close", "volume"),
    "book": ("ts", "side", "price", "size"),
}
OPTIONAL = {
    "trade": ("ts_recv", "side", "buyer_maker", "trade_id", "symbol"),
    "quote": ("ts_recv", "sequence", "symbol"),
    "bar": ("ts_close", "count", "buy_volume", "symbol"),
    "book": ("ts_recv", "snapshot", "sequence", "first_sequence", "previous_sequence", "symbol"),
}
PRICES = ("price", "bid", "ask", "open", "high", "low", "close")
SIZES = ("size", "bid_size", "ask_size", "volume", "buy_volume")

_HOUR = 3_600 * 10**9
_INTERVALS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

Make = Callable[[str, int, int], Instrument]


class RowImporter:
    """Feeds batches of rows of one kind to the tape.

    ``make(symbol, price_precision, size_precision)`` gives an instrument for a symbol nobody named.
    """

    def __init__(self, job: Import, kind: str, make: Make, *, spec: str = "") -> None:
        self.job = job
        self.kind = kind
        self.spec = spec
        self._make = make
        self._instruments: dict[str, Instrument] = {}
        self._given: set[str] = set()
        self._now: dict[str, int] = {}
        self._pending: dict[str, Columns] = {}

    def feed(self, name: str, fields: dict[str, Any], numbers: Int64Array, default_symbol: str) -> None:
        """Rows at lines ``numbers`` of file ``name``; each field is a column of text."""
        if "symbol" not in fields:
            self._feed_symbol(name, fields, numbers, default_symbol)
            return
        encoded = pc.dictionary_encode(pc.fill_null(fields["symbol"], ""))
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        for code, symbol in enumerate(encoded.dictionary.cast(pa.binary()).to_pylist()):
            rows = np.flatnonzero(codes == code)
            chosen = {key: column.take(pa.array(rows)) for key, column in fields.items() if key != "symbol"}
            self._feed_symbol(name, chosen, numbers[rows], symbol.decode("utf8", "replace"))

    def finish(self) -> None:
        """Write what waited for its update to end."""
        for symbol in list(self._pending):
            self._write_book(self._pending.pop(symbol))

    def _feed_symbol(self, name: str, fields: dict[str, Any], numbers: Int64Array, symbol: str) -> None:
        if not len(numbers):
            return
        rows = _Rows(self.job, name, numbers)
        clock, good = times(fields["ts"], self.job.options.time_unit)
        rows.drop(~good, "not a time", fields["ts"])
        rows.drop(
            rows.keep & ((clock < EARLIEST) | (clock >= LATEST)), "a time before 1970 or after 2200", fields["ts"]
        )
        arrays: dict[str, npt.NDArray[np.integer]] = {"ts_event": clock}
        for field in ("sequence", "first_sequence", "previous_sequence", "count"):
            if field in fields:
                values, good, _ = number_column(fields[field]).raw(0)
                rows.drop(~good, f"{field} is not an integer", fields[field])
                arrays[field] = values
        if "side" in fields:
            arrays["side"], good = sides(fields["side"])
            rows.drop(~good, "not a side: write buy, sell or nothing", fields["side"])
        elif "buyer_maker" in fields:
            arrays["side"], good = sides(fields["buyer_maker"], buyer_maker=True)
            rows.drop(~good, "buyer_maker is not true or false", fields["buyer_maker"])
        if self.kind == "book":
            rows.drop(arrays["side"] == 0, "a book level without a side", fields["side"])
            if "snapshot" in fields:
                change = pc.is_in(pc.utf8_lower(pc.fill_null(fields["snapshot"], "")), pa.array(["delta"]))
                rows.drop(change.to_numpy(zero_copy_only=False), "the change of a size instead of the size itself")
        decimals = {field: number_column(fields[field]) for field in (*PRICES, *SIZES) if field in fields}
        for field, column in decimals.items():
            rows.drop(~column.valid, f"{field} is not a number", column.source)
        instrument = self._instrument(symbol, decimals, rows)
        if instrument is None:
            return
        for field, column in decimals.items():
            arrays[field] = self._on_grid(rows, field, column, instrument)
        self._check_values(rows, arrays, fields)
        if self.kind == "bar":
            arrays["ts_open"], arrays["ts_event"] = clock, self._bar_close(rows, fields, clock)
        arrays["ts_recv"] = self._arrivals(rows, fields, arrays["ts_event"], symbol)
        arrays["seq"] = numbers << FRAME_SHIFT
        self._write(rows, fields, arrays, instrument, symbol)

    def _instrument(self, symbol: str, decimals: dict[str, Numbers], rows: _Rows) -> Instrument | None:
        """The one given for the symbol, or one inferred, whose grid gets finer as the rows ask for it."""
        current = self._instruments.get(symbol)
        if current is None:
            current = self.job.known(symbol)
            if current is not None:
                self._given.add(symbol)
                self._instruments[symbol] = current
            elif self.job.options.instrument is not None:
                rows.drop(rows.keep, f"unknown symbol {symbol!r}")
                return None
        if current is not None and symbol in self._given:
            return current
        prices = [decimals[field].needed() for field in PRICES if field in decimals]
        sizes = [decimals[field].needed() for field in SIZES if field in decimals]
        price, size = max(prices, default=0), max(sizes, default=0)
        if current is None:
            made = self._make(symbol, price, size)
            versions = self.job.manifest.versions.get(made.id)
            current = versions[max(versions)] if versions else made
            if not versions:
                self.job.report.inferred.append(made)
        price, size = max(price, current.price_precision), max(size, current.size_precision)
        if (price, size) != (current.price_precision, current.size_precision):
            made = self._make(symbol, price, size)
            current = made.replace(version=current.version + 1)
            self.job.report.inferred.append(current)
        self._instruments[symbol] = current
        return current

    def _on_grid(self, rows: _Rows, field: str, column: Numbers, instrument: Instrument) -> Int64Array:
        price = field in PRICES
        precision = instrument.price_precision if price else instrument.size_precision
        step = instrument.tick_raw if price else instrument.lot_raw
        raw, fits, fine = column.raw(precision)
        off = fine | (raw % step != 0)
        if self.kind == "bar" and not price:
            off = fine
        grid = format_raw(step, precision)
        rows.drop(off, f"{field} is off the grid of {grid}", column.source, detail=_nearest(step, precision))
        rows.drop(column.valid & ~fine & ~fits, f"{field} has more than 18 digits", column.source)
        return raw

    def _check_values(self, rows: _Rows, arrays: dict[str, Any], fields: dict[str, Any]) -> None:
        if self.kind == "trade":
            rows.drop(arrays["size"] <= 0, "the size of a trade must be positive", fields["size"])
        for field in SIZES:
            if field in arrays:
                rows.drop(arrays[field] < 0, f"{field} is negative", fields[field])
        if self.kind == "quote":
            for price, size in (("bid", "bid_size"), ("ask", "ask_size")):
                arrays[price] = np.where(arrays[size] == 0, 0, arrays[price])
        if self.kind == "bar":
            high, low = arrays["high"], arrays["low"]
            body_high = np.maximum(arrays["open"], arrays["close"])
            body_low = np.minimum(arrays["open"], arrays["close"])
            rows.drop(
                (high < body_high) | (low > body_low), "open or close lies outside of low to high", fields["high"]
            )

    def _bar_close(self, rows: _Rows, fields: dict[str, Any], opens: Int64Array) -> Int64Array:
        if self.spec.endswith("M"):
            months: Int64Array = opens.astype("datetime64[ns]").astype("datetime64[M]") + int(self.spec[:-1])
            return months.astype("datetime64[ns]").astype(np.int64)
        if self.spec:
            return opens + interval_ns(self.spec)
        if "ts_close" in fields:
            closes: Int64Array
            closes, good = times(fields["ts_close"], self.job.options.time_unit)
            rows.drop(~good, "ts_close is not a time", fields["ts_close"])
            return closes
        steps = np.diff(opens[rows.keep])
        if not (steps > 0).any():
            raise ConfigurationError("cannot tell how long a bar is; give its spec, for example 1m")
        step = int(steps[steps > 0].min())
        self.spec = _spec_of(step)
        self.job.report.note(f"bars of {self.spec}, by the time between them")
        return opens + step

    def _arrivals(self, rows: _Rows, fields: dict[str, Any], clock: Any, symbol: str) -> Int64Array:
        """Arrival times in order; an earlier one becomes the one before, a leap ahead and back is dropped."""
        arrivals: Int64Array = clock
        if "ts_recv" in fields:
            arrivals, good = times(fields["ts_recv"], self.job.options.time_unit)
            rows.drop(~good, "ts_recv is not a time", fields["ts_recv"])
            rows.drop(
                (arrivals < EARLIEST) | (arrivals >= LATEST),
                "ts_recv before 1970 or after 2200",
                fields["ts_recv"],
            )
        kept = np.flatnonzero(rows.keep)
        if not len(kept):
            return arrivals
        line = arrivals[kept]
        before = np.concatenate([[self._now.get(symbol, line[0])], line[:-1]])
        leaps = np.zeros(len(line), bool)
        leaps[:-1] = (line[:-1] > line[1:] + _HOUR) & (line[:-1] > before[:-1] + _HOUR) & (line[1:] >= before[:-1])
        if leaps.any():
            mask = np.zeros(len(arrivals), bool)
            mask[kept[leaps]] = True
            rows.drop(mask, "the time leaps ahead by more than an hour and back")
            line, kept = line[~leaps], kept[~leaps]
        backwards = int((line[1:] < line[:-1]).sum())
        if len(line) > 20 and backwards > len(line) // 2:
            raise TapeError(f"{rows.name}: the times run backwards; sort the file by time and import it again")
        ordered = np.maximum(np.maximum.accumulate(line), self._now.get(symbol, -1))
        late = ordered != line
        if late.any():
            report = self.job.report
            report.clamped += int(late.sum())
            report.first_clamped = report.first_clamped or rows.place(int(kept[late][0]))
        self._now[symbol] = int(ordered[-1])
        result = arrivals.copy()
        result[kept] = ordered
        return result

    def _write(
        self, rows: _Rows, fields: dict[str, Any], arrays: dict[str, Any], instrument: Instrument, symbol: str
    ) -> None:
        keep = rows.keep
        if not keep.any():
            return
        if self.kind == "book":
            self._gather_book(rows, fields, arrays, instrument, symbol)
            return
        ids = None
        if "trade_id" in fields:
            ids = pc.fill_null(fields["trade_id"], "").filter(pa.array(keep)).to_pylist()
        columns = {field: array[keep] for field, array in arrays.items()}
        self.job.append_columns(Columns(self.kind, instrument, columns, trade_ids=ids, spec=self.spec))

    def _gather_book(
        self, rows: _Rows, fields: dict[str, Any], arrays: dict[str, Any], instrument: Instrument, symbol: str
    ) -> None:
        """Rows of one update stay together; the last may go on in the next batch, so it waits."""
        keep = rows.keep
        snapshot = np.zeros(len(keep), bool)
        if "snapshot" in fields:
            words = pc.utf8_lower(pc.fill_null(fields["snapshot"], ""))
            snapshot = pc.is_in(words, pa.array(["true", "1", "snap", "snapshot"])).to_numpy(zero_copy_only=False)
        columns = {field: array[keep] for field, array in arrays.items()}
        columns["flags"] = np.where(snapshot[keep], int(BookFlag.SNAPSHOT), 0).astype(np.int8)
        columns.setdefault("first_sequence", columns.get("sequence", np.zeros(int(keep.sum()), np.int64)))
        run = Columns("book", instrument, columns)
        waiting = self._pending.pop(symbol, None)
        if waiting is not None and waiting.instrument != instrument:
            self._write_book(waiting)
        elif waiting is not None:
            run = Columns("book", instrument, {key: np.concatenate([waiting[key], run[key]]) for key in run.arrays})
        starts = _update_starts(run)
        if len(starts) > 1:
            self._write_book(run.slice(0, int(starts[-1])))
        self._pending[symbol] = run.slice(int(starts[-1]), run.rows)

    def _write_book(self, run: Columns) -> None:
        starts = _update_starts(run)
        flags = run["flags"].copy()
        flags[np.append(starts[1:], run.rows) - 1] |= int(BookFlag.LAST)
        first = starts[run["flags"][starts] & int(BookFlag.SNAPSHOT) != 0]
        flags[first] |= int(BookFlag.CLEAR)
        # All rows of an update are one event: they have the number of its first.
        lengths = np.diff(np.append(starts, run.rows))
        arrays = {**run.arrays, "flags": flags, "seq": np.repeat(run["seq"][starts], lengths)}
        self.job.append_columns(Columns("book", run.instrument, arrays))


class _Rows:
    """Which rows of a batch are still good."""

    def __init__(self, job: Import, name: str, numbers: Int64Array) -> None:
        self.name = name
        self.keep: BoolArray = np.ones(len(numbers), bool)
        self._job = job
        self._numbers = numbers

    def place(self, row: int) -> str:
        return f"{self.name}:{self._numbers[row]}"

    def drop(self, mask: BoolArray, reason: str, text: Any = None, detail: Callable[[str], str] | None = None) -> None:
        """Leave out rows that are still in and have ``mask`` set; each is reported with what it says."""
        rows = np.flatnonzero(mask & self.keep)
        if not len(rows):
            return
        self.keep[rows] = False
        report = self._job.report
        shown = rows[:1_000]
        values = (
            [None] * len(shown)
            if text is None
            else text.take(pa.array(shown)).cast(pa.string()).cast(pa.binary()).to_pylist()
        )
        for row, value in zip(shown, values):
            what = (value or b"").decode("utf8", "replace")[:80]
            more = f": {what!r}" if value else ": it is missing" if text is not None else ""
            report.skip(self.place(int(row)), reason + more + (detail(what) if detail else ""), reason)
        report.skipped_by_reason[reason] += len(rows) - len(shown)


def _update_starts(run: Columns) -> Int64Array:
    """Where a new update begins: another time, sequence or snapshot than in the row before."""
    changed = np.zeros(run.rows, bool)
    changed[0] = True
    for name in ("ts_event", "ts_recv", "sequence", "flags"):
        changed[1:] |= run[name][1:] != run[name][:-1]
    return np.flatnonzero(changed)


def _nearest(step: int, precision: int) -> Callable[[str], str]:
    def text(value: str) -> str:
        try:
            below = int(Decimal(value).scaleb(precision) // step) * step
        except (ArithmeticError, ValueError):
            return ""
        return f"; the nearest are {format_raw(below, precision)} and {format_raw(below + step, precision)}"

    return text


def interval_ns(spec: str) -> int:
    """Length of a bar by time."""
    number, unit = spec[:-1], spec[-1:]
    seconds = _INTERVALS.get(unit)
    if not number.isdigit() or int(number) == 0 or seconds is None:
        raise ConfigurationError(f"{spec!r} is not a length of time; write for example 1s, 5m, 1h, 1d")
    return int(number) * seconds * 10**9


def _spec_of(step: int) -> str:
    for unit in ("w", "d", "h", "m", "s"):
        length = _INTERVALS[unit] * 10**9
        if step % length == 0:
            return f"{step // length}{unit}"
    raise ConfigurationError(f"bars {step} ns apart have no usual name; give their spec, for example 1s")
