"""The base of everything that happens.

``ts_event`` is the venue's clock, ``ts_recv`` ours, ns since the epoch, UTC. ``seq`` orders the events of a tape:
the number of the frame that an event was read from, times 65,536, plus its place in that frame.
"""

from __future__ import annotations

from typing import Any

from onetape.model.instrument import Instrument
from onetape.model.numbers import MONEY_PRECISION, format_raw

FRAME_SHIFT = 16


class Event:
    """Anything that happens. ``FIELDS`` names what the codec writes, beside the three common fields."""

    __slots__ = ("seq", "ts_event", "ts_recv")

    KIND = ""
    FIELDS: dict[str, str] = {}

    ts_event: int
    ts_recv: int
    seq: int

    @property
    def frame(self) -> int:
        """Number of the raw frame on the tape that this event was read from."""
        return self.seq >> FRAME_SHIFT

    def stamp(self, ts_recv: int, seq: int) -> None:
        """Set the arrival time and order; done once, by whoever puts the event on the bus."""
        self.ts_recv = ts_recv
        self.seq = seq

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in ("ts_event", "ts_recv", "seq", *self.FIELDS))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self.ts_event, self.ts_recv, self.seq))

    def __repr__(self) -> str:
        shown = []
        for name, kind in self.FIELDS.items():
            value = getattr(self, name)
            if kind == "instrument":
                value = value.id
            elif kind in ("price", "size", "amount"):
                name = name.removesuffix("_raw")
                value = self._text(kind, value)
            elif kind == "levels":
                value = f"{len(value)} levels"
            elif hasattr(value, "name"):
                value = value.name
            shown.append(f"{name}={value}")
        return f"{type(self).__name__}({', '.join(shown)}, ts_event={self.ts_event}, ts_recv={self.ts_recv})"

    def _text(self, kind: str, value: Any) -> str:
        if kind == "amount":
            return format_raw(value, MONEY_PRECISION).rstrip("0").rstrip(".")
        instrument: Instrument = self.instrument  # type: ignore[attr-defined]
        precision = instrument.price_precision if kind == "price" else instrument.size_precision
        return format_raw(value, precision)
