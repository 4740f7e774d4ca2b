# EdgeChat. `make` alone lists what there is to do.
PYTHON  ?= python3
PORT    ?= 8080
DATA    ?= data
WORKERS ?= 1
N       ?= 1000
SECONDS ?= 60
VENV    := .venv
LIGHT   := tests/web/lighthouse
BIN     := $(VENV)/bin
# What is installed is what `make lock` wrote down, each file by its hash; for a later look at what
# has come since then there is `make test-latest`.
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED  := $(PIP) --require-hashes --requirement
SELF    := $(PIP) --no-index --no-deps --no-build-isolation --editable .
LATEST  := .venv-latest
NODE    := node_modules/.ready
LOCK    := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --custom-compile-command 'make lock' $(UPGRADE) --group build pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help run run-nodes test test-latest latest check format lint types web-check web-tools lock simulate simulate-nodes fuzz bench lighthouse node-and-chromium clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/ready-to-run ## serve a chat on http://127.0.0.1:8080 (PORT=…, DATA=…, WORKERS=…)
	@exec $(BIN)/edgechat serve --port $(PORT) --data $(DATA) --workers $(WORKERS)

run-nodes: $(VENV)/ready-to-develop ## serve from an engine and three nodes on this machine: PORT and the two after it
	@exec $(BIN)/python deploy/run_nodes.py --port $(PORT) --data $(DATA)/nodes

test: $(VENV)/ready-to-develop web-tools ## run every test
	@$(BIN)/python -m pytest

test-latest: latest ## all tests but the browser's, with a newer Python and the newest of all packages
	@[ ! -e $(LATEST) ] || $(LATEST)/bin/python -m pytest --ignore tests/web

latest: # an environment with a newer Python and the newest packages, where there is such a Python
	@python=$$(.ci/newer-python) || { echo "test-latest: skipped, there is no newer Python here"; rm -rf $(LATEST); exit 0; }; \
	echo "Setting up $$python with the newest packages …"; \
	"$$python" -m venv --clear $(LATEST) && \
	$(LATEST)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'

check: format lint types web-check test ## format, lint, types, tests

format: $(VENV)/ready-to-develop
	@$(BIN)/ruff format --check .

lint: $(VENV)/ready-to-develop
	@$(BIN)/ruff check .

types: $(VENV)/ready-to-develop
	@$(BIN)/mypy

web-check: web-tools ## types and lint of the browser client, where Node is there
	@if [ -e $(NODE) ]; then npm run --silent lint && npm run --silent types; \
	else echo "web-check: skipped, there is no npm here"; fi

web-tools: # what the tests and checks of the browser client need of npm, where that is there
	@if [ $(NODE) -nt package-lock.json ]; then :; \
	elif command -v npm >/dev/null; then \
	  echo "Installing the tools of the browser client …"; \
	  npm ci --loglevel=error --no-fund --no-audit >/dev/null && touch $(NODE); \
	elif [ -n "$$EDGECHAT_REQUIRE_BROWSER" ]; then echo "The browser client's checks need Node and npm" >&2; exit 1; fi

lock: ## write requirements/ anew from pyproject.toml (UPGRADE=--upgrade takes newer versions)
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) --output-file requirements/run.txt
	@$(LOCK) --output-file requirements/develop.txt --extra dev --constraint requirements/run.txt

simulate: $(VENV)/ready-to-develop ## run N=… simulated worlds with crashes and cuts
	@$(BIN)/python -m tests.simulation --runs $(N) --jobs $$(nproc)

simulate-nodes: $(VENV)/ready-to-develop ## the same, of several nodes and their engine
	@$(BIN)/python -m tests.simulation.nodes --runs $(N) --jobs $$(nproc)

fuzz: $(VENV)/ready-to-develop ## look for input that does harm, where atheris is installed (SECONDS=… for each target)
	@for target in door frames text names addresses history; do $(BIN)/python -m tests.fuzz $$target $(SECONDS) || exit 1; done

bench: $(VENV)/ready-to-run ## measure beside the peers (ARGS=--quick for a look)
	@$(BIN)/python -m bench.environment
	@$(BIN)/python -m bench $(ARGS)

lighthouse: node-and-chromium $(VENV)/ready-to-develop $(LIGHT)/node_modules/.ready ## score the page (needs Node and Chromium)
	@$(BIN)/python -m tests.web.lighthouse

node-and-chromium:
	@for tool in npm chromium; do \
	  command -v $$tool >/dev/null || { echo "make lighthouse needs Node 18 or newer with npm, and Chromium: there is no $$tool here" >&2; exit 1; }; \
	done

clean: ## remove what the other targets made (never the data)
	rm -rf $(VENV) $(LATEST) node_modules $(LIGHT)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/ready-to-run: pyproject.toml requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "EdgeChat needs Python 3.11 or newer; say which one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "First run: setting up $(VENV) (some 20 seconds) …"
	@$(PYTHON) -m venv $(VENV)
	@$(LOCKED) requirements/run.txt
	@$(SELF)
	@touch $@

$(VENV)/ready-to-develop: $(VENV)/ready-to-run requirements/develop.txt
	@echo "Installing the development tools …"
	@$(LOCKED) requirements/develop.txt
	@touch $@

$(LIGHT)/node_modules/.ready: $(LIGHT)/package-lock.json
	@echo "Installing Lighthouse …"
	@cd $(LIGHT) && npm ci --loglevel=error --no-fund --no-audit >/dev/null
	@touch $@
