"""Strategies from a user's own file: ``FILE`` or ``FILE:Class``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

from onetape.app.exit_codes import StrategyError
from onetape.app.failure import blame, files_of, short_path
from onetape.model.errors import ConfigurationError, OnetapeError
from onetape.strategy.base import Strategy
from onetape.strategy.parameters import parameters_of


def load_strategies(targets: Sequence[str], settings: Mapping[str, str]) -> list[Strategy]:
    """One strategy for each target, with its parameters.

    A setting ``name`` goes to every strategy that declares it, ``Class.name`` to that one. A class that is given
    twice gets an id of its own, ``Class-2``, to set by.
    """
    modules: dict[Path, ModuleType] = {}
    classes = [load_class(target, modules) for target in targets]
    ids: list[str] = []
    for cls in classes:
        number = sum(other is cls for other in classes[: len(ids)]) + 1
        name = cls.__name__ if number == 1 else f"{cls.__name__}-{number}"
        while name in ids:
            number += 1
            name = f"{cls.__name__}-{number}"
        ids.append(name)
    given: list[dict[str, Any]] = [{} for _ in classes]
    for name, value in settings.items():
        place, dot, parameter = name.rpartition(".")
        if dot and place not in ids:
            raise ConfigurationError(f"--set {name}: no strategy is called {place!r}; there are {', '.join(ids)}")
        takers = [number for number, cls in enumerate(classes) if _takes(cls, ids[number], place, parameter)]
        # Where nobody takes it, the first says what there is.
        for number in takers or [ids.index(place) if dot else 0]:
            given[number].setdefault(parameter, value)
            if dot:
                given[number][parameter] = value
    strategies = []
    for cls, name, values in zip(classes, ids, given):
        try:
            strategies.append(cls(**{"id": name, **values}))
        except OnetapeError:
            raise
        except Exception as error:
            raise StrategyError(f"{cls.__name__}(): {blame(error, files_of(cls))}") from error
    return strategies


def _takes(cls: type[Strategy], name: str, place: str, parameter: str) -> bool:
    return place in ("", name) and (parameter in parameters_of(cls, Strategy) or parameter == "id")


def load_class(target: str, modules: dict[Path, ModuleType] | None = None) -> type[Strategy]:
    """The strategy class that ``FILE[:Class]`` names; a file that is in ``modules`` already is not run again."""
    path, name = _split(target)
    modules = {} if modules is None else modules
    module = modules.get(path)
    if module is None:
        module = modules[path] = _run(path)
    classes = {
        cls.__name__: cls
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, Strategy) and cls.__module__ == module.__name__
    }
    if name:
        if name in classes:
            return classes[name]
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, Strategy):
            return found
        known = ", ".join(classes) or "no strategy"
        what = "has no class" if found is None else "has no strategy"
        raise ConfigurationError(f"{path} {what} {name}; it has {known}")
    public = [cls for cls in classes.values() if not cls.__name__.startswith("_")]
    if len(public) == 1:
        return public[0]
    if not public:
        raise ConfigurationError(f"{path} has no strategy: derive a class from onetape.strategy.base.Strategy in it")
    raise ConfigurationError(f"{path} has several strategies ({', '.join(classes)}); write {path}:{public[0].__name__}")


def _split(target: str) -> tuple[Path, str]:
    path, colon, name = target.rpartition(":")
    if not colon or Path(target).is_file():
        path, name = target, ""
    file = Path(path)
    if file.is_dir():
        raise ConfigurationError(f"{file} is a folder; name a strategy's file")
    if not file.is_file():
        raise ConfigurationError(f"{file}: there is no such strategy file")
    return file, name


def _run(path: Path) -> ModuleType:
    full = path.resolve()
    name = f"onetape_strategy_{full.stem}_{crc32(str(full).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(full.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise StrategyError(f"{path} does not import: {blame(error, [str(full)])}") from error
    return module


def blame_strategies(error: BaseException, strategies: Sequence[Strategy]) -> str:
    """As :func:`blame`, in the files of these strategies."""
    return blame(error, [file for strategy in strategies for file in files_of(type(strategy))])


def describe_strategy(strategy: Strategy) -> dict[str, Any]:
    """Id, class, file and the values of all parameters, as text."""
    cls = type(strategy)
    return {
        "id": strategy.id,
        "class": cls.__name__,
        "file": short_path(inspect.getfile(cls)),
        "parameters": {name: str(getattr(strategy, name)) for name in parameters_of(cls, Strategy)},
    }
