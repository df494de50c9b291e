# Unora: `make` lists what there is to do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup
STUBS := libs/protos/.generated
PROTOS := $(shell find protos -name '*.proto')

.PHONY: help
help: ## Print every target with a line of help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Set-up is these two stamps; every target that needs them depends on them.
$(SETUP): requirements-dev.txt pyproject.toml
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode --allow-empty-requirements requirements-dev.txt
	@mkdir -p libs/protos
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || true
	@touch $@
