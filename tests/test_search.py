"""Settings of searches: the server has them as the spec describes them, and nothing loses them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from enum import Enum
from fractions import Fraction
from itertools import count
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import (
    INDEX_METHODS,
    InvalidTypeError,
    InvalidValueError,
    SettingsNotFoundError,
    VectorError,
    register_vector,
    require_settings,
    search_settings,
    server_settings,
)
from asyncpg_vector.info import Parameter
from codegen.project import TRIED
from tests.conftest import NewDatabase
from tests.needs import needs_pgvector
from tests.spec_types import SPEC

SETTINGS = {
    name: setting for method in INDEX_METHODS.values() for name, setting in method.settings.items()
}
ON_THE_SERVER = [
    pytest.param(name, setting, marks=needs_pgvector(setting.since), id=name)
    for method in sorted(TRIED)
    for name, setting in INDEX_METHODS[method].settings.items()
]
OPTIONS = [
    pytest.param(method, name, option, id=f"{method}-{name}")
    for method in sorted(TRIED)
    for name, option in INDEX_METHODS[method].options.items()
]
EF_SEARCH: Any = {"hnsw.ef_search": 77}
BOTH: Any = {"hnsw.ef_search": 200, "hnsw.iterative_scan": "strict_order"}

TYPES_OF_SERVER = {"integer": "integer", "real": "number", "enum": "choice", "bool": "boolean"}


async def shown(conn: Any, name: str = "hnsw.ef_search") -> str | None:
    return await conn.fetchval("SELECT pg_catalog.current_setting($1, true)", name)


@pytest.fixture
async def loaded(conn: asyncpg.Connection) -> asyncpg.Connection:
    """A connection whose session has loaded the extension's library."""
    await conn.execute("SELECT '[1]'::vector")
    return conn


# The spec and the server


@needs_pgvector("0.8.0")  # the first release with all of them
async def test_all_settings_of_the_server(loaded: asyncpg.Connection) -> None:
    """The spec has each setting of the server's methods, and no other."""
    pattern = f"^({'|'.join(sorted(TRIED))})\\."
    rows = await loaded.fetch("SELECT name FROM pg_catalog.pg_settings WHERE name ~ $1", pattern)
    assert {row["name"] for row in rows} == {param.id for param in ON_THE_SERVER}


@pytest.mark.parametrize(("name", "setting"), ON_THE_SERVER)
async def test_facts_of_a_setting(
    loaded: asyncpg.Connection, name: str, setting: Parameter
) -> None:
    """Type, default, range and words are those of `pg_settings`, and any user may change it."""
    row = await loaded.fetchrow("SELECT * FROM pg_catalog.pg_settings WHERE name = $1", name)
    assert row is not None
    assert TYPES_OF_SERVER[row["vartype"]] == setting.type
    assert (row["context"], row["boot_val"]) == ("user", f"{setting.default}".removesuffix(".0"))
    if setting.type == "choice":
        assert row["enumvals"] == list(setting.values)
    else:
        assert (float(row["min_val"]), float(row["max_val"])) == (setting.least, setting.most)


@pytest.mark.parametrize(("method", "name", "option"), OPTIONS)
async def test_facts_of_an_option(
    loaded: asyncpg.Connection, method: str, name: str, option: Parameter
) -> None:
    """The server's own refusals name the range that the spec has."""
    await loaded.execute("CREATE TEMPORARY TABLE t (v vector(3))")
    assert option.least is not None
    assert option.most is not None
    for value in (option.least - 1, option.most + 1):
        with pytest.raises(asyncpg.InvalidParameterValueError) as caught:
            await loaded.execute(
                f"CREATE INDEX ON t USING {method} (v vector_l2_ops) WITH ({name} = {value})"
            )
        assert caught.value.detail == (
            f'Valid values are between "{option.least}" and "{option.most}".'
        )
    for value in (option.least, option.most):
        room = f", ef_construction = {2 * value}" if name == "m" else ""
        least = ", m = 2" if name == "ef_construction" else ""
        await loaded.execute(
            f"CREATE INDEX ON t USING {method} (v vector_l2_ops) WITH ({name} = {value}{room}{least})"
        )


