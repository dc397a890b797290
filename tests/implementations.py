"""The native kernel and Python alone, each in a process of its own, which run the same cases.

A case names a type and an operation, and has the argument as Python source. Each process builds the
argument by itself, so that it may be an object that cannot be pickled, and a failure shows a line that
can be run. `python -m tests.implementations FOLDER` is such a process: it reads lists of cases from its
standard input, and writes their outcomes. FOLDER has packages of more types.
"""

from __future__ import annotations

import array
import collections
import copy
import ctypes
import importlib
import os
import pickle
import re
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Self

import asyncpg

ROOT = Path(__file__).parent.parent


class Case(NamedTuple):
    """A call of an operation."""

    type_: str
    """The package and the type's name in SQL, such as ``pgvector.halfvec``."""
    operation: str
    """A name in `OPERATIONS`."""
    source: str
    """The argument, as an expression of the names in `NAMES`."""


Outcome = tuple[Any, ...]


# Objects that a source can name


class ListOfOwn(list[Any]):
    """A list of another class."""


class TupleOfOwn(tuple[Any, ...]):
    """A tuple of another class."""

    __slots__ = ()


class FloatOfOwn(float):
    """A float of another class."""


class IntOfOwn(int):
    """An int of another class."""


class StrOfOwn(str):
    """A str of another class."""

    __slots__ = ()


class BytesOfOwn(bytes):
    """Bytes of another class."""


class DictOfOwn(dict[Any, Any]):
    """A dict of another class."""


class Level(IntEnum):
    """Numbers with names."""

    NONE = 0
    ONE = 1


class Other(FloatOfOwn):
    """A float that says that it is another number."""

    def __float__(self) -> float:
        return 7.0

    def __int__(self) -> int:
        return 7


class OtherInt(IntOfOwn):
    """An int that says that it is another number."""

    def __float__(self) -> float:
        return 7.0

    def __int__(self) -> int:
        return 7

    def __index__(self) -> int:
        return 1


class Number:
    """An object that says that it is a number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def __float__(self) -> float:
        return float(self.number)

    def __int__(self) -> int:
        return int(self.number)

    def __repr__(self) -> str:
        return f"Number({self.number})"


class Index:
    """An object that says that it is an index."""

    def __index__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "Index()"


class Raises:
    """An object all of whose conversions raise an error, of any kind."""

    def __init__(self, error: type[Exception] = ZeroDivisionError) -> None:
        self._error = error

    def _raise(self, *_: object) -> Any:
        raise self._error("on purpose")

    __float__ = __int__ = __index__ = __len__ = __iter__ = __getitem__ = _raise
    __array__ = tolist = _raise

    def __repr__(self) -> str:
        return f"Raises({self._error.__name__})"


class Pretends:
    """An object that says that it is of another class."""

    def __init__(self, class_: type) -> None:
        self._class = class_

    @property
    def __class__(self) -> Any:
        return self._class

    def __repr__(self) -> str:
        return f"Pretends({self._class.__name__})"


class Clears:
    """An object that empties a list as soon as it is converted."""

    def __init__(self, number: float) -> None:
        self.number = number
        self.holder: list[Any] = []

    def __float__(self) -> float:
        self.holder.clear()
        return float(self.number)

    def __int__(self) -> int:
        return int(float(self))

    def __index__(self) -> int:
        self.holder.clear()
        return int(self.number)

    def __repr__(self) -> str:
        return "Clears()"


def clearing(numbers: list[Any], place: int) -> list[Any]:
    """A list, one of whose elements empties it."""
    element = Clears(numbers[place])
    element.holder = numbers
    numbers[place] = element
    return numbers


class Lies(list[Any]):
    """A list that has another length than it says."""

    def __len__(self) -> int:
        return super().__len__() + 1


class Grows(list[Any]):
    """A list whose length and elements change with each look at them."""

    def __len__(self) -> int:
        self.append(1)
        return super().__len__()

    def __getitem__(self, place: Any) -> Any:
        self.append(2)
        return super().__getitem__(place)


class Row:
    """A sequence that is no list."""

    def __init__(self, numbers: Sequence[Any]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: Any) -> Any:
        return self.numbers[place]

    def __repr__(self) -> str:
        return f"Row({self.numbers})"


def raw(seed: int, size: int) -> bytes:
    """Random bytes."""
    return Random(seed).randbytes(size)


def released(value: Any) -> memoryview:
    view = memoryview(value)
    view.release()
    return view


def exported(value: Any) -> Any:
    """An object whose buffer somebody else has."""
    _exported.append(memoryview(value))
    return value


_exported: collections.deque[memoryview] = collections.deque(maxlen=100)


def mapped(numbers: Any) -> Any:
    """An ndarray in a file."""
    import numpy as np

    with tempfile.TemporaryFile() as file:
        found = np.memmap(file, numbers.dtype, "w+", shape=numbers.shape)
    found[...] = numbers
    return found


def read_only(numbers: Any) -> Any:
    numbers.setflags(write=False)
    return numbers


def objects(*items: Any) -> Any:
    """An ndarray that holds the items themselves."""
    import numpy as np

    found = np.empty(len(items), object)
    for place, item in enumerate(items):
        found[place] = item
    return found


def own_array(numbers: Any) -> Any:
    """An ndarray of another class."""
    import numpy as np

    return np.asarray(numbers).view(type("OwnArray", (np.ndarray,), {}))


def value(name: str, wire: bytes) -> Any:
    """A value of any type, whose payload is not checked."""
    return find_class(name).codec.decode(wire)


def subclass(name: str) -> Any:
    """A subclass of a type's class, as programs make them."""
    return type("Derived", (find_class(name),), {"__slots__": ("__dict__", "__weakref__")})


