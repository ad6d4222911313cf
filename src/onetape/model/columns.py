"""A run of events of one kind and instrument, held column by column: what a tape is read as.

Hot kinds travel as columns and become objects only for handlers that asked for them. The columns of each kind:

========  ==================================================================================================
trade     ``price`` ``size`` ``side`` (int8, :class:`Side`); ``trade_id`` (list of str) where it is known
quote     ``bid`` ``ask`` ``bid_size`` ``ask_size`` ``sequence``
book      one row a level: ``side`` (int8) ``price`` ``size`` ``flags`` (int8, :class:`BookFlag`) ``sequence``
          ``first_sequence`` ``previous_sequence``
bar       ``ts_open`` ``open`` ``high`` ``low`` ``close`` ``volume`` ``buy_volume`` ``count``
========  ==================================================================================================

and in each ``ts_event`` ``ts_recv`` ``seq``; int64, prices and sizes raw. Rows are in order of (``ts_recv``, ``seq``).
An update of a book is the rows up to one with ``BookFlag.LAST``; it is never split between two runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onetape.model.errors import TapeError
from onetape.model.instrument import Instrument

Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]

TIME_COLUMNS = ("ts_event", "ts_recv", "seq")
COLUMNS: dict[str, tuple[str, ...]] = {
    "trade": ("price", "size", "side"),
    "quote": ("bid", "ask", "bid_size", "ask_size", "sequence"),
    "book": ("side", "price", "size", "flags", "sequence", "first_sequence", "previous_sequence"),
    "bar": ("ts_open", "open", "high", "low", "close", "volume", "buy_volume", "count"),
}
SMALL_COLUMNS = frozenset({"side", "flags"})


class Columns:
    """``Columns("trade", instrument, {"ts_recv": …, "price": …})``; what may be left out is filled with zeros.

    ``ts_event`` defaults to ``ts_recv``. ``spec`` names the bar rule (bars only).
    """

    __slots__ = ("arrays", "instrument", "kind", "rows", "spec", "trade_ids")

    def __init__(
        self,
        kind: str,
        instrument: Instrument,
        arrays: dict[str, npt.NDArray[np.integer]],
        *,
        trade_ids: Sequence[str] | None = None,
        spec: str = "",
    ) -> None:
        if kind not in COLUMNS:
            raise TapeError(f"{kind!r} events do not travel as columns; those that do: {', '.join(COLUMNS)}")
        if "ts_recv" not in arrays:
            raise TapeError(f"{kind} columns without ts_recv")
        self.kind = kind
        self.instrument = instrument
        self.rows = len(arrays["ts_recv"])
        self.trade_ids = trade_ids
        self.spec = spec
        self.arrays: dict[str, npt.NDArray[np.integer]] = {}
        for name in TIME_COLUMNS + COLUMNS[kind]:
            dtype = np.int8 if name in SMALL_COLUMNS else np.int64
            array = arrays.get(name)
            if array is None:
                array = arrays["ts_recv"] if name == "ts_event" else self._default(name, dtype)
            if len(array) != self.rows:
                raise TapeError(f"{kind} column {name} has {len(array)} rows, not {self.rows}")
            self.arrays[name] = np.ascontiguousarray(array, dtype=dtype)

    def _default(self, name: str, dtype: type) -> npt.NDArray[np.integer]:
        if name == "flags":
            return np.ones(self.rows, dtype)
        if name == "previous_sequence":
            return np.full(self.rows, -1, dtype)
        return np.zeros(self.rows, dtype)

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, name: str) -> npt.NDArray[np.integer]:
        return self.arrays[name]

    def slice(self, start: int, stop: int) -> Columns:
        return Columns(
            self.kind,
            self.instrument,
            {name: array[start:stop] for name, array in self.arrays.items()},
            trade_ids=None if self.trade_ids is None else self.trade_ids[start:stop],
            spec=self.spec,
        )
