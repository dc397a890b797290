"""The model of index methods: the options of their indexes, and the settings of their searches."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from .keys import Model, Name, Release, Source

__all__ = ["RESERVED", "IndexMethod", "Parameter"]

NumberT = TypeVar("NumberT", int, float)

RESERVED = {
    *("column", "metric", "name", "options", "using"),
    *("info", "postgresql_concurrently", "postgresql_tablespace"),
    *("postgresql_where", "postgresql_with", "quote"),
}
"""The arguments of `vector_index()` that are no build options."""

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]

_MULTIPLE = re.compile(r"([1-9][0-9]*) \* ([a-z][a-z0-9_]*)")


class Parameter(Model):
    """A build option or a setting, of any type."""

    since: Release | None = None
    source: Source
    key: (
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")] | None
    ) = None

    @property
    @abstractmethod
    def python_type(self) -> str:
        """The annotation of the parameter."""

    @property
    @abstractmethod
    def limits(self) -> str:
        """For documents: what the parameter may be."""

    @property
    @abstractmethod
    def facts(self) -> str:
        """Its type, its default and its limits, as arguments of `asyncpg_vector.info.Parameter`."""

    @property
    def shown_default(self) -> str:
        """For documents: the default; empty if there is none, or if it depends on the server."""
        default = getattr(self, "default", None)
        return "" if default is None else _show(default)

    @property
    def default_text(self) -> str:
        """For documents: the default, after the limits."""
        return f"; {self.shown_default} by default" if self.shown_default else ""


class Ranged(Parameter, Generic[NumberT]):
    """Numbers with limits, both of them possible."""

    min: NumberT
    max: NumberT

    @model_validator(mode="after")
    def _least_first(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"expected min up to max, got {self.min} and {self.max}")
        return self

    @property
    def limits(self) -> str:
        return f"{_show(self.min)} to {_show(self.max)}"


class Number(Ranged[NumberT]):
    """One number, which has a default."""

    default: NumberT

    @model_validator(mode="after")
    def _possible_default(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"expected a default from {self.limits}, got {self.default}")
        return self


class Integer(Number[int]):
    """A whole number."""

    type: Literal["integer"]
    at_least: Annotated[str, StringConstraints(pattern=f"^{_MULTIPLE.pattern}$")] | None = None

    @property
    def python_type(self) -> str:
        return "int"

    @property
    def multiple(self) -> tuple[int, str] | None:
        """A factor, and the option whose product with it is a lower limit."""
        match = self.at_least and _MULTIPLE.fullmatch(self.at_least)
        return (int(match[1]), match[2]) if match else None

    @property
    def limits(self) -> str:
        return super().limits + (f", and at least {self.at_least}" if self.at_least else "")

    @property
    def facts(self) -> str:
        multiple = f", multiple={self.multiple!r}" if self.multiple else ""
        return (
            f'"integer", default={self.default:_}, least={self.min:_}, most={self.max:_}{multiple}'
        )


class Real(Number[float]):
    """A number that may have a fraction."""

    type: Literal["number"]

    @property
    def python_type(self) -> str:
        return "float"

    @property
    def facts(self) -> str:
        return f'"number", default={self.default!r}, least={self.min!r}, most={self.max!r}'


class Integers(Ranged[int]):
    """Whole numbers, as many as it takes."""

    type: Literal["integers"]

    @property
    def python_type(self) -> str:
        return "Sequence[int]"

    @property
    def limits(self) -> str:
        return f"each {super().limits}"

    @property
    def facts(self) -> str:
        return f'"integers", default=(), least={self.min:_}, most={self.max:_}'


class Flag(Parameter):
    """True or false."""

    type: Literal["boolean"]
    default: bool

    @property
    def python_type(self) -> str:
        return "bool"

    @property
    def limits(self) -> str:
        return "true or false"

    @property
    def facts(self) -> str:
        return f'"boolean", default={self.default!r}'


class Choice(Parameter):
    """One of several words. A default that differs between servers is left out."""

    type: Literal["choice"]
    values: Annotated[list[Word], Field(min_length=2)]
    default: Word | None = None

    @model_validator(mode="after")
    def _possible_default(self) -> Self:
        if self.default not in {None, *self.values}:
            raise ValueError(f"expected a default among the values, got {self.default}")
        return self

    @property
    def python_type(self) -> str:
        return f"Literal[{', '.join(map(_quote, self.values))}]"

    @property
    def limits(self) -> str:
        return f"one of {', '.join(self.values)}"

    @property
    def facts(self) -> str:
        default = "None" if self.default is None else _quote(self.default)
        return f'"choice", default={default}, values={tuple(self.values)!r}'


AnyParameter = Annotated[
    Integer | Real | Integers | Flag | Choice,
    Field(discriminator="type"),
]


def _qualified(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", name):
        raise ValueError(f"expected the name of a setting, as method.setting, got {name}")
    return name


class IndexMethod(Model):
    """An index method: who owns it, how an index is built, and how a session searches it."""

    extension: Name
    since: Release
    source: Source
    options: dict[Name, AnyParameter] = {}
    document: Name | None = None
    settings: dict[Annotated[str, AfterValidator(_qualified)], AnyParameter] = {}

    @model_validator(mode="after")
    def _known_multiples(self) -> Self:
        for option in self.options.values():
            multiple = option.multiple if isinstance(option, Integer) else None
            if multiple and not isinstance(self.options.get(multiple[1]), Integer):
                raise ValueError(f"expected a multiple of another option, got {multiple[1]}")
        return self

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        for name in self.options:
            if name in RESERVED:
                raise ValueError(f"{name} is an argument of vector_index(), and no option")
        keys = [option.key for option in self.options.values() if option.key]
        names = [*(name for name in self.options if not self.options[name].key), self.document]
        for each in (keys, names):
            if len({*each}) < len(each):
                raise ValueError("expected options with distinct names and keys")
        return self

    @model_validator(mode="after")
    def _keys_of_a_document(self) -> Self:
        keyed = [name for name, option in self.options.items() if option.key]
        if bool(keyed) != bool(self.document):
            raise ValueError("expected the key document and options with keys in it, or neither")
        if any(setting.key for setting in self.settings.values()):
            raise ValueError("expected no key of a setting")
        return self

    def since_of(self, parameter: Parameter) -> str:
        """Return the extension's first release with an option or a setting."""
        return parameter.since or self.since


def _quote(word: str) -> str:
    return f'"{word}"'


def _show(value: object) -> str:
    """Show a number, a word or a flag to a reader."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) else str(value)
