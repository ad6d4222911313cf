"""Bars from trades, quotes or shorter bars, one builder for each instrument and rule."""

from __future__ import annotations

from collections.abc import Callable

from onetape.marketdata.barspec import BarMethod, BarSpec
from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade
from onetape.model.numbers import format_raw, money, power_of_ten, to_raw

#: ``next_close`` of a builder that waits for no time.
NEVER = 2**63 - 1
#: A gap of more intervals than this is not filled, nor a trade split into more bars: a wrong time or size from
#: outside must not flood the bus.
MAX_BARS_AT_ONCE = 100_000

_MAX = 2**63 - 1
_MIN = -(2**63)
_HALF = 2**62


class BarBuilder:
    """Builds the bars of one rule and hands each to ``on_bar`` once, in order of time.

    An event at a boundary belongs to the bar that begins there. A time bar is closed by :meth:`close_until` or by
    the first event past its end. Bars of the other kinds end with the event that reaches the threshold, all of it
    included; with ``split`` a volume bar takes only what it lacks and the rest goes on into the next.

    ``use_ts_recv``: lay time out by our clock instead of the venue's. ``fill_gaps``: an interval without an event
    repeats the last close with no volume. ``drop_late``: an event from before the current bar is left out instead
    of going into it.

    Counters: ``late`` events, those ``outside`` the session, quotes ``skipped`` for want of a side, inputs
    ``refused`` with an error, gaps ``unfilled`` and trades ``unsplit`` for their size, bars ``cut`` by a change of
    the instrument's decimals.
    """

    __slots__ = (
        "_bar_end",
        "_bar_start",
        "_buy_volume",
        "_close",
        "_closed_until",
        "_count",
        "_drop_late",
        "_fill_from",
        "_fill_gaps",
        "_high",
        "_last_price",
        "_limit",
        "_low",
        "_method",
        "_offset",
        "_on_bar",
        "_open",
        "_part",
        "_remaining",
        "_running",
        "_shut_from",
        "_shut_until",
        "_sign",
        "_source",
        "_spec_text",
        "_split",
        "_step",
        "_threshold",
        "_ts_first",
        "_ts_last",
        "_use_recv",
        "_value_factor",
        "_volume",
        "_window_end",
        "_window_start",
        "cut",
        "instrument",
        "late",
        "outside",
        "refused",
        "skipped",
        "spec",
        "unfilled",
        "unsplit",
    )

    instrument: Instrument
    spec: BarSpec
    late: int
    outside: int
    skipped: int
    refused: int
    unfilled: int
    unsplit: int
    cut: int

    def __init__(
        self,
        instrument: Instrument,
        spec: BarSpec | str,
        on_bar: Callable[[Bar], object],
        *,
        use_ts_recv: bool = False,
        drop_late: bool = False,
        fill_gaps: bool = False,
        split: bool = False,
    ) -> None:
        self.spec = BarSpec.parse(spec) if isinstance(spec, str) else spec
        self.instrument = instrument
        self._spec_text = str(self.spec)
        self._on_bar = on_bar
        self._method = int(self.spec.method)
        self._source = int(self.spec.source)
        if split and self.spec.method is not BarMethod.VOLUME:
            raise ConfigurationError(f"{self.spec}: only volume bars can split a trade")
        if fill_gaps and self.spec.method is not BarMethod.TIME:
            raise ConfigurationError(f"{self.spec}: only time bars have gaps to fill")
        self._use_recv = use_ts_recv
        self._drop_late = drop_late
        self._fill_gaps = fill_gaps
        self._split = split
        self._step = self.spec.step_ns
        self._offset = self.spec.offset_ns
        self._closed_until = self._fill_from = _MIN
        self._shut_from = self._shut_until = _MIN
        self._bar_start = _MIN
        self._bar_end = _MAX
        self._open = self._high = self._low = self._close = 0
        self._last_price = _MIN
        self._sign = 0
        self._ts_first = self._ts_last = 0
        self._part = 0
        self._remaining = 0
        self.late = self.outside = self.skipped = self.refused = self.unfilled = self.unsplit = self.cut = 0
        self._set_threshold()
        self._leave_window()
        self._reset()

    def _set_threshold(self) -> None:
        """The threshold in the units that ``_amount`` adds up: raw size, or raw price x raw size for value."""
        self._value_factor = 1
        step = self.spec.step
        if self.spec.method is BarMethod.VOLUME:
            self._threshold = to_raw(step, self.instrument.size_precision)
        elif self.spec.method is BarMethod.VALUE:
            factor = self.instrument.notional_factor
            if self.instrument.inverse:
                factor, rest = divmod(self.instrument.multiplier, power_of_ten(self.instrument.size_precision))
                if rest:
                    raise ConfigurationError(f"{self.instrument.id}: one step of size has no exact value")
            self._value_factor = factor
            self._threshold = -(-money(step) // factor)
        else:
            self._threshold = int(step)
        if self._threshold >= _HALF and self.spec.method is not BarMethod.VALUE:
            raise ConfigurationError(f"{self.spec}: the step does not fit 64 bits for {self.instrument.id}")

    @property
    def next_close(self) -> int:
        """When :meth:`close_until` has something to do next, or :data:`NEVER`."""
        if self._running:
            return self._bar_end
        if self._fill_gaps and self._fill_from != _MIN:
            interval = self.spec.interval(self._fill_from)
            return interval.end if interval.inside else NEVER
        return NEVER

    @property
    def partial(self) -> Bar | None:
        """The bar as it stands, up to the last event, or None before its first."""
        return self._make(self._ts_last, self._ts_last) if self._running else None

    def update_trade(self, trade: Trade) -> int:
        """Take a trade in. Returns how many bars that closed."""
        if self._source != 0:
            raise self._wrong_input("trades")
        if trade.instrument is not self.instrument:
            self._change_instrument(trade.instrument)
        return self.update(trade.price_raw, trade.size_raw, trade.side, trade.ts_event, trade.ts_recv)

    def update_quote(self, quote: Quote) -> int:
        """Take a quote in: a tick at the bid, the ask or their mean, without volume.

        The mean of two raw prices can lie between two raw units; it is rounded half to even.
        """
        if self._source == 0:
            raise self._wrong_input("quotes")
        if quote.instrument is not self.instrument:
            self._change_instrument(quote.instrument)
        bid = quote.bid_raw
        ask = quote.ask_raw
        if (self._source != 2 and bid == 0 and quote.bid_size_raw == 0) or (
            self._source != 1 and ask == 0 and quote.ask_size_raw == 0
        ):
            self.skipped += 1
            return 0
        if self._source == 1:
            price = bid
        elif self._source == 2:
            price = ask
        else:
            if not (-_HALF < bid < _HALF and -_HALF < ask < _HALF):
                raise self._refuse("price", bid)
            price = (bid + ask) >> 1
            if (bid + ask) & 1 and price & 1:
                price += 1
        return self.update(price, 0, 0, quote.ts_event, quote.ts_recv)

    def update(self, price_raw: int, size_raw: int, side: int, ts_event: int, ts_recv: int) -> int:
        """As :meth:`update_trade` without the object; ``side`` is a :class:`Side`'s number."""
        ts = ts_recv if self._use_recv else ts_event
        if size_raw < 0 or size_raw >= _HALF:
            raise self._refuse("size", size_raw)
        if price_raw <= -_HALF or price_raw >= _HALF:
            raise self._refuse("price", price_raw)
        closed = 0
        if ts < self._window_start or ts >= self._window_end:
            closed = self._enter(ts, ts_recv)
            if closed < 0:
                return -closed - 1
        if self._split and self._part + size_raw > self._limit:
            if size_raw // self._limit > MAX_BARS_AT_ONCE:
                self.unsplit += 1
            else:
                while size_raw > self._limit - self._part:
                    piece = self._limit - self._part
                    size_raw -= piece
                    closed += self._add(price_raw, piece, side, ts, ts_recv)
        return closed + self._add(price_raw, size_raw, side, ts, ts_recv)

    def _add(self, price: int, size: int, side: int, ts: int, ts_recv: int) -> int:
        if size > _MAX - self._volume:
            raise self._refuse("size", size)
        if not self._running:
            self._begin(price, ts)
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._volume += size
        if side == 1:
            self._buy_volume += size
        self._count += 1
        if ts > self._ts_last:
            self._ts_last = ts
        if self._method == 0:
            return 0
        return self._advance(price, size, side, ts_recv)

    def _advance(self, price: int, size: int, side: int, ts_recv: int) -> int:
        """Count the event towards the threshold of a bar that time does not end."""
        if self._method == 1:
            self._part += 1
        elif self._method == 2:
            self._part += size
        elif self._method == 3:
            if self.instrument.inverse:
                price = 1
            elif price < 0:
                price = -price
            if size != 0 and price > (_HALF - 1) // size:
                self._fold(price, size)
            else:
                self._part += price * size
        else:
            if side == 1:
                self._sign = 1
            elif side == 2:
                self._sign = -1
            elif self._last_price != _MIN and self._last_price != price:
                self._sign = 1 if price > self._last_price else -1
            self._last_price = price
            self._part += self._sign
            if -self._limit < self._part < self._limit:
                return 0
            return self._emit(ts_recv)
        if self._part < self._limit:
            return 0
        if self._method == 3:
            self._fold(0, 0)
            if self._limit > 0:
                return 0
        return self._emit(ts_recv)

    def _fold(self, price: int, size: int) -> None:
        """Book ``_part`` and ``price * size`` in the sum that is not bound to 64 bits."""
        self._remaining -= self._part + price * size
        self._part = 0
        self._limit = max(0, min(self._remaining, _HALF))

    def update_bar(self, bar: Bar) -> int:
        """Take a shorter bar of the same instrument in, placed by its ``ts_open``; for time and volume bars.

        A time bar is closed at once by the bar that ends when it does.
        """
        if self._source != 0 or self._split or not (self._method == 0 or self._method == 2):
            raise self._wrong_input("bars")
        if bar.instrument is not self.instrument:
            self._change_instrument(bar.instrument)
        if bar.volume_raw < 0 or bar.volume_raw >= _HALF:
            raise self._refuse("size", bar.volume_raw)
        closed = 0
        if bar.ts_open < self._window_start or bar.ts_open >= self._window_end:
            closed = self._enter(bar.ts_open, bar.ts_recv)
            if closed < 0:
                return -closed - 1
        if bar.ts_event > self._bar_end:
            self.refused += 1
            raise ConfigurationError(
                f"{self.instrument.id}: the {bar.spec} bar of {bar.ts_open} to {bar.ts_event} does not fit into "
                f"the {self.spec} bar of {self._bar_start} to {self._bar_end}"
            )
        if bar.volume_raw > _MAX - self._volume:
            raise self._refuse("size", bar.volume_raw)
        if not self._running:
            self._begin(bar.open_raw, bar.ts_open)
        self._high = max(self._high, bar.high_raw)
        self._low = min(self._low, bar.low_raw)
        self._close = bar.close_raw
        self._volume += bar.volume_raw
        self._buy_volume += bar.buy_volume_raw
        self._count += bar.count
        self._ts_last = max(self._ts_last, bar.ts_event)
        if self._method == 2:
            self._part += bar.volume_raw
            if self._part >= self._limit:
                return closed + self._emit(bar.ts_recv)
        elif bar.ts_event == self._bar_end:
            return closed + self._end_interval(bar.ts_recv)
        return closed

    def close_until(self, ts: int, ts_recv: int = 0) -> int:
        """The clock has reached ``ts``: close what ends there or before. Returns how many bars that were.

        ``ts_recv`` is the arrival time to write on them, ``ts`` by default. An event that comes after its bar was
        closed this way is late: whoever calls may leave the venue some time.
        """
        closed = 0
        if self._running and ts >= self._bar_end:
            closed = self._end_interval(ts_recv or ts)
        if self._fill_gaps:
            closed += self._fill(ts, ts_recv or ts)
        return closed

    def flush(self, ts_recv: int = 0) -> int:
        """Hand the unfinished bar over as if its time had come; for the end of the data."""
        if not self._running:
            return 0
        if self._method == 0:
            return self._end_interval(ts_recv or self._ts_last)
        return self._emit(ts_recv or self._ts_last)

    def _enter(self, ts: int, ts_recv: int) -> int:
        """Move to the interval of ``ts``. Returns the bars closed, ``-1`` less these if the event is left out."""
        first = self._closed_until
        if self._running and self._bar_start > first:
            first = self._bar_start
        if self._shut_from <= ts < self._shut_until and not self._running:
            self.outside += 1
            return -1
        if ts < first:
            self.late += 1
            if self._drop_late:
                return -1
            if self._running:
                return 0
            ts = first
        if self._offset >= 0:
            start = window_start = ts - (ts - self._offset) % self._step
            end = window_end = start + self._step
            inside = True
        else:
            start, end, window_start, window_end, inside = self.spec.interval(ts)
        closed = 0
        if self._running and ts >= self._bar_end:
            closed = self._end_interval(ts_recv)
        if not inside:
            self._leave_window()
            self._shut_from = window_start
            self._shut_until = window_end
            self.outside += 1
            return -1 - closed
        if self._fill_gaps:
            closed += self._fill(start, ts_recv)
        self._bar_start = start
        self._bar_end = end
        self._window_start = window_start
        self._window_end = window_end
        return closed

    def _leave_window(self) -> None:
        self._window_start = _MAX
        self._window_end = _MIN

    def _begin(self, price: int, ts: int) -> None:
        self._running = True
        self._open = self._high = self._low = price
        self._ts_first = ts
        if self._ts_last < ts or self._method == 0:
            self._ts_last = ts

    def _reset(self) -> None:
        self._running = False
        self._volume = self._buy_volume = self._count = self._part = 0
        self._remaining = self._threshold
        self._limit = min(self._threshold, _HALF)

    def _make(self, ts_event: int, ts_recv: int) -> Bar:
        return Bar(
            self.instrument,
            self._spec_text,
            self._open,
            self._high,
            self._low,
            self._close,
            self._volume,
            self._buy_volume,
            self._count,
            self._bar_start if self._method == 0 else self._ts_first,
            ts_event,
            ts_recv,
        )

    def _emit(self, ts_recv: int) -> int:
        bar = self._make(self._bar_end if self._method == 0 else self._ts_last, ts_recv)
        self._reset()
        self._on_bar(bar)
        return 1

    def _end_interval(self, ts_recv: int) -> int:
        self._closed_until = self._fill_from = self._bar_end
        self._leave_window()
        return self._emit(ts_recv)

    def _fill(self, until: int, ts_recv: int) -> int:
        """Repeat the last close for every interval of the same session that ends by ``until``."""
        if self._fill_from == _MIN or self._running or until <= self._fill_from:
            return 0
        if (until - self._fill_from) // self._step > MAX_BARS_AT_ONCE:
            self.unfilled += 1
            self._fill_from = _MIN
            return 0
        filled = 0
        price = self._close
        while self._fill_from < until:
            start, end, _, _, inside = self.spec.interval(self._fill_from)
            if not inside:
                self._fill_from = _MIN
                break
            if end > until:
                break
            self._closed_until = self._fill_from = end
            self._on_bar(
                Bar(self.instrument, self._spec_text, price, price, price, price, 0, 0, 0, start, end, ts_recv)
            )
            filled += 1
        return filled

    def _change_instrument(self, new: Instrument) -> None:
        """Go on with a new version: the bar moves to its decimals, or is closed where they do not suffice."""
        old = self.instrument
        if new.id != old.id:
            self.refused += 1
            raise ConfigurationError(f"a {self.spec} bar of {old.id} was given an event of {new.id}")
        prices = new.price_precision - old.price_precision
        sizes = new.size_precision - old.size_precision
        self.instrument = new
        if prices == 0 and sizes == 0 and new.multiplier == old.multiplier:
            return
        remaining = (self._remaining - self._part) * self._value_factor
        try:
            moved = [_rescale(raw, prices) for raw in (self._open, self._high, self._low, self._close)]
            volumes = [_rescale(raw, sizes) for raw in (self._volume, self._buy_volume)]
        except NumberError:
            self.instrument = old
            if self._running:
                self.cut += 1
                self._emit(self._ts_last)
            self._fill_from = _MIN
            self.instrument = new
            self._set_threshold()
            self._reset()
            return
        self._open, self._high, self._low, self._close = moved
        self._volume, self._buy_volume = volumes
        if self._last_price != _MIN:
            self._last_price = moved[3]
        self._set_threshold()
        if self._method == 2:
            self._part = self._volume
            self._limit = self._threshold
        elif self._method == 3:
            self._part = 0
            self._remaining = -(-remaining // self._value_factor)
            self._limit = max(0, min(self._remaining, _HALF))

    def _refuse(self, what: str, raw: int) -> NumberError:
        self.refused += 1
        precision = self.instrument.price_precision if what == "price" else self.instrument.size_precision
        return NumberError(
            f"{self.instrument.id}: a {what} of {format_raw(raw, precision)} cannot go into a {self.spec} bar"
        )

    def _wrong_input(self, given: str) -> ConfigurationError:
        return ConfigurationError(f"{self.instrument.id}: a {self.spec} bar is not made of {given}")


def _rescale(raw: int, digits: int) -> int:
    if digits >= 0:
        scaled, rest = raw * power_of_ten(digits), 0
    else:
        scaled, rest = divmod(raw, power_of_ten(-digits))
    if rest or not -_HALF < scaled < _HALF:
        raise NumberError(f"{raw} does not go into {digits} more decimals")
    return scaled