async def test_the_multiple_of_an_option(loaded: asyncpg.Connection) -> None:
    """ef_construction is at least 2 * m, whether it is given or not."""
    assert INDEX_METHODS["hnsw"].options["ef_construction"].multiple == (2, "m")
    await loaded.execute("CREATE TEMPORARY TABLE t (v vector(3))")
    for options in ("m = 33", "m = 16, ef_construction = 31"):
        with pytest.raises(
            asyncpg.PostgresError, match=re.escape("greater than or equal to 2 * m")
        ):
            await loaded.execute(f"CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH ({options})")


# What is sent


def values(setting: Parameter) -> st.SearchStrategy[Any]:
    """Values that a setting can have."""
    if setting.type == "choice":
        return st.sampled_from(setting.values)
    if setting.type == "boolean":
        return st.booleans()
    assert setting.least is not None
    assert setting.most is not None
    if setting.type == "number":
        return st.floats(setting.least, setting.most)
    whole = st.integers(int(setting.least), int(setting.most))
    return st.lists(whole) if setting.type == "integers" else whole


def any_settings() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={name: values(each) for name, each in SETTINGS.items()}
    )


@given(settings=any_settings())
def test_what_is_possible_is_taken(settings: Any) -> None:
    """Each setting becomes the text of its value."""
    written = server_settings(settings)
    assert list(written) == list(settings)
    for name, text in written.items():
        value = settings[name]
        if SETTINGS[name].type == "integers":
            assert [int(each) for each in text.split(",") if each] == value
        elif isinstance(value, bool):
            assert text == {True: "on", False: "off"}[value]
        else:
            assert type(value)(text) == value


@given(data=st.data(), name=st.sampled_from([*SETTINGS]))
def test_what_is_impossible_is_refused(data: st.DataObject, name: str) -> None:
    """Whatever a setting gets, it is a value of the spec or an error of the package."""
    value = data.draw(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(),
            st.lists(st.integers() | st.booleans()),
        )
    )
    setting, settings = SETTINGS[name], {name: value}
    kinds: dict[str, Any] = {
        "integer": int, "number": (int, float), "boolean": bool, "choice": str, "integers": list,
    }  # fmt: skip
    numbers = value if setting.type == "integers" else [value]
    if not isinstance(value, kinds[setting.type]) or (
        setting.type != "boolean" and any(isinstance(each, bool) for each in numbers)
    ):
        with pytest.raises((InvalidTypeError, InvalidValueError), match="expected .*, got"):
            server_settings(settings)  # type: ignore[arg-type]
    elif setting.type == "choice":
        is_possible = value in setting.values
        check_range(settings, is_possible=is_possible)
    elif setting.type != "boolean":
        check_range(
            settings, is_possible=all(setting.least <= each <= setting.most for each in numbers)
        )


def check_range(settings: Any, *, is_possible: bool) -> None:
    if is_possible:
        assert server_settings(settings)
        return
    with pytest.raises(InvalidValueError, match="expected .* (from|among) .*, got"):
        server_settings(settings)


