"""The example of a FastAPI service on the suite's server, and FastAPI's responses with values."""

from __future__ import annotations

import runpy
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.encoders import ENCODERS_BY_TYPE
from sqlalchemy import make_url

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
    ([1, 2], "Value should have at least 3 items after validation, not 2"),
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
    """FastAPI's own encoder uses Pydantic for models only, as the README says."""
    monkeypatch.delitem(ENCODERS_BY_TYPE, type_.value_class, raising=False)
    value = sample(type_)
    app = returns({"embedding": value, "more": [value]}, None)
    with pytest.raises(ValueError, match="dictionary update sequence|not iterable"):
        await get(app)
    monkeypatch.setitem(ENCODERS_BY_TYPE, type_.value_class, type_.value_class.to_json)
    assert await get(app) == {"embedding": value.to_json(), "more": [value.to_json()]}
