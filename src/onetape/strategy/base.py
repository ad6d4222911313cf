"""The base class of strategies."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from onetape.kernel.loop import Call
from onetape.kernel.timers import Daily, Duration, daily, duration_ns
from onetape.marketdata.book import Book
from onetape.model.enums import Side, TimeInForce
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade
from onetape.model.numbers import NO_PRICE, Number, to_decimal
from onetape.model.orders import ExecutionReport, Fill, Order
from onetape.model.system import StreamHealth, Timer
from onetape.strategy.context import Context
from onetape.strategy.desk import Desk
from onetape.strategy.parameters import parse_parameters

_BUY = int(Side.BUY)
_SELL = int(Side.SELL)


class Strategy:
    """Derive from it, declare parameters as annotated class attributes, and define the handlers you need.

    A handler that raises stops this strategy: its orders are canceled, the others go on.
    """

    id: str
    _context: Context
    _desk: Desk

    def __init__(self, **parameters: Any) -> None:
        self.id = str(parameters.pop("id", type(self).__name__))
        for name, value in parse_parameters(type(self), Strategy, parameters).items():
            setattr(self, name, value)

    def attach(self, context: Context) -> None:
        """Called once by the session, before ``on_start``."""
        self._context = context
        self._desk = Desk(
            context,
            self,
            self.id,
            on_fill=None if type(self).on_fill is Strategy.on_fill else self.on_fill,
            on_order=None if type(self).on_order is Strategy.on_order else self.on_order,
        )

    @property
    def stopped(self) -> bool:
        """A handler has raised: nothing more is heard or sent."""
        return self._desk.stopped

    def halt(self) -> None:
        """Called by the session when a handler has raised: hear and send nothing more, and cancel every order."""
        self._desk.stopped = True
        self.cancel_all()

    # handlers

    def on_start(self) -> None:
        """Subscribe, set timers."""

    def on_stop(self) -> None:
        """The session ends. Not called on a strategy that was stopped because it failed."""

    def on_trade(self, trade: Trade) -> None:
        """A trade of an instrument in :meth:`subscribe_trades`."""

    def on_quote(self, quote: Quote) -> None:
        """New best prices."""

    def on_book(self, book: Book) -> None:
        """The book after a whole update. It is the live book: read it, don't keep it."""

    def on_bar(self, bar: Bar) -> None:
        """A bar that has closed."""

    def on_timer(self, timer: Timer) -> None:
        """A timer that has come due."""

    def on_order(self, report: ExecutionReport) -> None:
        """Anything that happened to an order of this strategy, fills included; ``report.order`` is the order."""

    def on_fill(self, fill: Fill) -> None:
        """A fill of an order of this strategy; positions have it already."""

    def on_health(self, health: StreamHealth) -> None:
        """A stream of a subscribed instrument changed its state."""

    def on_event(self, event: Any) -> None:
        """Any other event of a kind in :meth:`subscribe`."""

    # market data

    def instrument(self, instrument_id: str) -> Instrument:
        """The present version of an instrument."""
        return self._context.instrument(instrument_id)

    def _instrument(self, instrument: Instrument | str) -> Instrument:
        if isinstance(instrument, Instrument):
            return instrument
        return self._context.instrument(instrument)

    def subscribe_trades(self, instrument: Instrument | str) -> None:
        self._subscribe(Trade, instrument, self.on_trade)

    def subscribe_quotes(self, instrument: Instrument | str) -> None:
        self._subscribe(Quote, instrument, self.on_quote)

    def subscribe_book(self, instrument: Instrument | str) -> None:
        self.book(instrument)
        self._subscribe(Book, instrument, self.on_book)

    def subscribe_bars(self, instrument: Instrument | str, spec: str) -> None:
        """Bars as ``1m``, ``100t``, ``5v``, ``1000$``, ``20i``; from the tape where it has them, else built."""
        self._subscribe(Bar, instrument, self.on_bar, spec)

    def subscribe(self, event_type: type, instrument: Instrument | str) -> None:
        """Events of any other kind (funding rates, mark prices, book deltas, …) to :meth:`on_event`."""
        self._subscribe(event_type, instrument, self.on_event)

    def _subscribe(self, event_type: type, instrument: Instrument | str, callback: Any, spec: str = "") -> None:
        known = self._instrument(instrument)
        self._context.subscriptions.subscribe(event_type, known, callback, self, spec)
        self._context.subscriptions.subscribe(StreamHealth, known, self.on_health, self)

    def book(self, instrument: Instrument | str) -> Book:
        """The order book, kept from the first call on."""
        return self._context.subscriptions.book(self._instrument(instrument))

    # orders

    def buy(
        self,
        instrument: Instrument | str,
        qty: Number,
        price: Number | None = None,
        *,
        stop: Number | None = None,
        trail: Number | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expire_time: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        tag: str = "",
    ) -> Order:
        """Send an order and return it at once; what becomes of it arrives at ``on_order`` and ``on_fill``.

        Market without a price, limit with one, stop with ``stop`` (stop-limit with both), trailing stop with
        ``trail`` (a distance). A price or size off the instrument's grid raises :class:`OffGridError`.
        """
        return self._desk.order(
            _BUY, instrument, qty, price, stop, trail, time_in_force, expire_time, post_only, reduce_only, tag
        )

    def sell(
        self,
        instrument: Instrument | str,
        qty: Number,
        price: Number | None = None,
        *,
        stop: Number | None = None,
        trail: Number | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expire_time: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        tag: str = "",
    ) -> Order:
        """As :meth:`buy`, for the other side."""
        return self._desk.order(
            _SELL, instrument, qty, price, stop, trail, time_in_force, expire_time, post_only, reduce_only, tag
        )

    def cancel(self, order: Order) -> bool:
        """Ask to cancel; False if the order has ended or a cancel is under way."""
        return self._context.oms.cancel(order)

    def cancel_all(self, instrument: Instrument | str | None = None) -> int:
        """Ask to cancel this strategy's open orders (of one instrument, if given); returns how many."""
        index = -1 if instrument is None else self._instrument(instrument).index
        return sum(self._context.oms.cancel(order) for order in self._context.oms.open_orders(index, self.id))

    def replace(self, order: Order, qty: Number | None = None, price: Number | None = None) -> bool:
        """Ask for a new total quantity or price; False if it can't be asked for now (a change is under way)."""
        instrument = order.instrument
        qty_raw = order.order_qty_raw if qty is None else instrument.qty_raw(qty)
        price_raw = NO_PRICE if price is None else instrument.price_raw(price)
        return self._context.oms.replace(order, qty_raw, price_raw)

    def close(self, instrument: Instrument | str) -> Order | None:
        """Market order that brings this strategy's position to zero; ``None`` if it is."""
        known = self._instrument(instrument)
        position_raw = self.position(known).position_raw
        if position_raw == 0:
            return None
        size = to_decimal(abs(position_raw), known.size_precision)
        return self.sell(known, size) if position_raw > 0 else self.buy(known, size)

    def open_orders(self, instrument: Instrument | str | None = None) -> list[Order]:
        index = -1 if instrument is None else self._instrument(instrument).index
        return self._context.oms.open_orders(index, self.id)

    # portfolio

    def position(self, instrument: Instrument | str) -> Any:
        """This strategy's own position; see :class:`onetape.portfolio.positions.Position`."""
        return self._context.portfolio.position(self._instrument(instrument), self.id)

    @property
    def portfolio(self) -> Any:
        """Balances, positions and profit of the whole session."""
        return self._context.portfolio

    # time

    @property
    def now(self) -> int:
        """Time of the event in hand, ns since the epoch, UTC."""
        return self._context.kernel.clock.now

    @property
    def time(self) -> datetime:
        """:attr:`now` to the microsecond."""
        seconds, rest = divmod(self.now, 1_000_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)

    def once(self, delay: Duration, name: str = "once") -> Call:
        """Call ``on_timer`` once, ``delay`` from now."""
        return self._context.kernel.call_at(self.now + duration_ns(delay), self._timer(name))

    def every(self, interval: Duration, name: str = "every") -> Call:
        """Call ``on_timer`` at each whole multiple of ``interval`` since the epoch (each full second, minute, …)."""
        step = duration_ns(interval)
        return self._context.kernel.call_at((self.now // step + 1) * step, self._timer(name), step)

    def daily(self, at: str, zone: str = "UTC", name: str = "daily") -> Daily:
        """Call ``on_timer`` at a time of day, ``daily("09:30", "America/New_York")``."""
        return daily(self._context.kernel, at, zone, self._timer(name))

    def _timer(self, name: str) -> Any:
        return TimerCall(self, name).fire

    # logging

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """Logger of this strategy; its lines carry the event's time, not the wall clock's."""
        return EventTimeLog(logging.getLogger(f"onetape.strategy.{self.id}"), {"strategy": self})


class TimerCall:
    """A strategy's timer, called by the kernel."""

    def __init__(self, strategy: Strategy, name: str) -> None:
        self._strategy = strategy
        self._name = name

    def fire(self, due: int) -> None:
        strategy = self._strategy
        if strategy.stopped:
            return
        timer = Timer(self._name, due, due)
        try:
            strategy.on_timer(timer)
        except Exception as error:
            strategy._context.on_failure(strategy, timer, error)


class EventTimeLog(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        strategy: Strategy = self.extra["strategy"]  # type: ignore[index,assignment]
        return f"{strategy.time.isoformat(timespec='microseconds')} {strategy.id}: {msg}", kwargs