NAMES: dict[str, Any] = {
    **{each.__name__: each for each in (
        ListOfOwn, TupleOfOwn, FloatOfOwn, IntOfOwn, StrOfOwn, BytesOfOwn, DictOfOwn, Level, Other, OtherInt,
        Number, Index, Raises, Pretends, Lies, Grows, Row, clearing, raw, released, exported, mapped,
        read_only, objects, own_array, value, subclass, Decimal, Fraction, datetime,
    )},
    "UTC": UTC,
    "array": array.array,
    "asyncpg": asyncpg,
    "ctypes": ctypes,
    "deque": collections.deque,
    "UserList": collections.UserList,
    "inf": float("inf"),
    "nan": float("nan"),
}  # fmt: skip
"""The names in the source of an argument, besides Python's own, ``np`` and ``sparse``."""


# Operations


def _read(cls: Any, wire: bytes) -> list[Outcome]:
    """Call every method of a value that a payload becomes."""
    value = cls.codec.decode(wire)
    names = [name for name in _METHODS if hasattr(value, name)]
    if value.dimensions() > MOST_DIMENSIONS:
        names = [name for name in names if name not in _OF_ALL_DIMENSIONS]
    return [_find_outcome(value, name, ()) for name in names] + [
        _find_outcome(value, "__getitem__", (place,))
        for place in (0, -1, 1, 10**30, slice(None, None, -2))
        if hasattr(value, "__getitem__")
    ]


_METHODS = [
    "to_binary", "to_list", "to_numpy", "to_text", "to_json", "to_float_base64", "to_bitstring", "to_bytes", "to_dict",
    "to_coo", "indices", "values", "dimensions", "nnz", "checked", "__len__", "__repr__", "__str__",
    "__array__", "_canonical",
]  # fmt: skip


_OF_ALL_DIMENSIONS = {"to_list", "to_numpy", "to_coo", "__array__"}
MOST_DIMENSIONS = 10_000
"""More elements are not listed: a sparse value may have billions, nearly all of them zero."""


def _compare(cls: Any, wires: tuple[bytes, bytes]) -> tuple[Any, ...]:
    one, two = map(cls.codec.decode, wires)
    return one == two, one != two, hash(one) == hash(two), one == wires[0], {one: 1}.get(two)


