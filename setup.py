"""Compile every module that has a ``.pxd`` of the same name beside it.

``ONETAPE_PURE=1`` builds without compiling; ``ONETAPE_REQUIRE_COMPILED=1`` makes a failed compilation an error
instead of a pure-Python install.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
PURE = os.environ.get("ONETAPE_PURE") == "1"
REQUIRED = os.environ.get("ONETAPE_REQUIRE_COMPILED") == "1"

# annotation_typing is off so that the .pxd alone decides what is a C type: the .py keeps Python's meaning.
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": False,
    "freethreading_compatible": False,
}


def modules() -> list[Extension]:
    return [
        Extension(
            ".".join(path.relative_to(SOURCE).with_suffix("").parts),
            [str(path)],
            extra_compile_args=[] if os.name == "nt" else ["-O3", "-g0", "-w"],
        )
        for path in sorted(SOURCE.rglob("*.py"))
        if path.with_suffix(".pxd").exists() and path.name != "__init__.py"
    ]


def fall_back(error: Exception) -> None:
    if REQUIRED:
        raise error
    print(f"onetape: not compiled, the pure Python sources are used instead ({error})", file=sys.stderr)


class OptionalBuildExt(build_ext):
    """Fall back to the pure sources when there is no working C compiler, unless compiling is required."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:
            fall_back(error)
            # Compiled modules share C layouts: all of them or none.
            for module in map(Path, self.get_outputs()):
                module.unlink(missing_ok=True)


def extensions() -> list[Extension]:
    if PURE:
        return []
    try:
        from Cython.Build import cythonize

        return cythonize(
            modules(),
            include_path=[str(SOURCE)],
            compiler_directives=DIRECTIVES,
            build_dir="build/cython",
            nthreads=0,
            annotate=bool(os.environ.get("ONETAPE_ANNOTATE")),
        )
    except Exception as error:
        fall_back(error)
        return []


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuildExt})
