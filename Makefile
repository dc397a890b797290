# The Python of the environment, 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
# Where there is a C compiler, the jobs demand the native kernel, and fail without it.
export CC
BUILD := $(if $(shell command -v $(firstword $(CC))),native)
export ASYNCPG_VECTOR_IMPL ?= $(or $(BUILD),python)
IS_NATIVE := $(filter native,$(ASYNCPG_VECTOR_IMPL))
KERNEL := .venv/kernel-$(or $(BUILD),missing)
# The number of batches, of 2,000 values or 1,200 cases each, that every test of `make differential` draws.
BATCHES ?= 60
FUZZ_SECONDS ?= 60
# The jobs that `make proof` runs.
LONG ?= differential fuzz sanitize load mutation pgbouncer foreign free-threaded matrix
# Debian's suites, oldest first; each has another PgBouncer.
SUITES := bookworm trixie forky
# Each process has its own server, or its own databases. A process that is done takes over tests of another.
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal
UNTIMED := --override-ini faulthandler_timeout=0
# Tests that take most of the time, or that test neither the package nor its generator.
SLOW := differential integrations/test_alembic.py integrations/test_extension_under_load.py \
  integrations/test_fastapi.py integrations/test_pgbouncer.py integrations/test_sqlmodel.py \
  test_bench.py test_beyond_one_server.py test_coming_from.py test_demo.py test_examples.py test_faults.py \
  test_get_debian.py test_index_progress.py test_load.py test_load_parquet.py test_lock.py test_mutation.py \
  test_new_type.py test_package.py test_pages.py test_pgbouncer.py test_proof.py test_proportion.py test_recipes.py \
  test_release.py test_specs.py test_testing.py test_threads.py test_tune_search.py
EXAMPLE := examples/own_type/types.toml --out examples/own_type/own_types --sqlalchemy
WITH_OLDER_SQLALCHEMY = ASYNCPG_VECTOR_TEST_SQLALCHEMY=2.0 PYTHONPATH=$(CURDIR)/.venv/sqlalchemy-2.0 \
  $(PYTEST) tests/integrations --ignore=tests/integrations/test_pydantic.py
# The tests that run without the kernel too: those that encode or decode.
WITHOUT_KERNEL := ASYNCPG_VECTOR_IMPL=python $(PYTEST) $(addprefix --ignore=tests/,test_codegen.py \
  $(filter-out differential test_coming_from.py test_proportion.py test_specs.py test_testing.py test_threads.py,$(SLOW)))
FOR_TESTS := .venv/bench .venv/sqlalchemy-2.0 .venv/first-release .venv/pgbouncer/pgbouncer

.DEFAULT_GOAL := help
.PHONY: help demo examples recall quick test coverage differential mutation load pgbouncer free-threaded foreign sanitize holders matrix dist release proof corners check docs fuzz bench generate format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/demo $(KERNEL) ## search real text; QUERY="..." asks, DSN=... is your server
	@$(BIN)/python examples/semantic_search.py $(if $(DSN),--dsn "$$DSN") $(if $(QUERY),"$$QUERY")

examples: .venv/test ## run the commands of all examples, on embedded servers
	$(BIN)/python tests/with_server.py embedded $(BIN)/python -m tests.examples

recall: .venv/bench ## measure recall and time on the demo's text, for docs/tuning.md
	$(BIN)/python examples/tune_search.py --draw docs/recall

quick: .venv/test ## run the tests that notice most faults, in half a minute
	$(PYTEST) --hypothesis-profile=quick $(addprefix --ignore=tests/,$(SLOW))

test: $(FOR_TESTS) ## run all tests, against a PostgreSQL of their own
	$(PYTEST)
	$(if $(IS_NATIVE),$(WITHOUT_KERNEL),@echo "The native kernel is not tested.")
	$(WITH_OLDER_SQLALCHEMY)

coverage: $(FOR_TESTS) ## run all tests, which have to cover every line and branch
	$(if $(IS_NATIVE),,$(error expected the native kernel, since Python has lines for it, got $(ASYNCPG_VECTOR_IMPL)))
	$(PYTEST) --cov --cov-report= --cov-fail-under=0
	$(WITHOUT_KERNEL) --cov --cov-append --cov-report=term
	$(WITH_OLDER_SQLALCHEMY)

differential: .venv/test ## compare millions of values with the server, and the kernel with Python; BATCHES=...
	ASYNCPG_VECTOR_TEST_BATCHES=$(BATCHES) $(BIN)/pytest $(UNTIMED) tests/differential tests/test_implementations.py

# The faults are made in Python's code, which the kernel would hide.
mutation: export ASYNCPG_VECTOR_IMPL := python
mutation: .venv/test ## make thousands of faults, for the tests to notice; an hour
	$(BIN)/python -m tests.hand_made_mutants
	$(BIN)/python -m tests.mutation

