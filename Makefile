# Everything a checkout needs. Each target builds .venv first when it is missing or older than the locks.
#
#   make sandbox    try it: the real bot against a fake Slack and a fake PagerDuty
#   make test       every check that CI runs
#   make run        the bot, with your tokens (see README.md)
#   make lint       the quick half of `make test`
#   make pictures   take the pictures in docs/pictures anew (needs Chromium)
#   make bench      speed, as ratios to floors measured in the same run
#   make chaos      kills, freezes and outages in a storm, then the truth (ARGS="--seeds 20")
#   make lock       write the locks again after a change to pyproject.toml (UPGRADE=1: with the newest versions)
#
# PYTHON=/path/to/python3.12 picks the interpreter .venv is built with; otherwise it is the newest from 3.11 on.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := bot commands tests
IN_TURN := tests/chaos tests/bench
# One more than there are cores: half of the tests wait for something.
AT_ONCE = $$(($$(getconf _NPROCESSORS_ONLN) + 1))
PYTHON ?=

# A .venv whose interpreter is gone is built again, whatever its stamps say.
ifneq ($(shell $(BIN)/python -c 'print("runs")' 2>/dev/null),runs)
.PHONY: $(VENV)/.runtime $(VENV)/.dev
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help sandbox run test lint format pictures bench chaos lock

help:
	@sed -n 's/^#   make/make/p' Makefile

sandbox: $(VENV)/.runtime
	@exec $(BIN)/python -m bot sandbox $(ARGS)

run: $(VENV)/.runtime
	@exec $(BIN)/python -m bot run $(ARGS)

test: lint
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@# Side by side what asks whether; one after the other what asks how fast, and what kills a machine's worth of bots.
	@echo "pytest, side by side"; $(BIN)/python -m pytest --numprocesses $(AT_ONCE) --dist worksteal $(IN_TURN:%=--ignore=%); \
	first=$$?; echo "pytest, in turn"; $(BIN)/python -m pytest $(IN_TURN) && exit $$first
endif

lint: $(VENV)/.dev
	@echo "ruff check";  $(BIN)/python -m ruff check --quiet .
	@echo "ruff format"; $(BIN)/python -m ruff format --check --quiet . || \
	  { echo "Run 'make format' to lay these files out."; $(BIN)/python -m ruff format --check .; exit 1; }
	@echo "mypy";        $(BIN)/python -m mypy --no-error-summary $(PACKAGES)
	@echo "lint-imports"; out=$$($(LINT_IMPORTS) 2>&1) || { echo "$$out"; exit 1; }

format: $(VENV)/.dev
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix --quiet .

# By module, not by .venv/bin: an installed script remembers the folder it was built in.
LINT_IMPORTS = $(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache

pictures: $(VENV)/.dev
	@exec $(BIN)/python -m tests.pictures $(ARGS)

bench: $(VENV)/.dev
	@exec $(BIN)/python -m tests.bench $(ARGS)

chaos: $(VENV)/.dev
	@exec $(BIN)/python -m tests.chaos $(ARGS)

# Names, versions, hashes and markers only: whose index they come from is the business of the machine that installs.
COMPILE = $(BIN)/uv --no-config pip compile pyproject.toml --quiet --universal --python-version 3.11 \
  --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock:
	@[ -x $(BIN)/uv ] || { $(MAKE) $(VENV)/.dev; }
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --group aws --constraints requirements.lock --output-file requirements-aws.lock
	@$(COMPILE) --group dev --group aws --constraints requirements-aws.lock --output-file requirements-dev.lock
	@$(MAKE) $(VENV)/.dev

define BUILD_VENV
newest=; \
for python in $(PYTHON) python3.19 python3.18 python3.17 python3.16 python3.15 python3.14 python3.13 python3.12 python3.11 python3 python; do \
  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then newest=$$python; break; fi; \
done; \
if ! $(BIN)/python -c 'import pip' >/dev/null 2>&1; then \
  if [ -z "$$newest" ]; then \
    echo "Pagerline needs Python 3.11 or newer, and none is on the PATH. On Debian 12 or newer: apt-get install python3 python3-venv" >&2; exit 1; \
  fi; \
  version=$$("$$newest" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
  if ! "$$newest" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
    echo "$$version cannot build virtual environments yet. On Debian: apt-get install $$version-venv" >&2; exit 1; \
  fi; \
  echo "Building $(VENV) with $$version (once, about a minute) ..."; \
  "$$newest" -m venv --clear $(VENV) || { echo "Could not build $(VENV). On Debian: apt-get install $$version-venv" >&2; exit 1; }; \
fi
endef

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes

$(VENV)/.runtime: requirements.lock
	@$(BUILD_VENV)
	@$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements.lock
	@$(BUILD_VENV)
	@$(INSTALL) -r requirements-dev.lock
	@touch $(VENV)/.runtime $@
