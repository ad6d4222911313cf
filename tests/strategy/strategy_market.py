"""A small market in memory for tests of strategies: quotes of known prices, one a second."""

from __future__ import annotations

import numpy as np

from onetape.app.backtest import backtest
from onetape.app.result import Result
from onetape.model.columns import Columns
from onetape.model.enums import InstrumentKind
from onetape.model.instrument import Instrument
from onetape.strategy.base import Strategy

SECOND = 1_000_000_000
PERP = Instrument("BTC-USDT-PERP.DESK", InstrumentKind.PERPETUAL, tick_size="0.5", lot_size="0.001")
OTHER = Instrument("ETH-USDT-PERP.DESK", InstrumentKind.PERPETUAL, tick_size="0.5", lot_size="0.001")
HUGE = Instrument("PEPE-USDT-PERP.DESK", InstrumentKind.PERPETUAL, tick_size="0.5", lot_size="0.001")


def quotes(instrument: Instrument, bids: list[int], *, start: int = SECOND, size: int = 10**17) -> Columns:
    """One quote a second, a tick wide; bids in ticks of a half."""
    count = len(bids)
    bid = np.array(bids) * 5
    return Columns(
        "quote",
        instrument,
        {
            "ts_recv": np.arange(count) * SECOND + start,
            "seq": np.arange(count),
            "bid": bid,
            "ask": bid + 5,
            "bid_size": np.full(count, size),
            "ask_size": np.full(count, size),
        },
    )


def play(*strategies: Strategy, bids: list[int] | None = None, **options: object) -> Result:
    rows = bids or [200] * 20
    columns = [quotes(PERP, rows), quotes(OTHER, rows), quotes(HUGE, rows, size=10**18 - 1)]
    return backtest(list(strategies), columns, **options)  # type: ignore[arg-type]
