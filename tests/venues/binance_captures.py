"""Reads the public captures that the Binance tests run over; each test skips where they are not at hand."""

from __future__ import annotations

import gzip
import json
import lzma
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED_DATA = Path(os.environ.get("ONETAPE_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def shared(path: str) -> Path:
    found = SHARED_DATA / path
    if not found.exists():
        pytest.skip(f"the shared capture {path} is not at hand (ONETAPE_SHARED_DATA)")
    return found


def load_json(path: str) -> Any:
    found = shared(path)
    return json.loads(lzma.open(found).read() if found.suffix == ".xz" else found.read_bytes())


#: Name in expected_books.json, market, files in order.
HFTBACKTEST = {
    "usdm/btcusdt": ("usdm", ["usdm/btcusdt_20240808.gz"]),
    "spot/btcusdt": ("spot", ["spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"]),
    "cm/btcusd_perp": ("coinm", ["cm/btcusd_perp_20240808.gz"]),
}


def hftbacktest_lines(name: str) -> Iterator[tuple[int, bytes]]:
    for path in HFTBACKTEST[name][1]:
        with gzip.open(shared(f"hftbacktest/{path}")) as lines:
            for line in lines:
                time, frame = line.split(b" ", 1)
                yield int(time), frame


def seconds_to_ns(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])


def cryptofeed_frames(name: str) -> list[tuple[int, bytes, str]]:
    """``(ts_recv, frame, stream)`` of sockets and REST book snapshots together, in order of time."""
    frames = []
    for part in ("http.0.0", "ws.1.0"):
        for line in lzma.decompress(shared(f"cryptofeed/{name}/{name}.{part}.xz").read_bytes()).decode().splitlines():
            stream = ""
            if line.startswith("https://"):
                url, _, line = line.partition(" -> ")
                stream = url.partition("symbol=")[2].partition("&")[0] + "@depthSnapshot"
            elif line.startswith("wss://") or not line.strip():
                continue
            time, _, frame = line.partition(": ")
            frames.append((seconds_to_ns(time), frame.encode(), stream))
    return sorted(frames, key=lambda row: row[0])


def cryptofeed_exchange_info(name: str) -> bytes:
    with lzma.open(shared(f"cryptofeed/{name}/{name}.0.xz"), "rt") as lines:
        return next(lines).partition(": ")[2].encode()
