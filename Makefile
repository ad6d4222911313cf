# Everything runs in .venv, made on first use with pinned versions (requirements/).
# A stamp file in .venv records each install, so a second run starts at once.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTHONS := $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-compiled test-pure lint format build bench bench-peers docs wheel clean
.DELETE_ON_ERROR:

help: ## show this list
	@echo "onetape: record live markets, trade them, replay them. Usage: make <target>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## make a market, backtest a strategy over it, write an HTML report to out/
	@mkdir -p out && rm -rf out/demo-tape
	@echo "compiling what is not compiled yet (the first time a few minutes; log: out/build.log)"
	@$(BIN)/python setup.py --quiet build_ext --inplace >out/build.log 2>&1 || { tail -20 out/build.log; exit 1; }
	$(BIN)/onetape synth --tape out/demo-tape --seed 7 --volatility 3 --rate 200
	$(BIN)/onetape backtest examples/market_maker.py --tape out/demo-tape --latency 2ms --report out/demo.html

test: test-compiled test-pure ## run the whole suite on both builds, compiled and pure (PYTEST_ARGS=...)

test-compiled: $(VENV)/.dev build ## run the suite on the compiled build only
	@printf '\n== tests, compiled build ==\n'
	ONETAPE_PURE= ONETAPE_EXPECT_BUILD=compiled $(BIN)/python -m pytest $(PYTEST_ARGS)

test-pure: $(VENV)/.dev ## run the suite on the pure Python build only
	@printf '\n== tests, pure Python build (ONETAPE_PURE=1) ==\n'
	ONETAPE_PURE=1 ONETAPE_EXPECT_BUILD=pure $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev ## ruff (rules and format) and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.dev ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

build: $(VENV)/.run ## compile the hot modules in place; fails if one does not compile
	@ONETAPE_REQUIRE_COMPILED=1 $(BIN)/python setup.py --quiet build_ext --inplace >&2

# What is given to make (WORKLOADS=... REPEAT=... ENGINES=... N=...) reaches run.py through the environment.
bench: build ## benchmarks of onetape, JSON lines on stdout (WORKLOADS=quotes,trades REPEAT=5)
	@$(BIN)/python benchmarks/run.py

bench-peers: build ## the same beside other engines, each in a venv of its own (ENGINES=... narrows)
	@$(BIN)/python benchmarks/run.py --peers

docs: $(VENV)/.docs ## render the documentation to site/index.html; a warning is an error
	ONETAPE_PURE=1 $(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet --jobs auto \
		--builder html --doctree-dir build/doctrees docs site
	@echo "site/index.html"

wheel: $(VENV)/.run ## build sdist and wheel into dist/, install the wheel into an empty venv, run it
	rm -rf dist build/wheel-venv
	ONETAPE_REQUIRE_COMPILED=1 $(BIN)/python -m build --outdir dist .
	$(BIN)/python -m venv build/wheel-venv
	build/wheel-venv/bin/python -m pip --disable-pip-version-check install --quiet -c requirements/run.txt dist/*.whl
	cd build && wheel-venv/bin/onetape --version

clean: ## remove what was built and rendered (keeps .venv)
	rm -rf build dist site out docs/api .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find src \( -name '*.so' -o -name '__pycache__' \) -prune -exec rm -rf {} +

# Python is found by name; one that runs, can make a venv and has the headers that compiling needs comes first.
$(BIN)/python:
	@for need in 'import ensurepip, os, sysconfig as s; assert os.path.exists(s.get_path("include") + "/Python.h")' \
			'import ensurepip'; do \
		for python in $(PYTHONS); do \
			"$$python" -c "import sys; assert sys.version_info >= (3, 11); $$need" 2>/dev/null \
				&& exec "$$python" -m venv $(VENV); \
		done; \
	done; \
	echo "No Python 3.11 or newer with venv was found. Install one (Debian: apt-get install python3-venv python3-dev gcc)" \
		"or name it: make PYTHON=/path/to/python"; exit 1

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml setup.py | $(BIN)/python
	$(PIP) install --quiet -r requirements/run.txt -r requirements/build.txt
	ONETAPE_PURE=1 $(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PIP) install --quiet -r requirements/dev.txt
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.run
	$(PIP) install --quiet -r requirements/docs.txt
	@touch $@
