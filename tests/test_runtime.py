"""The contract between generated code and the runtime that it stands on."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType
from typing import Any

import pytest

from asyncpg_vector import InvalidValueError, MalformedWireError, runtime
from asyncpg_vector.runtime import count_error, require, wire_error
from asyncpg_vector.runtime.checks import CONTRACT, CONTRACTS
from tests.spec_types import SpecType, each_type


def test_the_contracts_that_are_served() -> None:
    """Generated code of any of them can be imported; the newest is what the generator writes."""
    assert CONTRACTS[-1] == CONTRACT
    for contract in CONTRACTS:
        require(contract=contract, module="mine.emb")


def test_a_contract_of_a_later_release() -> None:
    with pytest.raises(ImportError) as caught:
        require(contract=CONTRACT + 1, module="mine.emb")
    assert str(caught.value) == (
        f"expected mine.emb to rest on a contract from 1 to {CONTRACT} of asyncpg_vector.runtime, "
        f"got {CONTRACT + 1}: install a later release of asyncpg_vector"
    )


def test_a_contract_that_is_no_longer_served() -> None:
    with pytest.raises(ImportError, match="got 0: generate it anew with this release of asyncpg_v"):
        require(contract=0, module="mine.emb")


def test_a_name_of_another_contract() -> None:
    """The import comes before `require`, and is as clear."""
    with pytest.raises(
        ImportError, match=r"contracts from 1 to 1 with .*, got later: generate the"
    ):
        exec("from asyncpg_vector.runtime import later")
    assert not hasattr(runtime, "__wrapped__")


def test_errors() -> None:
    error = count_error("emb", "dimensions", 1, 16, 10**30)
    assert type(error) is InvalidValueError
    assert str(error).startswith("expected 1 to 16 dimensions for emb, got 1000000000")
    error = wire_error("emb", "8 bytes", 4)
    assert type(error) is MalformedWireError
    assert str(error) == "expected 8 bytes for this emb, got 4"


def imports(module: ModuleType) -> list[ast.Import | ast.ImportFrom]:
    nodes: Any = ast.walk(ast.parse(inspect.getsource(module)))
    return [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]


@each_type
def test_a_generated_module_stands_on_public_names_alone(type_: SpecType) -> None:
    of_modules = {node.module for node in imports(type_.module) if isinstance(node, ast.ImportFrom)}
    assert of_modules <= {"__future__", "typing", "asyncpg_vector.runtime"}
    for node in imports(type_.module):
        if getattr(node, "module", None) == "asyncpg_vector.runtime":
            assert {alias.name for alias in node.names} <= {*runtime.__all__}
    assert f"require(contract={CONTRACT}, module=__name__)" in inspect.getsource(type_.module)


@pytest.mark.parametrize("name", runtime.__all__)
def test_public_names_are_documented(name: str) -> None:
    thing = getattr(runtime, name)
    if thing is not Any and (inspect.isclass(thing) or inspect.isfunction(thing)):
        assert thing.__doc__
        assert thing.__module__.startswith("asyncpg_vector.")
