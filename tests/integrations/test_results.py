"""docs/results.md is true: its Python blocks run, in their order, and print what it says they print."""

from __future__ import annotations

import ast
import re
from inspect import isawaitable
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql.base import PGDialect

from tests.needs import needs_numpy, needs_pgvector
from tests.spec_types import ROOT
from tests.test_readme import PROMISED

if TYPE_CHECKING:
    from tests.conftest import NewDatabase

PAGE = (ROOT / "docs" / "results.md").read_text()
BLOCKS = [
    (match.start(1), match[1]) for match in re.finditer(r"```python\n(.*?)```", PAGE, re.DOTALL)
]


@needs_numpy
@needs_pgvector("0.7.0")
async def test_blocks(new_database: NewDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    dsn = await new_database("CREATE EXTENSION vector")
    namespace: dict[str, Any] = {"dsn": dsn, "conn": await asyncpg.connect(dsn)}
    promised: list[str] = []
    # An import of pgvector.sqlalchemy makes SQLAlchemy reflect its types.
    with patch.dict(PGDialect.ischema_names):
        for start, block in BLOCKS:
            promised += PROMISED.findall(block)
            tree = ast.increment_lineno(ast.parse(block), PAGE.count("\n", 0, start))
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            running = eval(compile(tree, "results.md", "exec", flags, dont_inherit=True), namespace)
            if isawaitable(running):
                await running
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == sum(block.count("print(") for _, block in BLOCKS) > 10
    for name in ("conn", "pool"):
        await namespace[name].close()
    await namespace["engine"].dispose()
