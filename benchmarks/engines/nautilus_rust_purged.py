"""nautilus_rust without its history: faster the more orders there are, see there."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from engines import nautilus_rust
from harness import main

if __name__ == "__main__":
    nautilus_rust.PURGE = True
    without_orders = "no orders, so no history: the same as nautilus_rust"
    jobs = {name: job for name, job in nautilus_rust.JOBS.items() if name not in ("quotes", "load")}
    skipped = dict.fromkeys(("quotes", "load"), without_orders)
    main("nautilus_rust_purged", version("nautilus_trader"), jobs, skipped)
