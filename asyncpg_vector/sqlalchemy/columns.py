"""The base classes of the generated column types, and of their comparators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

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
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from asyncpg_vector._messages import shorten
from asyncpg_vector.errors import InvalidValueError, VectorError
from asyncpg_vector.runtime import Bits, Value
from asyncpg_vector.runtime.holders import read_whole
from asyncpg_vector.runtime.value import check_dimensions
from asyncpg_vector.sqlalchemy._parameters import print_value, registered_types

__all__ = [
    "DISTANCE",
    "BitsType",
    "ColumnType",
    "Comparator",
    "ComparedInSQL",
    "NumbersType",
    "Processor",
    "unwrap",
]

ValueT = TypeVar("ValueT", bound=Value)
BitsT = TypeVar("BitsT", bound=Bits)

DISTANCE: TypeEngine[float] = Double()

_ARITHMETIC: Mapping[OperatorType, str] = {
    operators.add: "+",
    operators.sub: "-",
    operators.mul: "*",
    operators.truediv: "/",
    operators.floordiv: "//",
    operators.mod: "%",
    operators.neg: "- before a value",
    operators.concat_op: "||",
}


def unwrap(type_: Any) -> Any:
    """Return the type that a user's type decorator stands on; any other type itself."""
    return type_.impl_instance if isinstance(type_, TypeDecorator) else type_


class Processor(Protocol):
    """A function that SQLAlchemy calls with each parameter, or with each fetched value."""

    def __call__(self, value: Any) -> Any: ...


