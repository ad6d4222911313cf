"""The package's own lint rules. Each rule is a function from source text to what is wrong in it, and each is
proved able to fail on a bad source before it is run over the package.

An exception to a rule is written here with its reason; one that is no longer needed fails too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "onetape"

FLOORS = {
    "_version": -1,
    "_pure": -1,
    "model": 0,
    "kernel": 1,
    "ports": 1,
    "marketdata": 2,
    "oms": 2,
    "risk": 2,
    "portfolio": 2,
    "strategy": 3,
    "execution": 4,
    "venues": 4,
    "sim": 4,
    "tape": 4,
    "storage": 5,
    "testing": 5,
    "tools": 6,
    "app": 6,
}

#: Imports that stay on one floor or go up, room by room, each with its reason.
ALLOWED_IMPORTS: dict[tuple[str, str], str] = {}

#: Files where a clock of the machine may be read below app/ and tools/.
WALL_CLOCK_FILES = {"kernel/clock.py": "the wall clock behind the clock interface"}

#: ``file: name assigned or called`` of queues that are bounded by something else than a maximum length.
BOUNDED_OTHERWISE: dict[str, str] = {}

#: Rooms and files where no float may touch money.
MONEY = ("model/numbers.py", "portfolio/", "risk/", "sim/fees.py", "sim/funding.py", "oms/")

#: ``file:function`` where a float is turned into exact numbers, or is not money.
FLOATS_ALLOWED = {
    "model/numbers.py:<module>": "the table of powers that the nearest double is computed with",
    "model/numbers.py:_from_float": "the one place where a user's float becomes an exact number, or is refused",
}

MAX_LINES = 600
#: Files that may be longer, with their own limit and the reason.
LONGER: dict[str, tuple[int, str]] = {}

SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
DECLARATIONS = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in sorted(PACKAGE.rglob("*.pxd"))}


def module_of(path: str) -> str:
    """``model/numbers.py`` is ``onetape.model.numbers``, ``model/__init__.py`` is ``onetape.model``."""
    parts = ["onetape", *path.rsplit(".", 1)[0].split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in SOURCES}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


# ------------------------------------------------------------------------------------------------------ imports
def imports(module: str, source: str, modules: set[str], *, package: bool = False) -> set[str]:
    """Modules of this package that a Python source imports: anywhere in it, for type checkers or lazily, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: len(module.split(".")) - node.level + (1 if package else 0)]
                base = ".".join([*parents, base] if base else parents)
            found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in modules else base for a in node.names}
    return {name for name in found if name.split(".")[0] == "onetape"} - {module}


def cimports(source: str) -> set[str]:
    """Modules of this package that a ``.pxd`` takes declarations from."""
    return set(re.findall(r"^\s*(?:from|cimport)\s+(onetape[.\w]*)", source, re.M))


def floor_violations(module: str, imported: set[str]) -> list[tuple[str, str]]:
    room = room_of(module)
    if not room:
        return []
    wrong = []
    for target in sorted(imported):
        other = room_of(target)
        if other and other != room and FLOORS[other] >= FLOORS[room] and (room, other) not in ALLOWED_IMPORTS:
            wrong.append((module, target))
    return wrong


def graph() -> dict[str, set[str]]:
    edges = {
        module_of(path): imports(module_of(path), source, MODULES, package=path.endswith("__init__.py"))
        for path, source in SOURCES.items()
    }
    for path, source in DECLARATIONS.items():
        edges.setdefault(module_of(path), set()).update(cimports(source) - {module_of(path)})
    return edges


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """The modules along one import cycle, or nothing."""
    done: set[str] = set()
    trail: list[str] = []

    def visit(module: str) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        trail.append(module)
        for target in sorted(edges.get(module, ())):
            if found := visit(target):
                return found
        trail.pop()
        done.add(module)
        return []

    return next((found for module in sorted(edges) if (found := visit(module))), [])


def test_rooms_import_only_from_lower_floors() -> None:
    assert [pair for module, imported in graph().items() for pair in floor_violations(module, imported)] == []


