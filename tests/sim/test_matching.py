"""The matching engine against a naive one, and its promises one by one."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onetape.model.enums import ExecType, Side, TimeInForce
from onetape.model.instrument import Instrument
from onetape.sim.match_report import MatchReason, MatchReport, SelfTradePrevention
from onetape.sim.matching import MatchingEngine

INSTRUMENT = Instrument("BTC-USDT.SIM", tick_size="1", lot_size="1")
BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def engine(*resting: tuple[int, Side, int, int], **terms: Any) -> MatchingEngine:
    made = MatchingEngine(Instrument("BTC-USDT.SIM", **terms) if terms else INSTRUMENT)
    for order_id, side, price, size in resting:
        assert [report.exec_type for report in made.limit(order_id, side, price, size)] == [ExecType.NEW]
    return made


def short(reports: list[MatchReport]) -> list[tuple[Any, ...]]:
    return [(r.exec_type.name, r.order_id, r.price_raw, r.size_raw, r.remaining_raw, r.maker_id) for r in reports]


def changes(made: MatchingEngine) -> list[tuple[int, int, int]]:
    return [(change.side, change.price_raw, change.size_raw) for change in made.changes]


# A naive reference: a flat list of orders, sorted anew for each question


@dataclass
class Plain:
    order_id: int
    owner: int
    side: int
    price: int
    remaining: int
    filled: int
    post_only: bool
    stp: int
    arrival: int


@dataclass
class Reference:
    orders: list[Plain] = field(default_factory=list)
    arrivals: int = 0
    trades: int = 0
    said: list[tuple[Any, ...]] = field(default_factory=list)

    def say(
        self, what: str, order: int, price: int, size: int, left: int, reason: str = "NONE", maker: Any = (0, 0)
    ) -> None:
        self.said.append((what, order, price, size, left, reason, *maker))

    def queue(self, taker: Plain) -> list[Plain]:
        def reachable(other: Plain) -> bool:
            return not taker.price or (other.price <= taker.price if taker.side == BUY else other.price >= taker.price)

        sign = 1 if taker.side == BUY else -1
        found = [other for other in self.orders if other.side != taker.side and reachable(other)]
        return sorted(found, key=lambda other: (sign * other.price, other.arrival))

    def own(self, taker: Plain, other: Plain) -> bool:
        return bool(taker.stp and taker.owner and taker.owner == other.owner)

    def drop(self, order: Plain, reason: str = "NONE") -> None:
        if order in self.orders:
            self.orders.remove(order)
        size, order.remaining = order.remaining, 0
        self.say("CANCELED", order.order_id, order.price, size, 0, reason)

    def execute(self, order: Plain, tif: int) -> None:
        if tif == FOK:
            left = order.remaining
            for other in self.queue(order):
                if self.own(order, other):
                    if order.stp != SelfTradePrevention.CANCEL_OLDEST:
                        break
                    continue
                left -= min(left, other.remaining)
                if not left:
                    break
            if left:
                return self.drop(order, "FILL_OR_KILL")
        for other in self.queue(order):
            if not order.remaining:
                break
            if self.own(order, other):
                self.prevent(order, other)
                continue
            size = min(order.remaining, other.remaining)
            for each in (order, other):
                each.remaining -= size
                each.filled += size
            if not other.remaining:
                self.orders.remove(other)
            self.trades += 1
            maker = (other.order_id, other.remaining)
            self.say("TRADE", order.order_id, other.price, size, order.remaining, maker=maker)
        if order.remaining and tif in (IOC, FOK):
            self.drop(order, "IMMEDIATE_OR_CANCEL" if order.price else "NO_LIQUIDITY")
        elif order.remaining:
            self.arrivals += 1
            order.arrival = self.arrivals
            self.orders.append(order)
        return None

    def prevent(self, taker: Plain, maker: Plain) -> None:
        mode = SelfTradePrevention(taker.stp)
        if mode is SelfTradePrevention.DECREMENT:
            both = min(taker.remaining, maker.remaining)
            for order in (maker, taker):
                if order.remaining == both:
                    self.drop(order, "SELF_TRADE")
                else:
                    order.remaining -= both
                    total = order.filled + order.remaining
                    self.say("REPLACED", order.order_id, order.price, total, order.remaining, "SELF_TRADE")
            return
        if mode in (SelfTradePrevention.CANCEL_OLDEST, SelfTradePrevention.CANCEL_BOTH):
            self.drop(maker, "SELF_TRADE")
        if mode in (SelfTradePrevention.CANCEL_NEWEST, SelfTradePrevention.CANCEL_BOTH):
            self.drop(taker, "SELF_TRADE")

    def find(self, order_id: int) -> Plain | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def new(
        self, order_id: int, side: int, price: int, size: int, tif: int, owner: int, post_only: bool, stp: int
    ) -> None:
        order = Plain(order_id, owner, side, price, size, 0, post_only, stp, 0)
        reason = "NONE"
        if self.find(order_id):
            reason = "DUPLICATE_ID"
        elif size <= 0:
            reason = "BAD_SIZE"
        elif post_only and self.queue(order):
            reason = "POST_ONLY"
        elif post_only and tif in (IOC, FOK):
            reason = "UNSUPPORTED"
        if reason != "NONE":
            return self.say("REJECTED", order_id, price, size, 0, reason)
        self.say("NEW", order_id, price, size, size)
        return self.execute(order, tif)

    def cancel(self, order_id: int) -> None:
        order = self.find(order_id)
        if order is None:
            return self.say("CANCEL_REJECTED", order_id, 0, 0, 0, "UNKNOWN_ORDER")
        return self.drop(order)

    def reduce(self, order_id: int, size: int) -> None:
        order = self.find(order_id)
        if order is None or not 0 < size <= order.remaining:
            reason = "BAD_SIZE" if order else "UNKNOWN_ORDER"
            return self.say("REPLACE_REJECTED", order_id, 0, size, 0, reason)
        if size == order.remaining:
            return self.drop(order)
        order.remaining -= size
        return self.say("REPLACED", order_id, order.price, order.filled + order.remaining, order.remaining)

    def replace(self, order_id: int, price: int, size: int) -> None:
        order = self.find(order_id)
        if order is None:
            return self.say("REPLACE_REJECTED", order_id, price, size, 0, "UNKNOWN_ORDER")
        total = order.filled + order.remaining
        wish = Plain(order_id, order.owner, order.side, price, size, 0, False, 0, 0)
        reason = "NONE"
        if size <= 0:
            reason = "BAD_SIZE"
        elif order.post_only and price != order.price and self.queue(wish):
            reason = "POST_ONLY"
        elif size <= order.filled:
            reason = "BELOW_FILLED"
        if reason != "NONE":
            return self.say("REPLACE_REJECTED", order_id, price, size, order.remaining, reason)
        keeps = price == order.price and size <= total
        order.price, order.remaining = price, size - order.filled
        self.say("REPLACED", order_id, price, size, order.remaining)
        if not keeps:
            self.orders.remove(order)
            self.execute(order, GTC)
        return None

    def levels(self, side: int) -> list[tuple[int, int]]:
        sizes: dict[int, int] = {}
        for order in self.orders:
            if order.side == side:
                sizes[order.price] = sizes.get(order.price, 0) + order.remaining
        return sorted(sizes.items(), reverse=side == BUY)


SIDES = st.sampled_from([BUY, SELL])
IDS = st.integers(1, 40)
PRICES = st.integers(95, 105)
SIZES = st.integers(0, 12)
COMMANDS = st.one_of(
    st.tuples(
        st.just("new"),
        IDS,
        SIDES,
        PRICES,
        SIZES,
        st.sampled_from(list(TimeInForce)),
        st.integers(0, 2),
        st.booleans(),
        st.sampled_from(list(SelfTradePrevention)),
    ),
    st.tuples(
        st.just("new"),
        IDS,
        SIDES,
        PRICES,
        st.integers(1, 40),
        st.just(GTC),
        st.integers(0, 2),
        st.just(False),
        st.sampled_from(list(SelfTradePrevention)),
    ),
    st.tuples(st.just("market"), IDS, SIDES, SIZES, st.sampled_from([IOC, FOK]), st.integers(0, 2), st.integers(0, 4)),
    st.tuples(st.just("cancel"), IDS),
    st.tuples(st.just("reduce"), IDS, SIZES),
    st.tuples(st.just("replace"), IDS, PRICES, st.integers(0, 30)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(COMMANDS, max_size=60))
def test_engine_says_and_holds_what_a_naive_one_does(commands: list[tuple[Any, ...]]) -> None:
    made, reference = MatchingEngine(INSTRUMENT), Reference()
    levels: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
    for name, *arguments in commands:
        reference.said = []
        if name == "new":
            reports = made.limit(*arguments)
            reference.new(*arguments)
        elif name == "market":
            order_id, side, size, tif, owner, stp = arguments
            reports = made.market(order_id, side, size, tif, owner, stp)
            reference.new(order_id, side, 0, size, tif, owner, False, stp)
        else:
            reports = getattr(made, name)(*arguments)
            getattr(reference, name)(*arguments)
        assert [
            (
                r.exec_type.name,
                r.order_id,
                r.price_raw,
                r.size_raw,
                r.remaining_raw,
                r.reason.name,
                r.maker_id,
                r.maker_remaining_raw,
            )
            for r in reports
        ] == reference.said
        for change in made.changes:
            if change.size_raw:
                levels[change.side][change.price_raw] = change.size_raw
            else:
                del levels[change.side][change.price_raw]
        touched = [(change.side, change.price_raw) for change in made.changes]
        assert len(set(touched)) == len(touched)
        for side in (BUY, SELL):
            assert made.levels(side) == reference.levels(side)
            assert dict(made.levels(side)) == levels[side]
        bid, ask = made.best_bid_raw, made.best_ask_raw
        assert not bid or not ask or bid < ask
    assert made.trade_count == reference.trades
    assert sorted(made.order_ids) == sorted(order.order_id for order in reference.orders)
    for side, book in ((BUY, made.bids), (SELL, made.asks)):
        mine = [order for order in reference.orders if order.side == side]
        assert (book.count, book.total_raw) == (len(mine), sum(order.remaining for order in mine))
        for price, _ in made.levels(side):
            queue = sorted((order for order in mine if order.price == price), key=lambda order: order.arrival)
            assert [o.order_id for o in made.queue(side, price)] == [order.order_id for order in queue]


@settings(max_examples=150, deadline=None)
@given(st.lists(COMMANDS, max_size=80))
def test_no_quantity_appears_or_vanishes(commands: list[tuple[Any, ...]]) -> None:
    """Bought equals sold; what was entered or added is filled, canceled, taken off or still open."""
    made = MatchingEngine(INSTRUMENT)
    open_size: dict[int, int] = {}
    for name, *arguments in commands:
        for r in getattr(made, "limit" if name == "new" else name)(*arguments):
            if r.exec_type in (ExecType.NEW, ExecType.REPLACED):
                open_size[r.order_id] = r.remaining_raw
            elif r.exec_type is ExecType.TRADE:
                for order_id, left in ((r.order_id, r.remaining_raw), (r.maker_id, r.maker_remaining_raw)):
                    open_size[order_id] -= r.size_raw
                    assert open_size[order_id] == left >= 0
            elif r.exec_type is ExecType.CANCELED:
                assert open_size.pop(r.order_id) == r.size_raw
    for order_id, size in open_size.items():
        order = made.order(order_id)
        assert (order.remaining_raw if order else 0) == size


# Its promises, one by one


def test_older_order_at_a_price_fills_first_and_better_price_before_it() -> None:
    made = engine((1, SELL, 101, 5), (2, SELL, 100, 5), (3, SELL, 100, 5))
    reports = made.limit(9, BUY, 101, 12, owner=7)
    assert short(reports) == [
        ("NEW", 9, 101, 12, 12, 0),
        ("TRADE", 9, 100, 5, 7, 2),
        ("TRADE", 9, 100, 5, 2, 3),
        ("TRADE", 9, 101, 2, 0, 1),
    ]
    assert [(r.owner, r.maker_owner, r.trade_number) for r in reports[1:]] == [(7, 0, 1), (7, 0, 2), (7, 0, 3)]
    assert changes(made) == [(SELL, 100, 0), (SELL, 101, 3)]


def test_remainder_of_a_limit_order_rests_at_its_price() -> None:
    made = engine((1, SELL, 100, 5))
    made.limit(2, BUY, 100, 8)
    assert changes(made) == [(SELL, 100, 0), (BUY, 100, 3)]
    assert (made.best_bid_raw, made.best_bid_size_raw, made.best_ask_raw, made.best_ask_size_raw) == (100, 3, 0, 0)


def test_smaller_size_keeps_priority() -> None:
    made = engine((1, BUY, 100, 5), (2, BUY, 100, 5))
    made.replace(1, 100, 3)
    assert [o.order_id for o in made.queue(BUY, 100)] == [1, 2]
    made.reduce(1, 1)
    assert changes(made) == [(BUY, 100, 7)]
    assert [o.order_id for o in made.queue(BUY, 100)] == [1, 2]


@pytest.mark.parametrize(("price", "size"), [(100, 6), (99, 5), (99, 2)])
def test_larger_size_or_another_price_loses_priority(price: int, size: int) -> None:
    made = engine((1, BUY, 100, 5), (2, BUY, 100, 5), (3, BUY, 99, 5))
    made.replace(1, price, size)
    assert [o.order_id for o in made.queue(BUY, price)][-1] == 1


def test_replace_counts_what_was_filled() -> None:
    made = engine((1, BUY, 100, 10))
    made.limit(2, SELL, 100, 4)
    assert [r.reason for r in made.replace(1, 100, 4)] == [MatchReason.BELOW_FILLED]
    assert short(made.replace(1, 100, 5)) == [("REPLACED", 1, 100, 5, 1, 0)]


def test_replaced_order_that_crosses_takes() -> None:
    made = engine((1, BUY, 99, 5), (2, SELL, 100, 3))
    assert short(made.replace(1, 100, 5)) == [("REPLACED", 1, 100, 5, 5, 0), ("TRADE", 1, 100, 3, 2, 2)]
    assert changes(made) == [(BUY, 99, 0), (SELL, 100, 0), (BUY, 100, 2)]


def test_post_only_is_refused_where_it_would_take_now_or_by_replace() -> None:
    made = engine((1, SELL, 100, 5))
    assert [r.reason for r in made.limit(2, BUY, 100, 1, post_only=True)] == [MatchReason.POST_ONLY]
    made.limit(2, BUY, 99, 1, post_only=True)
    assert [r.reason for r in made.replace(2, 100, 1)] == [MatchReason.POST_ONLY]
    assert made.levels(BUY) == [(99, 1)]


def test_fill_or_kill_is_all_or_nothing() -> None:
    made = engine((1, SELL, 100, 5), (2, SELL, 101, 5))
    (_, canceled) = made.limit(3, BUY, 100, 6, FOK)
    assert (canceled.exec_type, canceled.reason) == (ExecType.CANCELED, MatchReason.FILL_OR_KILL)
    assert made.changes == []
    assert made.limit(4, BUY, 101, 6, FOK)[-1].remaining_raw == 0
    assert made.market(5, BUY, 5, FOK)[-1].reason is MatchReason.FILL_OR_KILL


@pytest.mark.parametrize(
    ("mode", "fills"),
    [
        (SelfTradePrevention.NONE, True),
        (SelfTradePrevention.CANCEL_NEWEST, False),
        (SelfTradePrevention.CANCEL_OLDEST, True),
        (SelfTradePrevention.CANCEL_BOTH, False),
        (SelfTradePrevention.DECREMENT, False),
    ],
)
def test_fill_or_kill_sees_its_owners_orders_in_the_way(mode: SelfTradePrevention, fills: bool) -> None:
    made = MatchingEngine(INSTRUMENT)
    made.limit(1, SELL, 100, 5, owner=7)
    made.limit(2, SELL, 101, 5)
    reports = made.limit(3, BUY, 101, 5, FOK, owner=7, stp=mode)
    assert (reports[-1].reason is MatchReason.FILL_OR_KILL) is not fills
    assert sum(r.size_raw for r in reports if r.exec_type is ExecType.TRADE) == (5 if fills else 0)
    if not fills:
        assert made.levels(SELL) == [(100, 5), (101, 5)]


def test_market_order_takes_what_there_is() -> None:
    made = engine((1, SELL, 100, 5))
    *_, last = made.market(2, BUY, 6)
    assert (last.exec_type, last.size_raw, last.reason) == (ExecType.CANCELED, 1, MatchReason.NO_LIQUIDITY)


@pytest.mark.parametrize(
    ("mode", "said", "bids", "asks"),
    [
        (SelfTradePrevention.NONE, ["TRADE"], [], [(100, 1)]),
        (SelfTradePrevention.CANCEL_NEWEST, ["CANCELED"], [], [(100, 5)]),
        (SelfTradePrevention.CANCEL_OLDEST, ["CANCELED"], [(100, 4)], []),
        (SelfTradePrevention.CANCEL_BOTH, ["CANCELED", "CANCELED"], [], []),
        (SelfTradePrevention.DECREMENT, ["REPLACED", "CANCELED"], [], [(100, 1)]),
    ],
)
def test_self_trade_prevention(
    mode: SelfTradePrevention, said: list[str], bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    made = MatchingEngine(INSTRUMENT)
    made.limit(1, SELL, 100, 5, owner=7)
    reports = made.limit(2, BUY, 100, 4, owner=7, stp=mode)
    assert [r.exec_type.name for r in reports[1:]] == said
    assert (made.levels(BUY), made.levels(SELL)) == (bids, asks)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("limit", 1, BUY, 100, 10), MatchReason.DUPLICATE_ID),
        (("limit", 2, 0, 100, 10), MatchReason.BAD_SIDE),
        (("limit", 2, 3, 100, 10), MatchReason.BAD_SIDE),
        (("limit", 2, BUY, 100, 0), MatchReason.BAD_SIZE),
        (("limit", 2, BUY, 100, -10), MatchReason.BAD_SIZE),
        (("limit", 2, BUY, 100, 11), MatchReason.OFF_LOT),
        (("limit", 2, BUY, 100, 5), MatchReason.BELOW_MIN_QTY),
        (("limit", 2, BUY, 100, 1005), MatchReason.ABOVE_MAX_QTY),
        (("limit", 2, BUY, 0, 10), MatchReason.BAD_PRICE),
        (("limit", 2, BUY, -50, 10), MatchReason.BAD_PRICE),
        (("limit", 2, BUY, 120, 10), MatchReason.OFF_TICK),
        (("limit", 2, BUY, 100, 10, 9), MatchReason.UNSUPPORTED),
        (("limit", 2, BUY, 100, 10, IOC, 0, True), MatchReason.UNSUPPORTED),
        (("limit", 2, BUY, 100, 10, GTC, 0, False, 5), MatchReason.UNSUPPORTED),
        (("market", 2, BUY, 0), MatchReason.BAD_SIZE),
        (("market", 2, BUY, 11), MatchReason.OFF_LOT),
        (("cancel", 2), MatchReason.UNKNOWN_ORDER),
        (("reduce", 2, 5), MatchReason.UNKNOWN_ORDER),
        (("reduce", 1, 0), MatchReason.BAD_SIZE),
        (("reduce", 1, 3), MatchReason.OFF_LOT),
        (("reduce", 1, 95), MatchReason.BAD_SIZE),
        (("replace", 2, 100, 10), MatchReason.UNKNOWN_ORDER),
        (("replace", 1, 120, 10), MatchReason.OFF_TICK),
        (("replace", 1, 0, 10), MatchReason.BAD_PRICE),
        (("replace", 1, 100, 0), MatchReason.BAD_SIZE),
        (("replace", 1, 100, 11), MatchReason.OFF_LOT),
    ],
)
def test_bad_input_is_a_report_and_changes_nothing(call: tuple[Any, ...], reason: MatchReason) -> None:
    made = engine((1, BUY, 100, 90), tick_size="50", lot_size="5", min_qty=10, max_qty=1000)
    name, *arguments = call
    (report,) = getattr(made, name)(*arguments)
    refused = {"limit": "REJECTED", "market": "REJECTED", "cancel": "CANCEL_REJECTED"}
    assert (report.exec_type.name, report.reason) == (refused.get(name, "REPLACE_REJECTED"), reason)
    assert (made.changes, made.levels(BUY), made.levels(SELL)) == ([], [(100, 90)], [])


def test_enormous_sizes_do_not_overflow() -> None:
    huge = (1 << 63) - 1
    made = engine((1, BUY, 100, huge - 5))
    assert [r.reason for r in made.limit(2, BUY, 100, 6)] == [MatchReason.BAD_SIZE]
    assert [r.reason for r in made.replace(1, 99, huge)] == [MatchReason.NONE]
    assert made.limit(3, SELL, 99, huge)[-1].exec_type is ExecType.TRADE
    assert made.levels(SELL) == [] == made.levels(BUY)


def test_new_version_of_the_instrument_applies_to_new_orders_only() -> None:
    made = engine((1, BUY, 101, 3))
    made.update_instrument(Instrument("BTC-USDT.SIM", tick_size="5", lot_size="1"))
    assert [r.reason for r in made.limit(2, BUY, 101, 3)] == [MatchReason.OFF_TICK]
    assert short(made.limit(3, SELL, 100, 3))[-1] == ("TRADE", 3, 101, 3, 0, 1)


def test_a_very_long_queue_is_freed_without_recursion() -> None:
    made = MatchingEngine(INSTRUMENT)
    for order_id in range(1, 100_001):
        made.limit(order_id, BUY, 100, 1)
    made.cancel(50_000)
    assert made.best_bid_size_raw == 99_999
    del made
    gc.collect()
