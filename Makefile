# Unora. `make` alone lists the targets. A target that needs the set-up does it first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Python keeps its bytecode: without it seven services that start together would each compile everything.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup
CHECKOV := .venv-checkov/.setup
MODELS := tools/kubernetes-models/node_modules/.package-lock.json
STUBS := libs/protos/.generated
PLACES := services/identity/unora_identity/providers/places.bin
PROTOS := $(shell find protos -name '*.proto' 2>/dev/null)
IMAGE := libs/protos/image.binpb
BASELINE := protos/baseline.binpb
# Workers of a test run: one more than two cores, since tests that start real processes mostly wait.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest -q
# What failed last is little: workers would take longer to start than the tests to run.
PARALLEL := $(if $(findstring --lf,$(ARGS)),,-n $(WORKERS) --dist loadfile --no-loadscope-reorder)
TYPED := libs/common libs/sdk libs/testing libs/text services deploy/gateway deploy/local tools examples protos tests
# Runs a command that may take long: after five seconds, and every five, a line says that it is under way.
STEP := PYTHONPATH=deploy/local $(PYTHON) -m unora_local.progress
# Who ends a command by Ctrl-C needs no error line of make's.
STOPPABLE := || [ $$? -eq 130 ]
LOCK := uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- try it

.PHONY: demo up seed down status clean
demo: $(STUBS) ## Play the story of sixty members, two of them to Day 15, on a running stack or one of its own; VIA=rest, REPLICAS=2
	@$(BIN)/python -m unora_demo $(if $(VIA),--via $(VIA)) $(if $(REPLICAS),--replicas $(REPLICAS)) $(STOPPABLE)

# With TRACES the gateway and the services record all traces, unless UNORA_…TRACES_RATIO say less.
ifdef TRACES
up: export UNORA_TRACES_ENDPOINT := $(TRACES)
up: export UNORA_GATEWAY_TRACES_ENDPOINT := $(TRACES)
up: export UNORA_TRACES_RATIO ?= 1
up: export UNORA_GATEWAY_TRACES_RATIO ?= 1
endif
# REPLICAS=2 starts two processes of each context; OBSERVE=1 starts Prometheus too; TRACES=http://… sends all traces there.
up: $(STUBS) ## Start everything in the foreground; Ctrl-C stops it; REPLICAS=2 starts two of each, OBSERVE=1 Prometheus, TRACES=URL traces
	@$(BIN)/python -m unora_local up $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(OBSERVE),--observe)

seed: $(STUBS) ## Make members with photos on the running stack, some in the middle of a streak; N=40 for more than a dozen
	@$(BIN)/python -m unora_local seed $(N) $(STOPPABLE)

down: $(STUBS) ## Stop everything; the data stay
	@$(BIN)/python -m unora_local down

# Not ready is an answer, no error of make's. A script asks unora_local itself, whose exit status says it.
status: $(STUBS) ## Print what runs, and where
	@$(BIN)/python -m unora_local status || [ $$? -eq 1 ]

clean: $(STUBS) ## Stop everything and erase the data
	@$(BIN)/python -m unora_local clean

# --- run it elsewhere

.PHONY: compose-files compose-test k8s k8s-files digests image base-image sbom audit variables sdk
compose-files: $(STUBS) ## Write the certificates and secrets that docker-compose.yml mounts
	@$(BIN)/python -m unora_local compose-files

compose-test: $(STUBS) ## Start docker-compose.yml and play the journey on it, by docker or an engine of its own (minutes)
	@$(BIN)/python -m unora_compose $(ARGS) $(STOPPABLE)

k8s: $(STUBS) $(CHECKOV) $(MODELS) ## Render deploy/k8s and validate it strictly, without a cluster; OVERLAY=NAME only that one
	@$(STEP) "rendering and validating" $(BIN)/python -m unora_tools.kubernetes $(OVERLAY)

k8s-files: $(STUBS) ## Write the files of deploy/k8s that are made from the contract and from the rules of alerts
	@$(BIN)/python -m unora_tools.kubernetes.generated

