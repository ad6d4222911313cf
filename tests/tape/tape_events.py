"""Instruments and events that the tests of the tape share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onetape.model.enums import Health, MarkKind, Side
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    FundingRate,
    InstrumentUpdate,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Quote,
    Trade,
)
from onetape.model.system import Gap, SessionMark, StreamHealth, Timer

SHARED_DATA = Path(os.environ.get("ONETAPE_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
NOON = 1_723_118_400 * 10**9
DAY = 86_400 * 10**9

BTC = Instrument("BTC-USDT.BINANCE", tick_size="0.01", lot_size="0.00001")
ETH = Instrument("ETH-USDT.BINANCE", tick_size="0.001", lot_size="0.0001")


def shared(path: str) -> Path:
    """A file of the data that was not made here; the test is skipped where there is none."""
    found = SHARED_DATA / path
    if not found.exists():
        pytest.skip(f"needs {path} of the shared data, which is not in {SHARED_DATA}")
    return found


def every_kind(instrument: Instrument, count: int, start: int = NOON, step: int = 1_000) -> list[Event]:
    """``count`` events of each kind, interleaved, one frame each step."""
    events: list[Event] = []
    for k in range(count):
        t = {"ts_event": start + k * step - 5, "ts_recv": start + k * step}
        seq = iter(range(k << 16, (k << 16) + 99))
        book: Event
        if k % 7 == 0:
            book = BookSnapshot(instrument, ((10, 5), (9, 1)), ((11, 2),), k, **t, seq=next(seq))
        elif k % 7 == 1:
            book = BookDelta(instrument, (), (), k, k, k - 1, **t, seq=next(seq))
        else:
            book = BookDelta(instrument, ((10, k),), ((11, 0), (12, k)), k, k, k - 1, **t, seq=next(seq))
        events += [
            InstrumentUpdate(instrument, **t, seq=next(seq)),
            SessionMark(MarkKind.NOTE, f"note {k}", **t, seq=next(seq)),
            Gap(instrument, "book", k, k + 3, **t, seq=next(seq)),
            StreamHealth(instrument, "book", Health.LIVE, "", **t, seq=next(seq)),
            book,
            Quote(instrument, 10, 11, k + 1, 2, k, **t, seq=next(seq)),
            Trade(instrument, 10 + k, k + 1, Side(k % 3), f"t{k}", **t, seq=next(seq)),
            Bar(instrument, "1m", 3, 5, 1, 4, 100, 50, 7, t["ts_recv"] - 60 * 10**9, **t, seq=next(seq)),
            FundingRate(instrument, 10**14 + k, 5, **t, seq=next(seq)),
            MarkPrice(instrument, 10**20 + k, 7, **t, seq=next(seq)),
            OpenInterest(instrument, k, **t, seq=next(seq)),
            Liquidation(instrument, 10, 2, Side.SELL, **t, seq=next(seq)),
            Timer(f"timer {k}", **t, seq=next(seq)),
        ]
    for place, event in enumerate(events):
        event.stamp(event.ts_recv, (event.seq >> 16 << 16) + place % 13)
    return events


def trades(instrument: Instrument, times: list[int], first: int = 0) -> list[Event]:
    return [
        Trade(instrument, 100 + i, 1, Side.BUY, str(i), ts_event=t, ts_recv=t, seq=i << 16)
        for i, t in enumerate(times, first)
    ]
