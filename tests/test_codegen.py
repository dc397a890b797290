"""The generator: the specs that it refuses, the files that it writes, and the drift that it finds."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import strategies as st
from jinja2 import UndefinedError

import asyncpg_vector
import asyncpg_vector.sqlalchemy
from asyncpg_vector import InvalidTypeError, InvalidValueError
from asyncpg_vector.sqlalchemy.indexes import IndexOptions
from asyncpg_vector.testing import draw, values
from codegen import project as command
from codegen import render as render_module
from codegen.files import compare, write
from codegen.index_methods import RESERVED
from codegen.project import TARGET
from codegen.render import MARKER, Target, render
from codegen.spec import TAKEN, SpecError, load_spec
from tests.needs import needs_numpy, np
from tests.spec_types import ROOT, TYPES

VALUES, COLUMN_TYPES = GENERATED = TARGET.folders
VECTOR = VALUES / "vector.py"
PAGES = [
    Path("docs", name)
    for name in ("types.md", "formats.md", "index-methods.md", "api/values.rst", "api/columns.rst")
]

PROJECT = ROOT.parent if ROOT.name == "mutants" else ROOT
"""The project itself, and not a mutation run's copy, whose generated files have mutants."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that the generator reads or writes."""
    keep_out = shutil.ignore_patterns("__pycache__")
    for name in ("asyncpg_vector", "codegen", "docs", "specs"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=keep_out)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def codegen(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, on a project and with the project's templates."""
    out, err = StringIO(), StringIO()
    with (
        patch.object(command, "ROOT", project),
        patch.object(render_module, "__file__", str(project / "codegen" / "render.py")),
        patch.object(sys, "argv", ["codegen", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = command.main()
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def contents(project: Path) -> dict[Path, bytes]:
    files = [path for folder in GENERATED for path in (project / folder).glob("*")]
    files += [project / page for page in PAGES]
    return {path: path.read_bytes() for path in files if path.is_file()}


# Drift


def test_what_is_committed_is_what_the_spec_gives() -> None:
    checked = codegen(PROJECT, "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout == ""


def test_nothing_to_do_writes_nothing(project: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in contents(project)}
    done = codegen(project)
    assert (done.returncode, done.stdout) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in contents(project)} == before


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        (VECTOR, "16_000", "61_000"),
        (VALUES / "__init__.py", '"vector": Vector', '"rotcev": Vector'),
        (COLUMN_TYPES / "vector.py", '"<->"', '"->-"'),
        (COLUMN_TYPES / "__init__.py", '"vector": VECTOR', '"rotcev": VECTOR'),
        (Path("docs/types.md"), "| 16,000 dimensions", "| 61,000 dimensions"),
        (Path("docs/formats.md"), "| 65504 |", "| 65505 |"),
        (Path("docs/index-methods.md"), "2 to 100", "2 to 200"),
        (Path("docs/api/values.rst"), "autoclass:: Vector", "autoclass:: Rotcev"),
        (Path("docs/api/columns.rst"), "autoclass:: VECTOR", "autoclass:: ROTCEV"),
    ],
)
def test_a_changed_file(project: Path, path: Path, right: str, wrong: str) -> None:
    good = (project / path).read_text()
    (project / path).write_text(good.replace(right, wrong))
    checked = codegen(project, "--check")
    assert checked.returncode == 1
    assert f"--- {path}\n+++ {path}\n" in checked.stdout
    assert re.search(f"^-.*{re.escape(wrong)}", checked.stdout, re.MULTILINE)
    assert re.search(rf"^\+.*{re.escape(right)}", checked.stdout, re.MULTILINE)
    told = "generated files differ from the spec: generate them again\n"
    assert checked.stderr == told
    assert codegen(project).stdout == f"wrote {path}\n"
    assert (project / path).read_text() == good


def test_other_settings_of_the_formatter(project: Path) -> None:
    """The generator's own settings apply, and not a ruff.toml beside the files."""
    (project / "asyncpg_vector" / "ruff.toml").write_text("line-length = 40\n")
    assert codegen(project, "--check").stdout == ""


def test_a_missing_file(project: Path) -> None:
    (project / VECTOR).unlink()
    checked = codegen(project, "--check")
    assert checked.returncode == 1
    assert f"--- /dev/null\n+++ {VECTOR}\n" in checked.stdout
    assert not (project / VECTOR).exists()
    assert codegen(project).stdout == f"wrote {VECTOR}\n"
    assert codegen(project, "--check").returncode == 0


@pytest.mark.parametrize("folder", GENERATED, ids=str)
def test_an_orphan(project: Path, folder: Path) -> None:
    orphan = folder / "left_over.py"
    (project / orphan).write_text(f"{MARKER} from another spec.\nleft = 'over'\n")
    checked = codegen(project, "--check")
    assert checked.returncode == 1
    assert f"--- {orphan}\n+++ /dev/null\n" in checked.stdout
    assert codegen(project).stdout == f"removed {orphan}\n"
    assert not (project / orphan).exists()


def test_a_diff(tmp_path: Path) -> None:
    """The diff has every file that differs, in the order of paths, to the character."""
    new = {Path(name): f"{name}\n1\n" for name in ("same.py", "changed.py", "missing.py", "bytes")}
    write(new, tmp_path, GENERATED)
    assert compare(new, tmp_path, GENERATED) == ""
    (tmp_path / "changed.py").write_text("changed.py\n2\n")
    (tmp_path / "missing.py").unlink()
    (tmp_path / "bytes").write_bytes(b"bytes\n\xff\n")
    for folder in GENERATED:
        (tmp_path / folder / "__pycache__").mkdir(parents=True)
        (tmp_path / folder / "__pycache__" / "left_over.pyc").touch()
    (tmp_path / VALUES / "left_over.py").write_text(f"{MARKER}\n")
    (tmp_path / VALUES / "somebodys.py").write_text("somebody's own\n")
    assert compare(new, tmp_path, GENERATED) == (
        f"--- asyncpg_vector/_generated/left_over.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-{MARKER}\n"
        "--- bytes\n+++ bytes\n@@ -1,2 +1,2 @@\n bytes\n-\\xff\n+1\n"
        "--- changed.py\n+++ changed.py\n@@ -1,2 +1,2 @@\n changed.py\n-2\n+1\n"
        "--- /dev/null\n+++ missing.py\n@@ -0,0 +1,2 @@\n+missing.py\n+1\n"
    )


def test_what_was_written(tmp_path: Path) -> None:
    """The changed paths are returned in order; missing folders are made."""
    files = {Path(name): name for name in ("b/b/b.py", "b/b/a.py", "a.py")}
    changed = [Path("a.py"), Path("b/b/a.py"), Path("b/b/b.py")]
    assert write(files, tmp_path, GENERATED) == changed
    orphan = VALUES / "left_over.py"
    (tmp_path / orphan).parent.mkdir(parents=True)
    (tmp_path / orphan).write_text(MARKER)
    (tmp_path / "b/b/a.py").write_text("stale")
    (tmp_path / "a.py").write_text("stale")
    assert write(files, tmp_path, GENERATED) == [Path("a.py"), orphan, Path("b/b/a.py")]
    assert compare(files, tmp_path, GENERATED) == ""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("somebodys.py", b""),
        ("somebodys.py", b"#" + MARKER.encode()),
        (".vector.py.swp", b"\xff\0"),
    ],
)
def test_what_the_generator_has_not_written(project: Path, name: str, data: bytes) -> None:
    """Files without the marker are left alone."""
    path = project / VALUES / name
    path.write_bytes(data)
    assert codegen(project, "--check").stdout == ""
    assert codegen(project).stdout == ""
    assert path.read_bytes() == data


