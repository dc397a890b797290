"""Draws the results for docs/performance.md, each for a light background and for a dark one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import matplotlib as untyped_mpl  # noqa: ICN001  # its stubs leave most arguments open
import matplotlib.pyplot as untyped_plt  # noqa: ICN001
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from bench.bars import compare
from bench.peers import FLOOR, LIMIT, OURS, PGVECTOR, PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.timing import Ratio, Result

__all__ = ["GROWTH", "PICTURES", "draw"]

mpl: Any = untyped_mpl
plt: Any = untyped_plt
mpl.use("Agg")

Results: TypeAlias = "Mapping[str, Mapping[str, Result]]"


@dataclass(frozen=True)
class _Picture:
    """A picture of bars, in groups of operations."""

    groups: Mapping[str, Mapping[str, str]]
    """The operations, by the name of a group and a label."""
    ways: tuple[str, ...]
    """The bars of an operation."""
    reference: str
    """The way whose time is 1."""
    limit: str
    """The way whose time is a line across the bars."""
    limit_label: str
    axis_label: str


PICTURES = {
    "offline": _Picture(
        groups={
            "a vector from": {
                "a list": "vector: list to wire",
                "a float32 array": "vector: float32 ndarray to wire",
                "base64": "vector: base64 to wire",
                "text": "vector: text to wire",
            },
            "a vector to": {
                "a value": "vector: wire to value",
                "a list": "vector: wire to list",
                "an array": "vector: wire to ndarray",
                "text": "vector: to text",
            },
            "1000 vectors": {
                "from a matrix": "vector: matrix to values",
                "to a matrix": "vector: values to matrix",
            },
            "a sparse vector": {
                "from a dict": "sparsevec: dict to wire",
                "to a value": "sparsevec: wire to value",
            },
            "bits": {
                "from a list": "bit: list to wire",
                "to a list": "bit: wire to list",
            },
        },
        ways=(OURS, PYTHON, PGVECTOR),
        reference=PGVECTOR,
        limit=LIMIT,
        limit_label="limit: to read, make or copy as much",
        axis_label="time, as a share of pgvector-python's: shorter is faster",
    ),
    "live": _Picture(
        groups={
            "store 1000 rows": {
                "COPY of lists": "live: COPY of lists",
                "COPY of a matrix": "live: COPY of a matrix",
                "executemany of lists": "live: executemany of lists",
            },
            "fetch 1000 rows": {
                "as values": "live: fetch to values",
                'as lists, returns="list"': 'live: fetch with returns="list"',
                "as lists, to_list()": "live: fetch to lists",
                "as a matrix": "live: fetch to a matrix",
            },
            "50 queries": {"with a list each": "live: 50 parameters, lists of 1536"},
        },
        ways=(OURS, PGVECTOR),
        reference=FLOOR,
        limit=FLOOR,
        limit_label="limit: a codec that does nothing",
        axis_label="time, as a multiple of the limit: shorter is faster",
    ),
}
"""The pictures of bars, by the names of their files."""

GROWTH = {
    "a list to the wire": "vector: list to wire",
    "the wire to a list": "vector: wire to list",
    "the wire to a value": "vector: wire to value",
    "a value to text": "vector: to text",
}
"""The operations of the picture of growth, by the titles of their plots."""

_LABELS = {OURS: "with the kernel", PYTHON: "Python alone", PGVECTOR: PGVECTOR}


@dataclass(frozen=True)
class _Theme:
    """Colours that read well on one background."""

    text: str
    muted: str
    """Of lines, and of times that may be pgvector-python's."""
    slower: str
    """Of times that are longer than pgvector-python's."""
    limit: str
    ways: Mapping[str, str]


_THEMES = {
    "light": _Theme(
        text="#1f2328",
        muted="#818b98",
        slower="#bc4c00",
        limit="#1f2328",
        ways={OURS: "#0f766e", PYTHON: "#7cc5bb", PGVECTOR: "#bcc4cd"},
    ),
    "dark": _Theme(
        text="#e6edf3",
        muted="#8d96a0",
        slower="#f0883e",
        limit="#ffffff",
        ways={OURS: "#2dd4bf", PYTHON: "#20897d", PGVECTOR: "#5d6670"},
    ),
}
_STYLE = {
    "axes.facecolor": "none",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.facecolor": "none",
    "font.size": 10,
    "legend.frameon": False,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "svg.hashsalt": "bench",  # the same results make the same file
}
_WIDTH = 9
"""Inches: as wide as a page."""


