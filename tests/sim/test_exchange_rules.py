"""Each rule of docs/modules/sim.md on how orders meet the market, on a market of a few rows."""

from __future__ import annotations

import pytest
from sim_script import (
    BLIND,
    FOK,
    IOC,
    MAKER,
    OTHER,
    TAKER,
    TOP,
    B,
    N,
    S,
    bars,
    book,
    buy,
    cancel,
    crossed,
    met,
    queued,
    quotes,
    run,
    sell,
    through,
    trades,
)

from onetape.sim.latency import ConstantLatency

# best quotes

QUOTES = {
    "market order takes the best price": (
        [TOP, (1010, 99, 5, 101, 5)],
        [(1005, buy(3))],
        [crossed(1005, 3, 101)],
    ),
    "sell market order takes the best bid": (
        [TOP, (1010, 99, 5, 101, 5)],
        [(1005, sell(3))],
        [crossed(1005, -3, 99)],
    ),
    "market order that finds too little goes on at the next price shown": (
        [TOP, (1010, 99, 5, 101, 5), (1020, 99, 5, 102, 4), (1030, 99, 5, 103, 9)],
        [(1005, buy(12))],
        [crossed(1005, 5, 101), crossed(1020, 4, 102), crossed(1030, 3, 103)],
    ),
    "what we took stays taken while the venue repeats the quote": (
        [TOP, (1010, 98, 5, 101, 5), (1020, 98, 5, 101, 5)],
        [(1005, buy(5)), (1015, buy(1, time_in_force=IOC))],
        [crossed(1005, 5, 101)],
    ),
    "only size that is new can be taken": (
        [TOP, (1010, 99, 5, 101, 7), (1020, 99, 5, 101, 7)],
        [(1005, buy(5)), (1015, buy(5, time_in_force=IOC))],
        [crossed(1005, 5, 101), crossed(1015, 2, 101)],
    ),
    "a level that shrinks shows what we took as gone": (
        [TOP, (1010, 99, 5, 101, 2), (1020, 99, 5, 101, 6), (1030, 99, 5, 101, 6)],
        [(1005, buy(5)), (1025, buy(9, time_in_force=IOC))],
        [crossed(1005, 5, 101), crossed(1025, 4, 101)],
    ),
    "another best price and back is new liquidity": (
        [TOP, (1010, 99, 5, 102, 5), (1020, 99, 5, 101, 5), (1030, 99, 5, 101, 5)],
        [(1005, buy(5)), (1025, buy(5))],
        [crossed(1005, 5, 101), crossed(1025, 5, 101)],
    ),
    "marketable limit takes at the better price and no worse than its own": (
        [TOP, (1010, 99, 5, 102, 5), (1020, 99, 5, 103, 5), (1030, 99, 5, 101, 9)],
        [(1005, buy(12, 102))],
        [crossed(1005, 5, 101), met(1010, 5, 102, 102), met(1030, 2, 102, 101)],
    ),
    "resting limit is a maker at its own price when the book comes to it": (
        [TOP, (1010, 97, 5, 99, 2), (1020, 97, 5, 98, 9), (1030, 97, 5, 98, 9)],
        [(1005, buy(6, 100))],
        [met(1010, 2, 100, 99), met(1020, 4, 100, 98)],
    ),
    "resting sell is met by a bid": (
        [TOP, (1010, 101, 4, 103, 5), (1020, 101, 4, 103, 5)],
        [(1005, sell(3, 100))],
        [met(1010, -3, 100, 101)],
    ),
    "immediate or cancel": (
        [TOP, (1010, 99, 5, 101, 9), (1020, 99, 5, 101, 9)],
        [(1005, buy(8, 101, time_in_force=IOC))],
        [crossed(1005, 5, 101)],
    ),
    "fill or kill: too little": (
        [TOP, (1010, 99, 5, 101, 9), (1020, 99, 5, 101, 9)],
        [(1005, buy(6, 101, time_in_force=FOK))],
        [],
    ),
    "fill or kill: enough": (
        [TOP, (1010, 99, 5, 101, 9)],
        [(1005, buy(5, 101, time_in_force=FOK))],
        [crossed(1005, 5, 101)],
    ),
    "fill or kill counts what we took already": (
        [TOP, (1010, 99, 5, 101, 5)],
        [(1004, buy(1)), (1005, buy(5, 101, time_in_force=FOK))],
        [crossed(1004, 1, 101)],
    ),
    "buy stop is triggered by the ask": (
        [TOP, (1010, 99, 5, 102, 5), (1020, 100, 5, 103, 5), (1030, 100, 5, 103, 5)],
        [(1005, buy(2, stop=103))],
        [crossed(1020, 2, 103)],
    ),
    "sell stop is triggered by the bid": (
        [TOP, (1010, 97, 5, 102, 5), (1020, 97, 5, 102, 5)],
        [(1005, sell(2, stop=98))],
        [crossed(1010, -2, 97)],
    ),
    "a stop whose price is passed already is triggered on arrival": (
        [TOP, (1010, 99, 5, 101, 5)],
        [(1005, buy(2, stop=100))],
        [crossed(1005, 2, 101)],
    ),
    "stop-limit does not chase": (
        [TOP, (1010, 104, 5, 105, 5), (1020, 101, 5, 103, 1), (1030, 101, 5, 103, 1)],
        [(1005, buy(2, 103, stop=102))],
        [met(1020, 1, 103, 103)],
    ),
    "trailing stop follows the best and turns": (
        [TOP, (1010, 104, 5, 105, 5), (1020, 102, 5, 105, 5), (1030, 101, 5, 105, 5), (1040, 101, 5, 105, 5)],
        [(1005, sell(2, trail=3))],
        [crossed(1030, -2, 101)],
    ),
    "a quote without size is no price": (
        [TOP, (1010, 99, 5, 101, 0), (1020, 99, 5, 101, 4), (1030, 99, 5, 101, 4)],
        [(1012, buy(1))],
        [crossed(1020, 1, 101)],
    ),
}