digests: $(STUBS) ## Write the digests of images and the release into an overlay; OVERLAY=prod RELEASE=0.1.0 ARGS="--image …"
	@$(BIN)/python -m unora_tools.kubernetes.digests $(OVERLAY) --release $(RELEASE) $(ARGS)

sdk: $(STUBS) ## Build the package for subscribers, unora-sdk, as wheel and sdist into .run/sdk
	@$(BIN)/python libs/sdk/build.py .run/sdk

image: $(SETUP) ## Build both images with docker, podman or buildah; BASE=… another base, TAG=… (latest), ENGINE=…
	@PYTHONPATH=tools $(BIN)/python -m unora_tools.image $(if $(BASE),--base $(BASE)) $(if $(TAG),--tag $(TAG)) $(if $(ENGINE),--engine $(ENGINE))

base-image: ## Make a base for `make image` from Debian's packages, where no registry is reached; needs root and buildah
	@deploy/image/base.sh

sbom: $(SETUP) ## Write a bill of materials of each image, CycloneDX 1.6, into .run/sbom
	@PYTHONPATH=tools $(BIN)/python -m unora_tools.supply.sbom

audit: $(SETUP) ## Look for known faults in the packages of the images
	@PYTHONPATH=tools $(BIN)/python -m unora_tools.supply.audit

variables: $(STUBS) ## Print every variable that the services read, with its default and its meaning
	@$(BIN)/python -m unora_tools.variables

# --- prove it

.PHONY: test unit testbed prove check fast-check rules bench bench-record simulate attack upgrade drill
test: $(STUBS) ## Run all tests, on servers of their own; T=path[::name] runs one file or test; ARGS=--lf what failed last
ifdef T
	@$(PYTEST) $(T) $(ARGS)
else
	@$(PYTEST) $(PARALLEL) --durations=15 $(ARGS)
endif

unit: $(STUBS) ## Run the unit tests: no servers, under a minute
	@$(PYTEST) $(PARALLEL) tests/unit $(ARGS)

testbed: $(STUBS) ## Start the servers that tests need and keep them for later test runs, until Ctrl-C
	@$(BIN)/python -m unora_testing.kept_testbed --workers $(WORKERS) $(STOPPABLE)

prove: $(STUBS) ## Run the property tests with many more examples (slow)
	@UNORA_EXAMPLES=50 $(PYTEST) $(PARALLEL) tests/unit $(ARGS)

check: fast-check ## Check style, imports, the contract, the Dockerfile, and types; the fast checks come first
	@$(STEP) "types" $(BIN)/mypy $(TYPED)
	@echo "check: all is well"

fast-check: $(STUBS) ## Check everything but types (seconds)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/buf lint $(IMAGE) --config buf.yaml
	@$(BIN)/buf breaking $(IMAGE) --config buf.yaml --against $(BASELINE)
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/lint-imports
	@$(BIN)/python -m unora_tools.schemas

rules: $(STUBS) ## Print which tests prove which rules
	@$(BIN)/python -m tests.rules

bench: $(STUBS) ## Measure all beside its limits; ONLY=discovery|sweep|events|calls|gateway|starts, MEMBERS=10000 for less
	@$(BIN)/python -m unora_bench $(if $(ONLY),--only $(ONLY)) $(if $(MEMBERS),--members $(MEMBERS)) $(ARGS)

bench-record: $(STUBS) ## Take the figures of .run/bench.json over into docs/: the baseline, and charts
	@$(BIN)/python -m unora_bench.charts

simulate: $(STUBS) ## Grow databases of members day by day, and print what each table takes; ARGS="--members N --days N"
	@$(BIN)/python -m unora_simulate $(ARGS) $(STOPPABLE)

attack: $(STUBS) ## Attack a stack of its own, and print what honest members notice (minutes); ARGS="--only NAME" plays one
	@$(BIN)/python -m unora_attack $(ARGS) $(STOPPABLE)

upgrade: $(STUBS) ## Roll an earlier release to today's and back on one database, under load (minutes); ARGS="--from COMMIT"
	@$(BIN)/python -m unora_upgrade $(ARGS) $(STOPPABLE)