def test_an_import_from_above_would_be_seen() -> None:
    modules = {"onetape.model.bad", "onetape.app.cli", "onetape.oms.orders"}
    for line in (
        "import onetape.app.cli",
        "from onetape.app import cli",
        "from onetape.app.cli import main",
        "from ..app.cli import main",
        "def f():\n    from onetape.app import cli",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from onetape.app.cli import main",
    ):
        found = imports("onetape.model.bad", line, modules)
        assert floor_violations("onetape.model.bad", found) == [("onetape.model.bad", "onetape.app.cli")], line
    assert floor_violations("onetape.model.bad", cimports("from onetape.oms.orders cimport Order"))
    assert floor_violations("onetape.risk.gate", {"onetape.oms.orders"}), "same floor"
    assert not floor_violations("onetape.sim.exchange", {"onetape.oms.orders", "onetape.sim.fees", "onetape._version"})


def test_every_room_has_a_floor() -> None:
    assert {room_of(module) for module in MODULES} - {""} - set(FLOORS) == set()


def test_allowed_imports_are_needed() -> None:
    used = {(room_of(module), room_of(target)) for module, imported in graph().items() for target in imported}
    assert set(ALLOWED_IMPORTS) - used == set()


def test_no_import_cycle() -> None:
    assert cycle(graph()) == []


def test_an_import_cycle_would_be_seen() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


