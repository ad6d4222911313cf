"""Random markets and orders: what must hold whatever happens, and what the way of reading must not change."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_script import COIN, FREE, OTHER, B, N, Run, S, Script, book, columns, run

from onetape.app.backtest import Backtest
from onetape.model.columns import Columns
from onetape.model.enums import FillReason, TimeInForce
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade
from onetape.sim.latency import ConstantLatency

Action = tuple[int, Callable[[Script], object]]
EVENTS: dict[str, type] = {"quote": Quote, "trade": Trade, "bar": Bar}
START, END = 1_000, 1_400
LATE = 20
SEEDS = st.integers(0, 10**9)
FROM_SHOWN = (FillReason.CROSSED_SPREAD, FillReason.BOOK_CROSSED)
FROM_TRADES = (FillReason.QUEUE_EXHAUSTED, FillReason.TRADED_THROUGH)


def stamps(rng: random.Random, count: int, clock: str) -> list[tuple[int, int]]:
    """(ts_event, ts_recv): equal, late by up to 20, or of a venue whose clock is off either way."""
    received = sorted(rng.randint(START, END) for _ in range(count))
    if clock == "same":
        return [(ts, ts) for ts in received]
    if clock == "late":
        return [(max(1, ts - rng.randint(0, LATE)), ts) for ts in received]
    return [(max(1, ts + rng.randint(-LATE, LATE)), ts) for ts in received]


def quote_rows(rng: random.Random, clock: str, instrument: Instrument = COIN) -> Columns:
    rows = []
    mid = 100
    for event, received in stamps(rng, 60, clock):
        mid = max(5, mid + rng.choice([-2, -1, 0, 0, 0, 0, 1, 2]))
        wide = rng.choice([1, 1, 1, 2])
        rows.append((event, received, mid - wide, mid + wide, rng.randint(0, 6), rng.randint(0, 6)))
    return columns("quote", ("ts_event", "ts_recv", "bid", "ask", "bid_size", "ask_size"), rows, instrument)


def trade_rows(rng: random.Random, clock: str, instrument: Instrument = COIN) -> Columns:
    rows = [
        (event, received, 100 + rng.randint(-5, 5), rng.randint(1, 8), rng.choice([B, S, S, B, N]))
        for event, received in stamps(rng, 60, clock)
    ]
    return columns("trade", ("ts_event", "ts_recv", "price", "size", "side"), rows, instrument)


def book_rows(rng: random.Random, clock: str, instrument: Instrument = COIN) -> Columns:
    updates: list[tuple[int, str, list[tuple[int, int, int]]]] = []
    times = stamps(rng, 50, clock)
    for i, (_, received) in enumerate(times):
        if i == 0 or rng.random() < 0.1:
            levels = [(B, 100 - d, rng.randint(1, 5)) for d in range(1, 6)]
            levels += [(S, 100 + d, rng.randint(1, 5)) for d in range(1, 6)]
            updates.append((received, "snapshot", levels))
        else:
            changes = []
            for _ in range(rng.randint(1, 3)):
                side = rng.choice([B, S])
                away = rng.randint(0, 6) if rng.random() < 0.1 else rng.randint(1, 6)
                changes.append((side, 100 - away if side == B else 100 + away, rng.randint(0, 5)))
            updates.append((received, "delta", changes))
    made = book(*updates, instrument=instrument)
    if clock == "same":
        return made
    event = {received: event for event, received in times}
    made.arrays["ts_event"] = made.arrays["ts_event"].copy()
    for i, received in enumerate(made["ts_recv"]):
        made.arrays["ts_event"][i] = event[int(received)]
    return made


def bar_rows(rng: random.Random, clock: str, instrument: Instrument = COIN) -> Columns:
    rows, price = [], 100
    for ts in range(START, END, 20):
        open_, close = price, max(5, price + rng.randint(-4, 4))
        high, low = max(open_, close) + rng.randint(0, 3), min(open_, close) - rng.randint(0, 3)
        rows.append((ts, ts + 20, open_, high, low, close, rng.randint(0, 10)))
        price = max(5, close + rng.choice([-1, 0, 0, 1]))
    names = ("ts_open", "ts_recv", "open", "high", "low", "close", "volume")
    return columns("bar", names, rows, instrument, spec="1m")


MAKERS: dict[str, tuple[Callable[..., Columns], ...]] = {
    "quotes": (quote_rows,),
    "quotes and trades": (quote_rows, trade_rows),
    "trades": (trade_rows,),
    "book": (book_rows,),
    "book and trades": (book_rows, trade_rows),
    "book, quotes and trades": (book_rows, quote_rows, trade_rows),
    "bars": (bar_rows,),
}


def market(kind: str, seed: int, clock: str = "same", instrument: Instrument = COIN) -> list[Columns]:
    rng = random.Random(seed)
    return [make(rng, clock, instrument) for make in MAKERS[kind]]


def one_action(
    rng: random.Random, name: str, instruments: Sequence[Instrument], known: list[str]
) -> Callable[[Script], object]:
    choice = rng.random()
    if known and choice < 0.2:
        target = rng.choice(known)
        return lambda script: target in script.sent and script.cancel(script.sent[target])
    if known and choice < 0.35:
        target, qty, price = rng.choice(known), rng.randint(1, 9), 100 + rng.randint(-4, 4)
        if rng.random() < 0.5:
            price = 0

        def change(script: Script) -> object:
            order = script.sent.get(target)
            limit = order is not None and order.price is not None
            return order is not None and script.replace(order, qty, price if limit and price else None)

        return change
    terms: dict[str, Any] = {"time_in_force": rng.choice(list(TimeInForce)[:3] + [TimeInForce.GTC] * 4)}
    price: int | None = 100 + rng.randint(-4, 4)
    form = rng.random()
    if form < 0.25:
        price = None
    elif form < 0.35:
        price = rng.choice([price, None])
        terms["stop"] = 100 + rng.randint(-4, 4)
    elif form < 0.42:
        price = None
        terms["trail"] = rng.randint(1, 4)
    elif form < 0.5:
        terms["post_only"] = True
    if rng.random() < 0.15:
        terms["reduce_only"] = True
    if rng.random() < 0.15:
        terms["expire_time"] = rng.randint(START, END)
        terms["time_in_force"] = TimeInForce.GTD
    qty, instrument, buying = rng.randint(1, 9), rng.choice(instruments), rng.random() < 0.5

    def act(script: Script) -> None:
        script.sent[name] = (script.buy if buying else script.sell)(instrument, qty, price, **terms)

    known.append(name)
    return act


def script_of(seed: int, count: int = 25, instruments: Sequence[Instrument] = (COIN,)) -> list[Action]:
    rng = random.Random(seed + 1)
    known: list[str] = []
    times = sorted(rng.randint(START + 1, END) for _ in range(count))
    return [(ts, one_action(rng, str(i), instruments, known)) for i, ts in enumerate(times)]


def start(data: list[Columns]) -> int:
    return min(int(item["ts_recv"][0]) for item in data)


def later(actions: list[Action], data: list[Columns]) -> list[Action]:
    """Nothing can be asked for before the first row."""
    return [(ts, act) for ts, act in actions if ts > start(data)]


def play(data: list[Columns], seed: int, listen: Sequence[str] = (), **options: Any) -> Run:
    return run(data, *later(script_of(seed), data), listen=listen, **options)


# what must hold


@settings(max_examples=40)
@given(seed=SEEDS, kind=st.sampled_from(list(MAKERS)), clock=st.sampled_from(["same", "late", "skewed"]))
def test_invariants(seed: int, kind: str, clock: str) -> None:
    data = market(kind, seed, clock)
    result = play(data, seed, latency=ConstantLatency(seed % 3 * 4, seed % 2 * 5))
    for order in result.result.orders:
        for fill in (fill for fill in result.result.fills if fill.order is order):
            assert fill.ts_event >= order.ts_created
            assert fill.last_qty_raw % COIN.lot_raw == 0
    open_at_end = sum(order.is_open for order in result.result.orders)
    assert open_at_end == len(result.backtest.session.oms.open)
    limits: dict[int, int] = {}
    for report in result.script.heard:
        order = report.order
        assert order is not None
        if report.exec_type.name in ("NEW", "REPLACED"):
            limits[order.number] = report.price_raw
        if report.exec_type.name == "TRADE" and order.price is not None:
            px: int = report.last_px_raw  # type: ignore[attr-defined]
            assert (limits[order.number] - px) * order.sign >= 0


@settings(max_examples=25)
@given(seed=SEEDS)
def test_quotes_are_not_taken_twice_nor_trades(seed: int) -> None:
    rng = random.Random(seed)
    times = rng.sample(range(START, END), 80)
    shown = sorted(times[:40])
    printed = sorted(times[40:])
    mid = 100
    quoted = []
    for ts in shown:
        mid += rng.choice([-1, 0, 0, 0, 1])
        quoted.append((ts, mid - 1, rng.randint(0, 5), mid + 1, rng.randint(0, 5)))
    traded = [(ts, 100 + rng.randint(-4, 4), rng.randint(1, 8), rng.choice([B, S, N])) for ts in printed]
    data = [
        columns("quote", ("ts", "bid", "bid_size", "ask", "ask_size"), quoted),
        columns("trade", ("ts", "price", "size", "side"), traded),
    ]
    result = play(data, seed)
    for ts, _, size, side in traded:
        ours = [fill for fill in result.result.fills if fill.ts_event == ts and fill.reason_type in FROM_TRADES]
        assert sum(fill.last_qty_raw for fill in ours) <= size
        assert all(side in (N, 3 - fill.side_code) for fill in ours)
    for mine, price_at, size_at in ((B, 3, 4), (S, 1, 2)):
        taken = [f for f in result.result.fills if f.side_code == mine and f.reason_type in FROM_SHOWN]
        at = 0
        while at < len(quoted):
            stop = at
            room, before = 0, 0
            while stop < len(quoted) and quoted[stop][price_at] == quoted[at][price_at]:
                room += max(0, quoted[stop][size_at] - before)
                before = quoted[stop][size_at]
                stop += 1
            until = quoted[stop][0] if stop < len(quoted) else 10**9
            used = [f for f in taken if quoted[at][0] <= f.ts_event < until]
            assert sum(f.last_qty_raw for f in used) <= room
            assert all(f.reason_raw == quoted[at][price_at] for f in used)
            at = stop


@settings(max_examples=25)
@given(seed=SEEDS)
def test_book_levels_are_not_taken_twice(seed: int) -> None:
    (made,) = market("book", seed)
    result = play([made], seed)
    for mine, theirs in ((B, S), (S, B)):
        room: dict[int, int] = {}
        shown: dict[int, int] = {}
        fills = [f for f in result.result.fills if f.side_code == mine]
        used: dict[int, int] = {}
        at = 0
        rows = list(zip(*(made[n].tolist() for n in ("ts_recv", "side", "price", "size", "flags")), strict=True))
        for ts, side, price, size, flags in [*rows, (10**9, 0, 0, 0, 0)]:
            while at < len(fills) and fills[at].ts_event < ts:
                level = fills[at].reason_raw
                used[level] = used.get(level, 0) + fills[at].last_qty_raw
                assert used[level] <= room.get(level, 0)
                at += 1
            if flags & 4:
                gone = dict(shown)
                shown = {}
                fresh = {r[2]: r[3] for r in rows if r[0] == ts and r[1] == theirs and r[4] & 2}
                for price_gone, size_gone in gone.items():
                    if price_gone in fresh:
                        shown[price_gone] = size_gone
            if side == theirs:
                room[price] = room.get(price, 0) + max(0, size - shown.get(price, 0))
                shown[price] = size


# what must not change anything


def outcome(result: Run) -> tuple[Any, ...]:
    return (result.result.digest, result.fills, [order.status_code for order in result.result.orders])


@settings(max_examples=14)
@given(seed=SEEDS, kind=st.sampled_from(list(MAKERS)), clock=st.sampled_from(["same", "late", "skewed"]))
def test_chunks_and_runs_change_nothing(seed: int, kind: str, clock: str) -> None:
    data = market(kind, seed, clock)
    latency = ConstantLatency(seed % 4 * 3, seed % 3 * 4)
    whole = outcome(play(data, seed, chunk_rows=0, latency=latency))
    for rows in (1, 7, 1_000, 0):
        assert outcome(play(data, seed, chunk_rows=rows, latency=latency)) == whole


@settings(max_examples=40)
@given(seed=SEEDS, kind=st.sampled_from(list(MAKERS)), clock=st.sampled_from(["same", "late", "skewed"]))
def test_what_we_listen_to_changes_no_fill(seed: int, kind: str, clock: str) -> None:
    data = market(kind, seed, clock)
    result = play(data, seed)
    kinds = [item.kind for item in data]

    class Quiet(Script):
        def on_start(self) -> None:
            for item in kinds:
                if item == "book":
                    self.book(COIN)
                else:
                    feed = self._context.subscriptions._feed
                    feed.subscribe(EVENTS[item], COIN, "1m" if item == "bar" else "")
            super().on_start()

    quiet = Quiet(later(script_of(seed), data), (), id="script")
    backtest = Backtest(quiet, data, limits=FREE, chunk_rows=1 + seed % 50)
    assert Run(quiet, backtest, backtest.run()).fills == result.fills
    assert backtest.session.oms.digest.hexdigest() == result.result.digest


@settings(max_examples=40)
@given(seed=SEEDS, kind=st.sampled_from(list(MAKERS)), clock=st.sampled_from(["same", "late", "skewed"]))
def test_an_idle_market_is_the_same_as_a_busy_one(seed: int, kind: str, clock: str) -> None:
    """Another strategy's order, far away, has the exchange step through every row."""
    data = market(kind, seed, clock)
    lazy = play(data, seed, latency=ConstantLatency(seed % 3, 2))

    far = Script([(start(data) + 1, lambda script: script.buy(COIN, 1, 1))], [data[0].kind], id="far")
    script = Script(later(script_of(seed), data), [item.kind for item in data], id="script")
    backtest = Backtest([far, script], data, limits=FREE, latency=ConstantLatency(seed % 3, 2))
    busy = Run(script, backtest, backtest.run())
    assert busy.fills == lazy.fills


