"""The native kernel by itself: its tables, and that no caller can make it crash, leak or read freed memory."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import threading
import time
import weakref
from array import array
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asyncpg_vector import SparseVector, Vector, VectorError, runtime
from asyncpg_vector._native import kernel
from asyncpg_vector.runtime import Codec, Value
from asyncpg_vector.runtime.codec import NativeCodec
from asyncpg_vector.runtime.formats import FORMATS, FloatFormat, number_format
from asyncpg_vector.runtime.sparse import Entries
from asyncpg_vector.runtime.text import NUMBER_TEXTS
from tests.generated_types import ORDERS, generate, import_package
from tests.kernel_calls import call, calls_of
from tests.needs import needs_failing_allocator, needs_kernel, needs_numpy
from tests.processes import UNMEASURED, run_python
from tests.spec_types import ROOT, SpecType, each_dense_type, each_type

pytestmark = needs_kernel


# Tables


def test_the_same_formats_as_in_python() -> None:
    assert (*FORMATS,) == kernel.FORMATS
    assert (*NUMBER_TEXTS,) == kernel.DIGITS


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_width_and_numbers(name: str, order: Any) -> None:
    format_, native = number_format(name, order), kernel.Format(name, order)
    payload = b"".join(bytes(format_.pack([number])) for number in (1, 2, 3))
    assert native.unpack_list(payload, 0) == [1, 2, 3]
    assert [*map(type, native.unpack_list(payload, 0))] == [format_.number] * 3
    if format_.width > 1:
        with pytest.raises(ValueError, match="expected the offset of whole numbers"):
            native.unpack_list(payload[1:], 0)


@each_type
def test_every_type_is_accelerated(type_: SpecType) -> None:
    assert type(type_.value_class.codec) is NativeCodec


def short_type(name: str, element: str, width: int, digits: str) -> str:
    return f"""
[types.{name}]
class = "{name.capitalize()}"
layout = "dense"
byte_order = "big"
header = [{{ counts = "dimensions", format = "uint16" }}]
element = {{ format = "{element}", width = {width} }}
text = {{ digits = "{digits}" }}
"""


CONSTANTS = "".join(f', {{ constant = {n}, format = "uint32", name = "c{n}" }}' for n in range(16))
LONG_TYPE = f"""
[types.long]
class = "Long"
layout = "dense"
byte_order = "little"
header = [{{ counts = "dimensions", format = "uint16" }}{CONSTANTS}]
element = {{ format = "float32", width = 4 }}
"""
OF_PYTHON_ALONE = [
    short_type("own", "own16", 2, "float32"),
    short_type("owntext", "float32", 4, "own"),
    LONG_TYPE,
]


def test_what_the_kernel_does_not_know_stays_with_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format or digits that only Python has, and a header that is too long."""
    monkeypatch.setitem(vars(runtime), "Own16", runtime.Float16)
    monkeypatch.setitem(FORMATS, "own16", partial(FloatFormat, "own16", "e", "f2"))
    own = copy.copy(NUMBER_TEXTS["float32"])
    own.name = "own"
    monkeypatch.setitem(NUMBER_TEXTS, "own", own)
    (tmp_path / "own.toml").write_text("".join(OF_PYTHON_ALONE))
    assert generate(tmp_path / "own.toml", tmp_path / "kept_by_python").returncode == 0
    classes = import_package(tmp_path / "kept_by_python").VALUE_CLASSES
    assert [*classes] == ["own", "owntext", "long"]
    for value_class in classes.values():
        assert type(value_class.codec) is Codec
        value = value_class([1.5, 2])
        assert value.to_list() == [1.5, 2]
        assert value_class.from_binary(value.to_binary()) == value
    assert [classes[name]([1.5, 2]).to_text() for name in ("own", "owntext")] == ["[1.5,2]"] * 2


# Values, and Python's garbage collector


@each_type
def test_a_fetched_value_is_no_work_for_the_collector(type_: SpecType) -> None:
    cls, wire = type_.value_class, type_.encode(type_.text_of_one)
    assert not gc.is_tracked(cls.codec.decode(wire))
    assert not gc.is_tracked(cls.from_binary(wire))


@each_type
def test_a_subclass_with_more_than_a_payload(type_: SpecType) -> None:
    """It has attributes and weak references, and is collected with the cycles that it is in."""

    class More(type_.value_class):  # type: ignore[misc]
        __slots__ = ("__dict__", "__weakref__")

    wire = type_.encode(type_.text_of_one)
    for make in (More.from_binary, More.decode, More.from_text(type_.text_of_one).from_binary):
        value = make(wire)
        assert gc.is_tracked(value)
        value.__dict__["itself"] = value
        alive = weakref.ref(value)
        del value
        gc.collect()
        assert alive() is None


@each_type
def test_copies(type_: SpecType) -> None:
    value = type_.value_class.coerce(type_.text_of_one)
    ways = [copy.copy(value), copy.deepcopy(value)]
    ways += [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6)]
    assert ways == [value] * len(ways)
    assert {*map(type, ways)} == {type_.value_class}


