"""Draws recall against time, for a light background and for a dark one.

A part of tune_search.py. Needs the packages of `make recall`.
"""

from __future__ import annotations

from importlib.util import find_spec
from itertools import cycle, groupby, product
from typing import TYPE_CHECKING, Any, NamedTuple

from asyncpg_vector import VectorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recall_report import Measurement


class Theme(NamedTuple):
    """Colours that read well on one background."""

    text: str
    muted: str
    ways: Sequence[str]


THEMES = {
    "light": Theme("#1f2328", "#818b98", ("#0f766e", "#0969da", "#bc4c00", "#8250df", "#bf3989")),
    "dark": Theme("#e6edf3", "#8d96a0", ("#2dd4bf", "#58a6ff", "#f0883e", "#bc8cff", "#ff8ac2")),
}
STYLE = {
    "axes.facecolor": "none",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 10,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "svg.hashsalt": "recall",  # the same measurements make the same file
}
RECALLS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1)
"""Ticks: they lie farther apart where less is missing."""


def check_drawing(path: Path) -> None:
    """Check that there can be a picture, before hours of measurements."""
    if find_spec("matplotlib") is None:
        raise VectorError("expected matplotlib, to draw; run pip install matplotlib")
    if not path.parent.is_dir():
        raise VectorError(f"expected a folder for the pictures, found no {path.parent}")


def draw(
    path: Path, exact: Measurement, measured: Sequence[Measurement], k: int, wanted: float
) -> None:
    """Draw the picture of each theme, into files whose names begin with the path."""
    import matplotlib as untyped_mpl  # noqa: ICN001  # its stubs leave most arguments open

    mpl: Any = untyped_mpl
    for name, theme in THEMES.items():
        coloured = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
        muted = ("axes.edgecolor", "grid.color", "xtick.color", "ytick.color")
        colours = {**dict.fromkeys(coloured, theme.text), **dict.fromkeys(muted, theme.muted)}
        with mpl.rc_context({**STYLE, **colours}):
            figure = draw_figure(theme, exact, measured, k, wanted)
            figure.savefig(f"{path}-{name}.svg", metadata={"Date": None})


def draw_figure(
    theme: Theme, exact: Measurement, measured: Sequence[Measurement], k: int, wanted: float
) -> Any:
    """Draw a line for each way, and the time of a search without an index."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    set_scales(axes, [*measured, exact], wanted)
    axes.axvline(wanted, color=theme.muted, linewidth=1, linestyle=":")
    axes.axhline(exact.median, color=theme.muted, linewidth=1.5)
    ways = [[*each] for _, each in groupby(measured, lambda each: each.way)]
    colours = dict(zip((points[0].way for points in ways), cycle(theme.ways), strict=False))
    for points in ways:
        x, y = [each.recall for each in points], [each.median for each in points]
        axes.plot(x, y, color=colours[points[0].way], linewidth=2, marker="o", markersize=4)
    settings = " or ".join(dict.fromkeys(each.setting for each in measured))
    axes.set_xlabel(f"recall of the {k} nearest rows; numbers: {settings}")
    axes.set_ylabel("median time of a query")
    figure.draw_without_rendering()  # after it, places on the picture are known
    labels = Labels(axes)
    labels.add(axes.get_xlim()[0], exact.median, "without an index", color=theme.text)
    for points in ways:
        bold = {"color": colours[points[0].way], "fontweight": "bold"}
        if not any(labels.add(each.recall, each.median, each.way, **bold) for each in points[::-1]):
            axes.annotate(points[-1].way, (points[-1].recall, points[-1].median), **bold)
    for each in measured:
        labels.add(each.recall, each.median, str(each.value), color=colours[each.way], fontsize=8)
    return figure


def set_scales(axes: Any, measured: Sequence[Measurement], wanted: float) -> None:
    """Let the axes show all measurements, with round ticks."""
    from matplotlib.ticker import NullLocator

    lowest = min(wanted, *(each.recall for each in measured))
    times = [each.median for each in measured]
    bottom, top = min(times) / 1.5, max(times) * 1.5
    axes.set_xscale("function", functions=(spread, gather))
    axes.set_yscale("log")
    axes.set_xlim(lowest - (1 - lowest) / 8, 1.0015)
    axes.set_ylim(bottom, top)
    recalls = [each for each in sorted({*RECALLS, wanted}) if each >= lowest]
    axes.set_xticks(recalls, [f"{each:g}" for each in recalls])
    ticks = [float(f"{digit}e{power}") for power in range(-3, 6) for digit in (1, 2, 5)]
    ticks = [each for each in ticks if bottom < each < top]
    axes.set_yticks(ticks, [f"{each:g} ms" for each in ticks])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.25)


class Labels:
    """Writes labels beside points, where no line and no other label is."""

    def __init__(self, axes: Any) -> None:
        self.axes = axes
        self.lines = [line.get_transform().transform_path(line.get_path()) for line in axes.lines]
        self.boxes: list[Any] = []

    def add(self, recall: float, time: float, text: str, **style: Any) -> bool:
        """Write a label, if there is room for it at any side of the point."""
        for x, y in product((5, -5), (5, -5)):
            label = self.axes.annotate(
                text,
                (recall, time),
                (x, y),
                textcoords="offset points",
                horizontalalignment="left" if x > 0 else "right",
                verticalalignment="bottom" if y > 0 else "top",
                in_layout=False,
                **style,
            )
            box = label.get_window_extent().padded(1)
            if self.is_free(box):
                self.boxes.append(box)
                return True
            label.remove()
        return False

    def is_free(self, box: Any) -> bool:
        """Tell whether a box is inside of the axes, and nothing else is there."""
        whole = self.axes.get_window_extent()
        inside = whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0
        return (
            inside
            and not box.count_overlaps(self.boxes)
            and not any(line.intersects_bbox(box, filled=False) for line in self.lines)
        )


def spread(recall: Any) -> Any:
    """Return a recall's place on the axis: each halving of what is missing takes as much room."""
    import numpy as np

    return -np.log(np.maximum(1.004 - recall, 1e-6))


def gather(place: Any) -> Any:
    """Return the recall at a place."""
    import numpy as np

    return 1.004 - np.exp(-place)
