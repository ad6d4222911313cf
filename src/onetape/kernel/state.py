"""What every room may want to know of an instrument right now, in one row that each writes its part of.

Streams write prices and health, the OMS open quantities, the portfolio the position; the risk gate, the
portfolio's valuation and strategies read.
"""

from __future__ import annotations

from collections.abc import Iterator

from onetape.model.enums import Health
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument

_LIVE = int(Health.LIVE)
_CONNECTING = int(Health.CONNECTING)


class InstrumentState:
    """Prices are raw and 0 while their size or ``ts`` is 0. ``health`` is a :class:`Health` value."""

    __slots__ = (
        "ask_raw",
        "ask_size_raw",
        "bid_raw",
        "bid_size_raw",
        "health",
        "instrument",
        "last_raw",
        "open_buy_raw",
        "open_sell_raw",
        "position_raw",
        "ts",
        "ts_last",
    )

    instrument: Instrument
    bid_raw: int
    ask_raw: int
    bid_size_raw: int
    ask_size_raw: int
    last_raw: int
    ts: int
    ts_last: int
    health: int
    position_raw: int
    open_buy_raw: int
    open_sell_raw: int

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.bid_raw = self.ask_raw = self.bid_size_raw = self.ask_size_raw = self.last_raw = 0
        self.ts = self.ts_last = 0
        self.health = _CONNECTING
        self.position_raw = self.open_buy_raw = self.open_sell_raw = 0

    @property
    def priced(self) -> bool:
        return self.ts > 0 or self.ts_last > 0

    def twice_mark_raw(self) -> int:
        """Twice the price to value a position at, so that a mid between two ticks stays exact.

        The mid of the best prices where both are there, else the last trade or bar close; 0 if nothing is known.
        """
        if self.bid_size_raw > 0 and self.ask_size_raw > 0:
            return self.bid_raw + self.ask_raw
        return 2 * self.last_raw


class StateTable:
    """States by instrument index. A new version of an instrument keeps its state; where the number of decimals
    changes, known prices are forgotten, and it is an error while a position or an order is open."""

    __slots__ = ("_rows",)

    _rows: list[InstrumentState | None]

    def __init__(self) -> None:
        self._rows = []

    def add(self, instrument: Instrument) -> InstrumentState:
        """The state of ``instrument``, made or moved to this version of it (an older one moves nothing)."""
        while len(self._rows) <= instrument.index:
            self._rows.append(None)
        state = self._rows[instrument.index]
        if state is None:
            state = InstrumentState(instrument)
            self._rows[instrument.index] = state
        elif state.instrument is not instrument and instrument.version >= state.instrument.version:
            self._move(state, instrument)
        return state

    def _move(self, state: InstrumentState, instrument: Instrument) -> None:
        old = state.instrument
        if (old.price_precision, old.size_precision) != (instrument.price_precision, instrument.size_precision):
            if state.position_raw or state.open_buy_raw or state.open_sell_raw:
                raise ConfigurationError(
                    f"{instrument.id}: version {instrument.version} has other decimals than version {old.version} and "
                    "a position or orders are open in these; close them before it, or start a session after it"
                )
            state.bid_raw = state.ask_raw = state.bid_size_raw = state.ask_size_raw = state.last_raw = 0
            state.ts = state.ts_last = 0
        state.instrument = instrument

    def get(self, index: int) -> InstrumentState | None:
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def __iter__(self) -> Iterator[InstrumentState]:
        return iter([row for row in self._rows if row is not None])
