# Two commands need nothing but Python 3.11 or later: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests start hundreds of processes: without compiled modules each would compile kubedoctor again.
unexport PYTHONDONTWRITEBYTECODE
RUN := $(BIN)/python -m

.PHONY: help demo test test-long check format lint types contracts reached mutants wheel bench screenshots real-cluster test-real differential differential-mesh clean
help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kubedoctor needs Python 3.11 or later; name one with PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(RUN) pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.develop: $(VENV)/.run
	@$(RUN) pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.run ## diagnose the embedded demo cluster (terminal UI on a terminal, report elsewhere)
	@$(BIN)/kubedoctor demo

# Twice the processes of a machine with two cores: many tests wait for a server or a screen.
test: $(VENV)/.develop ## the tests that need nothing but this project, within three minutes
	$(RUN) pytest -n 4 --dist worksteal -m 'not real and not long'

test-long: $(VENV)/.develop ## the generated questions that take longer
	$(RUN) pytest -n 4 --dist worksteal -m long

check: $(VENV)/.develop format-check lint types contracts reached test test-long wheel ## everything that must hold

format: $(VENV)/.develop ## write the code in its one format
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

.PHONY: format-check
format-check: $(VENV)/.develop
	$(RUN) ruff format --check .

lint: $(VENV)/.develop ## the linter
	$(RUN) ruff check .

types: $(VENV)/.develop ## the type checker
	$(RUN) mypy

contracts: $(VENV)/.develop ## which package may import which
	$(BIN)/lint-imports

reached: $(VENV)/.develop ## the share of the diagnostics' lines, and every finding, that scenarios reach
	$(RUN) tests.reached

$(VENV)/.mutants: $(VENV)/.develop
	@$(RUN) pip install --quiet --disable-pip-version-check --editable '.[mutants]'
	@touch $@

mutants: $(VENV)/.mutants ## faults put into IN=folder (by hand, long): which of them does no test notice?
	$(RUN) tests.mutants $(IN)

wheel: $(VENV)/.develop ## build the wheel and look at its top level
	$(RUN) tests.wheel

bench: $(VENV)/.develop ## benchmarks on generated clusters (figures, not verdicts)
	$(RUN) tests.bench

screenshots: $(VENV)/.develop ## write screenshots/*.svg through the real application
	$(RUN) tests.tui.screenshots screenshots

real-cluster: $(VENV)/.develop ## build a real control plane and node into a cache (about 10 minutes, once)
	$(RUN) tests.real.cluster.build

test-real: $(VENV)/.develop ## faults in a real cluster, diagnosed live (needs root and real-cluster)
	$(RUN) pytest -m real tests/real

differential: $(VENV)/.develop ## fresh questions to the replay and to Kubernetes' own code (needs Go and the shared folder)
	$(RUN) tests.differential
	$(RUN) tests.differential.fixes

differential-mesh: $(VENV)/.develop ## 1,000 fresh questions about a mesh to Istio's own code (builds it: half an hour, once)
	$(RUN) tests.differential --area mesh --count 1000

clean: ## remove what was made here
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
