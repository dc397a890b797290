"""The settings of Sphinx for `make docs`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pygments.lexers.sql import PostgresLexer
from sphinx.pycode import ModuleAnalyzer

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/asyncpg-vector/asyncpg_vector/"
PAGES = "https://asyncpg-vector.readthedocs.io/en/latest/"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project = PROJECT["name"]
author = "asyncpg_vector contributors"
copyright = author  # noqa: A001  # as Sphinx calls it
release = version = PROJECT["version"]
html_title = f"asyncpg_vector {release}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

# Pages. A link to a page or a heading that does not exist is a warning, and a warning is an error.
myst_enable_extensions = ["smartquotes"]
myst_heading_anchors = 4
suppress_warnings: list[str] = []
highlight_language = "none"

# The reference. A name in single backticks is a name of Python's.
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {
    name: name
    for name in (
        *("AnyConnection", "AnySession", "BitsInput", "BitsMatrixInput", "Buffer", "ColumnInput"),
        *("DenseInput", "Expression", "MatrixInput", "NumbersInput", "PackedInput"),
        *("PackedMatrixInput", "Returns", "RowsInput", "SparseInput", "SparseMatrixInput"),
        "TypesInput",
    )
}
autosummary_generate = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# The theme. The pictures are on a transparent ground, one for each theme.
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
templates_path: list[str] = []
exclude_patterns: list[str] = []
copybutton_exclude = ".linenos, .gp, .go"
html_theme_options: dict[str, Any] = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
}

_PICTURE = re.compile(
    r'<picture>\s*<source media="[^"]*" srcset="([^"]+)">\s*'
    r'<img src="([^"]+)" alt="([^"]+)">\s*</picture>'
)
_PAGE = re.compile(rf"{re.escape(PAGES)}([\w/.-]+)\.html")
_FILE = re.compile(r"\]\(\.\./([^)#]+)\)")
_ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
_OVERLOADED = (
    ("asyncpg_vector.registration", "register_vector"),
    ("asyncpg_vector.sqlalchemy._generated._vector_index", "vector_index"),
)
"""Functions whose overloads serve type checkers alone."""


def setup(app: Any) -> None:
    """Let Sphinx call the functions below."""
    app.connect("source-read", adapt_page)
    app.connect("autodoc-process-signature", adapt_signature)
    app.add_lexer("sql", PostgresLexer)  # SQL's own has no $1
    for module, function in _OVERLOADED:
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        del analyzer.overloads[function]


def adapt_page(_app: Any, page: str, source: list[str]) -> None:
    """Turn what GitHub and PyPI show into what Sphinx shows.

    README.md is the first page, and its links to pages are checked here. On GitHub, a picture
    follows the theme of the system; here, it follows the theme of the page. A file that is no page
    is a link to the repository.
    """
    if page == "index":
        readme = _PAGE.sub(lambda link: _link_page(link[1]), (ROOT / "README.md").read_text())
        source[0] = source[0].replace("<!-- README.md -->", readme)
    source[0] = _PICTURE.sub(_write_picture, source[0])
    source[0] = _FILE.sub(lambda link: _link_file(page, link[1]), source[0])


def adapt_signature(*event: Any) -> tuple[str | None, str | None]:
    """Write the name of a type alias that stands beside another type, and not its object."""
    arguments, result = event[-2:]
    return arguments and _ALIAS.sub(r"\1", arguments), result


def _write_picture(found: re.Match[str]) -> str:
    dark, light, alt = found.groups()
    return "\n\n".join(
        f"```{{image}} {file}\n:alt: {alt}\n:class: picture only-{theme}\n```"
        for theme, file in (("light", light), ("dark", dark))
    )


def _link_page(page: str) -> str:
    return f"{page}.md" if (ROOT / "docs" / f"{page}.md").exists() else f"{page}.rst"


def _link_file(page: str, path: str) -> str:
    if not (ROOT / path).exists():
        raise LookupError(f"{page}: expected a file for the link to {path}")
    kind = "tree" if (ROOT / path).is_dir() else "blob"
    return f"]({REPOSITORY}{kind}/main/{path})"
