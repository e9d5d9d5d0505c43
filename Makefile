# Each target is a line or two that also work when typed; README.md has them for people without make.
PYTHON ?= python3
PYTHON310 ?= python3.10
PORT ?= 8000
VENV ?= .venv
BIN := $(VENV)/bin
# Processes that run tests. A module's tests stay in one of them, so that its fixtures are set up once.
JOBS ?= 2
TESTS ?=
SEED ?= 16
PARALLEL := --numprocesses $(JOBS) --dist loadfile
SUPPORTED := import sys; sys.exit(None if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed, this is " + sys.version.split()[0] + ": name a newer one, for example make run PYTHON=python3.11")

.PHONY: run demo test test-quick mutants lint bench package messages screenshots clean

run: $(BIN)/.run          ## set up and serve the survey at http://127.0.0.1:8000; PORT=8001 takes another port
	@echo "Serving the survey at http://127.0.0.1:$(PORT) on SQLite; mail shows here on the console. Ctrl-C ends it."
	@$(BIN)/python manage.py dev 127.0.0.1:$(PORT)

demo: $(BIN)/.run         ## the same with a chain of 12 branches and 5,000 submissions, in a database of its own
	@SQLITE_PATH=demo.sqlite3 $(BIN)/python manage.py migrate --verbosity 0
	@SQLITE_PATH=demo.sqlite3 $(BIN)/python manage.py seed_demo
	@echo "The staff's pages: http://127.0.0.1:$(PORT)/dashboard/  Ctrl-C ends it."
	@SQLITE_PATH=demo.sqlite3 $(BIN)/python manage.py dev 127.0.0.1:$(PORT)

test: $(BIN)/.dev         ## set up what the tests need and run them
	@echo "Running all tests: about twelve minutes on two cores. 'make test-quick' takes less than two."
	@$(BIN)/python -m pytest $(PARALLEL) $(TESTS)

test-quick: $(BIN)/.dev   ## the tests that start no servers, browsers or builds, less than two minutes
	@echo "Running the quick tests: less than two minutes on two cores."
	@$(BIN)/python -m pytest $(PARALLEL) -m "not slow" $(TESTS)

mutants: $(BIN)/.dev .venv-mutants/.mutants  ## change the code at 200 places of SEED; print what no test notices: an hour
	nice .venv-mutants/bin/python -m tests.support.mutants --python $(BIN)/python --jobs $(JOBS) --seed $(SEED)

lint: $(BIN)/.dev         ## style, format, types, imports and configuration files; .pre-commit-config.yaml runs it
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml deploy/github/*.yml
	$(BIN)/pre-commit validate-config

bench: $(BIN)/.dev .venv-bench/.bench  ## every benchmark in turn: an hour, on a machine that does nothing else
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.dashboard 1000000 2000
	$(BIN)/python -m benchmarks.burst
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.package_sizes
	$(BIN)/python -m benchmarks.coldstart
	$(BIN)/python -m benchmarks.cost
	.venv-bench/bin/python -m benchmarks.warm
	.venv-bench/bin/python -m benchmarks.web_function
	.venv-bench/bin/python -m benchmarks.bridge
	.venv-bench/bin/python -m benchmarks.text

screenshots: $(BIN)/.dev  ## write docs/screenshots (needs chromium)
	$(BIN)/python -m pytest -q tests/browser/take_screenshots.py

package: $(BIN)/.dev      ## build what is uploaded into build/ and run it as on the platform
	$(BIN)/python manage.py package --verify

messages: $(BIN)/.dev     ## collect the texts of templates and code, compile the translations (needs gettext)
	cd survey && ../$(BIN)/python ../manage.py makemessages -l zh_Hans --no-location && ../$(BIN)/python ../manage.py compilemessages

$(BIN)/python:
	@$(PYTHON) -c '$(SUPPORTED)' || { echo "make: '$(PYTHON)' is not a usable Python (see above)."; exit 1; }
	@echo "Creating a virtual environment in $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV) || { echo "make: the module venv is missing or broken; on Debian and Ubuntu: apt-get install python3-venv."; rm -rf $(VENV); exit 1; }

# PYTHON=... where the environment exists with another version: say so instead of going on with that one.
ifneq ($(origin PYTHON),file)
SAME := $(shell test ! -x $(BIN)/python || test "$$($(BIN)/python -V)" = "$$($(PYTHON) -V)" || $(BIN)/python -V)
ifneq ($(SAME),)
$(error $(VENV) has $(SAME), not $(PYTHON): remove it with 'make clean', or name another folder with VENV=.venv2)
endif
endif

$(BIN)/.run: requirements.txt | $(BIN)/python
	@echo "Installing what the survey needs (requirements.txt)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt || { echo "make: the packages could not be installed; pip's message above says why."; exit 1; }
	@touch $@

$(BIN)/.dev: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need (requirements-dev.txt)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt || { echo "make: the packages could not be installed; pip's message above says why."; exit 1; }
	@touch $@

.venv-bench/.bench: requirements-dev.txt requirements-bench.txt
	@echo "Installing the peers of the benchmarks into .venv-bench, with Python 3.10, which ships."
	@$(PYTHON310) -m venv .venv-bench || { echo "make: the benchmarks need Python 3.10: name it, for example make bench PYTHON310=/usr/local/bin/python3.10"; exit 1; }
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -r requirements-bench.txt
	@touch $@

.venv-mutants/.mutants:
	@echo "Installing what changes the code (Cosmic Ray) into .venv-mutants."
	@$(PYTHON) -m venv .venv-mutants && .venv-mutants/bin/python -m pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0
	@touch $@

clean:                    ## remove what make made
	rm -rf .venv .venv3* .venv-bench .venv-mutants build staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
