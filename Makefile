# The Python of the environment, 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
# The number of batches, of 2,000 values each, that every test of `make differential` draws.
BATCHES ?= 60
FUZZ_SECONDS ?= 60
# The jobs that `make proof` runs.
LONG ?= differential fuzz load mutation pgbouncer foreign free-threaded matrix
# Debian's suites, oldest first; each has another PgBouncer.
SUITES := bookworm trixie forky
# Each process has its own server, or its own databases. A process that is done takes over tests of another.
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal
# Tests that take most of the time, or that test neither the package nor its generator.
SLOW := differential integrations/test_alembic.py integrations/test_extension_under_load.py \
  integrations/test_fastapi.py integrations/test_pgbouncer.py integrations/test_sqlmodel.py \
  test_bench.py test_demo.py test_faults.py test_get_debian.py test_load.py test_lock.py test_mutation.py \
  test_new_type.py test_package.py test_pgbouncer.py test_proof.py test_proportion.py test_readme.py test_specs.py \
  test_testing.py test_threads.py
EXAMPLE := examples/own_type/types.toml --out examples/own_type/own_types --sqlalchemy
WITH_OLDER_SQLALCHEMY = ASYNCPG_VECTOR_TEST_SQLALCHEMY=2.0 PYTHONPATH=$(CURDIR)/.venv/sqlalchemy-2.0 \
  $(PYTEST) tests/integrations --ignore=tests/integrations/test_pydantic.py
FOR_TESTS := .venv/bench .venv/sqlalchemy-2.0 .venv/first-release .venv/pgbouncer/pgbouncer

.DEFAULT_GOAL := help
.PHONY: help demo quick test coverage differential mutation load pgbouncer free-threaded foreign matrix proof corners check fuzz bench generate format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/demo ## search real text; QUERY="..." asks, DSN=... is your server
	@$(BIN)/python examples/semantic_search.py $(if $(DSN),--dsn "$$DSN") $(if $(QUERY),"$$QUERY")

quick: .venv/test ## run the tests that notice most faults, in half a minute
	$(PYTEST) --hypothesis-profile=quick $(addprefix --ignore=tests/,$(SLOW))

test: $(FOR_TESTS) ## run all tests, against a PostgreSQL of their own
	$(PYTEST)
	$(WITH_OLDER_SQLALCHEMY)

coverage: $(FOR_TESTS) ## run all tests, which have to cover every line and branch
	$(PYTEST) --cov --cov-report=term
	$(WITH_OLDER_SQLALCHEMY)

differential: .venv/test ## compare millions of values with the server; BATCHES=...
	ASYNCPG_VECTOR_TEST_BATCHES=$(BATCHES) $(BIN)/pytest tests/differential

mutation: .venv/test ## make thousands of faults, for the tests to notice; an hour
	$(BIN)/python -m tests.hand_made_mutants
	$(BIN)/python -m tests.mutation

load: .venv/test .venv/pgbouncer/pgbouncer ## a thousand tasks at once, and a million values
	$(BIN)/pytest -m load -rP

pgbouncer: .venv/test $(SUITES:%=.venv/pgbouncer-%) ## test behind PgBouncer 1.18, 1.24 and 1.26
	@for suite in $(SUITES); do \
	  ASYNCPG_VECTOR_TEST_PGBOUNCER=.venv/pgbouncer-$$suite/usr/sbin/pgbouncer \
	    $(BIN)/pytest tests/test_pgbouncer.py tests/integrations/test_pgbouncer.py || exit; \
	done

# The files of tests that need no server, and the tests in them that do.
CODECS := wire text formats values inputs bad_input matrix any_input pickles roundtrip
OF_SERVER := matrix.py::test_through_the_server matrix.py::test_text_of_a_connection_that_is_not_registered
foreign: .venv/test .venv/foreign-s390x .venv/foreign-arm64 ## test on a big-endian machine and on aarch64, emulated
	$(BIN)/python -m tests.digest >.venv/digest
	@cat .venv/digest
	@for machine in s390x arm64; do \
	  .venv/foreign-$$machine/python -m tests.digest | diff .venv/digest - || exit; \
	  .venv/foreign-$$machine/python -m pytest -p no:cacheprovider --no-header --hypothesis-profile=quick \
	    $(CODECS:%=tests/test_%.py) $(OF_SERVER:%=--deselect=tests/test_%) || exit; \
	done

matrix: .venv/check .venv/pgbouncer/pgbouncer .venv/pythons .venv/postgresql-17 .venv/postgresql-18 ## test with every supported version; an hour
	$(BIN)/nox

proof: .venv/test ## run all long jobs for docs/proof.md; LONG="..." runs some
	$(BIN)/python -m tests.proof $(LONG)