WRONG: list[tuple[Any, type[VectorError], str]] = [
    (None, InvalidTypeError, "expected a dict of settings, got NoneType None"),
    ([("hnsw.ef_search", 1)], InvalidTypeError, "expected a dict of settings, got list "),
    ({"hnsw.ef_serch": 1}, InvalidValueError, "expected a setting among hnsw.ef_search, hnsw.iterative_scan, hnsw.max_scan_tuples, hnsw.scan_mem_multiplier, got 'hnsw.ef_serch'"),
    ({"ef_search": 1}, InvalidValueError, "expected a setting among hnsw.ef_search, .*, ivfflat.probes, .*, got 'ef_search'"),
    ({1: 1}, InvalidValueError, "expected a setting among .*, got 1"),
    ({"hnsw.ef_search": 0}, InvalidValueError, "expected hnsw.ef_search from 1 to 1000, got 0"),
    ({"hnsw.ef_search": 1001}, InvalidValueError, "expected hnsw.ef_search from 1 to 1000, got 1001"),
    ({"hnsw.ef_search": True}, InvalidTypeError, "expected a whole number for hnsw.ef_search, got bool True"),
    ({"hnsw.ef_search": "100"}, InvalidTypeError, "expected a whole number for hnsw.ef_search, got str '100'"),
    ({"hnsw.scan_mem_multiplier": float("nan")}, InvalidValueError, "expected hnsw.scan_mem_multiplier from 1.0 to 1000.0, got nan"),
    ({"ivfflat.iterative_scan": "strict_order"}, InvalidValueError, "expected ivfflat.iterative_scan among off, relaxed_order, got 'strict_order'"),
    ({"vchordrq.probes": [1, 0]}, InvalidValueError, "expected vchordrq.probes from 1 to 16777216, got 0"),
    ({"hnsw.scan_mem_multiplier": 10**400}, InvalidValueError, "expected hnsw.scan_mem_multiplier from 1.0 to 1000.0, got 1000"),
    ({"vchordrq.probes": b"12"}, InvalidTypeError, "expected a list of whole numbers for vchordrq.probes, got bytes"),
    ({"vchordrq.probes": "1,2"}, InvalidTypeError, "expected a list of whole numbers for vchordrq.probes, got str '1,2'"),
    ({"vchordrq.prefilter": 1}, InvalidTypeError, "expected True or False for vchordrq.prefilter, got int 1"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "error", "message"), WRONG)
async def test_errors(
    plain: asyncpg.Connection, settings: Any, error: type[Exception], message: str
) -> None:
    """They are raised before a statement is sent."""
    await plain.close()
    with pytest.raises(error, match=message):
        server_settings(settings)
    with pytest.raises(error, match=message):
        await search_settings(plain, settings).__aenter__()


class Scan(str, Enum):  # noqa: UP042  # StrEnum prints itself as its value
    """What a program may have for a setting."""

    STRICT = "strict_order"


def test_words_and_numbers_of_other_classes() -> None:
    settings: Any = {
        "hnsw.iterative_scan": Scan.STRICT,
        "vchordrq.probes": range(1, 3),
        "hnsw.scan_mem_multiplier": Fraction(3, 2),
    }
    assert server_settings(settings) == {
        "hnsw.iterative_scan": "strict_order",
        "vchordrq.probes": "1,2",
        "hnsw.scan_mem_multiplier": "1.5",
    }


# For all connections


async def test_a_pool_keeps_them(dsn: str) -> None:
    """A SET in `init` is lost when the pool resets the connection. Settings of the start stay."""

    async def init(conn: asyncpg.Connection) -> None:
        await register_vector(conn)
        await conn.execute("SET hnsw.ef_search = 78")

    for options, kept in (
        ({"init": init}, "40"),
        ({"init": register_vector, "server_settings": server_settings(EF_SEARCH)}, "77"),
    ):
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1, **options) as pool:
            for _ in range(2):
                async with pool.acquire() as conn:
                    await conn.execute("SELECT '[1]'::vector")
                    first = await shown(conn)
            assert first == kept


# For one search


@needs_pgvector("0.8.0")
async def test_in_a_transaction_of_its_own(plain: asyncpg.Connection) -> None:
    """The settings hold in the block, whether the library was loaded before it or not."""
    for _ in range(2):
        async with search_settings(plain, BOTH):
            assert plain.is_in_transaction()
            assert [await shown(plain, name) for name in BOTH] == ["200", "strict_order"]
        assert not plain.is_in_transaction()
        assert [await shown(plain, name) for name in BOTH] == ["40", "off"]


