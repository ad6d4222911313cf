# mypy: disable-error-code="import-not-found,misc,no-any-return,untyped-decorator"
"""vectorbt: the orders come from the shared Python code over a list, the portfolio from its compiled simulation.

No strategy is called while it simulates, so what needs a handler or a book cannot be said in it. Its numba code is
compiled before the clock starts, the time reported as compile_s.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import vectorbt as vbt
from numpy.typing import NDArray

from handlers import Alternate, EmaCross
from harness import Counts, Job, main
from workloads import Columns, Spec

Floats = NDArray[np.float64]
WARM_UP = 1_000


def _simulate(price: Floats, size: Floats, spec: Spec) -> Any:
    return vbt.Portfolio.from_orders(
        price, size, price=price, fees=spec.instrument.taker_fee, init_cash=1e9, freq="1min"
    )


def _job(decide: Callable[[], tuple[Floats, Floats]], spec: Spec, n: int) -> Job:
    began = time.perf_counter()
    sizes = np.where(np.arange(WARM_UP) % 2, 0.01, -0.01)
    _simulate(np.full(WARM_UP, 100.0), sizes, spec).orders.count()
    compile_s = time.perf_counter() - began
    orders = fills = 0

    def run() -> None:
        nonlocal orders, fills
        price, size = decide()
        portfolio = _simulate(price, size, spec)
        orders, fills = int(np.count_nonzero(~np.isnan(size))), int(portfolio.orders.count())

    return Job(run, lambda: Counts(n, orders, fills), compile_s)


def _cross(raw: NDArray[np.int64], spec: Spec) -> Job:
    price = raw / 10**spec.instrument.price_precision
    prices = price.tolist()
    amount = spec.order_raw / 10**spec.instrument.size_precision
    sizes = {0: np.nan, 1: amount, -1: -amount}

    def decide() -> tuple[Floats, Floats]:
        update = EmaCross(spec.fast, spec.slow).update
        return price, np.array([sizes[update(p)] for p in prices])

    return _job(decide, spec, len(prices))


def trades(columns: Columns, spec: Spec) -> Job:
    return _cross(columns["price"], spec)


def bars(columns: Columns, spec: Spec) -> Job:
    return _cross(columns["close"], spec)


def orders(columns: Columns, spec: Spec) -> Job:
    """Each order at its side's best price: the alternation is known before the run."""
    n = len(columns["ts"])
    amount = spec.order_raw / 10**spec.instrument.size_precision
    bid, ask = (columns[name] / 10**spec.instrument.price_precision for name in ("bid", "ask"))

    def decide() -> tuple[Floats, Floats]:
        update = Alternate().update
        buys = np.array([update() for _ in range(n)])
        return np.where(buys, ask, bid), np.where(buys, amount, -amount)

    return _job(decide, spec, n)


if __name__ == "__main__":
    main(
        "vectorbt",
        vbt.__version__,
        {"trades": trades, "bars": bars, "orders": orders},
        {
            "quotes": "no handler is called for an event",
            "l2": "no order book",
            "load": "works on whole arrays in memory",
        },
    )
