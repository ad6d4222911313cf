"""Typed parameters, declared as annotations of the strategy's class: ``fast: int = 20``.

Bounds are msgspec's: ``fast: Annotated[int, Meta(gt=0)] = 20``. A parameter without a default must be given.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any, ClassVar, NamedTuple, get_origin

import msgspec

from onetape.model.errors import ConfigurationError

REQUIRED = object()


class Parameter(NamedTuple):
    name: str
    type: Any
    default: Any


def parameters_of(cls: type, base: type) -> dict[str, Parameter]:
    """The parameters that ``cls`` and its parents below ``base`` declare, in order."""
    declared: dict[str, Parameter] = {}
    for parent in reversed(cls.__mro__):
        if parent is base or not issubclass(parent, base):
            continue
        try:
            hints = inspect.get_annotations(parent, globals=_globals_of(parent), eval_str=True)
        except NameError as error:
            raise ConfigurationError(f"{parent.__name__}: the annotation {error.name!r} is not defined") from None
        for name, hint in hints.items():
            if name.startswith("_") or ClassVar in (hint, get_origin(hint)):
                continue
            if hasattr(base, name) or name in base.__annotations__:
                raise ConfigurationError(
                    f"{parent.__name__}.{name}: every {base.__name__} has something of that name; "
                    "call the parameter something else"
                )
            declared[name] = Parameter(name, hint, getattr(parent, name, REQUIRED))
    return declared


def _globals_of(cls: type) -> dict[str, Any] | None:
    """Where a class was written, also if that is no imported module; ``None`` leaves it to its module's name."""
    return next((value.__globals__ for value in vars(cls).values() if isinstance(value, FunctionType)), None)


def parse_parameters(cls: type, base: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all parameters: ``given`` ones converted (text as on a command line too) and checked."""
    declared = parameters_of(cls, base)
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(declared) or 'none'}"
            raise ConfigurationError(f"{cls.__name__} has no parameter {name!r}; {hint}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        if name in given:
            value = given[name]
        elif parameter.default is REQUIRED:
            raise ConfigurationError(f"{cls.__name__} needs a value for {name!r} (write --set {name}=…)")
        else:
            value = parameter.default
        try:
            values[name] = msgspec.convert(value, parameter.type, strict=not isinstance(value, str))
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{cls.__name__}.{name} = {value!r}: {error}") from None
        except TypeError as error:
            raise ConfigurationError(f"{cls.__name__}.{name}: this type can't be a parameter ({error})") from None
    return values
