# The Python that the environment is made with; any from 3.10 on.
PYTHON ?= python3
BIN := .venv/bin
# How many batches of 2,000 values each test of `make differential` draws.
BATCHES ?= 60
FUZZ_SECONDS ?= 60
# Each process has a server, or databases, of its own. The tests of one file share what is costly to make.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo test differential mutation load matrix corners check fuzz bench generate format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: .venv/installed ## search real text in a real PostgreSQL; QUERY="..." asks, DSN=... uses your server
	@$(BIN)/python examples/semantic_search.py $(if $(DSN),--dsn "$$DSN") $(if $(QUERY),"$$QUERY")

test: .venv/installed .venv/sqlalchemy-2.0 .venv/first-release .venv/pgbouncer/pgbouncer ## run all tests, against a PostgreSQL of their own
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term
	ASYNCPG_VECTOR_TEST_SQLALCHEMY=2.0 PYTHONPATH=.venv/sqlalchemy-2.0 $(BIN)/pytest $(PARALLEL) tests/integrations

differential: .venv/installed ## compare millions of values with the server; BATCHES=... sets how many
	ASYNCPG_VECTOR_TEST_BATCHES=$(BATCHES) $(BIN)/pytest tests/differential

mutation: .venv/installed ## make thousands of faults that a test has to notice; takes an hour
	$(BIN)/python -m tests.hand_made_mutants
	$(BIN)/python -m tests.mutation

load: .venv/installed .venv/pgbouncer/pgbouncer ## a thousand tasks at once, and a million values: takes minutes
	$(BIN)/pytest -m load -rP

matrix: .venv/installed .venv/pgbouncer/pgbouncer ## test with every Python, asyncpg, NumPy and pgvector that is supported; about an hour
	$(BIN)/nox

# Without Alembic, whose many processes would take half of the time.
corners: .venv/installed .venv/pgbouncer/pgbouncer ## test with the oldest of each, and with the newest
	$(BIN)/nox --tags corners -- --ignore=tests/integrations/test_alembic.py

check: .venv/installed ## lint, type-check, and compare the generated files with the spec
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m codegen --check

fuzz: .venv/fuzz ## look for inputs that break a codec or the spec loader, for FUZZ_SECONDS; needs Linux, Python 3.11
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

bench: .venv/first-release ## time this package beside its peers, and write docs/ and the README's table
	$(BIN)/python -m bench $(BENCH)

generate: .venv/installed ## write the generated files, after an edit of specs/types.toml or a template
	$(BIN)/python -m codegen

format: .venv/installed ## format the hand-written files, and mend what lint can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: .venv/installed ## pin all that the dependency groups pull in, with hashes, in requirements.lock
	@{ set -e; echo "# Made of pyproject.toml's dependency groups by: make lock"; \
	  echo "# group: dev"; $(COMPILE) pyproject.toml --group dev; \
	  for group in fuzz first-release sqlalchemy-2-0; do \
	    echo "# group: $$group"; $(COMPILE) --no-deps --group $$group; \
	  done; } > .venv/requirements.lock
	mv .venv/requirements.lock requirements.lock

clean: ## remove the environment and what the tools keep
	rm -rf .venv .fuzz .hypothesis .mypy_cache .nox mutants .pytest_cache .ruff_cache

# The groups are sections of one file, since some exclude each other. All that a group needs is in its
# section, and nothing is built in an environment of its own, which would not be pinned.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
LOCKED = sed -n '/^\# group: $(1)$$/,/^\# group:/p' requirements.lock | \
  $(PIP_INSTALL) --require-hashes --requirement /dev/stdin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header

# Made anew when the pins change.
.venv/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(call LOCKED,dev)
	$(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

.venv/fuzz: .venv/installed
	$(call LOCKED,fuzz)
	@touch $@

# Folders of their own: an older SQLAlchemy, for whoever has it on the path before the newer one, and
# the first release of this package.
.venv/sqlalchemy-2.0: .venv/installed
	$(call LOCKED,sqlalchemy-2-0) --upgrade --target $@
	@touch $@

.venv/first-release: .venv/installed
	$(call LOCKED,first-release) --upgrade --target $@
	@touch $@

.venv/pgbouncer/pgbouncer: tests/get_pgbouncer | .venv/installed
	tests/get_pgbouncer $(@D)

export DSN QUERY
