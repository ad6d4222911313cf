"""Who hears what, in which order, and what becomes of a handler that raises."""

from __future__ import annotations

import pytest

from onetape.kernel.bus import ALL, ROOM, STRATEGY, Bus, Handler
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade
from onetape.model.system import Timer

ONE, TWO = Instrument("ONE-USDT.BUS"), Instrument("TWO-USDT.BUS")


def quote(instrument: Instrument) -> Quote:
    return Quote(instrument, 1, 2, 3, 4)


def test_by_type_instrument_priority_and_order_of_subscription() -> None:
    bus, log = Bus(), []

    def hear(name: str, event_type: type, index: int, priority: int = STRATEGY) -> None:
        bus.subscribe(event_type, index, lambda _: log.append(name), priority=priority)

    hear("s1", Quote, ONE.index)
    hear("any", Quote, ALL)
    hear("room", Quote, ONE.index, ROOM)
    hear("two", Quote, TWO.index)
    hear("trade", Trade, ONE.index)
    hear("s2", Quote, ONE.index)
    bus.publish(quote(ONE))
    assert log == ["room", "s1", "any", "s2"]
    log.clear()
    bus.publish(quote(TWO))
    assert log == ["any", "two"]
    log.clear()
    bus.publish(Timer("x"))
    assert log == []
    hear("timer", Timer, ALL)
    bus.publish(Timer("x"))
    assert log == ["timer"]


def test_bars_by_rule() -> None:
    bus, log = Bus(), []
    bus.subscribe(Bar, ONE.index, lambda bar: log.append(("1m", bar.spec)), spec="1m")
    bus.subscribe(Bar, ONE.index, lambda bar: log.append(("any", bar.spec)))
    bus.publish(Bar(ONE, "1m", 1, 1, 1, 1, 1))
    bus.publish(Bar(ONE, "5m", 1, 1, 1, 1, 1))
    assert log == [("1m", "1m"), ("any", "1m"), ("any", "5m")]


def test_a_handler_that_raises_is_named_with_its_event_and_the_others_go_on() -> None:
    failed: list[tuple[Handler, object, Exception]] = []
    log: list[object] = []
    bus = Bus(lambda *what: failed.append(what))
    error = ValueError("no")

    def bad(_event: object) -> None:
        raise error

    bus.subscribe(Quote, ALL, log.append)
    bus.subscribe(Quote, ALL, bad, owner="culprit")
    bus.subscribe(Quote, ALL, log.append)
    event = quote(ONE)
    bus.publish(event)
    assert log == [event, event]
    assert [(handler.owner, what, why) for handler, what, why in failed] == [("culprit", event, error)]


def test_without_a_policy_an_error_is_raised() -> None:
    bus = Bus()
    bus.subscribe(Quote, ALL, lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bus.publish(quote(ONE))


def test_unsubscribed_in_the_middle_of_an_event_is_not_called_any_more() -> None:
    bus, log = Bus(), []

    def first(_event: object) -> None:
        log.append("first")
        bus.unsubscribe(second)

    bus.subscribe(Quote, ALL, first)
    second = bus.subscribe(Quote, ALL, lambda _: log.append("second"))
    bus.subscribe(Quote, ALL, lambda _: log.append("third"))
    bus.publish(quote(ONE))
    assert log == ["first", "third"]


def test_subscribed_in_the_middle_of_an_event_hears_the_next() -> None:
    bus, log = Bus(), []

    def first(_event: object) -> None:
        if not log:
            bus.subscribe(Quote, ALL, lambda _: log.append("new"))
        log.append("first")

    bus.subscribe(Quote, ALL, first)
    bus.publish(quote(ONE))
    assert log == ["first"]
    bus.publish(quote(ONE))
    assert log == ["first", "first", "new"]


def test_an_owner_leaves_as_a_whole_and_the_version_tells() -> None:
    bus, log = Bus(), []
    owner = object()
    for _ in range(3):
        bus.subscribe(Quote, ALL, log.append, owner)
    bus.subscribe(Quote, ALL, lambda _: log.append("other"), object())
    version = bus.version
    bus.unsubscribe_owner(owner)
    assert bus.version > version
    bus.publish(quote(ONE))
    assert log == ["other"]
