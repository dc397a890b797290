# The Python that the environment is made with; any from 3.10 on.
PYTHON ?= python3
BIN := .venv/bin
# How many batches of 2,000 values each test of `make differential` draws.
BATCHES ?= 60

.DEFAULT_GOAL := help
.PHONY: help demo test differential check bench generate format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: .venv/installed ## search real text in a real PostgreSQL; QUERY="..." asks, DSN=... uses your server
	@$(BIN)/python examples/semantic_search.py $(if $(DSN),--dsn "$$DSN") $(if $(QUERY),"$$QUERY")

test: .venv/installed .venv/sqlalchemy-2.0 .venv/first-release ## run all tests, against a PostgreSQL of their own
	$(BIN)/pytest
	ASYNCPG_VECTOR_TEST_SQLALCHEMY=2.0 PYTHONPATH=.venv/sqlalchemy-2.0 $(BIN)/pytest tests/integrations

differential: .venv/installed ## compare millions of values with the server; BATCHES=... sets how many
	ASYNCPG_VECTOR_TEST_BATCHES=$(BATCHES) $(BIN)/pytest tests/differential

check: .venv/installed ## lint, type-check, and compare the generated files with the spec
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m codegen --check

bench: .venv/first-release ## time this package beside its peers, and write docs/ and the README's table
	$(BIN)/python -m bench $(BENCH)

generate: .venv/installed ## write the generated files, after an edit of specs/types.toml or a template
	$(BIN)/python -m codegen

format: .venv/installed ## format the hand-written files, and mend what lint can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove the environment and what the tools keep
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Made anew when the pins change. pip 25.1 is the first to read dependency groups.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip==26.3
	$(BIN)/python -m pip install --quiet --group dev --editable .
	@touch $@

# Folders of their own: an older SQLAlchemy, for whoever has it on the path before the newer one, and
# the first release of this package.
.venv/sqlalchemy-2.0: .venv/installed
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ --group sqlalchemy-2-0
	@touch $@

.venv/first-release: .venv/installed
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ --group first-release
	@touch $@

export DSN QUERY
