"""Every check of the gate at its exact boundary: the last value that passes, the first that does not."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape import ports
from onetape.kernel.clock import SimulatedClock
from onetape.kernel.state import StateTable
from onetape.model.enums import ExecType, Health, InstrumentKind, OrdType, Side, TimeInForce
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE, RAW_MAX
from onetape.model.orders import ApprovedOrder, ApprovedReplace, ExecutionReport, Order
from onetape.oms.oms import Oms
from onetape.ports import ExecutionPort
from onetape.risk.gate import RiskGate
from onetape.risk.limits import Limits

SPOT = Instrument("BTC-USDT.GATE", tick_size="0.05", lot_size="0.1", min_qty="0.2", max_qty="50", min_notional=10)
INVERSE = Instrument(
    "BTC-USD-PERP.GATE", InstrumentKind.PERPETUAL, inverse=True, multiplier=100, tick_size="0.1", lot_size=1
)
SECOND = 1_000_000_000


class Desk:
    """A gate over one instrument whose market is 100.00 / 100.10 and live."""

    def __init__(self, limits: Limits | None = None, instrument: Instrument = SPOT, **options: object) -> None:
        self.clock = SimulatedClock(SECOND)
        self.states = StateTable()
        self.instrument = instrument
        self.state = self.states.add(instrument)
        self.state.health = int(Health.LIVE)
        self.market(100_00, 100_10)
        self.gate = RiskGate(self.clock, self.states, limits or Limits(), **options)  # type: ignore[arg-type]

    def market(self, bid: int, ask: int) -> None:
        self.state.bid_raw, self.state.ask_raw = bid, ask
        self.state.bid_size_raw = self.state.ask_size_raw = 10
        self.state.ts = 1

    def order(self, qty: int, price: int = NO_PRICE, side: Side = Side.BUY, **terms: object) -> Order:
        kind = terms.pop("ord_type", OrdType.MARKET if price == NO_PRICE else OrdType.LIMIT)
        return Order(self.instrument, side, qty, kind, price, **terms)  # type: ignore[arg-type]

    def refusal(self, qty: int, price: int = NO_PRICE, side: Side = Side.BUY, **terms: object) -> str:
        """Why an order may not leave; empty if it may."""
        order = self.order(qty, price, side, **terms)
        approved = self.gate.approve(order)
        if approved is None:
            assert self.gate.refusal
            return self.gate.refusal
        assert type(approved) is ApprovedOrder
        assert approved.order is order
        return ""


def test_only_the_gate_makes_approved_orders() -> None:
    for forged in (ApprovedOrder, ApprovedReplace):
        with pytest.raises(TypeError, match="only the risk gate"):
            forged()


def test_an_order_that_is_not_approved_is_not_taken() -> None:
    """The port's argument is an ApprovedOrder: compiled code refuses anything else, mypy does so before."""
    if ports.__file__.endswith(".py"):
        pytest.skip("the pure build leaves it to mypy")
    with pytest.raises(TypeError):
        ExecutionPort().submit(Desk().order(10))  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- terms
TERMS = [
    ("LIMIT without price", {"ord_type": OrdType.LIMIT}, "LIMIT order needs price"),
    ("MARKET with price", {"ord_type": OrdType.MARKET, "price": 100_00}, "MARKET order has no price"),
    ("STOP without stop", {"ord_type": OrdType.STOP}, "STOP order needs stop price"),
    ("STOP_LIMIT without stop", {"ord_type": OrdType.STOP_LIMIT, "price": 100_00}, "needs stop price"),
    ("STOP_LIMIT without price", {"ord_type": OrdType.STOP_LIMIT, "stop_px_raw": 100_00}, "needs price"),
    ("LIMIT with stop", {"price": 100_00, "stop_px_raw": 100_00}, "has no stop price"),
    ("TRAILING_STOP without distance", {"ord_type": OrdType.TRAILING_STOP}, "trailing distance"),
    ("TRAILING_STOP back", {"ord_type": OrdType.TRAILING_STOP, "trail_raw": -5}, "must be positive"),
    ("MARKET with distance", {"trail_raw": 5}, "trailing distance"),
    ("post-only MARKET", {"post_only": True}, "can't be post-only"),
    ("GTD without end", {"price": 100_00, "time_in_force": TimeInForce.GTD}, "needs an expire_time"),
    ("stop off the grid", {"ord_type": OrdType.STOP, "stop_px_raw": 100_01}, "stop price 100.01 is off the grid"),
    ("distance off the grid", {"ord_type": OrdType.TRAILING_STOP, "trail_raw": 7}, "distance 0.07 is off"),
]


