"""What a strategy works with; the same in every mode."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from onetape.kernel.loop import Kernel
from onetape.marketdata.subscriptions import Subscriptions
from onetape.model.errors import UnknownInstrumentError
from onetape.model.instrument import Instrument
from onetape.oms.oms import Oms
from onetape.portfolio.portfolio import Portfolio

FailureHook = Callable[[object, object, Exception], None]


class Context:
    """``on_failure(strategy, event, error)`` is called when a strategy's handler raises."""

    __slots__ = ("instruments", "kernel", "oms", "on_failure", "portfolio", "subscriptions")

    kernel: Kernel
    oms: Oms
    portfolio: Portfolio
    subscriptions: Subscriptions
    instruments: Mapping[str, Instrument]
    on_failure: FailureHook

    def __init__(
        self,
        kernel: Kernel,
        oms: Oms,
        portfolio: Portfolio,
        subscriptions: Subscriptions,
        instruments: Mapping[str, Instrument],
        on_failure: FailureHook,
    ) -> None:
        self.kernel = kernel
        self.oms = oms
        self.portfolio = portfolio
        self.subscriptions = subscriptions
        self.instruments = instruments
        self.on_failure = on_failure

    def instrument(self, instrument_id: str) -> Instrument:
        try:
            known = self.instruments[instrument_id]
        except KeyError:
            near = difflib.get_close_matches(instrument_id, self.instruments, 3, 0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known are: {', '.join(self.instruments)}"
            raise UnknownInstrumentError(f"no instrument {instrument_id!r} here; {hint}") from None
        state = self.kernel.states.get(known.index)
        return known if state is None else state.instrument
