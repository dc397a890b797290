"""Shows the results: tables on the screen and in the README, a file, and two plots."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as untyped_plt  # noqa: ICN001  # its stubs leave most arguments open
from rich.table import Table

from bench.peers import FLOOR, OURS, PGVECTOR, ROOT
from codegen.project import insert_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.timing import Result

__all__ = ["save", "to_table"]

mpl.use("Agg")
plt: Any = untyped_plt

_DOCS = ROOT / "docs"
_README = ROOT / "README.md"
_TABLE_START = "<!-- The table of times: written by `make bench`. -->\n"
_TABLE_END = "<!-- The end of the table of times. -->\n"


def to_table(
    title: str, results: Mapping[str, Mapping[str, Result]], bars: Mapping[str, float]
) -> Table:
    """Return a table for the screen, of the results at one number of dimensions."""
    table = Table(title=title, title_justify="left")
    table.add_column("operation")
    for column in ("ours, µs", "of pgvector-python's", "quartiles", "of the floor", "bar"):
        table.add_column(column, justify="right")
    for operation, ways in results.items():
        bar = bars.get(operation)
        table.add_row(
            operation,
            f"{ways[OURS].seconds * 1e6:,.2f}",
            _ratio(ways, PGVECTOR),
            _quartiles(ways, PGVECTOR),
            _ratio(ways, FLOOR),
            "" if bar is None else f"{bar:.2f}",
        )
    return table


def save(
    document: dict[str, Any], by_dimensions: Mapping[int, Mapping[str, Mapping[str, Result]]]
) -> None:
    """Write the file, the plots, and the README's table."""
    _DOCS.mkdir(exist_ok=True)
    document["results"] = {
        str(dimensions): {
            operation: {name: asdict(result) for name, result in ways.items()}
            for operation, ways in results.items()
        }
        for dimensions, results in by_dimensions.items()
    }
    (_DOCS / "benchmark.json").write_text(json.dumps(document, indent=1) + "\n")
    _plot_ratios(by_dimensions[1536], _subtitle(document))
    _plot_growth(by_dimensions, _subtitle(document))
    _write_table(by_dimensions[1536], document)


def _ratio(ways: Mapping[str, Result], reference: str) -> str:
    return f"{ways[OURS].ratios[reference].median:.2f}" if reference in ways else ""


def _quartiles(ways: Mapping[str, Result], reference: str) -> str:
    """Return the quartiles of a ratio, which show its spread."""
    if reference not in ways:
        return ""
    low, _, high = ways[OURS].ratios[reference]
    return f"{low:.2f} to {high:.2f}"


def _subtitle(document: Mapping[str, Any]) -> str:
    return f"{document['machine']}; " + ", ".join(
        f"{name} {version}" for name, version in document["versions"].items()
    )


def _plot_ratios(results: Mapping[str, Mapping[str, Result]], subtitle: str) -> None:
    compared = {name: ways for name, ways in results.items() if PGVECTOR in ways}
    ratios = [ways[OURS].ratios[PGVECTOR].median for ways in compared.values()]
    figure, axes = plt.subplots(figsize=(11, 0.25 * len(compared) + 1.2), layout="constrained")
    colours = ["#2a9d8f" if ratio <= 1 else "#e76f51" for ratio in ratios]
    bars = axes.barh(list(compared), ratios, color=colours)
    axes.axvline(1, color="black", linewidth=1)
    background = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # over the line at 1
    labels = [f"{ratio:.2f}" for ratio in ratios]
    axes.bar_label(bars, labels, padding=3, fontsize=8, bbox=background)
    axes.set_xlim(0, max(ratios) * 1.1)
    axes.set_ylim(len(compared) - 0.5, -0.5)
    axes.set_xlabel("time, as a share of pgvector-python's (less is faster); 1536 dimensions")
    axes.tick_params(axis="y", labelsize=8)
    figure.suptitle(subtitle, fontsize=8)
    figure.savefig(_DOCS / "ratios.svg", metadata={"Date": None})
    plt.close(figure)


_GROWTH = (
    "vector: list to wire",
    "vector: float32 ndarray to wire",
    "vector: wire to value",
    "vector: wire to list",
    "vector: to text",
)


def _plot_growth(
    by_dimensions: Mapping[int, Mapping[str, Mapping[str, Result]]], subtitle: str
) -> None:
    figure, axes = plt.subplots(figsize=(11, 5), layout="constrained")
    for number, operation in enumerate(_GROWTH):
        for name, style in ((OURS, "o-"), (PGVECTOR, "x:")):
            points = [
                (dimensions, results[operation][name].seconds * 1e6)
                for dimensions, results in by_dimensions.items()
                if operation in results
            ]
            label = operation.removeprefix("vector: ") + (
                ", pgvector-python" if name != OURS else ""
            )
            axes.plot(*zip(*points, strict=True), style, color=f"C{number}", label=label)
    axes.set(xscale="log", yscale="log", xlabel="dimensions", ylabel="microseconds")
    axes.legend(fontsize=8, ncols=2)
    axes.grid(alpha=0.3)
    figure.suptitle(subtitle, fontsize=8)
    figure.savefig(_DOCS / "growth.svg", metadata={"Date": None})
    plt.close(figure)


def _write_table(results: Mapping[str, Mapping[str, Result]], document: Mapping[str, Any]) -> None:
    lines = [
        "| 1536 dimensions | µs | of pgvector-python's | of the floor |",
        "|---|---|---|---|",
        *(
            f"| {operation} | {ways[OURS].seconds * 1e6:,.2f} | {_ratio(ways, PGVECTOR)} "
            f"| {_ratio(ways, FLOOR)} |"
            for operation, ways in results.items()
            if PGVECTOR in ways
        ),
    ]
    table = "\n".join([*lines, "", f"{_subtitle(document)}.", ""])
    _README.write_text(insert_table(_README.read_text(), _TABLE_START, _TABLE_END, table))
