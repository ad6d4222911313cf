"""What a strategy asks for becomes the order it meant, or an error before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from strategy_market import PERP, SECOND, play

from onetape.model.enums import OrdStatus, OrdType, Side, TimeInForce
from onetape.model.errors import ConfigurationError, NumberError, OffGridError, UnknownInstrumentError
from onetape.model.market import Quote
from onetape.model.numbers import NO_PRICE
from onetape.model.orders import Order
from onetape.strategy.base import Strategy


class Once(Strategy):
    """Does one thing at the second quote and keeps what came of it."""

    def __init__(self, act: Callable[[Strategy], object], **parameters: Any) -> None:
        super().__init__(**parameters)
        self.act = act
        self.result: Any = None
        self.seen = 0

    def on_start(self) -> None:
        self.subscribe_quotes(PERP)

    def on_quote(self, quote: Quote) -> None:
        self.seen += 1
        if self.seen == 2:
            self.result = self.act(self)


def ordered(**terms: Any) -> Order:
    strategy = Once(lambda s: s.buy(PERP, **{"qty": 1, **terms}))
    result = play(strategy)
    assert result.failures == []
    order: Order = strategy.result
    assert result.orders[0] is order
    return order


@pytest.mark.parametrize(
    ("terms", "kind", "price", "stop", "trail"),
    [
        ({}, OrdType.MARKET, NO_PRICE, NO_PRICE, 0),
        ({"price": 99}, OrdType.LIMIT, 990, NO_PRICE, 0),
        ({"stop": 120}, OrdType.STOP, NO_PRICE, 1200, 0),
        ({"stop": 120, "price": 120.5}, OrdType.STOP_LIMIT, 1205, 1200, 0),
        ({"trail": "0.5"}, OrdType.TRAILING_STOP, NO_PRICE, NO_PRICE, 5),
    ],
)
def test_the_type_follows_from_the_prices(
    terms: dict[str, Any], kind: OrdType, price: int, stop: int, trail: int
) -> None:
    order = ordered(**terms)
    assert order.ord_status is not OrdStatus.REJECTED, order.text
    assert (order.ord_type, order.price_raw, order.stop_px_raw, order.trail_raw) == (kind, price, stop, trail)


@pytest.mark.parametrize("trail", [0, -1])
def test_a_trailing_distance_of_nothing_is_refused_not_taken_for_a_market_order(trail: int) -> None:
    order = ordered(trail=trail)
    assert (order.ord_type, order.ord_status) == (OrdType.TRAILING_STOP, OrdStatus.REJECTED)
    assert "must be positive" in order.text


@pytest.mark.parametrize("qty", [1, 1.0, "1", "1.000", Decimal(1)])
def test_sizes_in_any_form(qty: Any) -> None:
    assert ordered(qty=qty).order_qty_raw == 1000


def test_terms_are_carried() -> None:
    order = ordered(price=99, post_only=True, reduce_only=True, tag="mine", time_in_force=TimeInForce.DAY)
    assert (order.post_only, order.reduce_only, order.tag) == (True, True, "mine")
    assert (order.time_in_force, order.strategy_id, order.side) == (TimeInForce.DAY, "Once", Side.BUY)
    assert ordered(price=99, expire_time=9 * SECOND).time_in_force is TimeInForce.GTD
    assert ordered(price=99, expire_time=9 * SECOND, time_in_force=TimeInForce.IOC).time_in_force is TimeInForce.IOC


@pytest.mark.parametrize("qty", [0, -1])
def test_no_size_is_a_rejected_order(qty: int) -> None:
    order = ordered(qty=qty)
    assert order.ord_status is OrdStatus.REJECTED
    assert "not a positive multiple" in order.text


BAD = [
    ({"price": 99.3}, OffGridError, "the nearest are 99.0 and 99.5"),
    ({"stop": "99.1"}, OffGridError, "the nearest are 99.0 and 99.5"),
    ({"trail": 0.3}, OffGridError, "the nearest are 0.0 and 0.5"),
    ({"qty": 0.0001}, OffGridError, "the nearest are 0.000 and 0.001"),
    ({"qty": float("nan")}, NumberError, "not a finite number"),
    ({"qty": "abc"}, NumberError, "is not a decimal number"),
    ({"qty": None}, NumberError, "give an int"),
    ({"qty": 1e40}, NumberError, "does not fit 18 digits"),
    ({"price": float("inf")}, NumberError, "not a finite number"),
]


@pytest.mark.parametrize(("terms", "error", "why"), BAD)
def test_numbers_that_are_not_the_instrument_s(terms: dict[str, Any], error: type[Exception], why: str) -> None:
    def act(strategy: Strategy) -> None:
        with pytest.raises(error, match=why):
            strategy.sell(PERP, **{"qty": 1, **terms})

    strategy = Once(act)
    result = play(strategy)
    assert (result.failures, result.orders, strategy.seen) == ([], [], 20)


def test_instruments_by_id() -> None:
    def act(strategy: Strategy) -> Order:
        with pytest.raises(UnknownInstrumentError, match="did you mean .*BTC-USDT-PERP.DESK"):
            strategy.buy("BTC-USDT-PREP.DESK", 1)
        return strategy.buy(PERP.id, 1)

    strategy = Once(act)
    assert play(strategy).failures == []
    assert strategy.result.instrument is PERP


def test_a_stopped_strategy_sends_nothing() -> None:
    strategy = Once(lambda s: 1 / 0)
    play(strategy)
    with pytest.raises(ConfigurationError, match="has been stopped"):
        strategy.buy(PERP, 1)