load: .venv/test .venv/pgbouncer/pgbouncer ## a thousand tasks at once, and a million values
	$(BIN)/pytest $(UNTIMED) -m load -rP

pgbouncer: .venv/test $(SUITES:%=.venv/pgbouncer-%) ## test behind PgBouncer 1.18, 1.24 and 1.26
	@for suite in $(SUITES); do \
	  ASYNCPG_VECTOR_TEST_PGBOUNCER=.venv/pgbouncer-$$suite/usr/sbin/pgbouncer \
	    $(BIN)/pytest tests/test_pgbouncer.py tests/integrations/test_pgbouncer.py || exit; \
	done

# The files of tests that need no server, and the tests in them that do.
CODECS := wire text formats values inputs bad_input matrix any_input pickles roundtrip
OF_SERVER := matrix.py::test_through_the_server matrix.py::test_text_of_a_connection_that_is_not_registered
foreign: .venv/foreign .venv/foreign-s390x .venv/foreign-arm64 ## test on a big-endian machine and on aarch64, emulated
	$(BIN)/python -m tests.digest >.venv/digest
	@cat .venv/digest
	@for machine in s390x arm64; do \
	  tests/build_foreign_kernel .venv/foreign-$$machine || exit; \
	  for implementation in native python; do \
	    echo "$$machine, $$implementation:"; export ASYNCPG_VECTOR_IMPL=$$implementation; \
	    .venv/foreign-$$machine/python -m tests.digest | diff .venv/digest - || exit; \
	    .venv/foreign-$$machine/python -m pytest -p no:cacheprovider --no-header --hypothesis-profile=quick \
	      $(CODECS:%=tests/test_%.py) $(OF_SERVER:%=--deselect=tests/test_%) || exit; \
	  done; \
	done

# The kernel stands in a copy of the project, since only a process that loads the sanitizers first can load it. Python's
# own leaks are many. Its allocator would hide a small overflow.
OF_KERNEL := $(CODECS:%=tests/test_%.py) tests/test_implementations.py tests/test_kernel.py
SANITIZERS := -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all
sanitize: .venv/sanitized ## test the kernel under the sanitizers of addresses and of undefined behaviour
	cd $< && LD_PRELOAD="$$($(CC) -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONMALLOC=malloc \
	  ASYNCPG_VECTOR_IMPL=native PYTHONPATH=. $(CURDIR)/$(PYTEST) -p no:cacheprovider --hypothesis-profile=quick \
	  $(OF_KERNEL) $(OF_SERVER:%=--deselect=tests/test_%)

