# Every target works from a bare Python >= 3.11 with venv: nothing to activate, nothing installed outside .venv/.
# Another interpreter: make demo PYTHON=/path/to/python3.12

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# Test workers. CI has two cores.
JOBS ?= 2
UV_VERSION := 0.13.9
# The BigQuery emulator of the conformance tests; an environment of its own, because it needs another DuckDB.
EMULATOR := .venv-emulator

# An outer environment must not lend us its packages, nor its idea of where the project's home is, nor keep Python from
# remembering what it has compiled: that is four seconds of every command.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

# First that is new enough and can make environments. It is run, not only found: version managers leave stubs behind.
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3.11 python3.12 python3.13 python3.14 python3 python)
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))

# The lock names every release with its hash, all that they need included: --no-deps keeps pip from resolving again, which
# a release that came out since can upset.  --no-compile saves a third of the
# time, and Python compiles what is really imported.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL = $(PIP) install --no-compile --no-deps --require-hashes --requirement
# Our own package: no fetching of a build backend, it is in the lock.
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --editable .

.PHONY: help
help: ## Show this list
	@echo "usage: make TARGET      (first time: demo, then test)"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: demo
demo: $(VENV)/.runtime ## Make a sample world: model, shadow scores, a played test, a call list
	@$(BIN)/leadscore demo

.PHONY: ui
ui: $(VENV)/.runtime ## Open Dagster: the graph, the checks, the reports
	@$(BIN)/leadscore ui

.PHONY: test
test: $(VENV)/.created ## Lint, then all tests but the mutants
	@$(MAKE) --no-print-directory --jobs $(JOBS) lint emulator
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not prove"

.PHONY: lint
lint: $(VENV)/.test ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: emulator
emulator: $(EMULATOR)/.ready
	@:

.PHONY: prove
prove: $(VENV)/.test $(EMULATOR)/.ready ## Undo each ruling and see its test turn red; then the demo on twenty seeds
	@$(BIN)/python -m pytest -n $(JOBS) -m prove tests/test_mutants.py
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m prove --ignore=tests/test_mutants.py
	@$(BIN)/python -m benchmarks.seeds

.PHONY: bench
bench: $(VENV)/.runtime ## Time and memory against a bare scan of the same files and bare XGBoost, at the plan's scale
	@$(BIN)/python -m benchmarks.phase1
	@$(BIN)/python -m benchmarks.phase2
	@$(BIN)/python -m benchmarks.phase3

.PHONY: lock
lock: $(VENV)/.created ## Pin again what pyproject.toml asks for; make lock UPGRADE=--upgrade takes newer releases
	@$(PIP) install uv==$(UV_VERSION)
	@$(LOCK_PROJECT) --output-file requirements.lock
	@$(LOCK_PROJECT) --extra gcs --constraints requirements.lock --output-file requirements-gcs.lock
	@$(LOCK_PROJECT) --extra test --constraints requirements-gcs.lock --output-file requirements-test.lock
	@$(LOCK) requirements-emulator.in --output-file requirements-emulator.lock

# --universal: one file for every platform and Python; fewest: one release of a package for all of them, where possible.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --strip-extras --no-emit-index-url --no-annotate \
  --custom-compile-command "make lock" $(UPGRADE)
LOCK_PROJECT = $(LOCK) pyproject.toml --group build

.PHONY: clean
clean: ## Remove what make, tests and tools made; .leadscore/ (your data) stays
	rm -rf $(VENV) $(EMULATOR) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find leadscore_v6 tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# --- the environment, each step remembered by a stamp file --------------------------------------------------------

$(VENV)/.created:
	@for python in $(CANDIDATES); do \
	  if "$$python" -c '$(SUITABLE)' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$("$$python" --version) ..."; \
	    "$$python" -m venv --clear $(VENV) && touch $@; exit; \
	  fi; \
	done; \
	echo "No Python >= 3.11 (and < 3.15) with venv and ensurepip among: $(CANDIDATES)." >&2; \
	echo "Install one (Debian and Ubuntu keep venv in a package of its own: python3-venv)," >&2; \
	echo "or say where one is: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	exit 1

$(VENV)/.runtime: $(VENV)/.created requirements.lock pyproject.toml
	@echo "Installing what it runs on (once, about a minute) ..."
	@$(INSTALL) requirements.lock
	@$(INSTALL_SELF)
	@touch $@

# The test lock holds the runtime's releases too, so one install makes both.
$(VENV)/.test: $(VENV)/.created requirements-test.lock pyproject.toml
	@echo "Installing what the tests need (once, about a minute) ..."
	@$(INSTALL) requirements-test.lock
	@$(INSTALL_SELF)
	@touch $(VENV)/.runtime $@

# Its extensions of DuckDB come as packages; it looks for them in its own HOME.
$(EMULATOR)/.ready: $(VENV)/.created requirements-emulator.lock
	@echo "Installing the BigQuery emulator for the tests (once, about half a minute) ..."
	@$(BIN)/python -m venv --clear $(EMULATOR)
	@$(EMULATOR)/bin/python -m pip --disable-pip-version-check --quiet install --no-compile --no-deps \
	  --require-hashes --requirement requirements-emulator.lock
	@mkdir -p $(EMULATOR)/home
	@HOME="$(CURDIR)/$(EMULATOR)/home" $(EMULATOR)/bin/python -c \
	  "from duckdb_extensions import import_extension as take; take('spatial'); take('avro')"
	@touch $@
