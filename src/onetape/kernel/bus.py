"""The bus: who hears what, in which order.

Handlers of one event run in the order of their priority (rooms first, strategies after them), then of their
subscription. A handler that raises is reported to ``on_error`` with itself and the event; the others still run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Subscribe to every instrument.
ALL = -1

ROOM = 0
STRATEGY = 1

Callback = Callable[[Any], object]
ErrorHook = Callable[["Handler", object, Exception], None]


class Handler:
    """One subscription. ``owner`` is whoever is to blame when it raises; ``spec`` the bar rule it is for."""

    __slots__ = ("active", "callback", "event_type", "index", "owner", "priority", "spec")

    callback: Callback
    owner: object
    event_type: type
    index: int
    priority: int
    spec: str
    active: bool

    def __init__(
        self, callback: Callback, owner: object, event_type: type, index: int, priority: int, spec: str = ""
    ) -> None:
        self.callback = callback
        self.owner = owner
        self.event_type = event_type
        self.index = index
        self.priority = priority
        self.spec = spec
        self.active = True


class Bus:
    """Subscriptions by event type and instrument. ``version`` changes with every change of them."""

    __slots__ = ("_handlers", "_routes", "on_error", "version")

    version: int
    on_error: ErrorHook
    _handlers: list[Handler]
    _routes: dict[tuple[type, int, str], tuple[Handler, ...]]

    def __init__(self, on_error: ErrorHook | None = None) -> None:
        self.version = 0
        self.on_error = on_error or _raise
        self._handlers = []
        self._routes = {}

    def subscribe(
        self,
        event_type: type,
        index: int,
        callback: Callback,
        owner: object = None,
        priority: int = STRATEGY,
        spec: str = "",
    ) -> Handler:
        """Call ``callback`` with each event of ``event_type`` of the instrument with that index (``ALL``: any)."""
        handler = Handler(callback, owner, event_type, index, priority, spec)
        self._handlers.append(handler)
        self._changed()
        return handler

    def unsubscribe(self, handler: Handler) -> None:
        handler.active = False
        self._handlers = [kept for kept in self._handlers if kept is not handler]
        self._changed()

    def unsubscribe_owner(self, owner: object) -> None:
        for handler in self._handlers:
            if handler.owner is owner:
                handler.active = False
        self._handlers = [kept for kept in self._handlers if kept.active]
        self._changed()

    def _changed(self) -> None:
        self._routes = {}
        self.version += 1

    def handlers(self, event_type: type, index: int, spec: str = "") -> tuple[Handler, ...]:
        """Those who hear an event of this type and instrument, in calling order."""
        route = self._routes.get((event_type, index, spec))
        if route is None:
            matching = [
                handler
                for handler in self._handlers
                if handler.event_type is event_type
                and (handler.index == index or handler.index == ALL)
                and (handler.spec == spec or not handler.spec)
            ]
            matching.sort(key=_priority)
            route = tuple(matching)
            self._routes[(event_type, index, spec)] = route
        return route

    def publish(self, event: Any) -> None:
        """Give ``event`` to its handlers; events without an instrument go to those of ``ALL``."""
        instrument = getattr(event, "instrument", None)
        index = ALL if instrument is None else instrument.index
        self.dispatch(self.handlers(type(event), index, getattr(event, "spec", "")), event)

    def dispatch(self, route: tuple[Handler, ...], event: object) -> None:
        for handler in route:
            if handler.active:
                try:
                    handler.callback(event)
                except Exception as error:
                    self.on_error(handler, event, error)


def _priority(handler: Handler) -> int:
    return handler.priority


def _raise(_handler: Handler, _event: object, error: Exception) -> None:
    raise error
