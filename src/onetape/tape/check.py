"""Looking a tape over: damaged files, time going backwards, gaps, duplicates, crossed quotes and books."""

from __future__ import annotations

from dataclasses import dataclass

from onetape.tape.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind``: damaged, unfinished, backwards, gap, duplicate or crossed; ``count`` is in rows or files."""

    kind: str
    place: str
    message: str
    count: int = 1


def check_tape(manifest: Manifest) -> list[Finding]:
    return [Finding("damaged", p.path, "missing") for p in manifest.parts if not (manifest.path / p.path).exists()]
