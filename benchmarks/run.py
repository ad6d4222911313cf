"""Runs workloads on engines, each run a process of its own, and compares them.

The engines alternate (A B C, A B C, …) so that a slow spell of the machine hits all of them. JSON lines go to
stdout as they come, progress and the tables to stderr. ENGINES, WORKLOADS, REPEAT and N in the environment are
the defaults of the options of the same names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from peers import ENGINES, HERE, install_all
from tables import show
from workloads import SPECS

Line = dict[str, Any]


def _python(engine: str) -> Path | None:
    peer = ENGINES[engine]
    if peer is None:
        return Path(sys.executable)
    return peer.python if peer.ready() else None


def run_once(engine: str, workload: str, n: int | None, timeout: float) -> Line:
    """One run in a process of its own; what goes wrong becomes the reason of a skipped line."""
    line: Line = {"workload": workload, "engine": engine}
    script, python = HERE / "engines" / f"{engine}.py", _python(engine)
    if not script.exists():
        return line | {"skipped": "not written yet"}
    if python is None:
        return line | {"skipped": "not installed: run benchmarks/peers.py"}
    command = [str(python), "-W", "ignore", str(script), workload, *(("--n", str(n)) if n else ())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return line | {"skipped": f"not done after {timeout:.0f} s"}
    for text in reversed(done.stdout.splitlines()):
        if text.startswith("{"):
            result: Line = json.loads(text)
            return result
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return line | {"skipped": f"failed: {last[0][:200]}"}


def _prepare(workloads: list[str], n: int | None) -> None:
    """Fills the cache first: no measured process makes data."""
    for workload in workloads:
        command = [sys.executable, str(HERE / "workloads.py"), workload, *(("--n", str(n)) if n else ())]
        subprocess.run(command, check=True)


def _names(text: str, known: list[str], what: str, parser: argparse.ArgumentParser) -> list[str]:
    if text == "all":
        return known
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        parser.error(f"unknown {what} {unknown[0]}: one of {', '.join(known)}")
    return names


def main() -> int:
    default = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default=default("ENGINES"), help="comma-separated, or all")
    parser.add_argument("--peers", action="store_true", help="all engines by default; installs what is missing")
    parser.add_argument("--workloads", default=default("WORKLOADS") or "all", help="comma-separated, or all")
    parser.add_argument("--repeat", type=int, default=int(default("REPEAT") or 1))
    parser.add_argument("--n", type=int, default=int(default("N") or 0), help="events; 0 is each one's full size")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds for one run")
    parser.add_argument("--out", type=Path, help="append the JSON lines to this file too")
    args = parser.parse_args()
    usual = "all" if args.peers else "onetape,floor"
    engines = _names(args.engines or usual, list(ENGINES), "engine", parser)
    workloads = _names(args.workloads, list(SPECS), "workload", parser)

    if args.peers:
        install_all(list(dict.fromkeys(peer for name in engines if (peer := ENGINES[name]))))
    _prepare(workloads, args.n or None)
    lines: list[Line] = []
    hopeless: set[tuple[str, str]] = set()
    total, done = args.repeat * len(workloads) * len(engines), 0
    for workload in workloads:
        for turn in range(args.repeat):
            for engine in engines:
                done += 1
                if (engine, workload) in hopeless:
                    continue
                began = time.perf_counter()
                print(f"[{done}/{total}] {workload} {engine} …", end="", file=sys.stderr, flush=True)
                line = run_once(engine, workload, args.n or None, args.timeout)
                took = time.perf_counter() - began
                print(f"\r[{done}/{total}] {workload} {engine} {took:.1f} s", file=sys.stderr, flush=True)
                lines.append(line)
                print(json.dumps(line), flush=True)
                if args.out:
                    with args.out.open("a") as file:
                        file.write(json.dumps(line) + "\n")
                if "skipped" in line and turn == 0:
                    hopeless.add((engine, workload))
    show(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
