"""How long a command takes to the venue, and a report back."""

from __future__ import annotations

from onetape.model.errors import ConfigurationError
from onetape.model.orders import Order


class LatencyModel:
    """Times in ns. Subclass it for other models; this one has none."""

    __slots__ = ()

    def entry(self, order: Order, ts: int) -> int:
        """From our sending a command at ``ts`` to its arrival at the venue."""
        return 0

    def response(self, order: Order, ts: int) -> int:
        """From the venue's sending a report at ``ts`` to its arrival here."""
        return 0


class ConstantLatency(LatencyModel):
    __slots__ = ("_entry", "_response")

    def __init__(self, entry: int, response: int) -> None:
        if entry < 0 or response < 0:
            raise ConfigurationError(f"latency can't be negative: entry {entry} ns, response {response} ns")
        self._entry = entry
        self._response = response

    def entry(self, order: Order, ts: int) -> int:
        return self._entry

    def response(self, order: Order, ts: int) -> int:
        return self._response
