"""Parameters from annotations: types, bounds, inheritance, text, and what the errors say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from msgspec import Meta

from onetape.model.errors import ConfigurationError
from onetape.strategy.base import Strategy
from onetape.strategy.parameters import REQUIRED, parameters_of


class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


class Parent(Strategy):
    fast: Annotated[int, Meta(gt=0, le=500)] = 20
    slow: int = 50
    name: str


class Child(Parent):
    kind: ClassVar[str] = "child"
    _private: int = 3
    slow: float = 5.5
    size: Decimal = Decimal("0.1")
    mood: Mood = Mood.CALM
    levels: list[int] = [1, 2]
    limit: float | None = None
    on: bool = True
    side: Literal["long", "short"] = "long"
    wait: timedelta = timedelta(seconds=1)
    not_a_parameter = 7


def made(**given: Any) -> Child:
    return Child(name="x", **given)


def test_parents_first_and_children_override() -> None:
    declared = parameters_of(Child, Strategy)
    assert list(declared) == [
        *("fast", "slow", "name", "size", "mood", "levels", "limit", "on", "side", "wait"),
    ]
    assert declared["name"].default is REQUIRED
    assert declared["slow"].default == 5.5
    assert parameters_of(Strategy, Strategy) == {}


def test_defaults() -> None:
    strategy = made()
    assert (strategy.fast, strategy.slow, strategy.name, strategy.size) == (20, 5.5, "x", Decimal("0.1"))
    assert (strategy.mood, strategy.levels, strategy.limit, strategy.on) == (Mood.CALM, [1, 2], None, True)
    strategy.levels.append(3)
    assert made().levels == [1, 2], "a default is not shared"
    assert (strategy.kind, strategy._private, strategy.not_a_parameter) == ("child", 3, 7)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("fast", "7", 7),
        ("slow", "1e3", 1000.0),
        ("size", "0.30", Decimal("0.30")),
        ("mood", "wild", Mood.WILD),
        ("on", "false", False),
        ("on", "0", False),
        ("side", "short", "short"),
        ("limit", "2.5", 2.5),
        ("name", "5", "5"),
    ],
)
def test_text_as_on_a_command_line(name: str, text: str, value: object) -> None:
    assert getattr(Child(**{"name": "x", name: text}), name) == value


@pytest.mark.parametrize(("name", "value"), [("fast", 7), ("slow", 7), ("levels", [4]), ("limit", None), ("size", 2)])
def test_values_as_in_code(name: str, value: object) -> None:
    assert getattr(made(**{name: value}), name) == value


WRONG = [
    ("fast", 0, "Child.fast = 0"),
    ("fast", 501, "500"),
    ("fast", "0", "Child.fast = '0'"),
    ("fast", "seven", "Child.fast = 'seven'"),
    ("fast", 1.5, "Child.fast = 1.5"),
    ("fast", None, "Child.fast = None"),
    ("slow", "x", "Child.slow"),
    ("size", "abc", "Child.size"),
    ("mood", "sad", "Child.mood = 'sad'"),
    ("levels", [1, "x"], "Child.levels"),
    ("on", "maybe", "Child.on"),
    ("side", "up", "Child.side"),
    ("name", 5, "Child.name"),
]


@pytest.mark.parametrize(("name", "value", "why"), WRONG)
def test_wrong_values_name_the_parameter(name: str, value: object, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Child(**{"name": "x", name: value})


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="Child has no parameter 'fasst'; did you mean 'fast'"):
        made(fasst=1)
    with pytest.raises(ConfigurationError, match="there are: fast, slow, name"):
        made(zzzzz=1)
    with pytest.raises(ConfigurationError, match="there are: none"):
        Strategy(x=1)


def test_a_required_one_that_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="Child needs a value for 'name'"):
        Child()


def test_a_default_is_checked_too() -> None:
    class Bad(Strategy):
        fast: Annotated[int, Meta(gt=0)] = -1

    with pytest.raises(ConfigurationError, match=r"Bad.fast = -1"):
        Bad()


def test_a_type_of_one_s_own_is_checked_but_not_made_from_text() -> None:
    class Odd(Strategy):
        thing: complex = 1j

    assert Odd(thing=2j).thing == 2j
    with pytest.raises(ConfigurationError, match=r"Odd\.thing = '2j'"):
        Odd(thing="2j")


def test_an_annotation_that_is_not_defined() -> None:
    class Lost(Strategy):
        thing: Nowhere = 1  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ConfigurationError, match="Lost: the annotation 'Nowhere' is not defined"):
        Lost()


@pytest.mark.parametrize("name", ["position", "buy", "on_fill", "log", "now", "id"])
def test_a_name_that_strategies_have_already(name: str) -> None:
    cls = type("Shadow", (Strategy,), {"__annotations__": {name: "int"}, name: 1, "__module__": __name__})
    with pytest.raises(ConfigurationError, match=f"Shadow.{name}: .*call the parameter something else"):
        cls()


def test_ids() -> None:
    assert made().id == "Child"
    assert made(id="mine").id == "mine"