# --------------------------------------------------------------------------------- calls that are not allowed
def aliases(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: ``np`` → ``numpy``, ``now`` → ``time.time``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """``np.random.seed`` as ``numpy.random.seed``; empty for what does not start at an imported name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and (base := dotted(node.value, names)):
        return f"{base}.{node.attr}"
    return ""


WALL_CLOCKS = re.compile(
    r"time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|process_time|process_time_ns|"
    r"clock_gettime|clock_gettime_ns|localtime|gmtime|ctime|sleep)"
    r"|datetime\.(datetime\.(now|utcnow|today)|date\.today)"
    r"|(pandas\.)?Timestamp\.(now|utcnow|today)"
)


def wall_clocks(source: str) -> list[str]:
    """References, called or not, to a clock of the machine."""
    tree = ast.parse(source)
    names = aliases(tree)
    found = [
        f"{node.lineno}: {name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and WALL_CLOCKS.fullmatch(name := dotted(node, names))
    ]
    return sorted(set(found))


def below_app(path: str) -> bool:
    return not path.startswith(("app/", "tools/"))


def test_no_wall_clock_below_app() -> None:
    found = {path: wall_clocks(source) for path, source in SOURCES.items() if below_app(path)}
    assert {path: places for path, places in found.items() if places and path not in WALL_CLOCK_FILES} == {}
    assert {path for path in WALL_CLOCK_FILES if not found.get(path)} == set(), "exceptions that are not needed"


@pytest.mark.parametrize(
    "source",
    [
        "import time\nx = time.time_ns()",
        "import time as t\nx = t.monotonic()",
        "from time import perf_counter as now\nx = now()",
        "from datetime import datetime, UTC\nx = datetime.now(UTC)",
        "import datetime\nx = datetime.date.today()",
        "import time\nclass A:\n    clock = time.time",
    ],
)
def test_a_wall_clock_would_be_seen(source: str) -> None:
    assert wall_clocks(source)


def test_a_time_that_is_given_is_not_a_wall_clock() -> None:
    assert wall_clocks("from datetime import datetime\nx = datetime.fromtimestamp(0)\nself.time.time()") == []


def calls(source: str) -> Iterator[tuple[ast.Call, str]]:
    tree = ast.parse(source)
    names = aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func, names)):
            yield node, name


def unseeded(source: str) -> list[str]:
    """Calls whose result differs from run to run."""
    found = []
    for node, name in calls(source):
        made = name in ("random.Random", "numpy.random.default_rng", "numpy.random.RandomState")
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        seed_missing = not given or (isinstance(given[0], ast.Constant) and given[0].value is None)
        shared = re.fullmatch(r"random\.[a-z]\w*|numpy\.random\.(?!default_rng)[a-z]\w*", name)
        system = re.fullmatch(r"secrets\.\w+|os\.urandom|uuid\.uuid[14]|random\.SystemRandom", name)
        if (made and seed_missing) or shared or system:
            found.append(f"{node.lineno}: {name}")
    return found


def test_no_random_without_a_seed_below_app() -> None:
    found = {path: unseeded(source) for path, source in SOURCES.items() if below_app(path)}
    assert {path: places for path, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import random\nx = random.random()",
        "import random\nx = random.Random()",
        "import random\nx = random.Random(None)",
        "from random import choice\nx = choice([1])",
        "import numpy as np\nx = np.random.default_rng()",
        "import numpy as np\nx = np.random.normal(size=3)",
        "import uuid\nx = uuid.uuid4()",
        "import os\nx = os.urandom(8)",
    ],
)
def test_a_missing_seed_would_be_seen(source: str) -> None:
    assert unseeded(source)


def test_a_seeded_generator_is_fine() -> None:
    assert unseeded("import random\nimport numpy as np\nr = random.Random(7)\ng = np.random.default_rng(seed)") == []


#: Position of the argument that bounds each kind of queue.
QUEUES = {
    "asyncio.Queue": 0,
    "asyncio.LifoQueue": 0,
    "asyncio.PriorityQueue": 0,
    "queue.Queue": 0,
    "queue.LifoQueue": 0,
    "queue.PriorityQueue": 0,
    "queue.SimpleQueue": None,
    "multiprocessing.Queue": 0,
    "multiprocessing.SimpleQueue": None,
    "collections.deque": 1,
}


def unbounded(source: str) -> list[str]:
    """Queues made without a maximum length, as ``name`` of what they are assigned to or of the queue's type."""
    owners: dict[ast.AST, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            owners[node.value] = ast.unparse(target)
    where = {(node.lineno, node.col_offset): owner for node, owner in owners.items() if isinstance(node, ast.Call)}
    found = []
    for node, name in calls(source):
        if name not in QUEUES:
            continue
        position = QUEUES[name]
        bounds = [keyword.value for keyword in node.keywords if keyword.arg in ("maxsize", "maxlen")]
        if position is not None and len(node.args) > position:
            bounds.append(node.args[position])
        if not any(not isinstance(bound, ast.Constant) or (bound.value or 0) > 0 for bound in bounds):
            found.append(where.get((node.lineno, node.col_offset), name))
    return found


def test_no_unbounded_queue() -> None:
    found = {f"{path}:{name}" for path, source in SOURCES.items() for name in unbounded(source)}
    assert found - set(BOUNDED_OTHERWISE) == set()
    assert set(BOUNDED_OTHERWISE) - found == set(), "exceptions that are not needed"


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nq = asyncio.Queue()",
        "import asyncio\nq = asyncio.Queue(maxsize=0)",
        "from asyncio import Queue\nclass A:\n    def f(self): self.q: object = Queue()",
        "import queue\nq = queue.SimpleQueue()",
        "from collections import deque\nq = deque()",
        "import collections\nq = collections.deque([1], None)",
    ],
)
def test_an_unbounded_queue_would_be_seen(source: str) -> None:
    assert unbounded(source)


def test_a_bounded_queue_is_fine() -> None:
    assert unbounded("import asyncio\nfrom collections import deque\na = asyncio.Queue(8)\nb = deque((), n)") == []


