# Everything starts here: `make` lists what there is. The work is done by the scripts in scripts/, which
# prepare .venv on first use and cost next to nothing afterwards.

VENV := .venv
PY := $(VENV)/bin/python
# Folders that exist are checked; a checkout may hold only some of them.
TYPED := $(wildcard videogen benchmarks app.py)
# The test files run in this many processes. One more than there are cores, at most 4: many tests wait for something.
# JOBS=0 runs everything in one process, where --pdb works.
JOBS := $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$(( cores < 3 ? cores + 1 : 4 )))
PYTEST := $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
TORCH_PYTEST := .venv-diffusers/bin/python -m pytest -n 2 --dist loadfile tests/engines/diffusers
# The tests that are left out.
WITHOUT = not long$(if $(filter no,$(BROWSER)), and not browser)$(if $(filter no,$(DISTRIBUTED)), and not postgresql)
# What starts PostgreSQL, Chromium and nginx finds them here.
WITH_POSTGRESQL = $(if $(filter no,$(DISTRIBUTED)),:,VIDEOGEN_TEST_POSTGRESQL=$$($(SETUP)/postgresql.sh) || exit 1; export VIDEOGEN_TEST_POSTGRESQL)
WITH_BROWSER = VIDEOGEN_TEST_CHROMIUM=$$($(SETUP)/chromium.sh) || exit 1; export VIDEOGEN_TEST_CHROMIUM; \
	VIDEOGEN_TEST_NGINX=$$($(SETUP)/nginx.sh) || exit 1; export VIDEOGEN_TEST_NGINX

# Some images set this: then each of the hundreds of processes that the tests start would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run dist links test test-long test-diffusers check format bench chaos soak fuzz words audit lock docker clean runtime-env dev-env
MAKEFLAGS += --no-print-directory
SETUP := PYTHON='$(PYTHON)' VENV='$(VENV)' sh scripts

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Settings pass through the environment: VIDEOGEN_PORT=8000 make run'

run: runtime-env ## Start the app (the first time also installs it)
	@exec $(PY) app.py

test: dev-env ## Run the tests: make test ARGS="-k name", BROWSER=no without Chromium, DISTRIBUTED=no without PostgreSQL, JOBS=0 for one process
ifeq ($(BROWSER),no)
	@$(WITH_POSTGRESQL); exec $(PYTEST) -m '$(WITHOUT)' $(ARGS)
else
	@$(WITH_POSTGRESQL); $(WITH_BROWSER); exec $(PYTEST) -m '$(WITHOUT)' $(ARGS)
endif

test-long: dev-env ## Run the tests that are long and rarely break; `make test` leaves them out
	@$(WITH_POSTGRESQL); $(WITH_BROWSER); VIDEOGEN_TEST_FIREFOX=$$($(SETUP)/firefox.sh) || exit 1; export VIDEOGEN_TEST_FIREFOX; \
	$(PYTEST) -m long $(ARGS) || exit; \
	VIDEOGEN_TEST_PROFILE=distributed $(PYTEST) -m '$(WITHOUT)' tests/api $(ARGS) || [ $$? -eq 5 ] || exit; \
	if [ ! -f .venv-diffusers/.stamp ]; then echo 'Without more families of diffusers: they need the environment of `make test-diffusers`.'; exit; fi; \
	VIDEOGEN_TEST_DIFFUSERS=1 exec $(TORCH_PYTEST) -m long $(ARGS)

test-diffusers: dev-env ## Run the tests of the engine kind diffusers in an environment of their own, with torch
	@$(SETUP)/diffusers.sh
ifeq ($(BROWSER),no)
	@VIDEOGEN_TEST_DIFFUSERS=1 exec $(TORCH_PYTEST) -m 'not browser and not long' $(ARGS)
else
	@$(WITH_BROWSER); VIDEOGEN_TEST_DIFFUSERS=1 exec $(TORCH_PYTEST) $(ARGS)
endif

check: dev-env ## Check format, lint, types and the layers of the packages
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy $(TYPED)
	$(VENV)/bin/lint-imports --no-cache

format: dev-env ## Format the code and apply safe lint fixes
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

bench: dev-env ## Run the benchmarks: make bench ARGS="--help"
ifneq ($(if $(ARGS),$(findstring distributed,$(ARGS)),all),)
	@VIDEOGEN_TEST_POSTGRESQL=$$($(SETUP)/postgresql.sh 2>/dev/null); export VIDEOGEN_TEST_POSTGRESQL; exec $(PY) -m benchmarks $(ARGS)
else
	@exec $(PY) -m benchmarks $(ARGS)
endif

chaos: dev-env ## Kill a running app 200 times and prove that nothing is lost: ARGS="--kills 50 --seed 1", PROFILE=distributed
ifeq ($(PROFILE),distributed)
	@$(WITH_POSTGRESQL); VIDEOGEN_TEST_NGINX=$$($(SETUP)/nginx.sh) || exit 1; export VIDEOGEN_TEST_NGINX; \
	exec $(PY) -m tests.chaos --profile distributed $(ARGS)
else
	@exec $(PY) -m tests.chaos $(ARGS)
endif

soak: dev-env ## Use a running app for an hour, attacks included; its needs must not grow: ARGS="--minutes 10"
	@exec $(PY) -m tests.soak $(ARGS)

fuzz: dev-env ## Make 20,000 calls from the OpenAPI description, valid and not: ARGS="--calls 500 --seed 1"
	@exec $(PY) -m tests.fuzz $(ARGS)

words: dev-env ## Remake the word tables in docs/prompting.md
	$(PY) -m videogen.engines.procedural.language.docs_tables

gallery: dev-env ## Render the posters of docs/gallery.md and of the presets
	@exec $(PY) scripts/gallery.py $(ARGS)

dist: dev-env ## Build wheel and sdist into dist/, and check them in an empty environment
	rm -rf dist
	$(PY) -m hatchling build --directory dist
	VIDEOGEN_TEST_DIST=dist $(PY) -m pytest -q -m "long or not long" tests/test_distribution.py $(ARGS)

links: dev-env ## List the external links of the documentation; ARGS=--check asks each one
	@exec $(PY) scripts/links.py $(ARGS)

audit: dev-env ## Look for known vulnerabilities in what is locked, and write docs/licences.md
	@exec $(PY) scripts/audit.py $(ARGS)

lock: ## Remake the lock files (needs uv): make lock ARGS=--upgrade
	@sh scripts/lock.sh $(ARGS)

docker: ## Build the container image videogen
	docker build -t videogen .

clean: ## Remove .venv, caches and test results (never data/)
	rm -rf $(VENV) .venv-diffusers dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +

runtime-env:
	@$(SETUP)/bootstrap.sh runtime

dev-env:
	@$(SETUP)/bootstrap.sh dev
