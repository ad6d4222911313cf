"""Binance's symbols and instrument ids, and instruments from ``exchangeInfo``.

========  ==================  ==============================
market    symbol              id
========  ==================  ==============================
spot      ``BTCUSDT``         ``BTC-USDT.BINANCE``
usdm      ``BTCUSDT``         ``BTC-USDT-PERP.BINANCE``
usdm      ``BTCUSDT_240927``  ``BTC-USDT-240927.BINANCE``
coinm     ``BTCUSD_PERP``     ``BTC-USD-PERP.BINANCE``
coinm     ``BTCUSD_240927``   ``BTC-USD-240927.BINANCE``
========  ==================  ==============================

Binance.US has spot only, at venue ``BINANCE_US``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import msgspec

from onetape.model.enums import InstrumentKind
from onetape.model.errors import DecodeError, OnetapeError, UnknownInstrumentError
from onetape.model.instrument import Instrument

Market = Literal["spot", "usdm", "coinm"]

_DAY = 86_400_000_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_SETTLEMENT = 8 * 3_600_000_000_000  # dated contracts settle at 08:00 UTC

_QUOTES = """
    UAHPAY FDUSD RLUSD USDSB BIDR BKRW BUSD BVND DOGE EURI GYEN IDRT TUSD USD1 USDC USDE USDP USDS USDT
    ARS AUD BNB BRL BTC COP CZK
    DAI DOT ETH EUR GBP JPY KZT MXN NGN PAX PLN RON RUB SOL TRX TRY UAH USD UST VAI XRP ZAR
"""
#: Assets that others are quoted in, the longest names first.
QUOTES = tuple(_QUOTES.split())


def split_pair(pair: str, market: Market = "spot", venue: str = "BINANCE") -> tuple[str, str]:
    """Base and quote of ``BTCUSDT`` by the known quote assets: a guess; ``exchangeInfo`` knows.

    The longest quote counts. Plain USD is one on COIN-M and Binance.US only; there ``BNBUSD`` is not BN in BUSD:
    the longest quote counts that leaves an asset of three letters.
    """
    if market == "coinm" and pair.endswith("USD"):
        return pair[:-3], "USD"
    dollars = venue == "BINANCE_US"
    guesses = [
        (pair[: -len(quote)], quote)
        for quote in QUOTES
        if pair.endswith(quote) and len(pair) > len(quote) and (dollars or quote != "USD")
    ]
    if not guesses:
        raise UnknownInstrumentError(f"{pair!r} does not end with a known quote asset; give the venue's exchangeInfo")
    likely = [guess for guess in guesses if len(guess[0]) >= 3 and guess[0] != "USD"] if dollars else guesses
    return (likely or guesses)[0]


def expiry_of(suffix: str) -> int:
    """ns of settlement of the contract ``240927``."""
    try:
        day = date(2000 + int(suffix[:2]), int(suffix[2:4]), int(suffix[4:]))
    except ValueError:
        raise UnknownInstrumentError(f"{suffix!r} is not a contract's date; it is written YYMMDD") from None
    return (day.toordinal() - _EPOCH) * _DAY + _SETTLEMENT


def infer_instrument(
    symbol: str, market: Market, venue: str = "BINANCE", price_precision: int = 8, size_precision: int = 8
) -> Instrument:
    """An instrument by its symbol alone. One step of price and size is the last decimal; there are no limits.

    Eight decimals are what spot writes. A COIN-M contract stands for 100 USD of BTC, 10 USD of anything else.
    """
    pair, _, suffix = symbol.partition("_")
    base, quote = split_pair(pair, market, venue)
    return build_instrument(
        symbol,
        market,
        venue,
        base,
        quote,
        tick_size=f"1e-{price_precision}",
        lot_size=f"1e-{size_precision}",
        multiplier=1 if market != "coinm" else 100 if base == "BTC" else 10,
        expiry=expiry_of(suffix) if suffix and suffix != "PERP" else 0,
    )


def build_instrument(
    symbol: str, market: Market, venue: str, base: str, quote: str, *, expiry: int = 0, **terms: object
) -> Instrument:
    """The instrument of a symbol whose assets are known; ``terms`` are the other arguments of Instrument."""
    suffix = symbol.partition("_")[2]
    if market == "spot":
        name, kind = f"{base}-{quote}", InstrumentKind.SPOT
    elif expiry:
        name, kind = f"{base}-{quote}-{suffix}", InstrumentKind.FUTURE
    else:
        name, kind = f"{base}-{quote}-PERP", InstrumentKind.PERPETUAL
    return Instrument(
        f"{name}.{venue}",
        kind,
        symbol=symbol,
        base=base,
        quote=quote,
        inverse=market == "coinm",
        expiry=expiry,
        **terms,  # type: ignore[arg-type]
    )


def infer_instruments(
    prices: Iterable[tuple[str, str, str]], market: Market, venue: str = "BINANCE"
) -> dict[str, Instrument]:
    """Instruments by symbol from observed ``(symbol, price, size)`` texts: as many decimals as are ever needed."""
    decimals: dict[str, tuple[int, int]] = {}
    for symbol, price, size in prices:
        price_precision, size_precision = decimals.get(symbol, (0, 0))
        needed = max(price_precision, decimals_of(price)), max(size_precision, decimals_of(size))
        decimals[symbol] = needed
    return {symbol: infer_instrument(symbol, market, venue, *needed) for symbol, needed in decimals.items()}


def decimals_of(text: str) -> int:
    """Decimals of a number's text that are not trailing zeros."""
    return len(text.partition(".")[2].rstrip("0"))


class Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    tick_size: str = ""
    step_size: str = ""
    min_qty: str = "0"
    max_qty: str = "0"
    min_notional: str = ""
    notional: str = ""


class SymbolInfo(msgspec.Struct, rename="camel"):
    symbol: str
    base_asset: str
    quote_asset: str
    filters: list[Filter]
    status: str = ""
    contract_status: str = ""
    margin_asset: str = ""
    contract_size: int = 1
    delivery_date: int = 0
    price_precision: int = 0
    quantity_precision: int = 0


class _Answer(msgspec.Struct):
    symbols: list[msgspec.Raw]


@dataclass(slots=True)
class ExchangeInfo:
    """``instruments`` and ``status`` (``TRADING``, ``BREAK``, …) by symbol, and by place what was wrong."""

    instruments: dict[str, Instrument] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def parse_exchange_info(body: bytes, market: Market, venue: str = "BINANCE", ts_event: int = 0) -> ExchangeInfo:
    """Instruments of the answer to ``/exchangeInfo``. One symbol that cannot be read does not cost the others."""
    info = ExchangeInfo()
    try:
        symbols = msgspec.json.decode(body, type=_Answer).symbols
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(str(error), venue=venue, channel="exchangeInfo") from None
    for at, raw in enumerate(symbols):
        place = f"$.symbols[{at}]"
        try:
            listed = msgspec.json.decode(raw, type=SymbolInfo)
            place += f" {listed.symbol}"
            info.instruments[listed.symbol] = _instrument(listed, market, venue, ts_event)
            info.status[listed.symbol] = listed.status or listed.contract_status
        except (msgspec.MsgspecError, UnicodeDecodeError, OnetapeError, ArithmeticError) as error:
            info.skipped[place] = str(error)
    return info


def _instrument(listed: SymbolInfo, market: Market, venue: str, ts_event: int) -> Instrument:
    filters = {one.filter_type: one for one in listed.filters}
    missing = [name for name in ("PRICE_FILTER", "LOT_SIZE") if name not in filters]
    if missing:
        raise UnknownInstrumentError(f"{listed.symbol} has no filter {' and no filter '.join(missing)}")
    lot = filters["LOT_SIZE"]
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or Filter("")
    tick_size = filters["PRICE_FILTER"].tick_size
    # A book may hold old orders that lie between the steps of today: their decimals are those the venue writes,
    # eight on spot. Sizes give some up where a thousand of the largest orders would pass eighteen digits.
    room = max(15 - len(lot.max_qty.partition(".")[0]), 0)
    written = (8, min(8, room)) if market == "spot" else (listed.price_precision, listed.quantity_precision)
    dated = "_" in listed.symbol and not listed.symbol.endswith("_PERP")
    return build_instrument(
        listed.symbol,
        market,
        venue,
        listed.base_asset,
        listed.quote_asset,
        settle=listed.margin_asset,
        tick_size=tick_size,
        lot_size=lot.step_size,
        price_precision=max(written[0], decimals_of(tick_size)),
        size_precision=max(written[1], decimals_of(lot.step_size)),
        min_qty=lot.min_qty,
        max_qty=lot.max_qty,
        min_notional=notional.min_notional or notional.notional or "0",
        multiplier=listed.contract_size if market == "coinm" else 1,
        expiry=listed.delivery_date * 1_000_000 if dated else 0,
        ts_event=ts_event,
    )