@pytest.mark.parametrize(("terms", "why"), [row[1:] for row in TERMS], ids=[row[0] for row in TERMS])
def test_terms_that_do_not_fit_the_order_type(terms: dict[str, object], why: str) -> None:
    assert why in Desk().refusal(10, **terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"price": 100_00},
        {"price": 100_00, "post_only": True},
        {"price": 100_00, "time_in_force": TimeInForce.GTD, "expire_time": 5 * SECOND},
        {"ord_type": OrdType.STOP, "stop_px_raw": 101_00},
        {"ord_type": OrdType.STOP_LIMIT, "stop_px_raw": 101_00, "price": 101_00},
        {"ord_type": OrdType.TRAILING_STOP, "trail_raw": 1_00},
    ],
)
def test_terms_that_fit(terms: dict[str, object]) -> None:
    assert Desk().refusal(10, **terms) == ""  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------- quantity, price, market
@pytest.mark.parametrize(("qty", "passes"), [(2, True), (1, False), (0, False), (-2, False), (500, True), (501, False)])
def test_quantity_between_the_instrument_s_least_and_most(qty: int, passes: bool) -> None:
    assert (Desk().refusal(qty) == "") == passes


def test_quantity_off_the_lot_grid() -> None:
    coarse = Instrument("XRP-USDT.GATE", tick_size="0.01", lot_size=5)
    assert Desk(instrument=coarse).refusal(10) == ""
    assert "positive multiple of 5" in Desk(instrument=coarse).refusal(11)


@pytest.mark.parametrize(("price", "passes"), [(100_05, True), (100_06, False), (100_04, False), (2**62, False)])
def test_price_on_the_tick_grid(price: int, passes: bool) -> None:
    assert (Desk(Limits(price_collar=None)).refusal(10, price) == "") == passes


@pytest.mark.parametrize("health", list(Health))
def test_only_a_live_book_takes_orders(health: Health) -> None:
    desk = Desk()
    desk.state.health = int(health)
    assert (desk.refusal(10) == "") == (health is Health.LIVE)
    if health is not Health.LIVE:
        assert health.name in desk.gate.refusal
    free = Desk(Limits(require_live=False))
    free.state.health = int(health)
    assert free.refusal(10) == ""


@pytest.mark.parametrize(("qty", "passes"), [(30, True), (31, False)])
def test_max_order_qty(qty: int, passes: bool) -> None:
    assert (Desk(Limits(max_order_qty=Decimal("3"))).refusal(qty) == "") == passes


def test_max_order_qty_between_two_lots_is_the_lower_one() -> None:
    desk = Desk(Limits(max_order_qty=Decimal("3.09")))
    assert desk.refusal(30) == ""
    assert desk.refusal(31) != ""


# ------------------------------------------------------------------------------------------------------ position
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize(
    ("position", "opened", "qty", "passes"),
    [
        (0, 0, 100, True),
        (0, 0, 101, False),
        (60, 0, 40, True),
        (60, 0, 41, False),
        (60, 30, 10, True),
        (60, 30, 11, False),
        (-60, 0, 160, True),  # turns the position around
        (-60, 0, 161, False),
        (-150, 0, 50, True),  # over the limit, and the order reduces
        (-150, 0, 250, True),
        (-150, 0, 251, False),
        (150, 0, 2, False),  # over the limit, and the order adds
    ],
)
def test_max_position_with_all_open_orders_filled(
    side: Side, position: int, opened: int, qty: int, passes: bool
) -> None:
    loose = Instrument("BTC-USDT.POSITION", tick_size="0.05", lot_size="0.1")
    desk = Desk(Limits(max_position=Decimal(10)), loose)
    desk.state.position_raw = position if side is Side.BUY else -position
    if side is Side.BUY:
        desk.state.open_buy_raw, desk.state.open_sell_raw = opened, 77
    else:
        desk.state.open_buy_raw, desk.state.open_sell_raw = 77, opened
    assert (desk.refusal(qty, side=side) == "") == passes
    if not passes:
        worst = position + opened + qty
        assert f"{'' if side is Side.BUY else '-'}{worst // 10}.{worst % 10}" in desk.gate.refusal


