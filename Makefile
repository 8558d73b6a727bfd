# Two commands matter: make demo, make test. `make help` names the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet --quiet
STAMP  := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help demo test replicas check bench format install lock services clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP)-run $(STAMP)-project ## start Tocsin and a Slack workspace in the browser (ARGS="--port 9000 --fresh")
	@exec $(BIN)/tocsin demo $(ARGS)

test: $(STAMP)-dev $(STAMP)-project services ## run the tests (ARGS="-k runbook"; NO_APT=1 installs no system packages)
	$(BIN)/python -m pytest -n auto --ignore=tests/replicas $(ARGS)
	@# several processes a test, so one test at a time; 5: ARGS chose none of them
	$(if $(findstring tests/,$(ARGS)),,$(BIN)/python -m pytest tests/replicas $(ARGS) || [ $$? -eq 5 ])

replicas: $(STAMP)-dev $(STAMP)-project services ## the tests of several replicas alone, their storm at 200 incidents instead of 60
	TOCSIN_STORM=200 $(BIN)/python -m pytest tests/replicas $(ARGS)

check: $(STAMP)-dev $(STAMP)-project ## format, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)-dev ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)-dev $(STAMP)-project ## run the benchmarks, print a table
	$(BIN)/python -m benchmarks $(ARGS)

install: $(STAMP)-dev $(STAMP)-project ## make .venv with everything, without starting anything

services: ## install what the tests need from Debian (PostgreSQL, Chromium, Alertmanager)
	@tests/install_services.sh

lock: ## pin every dependency anew (needs uv; UPGRADE=--upgrade takes newer versions)
	uv pip compile $(LOCK) --group build -o requirements.lock pyproject.toml
	uv pip compile $(LOCK) --group build --extra telemetry --extra test --extra dev \
		--constraint requirements.lock -o requirements-dev.lock pyproject.toml

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- .venv: each stamp is younger than what it was made from ---------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Tocsin needs Python 3.11 or newer, as $(PYTHON). Have another one? make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version) …"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)

$(STAMP)-run: requirements.lock | $(BIN)/python
	@echo "Installing what Tocsin runs on …"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(STAMP)-dev: requirements-dev.lock | $(BIN)/python
	@echo "Installing what the tests and checks need …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $(STAMP)-run $@

# The project itself, in place. Only pyproject.toml matters: the code is read where it lies.
$(STAMP)-project: pyproject.toml hatch_build.py | $(BIN)/python
	@test -e $(STAMP)-run || $(MAKE) --no-print-directory $(STAMP)-run
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
