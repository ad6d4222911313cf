"""Small sources for the dispatch loop: each row is (ts, seq); what happens goes to a shared log."""

from __future__ import annotations

from collections.abc import Callable

from onetape.kernel.clock import NEVER
from onetape.kernel.loop import Kernel, Source

Row = tuple[int, int]


class FakeSource(Source):
    """Handles its rows as real sources do: up to the limit, back to the loop when the kernel's bound is reached."""

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        rows: list[Row],
        log: list[tuple[str, int, int]],
        *,
        quiet: bool = False,
        on_row: Callable[[int], object] | None = None,
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.name = name
        self.rows = rows
        self.log = log
        self.quiet = quiet
        self.on_row = on_row
        self.at = 0
        self.position()

    def position(self) -> None:
        if self.at < len(self.rows):
            self.next_ts, self.next_seq = self.rows[self.at]
        else:
            self.next_ts = NEVER

    def run(self, limit_ts: int, limit_seq: int) -> None:
        while self.at < len(self.rows):
            ts, seq = self.rows[self.at]
            if (ts, seq) >= (limit_ts, limit_seq):
                break
            if ts >= self.kernel.bound:
                break
            self.at += 1
            self.position()
            if not self.quiet:
                self.kernel.clock.advance(ts)
            self.log.append((self.name, ts, seq))
            if self.on_row is not None:
                self.on_row(ts)