@needs_pgvector("0.8.0")
async def test_in_another_transaction(plain: asyncpg.Connection) -> None:
    """After the block, the old settings of the outer transaction hold again."""
    async with plain.transaction():
        await plain.execute("SET LOCAL hnsw.ef_search = 50")
        async with search_settings(plain, EF_SEARCH):
            async with search_settings(plain, BOTH):
                assert await shown(plain) == "200"
            assert (await shown(plain), await shown(plain, "hnsw.iterative_scan")) == ("77", "off")
            async with plain.transaction():
                assert await shown(plain) == "77"
        assert await shown(plain) == "50"
    assert await shown(plain) == "40"


async def test_in_a_transaction_that_was_begun_by_hand(plain: asyncpg.Connection) -> None:
    await plain.execute("BEGIN")
    async with search_settings(plain, EF_SEARCH):
        assert await shown(plain) == "77"
    assert await shown(plain) == "40"
    await plain.execute("COMMIT")


@pytest.mark.parametrize("statement", ["SELECT 1/0", None])
async def test_an_error_in_the_block(plain: asyncpg.Connection, statement: str | None) -> None:
    """The error comes out, and the old settings hold, in the outer transaction if it goes on."""

    async def fail() -> None:
        async with search_settings(plain, EF_SEARCH):
            if statement:
                await plain.execute(statement)
            raise ZeroDivisionError

    error = (asyncpg.DivisionByZeroError, ZeroDivisionError)
    with pytest.raises(error):
        await fail()
    assert await shown(plain) == "40"
    outer = plain.transaction()
    await outer.start()
    savepoint = plain.transaction()
    await savepoint.start()
    with pytest.raises(error):
        await fail()
    if statement:
        await savepoint.rollback()
    assert await shown(plain) == "40"
    await outer.rollback()
    assert await shown(plain) == "40"


async def test_a_connection_that_is_lost(dsn: str) -> None:
    """The error of the block comes out, and not one of the settings."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("BEGIN")
    block = search_settings(conn, EF_SEARCH)
    await block.__aenter__()
    conn.terminate()
    error = ZeroDivisionError()
    assert not await block.__aexit__(ZeroDivisionError, error, None)


async def test_through_a_pool(dsn: str) -> None:
    """A connection of a pool works, and the pool itself is no connection."""
    async with asyncpg.create_pool(dsn, min_size=1) as pool:
        async with pool.acquire() as conn, search_settings(conn, EF_SEARCH):
            assert await shown(conn) == "77"
        message = "expected a connection of asyncpg, got Pool "
        with pytest.raises(InvalidTypeError, match=message):
            await search_settings(pool, EF_SEARCH).__aenter__()  # type: ignore[arg-type]


# What the server lacks


@pytest.fixture
async def empty(new_database: NewDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database without the extension."""
    conn = await asyncpg.connect(await new_database("SELECT"))
    yield conn
    await conn.close()


NOT_THERE = "expected hnsw.ef_search on the server, found nothing; hnsw.ef_search came with vector 0.5.0, which has not been created in this database"


async def test_without_the_extension(empty: asyncpg.Connection) -> None:
    """An index method that is not there has no settings, even if a placeholder has been set."""
    await empty.execute("SET hnsw.ef_search = 50")
    with pytest.raises(SettingsNotFoundError, match=NOT_THERE):
        await require_settings(empty, EF_SEARCH)
    with pytest.raises(SettingsNotFoundError, match=NOT_THERE):
        async with search_settings(empty, EF_SEARCH):
            pass
    await empty.execute("BEGIN")
    with pytest.raises(SettingsNotFoundError, match=NOT_THERE):
        async with search_settings(empty, EF_SEARCH):
            pass
    assert await shown(empty) == "50"
    await empty.execute("COMMIT")


