"""A market maker of markets: seeded, realistic order flow as columns of book updates, trades and quotes.

The draws of a 64-bit generator (PCG64, whose stream numpy guarantees) are mapped by tables to times, distances and
sizes, and matched by the project's own engine in integers: a seed gives the same market on both builds and every
platform, and a longer market begins with the shorter one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.errors import ConfigurationError
from onetape.model.event import FRAME_SHIFT
from onetape.model.instrument import Instrument
from onetape.model.numbers import Number
from onetape.sim.draws import FairPath, Floats, Integers, as_array, draws, generator
from onetape.sim.flow import FlowSettings, OrderFlow, Recording

#: 2026-01-05 00:00 UTC, a Monday.
DEFAULT_START = 1_767_571_200 * 10**9

_SECOND = 10**9
_DAY = 86_400 * _SECOND
_FOREVER = (1 << 63) - 1
_ONE = 1 << 16
_MEMORY_GAPS = 30
_MAX_EXCITEMENT = 12 * _ONE
_MIN_STEP = _SECOND // 10
_STEP_GAPS = 10
_WINDOW_COMMANDS = 32_768
_LOWEST_TICK = 64


@dataclass(frozen=True, slots=True)
class SynthParameters:
    """What a synthetic market is like.

    ``price``: where it starts (default 10,000 ticks). ``rate``: commands a second (about as many book updates).
    ``volatility``: standard deviation of the fair price over a second, in ticks. ``orders``: how many rest in the
    book, about. ``order_lots``: mean size of an order, in lots. ``burstiness``: share of the commands that earlier
    ones set off. ``trend``: drift of a trend, in volatilities a second. ``jumps``: of the fair price, an hour.
    ``half_life``: seconds in which half of the fair price's way from the start is reverted. ``informed``: share
    of the market orders that know the fair price while it is outside the spread. ``latency``: mean ns from
    ``ts_event`` to ``ts_recv``. ``intraday``: activity in a U over the UTC day.
    """

    price: Number | None = None
    rate: float = 100.0
    volatility: float = 1.0
    orders: int = 600
    order_lots: int = 50
    burstiness: float = 0.6
    trend: float = 0.05
    jumps: float = 6.0
    half_life: float = 3600.0
    informed: float = 0.7
    latency: int = 2_000_000
    intraday: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("rate", 0.01, 1e6),
            ("volatility", 0.0, 1e4),
            ("orders", 40, 10**6),
            ("order_lots", 1, 10**9),
            ("burstiness", 0.0, 0.9),
            ("trend", 0.0, 1.0),
            ("jumps", 0.0, 3600.0),
            ("half_life", 1.0, 1e9),
            ("informed", 0.0, 1.0),
            ("latency", 0, 60 * _SECOND),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigurationError(f"synth: {name} is {value}; give a number from {low:g} to {high:g}")


def synth(
    instrument: Instrument,
    *,
    seed: int,
    events: int = 0,
    duration: int = 0,
    start: int = DEFAULT_START,
    parameters: SynthParameters | None = None,
) -> Iterator[Columns]:
    """The market of one instrument; see :func:`synth_many`."""
    return synth_many(
        [instrument],
        seed=seed,
        events=events,
        duration=duration,
        start=start,
        parameters=[parameters or SynthParameters()],
    )


def synth_many(
    instruments: Sequence[Instrument],
    *,
    seed: int,
    events: int = 0,
    duration: int = 0,
    start: int = DEFAULT_START,
    parameters: Sequence[SynthParameters] = (),
    correlation: float = 0.9,
    divergence_half_life: float = 300.0,
) -> Iterator[Columns]:
    """Markets whose fair prices follow one common path, each with a deviation of its own that reverts.

    Ends after ``events`` (book updates, trades and quotes of all instruments) or ``duration`` ns of ``ts_recv``,
    whichever is first. ``parameters`` is empty, one for all, or one for each instrument; trends, jumps and
    reversion of the common path are the first's. ``correlation`` is that of the fair prices' moves;
    ``divergence_half_life``, in seconds, is the deviations'.

    Yields windows of time in order, each as runs of ``book``, ``trade`` and ``quote`` columns of each instrument;
    memory is bounded by the window (about 32,768 commands) whatever the length. Each book begins with a snapshot.
    ``seq`` counts frames over all instruments in order of ``ts_recv``: in a frame, first the trades of a command,
    then its book update, then the quote.
    """
    if not instruments:
        raise ConfigurationError("synth: no instrument given")
    if len({instrument.id for instrument in instruments}) < len(instruments):
        raise ConfigurationError("synth: an instrument is given twice")
    if events <= 0 and duration <= 0:
        raise ConfigurationError("synth: say how long, by events or duration")
    if seed < 0:
        raise ConfigurationError(f"synth: seed is {seed}; give 0 or a positive integer")
    if not 0.0 < correlation <= 1.0:
        raise ConfigurationError(f"synth: correlation is {correlation}; give a number above 0, at most 1")
    if not divergence_half_life >= 1.0:
        raise ConfigurationError(f"synth: divergence_half_life is {divergence_half_life}; give 1 second or more")
    if len(parameters) not in (0, 1, len(instruments)):
        raise ConfigurationError(f"synth: {len(parameters)} parameters for {len(instruments)} instruments")
    each = list(parameters) or [SynthParameters()]
    each = each * len(instruments) if len(each) == 1 else each
    if len(instruments) == 1:
        correlation = 1.0
    rate = sum(one.rate for one in each)
    step = max(_MIN_STEP, int(_STEP_GAPS * _SECOND / rate))
    steps = max(1, int(_WINDOW_COMMANDS * _SECOND / (rate * step)))
    first = each[0]
    common = FairPath(
        generator(seed, 0), step / _SECOND, half_life=first.half_life, trend=first.trend, jumps=first.jumps
    )
    markets = [
        _Market(instrument, one, seed, number, start, step, correlation, divergence_half_life)
        for number, (instrument, one) in enumerate(zip(instruments, each))
    ]
    end = start + duration if duration > 0 else _FOREVER
    return _windows(markets, common, start, end, step, steps, events)


def _windows(
    markets: Sequence[_Market], common: FairPath, start: int, end: int, step: int, steps: int, events: int
) -> Iterator[Columns]:
    frames = counted = 0
    begin = start
    while begin < end and not (0 < events <= counted):
        path, variance = common.advance(steps)
        stop = min(begin + steps * step, end)
        takes = [market.run(begin, stop, path, variance) for market in markets]
        ranks = _ranks(takes)
        weights = np.empty(len(ranks), np.int64)
        weights[ranks] = np.concatenate([1 + take.trades + take.quoted for take in takes])
        kept = len(ranks)
        totals = counted + np.cumsum(weights)
        if events and kept and totals[-1] > events:
            kept = int(np.searchsorted(totals, events)) + 1
        counted = int(totals[-1]) if kept else counted
        place = 0
        for market, take in zip(markets, takes):
            mine = ranks[place : place + len(take.ts_recv)]
            place += len(take.ts_recv)
            yield from market.columns(take, frames + mine, int(np.searchsorted(mine, kept)))
        frames += kept
        begin = stop


def _ranks(takes: Sequence[Recording]) -> Integers:
    """Place of each frame among those of all instruments, by ``ts_recv``, then by instrument."""
    times = np.concatenate([take.ts_recv for take in takes])
    ranks = np.empty(len(times), np.int64)
    ranks[np.argsort(times, kind="stable")] = np.arange(len(times))
    return ranks


class _Market:
    """One instrument: its fair price in ticks, its order flow, and the columns of what it did."""

    def __init__(
        self,
        instrument: Instrument,
        parameters: SynthParameters,
        seed: int,
        number: int,
        start: int,
        step: int,
        correlation: float,
        divergence_half_life: float,
    ) -> None:
        self.instrument = instrument
        self._parameters = parameters
        self._step = step
        self._first_tick = _first_tick(instrument, parameters)
        self._own = FairPath(generator(seed, 1, number), step / _SECOND, half_life=divergence_half_life)
        self._weights = math.sqrt(correlation), math.sqrt(1.0 - correlation)
        self._sequence = 0
        self._trade_count = 0
        self._flow = OrderFlow(
            instrument,
            _settings(instrument, parameters),
            draws(generator(seed, 2, number)),
            start,
            self._first_tick,
        )

    def run(self, begin: int, stop: int, common: Floats, variance: Floats) -> Recording:
        own, _ = self._own.advance(len(common))
        moved = (self._weights[0] * common + self._weights[1] * own) * self._parameters.volatility
        fair = np.maximum(np.floor(moved).astype(np.int64) + self._first_tick, _LOWEST_TICK)
        activity = 0.6 + 0.4 * variance
        if self._parameters.intraday:
            times = begin + self._step * np.arange(len(common), dtype=np.int64)
            from_noon = 2.0 * ((times % _DAY) / _DAY) - 1.0
            activity = activity * (0.6 + 1.2 * from_noon * from_noon)
        fixed = np.maximum(np.floor(activity * _ONE), 1024).astype(np.int64)
        self._flow.run(begin, stop, self._step, as_array(fair), as_array(fixed))
        return self._flow.take()

    def columns(self, take: Recording, frames: Integers, kept: int) -> Iterator[Columns]:
        if kept == 0:
            return
        ts_event, ts_recv = take.ts_event[:kept], take.ts_recv[:kept]
        trades, rows, quoted = take.trades[:kept], take.rows[:kept], take.quoted[:kept]
        seq = frames[:kept] << FRAME_SHIFT
        sequence = self._sequence + 1 + np.arange(kept)

        def spread(counts: Integers, place: Integers) -> dict[str, npt.NDArray[np.integer]]:
            each = {"ts_event": ts_event, "ts_recv": ts_recv, "seq": seq + place}
            return {name: np.repeat(values, counts) for name, values in each.items()}

        book = spread(rows, trades)
        side, price, size = take.row[: len(book["seq"])].T
        flags = np.zeros(len(side), np.int8)
        flags[np.cumsum(rows) - 1] = BookFlag.LAST
        updates = np.repeat(sequence, rows)
        before = updates - 1
        if self._sequence == 0:
            flags[: rows[0]] |= BookFlag.SNAPSHOT
            flags[0] |= BookFlag.CLEAR
            before[: rows[0]] = -1
        book |= {"side": side, "price": price, "size": size, "flags": flags}
        book |= {"sequence": updates, "first_sequence": updates, "previous_sequence": before}
        yield Columns("book", self.instrument, book)

        if count := int(trades.sum()):
            trade = spread(trades, np.zeros(kept, np.int64))
            trade["seq"] += np.arange(count) - np.repeat(np.cumsum(trades) - trades, trades)
            trade["side"], trade["price"], trade["size"] = take.trade[:count].T
            ids = [str(self._trade_count + 1 + place) for place in range(count)]
            self._trade_count += count
            yield Columns("trade", self.instrument, trade, trade_ids=ids)

        if count := int(quoted.sum()):
            quote = spread(quoted, trades + 1)
            quote["bid"], quote["ask"], quote["bid_size"], quote["ask_size"] = take.quote[:count].T
            quote["sequence"] = np.repeat(sequence, quoted)
            yield Columns("quote", self.instrument, quote)
        self._sequence += kept


def _settings(instrument: Instrument, parameters: SynthParameters) -> FlowSettings:
    gap = _SECOND / (parameters.rate * (1.0 - parameters.burstiness))
    memory = _MEMORY_GAPS * _SECOND / parameters.rate
    if parameters.order_lots * instrument.lot_raw * parameters.orders > 10**14:
        raise ConfigurationError(
            f"synth: {parameters.orders} orders of {parameters.order_lots} lots of {instrument.id} do not fit"
        )
    return FlowSettings(
        mean_gap=max(1, int(gap)),
        memory=max(1, int(memory)),
        excitement=int(parameters.burstiness * gap / memory * _ONE),
        max_excitement=_MAX_EXCITEMENT,
        orders=parameters.orders,
        order_lots=parameters.order_lots,
        informed=int(parameters.informed * _ONE),
        latency=parameters.latency,
    )


def _first_tick(instrument: Instrument, parameters: SynthParameters) -> int:
    if parameters.price is None:
        return 10_000
    tick = instrument.price_raw(parameters.price) // instrument.tick_raw
    if not 2 * _LOWEST_TICK <= tick <= 10**16 // instrument.tick_raw:
        low = instrument.format_price(2 * _LOWEST_TICK * instrument.tick_raw)
        raise ConfigurationError(
            f"synth: price {parameters.price} of {instrument.id}; give {low} or more, below 10**16 raw"
        )
    return tick