corners: .venv/check .venv/pgbouncer/pgbouncer .venv/pythons ## test with the oldest, the newest, and a new type
	$(PYTEST) --dist load -m copy tests/test_new_type.py tests/test_specs.py
	$(BIN)/nox --tags corners

free-threaded: .venv/check .venv/free-threaded/bin/python3.13t ## test without a GIL, on a Python that it builds
	$(BIN)/nox --session free_threaded

check: .venv/check ## lint, type-check, compare generated files with the spec
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m codegen.project --check
	$(BIN)/python -m codegen $(EXAMPLE) --check

fuzz: .venv/fuzz ## look for inputs that break something; FUZZ_SECONDS=...
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

bench: .venv/bench .venv/first-release ## time this package and its peers, for docs/ and the README
	$(BIN)/python -m bench $(BENCH)

generate: .venv/test ## write the generated files, after an edit of the spec
	$(BIN)/python -m codegen.project
	$(BIN)/python -m codegen $(EXAMPLE)

format: .venv/check ## format the hand-written files, and apply the fixes of lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: .venv/check ## pin all that is installed, with hashes, in the lock file
	$(COMPILE) pyproject.toml --group check >.venv/all.lock
	@set -e; for group in $(JOBS); do \
	  echo "# group: $$group"; \
	  $(COMPILE) pyproject.toml --group $$group --constraint .venv/all.lock; \
	done >.venv/jobs.lock
	@{ set -e; echo "# Made of pyproject.toml's dependency groups by: make lock"; \
	  awk '/^[a-z]/ { is_new = !seen[$$0]++ } /^\#/ || is_new' .venv/jobs.lock; \
	  for group in fuzz first-release sqlalchemy-2-0; do \
	    echo "# group: $$group"; $(COMPILE) --no-deps --group $$group; \
	  done; } >.venv/requirements.lock
	mv .venv/requirements.lock requirements.lock

clean: ## remove the environment and the caches of the tools
	rm -rf .venv .fuzz .hypothesis .mypy_cache .nox mutants .pytest_cache .ruff_cache

# The lock file has a section for each group, since some groups exclude each other. The section of a job lacks
# the packages that the jobs before it install. Nothing is built in an isolated environment: its packages would
# not be pinned.
JOBS := demo test bench check
SECTION = sed -n '/^\# group: $(1)$$/,/^\# group:/p' requirements.lock
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
LOCKED = $(SECTION) | $(PIP_INSTALL) --require-hashes --requirement /dev/stdin
ANNOUNCE = @{ echo "Installing for make $(1), into .venv:"; \
  $(SECTION) | sed -n 's/^\([a-z][^=]*\)==.*/\1/p' | uniq | tr '\n' ' '; echo; } | fold -s -w 79
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

# The environment is made anew when the pins change.
.venv/demo: pyproject.toml requirements.lock
	$(call ANNOUNCE,demo)
	@$(PYTHON) -m venv .venv
	@$(call LOCKED,demo)
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

.venv/test: .venv/demo
.venv/bench: .venv/test
.venv/check: .venv/bench
.venv/test .venv/bench .venv/check .venv/fuzz:
	$(call ANNOUNCE,$(@F))
	@$(call LOCKED,$(@F))
	@touch $@

.venv/fuzz: .venv/test

# Two folders outside of the environment's path: the oldest SQLAlchemy and Alembic, which take the place of the
# newest when PYTHONPATH names the folder, and the first release of this package.
.venv/sqlalchemy-2.0: .venv/test
	@rm -rf $@
	@$(call LOCKED,sqlalchemy-2-0) --upgrade --target $@
	@touch $@

.venv/first-release: .venv/test
	@$(call LOCKED,first-release) --upgrade --target $@
	@touch $@

.venv/pgbouncer/pgbouncer: tests/get_pgbouncer | .venv/demo
	tests/get_pgbouncer $(@D)

# The latest Pythons, wherever there is an apt-get: those of Debian 14, which is not released, and still changes.
.venv/pythons: tests/get_debian | .venv/demo
	tests/get_debian $@ forky python3.13 python3.14 python3.15

.venv/postgresql-17: tests/get_debian | .venv/demo
	tests/get_debian $@ trixie postgresql-17 postgresql-17-pgvector

.venv/postgresql-18: tests/get_debian | .venv/demo
	tests/get_debian $@ forky postgresql-18 postgresql-18-pgvector

.venv/foreign-%: tests/get_foreign_python tests/get_debian | .venv/demo
	tests/get_foreign_python $@ $*

.venv/pgbouncer-%: tests/get_debian | .venv/demo
	tests/get_debian $@ $* pgbouncer

# The source is Debian 13's: not every mirror has that of a later suite.
.venv/free-threaded/bin/python3.13t: tests/get_free_threaded tests/get_debian | .venv/demo
	tests/get_free_threaded .venv/free-threaded trixie 3.13

export DSN QUERY
