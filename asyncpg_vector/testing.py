"""Hypothesis strategies for the values of any type, and a round trip that checks a type.

``st.from_type(Vector)`` draws from `values` without an import of this module. ``st.builds()`` of a
model does the same for each field of a value class. Both also work for classes generated from a
user's own spec.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from asyncpg_vector._lookup import AnyConnection, quote
from asyncpg_vector.registration import Registration
from asyncpg_vector.runtime import Bits, Dense, NumberFormat, Value
from asyncpg_vector.runtime.formats import FloatFormat, IntegerFormat

__all__ = ["check_roundtrip", "draw", "numbers", "special_numbers", "tiled", "values"]

T = TypeVar("T")
ValueT = TypeVar("ValueT", bound=Value)

_SMALL = 100
"""The most elements of a small value. Most values are small, so that a fault is easy to see."""
_LARGE = 16_000
"""The most elements of a large value, unless the limit of the type is lower."""
_LARGE_ONES = 16
"""Of so many values, one is as large as possible, and one nearly so."""
_LARGE_SENT = 10
"""The number of large values in a round trip."""


def special_numbers(number_format: NumberFormat) -> list[Any]:
    """Return zero, one and the extremes of a format.

    The list for a float format also has 0.1, the smallest positive number and the smallest normal
    number. Each float has both signs.
    """
    if isinstance(number_format, IntegerFormat):
        return [0, 1, number_format.most, number_format.least]
    assert isinstance(number_format, FloatFormat)  # noqa: S101  # there are no others
    infinity = number_format.infinity
    by_bits = map(number_format.of_bits, (0, 1, infinity & -infinity, infinity - 1))
    positive = [*by_bits, 1.0, _narrow(number_format, 0.1)]
    return [sign * number for number in positive for sign in (1.0, -1.0)]


def numbers(number_format: NumberFormat) -> st.SearchStrategy[Any]:
    """Draw any number of a format, and often a special number."""
    if isinstance(number_format, IntegerFormat):
        drawn: st.SearchStrategy[Any] = st.integers(number_format.least, number_format.most)
    else:
        assert isinstance(number_format, FloatFormat)  # noqa: S101  # there are no others
        width: Any = 32 if number_format.name == "bfloat16" else 8 * number_format.width
        floats = st.floats(-number_format.largest, number_format.largest, width=width)
        drawn = floats.map(lambda number: _narrow(number_format, number))
    return drawn | st.sampled_from(special_numbers(number_format))


def tiled(
    elements: st.SearchStrategy[Any], sizes: st.SearchStrategy[int]
) -> st.SearchStrategy[list[Any]]:
    """Draw rows of the given sizes, which repeat a few elements.

    The lists that Hypothesis itself draws are seldom long.
    """
    return st.builds(_tile, st.lists(elements, min_size=1), sizes)


def values(value_class: type[ValueT]) -> st.SearchStrategy[ValueT]:
    """Draw values of a class, most of them small and some as large as possible.

    Special numbers are frequent among the elements.
    """
    lots = st.integers(0, _LARGE_ONES)
    return lots.flatmap(lambda lot: _large(value_class, lot) if lot < 2 else _small(value_class))


def draw(strategy: st.SearchStrategy[T], examples: int = 20) -> list[T]:
    """Return values of a strategy, the same values in each run."""
    drawn: list[T] = []

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(strategy)
    def collect(value: T) -> None:
        drawn.append(value)

    collect()
    return drawn


def _small(value_class: type[Any]) -> st.SearchStrategy[Any]:
    return _of_sizes(value_class, st.integers(_least(value_class), min(_SMALL, _most(value_class))))


def _large(value_class: type[Any], less: int = 0) -> st.SearchStrategy[Any]:
    """Draw values as large as possible, or a little less."""
    most = _most(value_class)
    return _of_sizes(value_class, st.just(max(_least(value_class), most - less)))


def _least(value_class: type[Value]) -> int:
    return 1 if issubclass(value_class, Dense) else 0


def _most(value_class: type[Value]) -> int:
    return min(value_class.info.max_nnz or value_class.info.max_dimensions, _LARGE)


def _of_sizes(value_class: type[Any], sizes: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """Draw values with as many elements, entries or bits as `sizes` draws."""
    if issubclass(value_class, Bits):
        return st.builds(value_class, tiled(st.sampled_from("01"), sizes).map("".join))
    elements = numbers(value_class.element_format)
    if value_class.info.max_nnz is not None:
        # The constructor drops zeros. A repeated zero would keep each value below the limit.
        return _scattered(value_class, tiled(elements.filter(bool), sizes))
    attributes = {
        name: numbers(number_format)
        for name, number_format in value_class.attribute_formats.items()
    }
    return st.builds(value_class, tiled(elements, sizes), **attributes)


def _scattered(
    value_class: type[Any], rows: st.SearchStrategy[list[Any]]
) -> st.SearchStrategy[Any]:
    """Draw values whose indices are adjacent or far apart, some of them at the last index."""
    most = value_class.info.max_dimensions
    dimensions = st.integers(1, most) | st.just(most)

    def scatter(elements: list[Any], last: int, dimensions: int, *, are_apart: bool) -> Any:
        dimensions = max(dimensions, len(elements))
        step = dimensions // (len(elements) or 1) if are_apart else 1
        indices = ((last - 1 - step * place) % dimensions for place in range(len(elements)))
        return value_class(dict(zip(indices, elements, strict=True)), dimensions)

    return st.builds(scatter, rows, dimensions, dimensions, are_apart=st.booleans())


def _narrow(number_format: NumberFormat, number: float) -> float:
    narrowed: float = number_format.unpack(number_format.pack([number]), 0, 1)[0]
    return narrowed


def _tile(pattern: list[Any], size: int) -> list[Any]:
    return list(islice(cycle(pattern), size))


async def check_roundtrip(
    conn: AnyConnection, value_class: type[Value], *, schema: str | None = None, examples: int = 100
) -> None:
    """Send values of a class to a server, singly and in an array, and compare the fetched values.

    If the class has a text form, the server has to print the same text as the class.

    Args:
        conn: a connection. The type is registered with the connection, and stays registered.
        value_class: the class of a type that the database has.
        schema: as for `asyncpg_vector.register_vector`.
        examples: the number of small values. Ten large values follow them.

    Raises:
        AssertionError: a fetched value or a text differs.
        TypesNotFoundError: the database lacks the type.
    """
    registration = Registration(schema, types=[value_class], returns="value")
    found = await registration.find(conn)
    await registration.require(conn, found)
    await registration.set_codecs(conn, found)
    info = value_class.info
    name = f"{quote(found.schemas[info.sql_name])}.{quote(info.sql_name)}"
    sent = [*draw(_small(value_class), examples), *draw(_large(value_class), _LARGE_SENT)]
    for value in sent:
        _compare(value, await conn.fetchval(f"SELECT $1::{name}", value))
        if issubclass(value_class, Bits) or getattr(value_class, "text_format", None):
            _compare(value.to_text(), await conn.fetchval(f"SELECT $1::{name}::text", value))
    for value, other in zip(sent, await conn.fetchval(f"SELECT $1::{name}[]", sent), strict=True):
        _compare(value, other)


def _compare(sent: Value | str, fetched: object) -> None:
    """Compare payloads, since equal values may differ in the sign of a zero."""
    same = type(fetched) is type(sent) and (
        fetched.to_binary() == sent.to_binary()
        if isinstance(fetched, Value) and isinstance(sent, Value)
        else fetched == sent
    )
    if not same:
        raise AssertionError(f"expected {sent!r} from the server, got {fetched!r}")