@settings(max_examples=20)
@given(seed=SEEDS, kind=st.sampled_from(["quotes", "book and trades", "bars"]))
def test_two_instruments_do_not_disturb_each_other(seed: int, kind: str) -> None:
    first, second = market(kind, seed), market("quotes and trades", seed + 7, "late", OTHER)
    begin = max(start(first), start(second))
    end = min(max(int(item["ts_recv"][-1]) for item in data) for data in (first, second))
    alone = [
        run(data, *_of(seed + i, instrument, begin, end), limits=FREE, listen=(), instrument=instrument).fills
        for i, (data, instrument) in enumerate([(first, COIN), (second, OTHER)])
    ]
    one = Script(_of(seed, COIN, begin, end), [item.kind for item in first], id="one")
    two = Script(_of(seed + 1, OTHER, begin, end), [item.kind for item in second], id="two")
    two.instruments = (OTHER,)
    backtest = Backtest([one, two], first + second, limits=FREE, chunk_rows=13)
    both = Run(one, backtest, backtest.run())
    for fills, instrument in zip(alone, (COIN, OTHER), strict=True):
        ours = [f for f in both.result.fills if f.instrument is instrument]
        assert [(f.ts_event, f.last_qty_raw, f.last_px_raw, f.reason) for f in ours] == [
            (f[0], abs(f[1]), f[2], f[4]) for f in fills
        ]


