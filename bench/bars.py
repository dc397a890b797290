"""The most time that each operation may take, and comparisons of times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from bench.peers import FLOOR, OURS, PGVECTOR, PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.timing import Ratio, Result

__all__ = ["BARS", "Bar", "compare", "find_over", "find_slower"]


class Bar(NamedTuple):
    """The most time that an operation may take with the kernel."""

    ratio: float
    of: str
    """The way whose time is 1."""


def _to(reference: str, ratios: Mapping[str, float]) -> dict[str, Bar]:
    return {operation: Bar(ratio, reference) for operation, ratio in ratios.items()}


BARS: Mapping[int, Mapping[str, Bar]] = {
    3: _to(PGVECTOR, {"vector: list to wire": 0.10, "halfvec: list to wire": 0.10}),
    1536: {
        **_to(
            PGVECTOR,
            {
                "vector: list to wire": 0.10,
                "halfvec: list to wire": 0.20,
                "vector: float32 ndarray to wire": 0.15,
                "halfvec: float32 ndarray to wire": 0.15,
                "halfvec: float16 ndarray to wire": 0.15,
                "vector: base64 to wire": 0.12,
                "vector: text to wire": 0.10,
                "vector: to text": 0.05,
                "vector: wire to value": 0.10,
                "halfvec: wire to value": 0.10,
                "vector: from_binary": 0.50,
                "halfvec: from_binary": 0.50,
                "vector: wire to list": 0.95,
                "halfvec: wire to list": 0.60,
                "vector: wire to ndarray": 0.35,
                "halfvec: wire to ndarray": 0.35,
                "vector: matrix to values": 0.25,
                "halfvec: matrix to values": 0.25,
                "vector: values to matrix": 0.20,
                "halfvec: values to matrix": 0.20,
                "sparsevec: dict to wire": 0.20,
                "sparsevec: wire to value": 0.10,
                "bit: list to wire": 0.10,
                "bit: wire to list": 0.10,
            },
        ),
        **_to(
            PYTHON,
            {
                "vector: list of numpy.float64 to wire": 0.10,
                "halfvec: list of numpy.float64 to wire": 0.10,
            },
        ),
        **_to(
            FLOOR,
            {
                "live: COPY of lists": 1.25,
                "live: COPY of a matrix": 1.05,
                "live: executemany of lists": 1.15,
                "live: 50 parameters, lists of 1536": 1.10,
                'live: fetch with returns="list"': 1.20,
                "live: fetch to a matrix": 1.08,
            },
        ),
    },
}
"""By the number of dimensions, and the operation."""


def find_over(
    results: Mapping[str, Mapping[str, Result]], bars: Mapping[str, Bar]
) -> Iterator[tuple[str, Bar, Ratio]]:
    """Yield each operation that takes more than its bar, with the ratio that it has."""
    for operation, bar in bars.items():
        ratio = results[operation][OURS].ratios[bar.of]
        if ratio.median > bar.ratio:
            yield operation, bar, ratio


def find_slower(results: Mapping[str, Mapping[str, Result]]) -> Iterator[tuple[str, Ratio]]:
    """Yield each operation that is slower with the kernel than pgvector-python's."""
    for operation, ways in results.items():
        if PGVECTOR in ways:
            ratio = ways[OURS].ratios[PGVECTOR]
            if compare(ratio) == "slower":
                yield operation, ratio


def compare(ratio: Ratio) -> Literal["faster", "even", "slower"]:
    """Tell which of two ways is faster: neither, if 1 is within the quartiles of the ratio."""
    if ratio.low <= 1 <= ratio.high:
        return "even"
    return "slower" if ratio.low > 1 else "faster"
