"""The benchmark's market data: deterministic, plain int64 columns that every engine converts from.

``load(workload, n)`` gives the columns of a workload; prices and sizes are integers scaled by the precisions
of ``SPECS[workload].instrument``. Timestamps are nanoseconds since the epoch, strictly increasing except in l2
(a trade and the book change it causes share one), and ``ts_event == ts_recv`` for every event.

Run as a script it only fills the cache: ``python benchmarks/workloads.py quotes --n 1000``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.int64]]

CACHE = Path(__file__).parent / ".cache"
REVISION = 1  # raise it whenever a generator changes: cached files carry it in their names
START_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00:00Z
MINUTE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Instrument:
    """A linear BTC/USDT contract, fees as fractions of the notional."""

    price_precision: int
    tick_raw: int  # price increment in units of 10**-price_precision
    symbol: str = "BTCUSDT"
    base: str = "BTC"
    quote: str = "USDT"
    size_precision: int = 3
    lot_raw: int = 1
    maker_fee: float = 0.0002
    taker_fee: float = 0.0005

    @property
    def tick_size(self) -> float:
        return self.tick_raw / 10.0**self.price_precision

    @property
    def lot_size(self) -> float:
        return self.lot_raw / 10.0**self.size_precision


@dataclass(frozen=True, slots=True)
class Spec:
    """One workload: its full size, its instrument, what a strategy does with it."""

    name: str
    events: int
    instrument: Instrument
    order_raw: int  # size of each order, in units of 10**-size_precision
    columns: tuple[str, ...]
    fast: int = 0
    slow: int = 0
    requote_ns: int = 0


CENT = Instrument(price_precision=2, tick_raw=1)
DIME = Instrument(price_precision=1, tick_raw=1)
QUOTE = ("ts", "bid", "bid_size", "ask", "ask_size")

SPECS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec("quotes", 1_000_000, CENT, 0, QUOTE),
        Spec("trades", 1_000_000, CENT, 10, ("ts", "price", "size", "aggressor"), fast=50, slow=200),
        Spec("bars", 500_000, CENT, 10, ("ts", "open", "high", "low", "close", "volume"), fast=20, slow=50),
        Spec("orders", 100_000, CENT, 10, QUOTE),
        Spec("l2", 2_000_000, DIME, 10, ("ts", "kind", "side", "price", "size"), requote_ns=100_000_000),
        Spec("load", 20_000_000, CENT, 0, QUOTE),
    )
}

# l2: the column ``kind``. ``side`` is 0 for bid or buy, 1 for ask or sell; a trade's side is the aggressor's.
# The book before the first event is in ``snapshot_side``, ``snapshot_price``, ``snapshot_size``.
DELTA, TRADE = 0, 1


def _rng(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([20250101, *name.encode()]))


def _times(rng: np.random.Generator, n: int, mean_gap_ns: float) -> NDArray[np.int64]:
    return START_NS + np.cumsum(rng.exponential(mean_gap_ns, n).astype(np.int64) + 1)


def _sizes(rng: np.random.Generator, n: int, low: int, median: float) -> NDArray[np.int64]:
    return low + (median * rng.lognormal(0.0, 1.0, n)).astype(np.int64)


def _walk(rng: np.random.Generator, n: int, start: int, step: float, floor: int) -> NDArray[np.int64]:
    """A random walk with a slowly wandering drift, reflected at `floor`."""
    drift = np.repeat(rng.normal(0.0, step * 0.05, n // 2_000 + 1), 2_000)[:n]
    walk = start + np.cumsum(rng.normal(0.0, step, n) + drift)
    return floor + np.abs(walk - floor).astype(np.int64)


def _quote_columns(rng: np.random.Generator, n: int, t0: int, start: int) -> Columns:
    bid = _walk(rng, n, start, 1.5, 1_000_000)
    ask = bid + rng.integers(1, 4, n)
    return {
        "ts": _times(rng, n, 10_000_000.0) - START_NS + t0,
        "bid": bid,
        "bid_size": _sizes(rng, n, 20, 800.0),
        "ask": ask,
        "ask_size": _sizes(rng, n, 20, 800.0),
    }


def quotes(n: int) -> Columns:
    return _quote_columns(_rng("quotes"), n, START_NS, 6_000_000)


def trades(n: int) -> Columns:
    rng = _rng("trades")
    aggressor = rng.integers(0, 2, n) * 2 - 1  # +1 buyer, -1 seller
    price = _walk(rng, n, 6_000_000, 40.0, 1_000_000) + aggressor * rng.integers(0, 30, n)
    return {
        "ts": _times(rng, n, 50_000_000.0),
        "price": price,
        "size": _sizes(rng, n, 20, 50.0),
        "aggressor": aggressor,
    }


def bars(n: int) -> Columns:
    """One-minute bars without holes; ``ts`` is the close of the minute."""
    rng = _rng("bars")
    close = _walk(rng, n, 6_000_000, 3_000.0, 1_000_000)
    open_ = np.concatenate(([np.int64(6_000_000)], close[:-1])) + rng.integers(-20, 21, n)
    high = np.maximum(open_, close) + rng.integers(0, 2_000, n)
    low = np.minimum(open_, close) - rng.integers(0, 2_000, n)
    return {
        "ts": START_NS + np.arange(1, n + 1, dtype=np.int64) * MINUTE_NS,
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": _sizes(rng, n, 1_000, 20_000.0),
    }


def l2(n: int) -> Columns:
    from l2_flow import generate  # a module of its own: it is a small market, not a few random columns

    return generate(_rng("l2"), n, START_NS)


GENERATORS: dict[str, Callable[[int], Columns]] = {
    "quotes": quotes,
    "trades": trades,
    "bars": bars,
    "orders": quotes,
    "l2": l2,
}


def load(workload: str, n: int | None = None) -> Columns:
    """The columns of `workload`, `n` events long (its full size if None), from the cache or generated into it."""
    n = SPECS[workload].events if n is None else n
    source = "quotes" if workload == "orders" else workload
    path = CACHE / f"{source}-{n}-r{REVISION}.npz"
    if not path.exists():
        _publish(path, lambda part: np.savez(part, **GENERATORS[workload](n)))  # type: ignore[arg-type]
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


QUOTE_CHUNK = 1_000_000


def quote_chunks(n: int) -> Iterator[Columns]:
    """The load workload's quotes in chunks, so that a file larger than memory can be made of them."""
    rng, t0, start = _rng("load"), START_NS, 6_000_000
    for first in range(0, n, QUOTE_CHUNK):
        chunk = _quote_columns(rng, min(QUOTE_CHUNK, n - first), t0, start)
        t0, start = int(chunk["ts"][-1]), int(chunk["bid"][-1])
        yield chunk


def quotes_parquet(n: int | None = None) -> Path:
    """A Parquet file of `n` quotes, int64 columns named as in QUOTE, one row group a chunk."""
    n = SPECS["load"].events if n is None else n
    path = CACHE / f"load-{n}-r{REVISION}.parquet"
    if not path.exists():
        _publish(path, lambda part: _write_parquet(part, n))
    return path


def _write_parquet(path: Path, n: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64()) for name in QUOTE])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for chunk in quote_chunks(n):
            arrays = [pa.array(chunk[name]) for name in QUOTE]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=QUOTE_CHUNK)


def _publish(path: Path, write: Callable[[Path], Any]) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{os.getpid()}-{path.name}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="fill the cache of benchmark data")
    parser.add_argument("workload", choices=[*SPECS, "all"])
    parser.add_argument("--n", type=int)
    args = parser.parse_args()
    for name in SPECS if args.workload == "all" else (args.workload,):
        if name == "load":
            quotes_parquet(args.n)
        else:
            load(name, args.n)
        print(f"{name}: ready", file=sys.stderr)


if __name__ == "__main__":
    main()