@pytest.mark.parametrize("name", QUOTES)
def test_quotes(name: str) -> None:
    rows, actions, fills = QUOTES[name]
    assert run([quotes(*rows)], *actions).fills == fills


# best quotes with trades

WITH_TRADES = {
    "trades at our price go to those ahead first": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 99, 3, S), (1020, 99, 4, S), (1030, 99, 1, S)],
        [(1005, buy(4, 99))],
        [queued(1020, 2, 99), queued(1030, 1, 99)],
    ),
    "a level that shrinks has nobody ahead beyond its size": (
        [TOP, (1010, 99, 1, 101, 5), (1050, 99, 1, 101, 5)],
        [(1020, 99, 2, S)],
        [(1005, buy(4, 99))],
        [queued(1020, 1, 99)],
    ),
    "a level that grows grows behind us": (
        [TOP, (1010, 99, 50, 101, 5), (1050, 99, 5, 101, 5)],
        [(1020, 99, 6, S)],
        [(1005, buy(4, 99))],
        [queued(1020, 1, 99)],
    ),
    "buyers do not fill buyers": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 99, 30, B), (1020, 98, 30, B)],
        [(1005, buy(4, 99))],
        [],
    ),
    "an unknown aggressor fills either side": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 100, 3, N)],
        [(1004, buy(2, 100)), (1005, sell(2, 103))],
        [queued(1010, 2, 100)],
    ),
    "a trade beyond our price has traded through us": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 98, 3, S), (1020, 98, 9, S)],
        [(1005, buy(4, 99))],
        [through(1010, 3, 99, 98), through(1020, 1, 99, 98)],
    ),
    "a level not in view has an unknown queue: its trades are not ours": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 98, 90, S), (1020, 97, 1, S)],
        [(1005, buy(4, 98))],
        [through(1020, 1, 98, 97)],
    ),
    "an unseen level that comes into view shows who is ahead": (
        [TOP, (1010, 98, 6, 101, 5), (1050, 98, 6, 101, 5)],
        [(1020, 98, 7, S)],
        [(1005, buy(4, 98))],
        [queued(1020, 1, 98)],
    ),
    "an unseen level that the best price falls past is empty but for us": (
        [TOP, (1010, 97, 6, 101, 5), (1050, 97, 6, 101, 5)],
        [(1020, 98, 3, S)],
        [(1005, buy(4, 98))],
        [queued(1020, 3, 98)],
    ),
    "a price inside the spread has nobody ahead": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 100, 3, S)],
        [(1005, buy(4, 100))],
        [queued(1010, 3, 100)],
    ),
    "two of ours at a price do not share a trade twice": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 99, 8, S), (1020, 99, 3, S)],
        [(1004, buy(2, 99, name="a")), (1005, buy(2, 99, name="b"))],
        [queued(1010, 2, 99), queued(1010, 1, 99), queued(1020, 1, 99)],
    ),
    "others who queued between two of ours are still ahead of the second": (
        [(1000, 99, 0, 101, 5), (1004, 99, 4, 101, 5), (1050, 99, 5, 101, 5)],
        [(1010, 99, 3, S), (1020, 99, 4, S)],
        [(1003, buy(2, 99, name="a")), (1005, buy(2, 99, name="b"))],
        [queued(1010, 2, 99), queued(1020, 1, 99)],
    ),
    "our better price is hit first": (
        [TOP, (1050, 99, 5, 101, 5)],
        [(1010, 99, 7, S)],
        [(1004, buy(4, 99, name="a")), (1005, buy(1, 100, name="b"))],
        [through(1010, 1, 100, 99), queued(1010, 1, 99)],
    ),
    "a stop watches the last trade where there are trades": (
        [TOP, (1010, 99, 5, 107, 5), (1050, 99, 5, 107, 5)],
        [(1002, 100, 1, B), (1020, 103, 1, B)],
        [(1005, buy(1, stop=103))],
        [crossed(1020, 1, 107)],
    ),
    "a market order is not filled by trades where prices are shown": (
        [(1000, 99, 5, 101, 5), (1004, 99, 5, 101, 0), (1050, 99, 5, 101, 3)],
        [(1010, 100, 30, S), (1020, 100, 30, B)],
        [(1005, buy(1))],
        [crossed(1050, 1, 101)],
    ),
}


