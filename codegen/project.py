"""Generates asyncpg_vector's own files, and the pages of docs/ that list the facts of the spec.

`python -m codegen.project` writes the files, and `python -m codegen.project --check` compares them.
This module is not installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    # The package imports its generated modules, which may be missing or broken. The generator needs
    # only the runtime, which imports none of them.
    package = ModuleType("asyncpg_vector")
    package.__path__ = [str(ROOT / "asyncpg_vector")]
    sys.modules["asyncpg_vector"] = package

import argparse
from typing import TYPE_CHECKING, NamedTuple

from asyncpg_vector.runtime.formats import FORMATS, FloatFormat, IntegerFormat, number_format

from .__main__ import UNUSABLE, finish
from .render import RenderError, Target, make_templates, render
from .spec import DenseType, Format, SparseType, Spec, SpecError, Type, load_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TARGET", "TRIED", "main"]

TARGET = Target(
    values=Path("asyncpg_vector/_generated"),
    columns=Path("asyncpg_vector/sqlalchemy/_generated"),
    values_module="asyncpg_vector._generated.",
)

_SPEC = Path("specs/types.toml")
_PAGES = {
    Path("docs/types.md"): "pages/types.md.jinja",
    Path("docs/formats.md"): "pages/formats.md.jinja",
    Path("docs/index-methods.md"): "pages/index_methods.md.jinja",
    Path("docs/api/values.rst"): "pages/values.rst.jinja",
    Path("docs/api/columns.rst"): "pages/columns.rst.jinja",
}
TRIED = {"hnsw", "ivfflat"}
"""The index methods of the suite's servers, which the tests compare with the spec."""
_HIDDEN = (
    "attribute_formats",
    "codec",
    "element_format",
    "header",
    "index_format",
    "info",
    "layout",
    "read_attributes",
    "read_parameter",
    "text_first_index",
    "text_format",
)
"""The names of value classes that describe types and payloads; other pages have them."""


class FormatRow(NamedTuple):
    """A row of the table of number formats."""

    element: Format
    least: str
    most: str
    types: list[str]


def main() -> int:
    """Generate or check the files, and return the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m codegen.project", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and print a diff")
    check = parser.parse_args().check
    try:
        spec = load_spec(ROOT / _SPEC)
        files = render(spec, str(_SPEC), TARGET)
        files |= render_pages(spec)
    except (SpecError, RenderError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    return finish(files, ROOT, TARGET.folders, check=check)


def render_pages(spec: Spec) -> dict[Path, str]:
    """Return the text of every generated page of the documentation."""
    templates = make_templates()
    facts = {
        "spec": _SPEC,
        "types": spec.types,
        "methods": spec.index_methods,
        "functions": spec.function_names,
        "formats": [*list_formats(spec)],
        "untried": [name for name in spec.index_methods if name not in TRIED],
        "hidden": _HIDDEN,
    }
    return {path: templates.get_template(name).render(facts) for path, name in _PAGES.items()}


def list_formats(spec: Spec) -> Iterator[FormatRow]:
    """Yield the facts of each number format, and the types whose elements have it."""
    for name in FORMATS:
        number = number_format(name, "big")
        if isinstance(number, IntegerFormat):
            least, most = f"{number.least:,}", f"{number.most:,}"
        else:
            assert isinstance(number, FloatFormat)  # noqa: S101  # there are no others
            least, most = f"-{number.largest:.6g}", f"{number.largest:.6g}"
        types = [key for key, type_ in spec.types.items() if _format_of(type_) == name]
        yield FormatRow(Format(format=name, width=number.width), least, most, types)


def _format_of(type_: Type) -> str | None:
    """Return the format of a type's elements; None if they are bits."""
    return type_.element.format if isinstance(type_, (DenseType, SparseType)) else None


if __name__ == "__main__":
    sys.exit(main())
