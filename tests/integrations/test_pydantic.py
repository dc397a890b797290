"""The value classes as types of Pydantic fields."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    SparseVector,
    Vector,
)
from asyncpg_vector.pydantic import Dimensions
from asyncpg_vector.runtime import Dense
from tests.needs import np
from tests.spec_types import (
    SpecType,
    each_dense_type,
    each_sparse_type,
    each_type,
    each_type_to_limits,
)
from tests.test_values import sample


class Model(BaseModel):
    embedding: Vector
    half: HalfVector | None = None
    sparse: SparseVector | None = None
    flags: Bit | None = None


MODEL = Model(
    embedding=Vector([1, 2.5, 0.1]),
    half=HalfVector([1, 0.1]),
    sparse=SparseVector({1: 2, 4: 0.5}, 5),
    flags=Bit("101"),
)
JSON = {
    "embedding": [1.0, 2.5, 0.1],
    "half": [1.0, 0.1],
    "sparse": {"indices": [1, 4], "values": [2.0, 0.5], "dimensions": 5},
    "flags": "101",
}


def test_serialised() -> None:
    """JSON has the JSON form, and Python keeps the values."""
    assert json.loads(MODEL.model_dump_json()) == MODEL.model_dump(mode="json") == JSON
    dumped = MODEL.model_dump()
    assert dumped["embedding"] is MODEL.embedding
    assert dumped["sparse"] is MODEL.sparse


def test_validated() -> None:
    """A field takes numbers, a text, a value, and the JSON form."""
    for given_ in (
        {
            "embedding": [1, 2.5, 0.1],
            "half": np.array([1, 0.1]) if np else (1, 0.1),
            "sparse": [0, 2, 0, 0, 0.5],
            "flags": [1, 0, 1],
        },
        {
            "embedding": "[1,2.5,0.1]",
            "half": "[1,0.1]",
            "sparse": "{2:2,5:0.5}/5",
            "flags": "101",
        },
        MODEL.model_dump(),
        JSON,
    ):
        assert Model.model_validate(given_) == MODEL
    assert Model.model_validate_json(json.dumps(JSON)) == MODEL
    value = Vector([1])
    assert Model(embedding=value).embedding is value


class Loose(BaseModel):
    """A model whose fields do not name the class of their values."""

    embedding: Any
    more: object = None


@each_type
@pytest.mark.parametrize("as_any", [False, True])
def test_serialised_without_a_schema(type_: SpecType, as_any: bool) -> None:
    value = sample(type_)
    model = Loose(embedding=value, more={"values": [value, None]})
    dumped = {"embedding": value.to_json(), "more": {"values": [value.to_json(), None]}}
    assert json.loads(model.model_dump_json(serialize_as_any=as_any)) == dumped
    assert model.model_dump(mode="json", serialize_as_any=as_any) == dumped
    assert model.model_dump(serialize_as_any=as_any)["embedding"] is value
    assert to_jsonable_python((value,)) == [value.to_json()]


def test_an_input_that_was_not_validated_is_serialised() -> None:
    """SQLModel's tables keep such inputs."""

    class Query(BaseModel):
        embedding: Vector

    query = Query.model_construct(embedding="[1,2,3]")
    assert query.model_dump_json() == '{"embedding":[1.0,2.0,3.0]}'


def test_serialised_as_any() -> None:
    """A value of the field's class, and an input that was not validated."""
    assert json.loads(MODEL.model_dump_json(serialize_as_any=True)) == JSON
    assert MODEL.model_dump(serialize_as_any=True)["embedding"] is MODEL.embedding
    model = Model.model_construct(embedding=[1, 2])
    assert json.loads(model.model_dump_json(serialize_as_any=True))["embedding"] == [1, 2]


def test_an_adapter_of_its_own() -> None:
    adapter = TypeAdapter(Vector | None)
    assert adapter.dump_python(None, mode="json") is None
    assert adapter.dump_python(Vector([1]), mode="json") == [1.0]
    assert adapter.dump_python(Vector([1])) == Vector([1])
    assert TypeAdapter(Vector).dump_python([1], mode="json") == [1.0]  # as SQLModel's tables do
    assert TypeAdapter(Vector).dump_python(None, mode="json", warnings=False) is None


@pytest.mark.parametrize(
    ("given_", "kind", "message"),
    [
        (5, "vector_type", "expected a sequence of numbers, got int 5"),
        (["x"], "vector_type", "expected a number at index 0, got str 'x'"),
        ([float("nan")], "vector_value", "expected a finite number at index 0, got nan"),
    ],
)
def test_an_error_is_the_packages(given_: Any, kind: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Vector).validate_python(given_)
    (error,) = caught.value.errors()
    assert (error["type"], error["msg"]) == (kind, message)


# Strict mode: bits follow the rules of Pydantic for bytes, and other types its rules for lists.

TEXT_REFUSED = r"expected no text in strict mode, got str '"


