"""What an import did, row by row where something was wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from onetape.model.instrument import Instrument

_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was left out. ``place`` is file:line (record, in a binary file)."""

    place: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """``events`` counts what is now on the tape, by kind; ``skipped`` shows the first rows that are not, and why.

    ``skipped_by_reason`` counts them all, ``unused`` what was understood and has no place on a tape, ``clamped``
    rows whose arrival time went backwards and was set to that of the row before. ``inferred`` are instruments made
    up from what was seen, ``truncated`` says where a file ended early, ``seconds`` is for the caller to fill in.
    """

    path: str
    format: str = ""
    events: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_by_reason: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
    clamped: int = 0
    first_clamped: str = ""
    inferred: list[Instrument] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    truncated: str = ""
    already_imported: bool = False
    bytes: int = 0
    seconds: float = 0.0

    @property
    def skipped_count(self) -> int:
        return self.skipped_by_reason.total()

    def skip(self, place: str, reason: str, group: str = "") -> None:
        """Count a row out; ``group`` is the reason without what is special about the row."""
        self.skipped_by_reason[group or reason] += 1
        if len(self.skipped) < _SHOWN:
            self.skipped.append(Skipped(place, reason))

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < _SHOWN:
            self.notes.append(text)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "path": self.path,
            "format": self.format,
            "already_imported": self.already_imported,
            "events": dict(self.events),
            "skipped_count": self.skipped_count,
            "skipped_by_reason": dict(self.skipped_by_reason),
            "skipped": [{"place": row.place, "reason": row.reason} for row in self.skipped],
            "unused": dict(self.unused),
            "clamped": self.clamped,
            "first_clamped": self.first_clamped,
            "inferred": [instrument.to_dict() for instrument in self.inferred],
            "notes": self.notes,
            "truncated": self.truncated,
            "bytes": self.bytes,
            "seconds": self.seconds,
        }