@pytest.mark.parametrize("name", WITH_TRADES)
def test_quotes_and_trades(name: str) -> None:
    shown, printed, actions, fills = WITH_TRADES[name]
    assert run([quotes(*shown), trades(*printed)], *actions).fills == fills


# level 2

SNAPSHOT = (1000, "snapshot", [(B, 99, 5), (B, 98, 6), (B, 96, 7), (S, 101, 2), (S, 102, 3), (S, 104, 4)])
END = (1090, "delta", [(B, 50, 1)])
BOOKS = {
    "market order walks the levels": (
        [SNAPSHOT, END],
        [],
        [(1005, buy(7))],
        [crossed(1005, 2, 101), crossed(1005, 3, 102), crossed(1005, 2, 104)],
    ),
    "market order through the whole book goes on when there is more": (
        [SNAPSHOT, (1010, "delta", [(S, 102, 3)]), (1020, "delta", [(S, 102, 8)]), END],
        [],
        [(1005, buy(11))],
        [crossed(1005, 2, 101), crossed(1005, 3, 102), crossed(1005, 4, 104), crossed(1020, 2, 102)],
    ),
    "limit stops at its price and rests": (
        [SNAPSHOT, (1010, "delta", [(S, 102, 5)]), END],
        [],
        [(1005, buy(7, 102))],
        [crossed(1005, 2, 101), crossed(1005, 3, 102), met(1010, 2, 102, 102)],
    ),
    "what we took stays taken through updates of other levels": (
        [SNAPSHOT, (1010, "delta", [(B, 99, 4)]), END],
        [],
        [(1005, buy(2)), (1015, buy(2))],
        [crossed(1005, 2, 101), crossed(1015, 2, 102)],
    ),
    "a level that was removed and comes back is new": (
        [SNAPSHOT, (1010, "delta", [(S, 101, 0)]), (1020, "delta", [(S, 101, 2)]), END],
        [],
        [(1005, buy(2)), (1025, buy(2))],
        [crossed(1005, 2, 101), crossed(1025, 2, 101)],
    ),
    "a snapshot with the level keeps what we took": (
        [SNAPSHOT, (1010, "snapshot", [(B, 99, 5), (S, 101, 2), (S, 103, 1)]), END],
        [],
        [(1005, buy(2)), (1015, buy(1))],
        [crossed(1005, 2, 101), crossed(1015, 1, 103)],
    ),
    "a snapshot without the level forgets what we took": (
        [SNAPSHOT, (1010, "snapshot", [(B, 99, 5), (S, 103, 1)]), (1020, "delta", [(S, 101, 2)]), END],
        [],
        [(1005, buy(2)), (1025, buy(2))],
        [crossed(1005, 2, 101), crossed(1025, 2, 101)],
    ),
    "the queue is what the level showed": (
        [SNAPSHOT, END],
        [(1010, 98, 7, S)],
        [(1005, buy(4, 98))],
        [queued(1010, 1, 98)],
    ),
    "an empty level within the book has no queue": (
        [SNAPSHOT, END],
        [(1010, 97, 3, S)],
        [(1005, buy(4, 97))],
        [queued(1010, 3, 97)],
    ),
    "beyond the last level shown the queue is unknown": (
        [SNAPSHOT, END],
        [(1010, 95, 3, S), (1020, 94, 1, S)],
        [(1005, buy(4, 95))],
        [through(1020, 1, 95, 94)],
    ),
    "a snapshot without our level has emptied it": (
        [SNAPSHOT, (1010, "snapshot", [(B, 97, 5), (S, 101, 2)]), END],
        [(1020, 98, 3, S)],
        [(1005, buy(4, 98))],
        [queued(1020, 3, 98)],
    ),
    "a level that shrinks caps the queue": (
        [SNAPSHOT, (1010, "delta", [(B, 98, 1)]), END],
        [(1020, 98, 2, S)],
        [(1005, buy(4, 98))],
        [queued(1020, 1, 98)],
    ),
    "a removed level leaves us alone there": (
        [SNAPSHOT, (1010, "delta", [(B, 98, 0)]), (1015, "delta", [(B, 98, 9)]), END],
        [(1020, 98, 2, S)],
        [(1005, buy(4, 98))],
        [queued(1020, 2, 98)],
    ),
    "an update is matched whole, not row by row": (
        [SNAPSHOT, (1010, "delta", [(S, 100, 5), (S, 100, 0), (B, 97, 1)]), END],
        [],
        [(1005, buy(1, 100))],
        [],
    ),
    "a crossed book fills nothing": (
        [SNAPSHOT, (1010, "delta", [(S, 98, 5)]), (1020, "delta", [(S, 98, 0)]), END],
        [],
        [(1005, buy(1, 99)), (1008, buy(1, 100))],
        [],
    ),
    "a crossed book fills no market order either, until it is uncrossed": (
        [SNAPSHOT, (1010, "delta", [(S, 98, 5)]), (1020, "delta", [(B, 99, 0), (B, 98, 0)]), END],
        [],
        [(1009, buy(1))],
        [crossed(1020, 1, 98)],
    ),
}


