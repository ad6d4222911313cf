# mypy: disable-error-code="import-not-found,misc,no-any-return,untyped-decorator"
"""hftbacktest with numba strategies: compiled before the clock starts, the time reported as compile_s.

No latency, whole fills, the queue model that assumes the worst. It knows depth and trades, so a quote becomes the
two to four level changes it stands for, and the strategy acts once for each timestamp. The last event ends the
run unseen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

import hftbacktest as hft
import numpy as np
from hftbacktest import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT
from hftbacktest.types import DEPTH_SNAPSHOT_EVENT, event_dtype
from numba import njit

from harness import Counts, Job, main
from workloads import TRADE, Columns, Spec

BOTH = EXCH_EVENT | LOCAL_EVENT
FOREVER = 2**62
WARM_UP = 2_000


@njit
def count_quotes(hbt: Any, forever: int) -> tuple[int, int]:
    seen = 0
    now = 0
    while hbt.wait_next_feed(False, forever) == 2:
        if hbt.current_timestamp != now:
            now = hbt.current_timestamp
            seen += 1
    return seen, 0


@njit
def order_every_quote(hbt: Any, forever: int, size: float) -> tuple[int, int]:
    seen = 0
    now = 0
    while hbt.wait_next_feed(False, forever) == 2:
        if hbt.current_timestamp != now:
            now = hbt.current_timestamp
            seen += 1
            hbt.clear_inactive_orders(0)
            if seen % 2:
                hbt.submit_buy_order(0, seen, 0.0, size, hft.GTC, hft.MARKET, False)
            else:
                hbt.submit_sell_order(0, seen, 0.0, size, hft.GTC, hft.MARKET, False)
    return seen, seen


@njit
def make_market(hbt: Any, interval: int, size: float) -> tuple[int, int]:
    sent = 0
    while hbt.elapse(interval) == 0:
        depth = hbt.depth(0)
        hbt.clear_inactive_orders(0)
        orders = hbt.orders(0)
        for order_id in (sent - 1, sent):
            order = orders.get(order_id)
            if order is not None and order.cancellable:
                hbt.cancel(0, order_id, False)
        tick = depth.tick_size
        hbt.submit_buy_order(0, sent + 1, depth.best_bid - tick, size, hft.GTC, hft.LIMIT, False)
        hbt.submit_sell_order(0, sent + 2, depth.best_ask + tick, size, hft.GTC, hft.LIMIT, False)
        sent += 2
    return 0, sent


def _events(n: int) -> np.ndarray[Any, Any]:
    return np.zeros(n, dtype=event_dtype)


def _depth_rows(columns: Columns, spec: Spec) -> np.ndarray[Any, Any]:
    """Quotes as level changes: the new levels first, then the old ones that are gone.

    Of the new ones the ask goes first when the price rises, the bid when it falls: a book that crosses for a
    moment makes hftbacktest search for the next level where there is none.
    """
    ts, n = columns["ts"], len(columns["ts"])
    rows = _events(n * 4).reshape(n, 4)
    rows["exch_ts"] = rows["local_ts"] = ts[:, None]
    every = np.arange(n)
    rising = np.diff(columns["bid"], prepend=columns["bid"][0]) > 0
    for i, (name, flag) in enumerate((("bid", BUY_EVENT), ("ask", SELL_EVENT))):
        price, size = columns[name], columns[f"{name}_size"]
        first = (rising != (name == "ask")).astype(np.int64)
        rows["ev"][every, first] = BOTH | DEPTH_EVENT | flag
        rows["px"][every, first] = price / 10**spec.instrument.price_precision
        rows["qty"][every, first] = size / 10**spec.instrument.size_precision
        moved = np.flatnonzero(price[1:] != price[:-1])
        rows["ev"][moved + 1, i + 2] = BOTH | DEPTH_EVENT | flag
        rows["px"][moved + 1, i + 2] = price[moved] / 10**spec.instrument.price_precision
    flat = rows.reshape(-1)
    return np.ascontiguousarray(flat[flat["ev"] != 0])


def _l2_rows(columns: Columns, spec: Spec) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    prices, sizes = 10**spec.instrument.price_precision, 10**spec.instrument.size_precision
    rows = _events(len(columns["ts"]))
    kind = np.where(columns["kind"] == TRADE, TRADE_EVENT, DEPTH_EVENT)
    rows["ev"] = BOTH | kind | np.where(columns["side"] == 0, BUY_EVENT, SELL_EVENT)
    rows["exch_ts"] = rows["local_ts"] = columns["ts"]
    rows["px"], rows["qty"] = columns["price"] / prices, columns["size"] / sizes
    opening = _events(len(columns["snapshot_side"]))
    flags = np.where(columns["snapshot_side"] == 0, BUY_EVENT, SELL_EVENT)
    opening["ev"] = BOTH | DEPTH_SNAPSHOT_EVENT | flags
    opening["exch_ts"] = opening["local_ts"] = columns["ts"][0] - 1
    opening["px"], opening["qty"] = columns["snapshot_price"] / prices, columns["snapshot_size"] / sizes
    return rows, opening


def _backtest(rows: np.ndarray[Any, Any], opening: np.ndarray[Any, Any] | None, spec: Spec) -> Any:
    fees = spec.instrument
    margin = 100 * fees.tick_size
    asset = (
        hft.BacktestAsset()
        .data(rows)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(fees.maker_fee, fees.taker_fee)
        .tick_size(fees.tick_size)
        .lot_size(fees.lot_size)
        .roi_lb(float(rows["px"].min()) - margin)
        .roi_ub(float(rows["px"].max()) + margin)
    )
    if opening is not None:
        asset = asset.initial_snapshot(opening)
    return hft.ROIVectorMarketDepthBacktest([asset])


def _job(
    strategy: Callable[..., tuple[int, int]],
    arguments: tuple[Any, ...],
    rows: np.ndarray[Any, Any],
    opening: np.ndarray[Any, Any] | None,
    spec: Spec,
    n: int,
) -> Job:
    began = time.perf_counter()
    warm_up = _backtest(rows[:WARM_UP], opening, spec)
    strategy(warm_up, *arguments)
    warm_up.close()
    compile_s = time.perf_counter() - began
    hbt = _backtest(rows, opening, spec)
    result = (0, 0)

    def run() -> None:
        nonlocal result
        result = strategy(hbt, *arguments)

    def counts(_held: Any = (rows, opening)) -> Counts:  # the backtest points into these arrays
        return Counts(result[0] or n, result[1], hbt.state_values(0).num_trades)

    return Job(run, counts, compile_s)


def quotes(columns: Columns, spec: Spec) -> Job:
    return _job(count_quotes, (FOREVER,), _depth_rows(columns, spec), None, spec, len(columns["ts"]))


def orders(columns: Columns, spec: Spec) -> Job:
    size = spec.order_raw / 10**spec.instrument.size_precision
    return _job(order_every_quote, (FOREVER, size), _depth_rows(columns, spec), None, spec, len(columns["ts"]))


def l2(columns: Columns, spec: Spec) -> Job:
    size = spec.order_raw / 10**spec.instrument.size_precision
    return _job(make_market, (spec.requote_ns, size), *_l2_rows(columns, spec), spec, len(columns["ts"]))


if __name__ == "__main__":
    main(
        "hftbacktest",
        hft.__version__,
        {"quotes": quotes, "orders": orders, "l2": l2},
        {
            "trades": "orders match against depth, and a tape of trades alone has none",
            "bars": "no bars",
            "load": "reads event files of its own only",
        },
    )
