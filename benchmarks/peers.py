"""The engines of the benchmark and where each runs; as a script, makes the peers' virtual environments.

Each peer has an environment of its own under ``benchmarks/.venvs``, made with a Python its wheels are for and
the versions pinned in ``benchmarks/requirements``. Making one that is up to date does nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENVS = HERE / ".venvs"
Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's environment: its name, and the Python versions tried, best first."""

    name: str
    pythons: tuple[Version, ...]

    @property
    def requirements(self) -> Path:
        return HERE / "requirements" / f"{self.name}.txt"

    @property
    def python(self) -> Path:
        scripts = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        return VENVS / self.name / scripts

    @property
    def stamp(self) -> Path:
        return VENVS / self.name / "installed.txt"

    def ready(self) -> bool:
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text() == self.requirements.read_text()


PEERS = {
    peer.name: peer
    for peer in (
        Peer("nautilus", ((3, 12), (3, 13), (3, 14))),
        Peer("hftbacktest", ((3, 12), (3, 13), (3, 11))),
        Peer("backtrader", ((3, 12), (3, 11), (3, 13))),
        Peer("vectorbt", ((3, 12), (3, 11), (3, 13))),
    )
}

# Engine -> its environment; None is the Python that runs the benchmark.
ENGINES: dict[str, Peer | None] = {
    "onetape": None,
    "floor": None,
    "nautilus_cython": PEERS["nautilus"],
    "nautilus_rust": PEERS["nautilus"],
    "nautilus_rust_purged": PEERS["nautilus"],
    "hftbacktest": PEERS["hftbacktest"],
    "backtrader": PEERS["backtrader"],
    "vectorbt": PEERS["vectorbt"],
}


def _candidates(version: Version) -> Iterator[str]:
    name = f"python{version[0]}.{version[1]}"
    if sys.version_info[:2] == version:
        yield sys.executable
    if found := shutil.which(name):
        yield found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for folder in sorted((root / "versions").glob(f"{version[0]}.{version[1]}.*"), reverse=True):
        yield str(folder / "bin" / "python")


def find_python(versions: tuple[Version, ...]) -> str | None:
    """The first interpreter that really runs as one of `versions`, looked for on PATH and among pyenv's."""
    for version in versions:
        for candidate in _candidates(version):
            check = f"import sys, venv; sys.exit(sys.version_info[:2] != {version})"
            try:
                if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
                    return candidate
            except OSError:
                continue
    return None


def install(peer: Peer) -> str | None:
    """Makes the peer's environment; the reason if that cannot be done."""
    python = find_python(peer.pythons)
    if python is None:
        wanted = ", ".join(f"{major}.{minor}" for major, minor in peer.pythons)
        return f"needs Python {wanted}: none on PATH or among pyenv's versions"
    pip = [str(peer.python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    steps = (
        [python, "-m", "venv", "--clear", str(VENVS / peer.name)],
        [*pip, "-r", str(peer.requirements)],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return f"failed: {' '.join(step[1:4])}"
    peer.stamp.write_text(peer.requirements.read_text())
    return None


def install_all(peers: list[Peer]) -> bool:
    """Makes what is missing, with a line of progress for each; whether all are ready now."""
    for i, peer in enumerate(peers, 1):
        label = f"[{i}/{len(peers)}] {peer.name}:"
        if peer.ready():
            print(label, "up to date", file=sys.stderr)
            continue
        print(label, "installing …", file=sys.stderr, flush=True)
        print(label, install(peer) or "installed", file=sys.stderr, flush=True)
    return all(peer.ready() for peer in peers)


def main() -> int:
    parser = argparse.ArgumentParser(description="make the virtual environments of the peers")
    parser.add_argument("peers", nargs="*", help=f"of {', '.join(PEERS)}; all if none is given")
    names = parser.parse_args().peers or list(PEERS)
    if unknown := [name for name in names if name not in PEERS]:
        parser.error(f"unknown peer {unknown[0]}: one of {', '.join(PEERS)}")
    return 0 if install_all([PEERS[name] for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main())
