"""Draws text forms, valid and nearly valid ones."""

from __future__ import annotations

from random import Random

from codegen.spec import BitsType, SparseType, Type

# Pairs: valid tokens, and tokens that are invalid, or valid for Python's own functions only.
_SPACES = (
    ["", "", "", "", "", "", " ", "\t", "\n", "\r", "\v", "\f"],
    ["\x1c", "\x85", "\xa0", "\u2003"],
)
_SIGNS = ["", "", "-", "+"], ["--", "- ", "\u2212"]
_DIGITS = ["0", "1", "7", "00", "3402823", "65504", "65520", "33554433"], ["\u0663", "1_0", "", "."]
_FRACTIONS = (
    ["", ".", ".0", ".5", ".0000001", ".9999999999999999"],
    [".1.", ". 5", ".\u0663", "_0", "f", "d"],
)
_EXPONENTS = (
    ["", "", "", "", "e1", "E-5", "e+3", "e-40", "e-46", "e38", "e-400"],
    ["e39", "e400", "e", "p3", "e 1"],
)
_POWERS = ["", "p0", "P-1", "p+20", "p-126", "p-149"], ["p128", "p1000", "p", "e1", "p 1"]
_SMALL_POWERS = ["p-150", "p-151", "p-170", "p-1000"]
_WORDS = ["nan", "NaN", "inf", "-inf", "Infinity", "nan(1)", "0x", "0xg", ".", "x", ""]
_INTEGERS = (
    ["1", "2", "3", "4", "03", "+2"],
    ["0", "-1", "1.0", "0x2", "1e1", "", "2147483648", "9" * 20],
)
_REST = [""], ["x", "]", "[", "}", ",", "1", "\u00e9"]


def draw_text(model: Type, random: Random) -> str:
    """Draw a text for a type."""
    if isinstance(model, BitsType):
        return _draw_bits(random)
    entry = _draw_entry if isinstance(model, SparseType) else _draw_number
    entries = ",".join(entry(random) for _ in range(random.randrange(4)))
    if isinstance(model, SparseType):
        form = [f"{{{entries}}}", "/", _pick(random, _INTEGERS)]
    else:
        form = [f"[{entries}]"]
    form.append(_pick(random, _REST))
    text = "".join(_pick(random, _SPACES) + token for token in form)
    return _damage(text + _pick(random, _SPACES), random)


def _pick(random: Random, choices: tuple[list[str], list[str]]) -> str:
    good, odd = choices
    return random.choice(odd if random.random() < 0.02 else good)


def _draw_number(random: Random) -> str:
    return _pick(random, _SPACES) + _draw_digits(random) + _pick(random, _SPACES)


def _draw_digits(random: Random) -> str:
    how = random.randrange(50)
    if how == 0:
        return random.choice(_WORDS)
    sign = _pick(random, _SIGNS)
    if how < 20:
        return sign + "".join(_pick(random, part) for part in (_DIGITS, _FRACTIONS, _EXPONENTS))
    if how < 30:  # half-way between two float32, or a little more
        return (
            sign + repr(1 + random.randrange(1 << 25) * 2.0**-25) + random.choice(["", "0000001"])
        )
    if how < 40:
        return sign + repr(random.random() * 10.0 ** random.randrange(-48, 38))
    return sign + _draw_hexadecimal(random)


def _draw_hexadecimal(random: Random) -> str:
    if random.random() < 0.3:
        # Below the smallest normal float32, strtof of glibc 2.36 ignores the last of more than 24
        # bits when it rounds: it reads 0x888952.8p-151 as 0x222254p-149, and not as ...5.
        text = f"0x{random.randrange(1 << 24):x}{random.choice(_SMALL_POWERS)}"
        return random.choice([text, text.upper()])
    fraction = random.choice(["", ".", ".8", ".1"])
    return f"0x{random.randrange(1 << 30):x}{fraction}{_pick(random, _POWERS)}"


def _draw_entry(random: Random) -> str:
    index = _pick(random, _INTEGERS) if random.random() < 0.3 else str(random.randrange(1, 5))
    return f"{_pick(random, _SPACES)}{index}{_pick(random, _SPACES)}:{_draw_number(random)}"


def _draw_bits(random: Random) -> str:
    prefix = random.choice(["", "", "b", "B", "x", "X", " ", "0x"])
    alphabet = "01" if random.random() < 0.6 else "0123456789abcdefABCDEFg \u0661"
    return prefix + "".join(random.choice(alphabet) for _ in range(random.randrange(20)))


def _damage(text: str, random: Random) -> str:
    """Sometimes drop a character, or double one."""
    if random.random() < 0.1:
        place = random.randrange(len(text))
        return text[:place] + text[place] * random.choice([0, 2]) + text[place + 1 :]
    return text
