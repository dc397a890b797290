"""Finds a column, its indexes, and the statements that search by them.

A part of tune_search.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asyncpg_vector import Bit, HalfVector, InvalidValueError, TypeInfo, Vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[Any]

TYPES = {cls.info.sql_name: cls.info for cls in (Vector, HalfVector)}
SETTINGS = {"hnsw": "hnsw.ef_search", "ivfflat": "ivfflat.probes"}
OVERSAMPLING = (4, 16, 64)
"""How many candidates from IVFFlat's bits are compared again, as multiples of the wanted rows."""

FIND_COLUMNS = """
SELECT c.oid, c.oid::regclass::text AS table, quote_ident(a.attname) AS name, a.attname AS plain,
    t.typname AS type, a.atttypmod AS dimensions
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'm')
    AND (c.relname = $1 AND pg_table_is_visible(c.oid) OR n.nspname || '.' || c.relname = $1)
"""

FIND_INDEXES = """
SELECT c.relname AS name, am.amname AS method, o.opcname AS operator_class,
    pg_get_indexdef(c.oid, 1, true) AS key,
    (SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'lists')
        AS lists
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am am ON am.oid = c.relam
JOIN pg_opclass o ON o.oid = i.indclass[0]
WHERE i.indrelid = $1 AND am.amname = ANY($2::text[]) AND i.indisvalid AND i.indpred IS NULL
ORDER BY c.relname
"""


class Form(NamedTuple):
    """What an index may hold of a column: its values, or less precise ones."""

    name: str
    key: str
    query: str
    """The parameter, in this form."""
    info: TypeInfo
    metric: str

    @property
    def distance(self) -> str:
        """The distance between the key and the query, in SQL."""
        return f"{self.key} {self.info.metrics[self.metric].operator} {self.query}"

    def operator_class(self, method: str) -> str | None:
        """Return the operator class of an index with this key, if the method has one."""
        return self.info.metrics[self.metric].operator_classes.get(method)


class Column(NamedTuple):
    """A column to search, with names as SQL has them in quotes."""

    oid: int
    table: str
    name: str
    dimensions: int
    rows: int
    """How many are not NULL."""
    forms: Sequence[Form]
    """First the column itself."""


class Index(NamedTuple):
    """An index that serves the metric."""

    name: str
    method: str
    form: Form
    lists: int | None


class Way(NamedTuple):
    """A statement that searches, and the index that it has to use."""

    name: str
    statement: str
    by: Index
    rows: int
    """How many rows it has to return."""


async def find_column(conn: Connection, table: str, name: str, metric: str) -> Column:
    """Ask the server for a column that can be searched by a metric."""
    rows = await conn.fetch(FIND_COLUMNS, table)
    if not rows:
        raise InvalidValueError(
            f"expected a table or a materialized view, got {table!r}, which is not in the search "
            "path; write schema.table for one that is elsewhere"
        )
    fit = {each["plain"]: each for each in rows if each["type"] in TYPES and each["dimensions"] > 0}
    if name not in fit:
        raise InvalidValueError(
            f"expected a column of {' or '.join(TYPES)} with a number of dimensions in {table}, "
            f"got {name!r}; {table} has {', '.join(fit) or 'none'}"
        )
    row = fit[name]
    filled = await conn.fetchval(f"SELECT count({row['name']}) FROM {row['table']}")
    if filled < 2:
        raise InvalidValueError(f"expected rows to search for in {table} ({name}), found {filled}")
    forms = make_forms(row["name"], row["type"], row["dimensions"], metric)
    return Column(row["oid"], row["table"], row["name"], row["dimensions"], filled, forms)


def make_forms(column: str, type_: str, dimensions: int, metric: str) -> list[Form]:
    """Return what indexes may hold of a column: first the column itself."""
    info = TYPES[type_]
    if metric not in info.metrics:
        raise InvalidValueError(
            f"expected a metric among {', '.join(info.metrics)}, got {metric!r}"
        )
    query, half, bits = f"$1::{type_}", f"halfvec({dimensions})", f"bit({dimensions})"
    itself = Form(type_, column, query, info, metric)
    halves = Form("halfvec", f"{column}::{half}", f"{query}::{half}", HalfVector.info, metric)
    quantized, quantized_query = (f"binary_quantize({each})::{bits}" for each in (column, query))
    return [
        itself,
        *([halves] if type_ == "vector" else []),
        Form("bits", quantized, quantized_query, Bit.info, "hamming"),
    ]


async def find_indexes(conn: Connection, column: Column) -> list[Index]:
    """Return the indexes of all rows of a column that serve its metric."""
    return [
        Index(row["name"], row["method"], form, row["lists"])
        for row in await conn.fetch(FIND_INDEXES, column.oid, [*SETTINGS])
        for form in column.forms
        if bare(row["key"]) == bare(form.key)
        and row["operator_class"] == form.operator_class(row["method"])
    ]


def bare(expression: str) -> str:
    """Return an expression without brackets and spaces, which the server writes in its own way."""
    return expression.translate(str.maketrans("", "", "() "))


def choose_indexes(indexes: Sequence[Index], column: Column, name: str | None) -> list[Index]:
    """Return the index of a name, or all: those of a method together, the column's own first."""
    chosen = [index for index in indexes if name in (None, index.name)]
    if not chosen:
        wanted = "an index" if name is None else f"the index {name!r}"
        there = ", ".join(index.name for index in indexes)
        raise InvalidValueError(
            f"expected {wanted} of {' or '.join(SETTINGS)} for {column.forms[0].metric} on "
            f"{column.table} ({column.name}), found {there or 'none'}; --build builds such indexes"
        )
    return sorted(chosen, key=lambda index: (index.method, column.forms.index(index.form)))


def make_statements(column: Column, present: Iterable[Index], method: str) -> Iterator[str]:
    """Yield a ``CREATE INDEX`` for each form that has none, as far as the method takes it."""
    have = {index.form.name for index in present if index.method == method}
    # pgvector's advice: a list for each 1,000 rows.
    options = f" WITH (lists = {max(1, column.rows // 1000)})" if method == "ivfflat" else ""
    for form in column.forms:
        operator_class = form.operator_class(method)
        fits = column.dimensions <= form.info.max_indexed[method]
        if operator_class and fits and form.name not in have:
            key = f"({form.key}) {operator_class}"
            yield f"CREATE INDEX ON {column.table} USING {method} ({key}){options}"


def make_ways(column: Column, index: Index, k: int) -> Iterator[Way]:
    """Yield the searches by an index. One by bits compares candidates again, by the column.

    A query is a row of the table, and is among its own nearest: k + 1 rows are asked for. An HNSW
    index returns up to ef_search rows, and all of them are candidates: fewer would only lose rows.
    """
    nearest = f"FROM {column.table} ORDER BY {index.form.distance} LIMIT"
    name = index.form.name
    if index.method != "hnsw":
        name = f"{name}, {index.method}"
    if index.form.name != "bits":
        yield Way(name, f"SELECT ctid {nearest} {k + 1}", index, k + 1)
        return
    limits = {f"bits x{factor}, {index.method}": str(factor * k) for factor in OVERSAMPLING}
    if index.method == "hnsw":
        limits = {name: "current_setting('hnsw.ef_search')::int"}
    for way, limit in limits.items():
        yield Way(
            way,
            f"SELECT row FROM (SELECT ctid AS row, {column.name} {nearest} {limit}) AS candidates "
            f"ORDER BY {column.forms[0].distance} LIMIT {k + 1}",
            index,
            k + 1,
        )
