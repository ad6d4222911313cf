"""Binance's public messages to events: pure functions, one for each message.

``ts_event`` is the time of the transaction (``T``) where the venue gives one, else the time it was sent (``E``),
else our own: spot's book ticker and book snapshots carry no time.
"""

from __future__ import annotations

from onetape.model.enums import Side
from onetape.model.errors import NumberError
from onetape.model.instrument import Instrument
from onetape.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    FundingRate,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Quote,
    Trade,
)
from onetape.model.numbers import MONEY_PRECISION, parse_raw, power_of_ten
from onetape.venues.binance import messages
from onetape.venues.binance.fields import FieldError, levels, nanoseconds, price, side, size

_BUY = Side.BUY
_SELL = Side.SELL
_FINE = 10  # decimals: the venue writes 8; at 10 an int64 still holds 922 million


def trade(message: messages.Trade | messages.AggTrade, instrument: Instrument, ts_recv: int, seq: int) -> Trade:
    """``m`` says that the buyer's order was resting: the aggressor sold."""
    size_raw = size(instrument, message.size, ".q")
    if size_raw == 0:
        raise FieldError(f"a trade of {instrument.id} without a size", ".q")
    return Trade(
        instrument,
        price(instrument, message.price, ".p"),
        size_raw,
        _SELL if message.buyer_is_maker else _BUY,
        str(message.id),
        nanoseconds(message.time, ".T"),
        ts_recv,
        seq,
    )


def quote(message: messages.BookTicker, instrument: Instrument, ts_recv: int, seq: int) -> Quote:
    time = message.time or message.event_time
    bid_size = size(instrument, message.bid_size, ".B")
    ask_size = size(instrument, message.ask_size, ".A")
    return Quote(
        instrument,
        price(instrument, message.bid, ".b") if bid_size else _no_price(instrument, message.bid, ".b"),
        price(instrument, message.ask, ".a") if ask_size else _no_price(instrument, message.ask, ".a"),
        bid_size,
        ask_size,
        message.update_id,
        nanoseconds(time, ".E") if time else ts_recv,
        ts_recv,
        seq,
    )


def _no_price(instrument: Instrument, text: str, path: str) -> int:
    if size(instrument, text, path):
        raise FieldError(f"best price {text} of {instrument.id} has no size", path)
    return 0


def book_delta(message: messages.DepthUpdate, instrument: Instrument, ts_recv: int, seq: int) -> BookDelta:
    if message.first_id > message.last_id:
        raise FieldError(f"first update {message.first_id} is after the last, {message.last_id}", ".U")
    previous = message.previous_id
    if previous is not None and not -1 <= previous < 2**63 - 1:
        raise FieldError(f"{previous} is no update id", ".pu")
    return BookDelta(
        instrument,
        levels(instrument, message.bids, ".b"),
        levels(instrument, message.asks, ".a"),
        message.first_id,
        message.last_id,
        -1 if previous is None else previous,
        nanoseconds(message.time or message.event_time, ".E"),
        ts_recv,
        seq,
    )


def book_snapshot(
    message: messages.Depth | messages.DepthUpdate, instrument: Instrument, ts_recv: int, seq: int
) -> BookSnapshot:
    """Of REST or a partial depth stream, in either of its two forms."""
    bids, asks = ("b", "a") if isinstance(message, messages.DepthUpdate) else ("bids", "asks")
    time = message.time or message.event_time
    return BookSnapshot(
        instrument,
        side(instrument, message.bids, True, f".{bids}"),
        side(instrument, message.asks, False, f".{asks}"),
        message.last_id,
        nanoseconds(time, ".E") if time else ts_recv,
        ts_recv,
        seq,
    )


def bar(message: messages.Kline, instrument: Instrument, ts_recv: int, seq: int) -> Bar:
    """``ts_event`` is the end of the bar's time, or, while it is still open, the time of the message."""
    candle = message.candle
    high, low = price(instrument, candle.high, ".k.h"), price(instrument, candle.low, ".k.l")
    open_, close = price(instrument, candle.open, ".k.o"), price(instrument, candle.close, ".k.c")
    if high < low:
        raise FieldError(f"high {candle.high} of {instrument.id} is below low {candle.low}", ".k.h")
    volume, buy_volume = size(instrument, candle.volume, ".k.v"), size(instrument, candle.buy_volume, ".k.V")
    if buy_volume > volume:
        raise FieldError(f"buyers took {candle.buy_volume} of a volume of {candle.volume}", ".k.V")
    ts_open, ts_close = nanoseconds(candle.open_time, ".k.t"), nanoseconds(candle.close_time, ".k.T")
    step = 1_000_000 if candle.close_time * 1_000_000 == ts_close else 1_000
    ts_event = ts_close + step if candle.closed else nanoseconds(message.event_time, ".E")
    return Bar(
        instrument,
        candle.interval,
        open_,
        high,
        low,
        close,
        volume,
        buy_volume,
        candle.count,
        ts_open,
        ts_event,
        ts_recv,
        seq,
    )


def mark_price(
    message: messages.MarkPrice, instrument: Instrument, ts_recv: int, seq: int
) -> tuple[MarkPrice | FundingRate, ...]:
    """The mark price and, of a perpetual, the funding rate."""
    ts_event = nanoseconds(message.event_time, ".E")
    index = _positive(message.index, ".i") if message.index else 0
    mark = MarkPrice(instrument, _positive(message.mark, ".p"), index, ts_event, ts_recv, seq)
    if not message.rate or not message.next_funding_time:
        return (mark,)
    next_time = nanoseconds(message.next_funding_time, ".T")
    rate = FundingRate(instrument, _amount(message.rate, ".r"), next_time, ts_event, ts_recv, seq + 1)
    return mark, rate


def _amount(text: str, path: str) -> int:
    try:
        return parse_raw(text, _FINE) * power_of_ten(MONEY_PRECISION - _FINE)
    except NumberError as error:
        raise FieldError(str(error), path) from None


def _positive(text: str, path: str) -> int:
    amount = _amount(text, path)
    if amount < 0:
        raise FieldError(f"price {text} is negative", path)
    return amount


def liquidation(message: messages.ForceOrder, instrument: Instrument, ts_recv: int, seq: int) -> Liquidation:
    """The forced order as placed: its limit price and its whole size."""
    order = message.order
    return Liquidation(
        instrument,
        price(instrument, order.price, ".o.p"),
        size(instrument, order.size, ".o.q"),
        _BUY if order.side == "BUY" else _SELL,
        nanoseconds(order.time, ".o.T"),
        ts_recv,
        seq,
    )


def open_interest(message: messages.OpenInterest, instrument: Instrument, ts_recv: int, seq: int) -> OpenInterest:
    ts_event = nanoseconds(message.time, ".time") if message.time else ts_recv
    return OpenInterest(instrument, size(instrument, message.open_interest, ".openInterest"), ts_event, ts_recv, seq)
