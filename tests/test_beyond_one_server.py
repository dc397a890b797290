"""The example and its page: partitions on two other servers, and a standby."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import AsyncIterator
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from itertools import chain
from math import ceil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from asyncpg_vector import HalfVector, register_vector
from asyncpg_vector._generated import VALUE_CLASSES
from tests.server import folder_in_memory
from tests.spec_types import ROOT, SpecType, _largest, each_type

EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "beyond-one-server.md").read_text()
ON_SHARD, ON_COORDINATOR, THROUGH_PARTITIONS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
(ON_STANDBY,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

PRINTED = r"""COPY into the partitions: \d{4} \+ \d{4} rows
Bit-exact: True
Without extensions, each shard gets:
    SELECT name, embedding FROM public\.documents
With extensions 'vector', each shard gets:
    (.*) ORDER BY \(embedding OPERATOR\(public\.<=>\) '\[…\]'\) ASC NULLS LAST
Partition by partition, each shard gets:
    (.*) ORDER BY \(embedding OPERATOR\(public\.<=>\) '\[…\]'\) ASC NULLS LAST LIMIT 5::bigint
As on one server: True
As on one server: True
(    0\.\d{3} [\w.]+\n){5}From the standby: \d{4} rows, bit-exact: True
A write there: cannot execute DELETE in a read-only transaction
"""


@pytest.fixture(scope="module")
async def example() -> AsyncIterator[SimpleNamespace]:
    """The example, its servers, and what it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        steps = SimpleNamespace(**runpy.run_path(str(EXAMPLES / "beyond_one_server.py")))
    records, question = steps.embed_text()
    printed = StringIO()
    with TemporaryDirectory(dir=folder_in_memory()) as folder, ExitStack() as running:
        names = ("coordinator", "shard-0", "shard-1")
        servers = [
            running.enter_context(steps.embedded_server(Path(folder) / name)) for name in names
        ]
        with redirect_stdout(printed):
            await steps.spread_and_search(servers, records, question)
        standby = running.enter_context(steps.running_standby(servers[1], Path(folder) / "standby"))
        with redirect_stdout(printed):
            await steps.read_from_standby(servers[1], standby, records)
        yield SimpleNamespace(
            steps=steps,
            servers=servers,
            standby=standby,
            question=question,
            printed=printed.getvalue(),
        )


@pytest.fixture(scope="module")
async def cluster(example: SimpleNamespace) -> AsyncIterator[SimpleNamespace]:
    """Connections to the databases that the page's statements make."""
    hosts = [example.steps.host(server) for server in example.servers]
    connections = []
    for host in hosts:
        admin = await asyncpg.connect(host=host, user="postgres", database="postgres")
        await admin.execute("CREATE DATABASE app")
        await admin.close()
        connections.append(await asyncpg.connect(host=host, user="postgres", database="app"))
    coordinator, *shards = connections
    for shard in shards:
        await shard.execute(ON_SHARD)
    hosted = re.sub("'shard-([01])'", lambda name: f"'{hosts[1 + int(name[1])]}'", ON_COORDINATOR)
    await coordinator.execute(hosted)
    for conn in connections:
        await register_vector(conn, types=VALUE_CLASSES)
    yield SimpleNamespace(
        coordinator=coordinator, shards=shards, remote_sql=example.steps.remote_sql
    )
    for conn in connections:
        await conn.close()


def test_example(example: SimpleNamespace) -> None:
    assert re.fullmatch(PRINTED, example.printed), example.printed
    assert "shutil.make_archive" in example.printed


async def test_a_shard_uses_its_index(example: SimpleNamespace) -> None:
    """It does so even for a cursor without a LIMIT, from which only the first rows are fetched."""
    steps = example.steps
    coordinator, shard = [await steps.connect(server) for server in example.servers[:2]]
    await shard.execute(
        "CREATE INDEX by_cosine ON documents USING hnsw (embedding halfvec_cosine_ops)"
    )
    for query in (steps.THROUGH_PARENT, steps.THROUGH_PARTITIONS):
        sent = (await steps.remote_sql(coordinator, query, example.question))[0]
        sent = sent.replace("[…]", example.question.to_text())
        plan = await shard.fetch(f"EXPLAIN DECLARE nearest CURSOR FOR {sent}")
        assert any("Index Scan using by_cosine" in line for (line,) in plan), plan
    await coordinator.close()
    await shard.close()