async def test_a_setting_that_the_release_lacks(
    plain: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of the settings is set if one of them is missing."""
    later = INDEX_METHODS["hnsw"].settings | {
        "hnsw.later": Parameter("integer", default=1, least=1, most=5, since="99.0")
    }
    method = INDEX_METHODS["hnsw"]._replace(settings=later)
    monkeypatch.setattr("asyncpg_vector.search.INDEX_METHODS", {"hnsw": method})
    monkeypatch.setattr("asyncpg_vector.search._SETTINGS", later)
    message = r"expected hnsw.later on the server, found nothing; hnsw.later came with vector 99.0, which is at \d"
    await plain.execute("BEGIN")
    with pytest.raises(SettingsNotFoundError, match=message):
        async with search_settings(plain, {**EF_SEARCH, "hnsw.later": 2}):  # type: ignore[misc]
            pass
    assert await shown(plain) == "40"
    await plain.execute("COMMIT")
    with pytest.raises(SettingsNotFoundError, match=message):
        await require_settings(plain, ["hnsw.later"])


async def test_a_setting_of_another_method(dsn: str) -> None:
    """A placeholder is no setting, also beside a setting that is there."""
    settings: Any = {"hnsw.ef_search": 100, "vchordrq.epsilon": 1.0}
    conn = await asyncpg.connect(dsn, server_settings=server_settings(settings))
    message = (
        "expected vchordrq.epsilon on the server, found nothing; .* vchord 0.1.0, which has not"
    )
    with pytest.raises(SettingsNotFoundError, match=message):
        await require_settings(conn, settings)
    with pytest.raises(SettingsNotFoundError, match=message):
        await search_settings(conn, settings).__aenter__()
    await conn.close()


async def test_old_values_stay_defaults(plain: asyncpg.Connection) -> None:
    """VectorChord lets a setting of the session win over an index's option."""
    source = "SELECT source FROM pg_settings WHERE name = 'hnsw.ef_search'"
    async with plain.transaction():
        await require_settings(plain, EF_SEARCH)
        assert await plain.fetchval(source) == "default"
        async with search_settings(plain, EF_SEARCH):
            assert await plain.fetchval(source) == "session"
        assert await plain.fetchval(source) == "default"


class Cancelled:
    """A connection on which a task is cancelled when the answer to its second query is there."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self.conn, self.queries = conn, count(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)

    async def fetch(self, *arguments: Any) -> Any:
        rows = await self.conn.fetch(*arguments)
        if next(self.queries) == 2:
            raise asyncio.CancelledError
        return rows


async def test_a_task_that_is_cancelled_while_it_sets(plain: asyncpg.Connection) -> None:
    """The old settings hold again, although the server has set the new ones."""
    conn: Any = Cancelled(plain)
    async with plain.transaction():
        with pytest.raises(asyncio.CancelledError):
            await search_settings(conn, EF_SEARCH).__aenter__()
        assert next(conn.queries) == 4  # after the query that restores them
        assert await shown(plain) == "40"


@pytest.mark.parametrize("wrong", ["hnsw.ef_search", None, 5])
async def test_what_are_no_names(plain: asyncpg.Connection, wrong: Any) -> None:
    with pytest.raises(InvalidTypeError, match="expected names of settings, got "):
        await require_settings(plain, wrong)
    with pytest.raises(InvalidTypeError, match="expected a connection of asyncpg, got "):
        await require_settings(wrong, EF_SEARCH)


async def test_settings_that_are_there(plain: asyncpg.Connection) -> None:
    """They are not changed."""
    await require_settings(plain, EF_SEARCH)
    assert await shown(plain) == "40"
    with pytest.raises(InvalidValueError, match="expected a setting among hnsw.ef_search"):
        await require_settings(plain, ["hnsw.ef_serch"])


async def test_a_search_path_of_ones_own(new_database: NewDatabase) -> None:
    """Functions and operators of the user do not hide the server's."""
    dsn = await new_database(
        """
        CREATE EXTENSION vector;
        CREATE SCHEMA own;
        CREATE FUNCTION own.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'own' $$;
        CREATE FUNCTION own.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'own' $$;
        """
    )
    conn = await asyncpg.connect(dsn, server_settings={"search_path": "own, pg_catalog, public"})
    async with search_settings(conn, EF_SEARCH):
        assert await conn.fetchval("SELECT pg_catalog.current_setting('hnsw.ef_search')") == "77"
    await conn.close()


def test_every_method_of_the_spec() -> None:
    assert list(INDEX_METHODS) == list(SPEC.index_methods)
