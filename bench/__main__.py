"""The benchmark's command line; see `python -m bench --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.progress import Progress

from asyncpg_vector._native import implementation
from bench import bulk
from bench.bars import BARS, find_over, find_slower
from bench.live import live
from bench.offline import offline
from bench.peers import PACKAGES, PGVECTOR, PYTHON, VERSIONS
from bench.report import save, show_ratio, to_table
from bench.server import quiet_server
from bench.timing import Result, repeat, time_calls
from bench.worker import Worker

DIMENSIONS = (3, 384, 1536, 3072)
LARGEST = 16_000
"""Only for the plot of growth: pgvector does not index such vectors, and few people use them."""

_BULK_ROUNDS = 5

console = Console(width=None if sys.stdout.isatty() else 150)


async def main() -> int:
    """Run the benchmark; print and keep its results; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print only; leave docs/ alone")
    parser.add_argument(
        "--strict", action="store_true", help="fail if an operation takes more than its bar"
    )
    options = parser.parse_args()
    if implementation != "native":
        parser.error("expected the native kernel, got an installation or a choice without it")
    results: dict[int, dict[str, dict[str, Result]]] = {}
    with quiet_server() as dsn:
        conn = await asyncpg.connect(dsn)
        machine = f"{_processor()}, Python {platform.python_version()}"
        versions = {**VERSIONS, "PostgreSQL": f"{conn.get_server_version().major}"}
        await conn.close()
        for dimensions in (*DIMENSIONS, LARGEST):
            results[dimensions] = await _measure(dsn, dimensions)
            bars = BARS.get(dimensions, {})
            console.print(to_table(f"{dimensions} dimensions", results[dimensions], bars))
        document: dict[str, Any] = {"machine": machine, "versions": versions}
        document["bulk"] = _bulk(dsn)
    document["import, ms"] = {
        name: round(_import_time(path) * 1e3, 1) for name, path in PACKAGES.items()
    }
    document["installed, kB"] = {name: round(_size(path) / 1000) for name, path in PACKAGES.items()}
    console.print_json(data=document)
    if not options.dry:
        save(document, results)
    are_all_within = _judge(results)
    return 0 if are_all_within or not options.strict else 1


def _judge(results: dict[int, dict[str, dict[str, Result]]]) -> bool:
    """Name the operations that are over their bars, or slower than the peer's.

    Returns:
        Whether all are within their bars.
    """
    over = [
        f"{operation}, {dimensions} dimensions: {show_ratio(ratio)} of {bar.of}, "
        f"at most {bar.ratio:.2f}"
        for dimensions, bars in BARS.items()
        for operation, bar, ratio in find_over(results[dimensions], bars)
    ]
    slower = [
        f"{operation}, {dimensions} dimensions: {show_ratio(ratio)}"
        for dimensions, measured in results.items()
        for operation, ratio in find_slower(measured)
    ]
    _print_list("Over their bars", over)
    _print_list(f"Slower with the kernel than {PGVECTOR}", slower)
    return not over


def _print_list(title: str, lines: list[str]) -> None:
    console.print(f"[bold]{title}:[/bold]", *lines or ["none"], sep="\n  ", highlight=False)


async def _measure(dsn: str, dimensions: int) -> dict[str, dict[str, Result]]:
    results: dict[str, dict[str, Result]] = {}
    with Progress(console=console, transient=True) as progress, Worker(dimensions) as worker:
        task = progress.add_task(f"{dimensions} dimensions", total=None)
        for operation, calls in offline(dimensions):
            progress.update(task, description=f"{dimensions} dimensions: {operation}")
            ways = {name: repeat(call) for name, call in calls.items()}
            results[operation] = time_calls({**ways, PYTHON: worker.way(operation)})
        if dimensions != LARGEST:
            async for operation, result in live(dsn, dimensions):
                progress.update(task, description=f"{dimensions} dimensions: {operation}")
                results[operation] = result
    return results


def _bulk(dsn: str) -> dict[str, dict[str, float]]:
    """Run each way in turn, each time in a new process, and return the medians."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in bulk.WAYS}
    for _ in range(_BULK_ROUNDS):
        for way, environment in bulk.WAYS.items():
            run = subprocess.run(
                [sys.executable, "-m", "bench.bulk", way, dsn],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, **environment},
            )
            runs[way].append(json.loads(run.stdout))
    return {
        way: {name: statistics.median(run[name] for run in taken) for name in taken[0]}
        for way, taken in runs.items()
    }


def _import_time(package: Path) -> float:
    """Return the best of several times to import a package after asyncpg."""
    script = (
        "import asyncpg, time; s = time.perf_counter(); import {}; print(time.perf_counter() - s)"
    )
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once
    command = [sys.executable, "-c", script.format(package.name)]
    return min(
        float(
            subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            ).stdout
        )
        for _ in range(7)
    )


def _size(package: Path) -> int:
    """Return the bytes of a package's code, compiled extensions included."""
    return sum(path.stat().st_size for end in ("py", "so") for path in package.rglob(f"*.{end}"))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()


if __name__ == "__main__":
    started = time.perf_counter()
    status = asyncio.run(main())
    console.print(f"{time.perf_counter() - started:.0f} seconds")
    sys.exit(status)
