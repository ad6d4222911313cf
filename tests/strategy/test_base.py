"""A strategy's life in a small backtest: replace, cancel, close, timers, several at once, and one that fails."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from strategy_market import HUGE, OTHER, PERP, SECOND, play

from onetape.model.enums import ExecType, OrdStatus, Side
from onetape.model.errors import ConfigurationError
from onetape.model.market import Quote
from onetape.model.orders import ExecutionReport, Fill, Order
from onetape.model.system import Timer
from onetape.strategy.base import Strategy


class Scripted(Strategy):
    """Calls ``step_1``, ``step_2``, … at the quotes of those numbers; keeps what it hears."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.quotes = 0
        self.heard: list[ExecType] = []
        self.filled: list[tuple[str, float]] = []

    def on_start(self) -> None:
        for instrument in (OTHER, HUGE, PERP):
            self.subscribe_quotes(instrument)

    def on_quote(self, quote: Quote) -> None:
        if quote.instrument is not PERP:
            return
        self.quotes += 1
        step = getattr(self, f"step_{self.quotes}", None)
        if step is not None:
            step()

    def on_order(self, report: ExecutionReport) -> None:
        self.heard.append(report.exec_type)

    def on_fill(self, fill: Fill) -> None:
        self.filled.append((fill.side.name, fill.last_qty))


def test_replace_and_cancel() -> None:
    class Changing(Scripted):
        def step_1(self) -> None:
            self.order = self.buy(PERP, 1, 90)

        def step_2(self) -> None:
            assert self.replace(self.order, qty=2, price=91)
            assert not self.replace(self.order, qty=3), "under way"

        def step_3(self) -> None:
            assert (self.order.order_qty, self.order.price) == (2.0, 91.0)
            assert self.replace(self.order, price=92)

        def step_4(self) -> None:
            assert (self.order.order_qty, self.order.price) == (2.0, 92.0)
            assert self.open_orders() == self.open_orders(PERP) == [self.order]
            assert self.open_orders(OTHER) == []
            assert self.cancel(self.order)

        def step_5(self) -> None:
            assert self.order.ord_status is OrdStatus.CANCELED
            assert not self.cancel(self.order)

    strategy = Changing()
    result = play(strategy)
    assert result.failures == []
    assert strategy.heard == [
        *(ExecType.NEW, ExecType.PENDING_REPLACE, ExecType.REPLACED),
        *(ExecType.PENDING_REPLACE, ExecType.REPLACED, ExecType.PENDING_CANCEL, ExecType.CANCELED),
    ]


def test_cancel_all_of_one_instrument_and_of_all() -> None:
    class Many(Scripted):
        def step_1(self) -> None:
            self.orders = [self.buy(PERP, 1, 90), self.buy(OTHER, 1, 90), self.sell(PERP, 1, 120)]

        def step_2(self) -> None:
            assert self.cancel_all(PERP) == 2

        def step_3(self) -> None:
            assert self.open_orders() == [self.orders[1]]
            assert self.cancel_all() == 1

        def step_4(self) -> None:
            assert self.open_orders() == []

    result = play(Many())
    assert result.failures == []
    assert all(order.ord_status is OrdStatus.CANCELED for order in result.orders)


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("qty", ["0.001", "123456789012345.678", "999999999999999.999"])
def test_close_is_exact_beyond_the_integers_of_a_double(side: Side, qty: str) -> None:
    class Closing(Scripted):
        def step_1(self) -> None:
            assert self.close(HUGE) is None
            self.buy(HUGE, qty) if side is Side.BUY else self.sell(HUGE, qty)

        def step_2(self) -> None:
            assert abs(self.position(HUGE).position_raw) == HUGE.qty_raw(qty)
            order = self.close(HUGE.id)
            assert order is not None
            assert order.side is side.opposite

        def step_3(self) -> None:
            assert self.position(HUGE).position_raw == 0

    strategy = Closing()
    result = play(strategy)
    assert result.failures == []
    assert [order.ord_status for order in result.orders] == [OrdStatus.FILLED] * 2


class Holder(Scripted):
    size: int = 1
    short: bool = False

    def step_1(self) -> None:
        self.sell(PERP, self.size) if self.short else self.buy(PERP, self.size)

    def step_3(self) -> None:
        self.held = self.position(PERP).position
        self.net = self.portfolio.position(PERP).position


def test_several_strategies_keep_their_positions_apart() -> None:
    one, two, three = Holder(id="one", size=3), Holder(id="two", size=5, short=True), Holder(id="three", size=1)
    result = play(one, two, three)
    assert result.failures == []
    assert [(s.held, s.net) for s in (one, two, three)] == [(3.0, -1.0), (-5.0, -1.0), (1.0, -1.0)]
    assert [s.filled for s in (one, two, three)] == [[("BUY", 3.0)], [("SELL", 5.0)], [("BUY", 1.0)]]
    assert set(result.ledger_sums.values()) == {0}


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two strategies are called 'Holder'"):
        play(Holder(), Holder())


