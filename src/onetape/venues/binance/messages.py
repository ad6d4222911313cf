"""Shapes of Binance's public messages, spot, USD-M and COIN-M.

Source: the venue's documentation of WebSocket market streams and of ``/depth`` for each market. Fields that are
not used are left out; the venue may add fields at any time. A path in an error is that of the message as sent.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Raw, Struct, field

#: Milliseconds, or microseconds where the connection asked for them (``timeUnit=MICROSECOND``).
Time = Annotated[int, Meta(ge=0, le=9_223_372_036_854_775)]
UpdateId = Annotated[int, Meta(ge=0, le=2**63 - 2)]
Level = tuple[str, str]

T = TypeVar("T")


class Trade(Struct, tag_field="e", tag="trade", gc=False):
    symbol: str = field(name="s")
    id: UpdateId = field(name="t")
    price: str = field(name="p")
    size: str = field(name="q")
    time: Time = field(name="T")
    buyer_is_maker: bool = field(name="m")
    #: Futures only: MARKET, or a transfer that no order made (INSURANCE_FUND, ADL, NA).
    kind: str = field(name="X", default="MARKET")


class AggTrade(Struct, tag_field="e", tag="aggTrade", gc=False):
    symbol: str = field(name="s")
    id: UpdateId = field(name="a")
    price: str = field(name="p")
    size: str = field(name="q")
    time: Time = field(name="T")
    buyer_is_maker: bool = field(name="m")
    kind: str = "MARKET"


class BookTicker(Struct, tag_field="e", tag="bookTicker", gc=False):
    """Spot sends it without ``e`` and without a time."""

    symbol: str = field(name="s")
    update_id: UpdateId = field(name="u")
    bid: str = field(name="b")
    bid_size: str = field(name="B")
    ask: str = field(name="a")
    ask_size: str = field(name="A")
    time: Time = field(name="T", default=0)
    event_time: Time = field(name="E", default=0)


class DepthUpdate(Struct, tag_field="e", tag="depthUpdate"):
    """Difference of a book; on futures also what the partial depth streams send."""

    symbol: str = field(name="s")
    event_time: Time = field(name="E")
    first_id: UpdateId = field(name="U")
    last_id: UpdateId = field(name="u")
    bids: list[Level] = field(name="b")
    asks: list[Level] = field(name="a")
    time: Time = field(name="T", default=0)
    #: Futures only; -1 is sent after the venue's own restart.
    previous_id: int | None = field(name="pu", default=None)


class Depth(Struct):
    """A book from REST, or spot's partial depth stream. Only COIN-M names the symbol."""

    last_id: UpdateId = field(name="lastUpdateId")
    bids: list[Level]
    asks: list[Level]
    symbol: str = ""
    event_time: Time = field(name="E", default=0)
    time: Time = field(name="T", default=0)


class Candle(Struct, gc=False):
    open_time: Time = field(name="t")
    close_time: Time = field(name="T")
    interval: str = field(name="i")
    open: str = field(name="o")
    high: str = field(name="h")
    low: str = field(name="l")
    close: str = field(name="c")
    volume: str = field(name="v")
    buy_volume: str = field(name="V")
    count: UpdateId = field(name="n")
    closed: bool = field(name="x")


class Kline(Struct, tag_field="e", tag="kline", gc=False):
    symbol: str = field(name="s")
    event_time: Time = field(name="E")
    candle: Candle = field(name="k")


class MarkPrice(Struct, tag_field="e", tag="markPriceUpdate", gc=False):
    """A dated future has no funding: ``r`` is empty or zero and ``T`` is 0."""

    symbol: str = field(name="s")
    event_time: Time = field(name="E")
    mark: str = field(name="p")
    index: str = field(name="i", default="")
    rate: str = field(name="r", default="")
    next_funding_time: Time = field(name="T", default=0)


class ForcedOrder(Struct, gc=False):
    symbol: str = field(name="s")
    side: Literal["BUY", "SELL"] = field(name="S")
    price: str = field(name="p")
    size: str = field(name="q")
    time: Time = field(name="T")


class ForceOrder(Struct, tag_field="e", tag="forceOrder", gc=False):
    order: ForcedOrder = field(name="o")


class OpenInterest(Struct, gc=False):
    """Answer of ``/openInterest``; there is no stream of it."""

    symbol: str
    open_interest: str = field(name="openInterest")
    time: Time = 0


class Combined(Struct, Generic[T]):
    stream: str
    data: T


class Envelope(Struct):
    """Any JSON object: a combined frame if it has ``data``."""

    stream: str = ""
    data: Raw = Raw(b"")


class Probe(Struct):
    """What tells one message from another, each empty where it is absent."""

    event: str | None = field(name="e", default=None)
    last_id: Raw = field(name="lastUpdateId", default=Raw(b""))
    open_interest: Raw = field(name="openInterest", default=Raw(b""))
    bid_size: Raw = field(name="B", default=Raw(b""))
    result: Raw = Raw(b"")
    error: Raw = Raw(b"")
    code: Raw = Raw(b"")
    msg: Raw = Raw(b"")


#: Event types that are known and not used, and why.
UNUSED: dict[str, str] = {
    **dict.fromkeys(
        ("24hrTicker", "24hrMiniTicker", "1hTicker", "4hTicker", "1dTicker", "avgPrice"),
        "rolling statistics: bars and trades say it exactly",
    ),
    **dict.fromkeys(
        ("continuous_kline", "indexPrice_kline", "markPrice_kline"),
        "bars that are not of one instrument's trades",
    ),
    **dict.fromkeys(
        ("indexPriceUpdate", "compositeIndex", "assetIndexUpdate", "referencePrice"),
        "an index: it is not a tradable instrument",
    ),
    **dict.fromkeys(
        ("contractInfo", "tradingSession"), "a listing changed: the instruments are read from exchangeInfo"
    ),
    **dict.fromkeys(
        (
            "executionReport",
            "outboundAccountPosition",
            "balanceUpdate",
            "listStatus",
            "externalLockUpdate",
            "eventStreamTerminated",
            "listenKeyExpired",
            "ACCOUNT_UPDATE",
            "ACCOUNT_CONFIG_UPDATE",
            "ALGO_UPDATE",
            "CONDITIONAL_ORDER_TRIGGER_REJECT",
            "GRID_UPDATE",
            "MARGIN_CALL",
            "ORDER_TRADE_UPDATE",
            "STRATEGY_UPDATE",
            "TRADE_LITE",
        ),
        "private: it belongs to the account stream",
    ),
    "serverShutdown": "the venue announces that it will close the connection",
}
