"""Run strategies over recorded data against a simulated exchange."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from onetape.app.result import EquityPoint, Result
from onetape.app.session import Session
from onetape.kernel.clock import NEVER
from onetape.kernel.loop import Kernel
from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument
from onetape.model.numbers import Number
from onetape.risk.limits import Limits
from onetape.sim.exchange import SimExchange, SimGateway
from onetape.sim.fees import FeeModel
from onetape.sim.latency import LatencyModel
from onetape.sim.tape_feed import Stream, TapeFeed
from onetape.strategy.base import Strategy
from onetape.tape.catalog import Tape

EQUITY_POINTS = 1_000

Progress = Callable[[int], object]


class MemoryStream:
    """Columns in memory as a stream of a backtest, in chunks of about ``chunk_rows`` (0: whole).

    Rows received from ``start`` to before ``end``, if given.
    """

    def __init__(self, columns: Columns, chunk_rows: int = 0, start: int | None = None, end: int | None = None) -> None:
        if start is not None or end is not None:
            ts = columns["ts_recv"]
            low = 0 if start is None else int(np.searchsorted(ts, start))
            columns = columns.slice(low, columns.rows if end is None else max(low, int(np.searchsorted(ts, end))))
        self.kind = columns.kind
        self.spec = columns.spec
        self.instrument: Instrument | None = columns.instrument
        self.first = int(columns["ts_recv"][0]) if columns.rows else NEVER
        self.last = int(columns["ts_recv"][-1]) if columns.rows else 0
        self._columns = columns
        self._chunk_rows = chunk_rows

    def __iter__(self) -> Iterator[Columns]:
        if self._chunk_rows <= 0:
            yield self._columns
            return
        start = 0
        while start < self._columns.rows:
            stop = min(start + self._chunk_rows, self._columns.rows)
            if self.kind == "book":
                stop = self._end_of_update(stop)
            yield self._columns.slice(start, stop)
            start = stop

    def _end_of_update(self, stop: int) -> int:
        """An update of a book is never split."""
        flags = self._columns["flags"]
        while stop < self._columns.rows and not flags[stop - 1] & BookFlag.LAST:
            stop += 1
        return stop


class Backtest:
    """A session over a tape, or over columns or streams of one's own; ``run`` may be called once.

    ``fees`` default to the instruments' own rates, ``latency`` to none, ``limits`` to :class:`Limits`' defaults.
    ``start`` and ``end`` (ns) cut the tape. ``on_progress(ts)`` is called at each point of the equity curve.
    """

    def __init__(
        self,
        strategies: Strategy | Sequence[Strategy],
        data: Tape | Iterable[Columns | Stream],
        *,
        balances: Mapping[str, Number] | None = None,
        fees: FeeModel | None = None,
        latency: LatencyModel | None = None,
        limits: Limits | None = None,
        limits_by_instrument: Mapping[str, Limits] | None = None,
        start: int | None = None,
        end: int | None = None,
        chunk_rows: int = 65_536,
        on_progress: Progress | None = None,
    ) -> None:
        if isinstance(data, Tape):
            streams: list[Any] = data.streams(start=start, end=end, chunk_rows=chunk_rows)
            instruments: dict[str, Instrument] = dict(data.instruments)
        else:
            streams = [_stream(item, chunk_rows, start, end) for item in data]
            instruments = {stream.instrument.id: stream.instrument for stream in streams}
        if not streams:
            raise ConfigurationError("there is no market data to run on")
        self.first = min(int(stream.first) for stream in streams)
        if self.first == NEVER:
            raise ConfigurationError("there is no market data to run on: all streams are empty")
        self.last = max(int(stream.last) for stream in streams)
        self.equity: list[EquityPoint] = []
        self.kernel = Kernel()
        self.exchange = SimExchange(self.kernel, fees, latency)
        feed = TapeFeed(self.kernel, self.exchange, _typed(streams))
        self.session = Session(
            self.kernel,
            feed,
            SimGateway(self.exchange),
            instruments,
            balances=balances,
            limits=limits,
            limits_by_instrument=limits_by_instrument,
        )
        self.kernel.venue = self.exchange
        self.exchange.connect(self.session.oms)
        self.session.oms.history = []
        self.session.add([strategies] if isinstance(strategies, Strategy) else strategies)
        self._on_progress = on_progress

    def prepare(self) -> None:
        """Start the strategies: their streams are opened and the first rows read."""
        self.kernel.clock.advance(self.first)
        step = max(1, (self.last - self.first) // EQUITY_POINTS)
        self.kernel.call_at(self.first, self._sample, step)
        self.session.start()

    def run(self) -> Result:
        if not self.kernel.schedule:
            self.prepare()
        began = time.perf_counter()
        with _quiet_collector():
            self.kernel.run()
        run_s = time.perf_counter() - began
        self.session.stop()
        self._sample(max(self.last, self.kernel.clock.now))
        oms, portfolio = self.session.oms, self.session.portfolio
        return Result(
            events=self.kernel.events,
            run_s=run_s,
            orders=oms.orders,
            fills=oms.history or [],
            rejected=oms.rejected,
            illegal=oms.illegal,
            digest=oms.digest.hexdigest(),
            fees=portfolio.fees(),
            pnl=portfolio.pnl(),
            balances=portfolio.balances(),
            ledger_sums=portfolio.ledger.sums(),
            positions=portfolio.positions(),
            equity=self.equity,
            failures=self.session.failures,
            start=self.first,
            end=self.last,
        )

    def _sample(self, ts: int) -> None:
        marks = {state.instrument.id: state.twice_mark_raw() for state in self.kernel.states if state.priced}
        self.equity.append(EquityPoint(ts, self.session.portfolio.pnl(), marks))
        if self._on_progress is not None:
            self._on_progress(ts)


def backtest(
    strategies: Strategy | Sequence[Strategy], data: Tape | Iterable[Columns | Stream], **options: Any
) -> Result:
    """Run ``strategies`` over ``data`` and say what came of it; options as in :class:`Backtest`."""
    return Backtest(strategies, data, **options).run()


def _stream(item: Columns | Stream, chunk_rows: int, start: int | None, end: int | None) -> Any:
    if isinstance(item, Columns):
        return MemoryStream(item, chunk_rows, start, end)
    if start is not None or end is not None:
        raise ConfigurationError("start and end cut a tape or columns; a stream of your own has to be cut by you")
    return item


def _typed(streams: list[Any]) -> list[Stream]:
    return streams


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """What lives through the run is not worth looking through again and again."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
