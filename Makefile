# Needs Python 3.11 or later with venv, and make. Everything else goes into .venv, made on first use.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CACHE := $(VENV)/.cache
NODE := $(CACHE)/node
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
# What pip does, a line for each package; from its first error on, everything that it says. Ends as pip ended.
TELLING := 2>&1; echo "ended $$?"; } | { while read -r word rest; do case "$$word $$rest" in \
	"Collecting "*) echo "  $${rest%%[<>=; ]*}" ;; "Installing collected"*) echo "installing them ..." ;; \
	"ended "*) exit "$$rest" ;; "ERROR: "*|"error: "*) failing=1 ;; esac; \
	[ -z "$$failing" ] || echo "$$word $$rest" >&2; done; }
BUILT_FROM := pyproject.toml hatch_build.py constraints.txt

# Tools keep their caches in .venv too, so that a checkout stays as it was cloned.
export MYPY_CACHE_DIR := $(CACHE)/mypy
export RUFF_CACHE_DIR := $(CACHE)/ruff
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis

# Options for the demo and the tests: make demo DEMO=--yes, make test TESTS=tests/unit PYTEST=-x
DEMO ?=
TESTS ?=
CRASH ?=
CUTS ?=
BENCH ?=
HOSTS ?=
PAGE ?=
MUTANTS ?=
PYTEST ?= -n auto

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo page page-attacks test check format format-check lint types imports deps prose rules tampering mutants coverage build dist pictures clean crash cuts hosts schemas compare bench

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

demo: $(VENV)/.installed  ## play the whole conversation against the sandbox: no key, no network
	@$(BIN)/workflow demo $(DEMO)

page: $(VENV)/.installed-web  ## play two sessions that wait for a person, and serve their inbox in a browser
	@$(BIN)/workflow demo --page

test: $(VENV)/.installed-dev  ## run the tests
	@$(BIN)/python -m pytest -o cache_dir=$(CACHE)/pytest $(PYTEST) $(TESTS)

crash: $(VENV)/.installed-dev  ## kill at every write, fail every disk, soak; prints the figures (CRASH=--help: parts)
	@$(BIN)/python -m tests.crash $(CRASH)

cuts: $(VENV)/.installed-dev $(NODE)/.mcp-clients  ## cut every call over MCP, for three clients; counts lost and twice (CUTS=--help)
	@$(BIN)/python -m tests.cuts $(CUTS)

page-attacks: $(VENV)/.installed-dev  ## attack the page with forged, stolen and repeated forms, and in races; prints the counts (PAGE=--help)
	@$(BIN)/python -m tests.page.attacks $(PAGE)

schemas: $(VENV)/.installed-dev $(NODE)/.validators  ## check all JSON that commands print against the published schemas, by two validators
	@$(BIN)/python -m tests.schemas

hosts: $(VENV)/.installed-dev $(NODE)/.hosts  ## carry out each printed entry with the host's own command line, from npm (HOSTS=codex)
	@$(BIN)/python -m tests.hosts $(HOSTS)

check: format-check lint types imports deps prose test rules  ## everything a change must pass

format: $(VENV)/.installed-dev  ## rewrite the code as the format check wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

format-check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-logo --cache-dir $(CACHE)/import-linter

deps: $(VENV)/.installed-dev  ## what is imported is declared, and what is declared is imported
	$(BIN)/deptry --no-ansi .

prose: $(VENV)/.installed-dev  ## name the words and long sentences that the project's English does without
	@$(BIN)/python -m tests.prose

rules: $(VENV)/.installed-dev  ## show which test asserts which rule; fails on an uncovered one
	@$(BIN)/python -m tests.rules

tampering: $(VENV)/.installed-dev  ## change stored journals at random, ten thousand times, and count what an audit finds
	@$(BIN)/python -m tests.tampering --rounds 10000

mutants: $(VENV)/.installed-dev  ## take out each key of the bundle and each listed check of the source: a test must notice (MUTANTS=source)
	@$(BIN)/python -m tests.mutants $(MUTANTS)

coverage: $(VENV)/.installed-dev  ## measure which lines the tests reach, subprocesses included
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -o cache_dir=$(CACHE)/pytest $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --show-missing

build: $(VENV)/.installed-dev  ## build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

dist: build $(VENV)/.installed-release  ## build, check the metadata, install the wheel into an empty environment, and run it there
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --clear $(VENV)/release
	$(VENV)/release/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	cd $(VENV)/release && HOME="$$PWD" ./bin/workflow --version && HOME="$$PWD" ./bin/workflow-admin --version
	cd $(VENV)/release && HOME="$$PWD" ./bin/workflow lint && HOME="$$PWD" ./bin/workflow demo --yes --json
	cd $(VENV)/release && HOME="$$PWD" ./bin/workflow test && HOME="$$PWD" ./bin/workflow init first
	cd $(VENV)/release && HOME="$$PWD" ./bin/workflow lint first && HOME="$$PWD" ./bin/workflow test first
	cd $(VENV)/release && HOME="$$PWD" ./bin/workflow init copy --from anygen-image && HOME="$$PWD" ./bin/workflow lint copy