@each_type
async def test_each_type(cluster: SimpleNamespace, type_: SpecType) -> None:
    """Values, the extremes among them, come back bit for bit, alone and in arrays."""
    coordinator, shard = cluster.coordinator, cluster.shards[0]
    await make_table(
        cluster, f"extreme_{type_}", f"n int, value {varying(type_)}, row {varying(type_)}[]"
    )
    records = [(n, value, [value, None, value]) for n, value in enumerate(extremes(type_))]
    await coordinator.copy_records_to_table(f"extreme_{type_}", records=records)
    again = [(n + len(records), *rest) for n, *rest in records]
    await coordinator.executemany(f"INSERT INTO extreme_{type_} VALUES ($1, $2, $3)", again)
    expected = [wires(value, row) for _, value, row in (*records, *again)]
    for conn in (coordinator, shard):
        rows = await conn.fetch(f"SELECT value, row FROM extreme_{type_} ORDER BY n")
        assert [wires(*row) for row in rows] == expected


@each_type
async def test_each_metric(cluster: SimpleNamespace, type_: SpecType) -> None:
    """The order and the limit are the shard's, for a parameter that is planned as such or as a constant."""
    coordinator, shard = cluster.coordinator, cluster.shards[0]
    await make_table(cluster, f"near_{type_}", f"n int, value {varying(type_)}")
    random = Random(1)
    records = [
        (n, type_.value_class([random.random() > 0.5 for _ in range(32)])) for n in range(50)
    ]
    await coordinator.copy_records_to_table(f"near_{type_}", records=records)
    for metric in type_.value_class.info.metrics.values():
        distance = f"value {metric.operator} $1"
        query = f"SELECT n, {distance} FROM near_{type_} ORDER BY {distance} LIMIT 7"
        (sent,) = await cluster.remote_sql(coordinator, query, records[0][1])
        assert f"ORDER BY (value OPERATOR(public.{metric.operator}) " in sent
        assert sent.endswith(" LIMIT 7::bigint")
        expected = await shard.fetch(query, records[0][1])
        for mode in ("force_generic_plan", "force_custom_plan"):
            await coordinator.execute(f"SET plan_cache_mode = {mode}")
            assert await coordinator.fetch(query, records[0][1]) == expected
        assert len({row[1] for row in expected}) > 1


async def test_through_partitions(cluster: SimpleNamespace) -> None:
    """Both shards have rows; without indexes, the page's query and the parent find the same."""
    await cluster.coordinator.execute("TRUNCATE items")
    for shard in cluster.shards:
        await shard.execute("DROP INDEX items_embedding_idx")
    random = Random(2)
    records = [(n, HalfVector([random.uniform(-1, 1) for _ in range(3)])) for n in range(1000)]
    await cluster.coordinator.copy_records_to_table("items", records=records)
    counts = [await shard.fetchval("SELECT count(*) FROM items") for shard in cluster.shards]
    assert sum(counts) == 1000
    assert min(counts) > 300
    query = "SELECT id, embedding <=> $1 AS distance FROM items ORDER BY distance LIMIT 10"
    for each, limit in ((query, ""), (THROUGH_PARTITIONS, " LIMIT 10::bigint")):
        for sent in await cluster.remote_sql(cluster.coordinator, each, records[0][1]):
            assert sent.endswith(f" ASC NULLS LAST{limit}")
    found = await cluster.coordinator.fetch(THROUGH_PARTITIONS, records[0][1])
    assert found[0]["id"] == 0
    assert await cluster.coordinator.fetch(query, records[0][1]) == found


async def test_settings_of_a_shard(cluster: SimpleNamespace) -> None:
    """A SET on the coordinator stays there; the server's options reach the shard."""
    setting = "SELECT current_setting('hnsw.ef_search') AS setting"
    await cluster.shards[0].execute(f"CREATE VIEW settings AS {setting}")
    await cluster.coordinator.execute(
        "SET hnsw.ef_search = 7; CREATE FOREIGN TABLE settings (setting text) SERVER shard_0"
    )
    assert await cluster.coordinator.fetchval("SELECT setting FROM settings") == "100"


async def test_batches(cluster: SimpleNamespace) -> None:
    """COPY sends a shard a statement for each batch of rows."""
    await cluster.coordinator.execute("TRUNCATE items")
    for shard in cluster.shards:
        await shard.execute(
            """
            CREATE TABLE statements (number serial);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN INSERT INTO public.statements DEFAULT VALUES; RETURN NULL; END $$;
            CREATE TRIGGER note AFTER INSERT ON items EXECUTE FUNCTION note();
            """
        )
    records = [(n, HalfVector([n, 0, 1])) for n in range(1000)]
    await cluster.coordinator.copy_records_to_table("items", records=records)
    for shard in cluster.shards:
        rows, statements = [
            await shard.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("items", "statements")
        ]
        assert statements == ceil(rows / 100) > 3
        await shard.execute("DROP TRIGGER note ON items")


