# All that is needed beforehand is Python 3.11 or newer and make: everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
BIN := $(VENV)/bin
export DAGSTER_HOME ?= $(or $(DARKFIGURE_HOME),$(CURDIR))

.PHONY: run test check dev setup lock clean

run: setup  ## the main job, offline, on the figures that the project carries
	@$(BIN)/darkfigure run

test: setup  ## all tests
	@$(BIN)/pytest -n 2

check: setup  ## lint, format, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

dev: setup  ## Dagster's UI on this deployment
	@$(BIN)/dg dev

setup: $(READY)

$(READY): requirements.lock requirements-uv.lock requirements-oldest-client.lock pyproject.toml
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "darkfigure needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@# The oldest DuckDB that a release is to be read with, for a test. It has no wheel for every Python.
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/oldest-client
	@$(BIN)/uv pip install --quiet --python $(VENV)/oldest-client/bin/python --only-binary :all: --require-hashes \
		-r requirements-oldest-client.lock 2>/dev/null \
		|| { echo "No wheel of the oldest DuckDB fits: its test will be skipped"; rm -rf $(VENV)/oldest-client; }
	@# A checkout has the command; the wheel alone is the library.
	@printf '#!/bin/sh\nexec "%s/python" -m pipelines.cli "$$@"\n' "$(CURDIR)/$(BIN)" > $(BIN)/darkfigure
	@chmod +x $(BIN)/darkfigure
	@touch $(READY)

lock: setup  ## resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--upgrade --extra pipeline --extra repository --extra records --extra spark --group dev pyproject.toml -o requirements.lock
	@echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
		--upgrade - -o requirements-uv.lock

clean:  ## everything that was made here, but not what was fetched
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
