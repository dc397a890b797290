"""The facts of a type, handed to the native kernel."""

from __future__ import annotations

from typing import Any, TypeVar

from asyncpg_vector._native import kernel
from asyncpg_vector.runtime.arrays import open_foreign
from asyncpg_vector.runtime.codec import NativeCodec
from asyncpg_vector.runtime.header import Header
from asyncpg_vector.runtime.sparse_holders import Entries
from asyncpg_vector.runtime.value import Value

__all__ = ["accelerate"]

ValueT = TypeVar("ValueT", bound=Value)


def accelerate(value_class: type[ValueT]) -> type[ValueT]:
    """Give a class the kernel's encoder and decoder, if there is a kernel that knows its formats.

    They call the class's own for whatever the kernel does not do.
    """
    cls: Any = value_class  # the formats depend on the layout
    index, element, digits = (
        _name_of(cls, attribute) for attribute in ("index_format", "element_format", "text_format")
    )
    if kernel is None or not _is_known(cls.header, index, element, digits):
        return value_class
    native = kernel.Type(
        cls,
        cls.codec.encode,
        cls.codec.decode,
        open_foreign,
        Entries,
        cls.layout,
        cls.header.byte_order,
        cls.header.fields,
        cls.info.max_dimensions,
        cls.info.max_nnz or 0,
        index,
        element,
        digits,
    )
    cls.codec = NativeCodec(native.encode, native.decode)
    cls.codec.native = native
    return value_class


def _is_known(header: Header, index: str | None, element: str | None, digits: str | None) -> bool:
    """Tell whether the kernel knows all formats of a type, and has room for its header."""
    formats = {name for name, _ in header.fields}
    return (
        {*filter(None, (*formats, index, element))} <= {*kernel.FORMATS}
        and digits in {None, *kernel.DIGITS}
        and header.size <= kernel.MAX_HEADER
    )


def _name_of(value_class: Any, attribute: str) -> str | None:
    """Return the name of a format, or None if values of the layout or of the type have none."""
    return getattr(getattr(value_class, attribute, None), "name", None)
