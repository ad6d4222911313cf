"""What a backtest found, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from onetape.app.failure import Failure
from onetape.model.numbers import format_money
from onetape.model.orders import Fill, Order
from onetape.portfolio.positions import Position


@dataclass(slots=True)
class EquityPoint:
    """Profit and loss by currency (realised, unrealised, fees) at one time, money at 18 decimals."""

    ts: int
    pnl: dict[str, int]
    marks: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """``equity`` is sampled on an even grid over the tape and at its end; drawdown is of those samples.

    ``ledger_sums`` are zeros: the double entry's own check.
    """

    events: int
    run_s: float
    orders: Sequence[Order]
    fills: Sequence[Fill]
    rejected: int
    illegal: int
    digest: str
    fees: dict[str, int]
    pnl: dict[str, int]
    balances: dict[str, int]
    ledger_sums: dict[str, int]
    positions: Sequence[Position]
    equity: Sequence[EquityPoint]
    failures: Sequence[Failure]
    start: int = 0
    end: int = 0

    @property
    def events_per_s(self) -> float:
        return self.events / self.run_s if self.run_s > 0 else 0.0

    @property
    def max_drawdown(self) -> dict[str, int]:
        """Largest fall of the sampled profit from its highest point before, by currency."""
        worst: dict[str, int] = {}
        highest: dict[str, int] = {}
        for point in self.equity:
            for currency, value in point.pnl.items():
                top = highest[currency] = max(highest.get(currency, 0), value)
                worst[currency] = max(worst.get(currency, 0), top - value)
        return worst

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON shows it: money as exact decimal text."""
        return {
            "events": self.events,
            "run_s": round(self.run_s, 6),
            "events_per_s": round(self.events_per_s),
            "orders": len(self.orders),
            "fills": len(self.fills),
            "rejected": self.rejected,
            "illegal_reports": self.illegal,
            "fees": _texts(self.fees),
            "pnl": _texts(self.pnl),
            "balances": _texts(self.balances),
            "max_drawdown": _texts(self.max_drawdown),
            "positions": {
                position.instrument.id: position.instrument.format_size(position.position_raw)
                for position in self.positions
            },
            "ledger_sums": _texts(self.ledger_sums),
            "digest": self.digest,
            "start": self.start,
            "end": self.end,
            "failures": [asdict(failure) for failure in self.failures],
        }


def _texts(amounts: dict[str, int]) -> dict[str, str]:
    return {currency: format_money(amount) for currency, amount in amounts.items()}
