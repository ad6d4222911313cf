"""Account events: what a position or a balance has become."""

from __future__ import annotations

from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.numbers import money_to_float, to_float


class PositionUpdate(Event):
    """A position after a change. Money is in the instrument's settle currency."""

    __slots__ = ("avg_px_raw", "instrument", "position_raw", "realized", "strategy_id")

    KIND = "position"
    FIELDS = {
        "instrument": "instrument",
        "strategy_id": "text",
        "position_raw": "size",
        "avg_px_raw": "amount",
        "realized": "amount",
    }

    def __init__(
        self,
        instrument: Instrument,
        position_raw: int,
        avg_px_raw: int = 0,
        realized: int = 0,
        strategy_id: str = "",
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.strategy_id = strategy_id
        self.position_raw = position_raw
        self.avg_px_raw = avg_px_raw
        self.realized = realized
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq

    @property
    def position(self) -> float:
        return to_float(self.position_raw, self.instrument.size_precision)

    @property
    def avg_px(self) -> float:
        return money_to_float(self.avg_px_raw)


class BalanceUpdate(Event):
    """A currency's balance at a venue after a change; money at 18 decimals."""

    __slots__ = ("currency", "free", "total", "venue")

    KIND = "balance"
    FIELDS = {"venue": "text", "currency": "text", "total": "amount", "free": "amount"}

    def __init__(
        self,
        venue: str,
        currency: str,
        total: int,
        free: int = 0,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.venue = venue
        self.currency = currency
        self.total = total
        self.free = free
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq
