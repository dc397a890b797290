"""Models that the tests share, as users write them; `make check` type-checks them."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import Column
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector
from asyncpg_vector.sqlalchemy import ARRAY, BIT, HALFVEC, SPARSEVEC, VECTOR, vector_index

Embedding = Annotated[Vector, mapped_column(VECTOR(3))]


class Base(DeclarativeBase):
    """The base class of the models."""


class Item(Base):
    """A row with a column of each type, and arrays of two of the types."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    vector: Mapped[Vector | None] = mapped_column(VECTOR(3))
    halfvec: Mapped[HalfVector | None] = mapped_column(HALFVEC(3))
    sparsevec: Mapped[SparseVector | None] = mapped_column(SPARSEVEC(5))
    bit: Mapped[Bit | None] = mapped_column(BIT(3))
    vectors: Mapped[list[Vector | None] | None] = mapped_column(ARRAY(VECTOR(3)))
    bits: Mapped[list[Bit | None] | None] = mapped_column(ARRAY(BIT(3)))

    __table_args__ = (
        vector_index("items_vector", "vector", metric="cosine", postgresql_with={"m": 8}),
        vector_index("items_bit", "bit", metric="hamming", using="ivfflat"),
    )


class Note(Base):
    """A row whose column type is in the annotation."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    embedding: Mapped[Embedding]


class Document(SQLModel, table=True):
    """A table of SQLModel, with a column by each way of SQLModel to declare one."""

    id: int | None = Field(default=None, primary_key=True)
    embedding: Vector = Field(sa_type=VECTOR(3))
    half: Annotated[HalfVector, Field(sa_type=HALFVEC(3))]
    sparse: SparseVector | None = Field(default=None, sa_column=Column(SPARSEVEC(5)))
