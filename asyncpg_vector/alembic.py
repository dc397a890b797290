"""Makes Alembic's migrations import the column types that they name, and notice changed types.

Alembic 1.18 and later load this module as a plugin, while Alembic itself is being imported. So this
module imports Alembic and SQLAlchemy only when its functions run.
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
    """Add the import of a column type to a migration; Alembic renders the type itself.

    The plugin calls this. An ``env.py`` has to pass it if Alembic is older, or if ``env.py`` sets
    ``autogenerate_plugins``: ``context.configure(..., render_item=render_item)``.

    Args:
        kind: the kind of the item, such as ``type``.
        item: the item to render; only a column type of this package is imported.
        autogen_context: the context, which keeps the imports of the migration.

    Returns:
        False, which lets Alembic render the item.
    """
    if kind == "type" and _is_ours(item):
        autogen_context.imports.add(f"import {_PACKAGE}")
    return False


def compare_type(
    context: MigrationContext,
    inspected_column: object,  # noqa: ARG001  # Alembic's signature
    metadata_column: object,  # noqa: ARG001
    inspected_type: Any,
    metadata_type: Any,
) -> bool | None:
    """Tell whether a column has another type in the database than in the model.

    Alembic's own comparison takes ``VECTOR(3)`` and ``VECTOR`` for the same type, and an array for
    its item type. The plugin calls this; an ``env.py`` passes it as it passes `render_item`:
    ``context.configure(..., compare_type=compare_type)``.

    Args:
        context: the context of the migration, which has the dialect.
        inspected_column: the column in the database.
        metadata_column: the column in the model.
        inspected_type: the type of the column in the database.
        metadata_type: the type of the column in the model.

    Returns:
        None, which lets Alembic compare the types, if neither is a type of this package or an
        array of one, or if one of the two is unknown.
    """
    from sqlalchemy.exc import CompileError

    types = (inspected_type, metadata_type)
    if not any(_is_ours(type_) or _is_ours(getattr(type_, "item_type", None)) for type_ in types):
        return None
    try:
        inspected, metadata = (type_.compile(dialect=context.dialect) for type_ in types)
    except CompileError:  # NullType: reflection failed, or the model's column has no type
        return None
    return _normalize(inspected) != _normalize(metadata)


def setup(plugin: Plugin) -> None:
    """Add `render_item` and `compare_type` to every autogeneration; Alembic calls this."""
    plugin.add_autogenerate_comparator(_add_render_item, "autogenerate")
    plugin.add_autogenerate_comparator(_compare_types, "column", "types")


def _normalize(sql: str) -> str:
    """Keep one pair of brackets: PostgreSQL's array types have no number of dimensions."""
    return re.sub(r"(\[\])+$", "[]", sql.lower())


def _is_ours(type_: object) -> bool:
    return type(type_).__module__ == _PACKAGE


def _add_render_item(
    autogen_context: AutogenContext, _upgrade_ops: object
) -> PriorityDispatchResult:
    # No other hook of a plugin runs between the configuration and the rendering.
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
    """A module that iterates over itself.

    Alembic 1.18.0 to 1.20.0 iterate over the object that an entry point names, for modules. Later
    releases take the object for the module.
    """

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


sys.modules[__name__].__class__ = _Plugin