def draw(by_dimensions: Mapping[int, Results], folder: Path) -> None:
    """Draw all pictures into a folder."""
    for name, theme in _THEMES.items():
        coloured = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
        muted = ("axes.edgecolor", "grid.color", "xtick.color", "ytick.color")
        colours = {**dict.fromkeys(coloured, theme.text), **dict.fromkeys(muted, theme.muted)}
        with mpl.rc_context({**_STYLE, **colours}):
            figures = {
                file: _draw_bars(by_dimensions[1536], theme, picture)
                for file, picture in PICTURES.items()
            }
            figures["growth"] = _draw_growth(by_dimensions, theme)
            for file, figure in figures.items():
                figure.savefig(folder / f"{file}-{name}.svg", metadata={"Date": None})
                plt.close(figure)


def _draw_bars(results: Results, theme: _Theme, picture: _Picture) -> Any:
    """Draw a bar for each way of each operation, and a line at the time of the limit."""
    rows = [*_lay_out(picture)]
    bottom = rows[-1][0] + 0.7
    height = (0.1 + 0.11 * len(picture.ways)) * bottom + 1
    figure, axes = plt.subplots(figsize=(_WIDTH, height), layout="constrained")
    for y, _, operation in rows:
        if operation is not None:
            _draw_row(axes, y, results[operation], theme, picture)
    axes.set_yticks([y for y, _, _ in rows], [label for _, label, _ in rows])
    for label, (_, _, operation) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if operation is None else "normal")
    axes.set_ylim(bottom, -0.6)
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(picture.axis_label)
    keys: list[Any] = [
        Patch(color=theme.ways[way], label=_LABELS[way], linewidth=0) for way in picture.ways
    ]
    keys.append(Line2D([], [], color=theme.limit, label=picture.limit_label))
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys))
    return figure


def _lay_out(picture: _Picture) -> Iterator[tuple[float, str, str | None]]:
    """Yield each label's height, and its operation, which the name of a group lacks."""
    y = 0.0
    for group, operations in picture.groups.items():
        yield y, group, None
        for label, operation in operations.items():
            y += 1
            yield y, label, operation
        y += 1.3


def _draw_row(
    axes: Any, y: float, ways: Mapping[str, Result], theme: _Theme, picture: _Picture
) -> None:
    """Draw the bars of an operation, each labelled with its time."""
    thickness = 0.86 / len(picture.ways)
    limit = 0.0
    if picture.limit in ways:
        limit = ways[picture.limit].ratios[picture.reference].median
        axes.vlines(limit, y - 0.46, y + 0.46, color=theme.limit)
    for number, way in enumerate(picture.ways):
        length = ways[way].ratios[picture.reference].median
        place = y - 0.43 + (number + 0.5) * thickness
        axes.barh(place, length, thickness, color=theme.ways[way])
        axes.annotate(
            _show(ways[way].seconds),
            # Beside the line of the limit, where the text would cross it.
            (limit if length < limit < length + 0.1 else length, place),
            (3, 0),
            textcoords="offset points",
            verticalalignment="center_baseline",
            color=_judge(way, ways[way].ratios[PGVECTOR], theme),
            fontsize=7.5,
        )


def _judge(way: str, ratio: Ratio, theme: _Theme) -> str:
    """Return the colour of a bar's label: a loss stands out, and noise does not."""
    if way == PGVECTOR:
        return theme.muted
    return {"faster": theme.text, "even": theme.muted, "slower": theme.slower}[compare(ratio)]


def _show(seconds: float, _place: int | None = None) -> str:
    """Return a time for readers, in two significant digits; of a tick, at its place."""
    unit, of_unit = ("ms", 1e3) if seconds >= 1e-3 else ("µs", 1e6)
    return f"{float(f'{seconds * of_unit:.2g}'):,g} {unit}"


def _draw_growth(by_dimensions: Mapping[int, Results], theme: _Theme) -> Any:
    """Draw the time of each way by the number of dimensions, a plot for each operation."""
    figure, plots = plt.subplots(
        1, len(GROWTH), figsize=(_WIDTH, 3.4), sharex=True, sharey=True, layout="constrained"
    )
    for axes, (title, operation) in zip(plots, GROWTH.items(), strict=True):
        for way in reversed(_LABELS):  # the kernel's line is on top
            points = [
                (dimensions, results[operation][way].seconds)
                for dimensions, results in by_dimensions.items()
            ]
            style = {"color": theme.ways[way], "linewidth": 2, "marker": "o", "markersize": 3.5}
            axes.plot(*zip(*points, strict=True), **style)
        axes.set(title=title, xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.yaxis.set_major_formatter(_show)
        axes.tick_params(labelsize=8.5)
        axes.grid(alpha=0.25)
    keys = [
        Line2D([], [], color=theme.ways[way], linewidth=2, label=_LABELS[way]) for way in _LABELS
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys))
    figure.supxlabel("dimensions", fontsize=10)
    return figure
