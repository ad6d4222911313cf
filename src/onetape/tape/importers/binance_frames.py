"""Raw Binance frames, a line each: ``1723161255030314667 {…}`` (ns) or ``1633998512.0633569: {…}`` (s).

Lines of captures that are not frames (``wss://…`` sent by the client, ``https://… -> time: {…}`` REST answers,
``configuration: …``) are understood: a REST depth answer is the snapshot of the symbol in its address,
exchangeInfo gives the instruments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from onetape.model.errors import DecodeError, OnetapeError, TapeError
from onetape.model.instrument import Instrument
from onetape.model.market import Event
from onetape.tape.importers.request import EARLIEST, LATEST, Import
from onetape.tape.importers.source import lines

MARKETS = ("spot", "usdm", "coinm")

_LINE = re.compile(rb"^(\d{9,20})(?:\.(\d{1,9})\d*)?:? +(?=[\[{\"])")
_REST = re.compile(rb"^(https?://\S+) -> (\d{9,12})(?:\.(\d{1,9})\d*)?: ?(?=[\[{])")
_UNIT_DIGITS = {10: 9, 13: 6, 16: 3, 19: 0}


class FrameDecoder(Protocol):
    """A venue's frames to events; keeps the books' state, so one for each connection."""

    def decode(self, frame: bytes, ts_recv: int, frame_number: int, stream: str = "") -> list[Event]: ...


def import_frames(job: Import) -> None:
    """Import every line; one that cannot be read is reported and the rest goes on."""
    market = job.options.market or _guess_market(job)
    if market not in MARKETS:
        raise TapeError(f"{market!r} is not a market of Binance; write one of {', '.join(MARKETS)}")
    venue = job.options.venue or _guess_venue(job)
    instruments = job.options.instrument
    if isinstance(instruments, Instrument):
        instruments = {instruments.symbol: instruments}
    decoder, parse_info = _binance(market, dict(instruments) if instruments is not None else None, venue)
    for name, chunks in job.source.members():
        for number, line in lines(job.source, chunks):
            place = f"{name}:{number}"
            match = _LINE.match(line)
            stream = ""
            if match is None:
                rest = _REST.match(line)
                if rest is None:
                    _other_line(job, line.strip(), place)
                    continue
                address, match = rest[1], rest
                seconds, fraction = rest[2], rest[3]
                if b"exchangeInfo" in address:
                    if instruments is None:
                        instruments = parse_info(line[rest.end() :], market, venue)
                        decoder, _ = _binance(market, instruments, venue)
                    job.report.unused["exchangeInfo"] += 1
                    continue
                symbol = re.search(rb"[?&]symbol=(\w+)", address)
                if b"/depth" in address and symbol:
                    stream = f"{symbol[1].decode().lower()}@depthSnapshot"
            else:
                seconds, fraction = match[1], match[2]
            ts_recv = _time(seconds, fraction)
            if not EARLIEST <= ts_recv < LATEST:
                job.report.skip(place, f"{seconds.decode()} is not a time between 1970 and 2200", "not a time")
                continue
            frame = line[match.end() :]
            try:
                events = decoder.decode(frame, job.arrival(ts_recv, place), number, stream)
            except DecodeError as error:
                job.report.skip(place, str(error), "the frame cannot be decoded")
                continue
            except OnetapeError as error:
                job.report.skip(place, str(error), type(error).__name__)
                continue
            for event in events:
                job.append(event, place)
    found: dict[str, Instrument] = getattr(decoder, "instruments", {})
    if instruments is None:
        job.report.inferred.extend(found.values())
    job.report.unused.update(getattr(decoder, "unused", {}))


def _other_line(job: Import, line: bytes, place: str) -> None:
    if not line:
        return
    if line.startswith((b"wss://", b"ws://", b"configuration:", b"<-")) or b" <- " in line[:300]:
        job.report.unused["sent by the client"] += 1
    else:
        job.report.skip(place, "neither 'ns frame' nor 'seconds: frame'")


def _time(whole: bytes, fraction: bytes | None) -> int:
    """ns of a Unix time in s, ms, us or ns, told by its digits."""
    if fraction is not None:
        return int(whole) * 10**9 + int(fraction.ljust(9, b"0"))
    power = _UNIT_DIGITS.get(len(whole))
    return int(whole) * 10**power if power is not None else int(whole)


def _guess_market(job: Import) -> str:
    """By the first frames: COIN-M names the pair (``ps``), futures the update before (``pu``), spot neither."""
    _, sample = job.source.sample(1 << 20)
    if b'"ps":' in sample or re.search(rb'"s":"[A-Z0-9]+_(PERP|\d{6})"', sample):
        market = "coinm"
    elif b'"pu":' in sample or b"fstream.binance" in sample or b"fapi" in sample or b'"T":' in _quotes(sample):
        market = "usdm"
    else:
        market = "spot"
    job.report.note(f"the frames look like market {market}")
    return market


def _quotes(sample: bytes) -> bytes:
    return b"\n".join(line for line in sample.splitlines()[:2_000] if b"@bookTicker" in line[:120])


def _guess_venue(job: Import) -> str:
    _, sample = job.source.sample()
    return "BINANCE_US" if b"binance.us" in sample else "BINANCE"


def _binance(
    market: str, instruments: dict[str, Instrument] | None, venue: str
) -> tuple[FrameDecoder, Callable[[bytes, str, str], dict[str, Instrument]]]:
    """The venue's room is on this floor too, so it is only known by name here."""
    decoder: Any = import_module("onetape.venues.binance.decoder")
    symbols: Any = import_module("onetape.venues.binance.symbols")

    def parse_info(body: bytes, market: str, venue: str) -> dict[str, Instrument]:
        return dict(symbols.parse_exchange_info(body, market, venue).instruments)

    return decoder.BinanceDecoder(market, instruments, venue), parse_info
