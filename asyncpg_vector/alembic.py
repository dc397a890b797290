"""Alembic's migrations import the column types that they name.

From Alembic 1.18 on this module is a plugin that Alembic loads by itself. It imports nothing of
Alembic or SQLAlchemy, for Alembic is still being imported when it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.autogenerate.api import AutogenContext
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult

__all__ = ["render_item", "setup"]

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
    if kind == "type" and type(item).__module__ == _PACKAGE:
        autogen_context.imports.add(f"import {_PACKAGE}")
    return False


def setup(plugin: Plugin) -> None:
    """Add `render_item` to every autogeneration; Alembic calls this."""
    plugin.add_autogenerate_comparator(_add_render_item, "autogenerate")


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
