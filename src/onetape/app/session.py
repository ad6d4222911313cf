"""Wiring: one session of strategies, with everything between them and the market."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from onetape.app.failure import Failure, failure_of
from onetape.kernel.bus import Handler
from onetape.kernel.loop import Kernel
from onetape.marketdata.subscriptions import Subscriptions
from onetape.model.errors import ConfigurationError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.numbers import Number
from onetape.oms.oms import Oms
from onetape.portfolio.portfolio import Portfolio
from onetape.ports import ExecutionPort, MarketDataFeed
from onetape.risk.gate import RiskGate
from onetape.risk.limits import Limits
from onetape.strategy.base import Strategy
from onetape.strategy.context import Context

logger = logging.getLogger("onetape.session")


class Session:
    """Strategies, OMS, gate and portfolio over one kernel. A mode brings the feed and the execution port."""

    def __init__(
        self,
        kernel: Kernel,
        feed: MarketDataFeed,
        port: ExecutionPort,
        instruments: Mapping[str, Instrument],
        *,
        balances: Mapping[str, Number] | None = None,
        limits: Limits | None = None,
        limits_by_instrument: Mapping[str, Limits] | None = None,
        prefix: str = "",
    ) -> None:
        self.kernel = kernel
        self.instruments = instruments
        self.portfolio = Portfolio(kernel.states, balances)
        self.gate = RiskGate(kernel.clock, kernel.states, limits, limits_by_instrument)
        self.oms = Oms(kernel.clock, kernel.states, self.gate, port, prefix)
        self.oms.portfolio = self.portfolio
        self.strategies: list[Strategy] = []
        self.failures: list[Failure] = []
        kernel.bus.on_error = self._on_error
        self._context = Context(kernel, self.oms, self.portfolio, Subscriptions(kernel, feed), instruments, self.fail)

    def add(self, strategies: Sequence[Strategy]) -> None:
        for strategy in strategies:
            if any(other.id == strategy.id for other in self.strategies):
                raise ConfigurationError(f"two strategies are called {strategy.id!r}; give each an id of its own")
            self.strategies.append(strategy)
            strategy.attach(self._context)

    def start(self) -> None:
        """Run every ``on_start``. A strategy that can't subscribe ends the session: nothing has been sent yet."""
        for strategy in self.strategies:
            strategy.on_start()

    def stop(self) -> None:
        """Run every ``on_stop``."""
        for strategy in self.strategies:
            if not strategy.stopped:
                try:
                    strategy.on_stop()
                except Exception as error:
                    self.fail(strategy, "on_stop", error)

    def _on_error(self, handler: Handler, event: object, error: Exception) -> None:
        if not isinstance(handler.owner, Strategy):
            raise error
        self.fail(handler.owner, event, error)

    def fail(self, strategy: object, event: object, error: Exception) -> None:
        """Stop one strategy and cancel its orders; the rest goes on."""
        if not isinstance(strategy, Strategy) or strategy.stopped:
            return
        what = type(event).__name__ if isinstance(event, Event) else str(event)
        failure = failure_of(strategy, what, error, self.kernel.clock.now)
        self.failures.append(failure)
        logger.error("%s stopped: %s in its handler of %r", strategy.id, failure.error, event, exc_info=error)
        strategy.halt()
        self.kernel.bus.unsubscribe_owner(strategy)
        self.kernel.interrupt()