@each_type
def test_a_class_is_collected(type_: SpecType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that has a value of itself."""
    monkeypatch.delitem(
        sys.modules, "asyncpg_vector._hypothesis", raising=False
    )  # it keeps classes
    wire = type_.encode(type_.text_of_one)
    derived: Any = type("Derived", (type_.value_class,), {"__slots__": ()})
    derived.one = derived.from_binary(wire)
    derived.other = derived.decode(wire)
    derived.third = derived.coerce(type_.text_of_one)
    alive = weakref.ref(derived)
    del derived
    gc.collect()
    assert alive() is None


@each_type
def test_no_value_without_a_payload(type_: SpecType) -> None:
    with pytest.raises(TypeError):
        object.__new__(type_.value_class)
    with pytest.raises(TypeError):
        kernel.Payload()
    with pytest.raises(TypeError):
        kernel.wrap(Value, "no payload")
    with pytest.raises(TypeError):
        kernel.wrap(int, b"")


@needs_numpy
@each_dense_type
def test_a_value_that_another_class_made(type_: SpecType) -> None:
    """A subclass may find a way around the constructor. Its values have no payload, and crash nothing."""
    made: Any = type("Made", (type_.value_class,), {"__new__": object.__new__, "__slots__": ()})
    try:
        empty = made()
    except TypeError:
        return
    for use in (type_.value_class.encode, lambda value: made.to_matrix([value, value]), repr, hash):
        with pytest.raises((AttributeError, VectorError)):
            use(empty)


# References


def references(function: Any, type_: SpecType) -> list[int]:
    """The reference counts of arguments and of what they hold, and of the classes that take part."""
    arguments = [
        argument for argument in getattr(function, "args", ()) if argument.__class__ is not int
    ]
    held = [each for argument in arguments if type(argument) in (list, tuple) for each in argument]
    others = [type_.value_class, None, True, False, 1.0, *{*map(type, arguments)}]
    return [
        sys.getrefcount(each)
        for each in (*arguments, *held, *others, kernel, type_.value_class.codec)
    ]


TIMES = 40


@each_type
def test_no_reference_or_memory_is_lost_or_kept(type_: SpecType) -> None:
    gc.collect()
    gc.freeze()  # the collections below need not look at all that exists
    tracer = sys.gettrace()
    sys.settrace(None)  # coverage's adds references to None
    try:
        for function in calls_of(type_):
            repeat(function)  # fills caches
            # What is cached is added in some rounds. A leak is there in each.
            rounds = (changes(function, type_) for _ in range(10))
            assert any(max(map(abs, added)) < TIMES / 2 for added in rounds), function
    finally:
        sys.settrace(tracer)
        gc.unfreeze()


def repeat(function: Callable[[], Any]) -> None:
    for _ in range(TIMES):
        call(function)
    gc.collect()


def changes(function: Callable[[], Any], type_: SpecType) -> list[int]:
    """How many references, and memory blocks, calls add or take."""
    before = references(function, type_)
    blocks = sys.getallocatedblocks()
    repeat(function)
    added = sys.getallocatedblocks() - blocks
    after = references(function, type_)
    return [added, *(now - then for now, then in zip(after, before, strict=True))]


@each_type
def test_buffers_are_given_back(type_: SpecType) -> None:
    """An array whose buffer somebody holds cannot grow."""
    numbers: list[array[Any]] = [
        array("f", [1, 0]),
        array("d", [1e300]),
        array("b", [2]),
        array("f"),
        array("Q", [0] * 10),
    ]
    for held in numbers:
        for value in (held, memoryview(held)):
            call(partial(type_.value_class, value))
            if isinstance(value, memoryview):
                value.release()
        held.append(1)


# Objects that change while they are read


@each_type
def test_a_list_that_another_thread_changes(type_: SpecType) -> None:
    numbers: list[Any] = [0, 1] * 50
    ends = time.monotonic() + 0.3
    kinds: list[list[Any]] = [[0, 1] * 50, [], [1] * 700, [1.0, 0], [None]]

    def change() -> None:
        while time.monotonic() < ends:
            for kind in kinds:
                numbers[:] = kind
                numbers.append(0)
                numbers.clear()
                numbers.extend(kind)

    thread = threading.Thread(target=change)
    thread.start()
    cls = type_.value_class
    calls = [lambda: cls(numbers), lambda: cls.encode(numbers)]
    if cls is SparseVector:
        calls += [lambda: cls.from_coo(numbers, numbers, 1000)]
    while thread.is_alive():
        for each in calls:
            with suppress(VectorError, IndexError, ValueError):
                each()
    thread.join()


class Finalized:
    """An object that empties a list when the collector frees it."""

    def __init__(self, numbers: list[Any]) -> None:
        self.numbers = numbers
        self.itself = self

    def __del__(self) -> None:
        self.numbers.clear()


@needs_numpy
@pytest.mark.parametrize("threshold", range(1, 12))
def test_a_list_that_the_collector_empties(threshold: int) -> None:
    """An allocation may begin a collection, which runs finalizers (before Python 3.12 even within C)."""
    Vector([1]).to_numpy()  # now the kernel knows NumPy
    native = Vector.codec.native  # type: ignore[attr-defined]
    sparse = SparseVector.codec.encode
    uses: list[Callable[[list[Any]], Any]] = [
        partial(native.to_matrix, Vector),
        lambda numbers: sparse(Entries(([1, 2, 3], numbers, 9))),
        lambda numbers: sparse(Entries((numbers, [1, 2, 3], 9))),
        Vector.codec.encode,
    ]
    for place, use in enumerate(uses):
        numbers: list[Any] = [Vector([1, n]) if place == 0 else n for n in range(1, 4)]
        kept = [(n, n) for n in range(5000)]  # so that no freed tuple is taken again
        gc.collect()
        gc.disable()
        Finalized(numbers)
        thresholds = gc.get_threshold()
        gc.set_threshold(gc.get_count()[0] + threshold)
        gc.enable()
        try:
            use(numbers)
        except VectorError:
            pass
        finally:
            gc.set_threshold(*thresholds)
        del kept


# Memory


@needs_failing_allocator
@each_type
def test_no_memory(type_: SpecType) -> None:
    """Any allocation may fail: there is a MemoryError, or the right result."""
    counted = run_python(ROOT, "-m", "tests.no_memory", type_.sql_name, **UNMEASURED)
    assert int(counted.splitlines()[-1]) > 1_000