def test_other_line_ends(project: Path) -> None:
    good = (project / VECTOR).read_bytes()
    (project / VECTOR).write_bytes(good.replace(b"\n", b"\r\n"))
    assert codegen(project, "--check").returncode == 1
    codegen(project)
    assert (project / VECTOR).read_bytes() == good


def test_a_type_that_leaves_the_spec_leaves_the_package(project: Path) -> None:
    spec = project / "specs" / "types.toml"
    text = spec.read_text()
    of_bit = re.compile(
        r"\[types\.bit\].*?(?=\n# pgvector's methods)|binary_quantize = .*?\n", re.DOTALL
    )
    spec.write_text(of_bit.sub("", text))
    written = codegen(project).stdout
    for folder in GENERATED:
        assert f"removed {folder / 'bit.py'}\n" in written
    assert "`Bit`" not in (project / "docs" / "types.md").read_text()
    imported = "import asyncpg_vector as v; assert not hasattr(v, 'Bit'); v.Vector([1])"
    subprocess.run([sys.executable, "-c", imported], cwd=project, check=True)


def test_the_output_is_the_same_everywhere(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = contents(project)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for seed, cwd in (("1", project), ("2", elsewhere)):
        for folder in GENERATED:
            shutil.rmtree(project / folder)
        environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONHASHSEED": seed}
        subprocess.run(
            [sys.executable, "-m", "codegen.project"], cwd=cwd, env=environment, check=True
        )
        assert contents(project) == first


def test_help(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(SystemExit, match="0"),
        patch.object(command, "ROOT", tmp_path),  # a command that misread its arguments would write
        patch.object(sys, "argv", ["codegen", "--help"]),
    ):
        command.main()
    usage = capsys.readouterr().out
    assert " ".join(usage.split()) == (
        "usage: python -m codegen.project [-h] [--check] "
        "Generates asyncpg_vector's own files, and the pages of docs/ that list the facts of the spec. "
        "`python -m codegen.project` writes the files, and `python -m codegen.project --check` "
        "compares them. This module is not installed. options: -h, --help show this help message and exit "
        "--check write nothing, and print a diff"
    )


# Failures


def test_a_template_that_makes_no_python(project: Path) -> None:
    """The formatter refuses the source: the old files stay, and the source is saved."""
    template = project / "codegen" / "templates" / "sparse.py.jinja"
    template.write_text(template.read_text().replace("class {{", "klass {{"))
    before = contents(project)
    done = codegen(project)
    assert done.returncode == 2
    assert re.search(f"invalid-syntax.*\n.*{VALUES}/sparsevec.py", done.stderr)
    kept = Path(done.stderr.rpartition("kept in ")[2].strip())
    assert "klass SparseVector" in (kept / VALUES / "sparsevec.py").read_text()
    shutil.rmtree(kept)
    assert contents(project) == before


def test_a_template_that_names_what_there_is_not(project: Path) -> None:
    template = project / "codegen" / "templates" / "bits.py.jinja"
    template.write_text(template.read_text().replace("type.class_name", "type.klass"))
    before = contents(project)
    with pytest.raises(UndefinedError, match="has no attribute 'klass'"):
        codegen(project)
    assert contents(project) == before


@pytest.mark.parametrize(
    ("method", "nth"), [("write_bytes", 3), ("replace", 1), ("replace", 2), ("replace", 4)]
)
def test_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, nth: int
) -> None:
    """The old files stay, and no temporary file is left."""
    old = {Path(name): f"old {name}" for name in ("a.py", "b.py", "README.md")}
    new = {path: text.replace("old", "new") for path, text in old.items()}
    new[Path("c.py")] = "new c.py"
    write(old, tmp_path, GENERATED)
    original, calls = getattr(Path, method), []

    def fail(self: Path, *arguments: object) -> object:
        calls.append(self)
        if len(calls) == nth:
            raise OSError("no space left")
        return original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, fail)
        with pytest.raises(OSError, match="no space left"):
            write(new, tmp_path, GENERATED)
    assert compare(old, tmp_path, GENERATED) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "a.py", "b.py"]