class ComparedInSQL(TypeEngine.Comparator[Any]):
    """Leaves comparisons of columns with values to the server, which the ORM would do in Python.

    After an UPDATE or DELETE, the ORM looks for the objects that the statement changed. By default
    it evaluates the statement's comparisons in Python, with the objects' attributes. A list and a
    value are not equal there. SQLAlchemy cannot evaluate ``type_coerce()``, which changes nothing
    in SQL: it asks the server for the rows instead. Comparisons of two columns stay as they are,
    since SQLAlchemy looks for columns in joins and in dicts.
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
    """SQL operations on an expression of a vector type."""

    def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
        self._require(op)
        result = super().operate(op, *other, **kwargs)
        if op is operators.concat_op:  # its size is the sum of both sizes
            return type_coerce(result, self._column_type.without_size())
        return result

    def reverse_operate(self, op: OperatorType, other: Any, **kwargs: Any) -> ColumnElement[Any]:
        self._require(op)
        return super().reverse_operate(op, other, **kwargs)

    def _require(self, op: OperatorType) -> None:
        """Refuse arithmetic that the SQL type lacks."""
        info, symbol = self._column_type.python_type.info, _ARITHMETIC.get(op)
        if symbol and symbol not in info.arithmetic:
            known = " ".join(info.arithmetic) or "none"
            raise InvalidValueError(
                f"expected an operator of {info.sql_name} among {known}, got {symbol}"
            )

    @property
    def _column_type(self) -> ColumnType[Any]:
        return cast("ColumnType[Any]", unwrap(self.type))

    def _distance(self, operator: str, other: Any) -> ColumnElement[float]:
        """Apply a distance operator, whose result is ``double precision`` for every type."""
        return self.expr.op(operator, return_type=DISTANCE)(other)

    def _aggregate(self, function: str) -> ColumnElement[ValueT]:
        """Apply an aggregate function, and tell SQLAlchemy the type of its result."""
        aggregate: ColumnElement[ValueT] = getattr(func, function)(self.expr, type_=self.type)
        return aggregate


class ColumnType(UserDefinedType[ValueT], ABC):
    """A SQL type of the spec, as the type of a column or of any other expression.

    A parameter is a value, an input from which the value class makes a value, or a text form. It is
    checked when the statement is executed. SQLAlchemy raises its own `StatementError`, with this
    package's error as ``orig``.

    On a connection that has the type registered, a parameter is sent in binary, and a result has
    the form that ``returns=`` names; a text becomes a value. On any other connection or driver, a
    parameter is sent as text, and a result becomes a value. The driver may fetch a text, a wire
    payload (in a binary cursor), or an object of another codec, such as pgvector-python's.
    """

    # Without a cast, the server takes a parameter of a bulk insert for text.
    render_bind_cast = True

    @property
    @abstractmethod
    def python_type(self) -> type[Value]:
        """The value class, whose ``info`` has the facts of the spec."""

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of dimensions or bits, which SQL writes in brackets; None if it is open."""

    @abstractmethod
    def without_size(self) -> Self:
        """Return a type of the same class, with an open size."""

    def get_col_spec(self, **kw: Any) -> str:
        # SQLAlchemy passes the expression of a type, except for a cast that it puts around a
        # parameter: there it passes a preparer alone. Such a cast omits the size. An explicit cast
        # to bit(3) would cut a longer string off, while assigning the string to a bit(3) column is
        # an error (PostgreSQL, section 8.10).
        is_of_a_parameter = "identifier_preparer" in kw and "type_expression" not in kw
        if is_of_a_parameter or self.size is None:
            return self._cast_spec
        return f"{self.python_type.info.sql_name.upper()}({self.size})"

    @property
    def _cast_spec(self) -> str:
        """The type without a size; the keyword ``bit`` would mean ``bit(1)``."""
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
        dialect: Dialect,  # noqa: ARG002  # a literal is the same in all
    ) -> Processor:
        coerce, cast = self.python_type.coerce, self._cast_spec

        def process(value: Any) -> Any:
            return "NULL" if value is None else f"'{coerce(value).to_text()}'::{cast}"

        return process

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002  # the class of the result tells
    ) -> Processor:
        cls, registered = self.python_type, registered_types(dialect)

        def process(value: Any) -> Any:
            if value is None or type(value) is cls:
                return value
            if isinstance(value, (str, asyncpg.BitString)):
                return cls.coerce(value)
            if isinstance(value, bytes):
                return cls.from_binary(value)
            if hasattr(value, "to_text"):  # as pgvector-python's values have
                return cls.from_text(value.to_text())
            return value if cls.info.sql_name in registered else cls.coerce(value)

        return process

    def compare_values(self, x: Any, y: Any) -> bool:
        """Tell whether two attribute values, in any form, have the same wire payload."""
        if x is None or y is None:
            return x is y
        try:
            return self.python_type.encode(x) == self.python_type.encode(y)
        except VectorError:
            return False  # the UPDATE that follows raises the error


class NumbersType(ColumnType[ValueT]):
    """A column type with an optional number of dimensions."""

    def __init__(self, dim: int | None = None) -> None:  # pragma: no mutate block
        if dim is not None:
            dim = read_whole(dim, "of dimensions")
            check_dimensions(self.python_type.info, dim)
        self.dim = dim

    @property
    def size(self) -> int | None:
        return self.dim

    def without_size(self) -> Self:
        return type(self)()


class BitsType(ColumnType[BitsT]):
    """A column type with a length in bits, by default 1 as in SQL; None is any length."""

    max_length: ClassVar[int]
    """The most bits of a column; a value that is in no column may have more."""

    def __init__(self, length: int | None = 1) -> None:  # pragma: no mutate block
        self.length = None if length is None else read_whole(length, "of bits")
        if self.length is not None and not 1 <= self.length <= self.max_length:
            raise InvalidValueError(
                f"expected 1 to {self.max_length} bits for a column of "
                f"{self.python_type.info.sql_name}, got {shorten(self.length)}"
            )

    @property
    def size(self) -> int | None:
        return self.length

    def without_size(self) -> Self:
        return type(self)(None)

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        if op in (operators.bitwise_lshift_op, operators.bitwise_rshift_op):
            return Integer()
        return super().coerce_compared_value(op, value)
