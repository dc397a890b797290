"""Loads a matrix from each of its holders by `iter_matrix`, for docs/bulk-loading.md.

`python -m bench.holders` prints the table. It leaves out the holders whose library is missing.
`python -m bench.holders DSN FOLDER HOLDER` measures one, in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import asyncpg
import numpy as np

from asyncpg_vector import Vector, register_vector
from bench.server import quiet_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROWS, DIMENSIONS = 100_000, 384
BATCH = 1024
_ROUNDS = 3

Open: TypeAlias = "Callable[[Path], Any]"


class Holder(NamedTuple):
    """Where a matrix comes from."""

    open: Open
    """Opens the matrix in the folder that `write` has filled."""

    library: str = "numpy"

    values: Callable[[Any], Iterable[Vector | None]] = Vector.iter_matrix


def _ndarray(folder: Path) -> Any:
    return np.load(folder / "matrix.npy")


def _memmap(folder: Path) -> Any:
    return np.load(folder / "matrix.npy", mmap_mode="r")


def _arrow(name: str) -> Open:
    def read(folder: Path) -> Any:
        pa: Any = import_module("pyarrow")
        with pa.OSFile(str(folder / name)) as file:
            return pa.ipc.open_file(file).read_all()["embedding"]

    return read


def _parquet(folder: Path) -> Iterator[Any]:
    pq: Any = import_module("pyarrow.parquet")
    file = pq.ParquetFile(folder / "matrix.parquet", buffer_size=1 << 20, pre_buffer=False)
    return (batch["embedding"] for batch in file.iter_batches(BATCH))


def _polars(name: str) -> Open:
    def read(folder: Path) -> Any:
        pl: Any = import_module("polars")
        return pl.read_ipc(folder / name)["embedding"]

    return read


def _tensor(dtype: str) -> Open:
    def read(folder: Path) -> Any:
        torch: Any = import_module("torch")
        torch.set_num_threads(1)  # on a busy machine, its threads wait for each other
        return torch.from_numpy(np.load(folder / "matrix.npy")).to(getattr(torch, dtype))

    return read


HOLDERS = {
    "ndarray": Holder(_ndarray),
    "ndarray, `from_matrix`": Holder(_ndarray, values=Vector.from_matrix),
    "memmap": Holder(_memmap),
    "Arrow, fixed-size lists": Holder(_arrow("fixed.arrow"), "pyarrow"),
    "Arrow, lists": Holder(_arrow("lists.arrow"), "pyarrow"),
    "Parquet, batch by batch": Holder(_parquet, "pyarrow"),
    "polars, arrays": Holder(_polars("fixed.arrow"), "polars"),
    "polars, lists": Holder(_polars("lists.arrow"), "polars"),
    "torch, float32": Holder(_tensor("float32"), "torch"),
    "torch, bfloat16": Holder(_tensor("bfloat16"), "torch"),
}


class Measured(NamedTuple):
    """One load."""

    seconds: float
    cpu: float
    """Seconds of the client's processor, which do not depend on what else the machine does."""

    holder: float
    """MB of memory that the holder takes before the load."""

    beside: float
    """MB that the load takes at most, beside the holder."""


def write(folder: Path) -> None:
    """Write the matrix for all holders."""
    shape = (ROWS, DIMENSIONS)
    matrix = np.random.default_rng(20261129).standard_normal(shape, "f4")
    np.save(folder / "matrix.npy", matrix)
    if not find_spec("pyarrow"):
        return
    pa: Any = import_module("pyarrow")
    fixed = pa.FixedSizeListArray.from_arrays(matrix.ravel(), DIMENSIONS)
    table = pa.table({"embedding": fixed})
    lists = pa.table({"embedding": fixed.cast(pa.list_(pa.float32()))})
    for name, each in (("fixed.arrow", table), ("lists.arrow", lists)):
        with pa.ipc.new_file(folder / name, each.schema) as file:
            file.write_table(each, max_chunksize=50_000)
    import_module("pyarrow.parquet").write_table(table, folder / "matrix.parquet")


async def measure(dsn: str, folder: Path, name: str) -> Measured:
    """Load from a holder, in a process that has done nothing else."""
    conn = await asyncpg.connect(dsn)
    await register_vector(conn)
    await conn.execute("DROP TABLE IF EXISTS held; CREATE UNLOGGED TABLE held (id int, v vector)")
    holder = HOLDERS[name]
    import_module(holder.library)
    empty = _memory()
    matrix = holder.open(folder)
    before, most = _memory(), [0]
    start, cpu = time.perf_counter(), time.process_time()
    records = zip(range(ROWS), holder.values(matrix), strict=True)
    await conn.copy_records_to_table("held", records=_watch(records, most))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert await conn.fetchval("SELECT count(v) FROM held") == ROWS
    await conn.execute("DROP TABLE held")
    await conn.close()
    return Measured(seconds, cpu, (before - empty) / 1e6, (most[0] - before) / 1e6)


def _watch(records: Iterable[Any], most: list[int]) -> Iterator[Any]:
    for number, record in enumerate(records):
        if number % 1000 == 0:
            most[0] = max(most[0], _memory())
        yield record


def _memory() -> int:
    """Return the bytes of the process that no file holds."""
    _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    return (resident - shared) * resource.getpagesize()


def main() -> None:
    """Measure each holder in turn, several times, and print the table."""
    with quiet_server() as dsn, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        names = [name for name, holder in HOLDERS.items() if find_spec(holder.library)]
        rounds = [{name: _run(dsn, folder, name) for name in names} for _ in range(_ROUNDS)]
    _print(rounds)


def _run(dsn: str, folder: Path, name: str) -> Measured:
    command = [sys.executable, "-m", "bench.holders", dsn, str(folder), name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(*json.loads(done.stdout))


def _print(rounds: list[dict[str, Measured]]) -> None:
    print("| holder | rows a second | CPU time, µs a row | holder, MB | beside it, MB |")
    print("|---|--:|--:|--:|--:|")
    for name in rounds[0]:
        columns = zip(*(each[name] for each in rounds), strict=True)
        seconds, cpu, holder, beside = map(statistics.median, columns)
        numbers = f"{ROWS / seconds:,.0f} | {1e6 * cpu / ROWS:.1f} | {holder:.0f} | {beside:.0f}"
        print(f"| {name} | {numbers} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(measure(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))))
    else:
        main()
