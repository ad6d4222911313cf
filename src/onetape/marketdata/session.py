"""A trading day as a zone and its local opening and closing times, right across changes of daylight saving time.

Knows no holidays: a day on which nothing trades is simply empty.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onetape.model.errors import ConfigurationError

NS_PER_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_TEXT = re.compile(rf"(?P<zone>\S+)(?:\s+(?P<open>{_TIME})(?:\s*-\s*(?P<close>{_TIME}))?)?")


class TradingDay(NamedTuple):
    """One session in ns UTC: open in ``[open, close)``, closed in ``[close, next_open)``."""

    date: date
    open: int
    close: int
    next_open: int


class Session:
    """``Session("America/New_York", time(9, 30), time(16))``; without ``close`` it lasts until the next opening.

    A closing time that is not after the opening is the next day's. The *trading date* of a session is the local
    date of its middle, so that of 17:00 to 17:00 in New York is the later of its two dates, as exchanges count it.
    An opening that daylight saving time skips is taken at the offset before the change.
    """

    __slots__ = ("_date_shift", "_last", "_tz", "close", "open", "zone")

    zone: str
    open: time
    close: time | None

    def __init__(self, zone: str = "UTC", open: time = time(0), close: time | None = None) -> None:  # noqa: A002
        try:
            self._tz = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError(
                f"{zone!r} is not a time zone; write an IANA name, for example America/New_York or UTC"
            ) from None
        self.zone = zone
        self.open = open
        self.close = None if close == open else close
        opens = _seconds(open)
        closes = opens + 86_400 if self.close is None else _seconds(self.close)
        if closes <= opens:
            closes += 86_400
        self._date_shift = 1 if opens + closes >= 2 * 86_400 else 0
        self._last = self._day(0)

    @classmethod
    def parse(cls, text: str) -> Session:
        """A session from ``zone``, ``zone HH:MM`` or ``zone HH:MM-HH:MM`` (seconds may follow).

        >>> Session.parse("America/New_York 9:30-16:00")
        Session('America/New_York 09:30-16:00')
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(
                f"{text!r} is not a session; write a zone and local times, as in America/New_York 09:30-16:00"
            )
        opens, closes = match["open"], match["close"]
        return cls(match["zone"], _time(opens) if opens else time(0), _time(closes) if closes else None)

    @property
    def is_utc_day(self) -> bool:
        return self.zone == "UTC" and self.open == time(0) and self.close is None

    def opening(self, trading_date: date) -> int:
        """When the session of ``trading_date`` opens, ns UTC."""
        return self._instant(trading_date - _DAY * self._date_shift, self.open)

    def closing(self, trading_date: date) -> int:
        """When the session of ``trading_date`` closes, ns UTC."""
        following = self.opening(trading_date + _DAY)
        if self.close is None:
            return following
        day = trading_date - _DAY * self._date_shift
        closes = self._instant(day if self.close > self.open else day + _DAY, self.close)
        return max(self.opening(trading_date), min(closes, following))

    def day(self, ts: int) -> TradingDay:
        """The trading day that ``ts`` is in: the last one that opened at or before it."""
        if not self._last.open <= ts < self._last.next_open:
            self._last = self._day(ts)
        return self._last

    def _day(self, ts: int) -> TradingDay:
        local = (_EPOCH + timedelta(seconds=ts // NS_PER_SECOND)).astimezone(self._tz).date()
        while self.opening(local) > ts:
            local -= _DAY
        while self.opening(local + _DAY) <= ts:
            local += _DAY
        return TradingDay(local, self.opening(local), self.closing(local), self.opening(local + _DAY))

    def _instant(self, day: date, at: time) -> int:
        local = datetime.combine(day, at, tzinfo=self._tz)
        return (local.astimezone(UTC) - _EPOCH) // _SECOND * NS_PER_SECOND

    def __str__(self) -> str:
        if self.close is not None:
            return f"{self.zone} {_format(self.open)}-{_format(self.close)}"
        return self.zone if self.open == time(0) else f"{self.zone} {_format(self.open)}"

    def __repr__(self) -> str:
        return f"Session('{self}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Session) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _time(text: str) -> time:
    try:
        hour, minute, second = (int(part) for part in f"{text}:0".split(":")[:3])
        return time(hour, minute, second)
    except ValueError:
        raise ConfigurationError(f"{text!r} is not a time of day; write HH:MM, 00:00 to 23:59") from None


def _format(at: time) -> str:
    return at.strftime("%H:%M:%S" if at.second else "%H:%M")
