"""Judges recalls and times: tables, and the setting that reaches a wanted recall.

A part of tune_search.py.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WAYS = 3
"""Columns of a table, which is as wide as a screen."""


class Measurement(NamedTuple):
    """The recall and the milliseconds of all queries, in one way, with one value of a setting."""

    way: str
    setting: str
    value: int
    recall: float
    median: float
    slow: float
    """The time within which 95 % of the queries end."""


def to_tables(measured: Iterable[Measurement], wanted: float) -> Iterator[Table]:
    """Yield tables that are as wide as a screen, each of ways with the same setting."""
    for _, of_setting in groupby(measured, lambda each: each.setting):
        ways = [[*of_way] for _, of_way in groupby(of_setting, lambda each: each.way)]
        for start in range(0, len(ways), WAYS):
            yield to_table(ways[start : start + WAYS], wanted)


def to_table(ways: Sequence[Sequence[Measurement]], wanted: float) -> Table:
    """Return a table of recalls and times, with a column for each way."""
    table = Table(box=None, padding=(0, 1))
    table.add_column(ways[0][0].setting, justify="right")
    for measured in ways:
        title = f"{measured[0].way}\nrecall   ms   95%"
        table.add_column(title, justify="right", no_wrap=True)
    for value in sorted({each.value for measured in ways for each in measured}):
        cells = (
            "".join(show(each, wanted) for each in measured if each.value == value)
            for measured in ways
        )
        table.add_row(str(value), *cells)
    return table


def show(measurement: Measurement, wanted: float) -> str:
    """Return the text of a cell, bold if it has the wanted recall."""
    text = f"{measurement.recall:.3f} {measurement.median:5.2f} {measurement.slow:5.2f}"
    return f"[bold]{text}[/]" if measurement.recall >= wanted else text


def choose(measured: Iterable[Measurement], wanted: float) -> Measurement | None:
    """Return the smallest setting of each way that reaches a recall, and of these the fastest.

    A tenth of the time is no reason for another index than that of the way that comes first.
    """
    smallest: dict[str, Measurement] = {}
    for each in measured:
        if each.recall >= wanted:
            smallest.setdefault(each.way, each)
    fastest = min((each.median for each in smallest.values()), default=0.0)
    return next((each for each in smallest.values() if each.median <= 1.1 * fastest), None)


def advise(exact: Measurement, measured: Sequence[Measurement], wanted: float) -> str:
    """Say which setting reaches a recall, or how far the settings reach."""
    best = choose(measured, wanted)
    if best:
        return (
            f"{best.way}: {best.setting} = {best.value} reaches recall {wanted} at "
            f"{best.median:.1f} ms a query; "
            f'use server_settings({{"{best.setting}": {best.value}}})'
        )
    most = max(measured, key=lambda each: each.recall)
    return (
        f"No setting reaches recall {wanted}: {most.way} with {most.setting} = {most.value} "
        f"reaches {most.recall:.3f}; a search without an index takes {exact.median:.1f} ms"
    )
