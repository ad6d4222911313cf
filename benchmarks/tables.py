"""The tables at the end of a benchmark run: medians, and how ours compares with each engine.

As a script: ``python benchmarks/tables.py RUN.jsonl …`` shows the tables of recorded runs.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

Line = dict[str, Any]
OURS, FLOOR = "onetape", "floor"
HEAD = ("workload", "engine", "runs", "events/cpu s", "run s", "load s", "peak MB", "orders", "fills",
        "ours / it", "its time / floor")  # fmt: skip


def _medians(lines: list[Line]) -> dict[tuple[str, str], Line]:
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if "skipped" not in line:
            groups.setdefault((line["workload"], line["engine"]), []).append(line)
    fields = ("events_per_cpu_s", "run_s", "cpu_s", "load_s", "rss_mb", "orders", "fills", "events")
    return {
        key: {field: statistics.median([line[field] or 0 for line in group]) for field in fields} | {"runs": len(group)}
        for key, group in groups.items()
    }


def _per_event(line: Line | None) -> float | None:
    return line["cpu_s"] / line["events"] if line and line["events"] and line["cpu_s"] else None


def _ratio(above: float | None, below: float | None) -> str:
    return f"{above / below:,.2f}" if above and below else ""


def rows(lines: list[Line]) -> list[tuple[str, ...]]:
    medians = _medians(lines)
    table: list[tuple[str, ...]] = []
    for (workload, engine), line in sorted(medians.items(), key=lambda item: item[0][0]):
        cost = _per_event(line)
        ours = _per_event(medians.get((workload, OURS)))
        floor = _per_event(medians.get((workload, FLOOR)))
        table.append((
            workload, engine, str(line["runs"]), f"{line['events_per_cpu_s']:,.0f}", f"{line['run_s']:.3f}",
            f"{line['load_s']:.3f}", f"{line['rss_mb']:,.0f}", f"{line['orders']:,.0f}", f"{line['fills']:,.0f}",
            "" if engine == OURS else _ratio(cost, ours), "" if engine == FLOOR else _ratio(cost, floor),
        ))  # fmt: skip
    return table


def show(lines: list[Line]) -> None:
    table = rows(lines)
    skipped = {(line["workload"], line["engine"]): line["skipped"] for line in lines if "skipped" in line}
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        widths = [max(len(row[i]) for row in [HEAD, *table]) for i in range(len(HEAD))]
        for row in [HEAD, *table]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)), file=sys.stderr)
    else:
        view = Table(title="medians; ratios by CPU time for an event")
        for i, name in enumerate(HEAD):
            view.add_column(name, justify="left" if i < 2 else "right", no_wrap=True)
        previous = ""
        for row in table:
            if previous and row[0] != previous:
                view.add_section()
            previous = row[0]
            view.add_row(*row)
        Console(stderr=True, width=None if sys.stderr.isatty() else 150).print(view)
    for (workload, engine), reason in skipped.items():
        print(f"skipped {workload} on {engine}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    show([json.loads(text) for name in sys.argv[1:] for text in Path(name).read_text().splitlines()])
