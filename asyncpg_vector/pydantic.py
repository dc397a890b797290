"""The number of dimensions of a Pydantic field."""

from __future__ import annotations

from typing import Annotated, Any, SupportsIndex

from pydantic import GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError
from asyncpg_vector.runtime import Value
from asyncpg_vector.runtime.holders import read_whole
from asyncpg_vector.runtime.value import check_dimensions, is_value_class

__all__ = ["Dimensions"]


class Dimensions:
    """How many dimensions the values of a field have: ``Annotated[Vector, Dimensions(3)]``.

    Pydantic's own ``Field(min_length=3, max_length=3)`` does not name the class in its error, and
    sparse values have no length.

    Args:
        count: the number of dimensions; of bits, the length.

    Raises:
        InvalidTypeError: `count` is no whole number; or the model annotates no value class.
        InvalidValueError: the model annotates a class whose values never have so many.
    """

    def __init__(self, count: SupportsIndex, /) -> None:
        self.count = read_whole(count, "of dimensions")

    def __repr__(self) -> str:
        return f"Dimensions({self.count})"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        if not is_value_class(source):
            raise InvalidTypeError(
                f"expected Dimensions beside a value class, got {describe(source)}; "
                f"write Annotated[Vector, {self!r}] | None for a field that may be empty"
            )
        check_dimensions(source.info, self.count)
        name = source.__name__

        def check(value: Value) -> Value:
            if value.dimensions() != self.count:
                message = "expected a {name} of {count} dimensions, got {given}"
                context = {"name": name, "count": self.count, "given": value.dimensions()}
                raise PydanticCustomError("vector_dimensions", message, context)
            return value

        limited: Any = Annotated[source, WithJsonSchema(source.json_schema(self.count))]
        return core_schema.no_info_after_validator_function(check, handler(limited))
