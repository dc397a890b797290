"""A thousand tasks that store, search and read back at once, and check every value."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import asyncpg

from asyncpg_vector import register_vector
from asyncpg_vector._generated import VALUE_CLASSES
from tests.spec_types import TYPES, SpecType

DIMENSIONS = 24
ROWS = 10  # stored by a task in one call
KEPT = 100  # rows of a task before it deletes them


class Load:
    """The tasks of one run, and the table and the pool that they share.

    The values of a row follow from its id, so that any task can check any row.
    """

    def __init__(self, pool: asyncpg.Pool, types: list[str], *, copies: bool) -> None:
        self.pool = pool
        self.types = [type_ for type_ in TYPES if type_.sql_name in types]
        self.columns = ["id", "task", *types]
        self.copies = copies
        self.ids = count()
        self.done: Counter[str] = Counter()
        names = ", ".join(f'"{name}"' for name in self.columns)
        values = ", ".join(f"${n}" for n in range(1, len(self.columns) + 1))
        self.select = f"SELECT {names} FROM load"
        self.insert = f"INSERT INTO load ({names}) VALUES ({values})"

    async def create_table(self) -> None:
        columns = ", ".join(f'"{type_}" "{type_}"({DIMENSIONS})' for type_ in self.types)
        await self.pool.execute(f"CREATE TABLE load (id bigint, task integer, {columns})")
        await self.pool.execute("CREATE INDEX ON load (task)")
        for type_ in self.types:
            metric = next(iter(type_.value_class.info.metrics.values()))
            for method, operator_class in metric.operator_classes.items():
                if method == "hnsw":
                    await self.pool.execute(
                        f'CREATE INDEX ON load USING hnsw ("{type_}" {operator_class})'
                        " WITH (m = 4, ef_construction = 8)"
                    )

    async def run(self, tasks: int, seconds: float) -> Counter[str]:
        """Return the count of each operation; raise at the first wrong value."""
        deadline = time.monotonic() + seconds
        await asyncio.gather(*[self.work(task, deadline) for task in range(tasks)])
        return self.done

    async def work(self, task: int, deadline: float) -> None:
        chance = random.Random(task)
        ways: list[Callable[..., Awaitable[None]]] = [
            self.store_one, self.store_many, self.search_own, self.search_all,
        ]  # fmt: skip
        if self.copies:
            ways.append(self.copy)
        stored: list[int] = []
        await self.store_one(task, stored, chance)
        first = ways[task % len(ways)]  # each way is taken, however short the time
        await first(task, stored, chance)
        while time.monotonic() < deadline:
            await chance.choice(ways)(task, stored, chance)
            await self.read_back(task, stored)
            if len(stored) > KEPT:
                await self.pool.execute("DELETE FROM load WHERE task = $1", task)
                stored.clear()
        await self.read_back(task, stored)

    def rows(self, task: int, stored: list[int], number: int) -> list[tuple[Any, ...]]:
        new = [next(self.ids) for _ in range(number)]
        stored += new
        self.done["rows stored"] += number
        return [(id_, task, *(value_of(type_, id_) for type_ in self.types)) for id_ in new]

    async def store_one(self, task: int, stored: list[int], _: random.Random) -> None:
        await self.pool.execute(self.insert, *self.rows(task, stored, 1)[0])
        self.done["inserts"] += 1

    async def store_many(self, task: int, stored: list[int], _: random.Random) -> None:
        rows = self.rows(task, stored, ROWS)
        lists = [(id_, task, *(value.to_list() for value in values)) for id_, _, *values in rows]
        await self.pool.executemany(self.insert, lists)
        self.done["executemany"] += 1

    async def copy(self, task: int, stored: list[int], _: random.Random) -> None:
        records = self.rows(task, stored, ROWS)
        await self.pool.copy_records_to_table("load", records=records, columns=self.columns)
        self.done["COPY"] += 1

    async def search_own(self, task: int, stored: list[int], chance: random.Random) -> None:
        """Search the task's own rows for one of its values: the nearest is that value."""
        if not stored:
            return
        type_ = chance.choice(self.types)
        sought = value_of(type_, chance.choice(stored))
        # The planner cannot use the index, which may miss the nearest, for this expression.
        query = (
            f'{self.select} WHERE task = $2 ORDER BY ("{type_}" {operator(type_)} $1) + 0 LIMIT 1'
        )
        row = await self.pool.fetchrow(query, sought, task)
        assert row[type_.sql_name] == sought, (row, sought)
        self.check([row])
        self.done["searches of own rows"] += 1

    async def search_all(self, task: int, _: list[int], chance: random.Random) -> None:
        """Search all rows by the index: every row is as its task stored it."""
        type_ = chance.choice(self.types)
        query = f'{self.select} ORDER BY "{type_}" {operator(type_)} $1 LIMIT {ROWS}'
        self.check(await self.pool.fetch(query, value_of(type_, task)))
        self.done["searches of all rows"] += 1

    async def read_back(self, task: int, stored: list[int]) -> None:
        rows = await self.pool.fetch(f"{self.select} WHERE task = $1", task)
        assert sorted(row["id"] for row in rows) == stored
        self.check(rows)

    def check(self, rows: list[asyncpg.Record]) -> None:
        for row in rows:
            for type_ in self.types:
                value, expected = row[type_.sql_name], value_of(type_, row["id"])
                assert value.to_binary() == expected.to_binary(), (value, expected)
        self.done["values compared"] += len(rows) * len(self.types)


def operator(type_: SpecType) -> str:
    return next(iter(type_.value_class.info.metrics.values())).operator


def value_of(type_: SpecType, id_: int) -> Any:
    """The value of a row by its id, with zeros, and large and small numbers."""
    chance = random.Random(f"{type_} {id_}")
    if not type_.value_class.info.extension:
        return type_.value_class(chance.choices([0, 1], k=DIMENSIONS))
    return type_.value_class(
        [
            chance.choice([0, 1, -1]) * chance.random() * 10 ** chance.randint(-6, 4)
            for _ in range(DIMENSIONS)
        ]
    )


async def run_load(
    dsn: str, tasks: int, seconds: float, *, copies: bool, **options: Any
) -> Counter[str]:
    """Run the load with a pool of 20, on an empty database that has the extension."""
    types: list[str] = []

    async def init(conn: asyncpg.Connection) -> None:
        types[:] = await register_vector(conn, types=VALUE_CLASSES, missing_ok=True)

    async with asyncpg.create_pool(dsn, init=init, min_size=20, max_size=20, **options) as pool:
        load = Load(pool, types, copies=copies)
        await load.create_table()
        return await load.run(tasks, seconds)
