"""The value classes as types of Pydantic fields; imported when Pydantic asks for their schemas."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, SchemaSerializer, ValidationError, core_schema

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError, VectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SERIALIZER", "make_core_schema"]


def make_core_schema(
    read: Callable[[Any], Any], write: Callable[[Any], Any], json_schema: Mapping[str, Any]
) -> core_schema.CoreSchema:
    """Make the schema of a value class.

    Args:
        read: makes a value from a field's input, or raises a VectorError.
        write: makes the JSON form of a field's content. Dumped to Python, the content stays as it
            is.
        json_schema: the JSON schema of the JSON form.
    """
    form = json_schema["type"]

    def validate(
        data: Any,
        handler: core_schema.ValidatorFunctionWrapHandler,
        info: core_schema.ValidationInfo[Any],
    ) -> Any:
        if isinstance(data, str) and _is_converted(form, info.mode) and _is_strict(handler):
            raise _error(InvalidTypeError(f"expected no text in strict mode, got {describe(data)}"))
        try:
            return read(data)
        except VectorError as error:
            raise _error(error) from None

    # The wrapped schema validates no data. It tells Pydantic the name of a length limit in a JSON
    # schema, and Pydantic records in it that a field is strict.
    return core_schema.with_info_wrap_validator_function(
        validate,
        core_schema.list_schema() if form == "array" else core_schema.set_schema(),
        serialization=_serialization(write),
    )


def _is_converted(form: str, mode: str) -> bool:
    """Tell whether a str has to be converted, because values have another form in this mode.

    In JSON, bits are strings. In `validate_strings`, every value is one.
    """
    return mode == "python" or (mode == "json" and form != "string")


def _is_strict(handler: core_schema.ValidatorFunctionWrapHandler) -> bool:
    """Tell whether a field is strict: then the wrapped schema refuses a tuple for a list or set."""
    try:
        handler(())
    except ValidationError:
        return True
    return False


def _error(error: VectorError) -> PydanticCustomError:
    kind = "vector_type" if isinstance(error, TypeError) else "vector_value"
    return PydanticCustomError(kind, "{reason}", {"reason": str(error)})


def _serialization(write: Callable[[Any], Any]) -> core_schema.SerSchema:
    def serialize(data: Any, info: core_schema.SerializationInfo[Any]) -> Any:
        return data if data is None or not info.mode_is_json() else write(data)

    return core_schema.plain_serializer_function_ser_schema(serialize, info_arg=True)


SERIALIZER = SchemaSerializer(
    core_schema.any_schema(serialization=_serialization(methodcaller("to_json")))
)
"""Serializes a value in a field whose schema does not name the value's class."""