def session_of(desk: Desk) -> Oms:
    class Port(ExecutionPort):
        def submit(self, approved: ApprovedOrder) -> None:
            pass

        def replace(self, approved: ApprovedReplace) -> None:
            pass

        def cancel(self, order: Order) -> None:
            pass

    return Oms(desk.clock, desk.states, desk.gate, Port())


def acknowledged(desk: Desk, oms: Oms, qty: int, price: int = 100_00) -> Order:
    order = desk.order(qty, price)
    oms.submit(order)
    oms.apply(ExecutionReport(desk.instrument, ExecType.NEW, order=order))
    assert order.is_open, order.text
    return order


def test_replace_is_checked_for_what_it_adds() -> None:
    desk = Desk(Limits(max_position=Decimal(10)), SPOT)
    oms = session_of(desk)
    order = acknowledged(desk, oms, 60)
    assert desk.gate.approve_replace(order, 100, 100_00) is not None
    assert desk.gate.approve_replace(order, 101, 100_00) is None
    assert "limit of 10.0" in desk.gate.refusal


def test_a_replace_that_reduces_is_not_blocked_by_the_position() -> None:
    desk = Desk(Limits(max_position=Decimal(10)), SPOT)
    oms = session_of(desk)
    order = acknowledged(desk, oms, 60)
    desk.state.position_raw = 150
    assert desk.gate.approve_replace(order, 61, 100_00) is None
    assert desk.gate.approve_replace(order, 60, 99_95) is not None
    assert desk.gate.approve_replace(order, 20, 100_00) is not None


def test_replace_terms() -> None:
    desk = Desk()
    oms = session_of(desk)
    order = acknowledged(desk, oms, 60)
    assert desk.gate.approve_replace(order, 60, NO_PRICE) is None
    assert desk.gate.approve_replace(order, 0, 100_00) is None
    assert "cancel the order instead" in desk.gate.refusal
    assert desk.gate.approve_replace(order, 60, 100_01) is None
    approved = desk.gate.approve_replace(order, 70, 100_05)
    assert approved is not None
    assert (approved.order, approved.order_qty_raw, approved.price_raw) == (order, 70, 100_05)


def test_no_check_stops_a_cancel() -> None:
    desk = Desk(Limits(max_orders_per_second=1, max_position=Decimal(6)))
    oms = session_of(desk)
    order = acknowledged(desk, oms, 60)
    desk.state.health = int(Health.GAPPED)
    desk.state.position_raw = 10**6
    assert desk.refusal(10) != ""
    assert oms.cancel(order)


# -------------------------------------------------------------------------------------------------------- collar
@pytest.mark.parametrize(
    ("market", "side", "price", "passes"),
    [
        ((100_00, 100_00), Side.BUY, 110_00, True),
        ((100_00, 100_00), Side.BUY, 110_05, False),
        ((100_00, 100_00), Side.SELL, 90_00, True),
        ((100_00, 100_00), Side.SELL, 89_95, False),
        ((100_00, 100_00), Side.BUY, 10_00, True),  # passive, however far
        ((100_00, 100_00), Side.SELL, 500_00, True),
        ((100_00, 100_05), Side.BUY, 110_00, True),  # mid 100.025: up to 110.0275
        ((100_00, 100_05), Side.BUY, 110_05, False),
        ((100_45, 100_50), Side.BUY, 110_50, True),  # mid 100.475: up to 110.5225
        ((100_45, 100_50), Side.BUY, 110_55, False),
        ((100_45, 100_50), Side.SELL, 90_45, True),  # down to 90.4275
        ((100_45, 100_50), Side.SELL, 90_40, False),
    ],
)
def test_collar(market: tuple[int, int], side: Side, price: int, passes: bool) -> None:
    desk = Desk(Limits(price_collar=Decimal("0.1")))
    desk.market(*market)
    assert (desk.refusal(10, price, side) == "") == passes


