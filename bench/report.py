"""Shows the results: tables on the screen and in docs/performance.md, and a file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench.peers import FLOOR, OURS, PGVECTOR, PYTHON, ROOT
from bench.pictures import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.bars import Bar
    from bench.timing import Ratio, Result

__all__ = ["insert_table", "save", "show_ratio", "to_table"]

_DOCS = ROOT / "docs"
_PAGE = _DOCS / "performance.md"
_TABLE_START = "<!-- The tables of times: written by `make bench`. -->\n"
_TABLE_END = "<!-- The end of the tables of times. -->\n"


def to_table(
    title: str, results: Mapping[str, Mapping[str, Result]], bars: Mapping[str, Bar]
) -> Table:
    """Return a table for the screen, of the results at one number of dimensions."""
    table = Table(title=title, title_justify="left")
    table.add_column("operation", no_wrap=True)
    for column in ("kernel, µs", "Python, µs", "peer, µs"):
        table.add_column(column, justify="right")
    for column in ("kernel/peer (quartiles)", "Python/peer", "kernel/floor", "bar"):
        table.add_column(column, justify="right")
    for operation, ways in results.items():
        table.add_row(
            operation,
            *(_microseconds(ways, way) for way in (OURS, PYTHON, PGVECTOR)),
            _quartiles(ways, OURS, PGVECTOR),
            _ratio(ways, PYTHON, PGVECTOR),
            _ratio(ways, OURS, FLOOR),
            _mark(ways, bars.get(operation)),
        )
    return table


def _mark(ways: Mapping[str, Result], bar: Bar | None) -> str:
    """Return a bar, marked if the operation is over it."""
    if bar is None:
        return ""
    is_over = ways[OURS].ratios[bar.of].median > bar.ratio
    return f"[bold red]over {bar.ratio:.2f}[/]" if is_over else f"{bar.ratio:.2f}"


def save(
    document: dict[str, Any], by_dimensions: Mapping[int, Mapping[str, Mapping[str, Result]]]
) -> None:
    """Write the file, the pictures, and the page's tables."""
    _DOCS.mkdir(exist_ok=True)
    document["results"] = {
        str(dimensions): {
            operation: {name: _as_dict(name, result) for name, result in ways.items()}
            for operation, ways in results.items()
        }
        for dimensions, results in by_dimensions.items()
    }
    text = json.dumps(document, indent=1)
    with_ratios_on_a_line = re.sub(r"\[[^][]*\]", lambda match: " ".join(match[0].split()), text)
    (_DOCS / "benchmark.json").write_text(with_ratios_on_a_line + "\n")
    draw(by_dimensions, _DOCS)
    tables = "\n".join([*_tables(by_dimensions[1536]), f"{_describe(document)}.", ""])
    _PAGE.write_text(insert_table(_PAGE.read_text(), tables))


def insert_table(page: str, tables: str) -> str:
    """Return a page's text with new tables between its two marker lines.

    Raises:
        LookupError: the page lacks one of the lines.
    """
    before, found_start, rest = page.partition(_TABLE_START)
    _, found_end, after = rest.partition(_TABLE_END)
    if not (found_start and found_end):
        raise LookupError(f"{_PAGE.name}: expected the lines\n{_TABLE_START}{_TABLE_END}")
    return f"{before}{_TABLE_START}\n{tables}\n{_TABLE_END}{after}"


def _as_dict(name: str, result: Result) -> dict[str, Any]:
    """Return a result with four significant digits, without its ratio to itself."""
    ratios = {
        other: [float(f"{number:.4g}") for number in ratio]
        for other, ratio in result.ratios.items()
        if other != name
    }
    return {"seconds": float(f"{result.seconds:.4g}"), "ratios": ratios}


def _tables(results: Mapping[str, Mapping[str, Result]]) -> Iterator[str]:
    """Yield the lines of the page's tables: without a server, and live."""
    compared = {name: ways for name, ways in results.items() if PGVECTOR in ways}
    yield from _to_markdown(
        ("1536 dimensions", "kernel, µs", "Python, µs", "peer, µs", "kernel/peer", "Python/peer"),
        (
            (
                operation,
                *(_microseconds(ways, way) for way in (OURS, PYTHON, PGVECTOR)),
                _ratio(ways, OURS, PGVECTOR),
                _ratio(ways, PYTHON, PGVECTOR),
            )
            for operation, ways in compared.items()
            if PYTHON in ways
        ),
    )
    yield from _to_markdown(
        ("live, 1000 rows", "kernel, ms", "peer, ms", "floor, ms", "kernel/peer", "kernel/floor"),
        (
            (
                operation.removeprefix("live: "),
                *(f"{ways[way].seconds * 1e3:,.2f}" for way in (OURS, PGVECTOR, FLOOR)),
                _ratio(ways, OURS, PGVECTOR),
                _ratio(ways, OURS, FLOOR),
            )
            for operation, ways in compared.items()
            if FLOOR in ways
        ),
    )


def _to_markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|---|" + "--:|" * (len(header) - 1)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _microseconds(ways: Mapping[str, Result], way: str) -> str:
    return f"{ways[way].seconds * 1e6:,.2f}" if way in ways else ""


def _ratio(ways: Mapping[str, Result], way: str, reference: str) -> str:
    has_both = way in ways and reference in ways
    return f"{ways[way].ratios[reference].median:.2f}" if has_both else ""


def _quartiles(ways: Mapping[str, Result], way: str, reference: str) -> str:
    return show_ratio(ways[way].ratios[reference]) if reference in ways else ""


def show_ratio(ratio: Ratio) -> str:
    """Return a ratio with its quartiles, which show its spread."""
    low, median, high = ratio
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def _describe(document: Mapping[str, Any]) -> str:
    """Return the machine and the versions, without which times say little."""
    return f"{document['machine']}; " + ", ".join(
        f"{name} {version}" for name, version in document["versions"].items()
    )
