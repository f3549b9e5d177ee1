# `make` alone lists what there is. Each target sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
MEMBERS ?= 2000
ROUNDS ?= 100

.DEFAULT_GOAL := help
.PHONY: help setup demo test check score faults bench bench-quick

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/ready  ## the locked packages into .venv

.venv/ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-build-isolation --no-deps --editable .
	touch $@

demo: setup  ## a whole poll on this machine, with simulated members
	$(BIN)/pollwire demo --members $(MEMBERS)

test: setup  ## every test, on a PostgreSQL of its own
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

score: setup  ## how well the reader reads the development texts
	$(BIN)/python -m tests.score

check: setup  ## formatting, lint, types, layers, dependencies, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell

faults: setup  ## kill, cut and lie in ROUNDS rounds of polling, to var/faults.json; half a minute each
	$(BIN)/python -m tests.faults.rounds --rounds $(ROUNDS) --out var/faults.json

bench: setup  ## how fast it is, to var/bench.json; takes about half an hour
	$(BIN)/python -m benchmarks

bench-quick: setup  ## the same with small sizes; a few minutes
	$(BIN)/python -m benchmarks --quick