def test_collar_says_which_reference_to_the_half_tick() -> None:
    desk = Desk(Limits(price_collar=Decimal("0.001")))
    desk.market(100_00, 100_05)
    assert desk.refusal(10, 100_15) == "price 100.15 is more than 0.1 % beyond the reference 100.025"
    desk.market(100_00, 100_10)
    assert desk.refusal(10, 100_20) == "price 100.20 is more than 0.1 % beyond the reference 100.05"


def test_the_collar_of_a_stop_limit_is_around_its_stop() -> None:
    desk = Desk()
    far = {"ord_type": OrdType.STOP_LIMIT, "stop_px_raw": 200_00}
    assert desk.refusal(10, 220_00, **far) == ""
    assert "beyond the reference 200.00" in desk.refusal(10, 220_05, **far)


def test_without_a_reference_there_is_no_collar() -> None:
    desk = Desk()
    desk.state.bid_size_raw = 0
    assert desk.refusal(10, 900_00) == ""
    desk.state.last_raw = 100_00
    assert desk.refusal(10, 900_00) != ""


prices = st.integers(1, RAW_MAX)


@given(prices, prices, prices, st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 10**19))
def test_collar_is_exact_at_any_magnitude(bid: int, ask: int, price: int, side: Side, collar: int) -> None:
    fine = Instrument("ANY-USDT.GATE", tick_size="1", lot_size="1")
    desk = Desk(Limits(price_collar=Decimal(collar).scaleb(-18)), fine)
    desk.market(bid, ask)
    mid = Fraction(bid + ask, 2)
    beyond = (price - mid) * (1 if side is Side.BUY else -1)
    assert (desk.refusal(1, price, side) == "") == (beyond <= mid * Fraction(collar, 10**18))


# ------------------------------------------------------------------------------------------------------- notional
@pytest.mark.parametrize(
    ("qty", "price", "passes"),
    [(10, 100_00, True), (10, 100_05, False), (11, 100_00, False), (10, NO_PRICE, False)],
)
def test_max_order_notional(qty: int, price: int, passes: bool) -> None:
    """100 at most; the market order is valued at the mid, 100.05."""
    assert (Desk(Limits(max_order_notional=Decimal(100))).refusal(qty, price) == "") == passes


def test_min_notional() -> None:
    desk = Desk()
    assert desk.refusal(2, 50_00) == ""
    assert "below the venue's minimum of 10" in desk.refusal(2, 49_95)
    assert desk.refusal(2, 49_95, reduce_only=True) == "", "a remainder may be closed"


def test_a_stop_is_valued_at_its_stop() -> None:
    desk = Desk(Limits(max_order_notional=Decimal(100)))
    assert desk.refusal(10, ord_type=OrdType.STOP, stop_px_raw=100_00) == ""
    assert "value 100.05 USDT" in desk.refusal(10, ord_type=OrdType.STOP, stop_px_raw=100_05)


def test_a_market_order_cannot_be_valued_without_a_price() -> None:
    desk = Desk()
    desk.state.bid_size_raw = 0
    assert "no price of" in desk.refusal(10)
    desk.state.last_raw = 100_00
    assert desk.refusal(10) == ""


def test_inverse_contracts_are_valued_in_coin_and_need_a_positive_price() -> None:
    desk = Desk(Limits(max_order_notional=Decimal(1), price_collar=None), INVERSE)
    desk.market(100_0, 100_0)
    assert desk.refusal(1, 100_0) == ""
    assert "value 2 BTC" in desk.refusal(2, 100_0)
    for price in (0, -5):
        assert "is not positive" in desk.refusal(1, price)


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_no_price_and_no_size_breaks_the_gate(qty: int, price: int) -> None:
    """What no instrument could produce, but an order made by hand can hold."""
    free = Instrument("ANY-USDT.GATE", tick_size="1", lot_size="1")
    limits = Limits(max_order_notional=Decimal(10**18), max_position=Decimal(10**15))
    refusal = Desk(limits, free).refusal(qty, price)
    if not 0 < qty <= 10**15 or (price != NO_PRICE and abs(price) > RAW_MAX):
        assert refusal