def strict_adapters(type_: SpecType) -> list[Any]:
    """An adapter for each way to make a field strict."""

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        value: type_.value_class

    class WithField(BaseModel):
        value: type_.value_class = Field(strict=True)

    class Lax(BaseModel):
        value: type_.value_class

    annotated: Any = TypedDict(
        "annotated", {"value": Annotated[type_.value_class, Field(strict=True)]}
    )
    asked = TypeAdapter(Lax)
    asked.validate_python = partial(asked.validate_python, strict=True)
    asked.validate_json = partial(asked.validate_json, strict=True)
    return [TypeAdapter(Strict), TypeAdapter(WithField), TypeAdapter(annotated), asked]


def validated(model: Any) -> Any:
    return model["value"] if isinstance(model, dict) else model.value


@each_type
def test_strict_takes_values_and_their_inputs(type_: SpecType) -> None:
    value = sample(type_)
    for adapter in strict_adapters(type_):
        rows: list[Any] = [value, value.to_list(), (*value.to_list(),)]
        if np:
            rows.append(value.to_numpy())
        for row in rows:
            assert validated(adapter.validate_python({"value": row})) == value
        assert validated(adapter.validate_json(json.dumps({"value": value.to_json()}))) == value
        assert validated(adapter.validate_json(json.dumps({"value": value.to_list()}))) == value


@each_type
def test_strict_takes_no_text(type_: SpecType) -> None:
    """Except in JSON, if strings are the JSON form of the type."""
    text = sample(type_).to_text()
    for adapter in strict_adapters(type_):
        with pytest.raises(ValidationError, match=TEXT_REFUSED) as caught:
            adapter.validate_python({"value": text})
        (error,) = caught.value.errors()
        assert (error["type"], error["loc"]) == ("vector_type", ("value",))
        if isinstance(sample(type_).to_json(), str):
            continue
        with pytest.raises(ValidationError, match=TEXT_REFUSED):
            adapter.validate_json(json.dumps({"value": text}))


@each_type
def test_strict_takes_text_in_validate_strings(type_: SpecType) -> None:
    """So do Pydantic's own types: every input is a string there."""
    value = sample(type_)
    for strict in (False, True):
        assert (
            TypeAdapter(type_.value_class).validate_strings(value.to_text(), strict=strict) == value
        )


def test_a_strict_field_has_limits() -> None:
    adapter = TypeAdapter(Annotated[Vector, Field(min_length=2, max_length=3, strict=True)])
    assert adapter.json_schema()["maxItems"] == 3
    assert adapter.validate_python([1, 2]) == Vector([1, 2])
    for row in ([1], "[1,2]"):
        with pytest.raises(ValidationError):
            adapter.validate_python(row)


@each_type_to_limits
@given(data=st.data())
def test_round_trip(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    adapter = TypeAdapter(type_.value_class)
    for back in (
        adapter.validate_json(adapter.dump_json(value)),
        adapter.validate_python(adapter.dump_python(value, mode="json")),
        adapter.validate_python(value.to_text()),
    ):
        assert type(back) is type_.value_class
        assert back.to_binary() == value.to_binary()


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"embedding": [1, None]}, "vector_type", "expected a number at index 1, got NoneType None"),
    ({"embedding": [1, float("nan")]}, "vector_value", "expected a finite number at index 1, got nan"),
    ({"embedding": "[1,{x}]"}, "vector_value", "expected a finite number at index 1, got '{x}'"),
    ({"embedding": []}, "vector_value", "expected 1 to 16000 dimensions for vector, got 0"),
    ({"embedding": HalfVector([1])}, "vector_type", "expected a Vector for vector, got a HalfVector; to convert it, write Vector(value)"),
    ({"sparse": {0: 1}}, "vector_type", "expected an object of indices, values and dimensions, got dict {0: 1}"),
    ({"sparse": {**JSON["sparse"], "more": 1}}, "vector_type", "expected an object of indices, values and dimensions, got dict "),
    ({"sparse": {**JSON["sparse"], "dimensions": 4}}, "vector_value", "expected indices from 0 to 3, got 4"),
    ({"sparse": {**JSON["sparse"], "dimensions": "5"}}, "vector_type", "expected a whole number of dimensions, got str '5'"),
    ({"flags": "102"}, "vector_value", "expected digits 0 and 1, got '2' at index 2"),
    ({"flags": 5}, "vector_type", "expected a sequence of bools, got int 5"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "kind", "message"), REFUSED)
def test_refused(bad: dict[str, Any], kind: str, message: str) -> None:
    """The errors are Pydantic's, at their field, with the message of the constructor."""
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"embedding": [1], **bad})
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == (kind, tuple(bad))
    assert error["msg"].startswith(message)


@each_dense_type
def test_json_schema(type_: SpecType) -> None:
    number = {"float": "number", "int": "integer"}[type_.model.element.python_type]
    array = {"type": "array", "items": {"type": number}}
    for mode in ("validation", "serialization"):
        schema = TypeAdapter(type_.value_class).json_schema(mode=mode)
        assert schema == {**array, "minItems": 1, "maxItems": type_.model.max_dimensions}
    limited = Annotated[type_.value_class, Field(min_length=3, max_length=3)]
    assert TypeAdapter(limited).json_schema() == {**array, "minItems": 3, "maxItems": 3}