def _copy(cls: Any, wire: bytes) -> list[Any]:
    value = cls.from_binary(wire)
    ways = [copy.copy(value), copy.deepcopy(value)]
    return [*ways, *(pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6))]


OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "constructor": lambda cls, argument: cls(argument),
    "constructor of a subclass": lambda _, arguments: arguments[0](arguments[1]),
    "encode": lambda cls, argument: cls.encode(argument),
    "coerce": lambda cls, argument: cls.coerce(argument),
    "from_json": lambda cls, argument: cls.from_json(argument),
    "decode": lambda cls, argument: cls.decode(argument),
    "decoder": lambda cls, argument: cls.codec.decode(argument),
    "from_binary": lambda cls, argument: cls.from_binary(argument),
    "from_text": lambda cls, argument: cls.from_text(argument),
    "from_float_base64": lambda cls, given: cls.from_float_base64(given[0], dimensions=given[1]),
    "from_coo": lambda cls, arguments: cls.from_coo(*arguments),
    "from dict": lambda cls, arguments: cls(*arguments),
    "attributes": lambda cls, given: cls(given[0], **given[1]),
    "from_matrix": lambda cls, argument: cls.from_matrix(argument),
    "to_matrix": lambda cls, argument: cls.to_matrix(argument),
    "from_packed": lambda cls, given: cls.from_packed(given[0], **given[1]),
    "from_packed_matrix": lambda cls, given: cls.from_packed_matrix(given[0], **given[1]),
    "to_packed_matrix": lambda cls, argument: cls.to_packed_matrix(argument),
    "read": _read,
    "compare": _compare,
    "copy": _copy,
}
"""What a case calls with the type's class and the argument."""


# Outcomes


