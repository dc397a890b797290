"""Draws docs/architecture-*.svg: the layers that the import contracts of pyproject.toml declare.

`python docs/picture.py` writes the pictures, and `python docs/picture.py --check` compares them.
The boxes are the modules of the contracts, from top to bottom. The libraries in them are those that
their modules import, as grimp finds them.
"""

from __future__ import annotations

import sys
import tomllib
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import grimp
import matplotlib as untyped_mpl  # noqa: ICN001  # its stubs leave most arguments open
import matplotlib.pyplot as untyped_plt  # noqa: ICN001
from matplotlib import patches as untyped_patches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

mpl: Any = untyped_mpl
plt: Any = untyped_plt
shapes: Any = untyped_patches

DOCS = Path(__file__).resolve().parent
PROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
PACKAGE = "asyncpg_vector"
GENERATED = {"_generated"}


class Theme(NamedTuple):
    """The colours on a light or on a dark background."""

    text: str
    muted: str
    line: str
    box: str
    inner: str
    generated: str


THEMES = {
    "light": Theme("#1f2328", "#59636e", "#818b98", "#eef1f4", "#ffffff", "#ccebe6"),
    "dark": Theme("#e6edf3", "#9198a1", "#656c76", "#212830", "#2d3640", "#134e48"),
}
STYLE = {
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "svg.hashsalt": "architecture",  # the same code makes the same file
}
WIDTH = 8.4
LEFT = 2.3
LINE = 0.27
GAP = 0.12
NARROW = 1.2
"""The width of a box in which each library has a line."""


def read_layers(container: str) -> list[list[str]]:
    """Return the layers of a package, each with its modules, from top to bottom."""
    (contract,) = (each for each in CONTRACTS if each.get("containers") == [container])
    return [layer.split(" | ") for layer in contract["layers"]]


def find_libraries() -> Mapping[str, list[str]]:
    """Return the libraries that each module of the package imports, submodules included."""
    graph = grimp.build_graph(
        PACKAGE, include_external_packages=True, exclude_type_checking_imports=True
    )
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        _, _, rest = module.partition(".")
        for imported in graph.find_modules_directly_imported_by(module):
            is_library = "." not in imported and imported != PACKAGE
            if rest and is_library and imported not in sys.stdlib_module_names:
                found.setdefault(rest.partition(".")[0], set()).add(imported)
    return {module: sorted(libraries) for module, libraries in found.items()}


class Picture:
    """The axes, a theme, and how to draw a box."""

    def __init__(self, axes: Any, theme: Theme) -> None:
        self.axes, self.theme = axes, theme

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a box, whose upper left corner is given."""
        shape = "round,pad=0,rounding_size=0.06"
        style = {"facecolor": colour, "edgecolor": self.theme.line, "linewidth": 0.7}
        self.axes.add_patch(
            shapes.FancyBboxPatch((x, y - height), width, height, boxstyle=shape, **style)
        )

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        """Write a line whose middle is given."""
        given = {"color": self.theme.text, "ha": "center", "va": "center", "fontsize": 8.5}
        self.axes.text(x, y, text, **{**given, **style})

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw an arrow."""
        style = {"color": self.theme.line, "linewidth": 1.1, "mutation_scale": 10}
        self.axes.add_patch(shapes.FancyArrowPatch(start, end, arrowstyle="-|>", **style))


def draw_module(
    picture: Picture, name: str, libraries: Sequence[str], place: tuple[float, float, float, float]
) -> None:
    """Draw a module: its name, the libraries that it imports, and the layers within it."""
    x, y, width, height = place
    theme, middle = picture.theme, x + width / 2
    picture.box(x, y, width, height, theme.generated if name in GENERATED else theme.box)
    picture.text(middle, y - 0.19, name, family="monospace", weight="bold")
    if libraries:
        style = {"color": theme.muted, "fontsize": 7, "style": "italic", "va": "top"}
        separator = ", " if width > NARROW else ",\n"
        picture.text(middle, y - 0.33, separator.join(libraries), **style)
    top = y - 0.55
    for layer in inner_layers(name):
        share = (width - 0.16) / len(layer)
        for number, module in enumerate(layer):
            left = x + 0.08 + number * share
            colour = theme.generated if module in GENERATED else theme.inner
            picture.box(left + 0.03, top, share - 0.06, LINE - 0.05, colour)
            picture.text(left + share / 2, top - 0.115, module, family="monospace", fontsize=6.8)
        top -= LINE