@each_sparse_type
def test_json_schema_of_an_object(type_: SpecType) -> None:
    schema = TypeAdapter(type_.value_class).json_schema()
    value = type_.value_class({1: 2}, 5)
    assert schema["required"] == list(schema["properties"]) == list(value.to_json())
    assert schema["additionalProperties"] is False
    assert schema["properties"]["dimensions"]["maximum"] == type_.model.max_dimensions
    assert schema["properties"]["values"]["maxItems"] == type_.model.max_nnz


def test_json_schema_of_bits() -> None:
    schema = TypeAdapter(Bit).json_schema()
    assert (schema["type"], schema["pattern"]) == ("string", "^[01]*$")
    limited = TypeAdapter(Annotated[Bit, Field(min_length=3, max_length=3)]).json_schema()
    assert limited == {**schema, "minLength": 3, "maxLength": 3}


def test_limits() -> None:
    adapter = TypeAdapter(Annotated[Vector, Field(min_length=2, max_length=3)])
    assert adapter.validate_python([1, 2]) == Vector([1, 2])
    for row in ([1], [1, 2, 3, 4]):
        with pytest.raises(ValidationError, match="Value should have at (least|most)"):
            adapter.validate_python(row)


# The number of dimensions


@each_type
def test_dimensions(type_: SpecType) -> None:
    """The error names the class, and both schemas say the number."""
    value, cls = sample(type_), type_.value_class
    count = value.dimensions()
    adapter = TypeAdapter(Annotated[cls, Dimensions(count)])
    for mode in ("validation", "serialization"):
        assert adapter.json_schema(mode=mode) == cls.json_schema(count) != cls.json_schema()
    assert adapter.validate_python(value) is value
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.dump_python(value) is value
    other = cls([1, 0, 1, 1])
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(other)
    (error,) = caught.value.errors()
    message = f"expected a {cls.__name__} of {count} dimensions, got 4"
    assert (error["type"], error["msg"]) == ("vector_dimensions", message)


def test_dimensions_in_the_schema() -> None:
    class Limited(BaseModel):
        dense: Annotated[Vector, Dimensions(3)] = Field(description="Of the title.")
        sparse: Annotated[SparseVector, Dimensions(3)] | None = None
        bits: Annotated[Bit, Dimensions(3), Field(strict=True)]

    properties = Limited.model_json_schema()["properties"]
    dense, sparse = properties["dense"], properties["sparse"]["anyOf"][0]["properties"]
    assert (dense["minItems"], dense["maxItems"]) == (3, 3)
    assert (dense["description"], dense["title"]) == ("Of the title.", "Dense")
    assert sparse["dimensions"] == {"type": "integer", "minimum": 3, "maximum": 3}
    assert sparse["indices"]["items"]["exclusiveMaximum"] == 3
    assert (properties["bits"]["minLength"], properties["bits"]["maxLength"]) == (3, 3)
    model = Limited(dense=[1, 2, 3], bits=Bit("101"))
    assert Limited.model_validate_json(model.model_dump_json()) == model
    with pytest.raises(ValidationError, match="expected no text in strict mode"):
        Limited(dense=[1, 2, 3], bits="101")


def test_dimensions_that_cannot_be() -> None:
    with pytest.raises(InvalidTypeError, match="expected a whole number of dimensions, got str"):
        Dimensions("3")  # type: ignore[arg-type]
    for count in (0, 16_001):
        message = f"expected 1 to 16000 dimensions for vector, got {count}"
        with pytest.raises(InvalidValueError, match=message):
            TypeAdapter(Annotated[Vector, Dimensions(count)])
    for source in (Vector | None, list[float], Dense):
        message = r"expected Dimensions beside a value class, got .*; write Annotated\[Vector, Dimensions\(3\)\] \| None"
        with pytest.raises(InvalidTypeError, match=message):
            TypeAdapter(Annotated[source, Dimensions(3)])


def test_not_validated() -> None:
    """Inputs in the fields are serialised as the values that they make."""
    model = Model.model_construct(embedding=None, half=[1, 2], flags="101")
    dumped = json.loads(model.model_dump_json())
    assert (dumped["embedding"], dumped["half"], dumped["flags"]) == (None, [1.0, 2.0], "101")


def test_frozen_models_hash() -> None:
    class Frozen(BaseModel):
        model_config = ConfigDict(frozen=True)
        embedding: Vector

    assert (
        len({Frozen(embedding=[1, 2]), Frozen(embedding=Vector([1, 2])), Frozen(embedding="[1,3]")})
        == 2
    )


def test_in_containers() -> None:
    adapter = TypeAdapter(dict[str, list[Vector]])
    assert adapter.validate_python({"a": [[1, 2], "[3]"]}) == {"a": [Vector([1, 2]), Vector([3])]}
    assert adapter.dump_json({"a": [Vector([1])]}) == b'{"a":[[1.0]]}'
