"""Which rule makes a bar: ``1m``, ``100t``, ``5v``, ``1000$``, ``20i``, ``1h:mid@Europe/London 08:00-16:30``."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from onetape.marketdata.session import NS_PER_SECOND, Session
from onetape.model.errors import ConfigurationError

_DAY_NS = 86_400 * NS_PER_SECOND
_NANOSECONDS = {
    "ms": 1_000_000,
    "s": NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "h": 3600 * NS_PER_SECOND,
    "d": _DAY_NS,
    "w": 7 * _DAY_NS,
    "M": 28 * _DAY_NS,
}
_CLOCK_UNITS = ("h", "m", "s", "ms")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
#: Monday 1970-01-05, where weeks are counted from.
_FIRST_MONDAY = _EPOCH_DAY + 4
_MAX_STEP = {"d": 3660, "w": 520, "M": 120}
_TEXT = re.compile(
    r"(?P<step>\d+(?:\.\d+)?)(?P<unit>ms|[smhdwMtv$i])(?::(?P<source>\w+))?(?:@(?P<session>.+))?", re.ASCII
)


class BarMethod(IntEnum):
    TIME = 0
    TICK = 1
    VOLUME = 2
    VALUE = 3
    IMBALANCE = 4


class PriceSource(IntEnum):
    TRADE = 0
    BID = 1
    ASK = 2
    MID = 3


_METHODS = {"t": BarMethod.TICK, "v": BarMethod.VOLUME, "$": BarMethod.VALUE, "i": BarMethod.IMBALANCE}


class Interval(NamedTuple):
    """A bar's ``[start, end)`` and the window around a time in which that answer holds, ns UTC.

    ``inside`` is false where the window lies between two sessions.
    """

    start: int
    end: int
    window_start: int
    window_end: int
    inside: bool


class BarSpec:
    """One rule, immutable; ``str(spec)`` is its shortest text and parses back to it.

    ``STEP UNIT [:SOURCE] [@SESSION]`` with units ``ms s m h d w M`` (time; ``M`` is a month), ``t`` (trades),
    ``v`` (size), ``$`` (value in the quote currency), ``i`` (imbalance of buys and sells); sources ``trade`` (the
    default), ``bid``, ``ask``, ``mid``; a session as in :class:`Session`, the UTC day by default.

    Time bars are laid out from the session's opening; one that the closing cuts is shorter. Days are counted from
    1970-01-01, weeks begin on Monday, months are the calendar's. Bars of the other kinds end with the session too,
    where one is given.
    """

    __slots__ = ("method", "offset_ns", "session", "source", "step", "step_ns", "unit")

    method: BarMethod
    step: Decimal
    unit: str
    source: PriceSource
    session: Session | None
    #: Nominal length of a time bar, else 0. ``offset_ns`` is -1 where bars need the calendar, else where the grid
    #: of ``step_ns`` starts.
    step_ns: int
    offset_ns: int

    def __init__(
        self,
        step: Decimal | int | str,
        unit: str,
        source: PriceSource = PriceSource.TRADE,
        session: Session | None = None,
    ) -> None:
        self.step = Decimal(step)
        self.unit = unit
        self.method = _METHODS.get(unit, BarMethod.TIME)
        self.source = source
        self.session = None if session is not None and session.is_utc_day else session
        if not self.step > 0:
            raise ConfigurationError(f"a bar of {step}{unit} has no end; write a step above zero")
        if unit not in ("v", "$") and self.step != self.step.to_integral_value():
            raise ConfigurationError(f"a bar of {step}{unit}: write a whole number of {unit!r}")
        if source is not PriceSource.TRADE and self.method in (BarMethod.VOLUME, BarMethod.VALUE):
            raise ConfigurationError(f"a bar of {step}{unit} needs trades: quotes have no traded size")
        self.step_ns = 0
        self.offset_ns = -1
        if self.method is BarMethod.TIME:
            self._lay_out()

    def _lay_out(self) -> None:
        if self.unit not in _NANOSECONDS:
            raise ConfigurationError(f"{self.unit!r} is not a unit of bars; use one of ms s m h d w M t v $ i")
        step_ns = int(self.step) * _NANOSECONDS[self.unit]
        if self.unit in _CLOCK_UNITS:
            if step_ns > _DAY_NS:
                raise ConfigurationError(f"a bar of {self.step}{self.unit} passes the day's end; write it in days (d)")
            if step_ns == _DAY_NS and self.session is None:
                self.unit = "d"
            else:
                self.unit = next(unit for unit in _CLOCK_UNITS if step_ns % _NANOSECONDS[unit] == 0)
            self.step = Decimal(step_ns // _NANOSECONDS[self.unit])
        elif self.step > _MAX_STEP[self.unit]:
            raise ConfigurationError(f"a bar of {self.step}{self.unit} is longer than ten years")
        self.step_ns = step_ns
        if self.session is None and self.unit != "M" and (self.unit not in _CLOCK_UNITS or _DAY_NS % step_ns == 0):
            self.offset_ns = 4 * _DAY_NS if self.unit == "w" else 0

    @classmethod
    def parse(cls, text: str) -> BarSpec:
        """
        >>> BarSpec.parse("60m@America/New_York 9:30-16:00")
        BarSpec('1h@America/New_York 09:30-16:00')
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None or len(match["step"]) > 18:
            raise ConfigurationError(
                f"{text!r} is not a bar; write for example 1m, 100t, 5v, 1000$, 20i, 1m:mid or "
                "1h@America/New_York 09:30-16:00"
            )
        source = (match["source"] or "trade").upper()
        if source not in PriceSource.__members__:
            raise ConfigurationError(f"{text!r}: {match['source']!r} is not one of trade, bid, ask, mid")
        session = match["session"]
        return cls(match["step"], match["unit"], PriceSource[source], Session.parse(session) if session else None)

    def interval(self, ts: int) -> Interval:
        """The bar that ``ts`` falls into. Without a session, bars that time does not end have the widest one."""
        if self.offset_ns >= 0:
            start = ts - (ts - self.offset_ns) % self.step_ns
            return Interval(start, start + self.step_ns, start, start + self.step_ns, True)
        if self.session is None and self.method is not BarMethod.TIME:
            return Interval(-(2**63), 2**63 - 1, -(2**63), 2**63 - 1, True)
        session = self.session or Session()
        day = session.day(ts)
        if ts >= day.close:
            return Interval(day.close, day.next_open, day.close, day.next_open, False)
        if self.method is not BarMethod.TIME:
            return Interval(day.open, day.close, day.open, day.close, True)
        if self.unit in _CLOCK_UNITS:
            start = ts - (ts - day.open) % self.step_ns
            end = min(start + self.step_ns, day.close)
            return Interval(start, end, start, end, True)
        first, following = self._group(day.date)
        end = session.closing(date.fromordinal(following.toordinal() - 1))
        return Interval(session.opening(first), end, day.open, day.close, True)

    def _group(self, day: date) -> tuple[date, date]:
        """First day of the days, weeks or months that ``day`` is one of, and of the next ones."""
        step = int(self.step)
        if self.unit == "M":
            month = (day.year * 12 + day.month - 1) // step * step
            return date(month // 12, month % 12 + 1, 1), date((month + step) // 12, (month + step) % 12 + 1, 1)
        length, origin = (7 * step, _FIRST_MONDAY) if self.unit == "w" else (step, _EPOCH_DAY)
        first = day.toordinal() - (day.toordinal() - origin) % length
        return date.fromordinal(first), date.fromordinal(first + length)

    def __str__(self) -> str:
        step = format(self.step.normalize(), "f")
        source = "" if self.source is PriceSource.TRADE else f":{self.source.name.lower()}"
        session = "" if self.session is None else f"@{self.session}"
        return f"{step}{self.unit}{source}{session}"

    def __repr__(self) -> str:
        return f"BarSpec('{self}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BarSpec) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
