"""What the column types of every layout have in common, and what differs between the layouts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, TypeVar

import asyncpg
from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    Dialect,
    Double,
    Integer,
    Null,
    TypeCoerce,
    func,
    type_coerce,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine, UserDefinedType

from asyncpg_vector._messages import shorten
from asyncpg_vector.errors import InvalidValueError, VectorError
from asyncpg_vector.runtime import Bits, Value
from asyncpg_vector.runtime.holders import read_whole
from asyncpg_vector.runtime.value import check_dimensions
from asyncpg_vector.sqlalchemy._parameters import print_value, registered_types

__all__ = ["BitsType", "ColumnType", "Comparator", "ComparedInSQL", "NumbersType", "Processor"]

ValueT = TypeVar("ValueT", bound=Value)
BitsT = TypeVar("BitsT", bound=Bits)

_DISTANCE: TypeEngine[float] = Double()


class Processor(Protocol):
    """What SQLAlchemy gives parameters to, or what was fetched, one by one."""

    def __call__(self, value: Any) -> Any: ...


class ComparedInSQL(TypeEngine.Comparator[Any]):
    """Leaves comparisons with values to the server, when the ORM would make them in Python too.

    After an UPDATE or DELETE, the ORM looks for the objects that it has changed. By default it
    compares their attributes in Python, if it can, with what the statement compared its columns
    with: a list, say, and a value, which are not equal there. SQLAlchemy has no evaluation for
    ``type_coerce()``, which changes nothing in SQL, and asks the server for the rows instead.
    Columns stay as they are among themselves: SQLAlchemy looks for them in joins, and in dicts.
    """

    def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
        compared = operators.is_comparison(op) and _is_value(*other)
        if compared and not isinstance(self.expr, TypeCoerce):
            coerced = type_coerce(self.expr, self.type)
            return coerced.comparator.operate(op, *other, **kwargs)
        return super().operate(op, *other, **kwargs)


def _is_value(other: Any = None, *_: Any) -> bool:
    """Tell whether a column is compared with a parameter or NULL, and not with an expression."""
    if isinstance(other, ClauseElement):
        return isinstance(other, (BindParameter, Null))
    return not hasattr(other, "__clause_element__")


class Comparator(ComparedInSQL, UserDefinedType.Comparator[ValueT]):
    """What SQL can do with an expression of a vector type, beside comparing it."""

    def _distance(self, operator: str, other: Any) -> ColumnElement[float]:
        """Apply an operator that every one of these types has as ``double precision``."""
        return self.expr.op(operator, return_type=_DISTANCE)(other)

    def _aggregate(self, function: str) -> ColumnElement[ValueT]:
        """Apply an aggregate function, which SQLAlchemy alone does not know the type of."""
        aggregate: ColumnElement[ValueT] = getattr(func, function)(self.expr, type_=self.type)
        return aggregate


class ColumnType(UserDefinedType[ValueT], ABC):
    """A SQL type of the spec, as the type of a column or of any other expression.

    A parameter is what it is for `register_vector`: a value, what that is made from, or its text.
    It is checked when the statement is executed; SQLAlchemy wraps the error in its own
    `StatementError`, as ``orig``.

    On a connection that has the type registered, a parameter is sent in binary, and what is fetched
    is what ``returns=`` said. On any other connection and driver, a parameter is sent as text, and
    what is fetched becomes a value: of a text, of a wire payload, as binary cursors fetch it, or of
    an object that another codec has made, such as pgvector-python's.
    """

    # Else the server takes a parameter of a bulk insert for text.
    render_bind_cast = True

    @property
    @abstractmethod
    def python_type(self) -> type[Value]:
        """The value class, which knows what the spec says of the type."""

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The dimensions or bits of the column's values, which SQL has in brackets; None if any."""

    def get_col_spec(self, **kw: Any) -> str:
        # SQLAlchemy says which expression a type belongs to, but for the casts that it puts around
        # parameters, which come with a preparer alone. Those do without the number: an explicit
        # cast to bit(3) cuts a longer string off, where assigning it to such a column is an error
        # (PostgreSQL, section 8.10).
        if "identifier_preparer" in kw and "type_expression" not in kw:
            return self._cast_spec
        name = self.python_type.info.sql_name.upper()
        return name if self.size is None else f"{name}({self.size})"

    @property
    def _cast_spec(self) -> str:
        """The type of any size; the keyword ``bit`` alone means ``bit(1)``."""
        info = self.python_type.info
        return f"pg_catalog.{info.sql_name}" if info.built_in else info.sql_name.upper()

    def bind_processor(self, dialect: Dialect) -> Processor:
        coerce, sql_name = self.python_type.coerce, self.python_type.info.sql_name
        registered = registered_types(dialect)

        def process(value: Any) -> Any:
            if value is None:
                return None
            value = coerce(value)
            return value if sql_name in registered else print_value(value, dialect)

        return process

    def literal_processor(
        self,
        dialect: Dialect,  # noqa: ARG002  # all write it alike
    ) -> Processor:
        coerce, cast = self.python_type.coerce, self._cast_spec

        def process(value: Any) -> Any:
            return "NULL" if value is None else f"'{coerce(value).to_text()}'::{cast}"

        return process

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002  # a value tells what it is
    ) -> Processor:
        cls, registered = self.python_type, registered_types(dialect)

        def process(value: Any) -> Any:
            if value is None or type(value) is cls:
                return value
            if isinstance(value, (str, asyncpg.BitString)):
                return cls.coerce(value)
            if isinstance(value, bytes):
                return cls.from_binary(value)
            if hasattr(value, "to_text"):  # as the values of pgvector-python have
                return cls.from_text(value.to_text())
            return value if cls.info.sql_name in registered else cls.coerce(value)

        return process

    def compare_values(self, x: Any, y: Any) -> bool:
        """Tell whether two attribute values are the same to the bit, of whatever kind they are."""
        if x is None or y is None:
            return x is y
        try:
            return self.python_type.encode(x) == self.python_type.encode(y)
        except VectorError:
            return False  # the statement that is then made of it says what is wrong


class NumbersType(ColumnType[ValueT]):
    """A type with a number of dimensions, or of any."""

    def __init__(self, dim: int | None = None) -> None:  # pragma: no mutate block
        if dim is not None:
            dim = read_whole(dim, "of dimensions")
            check_dimensions(self.python_type.info, dim)
        self.dim = dim

    @property
    def size(self) -> int | None:
        return self.dim


class BitsType(ColumnType[BitsT]):
    """A type with a length in bits, which is 1 unless it is given, as SQL has it."""

    max_length: ClassVar[int]
    """The most bits of a column, of which a value alone may have more."""

    def __init__(self, length: int = 1) -> None:  # pragma: no mutate block
        self.length = read_whole(length, "of bits")
        if not 1 <= self.length <= self.max_length:
            raise InvalidValueError(
                f"expected 1 to {self.max_length} bits for a column of "
                f"{self.python_type.info.sql_name}, got {shorten(self.length)}"
            )

    @property
    def size(self) -> int | None:
        return self.length

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        if op in (operators.bitwise_lshift_op, operators.bitwise_rshift_op):
            return Integer()
        return super().coerce_compared_value(op, value)
