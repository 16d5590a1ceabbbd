# Two commands set up everything on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := compiler runtime providers infra tests examples

.PHONY: help install demo test test-fast tools lint format bench requirements clean

help:  ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

install: $(STAMP)  ## makes .venv with the pinned, hashed requirements and the project itself

$(STAMP): .ci/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r .ci/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: install  ## compiles examples/process-order, serves it, fires it, shows the run
	$(BIN)/python examples/process-order/demo.py

test: lint tools  ## lints, then runs every test
	$(BIN)/pytest -n 2 --dist worksteal -m "not e2e and not bench"
	$(BIN)/pytest -n 4 --dist worksteal -m e2e  # these wait more than they work
	$(BIN)/pytest -m bench

test-fast: install  ## within two minutes: what needs no databases, emulators or many examples
	$(BIN)/pytest -n 2 --dist worksteal -m "not e2e and not bench and not slow"

tools: install  ## fetches and builds, once a user, what end-to-end tests run (minutes)
	$(BIN)/python -m tests.support.tools

lint: install  ## ruff, strict types, import directions
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/basedpyright

format: install  ## formats the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: install  ## prints the speed table and writes build/bench.json
	$(BIN)/python -m tests.benchmarks

requirements:  ## exports the hashed requirements from pyproject.toml
	$(BIN)/uv export --quiet --all-extras --all-groups --no-emit-project --no-header --no-annotate \
		--format requirements-txt --output-file .ci/requirements.txt
	rm -f uv.lock

clean:  ## removes what was built, not the virtual environment
	rm -rf build dist .pytest_cache .hypothesis .ruff_cache examples/*/build examples/*/.nodegx
