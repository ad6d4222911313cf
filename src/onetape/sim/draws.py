"""Random draws that are the same everywhere: PCG64's words, mapped by tables; and a path of the fair price.

Inverse distribution functions are tabled at the middle of each of 65,536 equal parts and rounded to integers (or 9
decimals), so that the last bit of a platform's logarithm makes no difference.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from onetape.sim.flow import Draws

_ONE = 1 << 16
_BLOCK = 4096
_FARTHEST = 500
_VARIANCE_MEMORY = 60.0
_TREND_MEMORY = 600.0
_MAX_VARIANCE = 25.0

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class FairPath:
    """A path in standard deviations of a second: clustered volatility (GARCH(1,1)), trends, jumps, mean reversion.

    ``advance`` gives the next values and their variances, mean one. Only the four operations and square roots are
    used, which every platform rounds alike.
    """

    def __init__(
        self, source: np.random.PCG64, step: float, *, half_life: float, trend: float = 0.0, jumps: float = 0.0
    ) -> None:
        self._source = source
        self._root = math.sqrt(step)
        persistence = max(0.5, 1.0 - step / _VARIANCE_MEMORY)
        # Kurtosis of the moves is 3 / (1 - 0.7) with this alpha.
        self._alpha = math.sqrt(0.35 * (1.0 - persistence * persistence))
        self._alpha = min(self._alpha, 0.8 * persistence)
        self._beta = persistence - self._alpha
        self._revert = min(1.0, 0.6931471805599453 * step / half_life)
        self._drift = trend * step
        self._switch = int(min(1.0, step / _TREND_MEMORY) * (1 << 32))
        self._jump = int(min(1.0, jumps * step / 3600.0) * (1 << 32))
        self._value = 0.0
        self._variance = 1.0
        self._trend = 0.0

    def advance(self, steps: int) -> tuple[Floats, Floats]:
        words = self._source.random_raw(2 * steps).reshape(steps, 2)
        shocks = _normal()[(words[:, 0] & 0xFFFF).astype(np.int64)].tolist()
        directions = ((words[:, 0] >> 16) & 3).tolist()
        switches = (words[:, 0] >> 32).tolist()
        jumps = (words[:, 1] >> 32).tolist()
        sizes = _jump_sizes()[(words[:, 1] & 0xFFFF).astype(np.int64)].tolist()
        value, variance, trend = self._value, self._variance, self._trend
        values, variances = [], []
        omega = 1.0 - self._alpha - self._beta
        for shock, direction, switch, jump, size in zip(shocks, directions, switches, jumps, sizes):
            values.append(value)
            variances.append(variance)
            if switch < self._switch:
                trend = (-self._drift, 0.0, 0.0, self._drift)[direction]
            surprise = math.sqrt(variance) * shock
            variance = min(omega + self._alpha * surprise * surprise + self._beta * variance, _MAX_VARIANCE)
            value += surprise * self._root + trend - value * self._revert
            if jump < self._jump:
                value += size
        self._value, self._variance, self._trend = value, variance, trend
        return np.array(values), np.array(variances)


def generator(*key: int) -> np.random.PCG64:
    return np.random.PCG64(np.random.SeedSequence(key))


def draws(source: np.random.PCG64) -> Iterator[Draws]:
    """Blocks of draws for :class:`OrderFlow`, two 64-bit words for each command."""
    while True:
        words = source.random_raw(2 * _BLOCK)
        parts = [(words >> shift & 0xFFFF).astype(np.int64) for shift in (0, 16, 32, 48)]
        first, second = [part[:_BLOCK] for part in parts], [part[_BLOCK:] for part in parts]
        pick = second[2] | (second[3] << 16)
        columns = (
            _exponential()[first[0]],
            _exponential()[first[1]],
            first[2],
            first[3],
            _distances()[second[0]],
            _sizes()[second[1]],
            _runs()[second[0]],
            pick,
        )
        yield tuple(as_array(column) for column in columns)


def _parts() -> Floats:
    return np.linspace(0.5, _ONE - 0.5, _ONE) / _ONE


@cache
def _exponential() -> Integers:
    waits: Integers = np.rint(-np.log(_parts()) * _ONE).astype(np.int64)
    return waits


@cache
def _distances() -> Integers:
    """Ticks from the most aggressive price: a power law with exponent 0.6, cut at the farthest."""
    least = float(_FARTHEST) ** -0.6
    away: Integers = np.rint((least + _parts() * (1.0 - least)) ** (-1.0 / 0.6) * 1024.0).astype(np.int64)
    return away // 1024 - 1


@cache
def _sizes() -> Integers:
    """Multiples of the mean, 10 binary places: a power law with exponent 1.6."""
    return np.rint(0.375 * _parts() ** (-1.0 / 1.6) * 1024.0).astype(np.int64)


@cache
def _runs() -> Integers:
    """Orders that one decision is split into: a power law with exponent 1.5, at most 300."""
    runs: Integers = np.rint(_parts() ** (-1.0 / 1.5) * 1024.0).astype(np.int64) // 1024
    return np.minimum(runs, 300).astype(np.int64)


@cache
def _normal() -> Floats:
    inverse = NormalDist().inv_cdf
    half = [round(inverse((place + 0.5) / _ONE), 9) for place in range(_ONE // 2)]
    return np.array(half + [-value for value in reversed(half)])


@cache
def _jump_sizes() -> Floats:
    """Either way, in standard deviations of a second: at least 6, a power law with exponent 3."""
    half = np.round(6.0 * ((np.arange(_ONE // 2) + 0.5) / (_ONE // 2)) ** (-1.0 / 3.0), 9)
    return np.concatenate([half, -half])


def as_array(values: Integers) -> array[int]:
    return array("q", values.tobytes())
