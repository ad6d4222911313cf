"""Each rule of docs/modules/sim.md on terms, changes, latency and fees, on a market of a few rows."""

from __future__ import annotations

import pytest
from sim_script import (
    DAY,
    FOK,
    FREE,
    GTD,
    IOC,
    TOP,
    Run,
    S,
    Script,
    buy,
    cancel,
    columns,
    crossed,
    queued,
    quotes,
    replace,
    run,
    sell,
    trades,
)

from onetape.app.backtest import Backtest
from onetape.model.instrument import Instrument
from onetape.sim.fees import FixedFees
from onetape.sim.latency import ConstantLatency, LatencyModel

# terms

MANY = [TOP, (1010, 99, 5, 101, 5), (1020, 99, 5, 101, 5), (1030, 99, 5, 101, 5), (1040, 98, 5, 99, 9)]


def news(result: Run, order: str = "order") -> list[tuple[int, str, str]]:
    return result.news(order)


TERMS = {
    "accepted, then filled": ([(1005, buy(1))], [(1005, "NEW", ""), (1005, "TRADE", "")]),
    "post-only that would take": (
        [(1005, buy(1, 101, post_only=True))],
        [(1005, "REJECTED", "post-only: the order would take liquidity")],
    ),
    "post-only that rests": ([(1005, buy(1, 100, post_only=True))], [(1005, "NEW", ""), (1040, "TRADE", "")]),
    "immediate or cancel, nothing to take": (
        [(1005, buy(1, 100, time_in_force=IOC))],
        [(1005, "NEW", ""), (1005, "CANCELED", "immediate-or-cancel: nothing more to take")],
    ),
    "fill or kill": (
        [(1005, buy(6, time_in_force=FOK))],
        [(1005, "NEW", ""), (1005, "CANCELED", "fill-or-kill: not enough liquidity at once")],
    ),
    "good till date": (
        [(1005, buy(1, 100, expire_time=1025))],
        [(1005, "NEW", ""), (1025, "EXPIRED", "the order's time is over")],
    ),
    "expiry comes before the data of its time": (
        [(1005, buy(1, 99, expire_time=1040))],
        [(1005, "NEW", ""), (1040, "EXPIRED", "the order's time is over")],
    ),
    "expire time in the past": (
        [(1005, buy(1, 100, time_in_force=GTD, expire_time=1004))],
        [(1005, "REJECTED", "the expire time has passed")],
    ),
    "a waiting stop expires too": (
        [(1005, buy(1, stop=150, expire_time=1025))],
        [(1005, "NEW", ""), (1025, "EXPIRED", "the order's time is over")],
    ),
    "reduce-only without a position": (
        [(1005, buy(1, reduce_only=True))],
        [(1005, "REJECTED", "reduce-only: there is no position to reduce")],
    ),
    "reduce-only against the position": (
        [(1004, sell(2, name="first")), (1005, buy(5, reduce_only=True))],
        [(1005, "NEW", ""), (1005, "TRADE", ""), (1005, "CANCELED", "reduce-only: the position is closed")],
    ),
    "reduce-only of the same size as the position": (
        [(1004, sell(2, name="first")), (1005, buy(2, reduce_only=True))],
        [(1005, "NEW", ""), (1005, "TRADE", "")],
    ),
    "canceled": ([(1005, buy(1, 98)), (1015, cancel())], [(1005, "NEW", ""), (1015, "CANCELED", "")]),
    "stop: triggered, then filled": (
        [(1005, buy(1, stop=101))],
        [(1005, "NEW", ""), (1005, "TRIGGERED", ""), (1005, "TRADE", "")],
    ),
    "a waiting stop is canceled": (
        [(1005, buy(1, stop=150)), (1015, cancel())],
        [(1005, "NEW", ""), (1015, "CANCELED", "")],
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_terms(name: str) -> None:
    actions, expected = TERMS[name]
    assert news(run([quotes(*MANY)], *actions)) == expected


def test_day_order_ends_at_midnight_utc() -> None:
    day = 86_400_000_000_000
    result = run(
        [quotes(TOP, (day - 5, 99, 5, 101, 5), (day + 5, 99, 5, 100, 5))], (1005, buy(1, 100, time_in_force=DAY))
    )
    assert news(result) == [(1005, "NEW", ""), (day, "EXPIRED", "the order's time is over")]


def test_an_order_outlives_the_data() -> None:
    """The market's time ends with its data, so that nothing expires after it."""
    result = run([quotes(*MANY)], (1005, buy(1, 90, time_in_force=DAY)))
    assert news(result) == [(1005, "NEW", "")]
    assert result.script.sent["order"].is_open
    assert result.result.equity[-1].ts == 1040


def test_reduce_only_does_not_use_up_what_it_can_not_take() -> None:
    rows = [TOP, (1020, 99, 5, 101, 5)]
    result = run([quotes(*rows)], (1004, sell(2)), (1005, buy(5, reduce_only=True)), (1006, buy(3, time_in_force=IOC)))
    assert result.short_fills == [(1004, -2, 99), (1005, 2, 101), (1006, 3, 101)]


# replace

REPLACES = {
    "smaller at the same price keeps its place": (
        [(1010, 99, 6, S)],
        [(1004, buy(4, 99)), (1005, replace(qty=2))],
        [queued(1010, 1, 99)],
    ),
    "larger goes to the end": (
        [(1010, 99, 6, S)],
        [(1001, buy(4, 99)), (1005, replace(qty=6))],
        [],
    ),
    "another price goes to the end of that": (
        [(1010, 100, 3, S)],
        [(1004, buy(4, 99)), (1005, replace(price=100))],
        [queued(1010, 3, 100)],
    ),
    "a price that crosses takes": (
        [(1010, 100, 3, S)],
        [(1004, buy(4, 99)), (1005, replace(price=101))],
        [crossed(1005, 4, 101)],
    ),
}


@pytest.mark.parametrize("name", REPLACES)
def test_replace(name: str) -> None:
    printed, actions, fills = REPLACES[name]
    shown = [(1000, 99, 5, 101, 5), (1003, 99, 9, 101, 5), (1050, 99, 9, 101, 5)]
    if name.startswith("smaller"):
        shown = [(1000, 99, 5, 101, 5), (1050, 99, 9, 101, 5)]
    assert run([quotes(*shown), trades(*printed)], *actions).fills == fills


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (replace(price=101), "post-only: the order would take liquidity"),
        (replace(qty=1, price=102), "post-only: the order would take liquidity"),
    ],
)
def test_replace_is_refused(change: object, text: str) -> None:
    result = run([quotes(*MANY)], (1004, buy(4, 98, post_only=True)), (1005, change))  # type: ignore[arg-type]
    assert news(result) == [(1004, "NEW", ""), (1005, "REPLACE_REJECTED", text)]
    assert result.script.sent["order"].price_raw == 98