def run(case: Case) -> Outcome:
    """Return what a case comes to: a result that can be compared and pickled, or an error."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            argument = eval(case.source, NAMES)
        except Exception as error:  # noqa: BLE001  # such as that NumPy lacks a name
            return ("no argument", *_show_error(error))
        outcome = _find_outcome(
            OPERATIONS[case.operation], "__call__", (find_class(case.type_), argument)
        )
    return (
        *outcome,
        [(each.category.__name__, str(each.message)) for each in warned if not _is_stray(each)],
    )


def _is_stray(warning: warnings.WarningMessage) -> bool:
    """Tell whether NumPy warned Python alone of something that has no consequence.

    Python adds up a list with NumPy's scalars, and then does not use the sum. It asks for an index,
    of which NumPy 1.26 warns if it is a bool.
    """
    return str(warning.message).startswith(
        (
            "overflow encountered in",
            "invalid value encountered in",
            "In future, it will be an error for 'np.bool_' scalars",
        )
    )


def _find_outcome(owner: Any, name: str, arguments: tuple[Any, ...]) -> Outcome:
    try:
        return "returned", show(getattr(owner, name)(*arguments))
    except Exception as error:  # noqa: BLE001  # of any kind: both processes have to raise it
        return ("raised", *_show_error(error))


def _show_error(error: BaseException) -> tuple[Any, ...]:
    # Each process has other addresses, of which a shortened message may lack the beginning.
    message = re.sub(r"(0x|\.x)[0-9a-f]{6,}|\.[0-9a-f]+(?=>)", "0x...", str(error))
    cause = error.__cause__ and _show_error(error.__cause__)
    return _name(type(error)), message, cause, error.__suppress_context__


def show(result: Any) -> Any:
    """Return plain objects that are the same only for the same results: type, bits and flags."""
    class_ = type(result)
    if hasattr(class_, "codec"):
        return _name(class_), result.to_binary(), type(result.to_binary()).__name__
    if class_ in (list, tuple):
        return class_.__name__, [show(each) for each in result]
    if class_ is dict:
        return class_.__name__, show([*result.items()])
    if hasattr(result, "tobytes"):
        layout = result.dtype.str, result.shape, result.strides, result.flags.writeable
        return _name(class_), layout, result.tobytes()
    if hasattr(result, "tocoo"):
        coo = result.tocoo()
        return _name(class_), result.shape, show([coo.row, coo.col, coo.data])
    return _name(class_), result if class_ in (bytes, str, bool, int) else repr(result)


def _name(class_: type) -> str:
    return f"{class_.__module__}.{class_.__qualname__}"


# The processes


def find_class(name: str) -> Any:
    """Return the value class of a type."""
    package, _, sql_name = name.partition(".")
    module = "asyncpg_vector._generated" if package == "pgvector" else package
    return importlib.import_module(module).VALUE_CLASSES[sql_name]


IMPLEMENTATIONS = ("native", "python")

MEMORY = 4 << 30
"""Bytes of addresses for a process. Some types have no limit: a case may make a list of 10**9 numbers."""


class Process:
    """A process that runs cases with one implementation."""

    def __init__(self, implementation: str, folder: Path, *, numpy: bool = True) -> None:
        self.implementation = implementation
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.implementations", str(folder), str(int(numpy))],
            cwd=ROOT,
            env={
                **os.environ,
                "ASYNCPG_VECTOR_IMPL": implementation,
                "COVERAGE_PROCESS_CONFIG": "",
                "PYTHONHASHSEED": "0",
                "PYTHONPATH": str(ROOT),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def send(self, cases: Sequence[Case]) -> None:
        """Let the process run cases."""
        assert self._process.stdin
        pickle.dump([tuple(case) for case in cases], self._process.stdin)
        self._process.stdin.flush()

    def receive(self) -> list[Outcome]:
        """Return the outcomes of the cases that were sent; raise EOFError if the process crashed."""
        assert self._process.stdout
        outcomes: list[Outcome] = pickle.load(self._process.stdout)
        return outcomes


class Crash(NamedTuple):
    """The outcome of a case that ends the process."""

    implementation: str


class Pair:
    """A process of each implementation."""

    def __init__(self, folder: Path, *, numpy: bool) -> None:
        self.folder, self.numpy = folder, numpy
        self._start = lambda implementation: Process(implementation, folder, numpy=numpy)
        self._processes = [self._start(name) for name in IMPLEMENTATIONS]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.__exit__()

    def differences(self, cases: Sequence[Case]) -> tuple[list[Outcome], list[Any]]:
        """Run cases with both; return Python's outcomes, and the cases whose outcomes differ."""
        for process in self._processes:
            process.send(cases)
        try:
            native, python = (process.receive() for process in self._processes)
        except EOFError:
            return [], self._find_crash(cases)
        rows = zip(cases, native, python, strict=True)
        return python, [row for row in rows if row[1] != row[2]]

    def _find_crash(self, cases: Sequence[Case]) -> list[Any]:
        """Find the case that ends a process, if it does so by itself."""
        self.__exit__()
        self._processes = [self._start(name) for name in IMPLEMENTATIONS]
        for implementation in IMPLEMENTATIONS:
            with self._start(implementation) as again:
                for case in cases:
                    again.send([case])
                    try:
                        again.receive()
                    except EOFError:
                        return [(case, Crash(implementation), None)]
        return [(cases, Crash("one of them"), "no single case")]


def main(folder: str, *, numpy: bool) -> None:
    """Run cases until standard input ends."""
    if "ASAN_OPTIONS" not in os.environ:  # the sanitizer reserves terabytes of addresses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    cases, outcomes = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a case prints is no outcome
    sys.path.insert(0, folder)
    if numpy:
        NAMES["np"] = importlib.import_module("numpy")
        NAMES["sparse"] = importlib.import_module("scipy.sparse")
    else:
        sys.modules["numpy"] = None  # type: ignore[assignment]  # importing it is an error
    native = importlib.import_module("asyncpg_vector._native")
    assert native.implementation == os.environ["ASYNCPG_VECTOR_IMPL"]
    while True:
        try:
            batch = pickle.load(cases)
        except EOFError:
            return
        pickle.dump([run(Case(*case)) for case in batch], outcomes)
        outcomes.flush()


if __name__ == "__main__":
    main(sys.argv[1], numpy=sys.argv[2] == "1")
