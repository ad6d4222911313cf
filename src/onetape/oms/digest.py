"""SHA-256 over every order command and order event, in order: equal digests mean equal sessions."""

from __future__ import annotations

import hashlib
import sys
from array import array

from onetape.model.instrument import Instrument
from onetape.model.orders import ExecutionReport, Fill, Order

_CAPACITY = 4096
_WIDEST = 16
_COMMAND = 1
_REPORT = 2


class Digest:
    """Records are runs of 64-bit integers, little-endian, hashed a block at a time; an instrument's id is hashed
    when it first appears and a number, in that order, stands for it from then on."""

    __slots__ = ("_buffer", "_hash", "_numbers", "_used")

    _buffer: array[int]
    _used: int
    _numbers: list[int]

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._buffer = array("q", bytes(8 * _CAPACITY))
        self._used = 0
        self._numbers = []

    def command(self, what: int, order: Order, qty_raw: int, price_raw: int, ts: int) -> None:
        """Ours: submit, replace or cancel."""
        number = self._number(order.instrument)
        if self._used + _WIDEST > _CAPACITY:
            self._flush()
        buffer = self._buffer
        at = self._used
        buffer[at] = _COMMAND
        buffer[at + 1] = what
        buffer[at + 2] = ts
        buffer[at + 3] = number
        buffer[at + 4] = order.number
        buffer[at + 5] = order.side_code
        buffer[at + 6] = order.ord_type_code
        buffer[at + 7] = order.tif_code
        buffer[at + 8] = qty_raw
        buffer[at + 9] = price_raw
        buffer[at + 10] = order.stop_px_raw
        buffer[at + 11] = order.trail_raw
        buffer[at + 12] = order.expire_time
        buffer[at + 13] = (2 if order.post_only else 0) + (1 if order.reduce_only else 0)
        self._used = at + 14

    def report(self, report: ExecutionReport, order: Order, ts: int) -> None:
        """The venue's, after the OMS has applied it."""
        if self._used + _WIDEST > _CAPACITY:
            self._flush()
        buffer = self._buffer
        at = self._used
        buffer[at] = _REPORT
        buffer[at + 1] = report.exec_code
        buffer[at + 2] = ts
        buffer[at + 3] = report.ts_event
        buffer[at + 4] = order.number
        buffer[at + 5] = order.status_code
        buffer[at + 6] = order.cum_qty_raw
        buffer[at + 7] = order.price_raw
        at += 8
        if isinstance(report, Fill):
            fill = report
            buffer[at] = fill.last_qty_raw
            buffer[at + 1] = fill.last_px_raw
            buffer[at + 2] = fill.liquidity_code
            buffer[at + 3] = fill.reason_code
            at += 4
        self._used = at

    def _number(self, instrument: Instrument) -> int:
        index = instrument.index
        while len(self._numbers) <= index:
            self._numbers.append(-1)
        number: int = self._numbers[index]
        if number < 0:
            self._flush()
            self._hash.update(instrument.id.encode())
            number = max(self._numbers) + 1
            self._numbers[index] = number
        return number

    def _flush(self) -> None:
        block = self._buffer[: self._used]
        if sys.byteorder == "big":
            block = array("q", block)
            block.byteswap()
        self._hash.update(block)
        self._used = 0

    def hexdigest(self) -> str:
        self._flush()
        return self._hash.hexdigest()
