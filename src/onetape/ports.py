"""The small interfaces that a mode plugs in: where market data comes from, where orders go, who hears of them."""

from __future__ import annotations

from typing import Any, Protocol

from onetape.model.instrument import Instrument
from onetape.model.orders import ApprovedOrder, ApprovedReplace, ExecutionReport, Order


class MarketDataFeed(Protocol):
    """Source of market events: venues, a tape, or a tape paced by the clock. ``books`` are by instrument index."""

    books: dict[int, Any]

    def subscribe(self, event_type: type, instrument: Instrument, spec: str = "") -> bool:
        """Have events of this type (``spec``: the bar rule) of ``instrument`` published from now on.

        False if this feed has none of them.
        """
        ...


class ExecutionPort:
    """Where approved orders go. Answers come later, as execution reports to the OMS."""

    __slots__ = ()

    def submit(self, approved: ApprovedOrder) -> None:
        raise NotImplementedError

    def replace(self, approved: ApprovedReplace) -> None:
        raise NotImplementedError

    def cancel(self, order: Order) -> None:
        raise NotImplementedError


class Gate:
    """Decides which orders may leave. ``refusal`` says why the last one may not."""

    __slots__ = ("refusal",)

    refusal: str

    def approve(self, order: Order) -> ApprovedOrder | None:
        raise NotImplementedError

    def approve_replace(self, order: Order, order_qty_raw: int, price_raw: int) -> ApprovedReplace | None:
        raise NotImplementedError


class ReportListener:
    """Somebody who hears of orders: a strategy of its own, the portfolio of all that were filled."""

    __slots__ = ()

    def on_report(self, report: ExecutionReport) -> None:
        raise NotImplementedError