# Specs


DIMENSIONS = '{ counts = "dimensions", format = "uint16", max = 16_000 }'
UNUSED = '{ constant = 0, format = "uint16", name = "unused" }'


def header(*fields: str) -> str:
    """The header of a spec; by default, the fields of pgvector's vector."""
    return f"[{', '.join(fields or (DIMENSIONS, UNUSED))}]"


def vector(**changes: str | None) -> str:
    """A spec of one dense type, with changed keys; None removes a key."""
    keys = {
        "class": '"Vector"',
        "layout": '"dense"',
        "byte_order": '"big"',
        "header": header(),
        "element": '{ format = "float32", width = 4 }',
        "text": '{ digits = "float32" }',
        "extension": '"vector"',
        "since": '"0.1.1"',
        **changes,
    }
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    return "\n".join(["[types.vector]", *lines, ""])


NNZ = '{ counts = "nnz", format = "int32", max = 16_000 }'


def sparse(**changes: str | None) -> str:
    """A spec of one sparse type, with changed keys; the default header lacks nnz."""
    keys = {"layout": '"sparse"', "index": '{ format = "int32", width = 4 }', "text": None}
    return vector(**{**keys, **changes})


def bits(**changes: str | None) -> str:
    """A spec of one bits type, with changed keys."""
    length = '{ counts = "length", format = "int32" }'
    keys = {"layout": '"bits"', "bit_order": '"most_significant_first"', "header": header(length)}
    return vector(**{**keys, "element": None, "text": None, **changes})


METRIC = (
    '[types.vector.metrics.l2]\noperator = "<->"\noperator_classes = { hnsw = "vector_l2_ops" }\n'
)

OPTION = '{ type = "integer", min = 2, max = 100, default = 16, source = "hnsw.h" }'
FUNCTION = '{ returns = "integer", since = "0.1", source = "vector.sql" }'