def _of(seed: int, instrument: Instrument, begin: int, end: int) -> list[Action]:
    """Timers of a session go as far as all of its data."""
    return [(ts, act) for ts, act in script_of(seed, instruments=(instrument,)) if begin < ts <= end]


@settings(max_examples=40)
@given(
    seed=SEEDS,
    kind=st.sampled_from(list(MAKERS)),
    clock=st.sampled_from(["same", "late", "skewed"]),
    cut=st.integers(START + 20, END - 20),
)
def test_nothing_looks_ahead(seed: int, kind: str, clock: str, cut: int) -> None:
    """Whatever comes after a time, all that was decided or heard up to it is the same."""
    data = market(kind, seed, clock)
    shorter = []
    for item in data:
        keep = int((item["ts_recv"] <= cut).sum())
        if keep == 0 or (item.kind == "bar" and keep < 2):
            return
        shorter.append(item.slice(0, keep))
    cut = max(int(item["ts_recv"][-1]) for item in shorter)
    happened = cut if clock == "same" else cut - LATE
    actions = [(ts, act) for ts, act in later(script_of(seed), data) if ts <= cut]
    options: dict[str, Any] = {"latency": ConstantLatency(2, 3)}
    full, cut_off = run(data, *actions, **options), run(shorter, *actions, **options)

    def until(result: Run) -> list[tuple[Any, ...]]:
        return [
            (r.ts_event, r.ts_recv, r.exec_type.name, r.text, r.price_raw, r.cum_qty_raw)
            for r in result.script.heard
            if r.ts_recv <= cut and r.ts_event < happened
        ]

    assert until(full) == until(cut_off)


@pytest.mark.parametrize("kind", MAKERS)
def test_markets_of_this_file_trade(kind: str) -> None:
    """The properties above are about something."""
    fills = sum(len(play(market(kind, seed), seed).fills) for seed in range(5))
    assert fills > 10
