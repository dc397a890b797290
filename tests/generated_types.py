"""Types of other extensions: the specs in tests/specs, their classes, and stand-ins on the server.

A stand-in is a type with the functions of ``bytea``, which store a payload unchanged. A cast to text,
written in SQL, reads the stored payload, and prints its numbers as the server prints numbers.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

from asyncpg_vector.runtime import number_format
from asyncpg_vector.runtime.formats import FORMATS, IntegerFormat
from codegen import __main__ as command
from codegen.spec import Type, load_spec

SPECS = sorted((Path(__file__).parent / "specs").glob("*.toml"))
MODELS: dict[str, Type] = {
    f"{path.stem}.{sql_name}": model
    for path in SPECS
    for sql_name, model in load_spec(path).types.items()
}
"""The types, by ``spec.type``; the spec's name is also the type's schema on the server."""

ORDERS = ["big", "little"]

TYPE_SQL = """
CREATE TYPE {type};
CREATE FUNCTION {type}_in(cstring) RETURNS {type} AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION {type}_out({type}) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION {type}_recv(internal) RETURNS {type} AS 'bytearecv' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION {type}_send({type}) RETURNS bytea AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE {type} (
    INPUT = {type}_in, OUTPUT = {type}_out, RECEIVE = {type}_recv, SEND = {type}_send, LIKE = bytea
);
"""

# substr() counts bytes from 1.
_NUMBERS_SQL = r"""
CREATE FUNCTION big(data bytea, place integer, width integer) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$
    SELECT ('x' || lpad(encode(substr(data, place + 1, width), 'hex'), 16, '0'))::bit(64)::bigint
$$;
CREATE FUNCTION little(data bytea, place integer, width integer) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$
    SELECT ('x' || lpad(CASE width
        WHEN 2 THEN regexp_replace(encode(substr(data, place + 1, 2), 'hex'), '(..)(..)', '\2\1')
        WHEN 4 THEN regexp_replace(
            encode(substr(data, place + 1, 4), 'hex'), '(..)(..)(..)(..)', '\4\3\2\1'
        )
    END, 16, '0'))::bit(64)::bigint
$$;
CREATE FUNCTION magnitude(exponent integer, fraction bigint, bits integer, bias integer)
RETURNS float8 LANGUAGE sql IMMUTABLE
AS $$
    SELECT (fraction + CASE WHEN exponent > 0 THEN 1::bigint << bits ELSE 0 END)::float8
        * 2::float8 ^ (greatest(exponent, 1) - bias - bits)
$$;
CREATE FUNCTION float_of(number bigint, width integer, bits integer) RETURNS float8 LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN number >> (width - 1) & 1 = 1 THEN -magnitude ELSE magnitude END
    FROM magnitude(
        (number >> bits & (1 << width - 1 - bits) - 1)::integer,
        number & (1::bigint << bits) - 1,
        bits,
        (1 << width - 2 - bits) - 1
    )
