"""What every engine file shares: the command line, the clocks and the one JSON line.

An engine maps each workload to a function that takes what the workload offers (the columns of
``workloads.load``, or for ``load`` the path of a Parquet file) and gives a `Job`: everything needed before the
first event is done there and is the load time. `Job.run` is what is measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import workloads


class Watch:
    """The clocks of a run. An engine that loads inside its own run call says when the run proper begins."""

    def __init__(self) -> None:
        self.loaded_at = self.began = self.cpu_began = 0.0
        self.run_s = self.cpu_s = self.load_s = 0.0

    def load_begins(self) -> None:
        self.loaded_at = time.perf_counter()

    def run_begins(self) -> None:
        self.began = time.perf_counter()
        self.cpu_began = time.process_time()
        self.load_s = self.began - self.loaded_at

    def first_event(self) -> None:
        """For the load workload: the load ends when the strategy has its first event, the run goes on."""
        self.load_s = time.perf_counter() - self.loaded_at

    def run_ends(self) -> None:
        self.run_s = time.perf_counter() - self.began
        self.cpu_s = time.process_time() - self.cpu_began


WATCH = Watch()


@dataclass(frozen=True, slots=True)
class Counts:
    """What the strategy saw and did; `events` are the workload's, counted by the handler where it is called."""

    events: int
    orders: int = 0
    fills: int = 0


@dataclass(slots=True)
class Job:
    run: Callable[[], None]
    counts: Callable[[], Counts]
    compile_s: float | None = None


Prepare = Callable[[Any, workloads.Spec], Job]


def peak_rss_mb() -> float:
    """Peak resident memory of this process alone (ru_maxrss would count the parent's at the fork)."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main(engine: str, version: str, jobs: Mapping[str, Prepare], skipped: Mapping[str, str]) -> None:
    parser = argparse.ArgumentParser(description=f"one workload, once, on {engine}")
    parser.add_argument("workload", choices=list(workloads.SPECS))
    parser.add_argument("--n", type=int, help="number of events, by default the workload's full size")
    args = parser.parse_args()
    spec = workloads.SPECS[args.workload]
    line: dict[str, Any] = {"workload": spec.name, "engine": engine, "version": version}
    if spec.name in jobs:
        line |= _measure(jobs[spec.name], spec, args.n)
    else:
        line["skipped"] = skipped.get(spec.name, "not written")
    print(json.dumps(line), flush=True)


def _measure(prepare: Prepare, spec: workloads.Spec, n: int | None) -> dict[str, Any]:
    source: Any = workloads.quotes_parquet(n) if spec.name == "load" else workloads.load(spec.name, n)
    base_mb = peak_rss_mb()
    WATCH.load_begins()
    job = prepare(source, spec)
    WATCH.loaded_at += job.compile_s or 0.0
    del source
    gc.collect()
    gc.freeze()  # loaded events are not garbage: no engine should pay for walking them again and again
    WATCH.run_begins()
    job.run()
    WATCH.run_ends()
    counts = job.counts()
    line = {
        "events": counts.events,
        "run_s": round(WATCH.run_s, 6),
        "cpu_s": round(WATCH.cpu_s, 6),
        "events_per_cpu_s": round(counts.events / WATCH.cpu_s) if WATCH.cpu_s else None,
        "orders": counts.orders,
        "fills": counts.fills,
        "load_s": round(WATCH.load_s, 6),
        "rss_mb": round(peak_rss_mb(), 1),
        "base_mb": round(base_mb, 1),
    }
    if job.compile_s is not None:
        line["compile_s"] = round(job.compile_s, 3)
    return line
