"""The package itself: builds, pins, wheel, and the compiled modules really being compiled."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import onetape

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
PURE = os.environ.get("ONETAPE_PURE") == "1"
COMPILABLE = sorted(p for p in SOURCE.rglob("*.pxd") if p.stem != "__init__")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

once = pytest.mark.skipif(PURE, reason="builds the package itself: once, in the run on the compiled build")
in_repository = pytest.mark.skipif(
    not (Path(onetape.__file__).is_relative_to(SOURCE)), reason="tests an installed wheel, not this source tree"
)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def is_compiled(file: str) -> bool:
    return file.endswith(tuple(EXTENSION_SUFFIXES))


# -------------------------------------------------------------------------- which build runs
@pytest.mark.parametrize("name", [module_name(path) for path in COMPILABLE])
def test_module_runs_on_the_expected_build(name: str) -> None:
    """``make test`` names the build it expects; without a name, all modules must at least agree."""
    expected = os.environ.get("ONETAPE_EXPECT_BUILD")
    if expected is None:
        first = importlib.import_module("onetape.model.market").__file__
        expected = "compiled" if is_compiled(str(first)) else "pure"
    file = str(importlib.import_module(name).__file__)
    assert ("compiled" if is_compiled(file) else "pure") == expected, (
        f"{name} was imported from {file}; run `make build`"
    )


def test_pure_switch_imports_the_sources() -> None:
    names = [module_name(path) for path in COMPILABLE]
    code = f"import importlib\nfor n in {names}: print(importlib.import_module(n).__file__)"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ONETAPE_PURE": "1"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert len(shown) == len(names)
    assert [file for file in shown if not file.endswith(".py")] == []


@in_repository
def test_no_stale_compiled_module() -> None:
    """A compiled module whose source or ``.pxd`` is gone would still be imported."""
    stems = {path.with_suffix("") for path in COMPILABLE}
    assert [path for path in compiled_files(ROOT) if path.parent / path.name.split(".")[0] not in stems] == []


# ------------------------------------------------------------------------- versions and pins
def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    entries = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in entries if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)] == []
    return {canonicalize_name(key): version for key, _, version in (line.partition("==") for line in entries)}


def test_every_dependency_is_pinned_within_its_range() -> None:
    run = pins("run")
    for requirement in map(Requirement, PROJECT["dependencies"]):
        pinned = run.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"requirements/run.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(pinned), f"{requirement} does not allow the pinned {pinned}"


def test_pin_files_agree() -> None:
    seen: dict[str, str] = {}
    for name in sorted(path.stem for path in (ROOT / "requirements").glob("*.txt")):
        for package, version in pins(name).items():
            assert seen.setdefault(package, version) == version, f"{package} is pinned twice, differently"


def third_party_imports(source: str) -> set[str]:
    """Top-level packages that a source imports, apart from the standard library, onetape and guarded imports.

    An import inside ``try``, a function or ``if TYPE_CHECKING`` may be an optional one and is not counted.
    """
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"onetape", "__future__"}


def test_every_import_is_a_declared_dependency() -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    for path in SOURCE.rglob("*.py"):
        missing = {name for name in third_party_imports(path.read_text()) if canonicalize_name(name) not in declared}
        assert not missing, f"{path.relative_to(ROOT)} imports {missing}: not in pyproject.toml's dependencies"


def test_undeclared_import_would_be_seen() -> None:
    assert third_party_imports("import os\nimport numpy.linalg\nfrom redis import Redis") == {"numpy", "redis"}


def test_changelog_names_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog
    assert f"## [{onetape.__version__}]" in changelog


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)[0].split()
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert set(declared) == {line.split()[0] for line in shown.splitlines()[1:]}


# ---------------------------------------------------------------------------------- building
def build_environment(**changes: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("ONETAPE_")} | changes


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """A copy with only two modules to compile: enough to see how the build behaves, in seconds."""
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("__init__.py", "_pure.py", "_version.py", "py.typed"):
        shutil.copy(*with_parents(tmp_path, Path("src/onetape") / name))
    for name in ("__init__.py", "__init__.pxd", "errors.py", "numbers.py", "numbers.pxd"):
        shutil.copy(*with_parents(tmp_path, Path("src/onetape/model") / name))
    return tmp_path


def with_parents(tree: Path, name: Path) -> tuple[Path, Path]:
    (tree / name.parent).mkdir(parents=True, exist_ok=True)
    return ROOT / name, tree / name


def run(tree: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=tree, env=build_environment(**environment), capture_output=True, text=True
    )


def compiled_files(tree: Path) -> list[Path]:
    return [path for path in (tree / "src").rglob("*.*") if is_compiled(path.name)]


@once
@in_repository
def test_build_compiles_in_place(small_tree: Path) -> None:
    done = run(small_tree, "setup.py", "build_ext", "--inplace", ONETAPE_REQUIRE_COMPILED="1")
    assert done.returncode == 0, done.stderr
    assert [path.name.split(".")[0] for path in compiled_files(small_tree)] == ["numbers"]


@once
@in_repository
def test_failed_compilation_fails_the_build_when_compiling_is_required(small_tree: Path) -> None:
    done = run(small_tree, "setup.py", "build_ext", "--inplace", ONETAPE_REQUIRE_COMPILED="1", CC="false")
    assert done.returncode != 0
    assert compiled_files(small_tree) == []


@once
@in_repository
def test_failed_compilation_falls_back_to_the_sources_and_says_so(small_tree: Path) -> None:
    done = run(small_tree, "setup.py", "build_ext", "--inplace", CC="false")
    assert done.returncode == 0, done.stderr
    assert "onetape: not compiled" in done.stderr
    assert compiled_files(small_tree) == []


@once
@in_repository
def test_source_that_cython_refuses_fails_the_build_when_compiling_is_required(small_tree: Path) -> None:
    (small_tree / "src/onetape/model/numbers.pxd").write_text("cdef nonsense here\n")
    assert run(small_tree, "setup.py", "build_ext", "--inplace", ONETAPE_REQUIRE_COMPILED="1").returncode != 0
    lenient = run(small_tree, "setup.py", "build_ext", "--inplace")
    assert lenient.returncode == 0, lenient.stderr
    assert "onetape: not compiled" in lenient.stderr


def built_wheel(tree: Path, **environment: str) -> Path:
    pytest.importorskip("build", reason="the package `build` makes the wheel (requirements/build.txt)")
    done = run(tree, "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist", ".", **environment)
    assert done.returncode == 0, done.stderr[-4000:]
    (wheel,) = (tree / "dist").glob("*.whl")
    return wheel


@once
@in_repository
@pytest.mark.slow
def test_pure_build_makes_a_wheel_for_any_platform(small_tree: Path) -> None:
    assert built_wheel(small_tree, ONETAPE_PURE="1").name.endswith("-py3-none-any.whl")


@once
@in_repository
@pytest.mark.slow
def test_wheel_built_without_a_compiler_has_no_compiled_module(small_tree: Path) -> None:
    names = zipfile.ZipFile(built_wheel(small_tree, CC="false")).namelist()
    assert "onetape/model/numbers.py" in names
    assert not [name for name in names if is_compiled(name)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, with what is compiled already: only `make wheel` compiles everything again."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy2(ROOT / name, tree)
    unwanted = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info")
    shutil.copytree(SOURCE, tree / "src", ignore=unwanted)
    for folder in [*ROOT.glob("build/cython"), *ROOT.glob("build/temp*"), *ROOT.glob("build/lib*")]:
        shutil.copytree(folder, tree / "build" / folder.name, ignore=shutil.ignore_patterns("*.py", "*.pxd"))
    sources = {path.relative_to(tree / "src").with_suffix("") for path in (tree / "src").rglob("*.pxd")}
    for library in (tree / "build").glob("lib*"):
        for path in library.rglob("*.*"):
            if path.relative_to(library).parent / path.name.split(".")[0] not in sources:
                path.unlink()
    return tree


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    return built_wheel(tree, ONETAPE_REQUIRE_COMPILED="1")


@once
@in_repository
@pytest.mark.slow
def test_wheel_holds_sources_declarations_types_and_compiled_modules(tree: Path, wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    source = tree / "src"
    wanted = {p.relative_to(source).as_posix() for s in ("*.py", "*.pxd", "py.typed") for p in source.rglob(s)}
    assert wanted - set(names) == set()
    compiled = {name.split(".")[0] for name in names if is_compiled(name)}
    assert compiled == {name.removesuffix(".pxd") for name in wanted if name.endswith(".pxd")} - {
        name.removesuffix(".pxd") for name in wanted if name.endswith("/__init__.pxd")
    }
    assert [name for name in names if name.endswith((".c", ".pyc")) or name.startswith("tests")] == []
    assert any(name.endswith("licenses/LICENSE") for name in names)


@once
@in_repository
@pytest.mark.slow
@pytest.mark.skipif(not (SOURCE / "onetape/app/cli.py").exists(), reason="there is no command line yet")
def test_wheel_runs_in_a_venv_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """Offline, with the dependencies of this environment; `make wheel` installs them for real."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    site = next((environment / "lib").glob("python3*")) / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(str(Path(pytest.__file__).parent.parent))
    code = (
        "import sys; from onetape.app.cli import main; from onetape.model import market;"
        "print(market.__file__); sys.argv = ['onetape', '--version']; main()"
    )
    done = subprocess.run(
        [environment / "bin" / "python", "-c", code],
        cwd=tmp_path,
        env=build_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stdout
    assert is_compiled(done.stdout.splitlines()[0])
    assert onetape.__version__ in done.stdout