pictures: $(VENV)/.installed  ## draw docs/demo.svg and docs/cheat.svg again
	$(BIN)/workflow demo --picture docs/demo.svg
	$(BIN)/workflow demo --try-to-cheat --picture docs/cheat.svg

compare: $(VENV)/compare/.installed  ## put other systems and ours through the same failures; writes compare/results.md
	@$(VENV)/compare/bin/python -m compare

bench: $(VENV)/bench/.installed  ## measure ours beside its peers; writes benchmarks/results.md and plots (BENCH=turn: one)
	@$(VENV)/bench/bin/python -m benchmarks $(BENCH)

clean:  ## remove .venv and everything built
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The demo needs no development tools; each stamp is renewed when a file it is built from changes.
$(VENV)/.installed: $(BUILT_FROM)
	@echo "setting up $(VENV) (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is too old: Python 3.11 or later is needed; name one with make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)
	@{ $(INSTALL) --editable . $(TELLING)
	@touch $@

$(VENV)/.installed-web: $(VENV)/.installed
	@echo "adding what the page needs to $(VENV) (once) ..."
	@{ $(INSTALL) --editable '.[web]' $(TELLING)
	@touch $@

$(VENV)/.installed-release: $(VENV)/.installed-dev
	@{ $(INSTALL) --editable '.[dev,release]' $(TELLING)
	@touch $@

# Peers have environments of their own, `compare` and `bench`; one that cannot be installed is shown as not measured.
$(VENV)/compare/.installed: $(BUILT_FROM) compare/requirements.txt
$(VENV)/bench/.installed: $(BUILT_FROM) benchmarks/requirements.txt
$(VENV)/compare/.installed $(VENV)/bench/.installed: PEERS = $(VENV)/$(notdir $(@D))
$(VENV)/compare/.installed $(VENV)/bench/.installed: PIP = $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -c $(lastword $^)
$(VENV)/compare/.installed $(VENV)/bench/.installed:
	@echo "setting up $(PEERS) (once) ..."
	@$(PYTHON) -m venv $(PEERS)
	@$(PIP) --editable .
	-@$(PIP) --editable '.[$(notdir $(PEERS))]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "adding the development tools to $(VENV) (once) ..."
	@{ $(INSTALL) --editable '.[dev]' $(TELLING)
	@touch $@

# The TypeScript clients of `make cuts` and the validators of `make schemas`, in the versions that are pinned beside
# their tests; both need node and npm.
$(NODE)/.mcp-clients: tests/cuts/clients/package.json
$(NODE)/.validators: tests/schemas/package.json
$(NODE)/.axe: tests/page/package.json
$(NODE)/.mcp-clients $(NODE)/.validators $(NODE)/.axe:
	@command -v npm > /dev/null || { echo "npm is not here: install Node.js 20 or later, which brings it" >&2; exit 1; }
	@echo "adding the packages of $< to $(NODE) (once) ..."
	@npm install --silent --no-audit --no-fund --prefix $(NODE) $$(sed -n 's/^ *"\([a-z@][^"]*\)": "\([0-9][^"]*\)",*$$/\1@\2/p' $<)
	@touch $@

# The hosts of `make hosts`, in the versions that are pinned beside them: 2 GB, with the Node.js that OpenClaw needs
# first. CI takes the two small ones.
HOSTS_FOLDER := $(NODE)/hosts
HOSTS_INSTALL = PATH="$(CURDIR)/$(HOSTS_FOLDER)/node_modules/.bin:$$PATH" \
	npm install --loglevel=error --no-audit --no-fund --prefix $(HOSTS_FOLDER) \
	$$(sed -n 's/^    "\($(1)\)": "\(.*\)",*$$/\1@\2/p' $<)
$(NODE)/.hosts $(NODE)/.hosts-slice: tests/hosts/package.json
	@command -v npm > /dev/null || { echo "npm is not here: install Node.js 20 or later, which brings it" >&2; exit 1; }
	@echo "adding hosts of $< to $(HOSTS_FOLDER) (once) ..."
	@$(if $(filter %/.hosts,$@),$(call HOSTS_INSTALL,node) && $(call HOSTS_INSTALL,[^"]*),$(call HOSTS_INSTALL,@a[^"]*))
	@touch $@
