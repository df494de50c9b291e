# Unora. `make` alone lists what there is to do; set-up happens by itself, where a target needs it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Bytecode is worth keeping: without it seven services that start at once compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup
STUBS := libs/protos/.generated
PROTOS := $(shell find protos -name '*.proto' 2>/dev/null)
IMAGE := libs/protos/image.binpb
BASELINE := protos/baseline.binpb
# Of test runs; one more than two cores, as those that start real processes mostly wait.
WORKERS ?= 3
LOCK := uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- try it

.PHONY: demo up down status clean
demo: $(STUBS) ## Play sixty members, two of them to Day 15, on a running stack or one of its own
	@$(BIN)/python -m unora_demo

up: $(STUBS) ## Start everything on this machine and stay; Ctrl-C stops it
	@$(BIN)/python -m unora_local up

down: $(STUBS) ## Stop everything; the data stay
	@$(BIN)/python -m unora_local down

status: $(STUBS) ## Say what runs, and where; exit status 0 if all is ready
	@$(BIN)/python -m unora_local status

clean: $(STUBS) ## Stop everything and erase the data
	@$(BIN)/python -m unora_local clean

# --- run it elsewhere

.PHONY: compose-files k8s variables
compose-files: $(STUBS) ## Write the certificates and secrets that docker-compose.yml mounts
	@$(BIN)/python -m unora_local compose-files

k8s: $(STUBS) ## Render deploy/k8s and validate it strictly, without a cluster
	@$(BIN)/python -m unora_tools.kubernetes

variables: $(STUBS) ## Print every variable that the services read, with its default and its meaning
	@$(BIN)/python -m unora_tools.variables

# --- prove it

.PHONY: test prove check rules bench
test: $(STUBS) ## Run all tests, on servers of their own
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

prove: $(STUBS) ## Run the property tests with many more examples (slow)
	@UNORA_EXAMPLES=50 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile tests/unit $(ARGS)

check: $(STUBS) ## Lint, types, layers, the contract and what would break it, the Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy libs/common libs/testing services deploy/local tools protos tests
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/buf lint $(IMAGE) --config buf.yaml
	@$(BIN)/buf breaking $(IMAGE) --config buf.yaml --against $(BASELINE)
	@$(BIN)/hadolint Dockerfile
	@echo "check: all is well"

rules: $(STUBS) ## Print which tests prove which rules
	@$(BIN)/python -m tests.rules

bench: $(STUBS) ## Measure CheckIn and GetDashboard beside bare gRPC and pgbench (two minutes)
	@$(BIN)/python -m unora_bench $(ARGS)

# --- maintain it

.PHONY: format protos reference baseline lock
format: $(STUBS) ## Format and mend what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

protos: ## Generate libs/protos from the contract, also when nothing changed
	@rm -f $(STUBS)
	@$(MAKE) $(STUBS)

reference: $(STUBS) ## Write docs/methods.md, events.md and errors.md from the contract and the code
	@$(BIN)/python -m unora_tools.reference

baseline: $(STUBS) ## Make the contract as it is the one that `make check` compares with
	@$(BIN)/buf build $(IMAGE) --exclude-source-info -o $(BASELINE)

lock: $(SETUP) ## Resolve the dependencies of pyproject.toml anew, with hashes
	@$(BIN)/$(LOCK) pyproject.toml -o requirements.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra build -c requirements.txt -o requirements-build.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt

$(SETUP): requirements-setup.txt requirements-dev.txt pyproject.toml
	@echo "setting up $(VENV) (about half a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit("Unora needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.txt
	@$(BIN)/uv pip sync --quiet --system-certs --python $(BIN)/python --require-hashes --compile-bytecode requirements-setup.txt requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

$(STUBS): $(SETUP) $(PROTOS) protos/generate.py
	@$(BIN)/python protos/generate.py
	@touch $@
