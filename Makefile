# Everything lands in .venv; packages come from wherever this user's pip is set up to fetch them.
PY ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; print("$(p)") if sys.version_info >= (3, 11) else None' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header
SOURCES := pyproject.toml $(wildcard hatch_build.py) $(wildcard src/outrider/*/*.c src/outrider/*/*.h)

.PHONY: help setup lint test demo tamper bench score kills lock clean
.DEFAULT_GOAL := help

help: ## Show what there is to make.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: $(VENV)/.ready-to-test ## Make .venv with everything that tests need (the other targets do it by themselves).

demo: $(VENV)/.ready-to-run ## Play the flagship story: 500 agents, one leak, every answer.
	$(BIN)/outrider demo

test: $(VENV)/.ready-to-test ## Run the whole test suite.
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/.ready-to-test ## Check style, format, types and the import contracts.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

tamper: $(VENV)/.ready-to-run ## Change records in every way, and see what verify says: make tamper SIZE=1000000
	$(BIN)/python -m tamper $(if $(SIZE),--size $(SIZE))

bench: $(VENV)/.ready-to-run ## Measure every budget, each beside its baseline.
	$(BIN)/python -m bench

score: $(VENV)/.ready-to-run ## Score the judging on outside data: make score CORPORA=../shared/corpora
	$(BIN)/python -m score $(if $(CORPORA),--corpora $(CORPORA)) --write docs/quality.md

kills: $(VENV)/.ready-to-test ## Kill writers, and a tenth as many daemons, under load: make kills N=1000
	OUTRIDER_KILLS=$(or $(N),1000) $(BIN)/python -m pytest tests/ledger/test_crash.py tests/daemon/test_kills.py

lock: ## Pin every dependency anew, by version and hash (needs uv).
	@command -v uv >/dev/null || { echo "uv is missing; it pins the dependencies: pip install uv" >&2; exit 1; }
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) --group build --constraint requirements/run.txt --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --group dev --constraint requirements/run.txt --constraint requirements/build.txt \
		--output-file requirements/dev.txt

clean: ## Remove what was made here.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build

# A missing piece of the system is named together with the command that brings it.
define check_system
	@test -n "$(PY)" || { printf '%s\n' "Python 3.11 or newer is missing. Install it with one of:" \
		"  apt-get install python3 python3-venv" "  dnf install python3" "  brew install python@3.13" \
		"or name one that is installed: make PY=/path/to/python3" >&2; exit 1; }
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PY) is older than Python 3.11; name a newer one: make PY=/path/to/python3" >&2; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null || { printf '%s\n' "Python's venv module is missing. Install it with one of:" \
		"  apt-get install python3-venv" "  dnf install python3-pip" "  brew install python@3.13" >&2; exit 1; }
	@command -v git >/dev/null || { printf '%s\n' "git is missing. Install it with one of:" \
		"  apt-get install git" "  dnf install git" "  brew install git" >&2; exit 1; }
	@command -v cc >/dev/null || command -v gcc >/dev/null || command -v musl-gcc >/dev/null || printf '%s\n' \
		"No C compiler: the hook client will be the Python one, about 6 ms slower a call. The native one needs one of:" \
		"  apt-get install gcc" "  dnf install gcc" "  xcode-select --install" >&2
endef

$(VENV)/.ready-to-run: requirements/run.txt requirements/build.txt $(SOURCES)
	$(check_system)
	@echo "setting up $(VENV) to run Outrider"
	@$(BIN)/python -c '' 2>/dev/null || $(PY) -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.ready-to-test: requirements/dev.txt $(VENV)/.ready-to-run
	@echo "adding what tests need to $(VENV)"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