drill: $(STUBS) ## Play disasters on a stack of its own, and what brings it back (minutes); ARGS="--only NAME" plays one
	@$(BIN)/python -m unora_drill $(ARGS) $(STOPPABLE)

# --- maintain it

.PHONY: format client page page-pictures protos reference gateway dashboards baseline licences lock
format: $(STUBS) ## Format the code, and fix what the linter can fix
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

client: $(STUBS) ## Build the TypeScript client from docs/openapi.json; needs node and npm
	@npm --prefix clients/typescript ci --ignore-scripts
	@npm --prefix clients/typescript run build

page: ## Build the page of deploy/local/page into unora_local; needs node and npm
	@npm --prefix deploy/local/page ci --ignore-scripts
	@npm --prefix deploy/local/page run check
	@npm --prefix deploy/local/page run build

page-pictures: $(STUBS) ## Take the pictures of the page in docs/pictures again, in a real Chromium
	@UNORA_PAGE_PICTURES=1 $(PYTEST) tests/e2e/page/test_fifteen_days.py

protos: ## Generate libs/protos from the contract, even if nothing changed
	@rm -f $(STUBS)
	@$(MAKE) $(STUBS)

reference: $(STUBS) ## Write docs/methods.md, errors.md, metrics.md, openapi.json, events.md, events/ and asyncapi.json from contract and code
	@$(BIN)/python -m unora_tools.reference

gateway: $(STUBS) ## Write the gateway's files for Kubernetes from the contract and its policy
	@$(BIN)/python -m unora_gateway render --target kubernetes --out deploy/k8s/base/gateway/rendered

dashboards: $(STUBS) ## Write the dashboards of deploy/observe from tools/unora_tools/observe
	@$(BIN)/python -m unora_tools.observe

baseline: $(STUBS) ## Record today's contract, and the last commit's schemas, as the release that `make check` compares with
	@$(BIN)/buf build $(IMAGE) --exclude-source-info -o $(BASELINE)
	@$(BIN)/python -m unora_tools.schemas record

licences: $(SETUP) ## Write docs/third-party-licences.md, and refuse a licence that does not go with Apache-2.0
	@PYTHONPATH=tools $(BIN)/python -m unora_tools.supply.listing

lock: $(SETUP) ## Resolve the dependencies of pyproject.toml again, with hashes
	@$(BIN)/$(LOCK) pyproject.toml -o requirements.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra identity -c requirements.txt -o requirements-identity.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra build -c requirements-identity.txt -o requirements-build.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra dev -c requirements-identity.txt -o requirements-dev.txt
	@$(BIN)/$(LOCK) requirements-checkov.in -o requirements-checkov.txt

$(SETUP): requirements-setup.txt requirements-dev.txt pyproject.toml
	@echo "setting up $(VENV) (about half a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit("Unora needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(STEP) "the environment" $(PYTHON) -m venv $(VENV)
	@$(STEP) "pip, uv" $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.txt
	@$(STEP) "packages" $(BIN)/uv pip sync --quiet --system-certs --python $(BIN)/python --require-hashes --compile-bytecode requirements-setup.txt requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

$(CHECKOV): $(SETUP) requirements-checkov.txt
	@$(STEP) "the environment of checkov" $(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-checkov
	@$(STEP) "checkov" $(BIN)/uv pip sync --quiet --system-certs --python .venv-checkov/bin/python --require-hashes requirements-checkov.txt \
		&& touch $@ || echo "checkov cannot be installed here: it is left out" >&2

# The models of custom resources; without npm they are left out, and `make k8s` says so.
$(MODELS): tools/kubernetes-models/package-lock.json
	@command -v npm >/dev/null || exit 0; npm --prefix tools/kubernetes-models ci --ignore-scripts --no-progress --loglevel error \
		|| echo "the models of custom resources cannot be installed here: they are left out" >&2

$(STUBS): $(SETUP) $(PROTOS) protos/generate.py | $(PLACES)
	@$(STEP) "the code of the contract" $(BIN)/python protos/generate.py
	@touch $@

$(PLACES): $(SETUP) services/identity/make_places.py services/identity/unora_identity/domain/place_names.py
	@$(STEP) "the list of places" $(BIN)/python services/identity/make_places.py
