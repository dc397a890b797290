"""The kinds of keys and of values that the tables of a spec share."""

from __future__ import annotations

import keyword
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

__all__ = ["Model", "Name", "Release", "Source", "no_keyword"]


def no_keyword(name: str) -> str:
    """Refuse a keyword of Python, which cannot be a name in generated code."""
    if keyword.iskeyword(name):
        raise ValueError(f"{name!r} is a Python keyword")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(no_keyword)]
Release = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)+$")]
Source = Annotated[str, StringConstraints(pattern=r'^[^"\\\p{C}\p{Zl}\p{Zp}]+$')]


class Model(BaseModel):
    """A table of the spec: no unknown keys, no conversions between types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
