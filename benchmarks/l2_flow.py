"""A small market that makes the l2 workload: limit orders, cancels and market orders around a moving price.

Levels are kept by tick. Every add is placed behind the opposite best, so the book cannot cross; a side that thins
out near the best is added to rather than cancelled from. Each action gives one delta, or for a market order a
trade and a delta for each level it eats.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DEPTH = 400  # levels a side in the opening book
START_TICK = 600_000
SPAN = 600_000
MEAN_GAP_NS = 3_400_000.0
BLOCK = 65_536


class _Book:
    """Sizes by tick, one list a side, with the best tick of each."""

    __slots__ = ("best", "levels")

    def __init__(self, rng: np.random.Generator) -> None:
        self.levels: list[list[int]] = [[0] * SPAN * 2, [0] * SPAN * 2]
        self.best = [START_TICK, START_TICK + 1]
        for side, step in ((0, -1), (1, 1)):
            sizes = 50 + (400.0 * rng.lognormal(0.0, 1.0, DEPTH)).astype(np.int64)
            for i, size in enumerate(sizes.tolist()):
                self.levels[side][self.best[side] + step * i] = size

    def set(self, side: int, tick: int, size: int) -> None:
        levels = self.levels[side]
        levels[tick] = size
        best, step = self.best[side], -1 if side == 0 else 1
        if size:
            if (tick - best) * step < 0:
                self.best[side] = tick
        elif tick == best:
            while not levels[best]:
                best += step
            self.best[side] = best


def generate(rng: np.random.Generator, n: int, t0: int) -> dict[str, NDArray[np.int64]]:
    book = _Book(rng)
    snapshot = [
        (side, tick, size)
        for side in (0, 1)
        for tick in range(START_TICK - DEPTH, START_TICK + DEPTH + 2)
        if (size := book.levels[side][tick])
    ]
    rows: list[tuple[int, int, int, int, int]] = []
    now, bias = t0, 0.0
    best, levels = book.best, book.levels
    while len(rows) < n:
        u = rng.random((BLOCK, 5)).tolist()
        normal = rng.normal(0.0, 1.0, BLOCK).tolist()
        gaps = (rng.exponential(MEAN_GAP_NS, BLOCK).astype(np.int64) + 1).tolist()
        for (act, coin, depth, amount, far), gauss, gap in zip(u, normal, gaps, strict=True):
            if len(rows) >= n:
                break
            now += gap
            size = 1 + int(250.0 * math.exp(gauss))
            bias = bias * 0.9995 + 0.004 * gauss
            if act < 0.10:  # market order: eats the opposite side from its best
                aggressor = 0 if coin < 0.5 + bias else 1
                hit = 1 - aggressor
                while size and len(rows) < n:
                    tick = best[hit]
                    there = levels[hit][tick]
                    done = min(size, there)
                    rows.append((now, 1, aggressor, tick, done))
                    book.set(hit, tick, there - done)
                    rows.append((now, 0, hit, tick, there - done))
                    size -= done
                continue
            side = 0 if coin < 0.5 else 1
            step = -1 if side == 0 else 1
            away = int(-3.0 * math.log(1.0 - depth)) if far < 0.8 else int(depth * DEPTH)
            if act < 0.55:  # add: from one tick behind the opposite best outwards
                tick = best[1 - side] + step * (1 + away)
                book.set(side, tick, levels[side][tick] + size)
            else:  # cancel: part of a level, or all of it
                tick = best[side] + step * away
                there = levels[side][tick]
                if not there or (away < 2 and abs(best[0] - best[1]) > 3):
                    tick = best[1 - side] + step * (1 + away)
                    there = levels[side][tick]
                    book.set(side, tick, there + size)
                else:
                    left = 0 if amount < 0.45 else int(there * amount)
                    book.set(side, tick, left)
            rows.append((now, 0, side, tick, levels[side][tick]))
    table = np.array(rows[:n], dtype=np.int64)
    opening = np.array(snapshot, dtype=np.int64)
    names = ("ts", "kind", "side", "price", "size")
    columns = {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}
    for i, name in enumerate(names[2:]):
        columns[f"snapshot_{name}"] = np.ascontiguousarray(opening[:, i])
    return columns