.venv/sanitized: .venv/test $(wildcard native/*) FORCE
	@rm -rf $@
	@mkdir $@
	@cp -r asyncpg_vector codegen fuzz specs tests pyproject.toml $@
	@rm -f $@/asyncpg_vector/_kernel.*
	$(COMPILE_KERNEL) $(SANITIZERS) -o $@/asyncpg_vector/_kernel$(call SYSCONFIG,get_config_var('EXT_SUFFIX'))

# libFuzzer is in a module of atheris. What counts coverage must not be counted itself.
LIBFUZZER = $(shell $(BIN)/python -c "from importlib.util import find_spec as find; print(find('atheris.core_with_libfuzzer').origin)")
.fuzz/kernel.so: $(wildcard native/*) fuzz/coverage.c | .venv/fuzz
	@mkdir -p $(@D)
	$(CC) -O1 -fPIC -fvisibility=hidden -c fuzz/coverage.c -o .fuzz/coverage.o
	$(COMPILE_KERNEL) .fuzz/coverage.o $(LIBFUZZER) $(COVERED) -o $@

# Compiles the kernel for a job that needs it compiled in another way.
SYSCONFIG = $(shell $(BIN)/python -c "import sysconfig; print(sysconfig.$(1))")
COMPILE_KERNEL = $(CC) -O1 -g -std=c11 -fPIC -shared -fno-trapping-math -fno-math-errno \
  -I$(call SYSCONFIG,get_paths()['include']) native/*.c

FORCE:

holders: .venv/check ## test with PyTorch, JAX and datasets, which take 2 GB
	$(BIN)/nox --session holders

matrix: .venv/check .venv/pgbouncer/pgbouncer .venv/pythons .venv/postgresql-17 .venv/postgresql-18 ## test with every supported version; an hour
	$(BIN)/nox

dist: .venv/dist .venv/pythons ## build the sdist and the wheels, check them, and search with each
	rm -rf dist
	$(BIN)/python -m hatchling build --target sdist
	ASYNCPG_VECTOR_BUILD=python $(BIN)/python -m hatchling build --target wheel
	$(BIN)/python tests/with_server.py embedded $(BIN)/nox --session wheels --no-error-on-missing-interpreters
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

# It needs no environment, and so runs before a release's jobs do.
release: ## say whether VERSION=... can be released, and change nothing
	@$(PYTHON) -m release "$$VERSION"

proof: .venv/test ## run all long jobs for docs/proof.md; LONG="..." runs some
	$(BIN)/python -m tests.proof $(LONG)

corners: .venv/check .venv/pgbouncer/pgbouncer .venv/pythons ## test with the oldest, the newest, and a new type
	$(PYTEST) --dist load -m copy tests/test_new_type.py tests/test_specs.py
	$(BIN)/nox --tags corners

free-threaded: .venv/check .venv/free-threaded/bin/python3.13t ## test without a GIL, on a Python that it builds
	$(BIN)/nox --session free_threaded

check: .venv/check ## lint, type-check, compare what is generated with its source
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/clang-format --dry-run --Werror native/*.c native/*.h
	$(BIN)/python native/make_powers.py | diff native/powers.h -
	$(BIN)/python -m codegen.project --check
	$(BIN)/python docs/picture.py --check
	$(BIN)/python -m codegen $(EXAMPLE) --check
	$(BIN)/python -m release.names --check
	$(BIN)/python -m release.wheels
	$(BIN)/zizmor --quiet --offline --persona pedantic .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

# The reference is the same with the kernel, whose classes lack annotations.
docs: .venv/docs ## build the pages in build/site; fails for a warning or a broken link
	$(BIN)/python docs/picture.py
	ASYNCPG_VECTOR_IMPL=python $(BIN)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet docs build/site
	@echo "The pages are in build/site/index.html."

# The kernel tells libFuzzer what an input reaches; where there is no compiler, Python alone is fuzzed.
COVERED := -fsanitize-coverage=trace-pc,trace-cmp
fuzz: .venv/fuzz $(if $(shell command -v $(CC)),.fuzz/kernel.so) ## look for inputs that break something; FUZZ_SECONDS=...
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

bench: .venv/bench .venv/first-release ## time this package and its peers, for docs/performance.md
	$(BIN)/python -m bench $(BENCH)

generate: .venv/test ## write the generated files, after an edit of the spec
	$(BIN)/python -m codegen.project
	$(BIN)/python -m codegen $(EXAMPLE)
	$(BIN)/python -m release.names
	$(BIN)/python native/make_powers.py >native/powers.h

format: .venv/check ## format the hand-written files, and apply the fixes of lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i native/*.c native/*.h

lock: .venv/check ## pin all that is installed, with hashes, in the lock file
	$(COMPILE) pyproject.toml --group dist >.venv/all.lock
	@set -e; for group in $(JOBS); do \
	  echo "# group: $$group"; \
	  $(COMPILE) pyproject.toml --group $$group --constraint .venv/all.lock; \
	done >.venv/jobs.lock
	@{ set -e; echo "# Made of pyproject.toml's dependency groups by: make lock"; \
	  awk '/^[a-z]/ { is_new = !seen[$$0]++ } /^\#/ || is_new' .venv/jobs.lock; \
	  for group in fuzz foreign first-release sqlalchemy-2-0; do \
	    echo "# group: $$group"; $(COMPILE) --no-deps --group $$group; \
	  done; } >.venv/requirements.lock
	mv .venv/requirements.lock requirements.lock

clean: ## remove the environment and the caches of the tools
	rm -rf .venv .fuzz .hypothesis .mypy_cache .nox build dist mutants .pytest_cache .ruff_cache asyncpg_vector/_kernel.*

# The lock file has a section for each group, since some groups exclude each other. The section of a job lacks
# the packages that the jobs before it install. Nothing is built in an isolated environment: its packages would
# not be pinned.
JOBS := demo test bench check docs dist
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
	@ASYNCPG_VECTOR_BUILD=python $(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

# The native kernel, in place. With a compiler, a failure is an error. Without one, the build says what it lacks.
$(KERNEL): .venv/demo hatch_build.py $(wildcard native/*)
	@rm -f .venv/kernel-*
	@ASYNCPG_VECTOR_BUILD=$(BUILD) $(BIN)/python -m hatchling build --hooks-only --target wheel:editable -d .venv
	@touch $@

.venv/test: .venv/demo | $(KERNEL)
.venv/bench: .venv/test
.venv/check: .venv/bench
.venv/docs: .venv/check
.venv/dist: .venv/docs
.venv/test .venv/bench .venv/check .venv/docs .venv/dist .venv/foreign .venv/fuzz:
	$(call ANNOUNCE,$(@F))
	@$(call LOCKED,$(@F))
	@touch $@

.venv/foreign .venv/fuzz: .venv/test

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

# The latest Pythons, wherever there is an apt-get: those of Debian 14, which is not released, and still changes. The
# kernel is built with their headers.
DEBIANS := 3.13 3.14 3.15
.venv/pythons: tests/get_debian | .venv/demo
	tests/get_debian $@ forky $(DEBIANS:%=python%) $(DEBIANS:%=libpython%-dev)

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
