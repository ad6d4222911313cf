"""What a simulated market says back; the exchange carries it to us."""

from __future__ import annotations

from onetape.model.orders import Order


class VenueReports:
    """``sent`` counts the reports, so that a market can stop when it has sent one."""

    __slots__ = ("sent",)

    sent: int

    def __init__(self) -> None:
        self.sent = 0

    def tell(self, order: Order, exec_code: int, text: str, ts: int) -> None:
        raise NotImplementedError

    def replaced(self, order: Order, order_qty_raw: int, price_raw: int, ts: int) -> None:
        raise NotImplementedError

    def fill(
        self, order: Order, qty_raw: int, price_raw: int, liquidity: int, reason: int, reason_raw: int, ts: int
    ) -> None:
        raise NotImplementedError
