"""Adding a type is an edit of specs/types.toml and `make generate`, and nothing else.

Types are added to a copy of the project. The server has them too: pgvector's own C functions serve a
type of any name. The suite of the copy is the judge: `make corners` runs it.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.processes import UNMEASURED
from tests.processes import run_python as run
from tests.spec_types import ROOT
from tests.test_registration import TYPE_SQL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NEW_TYPES = """
[types.embedding]
class = "SentenceEmbeddingVector"
layout = "dense"
byte_order = "big"
header = [
    { counts = "dimensions", format = "uint16", max = 16_000 },
    { constant = 0, format = "uint16", name = "unused" },
]
element = { format = "float32", width = 4 }
text = { digits = "float32" }
extension = "vector"
since = "0.9.0"

[types.bag]
class = "BagOfWords"
layout = "sparse"
byte_order = "big"
header = [
    { counts = "dimensions", format = "int32", max = 1_000_000_000 },
    { counts = "nnz", format = "int32", max = 16_000 },
    { constant = 0, format = "int32", name = "unused" },
]
element = { format = "float32", width = 4 }
index = { format = "int32", width = 4 }
text = { digits = "float32", first_index = 1 }
extension = "vector"
since = "0.9.0"

[types.brainvec]
class = "BrainVector"
layout = "dense"
byte_order = "little"
header = [
    { constant = 7, format = "uint8", name = "version" },
    { counts = "dimensions", format = "uint32", max = 20_000 },
]
element = { format = "bfloat16", width = 2 }
text = { digits = "float32" }
extension = "vector"
since = "0.9.0"

[types.widevec]
class = "WideVector"
layout = "dense"
byte_order = "little"
header = [{ counts = "dimensions", format = "int32", max = 20_000 }]
element = { format = "float64", width = 8 }
text = { digits = "float64" }
extension = "vector"
since = "0.9.0"

[types.longtail]
class = "LongTail"
layout = "sparse"
byte_order = "little"
header = [
    { counts = "nnz", format = "uint16", max = 16_000 },
    { counts = "dimensions", format = "uint32", max = 4_000_000_000 },
]
element = { format = "float64", width = 8 }
index = { format = "uint32", width = 4 }
text = { digits = "float64", first_index = 0 }
extension = "vector"
since = "0.9.0"

[types.intvec]
class = "IntVector"
layout = "dense"
byte_order = "big"
header = [
    { counts = "dimensions", format = "uint16", max = 16_000 },
    { constant = 0, format = "uint16", name = "unused" },
]
element = { format = "int8", width = 1 }
text = { digits = "integer" }
extension = "vector"
since = "0.9.0"
aggregates = ["centroid"]

[types.intvec.metrics.tanimoto]
operator = "<%%>"
operator_classes = { hnsw = "intvec_tanimoto_ops" }

[types.intvec.metrics.overlap]
operator = "<&>"
operator_classes = {}
method = "least_overlap"
"""

NEW = ["embedding", "bag", "brainvec", "widevec", "longtail", "intvec"]

# The server has the first two types. Their functions are pgvector's, and the extension owns them.
NEW_TYPES_SQL = "".join(
    TYPE_SQL.format(name=name, of=of).replace("SEND =", f"TYPMOD_IN = {name}_typmod_in, SEND =")
    .replace(f"CREATE TYPE {name} (", f"""
        CREATE FUNCTION {name}_typmod_in(cstring[]) RETURNS integer
            AS '$libdir/vector', '{of}_typmod_in' LANGUAGE c IMMUTABLE STRICT;
        CREATE FUNCTION {name}_equal({name}, {name}) RETURNS boolean
            AS '$libdir/vector', '{of}_eq' LANGUAGE c IMMUTABLE STRICT;
        CREATE TYPE {name} (""")
    + f"""
    CREATE OPERATOR = (LEFTARG = {name}, RIGHTARG = {name}, FUNCTION = {name}_equal);
    CREATE FUNCTION {name}_cast({name}, integer, boolean) RETURNS {name}
        AS '$libdir/vector', '{of}' LANGUAGE c IMMUTABLE STRICT;
    CREATE CAST ({name} AS {name}) WITH FUNCTION {name}_cast AS IMPLICIT;
    ALTER EXTENSION vector ADD TYPE {name};
    """
    for name, of in (("embedding", "vector"), ("bag", "sparsevec"))
)  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with more types in its spec and in its test database."""
    project = tmp_path_factory.mktemp("new") / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".[!g]*", ".git", "__pycache__"))
    for path, text in (("specs/types.toml", NEW_TYPES), ("tests/database.sql", NEW_TYPES_SQL)):
        with (project / path).open("a") as file:
            file.write(text)
    run(project, "-m", "codegen.project")
    return project


def suite(project: Path, files: Sequence[str], *options: str, **environment: str) -> str:
    """Run files of the copy's suite, in another folder: pytest would clear this suite's away."""
    ways = (f"--basetemp={project.parent / 'pytest'}", "--hypothesis-profile=quick")
    paths = [f"tests/{name}.py" for name in files]
    command = ["-m", "pytest", "-v", "-p", "no:cacheprovider", *ways, *paths, *options]
    return run(project, *command, **UNMEASURED, **environment)


def test_importable(project: Path) -> None:
    script = (
        "from asyncpg_vector import BagOfWords, IntVector, SentenceEmbeddingVector as Embedding\n"
        "print(Embedding([1, 0.5]), BagOfWords({1: 2}, 3), IntVector([1, -128]).to_binary().hex())"
    )
    assert (
        run(project, "-c", script)
        == "SentenceEmbeddingVector([1, 0.5]) BagOfWords({1: 2}, 3) 000200000180\n"
    )