def method(**changes: str | None) -> str:
    """A spec of an index method and of a type, with changed keys of the method."""
    keys = {"extension": '"vector"', "since": '"0.5.0"', "source": '"hnsw.c"', **changes}
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    return "\n".join([vector(), "[index_methods.hnsw]", *lines, ""])


def option(old: str = "", new: str = "") -> str:
    """A spec of an index method with an option m, of which a part is changed."""
    return method(options=f"{{ m = {OPTION.replace(old, new)} }}")


def other(**changes: str | None) -> str:
    """A second type of a spec."""
    return vector(**{"class": '"Other"', **changes}).replace("types.vector", "types.other")


BAD_METHODS = [
    (method(extension=None), "index_methods.hnsw.extension: missing key"),
    (method(colour="1"), "index_methods.hnsw.colour: unknown key"),
    (option("integer", "whole"), "index_methods.hnsw.options.m.type: Input should be 'integer', 'number', 'integers', 'boolean' or 'choice'"),
    (option('type = "integer", '), "index_methods.hnsw.options.m.type: missing key"),
    (option("min = 2, "), "index_methods.hnsw.options.m.min: missing key"),
    (option(', source = "hnsw.h"'), "index_methods.hnsw.options.m.source: missing key"),
    (option("= 16", "= 1"), "index_methods.hnsw.options.m: expected a default from 2 to 100, got 1"),
    (option("= 100", "= 1"), "index_methods.hnsw.options.m: expected min up to max, got 2 and 1"),
    (option("= 100", "= 100.5"), "index_methods.hnsw.options.m.max: Input should be a valid integer"),
    (option("source", 'at_least = "2 * n", source'), "index_methods.hnsw: expected a multiple of another option, got n"),
    (option("source", 'at_least = "n * 2", source'), "index_methods.hnsw.options.m.at_least: String should match"),
    (option("source", 'key = "a.b", source'), "index_methods.hnsw: expected the key document and options with keys in it, or neither"),
    (method(document='"options"'), "index_methods.hnsw: expected the key document and options with keys in it, or neither"),
    (method(settings=f"{{ m = {OPTION} }}"), "index_methods.hnsw.settings.m: expected the name of a setting, as method.setting, got m"),
    (method(settings='{ "hnsw.m" = ' + OPTION.replace("source", 'key = "a", source') + " }"), "index_methods.hnsw: expected no key of a setting"),
    (method(options='{ scan = { type = "number", min = 0, max = 1, default = 2.5, source = "x" } }'), "index_methods.hnsw.options.scan: expected a default from 0 to 1, got 2.5"),
    (method(options='{ scan = { type = "choice", values = ["a"], source = "x" } }'), "index_methods.hnsw.options.scan.values: List should have at least 2 items"),
    (method(options='{ scan = { type = "choice", values = ["a", "b"], default = "c", source = "x" } }'), "index_methods.hnsw.options.scan: expected a default among the values, got c"),
    (method(options='{ scan = { type = "boolean", default = 1, source = "x" } }'), "index_methods.hnsw.options.scan.default: Input should be a valid boolean"),
    (method() + METRIC.replace("hnsw =", "hsnw ="), "types: vector: hsnw is none of the index methods"),
    (
        method(settings=f'{{ "hnsw.m" = {OPTION} }}')
        + '[index_methods.other]\nextension = "x"\nsince = "1.0"\nsource = "x"\n'
        + 'settings = { "hnsw.m" = { type = "boolean", default = true, source = "x" } }',
        "types: expected hnsw.m to be the same in all index methods",
    ),
    (vector(functions=f"{{ f = {FUNCTION.replace('integer', 'text')} }}"), "types: vector: f returns none of the types, nor integer or float64"),
    (vector(functions=f"{{ f = {FUNCTION.replace('since', 'arguments = { n = 1 }, since')} }}"), "types.vector.functions.f.arguments.n: Input should be 'integer'"),
    (vector(functions=f"{{ l2_distance = {FUNCTION} }}") + METRIC, "types: expected functions of distinct names, got l2_distance twice"),
    (vector(functions=f"{{ class = {FUNCTION} }}"), "types.vector.functions.class: 'class' is a Python keyword"),
    (
        vector(functions=f"{{ f = {FUNCTION} }}") + other(functions=f"{{ f = {FUNCTION.replace('integer', 'vector')} }}"),
        "types: expected f to return one type, or each type its own",
    ),
    (
        vector(functions=f"{{ f = {FUNCTION} }}") + other(functions='{ f = { arguments = { n = "integer" }, ' + FUNCTION[1:] + " }"),
        "types: expected the same arguments of f for all types",
    ),
    (vector(functions=f"{{ call = {FUNCTION} }}"), "types: call is a name of the generated code's own, and no function's"),
    (option().replace("{ m =", "{ quote ="), "index_methods.hnsw: quote is an argument of vector_index(), and no option"),
    (method(document='"m"', options=f"{{ m = {OPTION}, n = " + OPTION.replace("source", 'key = "n", source') + " }"), "index_methods.hnsw: expected options with distinct names and keys"),
    (method(options='{ scan = { type = "number", min = 0, max = inf, default = 2, source = "x" } }'), "index_methods.hnsw.options.scan.max: Input should be a finite number"),
    (
        vector(functions=f"{{ f = {FUNCTION.replace('integer', 'other')} }}")
        + other(functions=f"{{ f = {FUNCTION.replace('integer', 'vector')} }}"),
        "types: expected f to return one type, or each type its own",
    ),
    (vector(arithmetic='["/"]'), "types.vector.arithmetic.0: Input should be '+', '-', '*' or '||'"),
    (vector(array_metrics='{ max_sim = { operator = "@#" } }'), "types.vector.array_metrics.max_sim.operator_classes: missing key"),
]  # fmt: skip