class Failing(Scripted):
    """Leaves two orders open, then one of its handlers raises."""

    where: str = "quote"

    def step_1(self) -> None:
        self.open = [self.buy(PERP, 1, 90), self.sell(OTHER, 1, 120)]
        if self.where == "timer":
            self.every("3s", "tick")

    def on_timer(self, timer: Timer) -> None:
        raise ValueError("timer")

    def step_3(self) -> None:
        if self.where == "quote":
            raise ValueError("quote")
        if self.where in ("fill", "order"):
            self.buy(PERP, 1)

    def on_fill(self, fill: Fill) -> None:
        if self.where == "fill":
            raise ValueError("fill")

    def on_order(self, report: ExecutionReport) -> None:
        super().on_order(report)
        if self.where == "order" and report.exec_type is ExecType.TRADE:
            raise ValueError("order")
        assert self.where != "cancel" or report.exec_type is not ExecType.PENDING_CANCEL

    def step_4(self) -> None:
        if self.where == "cancel":
            raise ValueError("cancel")


EVENTS = {"quote": "Quote", "timer": "Timer", "fill": "Fill", "order": "Fill", "cancel": "Quote"}


@pytest.mark.parametrize("where", list(EVENTS))
def test_one_that_fails_is_stopped_its_orders_canceled_and_the_rest_goes_on(where: str) -> None:
    bad, good = Failing(where=where), Holder()
    result = play(bad, good)
    assert [(failure.strategy, failure.event) for failure in result.failures] == [("Failing", EVENTS[where])]
    assert f"ValueError: {where}" in result.failures[0].error
    assert bad.stopped
    assert all(order.ord_status is OrdStatus.CANCELED for order in bad.open)
    assert bad.quotes < 20
    assert (good.quotes, good.held, good.stopped) == (20, 1.0, False)
    assert ExecType.PENDING_CANCEL not in bad.heard, "a stopped strategy hears nothing more"
    assert set(result.ledger_sums.values()) == {0}


def test_a_failing_stop_is_written_down() -> None:
    class Sore(Scripted):
        def on_stop(self) -> None:
            raise ValueError("at the end")

    assert [failure.event for failure in play(Sore()).failures] == ["on_stop"]


def test_a_strategy_that_answers_every_rejection_with_an_order_is_stopped() -> None:
    class Stubborn(Scripted):
        def step_1(self) -> None:
            self.buy(PERP, 0)

        def on_order(self, report: ExecutionReport) -> None:
            if report.exec_type is ExecType.REJECTED:
                self.buy(PERP, 0)

    good = Holder()
    result = play(Stubborn(), good)
    assert "RecursionError" in result.failures[0].error
    assert good.quotes == 20


def test_canceling_no_order_is_an_error_not_a_crash() -> None:
    class Careless(Scripted):
        order: Any = None

        def step_1(self) -> None:
            self.cancel(self.order)

    assert "no order to cancel" in play(Careless()).failures[0].error


def test_timers() -> None:
    class Timed(Scripted):
        def on_start(self) -> None:
            super().on_start()
            self.fired: list[tuple[str, int, int]] = []
            self.once("2500ms", "late")
            self.every("5s", "five")
            self.stopping = self.every("1s", "stopping")

        def on_timer(self, timer: Timer) -> None:
            self.fired.append((timer.name, timer.ts_event, self.now))
            if timer.name == "stopping" and timer.ts_event >= 3 * SECOND:
                self.stopping.cancel()

    strategy = Timed()
    assert play(strategy).failures == []
    names = [(name, due) for name, due, _ in strategy.fired]
    assert names[:4] == [
        ("stopping", 2 * SECOND),
        ("stopping", 3 * SECOND),
        ("late", 35 * SECOND // 10),
        ("five", 5 * SECOND),
    ]
    assert [due for name, due in names if name == "five"] == [5 * SECOND, 10 * SECOND, 15 * SECOND, 20 * SECOND]
    assert all(due == now for _, due, now in strategy.fired)


def test_log_lines_carry_the_event_s_time(caplog: pytest.LogCaptureFixture) -> None:
    class Talking(Scripted):
        def step_3(self) -> None:
            self.log.warning("price %s", 5)

    with caplog.at_level(logging.WARNING, "onetape.strategy"):
        play(Talking())
    assert caplog.messages == ["1970-01-01T00:00:03.000000+00:00 Talking: price 5"]


def test_a_strategy_without_order_handlers() -> None:
    class Silent(Strategy):
        def on_start(self) -> None:
            self.subscribe_quotes(PERP)

        def on_quote(self, quote: Quote) -> None:
            if not self.open_orders():
                self.order: Order = self.buy(PERP, 1, 90)

    result = play(Silent())
    assert (len(result.orders), result.failures) == (1, [])


def test_an_instrument_nobody_listens_to_has_no_live_market() -> None:
    class Blind(Strategy):
        def on_start(self) -> None:
            self.subscribe_quotes(PERP)

        def on_quote(self, quote: Quote) -> None:
            self.order = self.buy(OTHER, 1)

    strategy = Blind()
    play(strategy)
    assert "is CONNECTING, not LIVE" in strategy.order.text
