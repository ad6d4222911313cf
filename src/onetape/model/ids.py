"""Instrument ids, the same on every venue, and the small integer each has inside a process.

``BTC-USDT.BINANCE`` (spot), ``BTC-USDT-PERP.OKX`` (perpetual), ``BTC-USDT-261225.BYBIT`` (dated future),
``BTC-USD-261225-100000-C.DERIBIT`` (option), ``AAPL.NASDAQ``, ``NIFTY-261126.NSE``.
"""

from __future__ import annotations

from onetape.model.errors import ConfigurationError

_indices: dict[str, int] = {}


def split_id(instrument_id: str) -> tuple[str, str]:
    """Name and venue of an instrument id; the venue follows the last dot."""
    name, dot, venue = instrument_id.rpartition(".")
    if not dot or not name or not venue or any(c in "/\\ \t\n\0" for c in instrument_id):
        raise ConfigurationError(
            f"{instrument_id!r} is not an instrument id; write NAME.VENUE, for example BTC-USDT.BINANCE"
        )
    return name, venue


def instrument_index(instrument_id: str) -> int:
    """Dense integer of an id, the same for the life of the process. Never written to a tape."""
    index = _indices.get(instrument_id)
    if index is None:
        split_id(instrument_id)
        index = _indices[instrument_id] = len(_indices)
    return index