BAD_SPECS = [
    *BAD_METHODS,
    ("[types.vector\n", "invalid TOML: Expected ']'"),
    ("x = " + "[" * 5000, "invalid TOML: "),
    ("x = " + "9" * 5000, "invalid TOML: "),
    (vector(max_indexed="{ hnsw = 2_147_483_648 }"), "types.vector.max_indexed.hnsw: Input should be less than or equal to 2147483647"),
    (vector() + "[types.vector]\n", "invalid TOML"),
    ("", "types: missing key"),
    ("[types]\n", "types: Dictionary should have at least 1 item"),
    ("types = 1", "types: Input should be a valid dictionary"),
    ("[types]\nvector = 1", "types.vector: Input should be"),
    ("[typos.vector]\n" + vector(), "typos: unknown key"),
    (vector(colour='"red"'), "types.vector.colour: unknown key"),
    (vector(max_nnz="5"), "types.vector.max_nnz: unknown key"),
    (vector(element='{ format = "float32", width = 4, x = 1 }'), "types.vector.element.x: unknown key"),
    (vector() + METRIC + "x = 1\n", "types.vector.metrics.l2.x: unknown key"),
    *[(vector(**{key: None}), f"types.vector.{key}: missing key") for key in ("class", "byte_order", "header", "element")],
    (vector(layout=None), "types.vector.layout: missing key"),
    (vector(layout='"diagonal"'), "types.vector.layout: Input should be 'dense', 'sparse' or 'bits'"),
    (sparse(index=None), "types.vector.index: missing key"),
    (vector(layout='"bits"'), "types.vector.element: unknown key"),
    (vector(element='{ format = "float32" }'), "types.vector.element.width: missing key"),
    (vector(element='{ format = "float32", width = 2 }'), "types.vector.element: float32 is 4 bytes wide, not 2"),
    (vector(element='{ format = "float128", width = 16 }'), "types.vector.element.format: unknown format 'float128'; known are float16, float32, float64, bfloat16, int8, uint8, int16, uint16, int32, uint32"),
    (vector(element='"float32"'), "types.vector.element: Input should be"),
    *[
        (vector(header=header(DIMENSIONS.replace("16_000", most))), f"types.vector.header.0.max: Input should be {reason}")
        for most, reason in (('"16000"', "a valid integer"), ("16000.0", "a valid integer"), ("true", "a valid integer"), ("0", "greater than 0"))
    ],
    (vector(header=header(DIMENSIONS.replace("16_000", "65_536"))), "types.vector.header.0: 65536 does not fit uint16"),
    (vector(header=header(DIMENSIONS.replace("uint16", "float32"))), "types.vector.header.0: expected an integer's format, got float32"),
    (vector(header=header(DIMENSIONS.replace("uint16", "int64"))), "types.vector.header.0.format: unknown format 'int64'; known are float16, "),
    (vector(header=header(DIMENSIONS, '{ format = "uint16", name = "unused" }')), "types.vector.header.1: expected exactly one of the keys counts, constant, attribute"),
    (vector(header=header('{ counts = "dimensions", constant = 1, format = "uint16" }')), "types.vector.header.0: expected exactly one of the keys"),
    (vector(header=header(DIMENSIONS, "1")), "types.vector.header.1: expected exactly one of the keys"),
    (vector(header=header('{ counts = "elements", format = "uint16" }')), "types.vector.header.0.counts: Input should be 'dimensions', 'nnz' or 'length'"),
    (vector(header=header('{ counts = "dimensions" }')), "types.vector.header.0.format: missing key"),
    (vector(header=header(DIMENSIONS, UNUSED.replace("name", "label"))), "types.vector.header.1.label: unknown key"),
    (vector(header=header(DIMENSIONS, UNUSED.replace(', name = "unused"', ""))), "types.vector.header.1.name: missing key"),
    (vector(header=header(DIMENSIONS, UNUSED.replace("= 0", "= -1"))), "types.vector.header.1: -1 does not fit uint16"),
    (vector(header=header(DIMENSIONS, UNUSED.replace("uint16", "float16"))), "types.vector.header.1: expected an integer's format, got float16"),
    (vector(header=header(DIMENSIONS, UNUSED.replace("= 0", "= 0.5"))), "types.vector.header.1.constant: Input should be a valid integer"),
    (vector(header="[]"), "types.vector.header: List should have at least 1 item"),
    (vector(header=header(UNUSED)), "types.vector: expected a header that counts dimensions once each, got none"),
    (vector(header=header(DIMENSIONS, DIMENSIONS)), "types.vector: expected a header that counts dimensions once each, got dimensions, dimensions"),
    (vector(header=header(DIMENSIONS, '{ counts = "nnz", format = "int32" }')), "types.vector: expected a header that counts dimensions once each, got dimensions, nnz"),
    (vector(header=header(DIMENSIONS, UNUSED, UNUSED)), "types.vector: expected fields of distinct names, got unused twice"),
    (vector(header=header(DIMENSIONS, UNUSED.replace('"unused"', '"elements"'))), "types.vector: expected fields of distinct names, got elements twice"),
    (vector(header=header(DIMENSIONS, UNUSED.replace('"unused"', '"Unused"'))), "types.vector.header.1.name: String should match"),
    (vector(header=header(DIMENSIONS, '{ attribute = "to_list", format = "float32" }')), "types.vector: to_list is a name of the value class's own"),
    (vector(header=header(DIMENSIONS, '{ attribute = "value", format = "float32" }')), "types.vector: value is a name of the generated code's own"),
    *[
        (vector(header=header(DIMENSIONS, f'{{ attribute = "{name}", format = "float32" }}')), f"types.vector: {name} is a name of the value class's own")
        for name in ("info", "codec", "element_format", "layout")
    ],
    *[
        (vector(header=header(DIMENSIONS, UNUSED.replace('"unused"', f'"{name}"'))), f"types.vector: {name} is a name of the generated code's own")
        for name in ("data", "size", "len", "int", "float", "wire_error")
    ],
    (vector(header=header(DIMENSIONS, '{ attribute = "norm", format = "bfloat16" }')), "types.vector.header.1: bfloat16 is a format of elements"),
    (vector(header=header(DIMENSIONS, '{ attribute = "norm", format = "float32", max = 5 }')), "types.vector.header.1.max: unknown key"),
    (sparse(), "types.vector: expected a header that counts dimensions and nnz once each, got dimensions"),
    (sparse(header=header(DIMENSIONS, NNZ, '{ attribute = "norm", format = "float32" }')), "types.vector: expected attributes in dense types only, whose constructors take them, got norm"),
    (sparse(header=header(DIMENSIONS, NNZ), index='{ format = "float32", width = 4 }'), "types.vector: expected an integer's format of an index, got float32"),
    (sparse(header=header(DIMENSIONS, NNZ), index='{ format = "int8", width = 1 }'), "types.vector: the last index of 16,000 dimensions does not fit int8"),
    (sparse(header=header(DIMENSIONS, NNZ), text='{ digits = "float32" }'), "types.vector.text.first_index: missing key"),
    (sparse(header=header(DIMENSIONS, NNZ), text='{ digits = "float32", first_index = -1 }'), "types.vector.text.first_index: Input should be greater than or equal to 0"),
    (bits(bit_order='"least_significant_first"'), "types.vector.bit_order: Input should be 'most_significant_first'"),
    (bits(bit_order=None), "types.vector.bit_order: missing key"),
    (bits(header=header(DIMENSIONS)), "types.vector: expected a header that counts length once each, got dimensions"),
    (vector(header=header(DIMENSIONS, '{ attribute = "norm", format = "float32" }')), "types.vector: expected no text form of a type with attributes"),
    (vector(byte_order='"middle"'), "types.vector.byte_order: Input should be 'big' or 'little'"),
    *[
        (vector(source=f'"a{character}b"'), "types.vector.source: String should match")
        for character in (r"\"", r"\n", r"\r", r"\u0000", r"\u007F", r"\u2028")
    ],
    (vector(text='{ digits = "roman" }'), "types.vector.text.digits: unknown digits 'roman'; known are float32, float64, integer"),
    (vector(text='{ digits = "integer" }'), "types.vector: integer are not the digits of float32"),
    (vector(element='{ format = "uint8", width = 1 }'), "types.vector: float32 are not the digits of uint8"),
    (vector(element='{ format = "float64", width = 8 }'), "types.vector: float32 are not the digits of float64"),
    (vector(text='{ digits = "float32", first_index = 1 }'), "types.vector.text.first_index: unknown key"),
    *[
        (vector(**{"class": f'"{name}"'}), "types.vector.class: ")
        for name in ("", "My Vector", "vector", "Vec-tor", "1Vector", "None", "Vektör", "Codec", "Metric")
    ],
    *[
        (vector().replace("types.vector", f'types."{name}"'), f"types.{name}: ")
        for name in ("my vector", "2vector", "Vector", "class", "my-vector", "a.b", "..", "", "__init__")
    ],
    (vector().replace("types.vector", "types.class"), "types.class: 'class' is a Python keyword"),
    (vector() + vector().replace("types.vector", "types.other"), "types: vector and other have the same class Vector"),
    (vector(**{"class": '"VECTOR"'}), "types: VECTOR is the name of vector's column type, and no class's"),
    (vector(**{"class": '"OTHER"'}) + vector().replace("types.vector", "types.other"), "types: vector and other have the same class OTHER"),
    (vector().replace("types.vector", "types.array"), "types: ARRAY is a name of the package's own"),
    (vector().replace("types.vector", "types.sqlalchemy"), "types: SQLALCHEMY is a name of the package's own"),
    (vector(aggregates='["avg", "avg"]'), "types.vector: expected metrics and aggregates of distinct names, got ['avg', 'avg']"),
    (vector(aggregates='["l2_distance"]') + METRIC, "types.vector: expected metrics and aggregates of distinct names"),
    (vector() + METRIC + METRIC.replace("l2]", 'ip]\nmethod = "l2_distance"'), "types.vector: expected metrics and aggregates of distinct names"),
    (vector(extension=None), "types.vector: expected extension and since, or built_in = true, or none of these"),
    (vector(since=None), "types.vector: expected extension and since"),
    (vector(built_in="true"), "types.vector: expected extension and since"),
    (vector(extension=None, since=None, built_in="false"), "types.vector.built_in: Input should be True"),
    (vector(since='"0"'), "types.vector.since: String should match"),
    (vector(since='"0.7b"'), "types.vector.since: String should match"),
    (vector(max_indexed="{ hnsw = -1 }"), "types.vector.max_indexed.hnsw: Input should be greater than 0"),
    (vector() + METRIC.replace("<->", "l2; DROP"), "types.vector.metrics.l2.operator: String should match"),
    (vector() + METRIC.replace("vector_l2_ops", "x y"), "types.vector.metrics.l2.operator_classes.hnsw: "),
    (vector() + METRIC.replace("operator =", "operators ="), "types.vector.metrics.l2.operator: missing key"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), BAD_SPECS)