def test_replace_below_what_is_filled_comes_too_late() -> None:
    latency = ConstantLatency(10, 0)
    shown = [(1000, 99, 0, 101, 5), (1003, 99, 0, 101, 5), (1200, 99, 5, 101, 5)]
    result = run(
        [quotes(*shown), trades((1041, 99, 3, S))], (1010, buy(4, 99)), (1035, replace(qty=2)), latency=latency
    )
    assert news(result) == [
        (1020, "NEW", ""),
        (1041, "TRADE", ""),
        (1045, "REPLACE_REJECTED", "too late: that much is filled already"),
    ]


def test_a_waiting_stop_is_replaced() -> None:
    result = run([quotes(*MANY)], (1004, buy(4, stop=150)), (1005, replace(qty=2)))
    assert [item[:2] for item in news(result)] == [(1004, "NEW"), (1005, "REPLACED")]
    assert result.script.sent["order"].order_qty_raw == 2


# latency and clocks


def times(result: Run) -> list[tuple[str, int, int]]:
    return [(report.exec_type.name, report.ts_event, report.ts_recv) for report in result.script.heard]


def test_latency_moves_the_order_and_the_answer() -> None:
    rows = [TOP, (1010, 99, 5, 102, 5), (1020, 99, 5, 103, 5), (1030, 99, 5, 104, 5)]
    result = run([quotes(*rows)], (1005, buy(1)), latency=ConstantLatency(entry=17, response=4))
    assert times(result) == [("NEW", 1022, 1026), ("TRADE", 1022, 1026)]
    assert result.fills == [crossed(1022, 1, 103)]


def test_an_answer_may_come_after_the_last_row() -> None:
    result = run([quotes(*MANY)], (1035, buy(1)), latency=ConstantLatency(entry=100, response=1000))
    assert times(result) == [("NEW", 1135, 2135), ("TRADE", 1135, 2135)]