# ------------------------------------------------------------------------------------------------------ money
def float_arithmetic(source: str) -> list[str]:
    """``function: what`` for each float made or computed with.

    A function annotated ``-> float`` (or ``float | None``) is a view for people and may make one: nothing exact
    comes out of it. Such views (``to_float``, ``money_to_float``) are not for functions that return anything else.
    """
    found: list[str] = []

    def look(node: ast.AST, where: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.returns is not None and ast.unparse(node.returns) in ("float", "float | None"):
                return
            where = node.name
        what = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            what = repr(node.value)
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            what = "/"
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in ("float", "to_float", "money_to_float", "fsum", "sqrt") or name.endswith("_to_float"):
                what = f"{name}()"
        if what:
            found.append(f"{where}: {what}")
        for child in ast.iter_child_nodes(node):
            look(child, where)

    look(ast.parse(source), "<module>")
    return found


def test_money_never_touches_a_float() -> None:
    found = {
        f"{path}:{place.split(':')[0]}": place
        for path, source in SOURCES.items()
        if path.startswith(MONEY)
        for place in float_arithmetic(source)
    }
    assert {place: what for place, what in found.items() if place not in FLOATS_ALLOWED} == {}
    assert set(FLOATS_ALLOWED) - set(found) == set(), "exceptions that are not needed"


@pytest.mark.parametrize(
    "source",
    [
        "def fee(n: int) -> int:\n    return int(n * 0.001)",
        "def fee(n: int) -> int:\n    return n / 1000",
        "def fee(n):\n    n /= 1000\n    return n",
        "def fee(n: str) -> int:\n    return int(float(n))",
        "def fee(n: int) -> int:\n    return round(numbers.to_float(n, 2))",
    ],
)
def test_float_money_would_be_seen(source: str) -> None:
    assert float_arithmetic(source)


def test_a_view_may_make_a_float() -> None:
    assert (
        float_arithmetic("def cash(n: int) -> float:\n    return n / 1e18\ndef half(n: int) -> int:\n    return n // 2")
        == []
    )


def float_attributes(declaration: str) -> list[str]:
    return re.findall(r"^\s*cdef\s+(?:readonly\s+|public\s+)?(?:double|float)\s+[\w, ]+$", declaration, re.M)


def test_no_float_is_kept_where_money_is() -> None:
    kept = {path: float_attributes(text) for path, text in DECLARATIONS.items() if path.startswith(MONEY)}
    assert {path: lines for path, lines in kept.items() if lines} == {}


def test_a_float_that_is_kept_would_be_seen() -> None:
    assert float_attributes("cdef class A:\n    cdef readonly double cash\n    cdef int64_t b\n")
    assert not float_attributes("cdef class A:\n    cdef int64_t b\n    cpdef double view(self)\n")


# ------------------------------------------------------------------------------------------------------ files
def too_long(path: str, source: str) -> bool:
    return source.count("\n") > LONGER.get(path, (MAX_LINES, ""))[0]


def test_no_file_is_asking_to_be_two() -> None:
    tests = {f"tests/{p.relative_to(ROOT / 'tests')}": p.read_text() for p in (ROOT / "tests").rglob("*.py")}
    assert {path: text.count("\n") for path, text in (SOURCES | tests).items() if too_long(path, text)} == {}
    assert {path for path in LONGER if SOURCES[path].count("\n") <= MAX_LINES} == set(), "not needed"


def test_a_long_file_would_be_seen() -> None:
    assert too_long("x.py", "\n" * (MAX_LINES + 1))
    assert not too_long("x.py", "\n" * MAX_LINES)


def orphans(sources: set[str], declarations: set[str]) -> set[str]:
    return {path for path in declarations if path.removesuffix("pxd") + "py" not in sources}


def test_every_declaration_has_its_source() -> None:
    assert orphans(set(SOURCES), set(DECLARATIONS)) == set()


def test_every_package_can_be_cimported_from() -> None:
    """Cython finds a module's declarations only in folders that have an ``__init__.pxd``."""
    folders = {path.rpartition("/")[0] for path in DECLARATIONS}
    assert {folder for folder in folders if folder and f"{folder}/__init__.pxd" not in DECLARATIONS} == set()


def test_a_declaration_without_source_would_be_seen() -> None:
    assert orphans({"a/b.py"}, {"a/b.pxd", "a/c.pxd"}) == {"a/c.pxd"}


def rooms_with_code(sources: dict[str, str]) -> set[str]:
    return {path.split("/")[0] for path, source in sources.items() if "/" in path and source.strip()}


def test_every_room_has_its_page() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "modules").glob("*.md")}
    assert rooms_with_code(SOURCES) - pages == set()


def test_a_room_without_page_would_be_seen() -> None:
    assert rooms_with_code({"a/__init__.py": "", "b/__init__.py": "", "b/c.py": "x = 1\n", "d.py": "x"}) == {"b"}
