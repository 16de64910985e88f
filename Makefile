# Everything runs inside .venv, which is built from requirements.lock: pinned versions, checked hashes.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A process for each core, of one thread: two threads for networks as small as those of tests take longer.
PYTEST := OMP_NUM_THREADS=1 python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
# DVC starts its stages with `python`: the one in .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# DVC asks who works here. In a container, the user may have no name, only a number.
ifeq ($(USER)$(LOGNAME),)
export USER := $(firstword $(shell id -un 2>/dev/null || id -u))
endif

.PHONY: help repro serve test test-fast lint format map pr-report s3 benchmarks lock

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

repro: $(VENV)/ready  ## photos to trained, evaluated and exported detector: every stage that is out of date
	dvc repro

serve: $(VENV)/ready  ## page and API on http://127.0.0.1:8000, with the models of `make repro`; Ctrl-C ends it
	dminity site site
	dminity serve --watch --site site

test: $(VENV)/ready  ## the whole test suite
	$(PYTEST)

test-fast: $(VENV)/ready  ## the tests that take a minute: no training, no export, no pipeline
	$(PYTEST) -m "not slow"

lint: $(VENV)/ready  ## format, lint, types, spelling and files, as pre-commit runs them
	pre-commit run --all-files --show-diff-on-failure

format: $(VENV)/ready  ## put the code into its format, and mend what can be mended
	ruff format .
	ruff check --fix .

map: $(VENV)/ready  ## write into dvc.yaml which parameters and code each stage depends on
	python -m tests.helpers.pipeline_map

# Its value goes through the environment: a branch may have any name, and the shell is not to read it.
export BASE ?= main
pr-report: $(VENV)/ready  ## what this branch changes, as pr-report/report.md, for its pull request into BASE=main
	dminity pr-report --base="$$BASE"

s3: $(VENV)/ready  ## a local S3 server for `dvc push` and `dvc pull`; Ctrl-C ends it
	python -m tests.helpers.s3_server

benchmarks: $(VENV)/ready  ## data, training, evaluation, the product and installing against their peers, as ratios (50 minutes)
	python -m benchmarks.index
	python -m benchmarks.fetch
	python -m benchmarks.resize
	python -m benchmarks.loader
	python -m benchmarks.training
	python -m benchmarks.evaluation
	python -m benchmarks.intervals
	python -m benchmarks.product
	python -m benchmarks.service
	python -m benchmarks.page
	python -m benchmarks.install_size

lock: $(VENV)/ready  ## resolve pyproject.toml again into requirements.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header \
	    --all-extras --group dev pyproject.toml --output-file requirements.lock

# uv comes from the lock file too, and then installs the rest of it in parallel. Compiled ahead, a stage
# that imports PyTorch starts 13 seconds sooner where Python is told to write no bytecode (seen in CI).
$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/# via/p' requirements.lock > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.txt
	$(BIN)/uv pip sync --python $(BIN)/python --quiet --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .
	touch $@
