"""A Parquet file of embeddings: its row groups as records for COPY, and one of real text.

A part of load_parquet.py.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from corpus import embed_standard_library

from asyncpg_vector import HalfVector, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from rich.progress import Progress

pa: Any = import_module("pyarrow")  # type checkers do not know its types
pq: Any = import_module("pyarrow.parquet")

BATCH = 1024
"""Rows in memory at a time."""

ROW_GROUP = 500
"""Rows of a group of our own file, which are few, so that there are many groups."""

WORDS = 5
"""A docstring of fewer words gets no embedding."""


@dataclass(frozen=True)
class ParquetFile:
    """A file with a column of ids and one of embeddings, which may be NULL."""

    path: Path
    id: str = "id"
    embedding: str = "embedding"

    @cached_property
    def metadata(self) -> Any:
        """The footer."""
        return pq.read_metadata(self.path)

    @cached_property
    def digest(self) -> str:
        """The digest of the file, which stays when the file is moved.

        That of the footer would not do: it has the places and the extremes of the data, and stays
        when an embedding is corrected.
        """
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def sizes(self) -> list[int]:
        """The rows of each row group."""
        groups = range(self.metadata.num_row_groups)
        return [self.metadata.row_group(group).num_rows for group in groups]

    def records(
        self, group: int, value_class: type[Vector | HalfVector], report: Callable[[int], object]
    ) -> Iterator[tuple[Any, Vector | HalfVector | None]]:
        """Yield the ids and values of a row group, and report the rows of each batch."""
        ids = (id_ for batch in self._read(group, self.id) for id_ in batch.to_pylist())
        embeddings = read_ahead(self._read(group, self.embedding))
        return zip(ids, value_class.iter_matrix(reported(embeddings, report)), strict=True)

    def _read(self, group: int, column: str) -> Iterator[Any]:
        """Read a column piece by piece; by itself, since another thread reads the other column."""
        file = pq.ParquetFile(
            self.path, metadata=self.metadata, buffer_size=1 << 20, pre_buffer=False
        )
        for batch in file.iter_batches(BATCH, row_groups=[group], columns=[column]):
            yield batch.column(column)


def read_ahead(batches: Iterator[Any]) -> Iterator[Any]:
    """Read a batch in a thread while the one before it goes to the server."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch


def reported(batches: Iterable[Any], report: Callable[[int], object]) -> Iterator[Any]:
    """Report the rows of each batch once they have gone."""
    for batch in batches:
        yield batch
        report(len(batch))


def write_standard_library(path: Path, progress: Progress) -> None:
    """Write the docstrings of the standard library and their embeddings."""
    documents, embeddings, _ = embed_standard_library(Vector, progress)
    pairs = zip(documents, embeddings, strict=True)
    table = pa.table(
        {
            "id": range(len(documents)),
            "name": [document.name for document in documents],
            "text": [document.text for document in documents],
            "embedding": pa.array(
                [
                    embedding.to_numpy() if len(document.text.split()) >= WORDS else None
                    for document, embedding in pairs
                ],
                pa.list_(pa.float32(), len(embeddings[0])),
            ),
        }
    )
    pq.write_table(table, path, row_group_size=ROW_GROUP)
