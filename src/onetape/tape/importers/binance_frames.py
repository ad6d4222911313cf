"""Raw Binance frames, a line each: ``1723161255030314667 {…}`` (ns) or ``1633998512.0633569: {…}`` (s).

Lines of captures that are not frames (``wss://…`` sent by the client, ``https://… -> time: {…}`` REST answers,
``configuration: …``) are understood: a REST depth answer is the snapshot of the symbol in its address,
exchangeInfo gives the instruments.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from importlib import import_module
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from onetape.model.errors import DecodeError, OnetapeError, TapeError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
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
    import_captures([job])


def import_captures(jobs: list[Import]) -> None:
    """The files of one capture, merged by time: a snapshot in one of them starts the book of another."""
    first = jobs[0]
    market = first.options.market or _guess_market(jobs)
    if market not in MARKETS:
        raise TapeError(f"{market!r} is not a market of Binance; write one of {', '.join(MARKETS)}")
    venue = first.options.venue or _guess_venue(jobs)
    given = first.options.instrument
    if isinstance(given, Instrument):
        given = {given.symbol: given}
    binance: Any = import_module("onetape.venues.binance.decoder")
    instruments = dict(given) if given is not None else _listed(jobs, market, venue)
    decoder: FrameDecoder = binance.BinanceDecoder(market, instruments, venue)
    count = 0
    for ts_recv, _, number, frame, stream, job in heapq.merge(
        *(_frames(job, i) for i, job in enumerate(jobs)), key=itemgetter(0, 1, 2)
    ):
        count += 1
        place = f"{job.source.name}:{number}"
        try:
            events = decoder.decode(frame, ts_recv, number if len(jobs) == 1 else count, stream)
        except OnetapeError as error:
            reason = "the frame cannot be decoded" if isinstance(error, DecodeError) else type(error).__name__
            job.report.skip(place, str(error), reason)
            continue
        for event in events:
            job.append(event, place)
    if instruments is None:
        first.report.inferred.extend(getattr(decoder, "instruments", {}).values())
    first.report.unused.update(getattr(decoder, "unused", {}))
    waiting = [symbol for symbol, book in getattr(decoder, "books", {}).items() if book.needs_snapshot]
    if waiting:
        first.report.note(
            f"no book of {', '.join(sorted(waiting))} at the end: it waits for a depth snapshot; files of one "
            "capture have to be imported together"
        )


class _Frame(NamedTuple):
    """A frame in its file; by time and file, as these are merged."""

    ts_recv: int
    file: int
    number: int
    frame: bytes
    stream: str
    job: Import


def _frames(job: Import, file: int) -> Iterator[_Frame]:
    for name, chunks in job.source.members():
        for number, line in lines(job.source, chunks):
            place = f"{name}:{number}"
            match = _LINE.match(line)
            stream = ""
            if match is not None:
                seconds, fraction = match[1], match[2]
            else:
                match = _REST.match(line)
                if match is None:
                    _other_line(job, line.strip(), place)
                    continue
                address, seconds, fraction = match[1], match[2], match[3]
                if b"exchangeInfo" in address:
                    job.report.unused["exchangeInfo"] += 1
                    continue
                symbol = re.search(rb"[?&]symbol=(\w+)", address)
                if b"/depth" in address and symbol:
                    stream = f"{symbol[1].decode().lower()}@depthSnapshot"
            ts_recv = _time(seconds, fraction)
            if not EARLIEST <= ts_recv < LATEST:
                job.report.skip(place, f"{seconds.decode()} is not a time between 1970 and 2200", "not a time")
                continue
            yield _Frame(job.arrival(ts_recv, place), file, number, line[match.end() :], stream, job)


def _listed(jobs: list[Import], market: str, venue: str) -> dict[str, Instrument] | None:
    """Instruments of an exchangeInfo answer that a capture begins with."""
    symbols: Any = import_module("onetape.venues.binance.symbols")
    for job in jobs:
        if b"exchangeInfo" not in job.source.sample(4_096)[1]:
            continue
        for _, chunks in job.source.members():
            for _, line in lines(job.source, chunks):
                match = _REST.match(line)
                if match and b"exchangeInfo" in match[1]:
                    return dict(symbols.parse_exchange_info(line[match.end() :], market, venue).instruments)
    return None


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


def _guess_market(jobs: list[Import]) -> str:
    """By the first frames: COIN-M names the pair (``ps``), futures the update before (``pu``), spot neither."""
    sample = b"\n".join(job.source.sample(1 << 20)[1] for job in jobs)
    if b'"ps":' in sample or re.search(rb'"s":"[A-Z0-9]+_(PERP|\d{6})"', sample) or b"dapi.binance" in sample:
        market = "coinm"
    elif b'"pu":' in sample or b"fstream.binance" in sample or b"fapi.binance" in sample or _futures_quote(sample):
        market = "usdm"
    else:
        market = "spot"
    jobs[0].report.note(f"the frames look like market {market}")
    return market


def _futures_quote(sample: bytes) -> bool:
    """Only futures stamp their best prices."""
    return any(b'"T":' in line for line in sample.splitlines()[:2_000] if b"@bookTicker" in line[:120])


def _guess_venue(jobs: list[Import]) -> str:
    return "BINANCE_US" if any(b"binance.us" in job.source.sample()[1] for job in jobs) else "BINANCE"
