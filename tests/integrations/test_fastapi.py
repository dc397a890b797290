"""The example of a FastAPI service on the suite's server, and FastAPI's responses with values."""

from __future__ import annotations

import json
import runpy
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Query
from fastapi.encoders import ENCODERS_BY_TYPE
from pydantic import AfterValidator, Json
from sqlalchemy import make_url

from asyncpg_vector import Vector
from asyncpg_vector.pydantic import Dimensions
from tests.conftest import NewDatabase
from tests.spec_types import ROOT, SpecType, each_type
from tests.test_values import sample


@pytest.fixture
async def client(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service, whose database lacks the extension at first."""
    url = make_url(await new_database("SELECT 1")).set(drivername="postgresql+asyncpg")
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    app = runpy.run_path(str(ROOT / "examples" / "fastapi_app.py"))["app"]
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


async def store(client: httpx.AsyncClient, title: str, embedding: Any) -> httpx.Response:
    return await client.post("/documents", json={"title": title, "embedding": embedding})


async def test_store_and_search(client: httpx.AsyncClient) -> None:
    stored = await store(client, "one", [1, 0.5, 0])
    assert stored.status_code == 201
    assert stored.json() == {"id": 1, "title": "one", "embedding": [1.0, 0.5, 0.0]}
    assert (await store(client, "two", "[0,1,0]")).json()["embedding"] == [0.0, 1.0, 0.0]
    found = await client.post("/search", json={"embedding": [0, 2, 0]})
    assert found.status_code == 200
    assert [match["document"]["title"] for match in found.json()] == ["two", "one"]
    assert found.json()[0]["distance"] == 0


REFUSED = [
    ([1, None, 3], "expected a number at index 1, got NoneType None"),
    ([1, 2], "expected a Vector of 3 dimensions, got 2"),
    ("[1,2", "expected vector as [1,2,3], got str '[1,2'"),
    ([1, 2, 1e39], "expected a number that fits float32 at index 2, got 1e+39"),
    ({"0": 1}, "expected a sequence of numbers, got dict {'0': 1}"),
]


@pytest.mark.parametrize(("embedding", "message"), REFUSED)
async def test_refused(client: httpx.AsyncClient, embedding: Any, message: str) -> None:
    """The response names the field and the error."""
    refused = await store(client, "bad", embedding)
    assert refused.status_code == 422
    (error,) = refused.json()["detail"]
    assert (error["loc"], error["msg"]) == (["body", "embedding"], message)
    assert (await client.post("/search", json={"embedding": [1, 0, 0]})).json() == []


async def test_openapi(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    for model in ("NewDocument", "StoredDocument"):
        embedding = schemas[model]["properties"]["embedding"]
        assert embedding.pop("title") == "Embedding"
        assert embedding == {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 3,
            "maxItems": 3,
        }


# Query parameters


async def ask(handler: Callable[..., Any], query: Mapping[str, Any]) -> tuple[int, Any, Any]:
    """Return the status, the response, and the schema of the only parameter."""
    app = FastAPI()
    app.get("/")(handler)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        response = await client.get("/", params=query)
        paths = (await client.get("/openapi.json")).json()["paths"]
    (parameter,) = paths["/"]["get"]["parameters"]
    return response.status_code, response.json(), parameter["schema"]


ARRAY = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
JSON_TEXT = {"type": "string", "contentMediaType": "application/json", "title": "Embedding"}


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ("[1,2,0.1]", 200, None),
        ("[1,2]", 422, "expected a Vector of 3 dimensions, got 2"),
        ("[1,2", 422, "Invalid JSON: EOF while parsing a list"),
        (["1", "2", "3"], 422, "expected a sequence of numbers, got int 3"),
    ],
)
async def test_a_parameter_of_json(given: Any, status: int, message: str | None) -> None:
    """The parameter is JSON, as its schema says."""

    async def handler(
        embedding: Annotated[Json[Annotated[Vector, Dimensions(3)]], Query()],
    ) -> Vector:
        return embedding

    found, response, schema = await ask(handler, {"embedding": given})
    assert schema == {**JSON_TEXT, "contentSchema": ARRAY}
    assert found == status
    if message is None:
        assert response == [1.0, 2.0, 0.1]
    else:
        (error,) = response["detail"]
        assert error["loc"] == ["query", "embedding"]
        assert error["msg"].startswith(message)


@each_type
async def test_a_parameter_of_json_of_every_type(type_: SpecType) -> None:
    value, cls = sample(type_), type_.value_class

    async def handler(embedding: Any) -> Any:
        return embedding

    handler.__annotations__ = {"embedding": Annotated[Json[cls], Query()], "return": cls}
    found, response, schema = await ask(handler, {"embedding": json.dumps(value.to_json())})
    assert (found, response) == (200, value.to_json())
    assert schema == {**JSON_TEXT, "contentSchema": cls.json_schema()}


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        (["1", "2", "0.1"], 200, None),
        (["1", "2"], 422, "List should have at least 3 items"),
        (["1", "2", "1e39"], 422, "Value error, expected a number that fits float32 at index 2"),
        ("[1,2,3]", 422, "Input should be a valid number"),
    ],
)
async def test_a_repeated_parameter(given: Any, status: int, message: str | None) -> None:
    """A parameter for each element, as the schema says."""

    async def handler(
        embedding: Annotated[
            list[float], Query(min_length=3, max_length=3), AfterValidator(Vector)
        ],
    ) -> Vector:
        assert type(embedding) is Vector
        return embedding

    found, response, schema = await ask(handler, {"embedding": given})
    assert schema == {**ARRAY, "title": "Embedding"}
    assert found == status
    if message is None:
        assert response == [1.0, 2.0, 0.1]
    else:
        assert message in {error["msg"][: len(message)] for error in response["detail"]}


async def test_a_parameter_of_the_class_alone() -> None:
    """FastAPI passes one text; the schema is that of a body, as docs/results.md says."""

    async def handler(embedding: Vector) -> Vector:
        return embedding

    found, response, schema = await ask(handler, {"embedding": "[1,2,0.1]"})
    assert (found, response) == (200, [1.0, 2.0, 0.1])
    assert schema["type"] == "array"
    found, response, _ = await ask(handler, {"embedding": ["1", "2"]})
    assert (found, response["detail"][0]["msg"]) == (
        422,
        "expected vector as [1,2,3], got str '2'",
    )


# Handlers that return values without a model


def returns(result: Any, annotation: Any) -> FastAPI:
    """A service with one handler, with the given return annotation or none."""

    async def handler() -> Any:
        return result

    if annotation is None:
        del handler.__annotations__["return"]
    else:
        handler.__annotations__["return"] = annotation
    app = FastAPI()
    app.get("/")(handler)
    return app


async def get(app: FastAPI) -> Any:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return (await client.get("/")).json()


@each_type
@pytest.mark.parametrize("annotation", [Any, object, dict, dict[str, Any], dict[str, object]])
async def test_an_annotation_need_not_name_the_class(type_: SpecType, annotation: Any) -> None:
    value = sample(type_)
    app = returns({"embedding": value, "more": [value]}, annotation)
    assert await get(app) == {"embedding": value.to_json(), "more": [value.to_json()]}


@each_type
async def test_without_an_annotation_fastapi_needs_an_encoder(
    type_: SpecType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI's own encoder uses Pydantic for models only, as docs/pydantic.md says."""
    monkeypatch.delitem(ENCODERS_BY_TYPE, type_.value_class, raising=False)
    value = sample(type_)
    app = returns({"embedding": value, "more": [value]}, None)
    with pytest.raises(ValueError, match="dictionary update sequence|not iterable"):
        await get(app)
    monkeypatch.setitem(ENCODERS_BY_TYPE, type_.value_class, type_.value_class.to_json)
    assert await get(app) == {"embedding": value.to_json(), "more": [value.to_json()]}
