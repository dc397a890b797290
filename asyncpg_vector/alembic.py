"""Alembic's migrations import the column types that they name, and notice when these change.

From Alembic 1.18 on this module is a plugin that Alembic loads by itself. It imports nothing of
Alembic or SQLAlchemy, for Alembic is still being imported when it does.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import AlterColumnOp
    from alembic.runtime.migration import MigrationContext
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult
    from sqlalchemy import Column

__all__ = ["compare_type", "render_item", "setup"]

_PACKAGE = "asyncpg_vector.sqlalchemy"


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> Literal[False]:
    """Have a migration import a column type, and leave to Alembic how it is rendered.

    For an ``env.py`` of an older Alembic, or one that names its ``autogenerate_plugins``:
    ``context.configure(..., render_item=render_item)``.

    Args:
        kind: of the item, such as ``type``.
        item: what is rendered; nothing is done unless it is a type of this package.
        autogen_context: which keeps the imports.

    Returns:
        False, which lets Alembic render the item.
    """
    if kind == "type" and _is_ours(item):
        autogen_context.imports.add(f"import {_PACKAGE}")
    return False


def compare_type(
    context: MigrationContext,
    inspected_column: object,  # noqa: ARG001  # as Alembic calls it
    metadata_column: object,  # noqa: ARG001
    inspected_type: Any,
    metadata_type: Any,
) -> bool | None:
    """Tell whether a column has another type in the database than in the model.

    Alembic alone takes a type with a number of dimensions for the same as one without, and an array
    for what it holds. For an ``env.py``, as `render_item`:
    ``context.configure(..., compare_type=compare_type)``.

    Args:
        context: of the migration, which has the dialect.
        inspected_column: of the database.
        metadata_column: of the model.
        inspected_type: of the former.
        metadata_type: of the latter.

    Returns:
        None, which lets Alembic compare them, unless one is a type of this package, or an array of
        one, and both are known.
    """
    from sqlalchemy.exc import CompileError

    types = (inspected_type, metadata_type)
    if not any(_is_ours(type_) or _is_ours(getattr(type_, "item_type", None)) for type_ in types):
        return None
    try:
        inspected, metadata = (type_.compile(dialect=context.dialect) for type_ in types)
    except CompileError:  # a type that could not be reflected, or that a column does not name
        return None
    return _normalize(inspected) != _normalize(metadata)


def setup(plugin: Plugin) -> None:
    """Add `render_item` and `compare_type` to every autogeneration; Alembic calls this."""
    plugin.add_autogenerate_comparator(_add_render_item, "autogenerate")
    plugin.add_autogenerate_comparator(_compare_types, "column", "types")


def _normalize(sql: str) -> str:
    """Take arrays of any number of dimensions for the same, as PostgreSQL does."""
    return re.sub(r"(\[\])+$", "[]", sql.lower())


def _is_ours(type_: object) -> bool:
    return type(type_).__module__ == _PACKAGE


def _add_render_item(
    autogen_context: AutogenContext, _upgrade_ops: object
) -> PriorityDispatchResult:
    # Of what a plugin may do, this alone comes between the configuration and the rendering.
    from alembic.util import PriorityDispatchResult

    of_env: Callable[..., Any] | None = autogen_context.opts.get("render_item")

    def render(kind: str, item: Any, context: AutogenContext) -> Any:
        rendered = of_env(kind, item, context) if of_env else False
        return render_item(kind, item, context) if rendered is False else rendered

    autogen_context.opts["render_item"] = render
    return PriorityDispatchResult.CONTINUE


def _compare_types(
    autogen_context: AutogenContext,
    operation: AlterColumnOp,
    _schema: object,
    _table: object,
    _name: object,
    inspected: Column[Any],
    metadata: Column[Any],
) -> PriorityDispatchResult:
    from alembic.util import PriorityDispatchResult

    context = autogen_context.migration_context
    differ = compare_type(context, inspected, metadata, inspected.type, metadata.type)
    if differ:
        operation.modify_type = metadata.type
    return PriorityDispatchResult.CONTINUE if differ is None else PriorityDispatchResult.STOP


class _Plugin(ModuleType):
    """A module that holds itself.

    Alembic 1.18.0 to 1.20.0 iterate over what an entry point names; later releases take the module.
    """

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


sys.modules[__name__].__class__ = _Plugin