def inner_layers(name: str) -> list[list[str]]:
    """Return the layers within a module; none if no contract has them."""
    has = any(each.get("containers") == [f"{PACKAGE}.{name}"] for each in CONTRACTS)
    return read_layers(f"{PACKAGE}.{name}") if has else []


def height_of(name: str, libraries: Sequence[str]) -> float:
    """Return the height of a module's box."""
    inner = len(inner_layers(name)) * LINE
    return 0.61 + inner if inner else (0.52 if libraries else 0.36)


def draw(theme: Theme) -> str:
    """Return the picture as SVG."""
    layers, libraries = read_layers(PACKAGE), find_libraries()
    heights = [max(height_of(name, libraries.get(name, ())) for name in row) for row in layers]
    total = sum(heights) + GAP * (len(layers) - 1) + 0.5
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=(WIDTH, total))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, total)
        axes.axis("off")
        picture = Picture(axes, theme)
        tops = draw_layers(picture, layers, heights, libraries, total)
        draw_sources(picture, tops, total)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def draw_layers(
    picture: Picture,
    layers: list[list[str]],
    heights: list[float],
    libraries: Mapping[str, list[str]],
    total: float,
) -> Mapping[str, float]:
    """Draw the layers from top to bottom, and return the middle of each module's row."""
    middles: dict[str, float] = {}
    y = total - 0.32
    right = WIDTH - 0.05
    picture.text(
        (LEFT + right) / 2, total - 0.13, "each module imports only modules of the rows below it"
    )
    for row, height in zip(layers, heights, strict=True):
        weights = [2.7 if inner_layers(name) and len(row) > 1 else 1.0 for name in row]
        unit = (right - LEFT - GAP * (len(row) - 1)) / sum(weights)
        x = LEFT
        for name, weight in zip(row, weights, strict=True):
            place = (x, y, unit * weight, height)
            draw_module(picture, name, libraries.get(name, ()), place)
            middles[name] = y - height / 2
            x += unit * weight + GAP
        y -= height + GAP
    return middles


def draw_sources(picture: Picture, middles: Mapping[str, float], total: float) -> None:
    """Draw what makes the generated modules, and the kernel, on the left."""
    theme, x, width = picture.theme, 0.08, 1.6
    middle, types = x + width / 2, middles["_generated"]
    spec, codegen = total - 0.75, types + 0.26
    picture.box(x, spec, width, 0.52, theme.box)
    picture.text(middle, spec - 0.19, "specs/types.toml", family="monospace", weight="bold")
    note = {"color": theme.muted, "fontsize": 7, "style": "italic"}
    picture.text(middle, spec - 0.39, "every fact about a type", **note)
    picture.box(x, codegen, width, 0.52, theme.box)
    picture.text(middle, codegen - 0.19, "codegen", family="monospace", weight="bold")
    picture.text(middle, codegen - 0.39, "jinja2, pydantic, ruff", **note)
    picture.arrow((middle, spec - 0.52), (middle, codegen))
    picture.arrow((x + width, types), (LEFT, types))
    picture.text(middle, codegen - 0.66, "writes the coloured modules", **note)
    kernel = middles["_native"]
    picture.box(x, kernel + 0.26, width, 0.52, theme.box)
    picture.text(middle, kernel + 0.07, "native/*.c", family="monospace", weight="bold")
    picture.text(middle, kernel - 0.13, "the kernel, optional", **note)
    picture.arrow((x + width, kernel), (LEFT, kernel))


def main() -> int:
    """Write or check the pictures, and return the process's exit status."""
    stale: list[str] = []
    for name, theme in THEMES.items():
        path, text = DOCS / f"architecture-{name}.svg", draw(theme)
        if not path.exists() or path.read_text() != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text)
    if stale and "--check" in sys.argv:
        print(f"expected the picture of today's contracts in {', '.join(stale)}; run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
