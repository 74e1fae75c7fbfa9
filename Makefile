# Everything a person types. Only Python 3.11 or newer and make are needed: each target first makes
# .venv and installs what it wants there, once, and says so in one line. No venv has to be active.

.DEFAULT_GOAL := help
.PHONY: help demo test check proof bench bench-segments format lock clean
.DELETE_ON_ERROR:

# The first of these that is at least 3.11; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements-lock.txt
# A venv of its own never reads another Python's modules or user site. What was compiled is kept:
# tests start the program hundreds of times.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.installed  ## Set up, then run the main job: 500 leads, real SMTP, sums checked
	@$(BIN)/potok demo

# Three workers on two cores: many tests wait for a server more than they compute.
test: $(VENV)/.installed-dev  ## Set up, then run the tests on SQLite and PostgreSQL
	@$(BIN)/python -m pytest -n 3 --durations 10 $(ARGS)

check: $(VENV)/.installed-dev  ## Format, lint, types, arrows between rooms, docs in step
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PATH="$(CURDIR)/$(BIN):$$PATH"; \
	pages=$$(grep -lF '[[[cog' README.md docs/*.md 2>/dev/null || true); \
	if [ -n "$$pages" ]; then $(BIN)/cog --check $$pages; fi

proof: $(VENV)/.installed-dev  ## The proofs in their long form (kills, pace, a million rows)
	@$(BIN)/python -m pytest -n 2 -m slow --proof --timeout 3600 $(ARGS)

bench: $(VENV)/.installed-dev  ## Measure the pipeline beside smtp-source
	@test -f benchmarks/__main__.py || { echo "There is no benchmark of the whole pipeline yet." >&2; exit 1; }
	@$(BIN)/python -m benchmarks $(ARGS)

bench-segments: $(VENV)/.installed-dev  ## Measure counts and planning beside SQL by hand
	@$(BIN)/python -m benchmarks.segments $(ARGS)

format: $(VENV)/.installed-dev  ## Format, mend what ruff can mend, bring the docs in step
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@PATH="$(CURDIR)/$(BIN):$$PATH"; \
	pages=$$(grep -lF '[[[cog' README.md docs/*.md 2>/dev/null || true); \
	if [ -n "$$pages" ]; then $(BIN)/cog -r $$pages; fi

lock:  ## Resolve the dependencies anew and write requirements-lock.txt
	@rm -rf build/lock && "$(PYTHON)" -m venv build/lock
	@build/lock/bin/python -m pip -q install 'setuptools>=77' '.[dev]'
	@{ echo '# Written by `make lock`: the versions every installation and the tests use.'; \
	build/lock/bin/python -m pip freeze --all --exclude potok --exclude pip; } > $(LOCK)
	@rm -rf build && echo "$(LOCK) is new: $$(grep -c == $(LOCK)) packages."

clean:  ## Remove what the other targets made
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Potok needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version) ..."
	@"$(PYTHON)" -m venv --clear $(VENV) || { echo "Could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

# setuptools comes first and pinned: building in isolation would fetch whatever is newest.
$(VENV)/.installed: $(VENV)/.python pyproject.toml $(LOCK)
	@echo "Installing Potok into $(VENV) (once, about half a minute) ..."
	@$(PIP) install --constraint $(LOCK) setuptools
	@$(PIP) install --constraint $(LOCK) --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what tests and checks need (once, about half a minute) ..."
	@$(PIP) install --constraint $(LOCK) --no-build-isolation --editable '.[dev]'
	@touch $@
