"""Base64 as embedding APIs send it, decoded with no leniency."""

from __future__ import annotations

import binascii

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError, MalformedTextError

__all__ = ["decode_base64"]


def decode_base64(data: str | bytes) -> bytes:
    """Decode base64 that encoding the result gives again, to the character.

    Raises:
        InvalidTypeError: `data` is no str or bytes.
        MalformedTextError: it is no base64 of the standard alphabet, padded.
    """
    if not isinstance(data, (str, bytes)):
        raise InvalidTypeError(f"expected base64 as str or bytes, got {describe(data)}")
    try:
        raw = binascii.a2b_base64(data)
    except ValueError as error:  # which binascii.Error is, too
        raise MalformedTextError(f"expected base64, got {describe(data)}: {error}") from None
    # What was skipped makes the text too long; the bits that the end has to spare may not be zero.
    whole, rest = divmod(len(raw), 3)
    if len(data) != 4 * (whole + bool(rest)) or (rest and _end(data) != _encode(raw[-rest:])):
        raise MalformedTextError(
            f"expected base64 of the standard alphabet, padded, no more, got {describe(data)}"
        )
    return raw


def _end(data: str | bytes) -> bytes:
    return data[-4:].encode() if isinstance(data, str) else data[-4:]


def _encode(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False)