def test_a_cancel_can_be_too_late() -> None:
    rows = [TOP, (1020, 97, 5, 98, 5), (1100, 97, 5, 98, 5)]
    result = run([quotes(*rows)], (1005, buy(1, 98)), (1015, cancel()), latency=ConstantLatency(6, 10))
    assert [item for item in times(result) if item[0] != "PENDING_CANCEL"] == [
        ("NEW", 1011, 1021),
        ("TRADE", 1020, 1030),
        ("CANCEL_REJECTED", 1021, 1031),
    ]


class Uneven(LatencyModel):
    """The first command is slow, the others are not."""

    def entry(self, order: object, ts: int) -> int:
        return 50 if ts < 1006 else 1

    def response(self, order: object, ts: int) -> int:
        return 3


def test_a_cancel_that_overtakes_its_order_finds_nothing() -> None:
    rows = [TOP, (1020, 99, 5, 101, 5), (1100, 99, 5, 101, 5)]
    result = run([quotes(*rows)], (1005, buy(1, 98)), (1015, cancel()), latency=Uneven())
    assert [(what, text) for _, what, text in result.news()] == [
        ("CANCEL_REJECTED", "the venue has no such order, or it has ended"),
        ("NEW", ""),
    ]
    assert result.script.sent["order"].is_open


def test_at_one_time_the_exchange_takes_data_before_commands() -> None:
    rows = [TOP, (1010, 99, 5, 107, 5), (1020, 99, 5, 101, 5)]
    assert run([quotes(*rows)], (1010, buy(1))).fills == [crossed(1010, 1, 107)]
    assert run([quotes(*rows)], (1005, buy(1)), latency=ConstantLatency(5, 0)).fills == [crossed(1010, 1, 107)]


def test_the_strategy_sees_a_row_when_it_was_received_the_exchange_when_it_happened() -> None:
    names = ("ts_event", "ts_recv", "bid", "ask", "bid_size", "ask_size")
    rows = [(1000, 1050, 99, 101, 5, 5), (1030, 1080, 99, 105, 5, 5), (1200, 1250, 99, 110, 5, 5)]
    result = run([columns("quote", names, rows)], (1060, buy(1)))
    assert result.fills == [crossed(1060, 1, 105)]


def test_a_venue_clock_ahead_of_ours_shows_nothing_early() -> None:
    names = ("ts_event", "ts_recv", "bid", "ask", "bid_size", "ask_size")
    rows = [
        (900, 1040, 99, 101, 5, 5),
        (9000, 1050, 99, 105, 5, 5),
        (1030, 1080, 99, 105, 5, 5),
        (1200, 1250, 99, 110, 5, 5),
    ]
    result = run([columns("quote", names, rows)], (1045, buy(1)), (1060, buy(1)), (1220, buy(1)))
    assert result.fills == [crossed(1045, 1, 101), crossed(1060, 1, 105), crossed(1220, 1, 110)]


# fees

FEES = Instrument("FEE-USD.SIM", tick_size="1", lot_size="1", maker_fee="-0.0001", taker_fee="0.0005")


def test_fees_are_the_instruments_unless_told() -> None:
    rows = [TOP, (1010, 97, 5, 98, 5), (1020, 97, 5, 98, 5)]
    actions = [(1004, buy(2, instrument=FEES)), (1005, buy(2, 98, instrument=FEES))]
    result = run_on(FEES, rows, actions)
    assert [fill.commission for fill in result.result.fills] == [202 * 5 * 10**14, -196 * 10**14]
    assert [fill.commission_currency for fill in result.result.fills] == ["USD", "USD"]
    result = run_on(FEES, rows, [(1004, buy(2, instrument=FEES))], fees=FixedFees(maker=0, taker="0.001"))
    assert [fill.commission for fill in result.result.fills] == [202 * 10**15]


def run_on(
    instrument: Instrument, rows: list[tuple[int, ...]], actions: list[tuple[int, object]], **options: object
) -> Run:
    script = Script(actions, ["quote"])  # type: ignore[arg-type]
    script.instruments = (instrument,)
    backtest = Backtest(script, [quotes(*rows, instrument=instrument)], limits=FREE, **options)  # type: ignore[arg-type]
    return Run(script, backtest, backtest.run())
