"""The books of a session: what fills did to cash, positions, fees and profit."""

from __future__ import annotations

from collections.abc import Mapping

from onetape.kernel.state import StateTable
from onetape.model.enums import InstrumentKind, Side
from onetape.model.instrument import Instrument
from onetape.model.numbers import Number, divide_half_even, money, power_of_ten
from onetape.model.orders import ExecutionReport, Fill
from onetape.portfolio.ledger import Account, Ledger
from onetape.portfolio.positions import Position
from onetape.ports import ReportListener

_BUY = int(Side.BUY)


class Holding:
    """What a fill of one instrument touches, looked up once."""

    __slots__ = ("base", "cash", "delivers", "factor", "fees", "market", "market_base", "own", "pnl", "position")

    position: Position
    own: dict[str, Position]
    delivers: bool
    cash: Account
    market: Account
    base: Account
    market_base: Account
    pnl: Account
    fees: Account
    factor: int

    def __init__(self, instrument: Instrument, ledger: Ledger) -> None:
        self.position = Position(instrument)
        self.own = {}
        self.delivers = instrument.kind in (InstrumentKind.SPOT, InstrumentKind.EQUITY)
        self.cash = ledger.account("cash", instrument.settle)
        self.market = ledger.account("market", instrument.settle)
        self.pnl = ledger.account("pnl", instrument.settle)
        self.fees = ledger.account("fees", instrument.settle)
        self.base = ledger.account("cash", instrument.base)
        self.market_base = ledger.account("market", instrument.base)
        self.factor = divide_half_even(instrument.multiplier, power_of_ten(instrument.size_precision))


class Portfolio(ReportListener):
    """Hears every fill before the strategy does. Spot and equities move base and quote; contracts settle profit.

    Each strategy has a position of its own in each instrument beside the net one.
    """

    __slots__ = ("_by_index", "_holdings", "_states", "ledger")

    ledger: Ledger
    _states: StateTable
    _holdings: list[Holding]
    _by_index: list[Holding | None]

    def __init__(self, states: StateTable, balances: Mapping[str, Number] | None = None) -> None:
        self._states = states
        self.ledger = Ledger()
        self._holdings = []
        self._by_index = []
        for currency, amount in (balances or {}).items():
            self.ledger.transfer(
                self.ledger.account("opening", currency), self.ledger.account("cash", currency), money(amount)
            )

    def on_report(self, report: ExecutionReport) -> None:
        """Book a fill; other reports move no money."""
        if not isinstance(report, Fill):
            return
        fill = report
        instrument = fill.instrument
        holding = self._holding(instrument)
        order = fill.order
        strategy_id = "" if order is None else order.strategy_id
        signed_raw = fill.last_qty_raw if fill.side_code == _BUY else -fill.last_qty_raw
        value = instrument.notional(fill.last_px_raw, signed_raw)
        profit = holding.position.trade(signed_raw, fill.last_px_raw, value)
        own = self._own(strategy_id, holding)
        own.trade(signed_raw, fill.last_px_raw, value)
        ledger = self.ledger
        if holding.delivers:
            ledger.transfer(holding.cash, holding.market, value)
            ledger.transfer(holding.market_base, holding.base, holding.factor * signed_raw)
        elif profit:
            ledger.transfer(holding.pnl, holding.cash, profit)
        commission = fill.commission
        if commission:
            currency = fill.commission_currency
            if currency == instrument.settle:
                ledger.transfer(holding.cash, holding.fees, commission)
                holding.position.fees += commission
                own.fees += commission
            else:
                ledger.transfer(ledger.account("cash", currency), ledger.account("fees", currency), commission)
        state = self._states.add(instrument)
        state.position_raw = holding.position.position_raw

    def _holding(self, instrument: Instrument) -> Holding:
        """What is held of ``instrument``, in the order of first look."""
        while len(self._by_index) <= instrument.index:
            self._by_index.append(None)
        holding = self._by_index[instrument.index]
        if holding is None:
            holding = self._by_index[instrument.index] = Holding(instrument, self.ledger)
            self._holdings.append(holding)
        return holding

    def _own(self, strategy_id: str, holding: Holding) -> Position:
        position = holding.own.get(strategy_id)
        if position is None:
            position = holding.own[strategy_id] = Position(holding.position.instrument)
        return position

    def position(self, instrument: Instrument, strategy_id: str | None = None) -> Position:
        """The net position; of one strategy if named. An empty one where nothing was traded."""
        holding = self._holding(instrument)
        if strategy_id is None:
            return holding.position
        return self._own(strategy_id, holding)

    def positions(self) -> list[Position]:
        """Every instrument that was traded, in order of first trade."""
        return [holding.position for holding in self._holdings if holding.position.fills]

    def unrealized(self, position: Position) -> int:
        state = self._states.get(position.instrument.index)
        return 0 if state is None else position.unrealized(state.twice_mark_raw())

    def pnl(self) -> dict[str, int]:
        """Realised plus unrealised profit, less fees, by currency; fees in a third currency count there."""
        totals = self.trading_pnl()
        for currency, amount in self.ledger.balances("fees").items():
            totals[currency] = totals.get(currency, 0) - amount
        return totals

    def trading_pnl(self) -> dict[str, int]:
        """Realised plus unrealised profit before fees, by settle currency."""
        totals: dict[str, int] = {}
        for position in self.positions():
            currency = position.instrument.settle
            totals[currency] = totals.get(currency, 0) + position.realized + self.unrealized(position)
        return totals

    def fees(self) -> dict[str, int]:
        """Commissions paid (negative: rebates received), by currency."""
        return {currency: amount for currency, amount in self.ledger.balances("fees").items() if amount}

    def balances(self) -> dict[str, int]:
        """Cash by currency, negative where it was borrowed."""
        return self.ledger.balances("cash")
