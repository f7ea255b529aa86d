# Everything a person types: make serve, make test. The rest is for those who change the code.
VENV := .venv
BIN  := $(VENV)/bin
PYTHON ?= python3
ARGS ?=

.PHONY: serve test test-all acceptance check bench fmt clean

serve: $(VENV)/.installed  ## run a cloud: S3 on 127.0.0.1:9000, the rest on 127.0.0.1:9001
	exec $(BIN)/cumulog serve $(ARGS)

test: $(VENV)/.tested system-packages check  ## what a change must pass, about ten minutes on two cores
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

test-all: $(VENV)/.tested system-packages check  ## the same, and the slow ones
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "slow or not slow" $(ARGS)

SWIFT ?=
acceptance: $(VENV)/.accepting  ## tempest, and Swift's functional tests from SWIFT=a checkout of openstack/swift
	$(BIN)/python -m tests.acceptance tempest
	$(if $(SWIFT),$(BIN)/python -m tests.acceptance swift $(SWIFT),@echo "Swift's tests: SWIFT names no checkout")

check: $(VENV)/.tested  ## style, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.benched  ## the figures: python -m bench --help for one at a time
	$(BIN)/python -m bench all $(ARGS)

fmt: $(VENV)/.tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: system-packages
system-packages:  ## wrk, nginx, rclone, s3cmd, strace: asked of apt where that is allowed
	@.ci/system-packages

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tested: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.benched: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@

$(VENV)/.accepting: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,acceptance]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