@pytest.mark.parametrize("name", BOOKS)
def test_books(name: str) -> None:
    updates, printed, actions, fills = BOOKS[name]
    data = [book(*updates), trades(*printed)] if printed else [book(*updates)]
    latency = ConstantLatency(2, 0) if "market order either" in name else None
    assert run(data, *actions, latency=latency).fills == fills


# trades only

PRINTS = [(1000, 100, 5, B), (1010, 99, 1, S), (1020, 97, 2, S), (1030, 98, 9, B), (1090, 98, 1, B)]


def last(ts: int, qty: int, price: int) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, TAKER, f"at the last trade {price}")


TRADES_ONLY = {
    "market order at the last trade, whatever its size": ([(1005, buy(50))], [last(1005, 50, 100)]),
    "limit order that is marketable takes at the last trade": ([(1005, buy(5, 102))], [last(1005, 5, 100)]),
    "limit order is filled when passed through, for the size that traded": (
        [(1005, buy(5, 98))],
        [through(1020, 2, 98, 97)],
    ),
    "limit order that is only touched is not": ([(1005, buy(5, 97))], []),
    "sell limit": ([(1015, sell(4, 98)), (1035, sell(4, 99))], [last(1015, -4, 99)]),
    "sell limit, passed by a buyer": ([(1025, sell(4, 97))], [last(1025, -4, 97)]),
    "stop": ([(1005, sell(4, stop=98))], [last(1020, -4, 97)]),
    "stop-limit rests where the price is beyond it": ([(1005, sell(4, 98, stop=98))], []),
    "trailing stop": ([(1005, buy(4, trail=1))], [last(1030, 4, 98)]),
    "fill or kill": ([(1005, buy(4, 99, time_in_force=FOK))], []),
}


