# EdgeChat. `make` alone lists what there is to do.
PYTHON  ?= python3
PORT    ?= 8080
DATA    ?= data
N       ?= 1000
VENV    := .venv
LIGHT   := tests/web/lighthouse
BIN     := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test check format lint types web-check simulate bench lighthouse node-and-chromium clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/ready-to-run ## serve a chat on http://127.0.0.1:8080 (PORT=…, DATA=…)
	@exec $(BIN)/edgechat serve --port $(PORT) --data $(DATA)

test: $(VENV)/ready-to-develop ## run every test
	@$(BIN)/python -m pytest

check: format lint types web-check test ## format, lint, types, tests

format: $(VENV)/ready-to-develop
	@$(BIN)/ruff format --check .

lint: $(VENV)/ready-to-develop
	@$(BIN)/ruff check .

types: $(VENV)/ready-to-develop
	@$(BIN)/mypy

web-check: ## types and lint of the browser client, where Node is there
	@if command -v npm >/dev/null; then \
	  { [ node_modules/.ready -nt package-lock.json ] || { npm ci --loglevel=error --no-fund --no-audit >/dev/null && touch node_modules/.ready; }; } && \
	  npm run --silent lint && npm run --silent types; \
	elif [ -n "$$REQUIRE_BROWSER" ]; then echo "web-check needs Node and npm" >&2; exit 1; \
	else echo "web-check: skipped, there is no npm here"; fi

simulate: $(VENV)/ready-to-develop ## run N=… simulated worlds with crashes and cuts
	@$(BIN)/python -m tests.simulation --runs $(N) --jobs $$(nproc)

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
	rm -rf $(VENV) node_modules $(LIGHT)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/ready-to-run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "EdgeChat needs Python 3.11 or newer; say which one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "First run: setting up $(VENV) (some 20 seconds) …"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/ready-to-develop: $(VENV)/ready-to-run
	@echo "Installing the development tools …"
	@$(INSTALL) --editable '.[dev]'
	@touch $@

$(LIGHT)/node_modules/.ready: $(LIGHT)/package-lock.json
	@echo "Installing Lighthouse …"
	@cd $(LIGHT) && npm ci --loglevel=error --no-fund --no-audit >/dev/null
	@touch $@