$$;
"""

# The text of the element at index n, from 0, for each dense type.
_DENSE = {
    "intvec.intvec": "((big(data, 4 + n, 1) + 128) % 256 - 128)::text",
    "float64.doublevec": "float_of(big(data, 2 + 8 * n, 8), 64, 52)::text",
    "bfloat16.bfloatvec": "float_of(big(data, 4 + 2 * n, 2), 16, 7)::float4::text",
    "uint8.bytevec": "big(data, 4 + n, 1)::text",
    "pgvecto_rs.vector": "float_of(little(data, 2 + 4 * n, 4), 32, 23)::float4::text",
    "pgvecto_rs.vecf16": "float_of(little(data, 2 + 2 * n, 2), 16, 10)::float4::text",
}
_DIMENSIONS = {
    "intvec.intvec": "big(data, 0, 2)",
    "float64.doublevec": "big(data, 0, 2)",
    "bfloat16.bfloatvec": "big(data, 0, 2)",
    "uint8.bytevec": "big(data, 0, 4)",
    "pgvecto_rs.vector": "little(data, 0, 2)",
    "pgvecto_rs.vecf16": "little(data, 0, 2)",
}
_DENSE_SQL = """
SELECT '[' || string_agg({element}, ',' ORDER BY n) || ']'
FROM generate_series(0, {dimensions}::integer - 1) AS n
"""
_SPARSE_SQL = """
SELECT '{' || coalesce(string_agg(
    little(data, 8 + 4 * n, 4) || ':'
        || float_of(little(data, 8 + 4 * nnz + 4 * n, 4), 32, 23)::float4, ',' ORDER BY n
), '') || '}/' || little(data, 0, 4)
FROM CAST(little(data, 4, 4) AS integer) AS nnz LEFT JOIN generate_series(0, nnz - 1) AS n ON true
"""
_BODIES = {
    **{
        name: _DENSE_SQL.format(element=element, dimensions=_DIMENSIONS[name])
        for name, element in _DENSE.items()
    },
    "pgvecto_rs.svector": _SPARSE_SQL,
}
_TEXT_SQL = """
CREATE FUNCTION {type}_text(value {type}) RETURNS text LANGUAGE sql IMMUTABLE
AS $$ SELECT text FROM {type}_send(value) AS data, LATERAL ({body}) AS printed (text) $$;
CREATE CAST ({type} AS text) WITH FUNCTION {type}_text({type});
"""


def database_sql() -> str:
    """Return SQL that creates every type in the schema of its spec, and casts for the text forms."""
    schemas = "".join(f"CREATE SCHEMA {path.stem};" for path in SPECS)
    types = "".join(TYPE_SQL.format(type=name) for name in MODELS)
    casts = "".join(_TEXT_SQL.format(type=name, body=body) for name, body in _BODIES.items())
    return schemas + _NUMBERS_SQL + types + casts


def _field(kind: str, what: Any, format_: str, **more: Any) -> str:
    keys = {kind: what, "format": format_, **more}
    return f"{{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in keys.items())} }}"


def _table(name: str, **keys: Any) -> str:
    lines = [f"{key.rstrip('_')} = {value}" for key, value in keys.items() if value is not None]
    return "\n".join([f"[types.{name}]", *lines, ""])


def big_spec() -> str:
    """A spec with every format, layout and byte order, with and without the optional keys."""
    integers = [name for name in FORMATS if isinstance(number_format(name, "big"), IntegerFormat)]
    tables = []
    for n, (name, order) in enumerate(product(FORMATS, ORDERS)):
        format_ = number_format(name, "big")
        element = f'{{ format = "{name}", width = {format_.width} }}'
        digits = {"int": "integer"}.get(format_.number.__name__, "float32")
        digits = f'digits = "{"float64" if name == "float64" else digits}"'
        counting = integers[n % len(integers)]
        index = number_format(counting, "big")
        dimensions = _field("counts", "dimensions", counting)
        constant = _field("constant", n, counting, name="version")
        attributes = [
            _field("attribute", f"of_{each}", each) for each in FORMATS if each != "bfloat16"
        ]
        common = {"byte_order": f'"{order}"', "element": element}
        dense = {**common, "layout": '"dense"'}
        sparse = {
            **common,
            "layout": '"sparse"',
            "index": f'{{ format = "{counting}", width = {index.width} }}',
        }
        tables += [
            _table(f"dense_{name}_{order}", **dense, class_=f'"Dense{n}"', header=f"[{constant}, {dimensions}]", text=f"{{ {digits} }}"),
            _table(f"attributed_{name}_{order}", **dense, class_=f'"Attributed{n}"', header=f"[{', '.join([*attributes[n % 9 :], dimensions, *attributes[: n % 9]])}]"),
            _table(f"sparse_{name}_{order}", **sparse, class_=f'"Sparse{n}"', header=f"[{_field('counts', 'nnz', 'uint16', max=9)}, {dimensions}, {constant}]", text=f"{{ {digits}, first_index = {n % 3} }}", aggregates='["avg"]'),
            _table(f"textless_{name}_{order}", **sparse, class_=f'"Textless{n}"', header=f"[{dimensions}, {_field('counts', 'nnz', counting)}]", built_in="true"),
        ]  # fmt: skip
    for order in ORDERS:
        length = _field("counts", "length", "uint16", max=100)
        version = _field("constant", 7, "int32", name="version")
        tables.append(
            _table(f"bits_{order}", class_=f'"Bits{order.capitalize()}"', layout='"bits"', byte_order=f'"{order}"', bit_order='"most_significant_first"', header=f"[{version}, {length}]")
            + f'[types.bits_{order}.metrics.hamming]\noperator = "<~>"\noperator_classes = {{}}\n'
        )  # fmt: skip
    return "\n".join(tables)


def generate(spec: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the generator's command in this process."""
    arguments = [str(spec), "--out", str(out), *options]
    printed, told = StringIO(), StringIO()
    with (
        patch.object(sys, "argv", ["codegen", *arguments]),
        redirect_stdout(printed),
        redirect_stderr(told),
    ):
        status = command.main()
    return subprocess.CompletedProcess(arguments, status, printed.getvalue(), told.getvalue())


def import_package(folder: Path) -> Any:
    """Import the generated package in a folder."""
    with patch.object(sys, "path", [str(folder.parent), *sys.path]):
        importlib.invalidate_caches()
        return importlib.import_module(folder.name)