async def test_a_failed_copy_stores_nothing(cluster: SimpleNamespace) -> None:
    await cluster.coordinator.execute("TRUNCATE items")
    records = [(n % 999, HalfVector([n, 0, 1])) for n in range(1000)]
    with pytest.raises(asyncpg.UniqueViolationError):
        await cluster.coordinator.copy_records_to_table("items", records=records)
    for shard in cluster.shards:
        assert await shard.fetchval("SELECT count(*) FROM items") == 0


async def test_another_schema(cluster: SimpleNamespace) -> None:
    """Rows travel as text, but an operator is named with its schema."""
    coordinator, shard = cluster.coordinator, cluster.shards[0]
    await make_table(cluster, "moved", "value halfvec(3)")
    await shard.execute("CREATE SCHEMA extensions; ALTER EXTENSION vector SET SCHEMA extensions")
    value = HalfVector([1, -0.0, 6e-8])
    try:
        await coordinator.execute("INSERT INTO moved VALUES ($1)", value)
        assert wires(await coordinator.fetchval("SELECT value FROM moved")) == wires(value)
        with pytest.raises(
            asyncpg.UndefinedFunctionError,
            match="^operator does not exist: extensions.halfvec public.<=> unknown\n",
        ):
            await coordinator.fetch("SELECT value FROM moved ORDER BY value <=> $1 LIMIT 1", value)
    finally:
        await shard.execute("ALTER EXTENSION vector SET SCHEMA public; DROP SCHEMA extensions")


async def test_standby(example: SimpleNamespace, cluster: SimpleNamespace) -> None:
    """What a waiting commit has stored is there; a search works, and a write does not."""
    primary = cluster.shards[0]
    await primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await primary.execute("SELECT pg_reload_conf()")
    await primary.execute("SET synchronous_commit = remote_apply; CREATE TABLE read (value vector)")
    pool = await pool_of_page(example)
    assert await pool.fetchval("SELECT pg_is_in_recovery()")
    for n in range(1, 100):
        await primary.execute("INSERT INTO read VALUES ($1)", [0.1 * n, -0.0, 1e-45])
        fetched = await pool.fetchval(
            "SELECT value FROM read ORDER BY value <-> $1 DESC", [0, 0, 0]
        )
        assert wires(fetched) == wires(VALUE_CLASSES["vector"]([0.1 * n, -0.0, 1e-45]))
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await pool.execute("INSERT INTO read VALUES ($1)", [1])
    await pool.close()
    alone = f"postgresql://postgres@/app?host={example.steps.host(example.servers[1])}"
    await (await asyncpg.connect(alone, target_session_attrs="prefer-standby")).close()
    with pytest.raises(asyncpg.TargetServerAttributeNotMatched):
        await asyncpg.connect(alone, target_session_attrs="standby")
    await primary.execute("ALTER SYSTEM RESET synchronous_standby_names")
    await primary.execute("SELECT pg_reload_conf()")


async def pool_of_page(example: SimpleNamespace) -> asyncpg.Pool:
    """Run the page's lines, on the sockets of the embedded servers."""
    sockets = ",".join(
        example.steps.host(server) for server in (example.servers[1], example.standby)
    )
    lines = ON_STANDBY.replace("@primary,standby/app?", f"@/app?host={sockets}&")
    assert sockets in lines
    names: dict[str, Any] = {"asyncpg": asyncpg, "register_vector": register_vector}
    await eval(compile(lines, "page", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    pool: asyncpg.Pool = names["pool"]
    return pool


async def make_table(cluster: SimpleNamespace, name: str, columns: str) -> None:
    """Make a table on the first shard, and its foreign table."""
    await cluster.shards[0].execute(f"CREATE TABLE {name} ({columns})")
    await cluster.coordinator.execute(f"CREATE FOREIGN TABLE {name} ({columns}) SERVER shard_0")


def varying(type_: SpecType) -> str:
    """The type whose values have any number of dimensions: `bit` alone is bit(1)."""
    return f'"{type_}"'


def extremes(type_: SpecType) -> list[Any]:
    if type_.model.layout == "bits":
        return [
            type_.value_class(f"{Random(size).getrandbits(size):0{size}b}")
            for size in (1, 7, 64_000)
        ]
    return [type_.value_class(*arguments) for arguments in _largest(type_.model)]


def wires(*values: Any) -> list[Any]:
    """The bytes of values and of the elements of arrays, since == takes -0 for 0."""
    flat = chain.from_iterable(value if isinstance(value, list) else [value] for value in values)
    return [value and type(value).to_binary(value) for value in flat]
