"""The value classes as types of Pydantic fields; imported when Pydantic asks for it."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, SchemaSerializer, core_schema

from asyncpg_vector.errors import VectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SERIALIZER", "make_core_schema"]


def make_core_schema(
    read: Callable[[Any], Any], write: Callable[[Any], Any], json_schema: Mapping[str, Any]
) -> core_schema.CoreSchema:
    """Make the schema of a value class.

    Args:
        read: makes a value of what a field is given, or raises a VectorError.
        write: makes the JSON form of what is in a field. In Python a field is left as it is.
        json_schema: of the JSON form.
    """

    def validate(data: Any, _handler: object) -> Any:
        try:
            return read(data)
        except VectorError as error:
            kind = "vector_type" if isinstance(error, TypeError) else "vector_value"
            raise PydanticCustomError(kind, "{reason}", {"reason": str(error)}) from None

    # What is wrapped validates nothing, but Pydantic looks there for what to call a limit of the
    # length in a JSON schema.
    is_array = json_schema["type"] == "array"
    return core_schema.no_info_wrap_validator_function(
        validate,
        core_schema.list_schema() if is_array else core_schema.any_schema(),
        serialization=_serialization(write),
    )


def _serialization(write: Callable[[Any], Any]) -> core_schema.SerSchema:
    def serialize(data: Any, info: core_schema.SerializationInfo[Any]) -> Any:
        return data if data is None or not info.mode_is_json() else write(data)

    return core_schema.plain_serializer_function_ser_schema(serialize, info_arg=True)


SERIALIZER = SchemaSerializer(
    core_schema.any_schema(serialization=_serialization(methodcaller("to_json")))
)
"""Serializes a value of any class where no schema names the class."""
