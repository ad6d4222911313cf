"""System events: the state of streams, timers, marks of the recording itself."""

from __future__ import annotations

from onetape.model.enums import Health, MarkKind
from onetape.model.event import Event
from onetape.model.instrument import Instrument


class StreamHealth(Event):
    """A stream changed its state. ``channel`` is an event kind (``book``, ``trade``, ``orders``)."""

    __slots__ = ("channel", "health", "instrument", "reason")

    KIND = "health"
    FIELDS = {"instrument": "instrument", "channel": "text", "health": "Health", "reason": "text"}

    instrument: Instrument
    channel: str
    health: Health
    reason: str

    def __init__(
        self,
        instrument: Instrument,
        channel: str,
        health: Health,
        reason: str = "",
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.channel = channel
        self.health = Health(health)
        self.reason = reason
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq


class Gap(Event):
    """Updates ``expected`` to ``received`` - 1 of a stream never arrived."""

    __slots__ = ("channel", "expected", "instrument", "received")

    KIND = "gap"
    FIELDS = {"instrument": "instrument", "channel": "text", "expected": "int", "received": "int"}

    instrument: Instrument
    channel: str
    expected: int
    received: int

    def __init__(
        self,
        instrument: Instrument,
        channel: str,
        expected: int,
        received: int,
        ts_event: int = 0,
        ts_recv: int = 0,
        seq: int = 0,
    ) -> None:
        self.instrument = instrument
        self.channel = channel
        self.expected = expected
        self.received = received
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq


class Timer(Event):
    """A timer that a strategy set has come due."""

    __slots__ = ("name",)

    KIND = "timer"
    FIELDS = {"name": "text"}

    name: str

    def __init__(self, name: str, ts_event: int = 0, ts_recv: int = 0, seq: int = 0) -> None:
        self.name = name
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq


class SessionMark(Event):
    """Something about the recording itself: its start, its end, a lost connection, a person's note."""

    __slots__ = ("mark", "text")

    KIND = "mark"
    FIELDS = {"mark": "MarkKind", "text": "text"}

    mark: MarkKind
    text: str

    def __init__(self, mark: MarkKind, text: str = "", ts_event: int = 0, ts_recv: int = 0, seq: int = 0) -> None:
        self.mark = MarkKind(mark)
        self.text = text
        self.ts_event = ts_event
        self.ts_recv = ts_recv
        self.seq = seq
