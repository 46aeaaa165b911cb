# One command for each check, the same by hand and in CI. A fresh clone needs git, make and Python 3.11 with venv.

# The first Python that is new enough; `make PYTHON=python3.13 VENV=.venv313 test` chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST_ARGS ?=

.PHONY: help demo test test-bytes check format coverage bench mutate notebooks clean
.DEFAULT_GOAL := help

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

demo: $(VENV)/.ready  ## a megabyte over HTTP, a lossy link, a capture
	@$(BIN)/packetstack demo

test: $(VENV)/.ready-dev  ## the tests (STACK_WIRE=bytes make test: every link hands over bytes only)
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

test-bytes: $(VENV)/.ready-dev  ## the same tests, every link hands over bytes only
	STACK_WIRE=bytes $(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

check: $(VENV)/.ready-dev  ## ruff, mypy strict
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.ready-dev  ## what ruff can mend by itself
	$(BIN)/ruff check --fix .

coverage: $(VENV)/.ready-dev  ## the tests, and the branches they leave out
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term $(PYTEST_ARGS)

bench: $(VENV)/.ready-dev  ## ratios: codec against dpkt and scapy, bulk TCP, connections, memory
	$(BIN)/python -m benchmarks

mutate: $(VENV)/.ready-dev  ## 400 mutants of stack/tcp: how many do the tests see? (an hour; MUTATE_ARGS="--count 40")
	$(PIP) 'cosmic-ray>=8.4'
	$(BIN)/python -m tests.mutate $(MUTATE_ARGS)

notebooks: $(VENV)/.ready-dev  ## every notebook, from top to bottom in a fresh kernel
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=60 -p no:cacheprovider -o addopts="" notebooks

clean:  ## the environment, caches, the demo's capture
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f demo.pcapng

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "packetstack needs Python 3.11 or later; on Debian and Ubuntu: apt-get install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# Stamps: the environment is filled again when what it should hold changes.
$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(VENV)/bin/python
	$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/.ready
