"""From the model, through the templates and the formatter, to the text of every generated file."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruff import find_ruff_bin

if TYPE_CHECKING:
    from codegen.spec import Spec

__all__ = ["COLUMN_TYPES", "GENERATED", "VALUES", "RenderError", "insert_table", "render"]

VALUES = Path("asyncpg_vector/_generated")
COLUMN_TYPES = Path("asyncpg_vector/sqlalchemy/_generated")

GENERATED = (VALUES, COLUMN_TYPES)
"""The folders, in the project, that hold generated files and nothing else."""

_README = Path("README.md")
_TABLE_START = "<!-- The table of types: generated from specs/types.toml by `make generate`. -->\n"
_TABLE_END = "<!-- The end of the table of types. -->\n"


class RenderError(Exception):
    """What the templates made cannot be used."""


def render(spec: Spec, root: Path) -> dict[Path, str]:
    """Return the text of every generated file, by its path in the project.

    Raises:
        RenderError: the formatter refuses a file, or README.md lacks the place for its table.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Python and Markdown, not HTML
    )
    templates.filters["literal"] = repr
    modules = {
        **_render_folder(spec, templates, "", VALUES),
        **_render_folder(spec, templates, "sqlalchemy/", COLUMN_TYPES),
    }
    files = {path: _format(source, path, root) for path, source in modules.items()}
    table = templates.get_template("types.md.jinja").render(types=spec.types)
    readme = (root / _README).read_bytes().decode()
    files[_README] = insert_table(readme, _TABLE_START, _TABLE_END, table)
    return files


def _render_folder(
    spec: Spec, templates: Environment, prefix: str, folder: Path
) -> dict[Path, str]:
    """Return the text of a module for each type, by its layout's template, and of a registry."""
    modules = {
        folder / f"{sql_name}.py": templates.get_template(
            f"{prefix}{type_.layout}.py.jinja"
        ).render(sql_name=sql_name, type=type_)
        for sql_name, type_ in spec.types.items()
    }
    registry = templates.get_template(f"{prefix}registry.py.jinja").render(types=spec.types)
    return {**modules, folder / "__init__.py": registry}


def _format(source: str, path: Path, root: Path) -> str:
    """Format Python with the project's settings; keep a source that the formatter refuses."""
    command = [find_ruff_bin(), "format", "--config", str(root / "pyproject.toml")]
    formatted = subprocess.run(  # noqa: S603  # a command of constants
        [*command, "--stdin-filename", str(root / path), "-"],
        input=source,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if formatted.returncode:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix=f"{path.stem}-", suffix=".py", delete=False
        ) as kept:
            kept.write(source)
        raise RenderError(f"{path}: {formatted.stderr.strip()}\nthe source is kept in {kept.name}")
    return formatted.stdout


def insert_table(readme: str, start: str, end: str, table: str) -> str:
    """Return README.md's text with a table between two of its lines, in place of what was there.

    Raises:
        RenderError: it lacks one of the lines.
    """
    before, found_start, rest = readme.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise RenderError(f"{_README}: expected the lines\n{start}{end}")
    return f"{before}{start}\n{table}\n{end}{after}"