@pytest.mark.parametrize("name", TRADES_ONLY)
def test_trades_only(name: str) -> None:
    actions, fills = TRADES_ONLY[name]
    assert run([trades(*PRINTS)], *actions).fills == fills


def test_market_order_before_the_first_trade_waits_for_it() -> None:
    late = trades((1005, 7, 1, B), (1010, 8, 1, B))
    result = run([late, trades((1000, 50, 1, B), (1020, 50, 1, B), instrument=OTHER)], (1002, buy(3)), limits=BLIND)
    assert result.fills == [last(1005, 3, 7)]


# bars: (ts_open, ts, open, high, low, close, volume)

BARS = [
    (1000, 1060, 100, 110, 95, 105, 1000),
    (1060, 1120, 106, 112, 104, 111, 1000),
    (1120, 1180, 108, 109, 90, 92, 8),
    (1180, 1240, 92, 93, 80, 81, 1000),
]


def at_open(ts: int, qty: int, price: int, liquidity: str = TAKER, by: int = 0) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, liquidity, f"at the open of the bar {by or price}")


def on_path(ts: int, qty: int, price: int, liquidity: str = MAKER, by: int = 0) -> tuple[int, int, int, str, str]:
    return (ts, qty, price, liquidity, f"the bar's path passed {by or price}")


ON_BARS = {
    "market order at a bar's end trades at the open of the next": ([(1120, buy(3))], [at_open(1120, 3, 108)]),
    "market order within a bar trades at the last point of its path": (
        [(1065, buy(3))],
        [at_open(1065, 3, 106)],
    ),
    "limit is filled at its own price when passed": ([(1065, buy(3, 105))], [on_path(1080, 3, 105, by=104)]),
    "limit that is only touched is not filled": ([(1065, buy(3, 104)), (1119, cancel())], []),
    "the extreme nearer to the open comes first": (
        [(1065, buy(3, 105, name="low")), (1065, sell(3, 111, name="high"))],
        [on_path(1080, 3, 105, by=104), on_path(1100, -3, 111, by=112)],
    ),
    "limit that the open has passed is filled at its own price": (
        [(1119, sell(3, 107, post_only=True, name="x")), (1119, buy(3, 109))],
        [at_open(1120, 3, 109, MAKER, by=108)],
    ),
    "stop is triggered on the path and trades at its price": (
        [(1125, sell(3, stop=100))],
        [on_path(1160, -3, 100, TAKER)],
    ),
    "stop that the open has passed trades at the open": ([(1119, sell(3, stop=110))], [at_open(1120, -3, 108)]),
    "not more than the bar's volume": (
        [(1125, buy(20))],
        [at_open(1125, 8, 108), at_open(1180, 12, 92)],
    ),
    "the volume of a bar is spent once": (
        [(1125, buy(5, name="a")), (1130, buy(5, 100, name="b"))],
        [at_open(1125, 5, 108), on_path(1160, 3, 100, by=90), at_open(1180, 2, 100, MAKER, by=92)],
    ),
    "the volume of a bar that nothing of ours was in counts after its end": (
        [(1179, buy(1, name="a", time_in_force=IOC)), (1179, buy(9, time_in_force=IOC))],
        [on_path(1179, 1, 90, TAKER), on_path(1179, 7, 90, TAKER)],
    ),
    "trailing stop along the path": ([(1065, sell(2, trail=5))], [on_path(1160, -2, 107, TAKER)]),
    "stop-limit on the path": ([(1125, sell(2, 99, stop=100))], [on_path(1160, -2, 100, TAKER)]),
}


@pytest.mark.parametrize("name", ON_BARS)
def test_bars(name: str) -> None:
    actions, fills = ON_BARS[name]
    assert run([bars(*BARS)], *actions).fills == fills


def test_bars_of_no_volume_have_no_limit() -> None:
    flat = [(1000, 1060, 100, 100, 100, 100, 0), (1060, 1120, 100, 100, 100, 100, 0)]
    assert run([bars(*flat)], (1070, buy(10**9))).short_fills == [(1070, 10**9, 100)]


def test_time_in_the_gap_between_bars_belongs_to_the_close_before() -> None:
    rows = [(1000, 1060, 100, 110, 95, 105, 1000), (2000, 2060, 50, 51, 49, 50, 1000)]
    assert run([bars(*rows)], (1500, buy(1))).fills == [on_path(1500, 1, 105, TAKER)]