# ----------------------------------------------------------------------------------------------------------- rate
def test_rate_is_exact_in_every_window() -> None:
    desk = Desk(Limits(max_orders_per_second=3))
    sent = []
    for now in (0, 1, 2, 3, SECOND - 1, SECOND, SECOND + 1, SECOND + 1, SECOND + 2, 2 * SECOND, 2 * SECOND + 1):
        desk.clock.advance(SECOND + now)
        if desk.refusal(10) == "":
            sent.append(now)
    assert sent == [0, 1, 2, SECOND, SECOND + 1, SECOND + 2, 2 * SECOND, 2 * SECOND + 1]


def test_rate_from_time_zero() -> None:
    desk = Desk(Limits(max_orders_per_second=2))
    desk.clock = SimulatedClock(0)
    desk.gate = RiskGate(desk.clock, desk.states, Limits(max_orders_per_second=2))
    assert [desk.refusal(10) == "" for _ in range(4)] == [True, True, False, False]


def test_what_is_refused_does_not_count_and_replaces_do() -> None:
    desk = Desk(Limits(max_orders_per_second=2))
    oms = session_of(desk)
    order = acknowledged(desk, oms, 60)
    for _ in range(5):
        assert desk.refusal(1) != ""
    assert desk.gate.approve_replace(order, 61, 100_00) is not None
    assert "more than 2 orders in a second" in desk.refusal(10)
    desk.clock.advance(desk.clock.now + SECOND)
    assert desk.refusal(10) == ""


@given(st.integers(1, 5), st.lists(st.integers(0, SECOND // 2), max_size=40))
def test_rate_against_a_plain_log(rate: int, steps: list[int]) -> None:
    desk = Desk(Limits(max_orders_per_second=rate))
    log: list[int] = []
    for step in steps:
        desk.clock.advance(desk.clock.now + step)
        now = desk.clock.now
        passes = sum(now - then < SECOND for then in log) < rate
        assert (desk.refusal(10) == "") == passes
        if passes:
            log.append(now)


# ------------------------------------------------------------------------------------------- order of the checks
def test_the_first_check_that_fails_is_the_refusal() -> None:
    """The order of ``docs/modules/risk.md``: each line mends what the one before complained of."""
    desk = Desk(
        Limits(
            max_order_qty=Decimal(5),
            max_position=Decimal(4),
            max_order_notional=Decimal(300),
            max_orders_per_second=1,
        )
    )
    desk.state.health = int(Health.STALE)
    seen = [desk.refusal(0, 130_01, post_only=True, ord_type=OrdType.STOP_LIMIT)]
    seen += [desk.refusal(qty, price) for qty, price in ((1, 130_01), (60, 130_01), (60, 130_00))]
    desk.state.health = int(Health.LIVE)
    seen += [desk.refusal(qty, price) for qty, price in ((60, 130_00), (50, 130_00), (40, 130_00), (40, 100_00))]
    seen += [desk.refusal(20, 100_00), desk.refusal(20, 100_00)]
    expected = ["stop price", "quantity 0.1", "price 130.01 is off", "not LIVE", "quantity 6.0 is above"]
    expected += ["position would", "beyond the reference", "value 400", "", "orders in a second"]
    for refusal, words in zip(seen, expected, strict=True):
        assert words in refusal if words else refusal == ""


# ---------------------------------------------------------------------------------------------------- new versions
def test_a_new_version_of_an_instrument_has_its_own_limits() -> None:
    desk = Desk()
    assert desk.refusal(500) == ""
    desk.instrument = SPOT.replace(max_qty=20)
    assert "limit of 20.0" in desk.refusal(201)
    assert desk.refusal(200) == ""


def test_overrides_by_instrument() -> None:
    desk = Desk(Limits(max_order_qty=Decimal(3)), overrides={SPOT.id: Limits(max_order_qty=Decimal(7))})
    assert desk.refusal(70) == ""
    assert desk.refusal(71) != ""
    with pytest.raises(ConfigurationError, match="write it into the session's limits"):
        Desk(overrides={SPOT.id: Limits(max_orders_per_second=7)})
