"""The value classes as types of Pydantic fields; imported when Pydantic asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import PydanticCustomError, core_schema

from asyncpg_vector.errors import VectorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncpg_vector._layouts.value import Value

__all__ = ["make_core_schema"]

ValueT = TypeVar("ValueT", bound="Value")


def make_core_schema(cls: type[ValueT]) -> core_schema.CoreSchema:
    """Make the schema of a value class.

    A field takes what a parameter is, or the JSON form. It is serialised to the JSON form in JSON,
    and to the value in Python.
    """
    # Nothing is validated by what is wrapped, but Pydantic looks there for what to call a limit of
    # the length in a JSON schema.
    is_array = cls.json_schema()["type"] == "array"
    return core_schema.no_info_wrap_validator_function(
        _validator(cls),
        core_schema.list_schema() if is_array else core_schema.any_schema(),
        serialization=core_schema.plain_serializer_function_ser_schema(
            _serializer(cls), info_arg=True
        ),
    )


def _validator(cls: type[ValueT]) -> Callable[[Any, object], ValueT]:
    def validate(data: Any, _handler: object) -> ValueT:
        try:
            return cls.from_json(data)
        except VectorError as error:
            kind = "vector_type" if isinstance(error, TypeError) else "vector_value"
            raise PydanticCustomError(kind, "{reason}", {"reason": str(error)}) from None

    return validate


def _serializer(
    cls: type[ValueT],
) -> Callable[[Any, core_schema.SerializationInfo[Any]], Any]:
    def serialize(value: Any, info: core_schema.SerializationInfo[Any]) -> Any:
        # A field that was not validated, as of SQLModel's tables, may hold what a value is made of.
        if value is None or not info.mode_is_json():
            return value
        return cls.coerce(value).to_json()

    return serialize
