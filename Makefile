# Two commands matter on a fresh machine: `make demo` and `make test`.
# They need python3 (3.11 to 3.13) with venv, and make; everything else is installed into .venv.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Most tests wait for sockets and time limits, not for a processor.
WORKERS ?= 8
# Exactly these versions were tested together; `pip install .` works without them.
PIN    := -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test matrix lint types contracts docs docs-fresh plugin accuracy bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

$(BIN)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIN) -e .
	@touch $@

$(BIN)/.installed-test: $(BIN)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIN) -e '.[test]'
	@touch $@

$(BIN)/.installed-dev: $(BIN)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIN) -e '.[dev]'
	@touch $@

# The broken plane makes the check exit with 1, which is what the demo is there to show.
demo: $(BIN)/.installed ## one healthy and one broken plane in the embedded lab, and the report
	@$(BIN)/keptn-doctor check --lab --scenario demo; code=$$?; \
	  echo; echo "(exit code $$code: 1 means that something is disconnected or degraded)"; \
	  test $$code -eq 1

test: $(BIN)/.installed-test ## all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

matrix: ## the tests on every supported Python that is found
	@for version in 3.11 3.12 3.13; do \
	  if command -v python$$version >/dev/null 2>&1 && python$$version -c '' 2>/dev/null; then \
	    $(MAKE) --no-print-directory test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
	  else echo "python$$version: not found, not tested"; fi; \
	done

lint: $(BIN)/.installed-dev ## ruff
	$(BIN)/ruff check .

types: $(BIN)/.installed-dev ## mypy, strict
	$(BIN)/mypy

contracts: $(BIN)/.installed-dev ## which module may import which
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

docs: $(BIN)/.installed ## write the generated pages of docs/ anew
	$(BIN)/python -m keptn_doctor.docs_pages

docs-fresh: $(BIN)/.installed ## fail when a generated page of docs/ is stale
	$(BIN)/python -m keptn_doctor.docs_pages --check

plugin: $(BIN)/.installed-test ## install the example plugin as anybody would, and run its tests
	rm -rf build/plugin
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/plugin \
	  examples/keptn-doctor-plugin
	PYTHONPATH=build/plugin $(BIN)/python -m pytest -q -p no:cacheprovider examples/keptn-doctor-plugin
	PYTHONPATH=build/plugin $(BIN)/keptn-doctor checks | grep latest-image-tag

accuracy: $(BIN)/.installed-test ## run every scenario, write docs/accuracy.md, fail when it got worse
	$(BIN)/python benchmarks/accuracy.py

bench: $(BIN)/.installed-test ## measure speed, memory and load, write docs/performance.md
	$(BIN)/python -m benchmarks.speed

clean: ## remove what the targets made
	rm -rf .venv .venv-3.* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