def test_an_element_that_is_an_integer(project: Path) -> None:
    """No number is rounded silently, and elements read out as ints."""
    script = """
import numpy as np
from asyncpg_vector import IntVector, Vector
value = IntVector(np.array([1.0, -2.0]))
assert value == IntVector(Vector([1, -2])) == IntVector.from_text("[1, -2]")
assert repr(value.to_list()) == "[1, -2]" and value.to_numpy().dtype == np.int8
for numbers in ([1.5], [128], [-129], [float("nan")], np.array([0.5]), ["1"], [None]):
    try:
        IntVector(numbers)
    except (TypeError, ValueError) as error:
        print(error)
    else:
        raise AssertionError(numbers)
"""
    assert len(run(project, "-c", script).splitlines()) == 7


def test_a_column_type(project: Path) -> None:
    """A column type has metrics, aggregates and operator classes, and its value class a JSON schema."""
    script = """
from sqlalchemy import Column, MetaData, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex
from asyncpg_vector.sqlalchemy import INTVEC, vector_index
from pydantic import TypeAdapter
from asyncpg_vector import IntVector
index = vector_index("i", "v", metric="tanimoto")
v = Table("t", MetaData(), Column("v", INTVEC(3)), index).c.v
query = select(v.tanimoto_distance([1, 2, 3]), v.least_overlap(v), v.centroid())
for clause in (query, CreateIndex(index)):
    print(" ".join(str(clause.compile(dialect=postgresql.dialect())).split()))
print(TypeAdapter(IntVector).json_schema()["items"])
"""
    assert run(project, "-c", script) == (
        "SELECT t.v <%%%%> %(v_1)s::INTVEC AS anon_1, t.v <&> t.v AS anon_2, "
        "centroid(t.v) AS centroid_1 FROM t\n"
        "CREATE INDEX i ON t USING hnsw (v intvec_tanimoto_ops)\n"
        "{'type': 'integer'}\n"
    )


def test_listed_in_the_documentation(project: Path) -> None:
    types = (project / "docs" / "types.md").read_text()
    assert (
        "| [`embedding`](#embedding) | `SentenceEmbeddingVector` | float32 | 16,000 dimensions | "
        "extension vector 0.9.0 |" in types
    )
    assert "| [`intvec`](#intvec) | `IntVector` | int8 |" in types
    assert "| [`bag`](#bag) | `BagOfWords` | float32, zeros left out |" in types
    formats = (project / "docs" / "formats.md").read_text()
    assert "| `int8` | [`intvec`](types.md#intvec) |" in formats
    assert ".. autoclass:: IntVector" in (project / "docs" / "api" / "values.rst").read_text()


@pytest.mark.copy
def test_checked(project: Path) -> None:
    """The new modules pass the checks of generated code, format, lint and types, without exceptions."""
    run(project, "-m", "codegen.project", "--check")
    run(project, "-m", "ruff", "format", "--check", "asyncpg_vector")
    run(project, "-m", "ruff", "check", "asyncpg_vector")
    run(project, "-m", "mypy", "asyncpg_vector")


@pytest.mark.copy
def test_under_test(project: Path) -> None:
    """The copy's suite tests the codecs of the new types."""
    files = ["test_roundtrip", "test_wire", "test_inputs", "test_values", "test_bad_input"]
    files += ["test_fuzz_cases", "test_proportion", "test_security"]
    output = suite(project, files, "-k", " or ".join(NEW))
    for name in NEW:
        assert len(re.findall(rf"::test_.*\b{name}\b.* PASSED", output)) > 10
        assert re.search(rf"test_roundtrip.py::test_wire\[{name}\] PASSED", output)
        assert re.search(rf"test_fuzz_cases.py::test_sample\[{name}-text\] PASSED", output)


@pytest.mark.copy
def test_under_test_on_the_server(project: Path, server_dsn: str) -> None:
    """The copy's suite tests the new types on the server, like the old ones."""
    files = ["test_server", "test_asyncpg", "integrations/test_engine", "integrations/test_columns"]
    chosen = ["-k", "embedding or bag"]
    output = suite(project, files, *chosen, ASYNCPG_VECTOR_TEST_DSN=server_dsn)
    for name in ("embedding", "bag"):
        for test in (
            "server.py::test_echo[{}]",
            "server.py::test_text[{}]",
            "asyncpg.py::test_null[{}]",
            "engine.py::test_echo[registered-{}]",
            "columns.py::test_literals[registered-{}]",
        ):
            assert f"{test.format(name)} PASSED" in output


@pytest.mark.copy
def test_nothing_else_needs_an_edit(project: Path, server_dsn: str) -> None:
    """The tests that name no type hold as they are."""
    suite(
        project,
        ["test_registration", "test_pages", "test_codegen", "integrations/test_schema"],
        ASYNCPG_VECTOR_TEST_DSN=server_dsn,
    )


def test_registered(project: Path, server_dsn: str) -> None:
    script = """
import asyncio, os, sys
import asyncpg
from asyncpg_vector import BagOfWords, SentenceEmbeddingVector as Embedding, register_vector

async def main():
    admin = await asyncpg.connect(sys.argv[1])
    name = f"asyncpg_vector_new_types_{os.getpid()}"
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        conn = await asyncpg.connect(sys.argv[1], database=name)
        await conn.execute(open("tests/database.sql").read())
        print(*await register_vector(conn))
        values = [Embedding([1, 2]), BagOfWords({1: 2}, 3)]
        row = await conn.fetchrow("SELECT $1::embedding, $2::bag, '[1,2]'::embedding(2)", *values)
        assert list(row) == [*values, values[0]], row
        await conn.close()
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

asyncio.run(main())
"""
    assert run(project, "-c", script, server_dsn) == "vector halfvec sparsevec embedding bag\n"
