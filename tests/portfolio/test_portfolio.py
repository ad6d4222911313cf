"""Any fills of any instruments: every currency sums to zero, and profit comes out the same by two roads."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from onetape.kernel.state import StateTable
from onetape.model.enums import ExecType, InstrumentKind, OrdType, Side
from onetape.model.instrument import Instrument
from onetape.model.numbers import money
from onetape.model.orders import ExecutionReport, Fill, Order
from onetape.portfolio.portfolio import Portfolio

ONE = 10**18
SPOT = Instrument("BTC-USDT.BOOKS", tick_size="0.01", lot_size="0.00001")
EQUITY = Instrument("AAPL.BOOKS", InstrumentKind.EQUITY, tick_size="0.01", lot_size=1)
LINEAR = Instrument("ETH-USDT-PERP.BOOKS", InstrumentKind.PERPETUAL, tick_size="0.01", lot_size="0.001")
FUTURE = Instrument("ES-261218.BOOKS", InstrumentKind.FUTURE, tick_size="0.25", lot_size=1, multiplier=50)
INVERSE = Instrument(
    "BTC-USD-PERP.BOOKS", InstrumentKind.PERPETUAL, inverse=True, multiplier=100, tick_size="0.1", lot_size=1
)
ALL = [SPOT, EQUITY, LINEAR, FUTURE, INVERSE]

fills = st.lists(
    st.tuples(
        st.sampled_from(range(len(ALL))),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 10**6) | st.integers(1, 10**12),
        st.integers(1, 10**8),
        st.sampled_from(["", "settle", "base", "BNB"]),
        st.integers(-(10**20), 10**20),
        st.sampled_from(["one", "two"]),
    ),
    max_size=30,
)


def fill_of(
    instrument: Instrument,
    side: Side,
    qty: int,
    price: int,
    fee: int = 0,
    currency: str = "",
    strategy: str = "one",
) -> Fill:
    order = Order(instrument, side, qty, OrdType.LIMIT, price, strategy_id=strategy)
    return Fill(instrument, qty, price, fee, currency, side=side, order=order)


def mark(states: StateTable, instrument: Instrument, bid: int, ask: int) -> None:
    state = states.add(instrument)
    state.bid_raw, state.ask_raw, state.bid_size_raw, state.ask_size_raw, state.ts = bid, ask, 1, 1, 1


@given(fills, st.lists(st.tuples(st.integers(1, 10**8), st.integers(0, 3)), min_size=5, max_size=5))
def test_any_fills(steps: list[tuple], marks: list[tuple[int, int]]) -> None:  # type: ignore[type-arg]
    states = StateTable()
    portfolio = Portfolio(states, {"USDT": "1000000", "BTC": 3})
    opening = dict(portfolio.balances())
    fees: dict[str, int] = {}
    held = dict.fromkeys(range(len(ALL)), 0)
    own: dict[tuple[str, int], int] = {}
    traded: dict[int, Fraction] = dict.fromkeys(range(len(ALL)), Fraction(0))
    count = dict.fromkeys(range(len(ALL)), 0)
    for at, side, qty, price, payer, fee, strategy in steps:
        instrument = ALL[at]
        currency = {"settle": instrument.settle, "base": instrument.base}.get(payer, payer)
        fee = fee if currency else 0
        portfolio.on_report(fill_of(instrument, side, qty, price, fee, currency, strategy))
        assert set(portfolio.ledger.sums().values()) <= {0}
        signed = qty if side is Side.BUY else -qty
        held[at] += signed
        own[strategy, at] = own.get((strategy, at), 0) + signed
        count[at] += 1
        size = Fraction(signed * instrument.multiplier, 10**instrument.size_precision)
        value = Fraction(price, 10**instrument.price_precision)
        traded[at] += size / value if instrument.inverse else size * value
        if fee:
            fees[currency] = fees.get(currency, 0) + fee
        assert states.add(instrument).position_raw == held[at]
    assert portfolio.fees() == {currency: amount for currency, amount in fees.items() if amount}
    for at, instrument in enumerate(ALL):
        assert portfolio.position(instrument).position_raw == held[at]
        for strategy in ("one", "two"):
            assert portfolio.position(instrument, strategy).position_raw == own.get((strategy, at), 0)

    # Road one: what the positions say. Road two: the cash there is, the goods and the contracts at the mark.
    expected: dict[str, Fraction] = {}
    tolerance: dict[str, int] = {}
    for at, instrument in enumerate(ALL):
        price, spread = marks[at]
        mark(states, instrument, price, price + spread)
        size = Fraction(held[at] * instrument.multiplier, 10**instrument.size_precision)
        value = Fraction(2 * price + spread, 2 * 10**instrument.price_precision)
        worth = size / value if instrument.inverse else size * value
        gain = traded[at] - worth if instrument.inverse else worth - traded[at]
        expected[instrument.settle] = expected.get(instrument.settle, Fraction(0)) + gain
        tolerance[instrument.settle] = tolerance.get(instrument.settle, 0) + (
            2 * count[at] + 2 if instrument.inverse else 0
        )
    for currency, amount in portfolio.trading_pnl().items():
        assert abs(amount - expected[currency]) <= tolerance[currency], currency
    for currency, amount in portfolio.pnl().items():
        rest = expected.get(currency, Fraction(0)) - fees.get(currency, 0)
        assert abs(amount - rest) <= tolerance.get(currency, 0), currency

    cash = portfolio.balances()
    by_cash: dict[str, int] = {c: cash.get(c, 0) - opening.get(c, 0) + fees.get(c, 0) for c in {*cash, *fees}}
    for at, instrument in enumerate(ALL):
        position = portfolio.position(instrument)
        if instrument in (SPOT, EQUITY):
            goods = held[at] * instrument.multiplier // 10**instrument.size_precision
            by_cash[instrument.base] = by_cash.get(instrument.base, 0) - goods
            twice = 2 * marks[at][0] + marks[at][1]
            by_cash[instrument.settle] = by_cash.get(instrument.settle, 0) + instrument.notional(twice, held[at]) // 2
        else:
            by_cash[instrument.settle] = by_cash.get(instrument.settle, 0) + portfolio.unrealized(position)
    trading = portfolio.trading_pnl()
    for currency, amount in by_cash.items():
        assert amount == trading.get(currency, 0), currency


def test_spot_moves_both_currencies_and_pays_its_fee_in_either() -> None:
    portfolio = Portfolio(StateTable(), {"USDT": 1000})
    portfolio.on_report(fill_of(SPOT, Side.BUY, 100_000, 500_00, money("0.001"), "BTC"))
    assert portfolio.balances() == {"USDT": money(500), "BTC": money("0.999")}
    portfolio.on_report(fill_of(SPOT, Side.SELL, 50_000, 520_00, money("0.26"), "USDT"))
    assert portfolio.balances() == {"USDT": money("759.74"), "BTC": money("0.499")}
    assert portfolio.position(SPOT).realized == money(10)
    assert portfolio.position(SPOT).fees == money("0.26")
    assert portfolio.fees() == {"BTC": money("0.001"), "USDT": money("0.26")}


def test_contracts_settle_profit_only() -> None:
    states = StateTable()
    portfolio = Portfolio(states, {"USD": 100})
    portfolio.on_report(fill_of(FUTURE, Side.BUY, 2, 5000_00))
    assert portfolio.balances()["USD"] == money(100)
    mark(states, FUTURE, 5000_00, 5000_25)
    assert portfolio.pnl()["USD"] == money("12.5")
    portfolio.on_report(fill_of(FUTURE, Side.SELL, 3, 5001_00, money("-0.5"), "USD"))
    assert portfolio.balances()["USD"] == money("200.5")
    assert portfolio.fees() == {"USD": money("-0.5")}
    assert portfolio.position(FUTURE).position_raw == -1


def test_an_inverse_contract_settles_in_coin() -> None:
    portfolio = Portfolio(StateTable())
    portfolio.on_report(fill_of(INVERSE, Side.SELL, 10, 50_000_0))
    portfolio.on_report(fill_of(INVERSE, Side.BUY, 10, 40_000_0))
    assert portfolio.balances()["BTC"] == money("0.005")


def test_other_reports_move_nothing() -> None:
    portfolio = Portfolio(StateTable(), {"USDT": 1})
    before = portfolio.ledger.transfers
    portfolio.on_report(ExecutionReport(SPOT, ExecType.NEW))
    assert portfolio.ledger.transfers == before


def test_without_a_price_nothing_is_unrealised() -> None:
    states = StateTable()
    portfolio = Portfolio(states)
    assert portfolio.unrealized(portfolio.position(LINEAR)) == 0
    portfolio.on_report(fill_of(LINEAR, Side.BUY, 1000, 100_00))
    assert portfolio.unrealized(portfolio.position(LINEAR)) == 0
    states.add(LINEAR).last_raw = 90_00
    assert portfolio.unrealized(portfolio.position(LINEAR)) == -money(10)