def test_bad_spec(tmp_path: Path, text: str, fault: str) -> None:
    """The message names the file, the key and the reason."""
    path = tmp_path / "types.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert any(line.startswith(f"{path}: {fault}") for line in str(caught.value).splitlines())


def test_names_that_are_taken() -> None:
    """Names that the package exports, or that a generated module imports, are taken."""
    ours = {type_.value_class.__name__ for type_ in TYPES}
    taken = {*asyncpg_vector.__all__, *asyncpg_vector.sqlalchemy.__all__}
    for path in (path for folder in GENERATED for path in (PROJECT / folder).glob("*.py")):
        imports = (
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
        )
        taken |= {alias.name for node in imports for alias in node.names}
    column_types = {type_.sql_name.upper() for type_ in TYPES}
    assert {name for name in taken if name[0].isupper()} - ours - column_types <= {
        *TAKEN,
        "TYPE_CHECKING",
    }


def test_names_that_no_option_has() -> None:
    """They are the other arguments of `vector_index()`."""
    arguments = inspect.signature(asyncpg_vector.sqlalchemy.vector_index).parameters
    assert {*RESERVED} == {*arguments, *IndexOptions.__annotations__}


@pytest.mark.parametrize("data", [b"[types.v\xff]", None])
def test_a_spec_that_cannot_be_read(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "types.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SpecError, match="types.toml: (invalid TOML: .*utf-8|No such file)"):
        load_spec(path)


def test_the_spec_that_the_bad_ones_are_made_of(tmp_path: Path) -> None:
    path = tmp_path / "types.toml"
    for text in (vector(), sparse(header=header(DIMENSIONS, NNZ)), bits()):
        path.write_text(text + METRIC)
        assert load_spec(path).types["vector"].metrics["l2"].operator == "<->"


def test_a_bad_spec_is_refused_before_anything_is_written(project: Path) -> None:
    spec = project / "specs" / "types.toml"
    spec.write_text(spec.read_text().replace("width = 2", "width = 3", 1))
    (project / VECTOR).write_text("stale\n")
    before = contents(project)
    for arguments in ((), ("--check",)):
        done = codegen(project, *arguments)
        assert done.returncode == 2
        assert done.stderr == f"{spec}: types.halfvec.element: float16 is 2 bytes wide, not 3\n"
        assert contents(project) == before


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "types.toml"
    path.write_text(vector(colour='"red"', since='"x"'))
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert len(str(caught.value).splitlines()) == 2


# Types of other packages


def import_package(spec: Path, folder: Path) -> ModuleType:
    """Generate a package of a spec, and import it by the folder's name."""
    name = Path(folder.name)
    target = Target(values=name, columns=None)
    write(render(load_spec(spec), spec.name, target), folder.parent, target.folders)
    sys.path.insert(0, str(folder.parent))
    try:
        return import_module(folder.name)
    finally:
        sys.path.remove(str(folder.parent))


def limited(folder: Path, **limits: int) -> Any:
    """Generate a dense type and one of bits, with these limits."""
    spec = folder / "types.toml"
    spec.write_text(f"""
        [types.few]
        class = "Few"
        layout = "dense"
        byte_order = "big"
        header = [{{ counts = "dimensions", format = "uint8", max = {limits["dimensions"]} }}]
        element = {{ format = "int8", width = 1 }}
        [types.flags]
        class = "Flags"
        layout = "bits"
        byte_order = "big"
        bit_order = "most_significant_first"
        header = [{{ counts = "length", format = "uint8", max = {limits["length"]} }}]
    """)
    out = folder / f"limited_to_{limits['length']}"
    return import_package(spec, out)


@pytest.mark.parametrize("most", [1, 64])
def test_low_limits(tmp_path: Path, most: int) -> None:
    """Of a type whose largest value is smaller than most that are drawn of others."""
    classes = limited(tmp_path, dimensions=most, length=most)
    sizes = {len(value) for value in draw(values(classes.Few), 300)}
    assert {1, most} <= sizes <= {*range(1, most + 1)}
    sizes = {len(value) for value in draw(values(classes.Flags), 300)}
    assert {0, most} <= sizes <= {*range(most + 1)}


def test_a_sparse_type_without_a_text_form(tmp_path: Path) -> None:
    spec = tmp_path / "types.toml"
    spec.write_text(sparse(header=header(DIMENSIONS, NNZ)))
    cls = import_package(spec, tmp_path / "without_text").Vector
    for form in (cls({0: 1}, 3).to_text, lambda: cls.from_text("{1:1}/3")):
        with pytest.raises(InvalidTypeError, match="a binary form of vector, which has no text fo"):
            form()


@needs_numpy
def test_the_most_flags_of_an_array(tmp_path: Path) -> None:
    flags = limited(tmp_path, dimensions=9, length=9).Flags
    assert len(flags(np.ones(9, bool))) == 9
    with pytest.raises(InvalidValueError, match="^expected 0 to 9 bits for flags, got 10$"):
        flags(np.ones(10, bool))


def test_a_later_class_is_a_strategy(tmp_path: Path) -> None:
    """The class is generated after the import of Hypothesis; its attributes are drawn too."""
    spec = tmp_path / "types.toml"
    spec.write_text("""
        [types.scaled]
        class = "Scaled"
        layout = "dense"
        byte_order = "little"
        header = [
            { counts = "dimensions", format = "uint8" },
            { attribute = "scale", format = "float32" },
        ]
        element = { format = "uint8", width = 1 }
    """)
    scaled = import_package(spec, tmp_path / "later_types").Scaled
    drawn = draw(st.from_type(scaled), 300)
    assert {type(value) for value in drawn} == {scaled}
    assert {0.0, 1.0} < {value.scale for value in drawn}
    assert {0, 1, 255} <= {number for value in drawn for number in value.to_list()}
    sizes = {len(value) for value in drawn}
    assert 1 in sizes
    assert sizes & {254, 255}
