"""Draws cases for both implementations: arguments of every kind, as Python source, good ones and odd ones."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from random import Random
from typing import Any

from asyncpg_vector.runtime import number_format
from asyncpg_vector.runtime.formats import FORMATS, IntegerFormat
from codegen.spec import Attribute, BitsType, Constant, DenseType, SparseType, Type
from tests.differential.texts import draw_text
from tests.implementations import Case

ODD_NUMBERS = [
    "True", "False", "None", "...", "''", "'1'", "'1.5'", "b'1'", "1j", "[1]", "[]", "(1,)", "{}", "object",
    "nan", "inf", "-inf", "-0.0", "1e39", "1e300", "5e-324", "1e-46", "65520.0", "65519.99", "3.4028235677973366e38",
    "3.3895313892515355e38", "2**24 + 1", "2**53 + 1", "2**63", "2**64", "-2**63", "10**400", "-10**400", "10**5000",
    "0.5", "-1", "-1.0", "255.0", "256", "-129", "65536", "2**32", "2.0**32", "-2.0**31", "1e22", "9007199254740993",
    "Level.ONE", "FloatOfOwn(1.5)", "IntOfOwn(1)", "Other(1)", "OtherInt(1)", "Number(1)", "Number(1.5)", "Index()",
    "Raises()", "Raises(TypeError)", "Raises(OverflowError)", "Raises(MemoryError)", "Pretends(float)", "Pretends(int)",
    "Decimal(1)", "Decimal('0.1')", "Decimal('1e400')", "Decimal('nan')", "Decimal('sNaN')", "Fraction(1, 3)",
    "Fraction(10**400)", "ctypes.c_float(1)", "datetime(2026, 1, 1, tzinfo=UTC)", "array('d', [1])", "range(1)",
    "memoryview(b'1')", "StrOfOwn('1')", "value('pgvector.vector', bytes.fromhex('000100003f800000'))",
]  # fmt: skip
OF_NUMPY = [
    *(f"np.{name}(1)" for name in (
        "bool_", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "intc", "uintc", "longlong",
        "ulonglong", "float16", "float32", "float64", "longdouble", "complex64", "complex128", "str_", "void",
    )),
    *("np.float16(nan)", "np.float32(inf)", "np.float64(nan)", "np.float32(1e-45)", "np.float64(1e39)", "np.float64(-0.0)"),
    *("np.longdouble('1e400')", "np.longdouble(1) / 3", "np.int64(2**53 + 1)", "np.int64(-2**63)", "np.uint64(2**64 - 1)"),
    *("np.float16(65504)", "np.float32(0.1)", "np.float64(0.1)", "np.int8(-1)", "np.uint8(255)", "np.uint16(65535)"),
    *("np.array(1.5)", "np.array([1.5])", "np.array([])", "np.array('1')", "np.ma.masked", "np.datetime64('2026-01-01')"),
    *("np.timedelta64(1, 'ns')", "np.bytes_(b'1')", "np.array(1, object)", "np.array(1j)", "np.ma.array(1.5, mask=False)"),
]  # fmt: skip
SCALARS = [
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int8",
    "uint8",
    "bool_",
    "longlong",
    "uint64",
]

TYPE_CODES = "bBhHiIlLqQfd"
DTYPES = "?bBhHiIlLqQefdgFDO"
_WIDTHS = {**{code: struct.calcsize(code) for code in "bBhHiIlLqQefd"}, "F": 8, "D": 16}
"""The dtypes of which any bits are numbers."""
ODD_DTYPES = ["'M8[s]'", "'m8[ns]'", "'U1'", "'S2'", "'V4'", "'f4,f4'", "'O'"]
_AROUND = [
    *("mapped({})", "read_only({}.copy())", "np.ma.array({})", "own_array({})", "memoryview({})"),
    *(
        "np.asarray({}).reshape(1, -1)",
        "np.asarray({}).reshape(-1, 1)",
        "np.broadcast_to({}[:1], {shape})",
    ),
]
"""What an ndarray may be put into."""

ALWAYS_ODD = [
    *("None", "...", "object()", "int", "1", "1.5", "True", "'1'", "b''", "b'1'", "bytearray(b'11')", "{}", "{1: 2}", "{1}"),
    *("memoryview(b'1234')", "memoryview(bytes(4)).cast('B', (2, 2))", "memoryview(bytes(16)).cast('f', (2, 2))"),
    *("memoryview(array('d', [1, 2]))[::-1]", "memoryview(array('f', [1, 2, 3]))[::2]", "released(array('f', [1, 2]))"),
    *("memoryview(bytes(8)).cast('d')", "memoryview(bytes(8)).cast('l')", "memoryview(bytes(8)).cast('n')"),
    *("memoryview(bytes(8)).cast('P')", "memoryview(b'12').cast('c')", "memoryview(b'\\0\\1').cast('?')", "memoryview(b'')"),
    *("memoryview(bytes(4)).cast('@f')", "memoryview(array('f'))", "memoryview(bytes(4)).cast('f', ())"),
    *("array('u', '11')", "array('f')", "array('d', [nan])", "array('d', [1e39])", "exported(array('f', [1, 2]))"),
    *("range(3)", "range(2**70)", "range(100_001)", "iter([1])", "(x for x in [1])", "deque([1, 2])", "UserList([1, 2])"),
    *("ListOfOwn([1, 2])", "TupleOfOwn([1, 2])", "Lies([1, 2])", "Grows([1, 0])", "Row([1, 0])", "Row([])", "Row({})"),
    *("Raises()", "Raises(IndexError)", "Raises(KeyError)", "Raises(OverflowError)", "Raises(TypeError)", "Raises(MemoryError)"),
    *("Pretends(list)", "Pretends(tuple)", "Pretends(str)", "Pretends(bytes)", "Pretends(dict)", "Pretends(array)"),
    *("clearing([1, 0, 1], 0)", "clearing([1, 0, 1], 1)", "clearing([1, 0, 1] * 500, 700)", "[[]]", "[[1]]", "[None]", "[...]"),
    *("[1, 0] * 16_001", "(1,) * 16_000", "[0.5] * 16_001", "[1] * 70_000", "[]", "()", "StrOfOwn('[1,2]')", "StrOfOwn('101')"),
    *("asyncpg.BitString('101')", "BytesOfOwn(b'1')", "memoryview(bytes(4)).toreadonly()", "memoryview(b'1' * 9)[::3]"),
    *("(ctypes.c_float * 2)(1, 2)", "(ctypes.c_double * 2)(1, nan)", "(ctypes.c_ubyte * 2)(1, 0)", "(ctypes.c_longdouble * 1)(1)"),
    *("value('pgvector.vector', bytes.fromhex('000100003f800000'))", "value('pgvector.vector', bytes.fromhex('000100007fc00000'))"),
    *("value('pgvector.halfvec', bytes.fromhex('0002000000003c00'))", "value('pgvector.bit', bytes.fromhex('00000003a0'))"),
    *("value('pgvector.sparsevec', bytes.fromhex('000000030000000100000000000000013f800000'))",),
    *("value('pgvector.sparsevec', bytes.fromhex('3b9aca000000000000000000'))",),
]  # fmt: skip
ALWAYS_ODD_OF_NUMPY = [
    *("np.array([])", "np.array(1.5)", "np.array([[1.0]])", "np.zeros((2, 0))", "np.zeros((0, 2))", "np.array([1.0, None], object)"),
    *("np.ma.array([1.0, 2.0], mask=[0, 1])", "np.ma.array([1, 0])", "np.matrix([1.0, 2.0])", "own_array(np.array([1.0, 0]))"),
    *("np.broadcast_to(np.float32(1), 3)", "np.lib.stride_tricks.as_strided(np.array([1.0]), (3,), (0,))", "np.array(['1'])"),
    *("np.frombuffer(bytes(13), '<f4', offset=1)", "np.zeros(2, 'M8[ns]')", "np.ma.zeros(2, 'm8[ns]')", "np.array([1j])"),
    *("np.array([1, np.inf], 'g')", "memoryview(np.array([1j]))", "memoryview(np.zeros(2, '>f8'))", "memoryview(np.zeros(2, 'e'))"),
    *("memoryview(np.zeros(2, '?'))", "memoryview(np.zeros((2, 2)))", "memoryview(np.array(1.0))", "np.zeros(16_001, 'f4')"),
    *("np.zeros(100_001, 'i1')", "mapped(np.array([1.0, 0.0]))", "mapped(np.array([1.0, 0.0])).view(np.ndarray)", "objects(1, 0)"),
    *("objects(1.5, None)", "objects([1], [2])", "np.array([(1, 2)], 'f4,f4')", "np.array([(1, 2)], 'f4,f4')['f1']", "np.rec.array([1.0])"),
    *("np.array(1, object)", "np.array([1, 0], 'g')", "np.array([b'1'])", "np.str_('[1]')", "np.bytes_(b'1')", "np.float64(1)"),
    *("sparse.coo_array([[0, 1.5]])", "sparse.csr_array([[0, 1, 0]])", "sparse.coo_array([[1], [2]])", "sparse.dok_array([[1.0]])"),
    *("sparse.coo_array(([1, 2], ([0, 0], [1, 1])), (1, 3))", "np.zeros(3)[::-1]", "np.arange(6.0)[::-2]", "np.arange(12.0)[1::3]"),
    *("memoryview(np.zeros(2, '<f4'))", "np.zeros(3, 'f4').newbyteorder() if hasattr(np.ndarray, 'newbyteorder') else np.zeros(3, '>f4')"),
]  # fmt: skip


def odd_arguments(*, numpy: bool) -> list[str]:
    """Return arguments that any operation may be given."""
    elements = [*ODD_NUMBERS, *(OF_NUMPY if numpy else [])]
    rows = [f"[{number}]" for number in elements] + [f"(1, {number}, 0)" for number in elements]
    rows += [f"objects(1, {number})" for number in elements] if numpy else []
    return [*ALWAYS_ODD, *(ALWAYS_ODD_OF_NUMPY if numpy else []), *elements, *rows]


def odd_payloads(*, numpy: bool) -> list[str]:
    """Return odd arguments of whose memory each byte is known: no addresses, no padding."""
    unknown = ("object", "longdouble", "'g'")
    return [
        source
        for source in odd_arguments(numpy=numpy)
        if not any(word in source for word in unknown)
    ]


class Drawer:
    """Draws arguments for one type."""

    def __init__(self, name: str, model: Type, random: Random, *, numpy: bool) -> None:
        self.name = name
        self.model = model
        self.random = random
        self.numpy = numpy

    def draw(self, operation: str) -> Case:
        """Draw a case of an operation."""
        draw: Callable[[], str] = getattr(self, _DRAWERS[operation])
        return Case(self.name, operation, draw())

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Numbers

    def number(self) -> str:
        """Draw a number that the elements' format may hold."""
        if isinstance(self.model, BitsType):
            return self.random.choice(["0", "1", "True", "False"])
        element = FORMATS[self.model.element.format]("big")
        if isinstance(element, IntegerFormat):
            least, most = element.least, element.most
            near = self.random.choice([least, 0, 0, 0, most]) + self.random.randrange(-1, 2)
            whole = min(
                max(near if self.chance(0.5) else self.random.randint(least, most), least), most
            )
            return str(whole) if self.chance(0.7) else f"{whole}.0"
        drawn = element.unpack(self.random.randbytes(element.width), 0, 1)[0]
        numbers = [
            self.random.randrange(-100, 100),
            self.random.randrange(-2048, 2048) / 1,
            drawn if math.isfinite(drawn) else 0.0,
            self.between(element),
            self.random.uniform(-1, 1) * 10.0 ** self.random.randrange(-10, 5),
        ]
        return repr(self.random.choice(numbers))

    def between(self, element: Any) -> float:
        """Draw a double at the point half-way between two numbers of a format, or beside it."""
        bits = self.random.choice(
            [0, 1, 2, element.infinity - 1, self.random.randrange(element.infinity - 1)]
        )
        one = element.of_bits(bits)
        other = (
            element.of_bits(bits + 1)
            if bits + 1 < element.infinity
            else one + (one - element.of_bits(bits - 1))
        )
        middle: float = one / 2 + other / 2
        near = [middle, math.nextafter(middle, math.inf), math.nextafter(middle, 0)]
        return self.random.choice(near) * self.random.choice([1, -1])

    def odd_number(self) -> str:
        return self.random.choice(ODD_NUMBERS + (OF_NUMPY if self.numpy else []))

    def numbers(self, least: int = 0, most: int = 9) -> list[str]:
        """Draw elements of a list; some lists have one odd element, and some are long."""
        count = self.random.randint(least, most)
        if self.numpy and self.chance(0.1):
            scalar = self.random.choice(SCALARS)
            return [f"np.{scalar}({self.random.randrange(2)})" for _ in range(count)]
        numbers = [self.number() for _ in range(count)]
        if numbers and self.chance(0.2):
            numbers[self.random.randrange(count)] = self.odd_number()
        return numbers

    def listed(self, numbers: Sequence[str]) -> str:
        """Make the source of a list or tuple; it may be longer than what is read at a time."""
        inner = "".join(f"{number}, " for number in numbers)
        source = self.random.choice([f"[{inner}]", f"({inner})"])
        how = self.random.randrange(40)
        if how == 0:
            return f"{source} * {self.random.choice([60, 256, 300])}"
        if how == 1:
            return f"[*{source} * 60, *{self.listed(self.numbers())}]"
        return source

    # Holders

    def row(self) -> str:
        """Draw a holder of numbers."""
        how = self.random.randrange(20)
        if how < 9 or (how > 13 and not self.numpy):
            return self.listed(self.numbers())
        if how == 9:
            return self.random.choice(odd_arguments(numpy=self.numpy))
        if how == 10:
            holder = self.random.choice(
                [
                    "ListOfOwn",
                    "TupleOfOwn",
                    "deque",
                    "UserList",
                    "Row",
                    "Lies",
                    "Grows",
                    "iter",
                    "objects",
                ]
            )
            inner = self.listed(self.numbers(1))
            return f"{holder}({'*' * (holder == 'objects')}{inner})"
        if how == 11:
            return f"clearing([*{self.listed([self.number() for _ in range(3)])}], {self.random.randrange(3)})"
        if how < 14:
            return self.buffer()
        return self.ndarray()

    def buffer(self) -> str:
        """Draw an array or a memoryview."""
        code = self.random.choice(TYPE_CODES)
        width = struct.calcsize(code)
        count = self.random.choice([0, 1, 2, 7, 600])
        if self.chance(0.5):
            numbers = ", ".join(str(self.random.randrange(2)) for _ in range(min(count, 7)))
            held = f"array('{code}', [{numbers}])"
        else:
            held = f"array('{code}', raw({self.random.randrange(10**6)}, {width * count}))"
        how = self.random.randrange(6)
        if how == 0:
            return f"exported({held})"
        if how < 4:
            step = self.random.choice(["", "", "[::-1]", "[::2]", "[1:]", "[:0]"])
            return f"memoryview({held}){step}"
        return held

    def dtype(self) -> str:
        if self.chance(0.03):
            return self.random.choice(ODD_DTYPES)
        return f"'{self.random.choice('=<>')}{self.random.choice(DTYPES)}'"

    def ndarray(self, shape: tuple[int, ...] | None = None) -> str:
        """Draw an ndarray of any dtype, byte order, stride and number of dimensions."""
        shape = shape or (self.random.choice([0, 1, 2, 3, 8, 70, 700]),)
        source = self.filled(math.prod(shape))
        if len(shape) > 1:
            source += f".reshape({shape})"
        step = self.random.choice(["", "", "", "", "::-1", "::2", "1::3", "5:"])
        if step:
            order = [step] + [":"] * (len(shape) - 1)
            self.random.shuffle(order)
            source += f"[{', '.join(order)}]"
        if len(shape) == 2 and self.chance(0.2):
            source += ".T"
        around = self.random.choice(_AROUND) if self.chance(0.4) else "{}"
        return around.format(source, shape=shape)

    def filled(self, count: int) -> str:
        """Draw an ndarray of so many numbers: any bits, numbers of the type, or such as most types hold."""
        dtype, how = self.dtype(), self.random.randrange(6)
        if how == 0 and dtype[2] in _WIDTHS:
            offset = self.random.choice([0, 0, 1])  # the numbers may lie across words
            data = f"raw({self.random.randrange(10**6)}, {_WIDTHS[dtype[2]] * count + offset})"
            return f"np.frombuffer({data}, {dtype}, -1, {offset})"
        if how == 1:
            return f"np.arange({count}).astype({dtype})"
        if how == 2:
            numbers = ", ".join(self.number() for _ in range(7))
            held = self.random.choice(["None", "object"])
            return f"np.resize(np.array([{numbers}], {held}), {count}).astype({dtype})"
        return f"(np.arange({count}) % 2).astype({dtype})"

    # Texts

    def text(self) -> str:
        how = self.random.randrange(12)
        if how == 0:
            return self.random.choice(odd_arguments(numpy=self.numpy))
        if how < 5 and not isinstance(self.model, BitsType):
            texts = [self.digits() for _ in range(self.random.randrange(1, 6))]
            if isinstance(self.model, DenseType):
                return repr(f"[{','.join(texts)}]") + (" * 2" if self.chance(0.02) else "")
            first = self.random.randrange(3)
            entries = ",".join(f"{first + 2 * n}:{text}" for n, text in enumerate(texts))
            return repr(f"{{{entries}}}/{self.random.choice([10, 12, 1000])}")
        text = repr(draw_text(self.model, self.random))
        return f"StrOfOwn({text})" if self.chance(0.05) else text

    def digits(self) -> str:
        """Draw the text of a number, long ones and those at half-way points among them."""
        assert not isinstance(self.model, BitsType)
        element = FORMATS[self.model.element.format]("big")
        if isinstance(element, IntegerFormat):
            number = self.random.choice([element.least, element.most]) + self.random.randrange(
                -1, 2
            )
            return str(
                self.random.choice([number, self.random.randint(element.least, element.most)])
            )
        how = self.random.randrange(6)
        if how == 0:
            return f"{self.random.randrange(10**19)}.{self.random.randrange(10**30)}e{self.random.randrange(-60, 10)}"
        judge = number_format(
            self.random.choice(["float32", "float64", self.model.element.format]), "big"
        )
        with localcontext(prec=900):
            middle = Decimal(self.between(judge))
            if how < 3:
                middle += Decimal(self.random.choice([0, 1, -1])) * Decimal(10) ** (
                    middle.adjusted() - self.random.randrange(17, 60)
                )
            text = f"{middle:{self.random.choice(['f', 'e'])}}"
        return text if len(text) < 200 else repr(float(text))

    # Payloads

    def wire(self) -> str:
        """Draw a payload, perhaps with damage in any field."""
        payload = bytearray(self.payload())
        if self.chance(0.4):
            for _ in range(self.random.randint(1, 2)):
                self.damage(payload)
        return f"bytes.fromhex('{payload.hex()}')"

    def damage(self, payload: bytearray) -> None:
        """Change a place, mostly one of the header or of the first elements; or the length."""
        place = self.random.randrange(
            min(len(payload), self.random.choice([1, 2, 4, 8, 16, 32, 10**6])) + 1
        )
        how = self.random.randrange(8)
        if how == 0:
            del payload[place:]
        elif how == 1:
            payload += self.random.randbytes(self.random.randrange(1, 9))
        elif how == 2:
            payload[place : place + 2] = self.random.choice(
                [b"\x7f\x80", b"\x80\x7f", b"\xff\xc0", b"\x7c\0", b"\0\x7c"]
            )
        elif how == 3:
            payload[place : place + 4] = self.random.choice(
                [bytes(4), b"\x80\0\0\0", b"\0\0\0\x80", b"\xff" * 4]
            )
        elif how == 4 and payload:
            payload[-1] ^= 1 << self.random.randrange(8)  # a bit past the length, perhaps
        elif place < len(payload):
            payload[place] = self.random.choice(
                [0, 1, 2, 0x7F, 0x80, 0xFF, payload[place] ^ 1, payload[place] ^ 0x80]
            )

    def payload(self) -> bytes:
        count = self.random.choice([1, 2, 3, 8, 9, self.random.randrange(1, 20)])
        if self.chance(0.02):
            count = 600
        if isinstance(self.model, DenseType):
            return self.header(dimensions=count) + self.elements(count)
        if isinstance(self.model, SparseType):
            return self.sparse_payload(count)
        assert isinstance(self.model, BitsType)
        bits = (
            self.random.getrandbits(count) << -count % 8
            if self.chance(0.8)
            else self.random.getrandbits(count + -count % 8)
        )
        return self.header(length=count) + bits.to_bytes((count + 7) // 8, "big")

    def sparse_payload(self, count: int) -> bytes:
        assert isinstance(self.model, SparseType)
        indices = number_format(self.model.index.format, self.model.byte_order)
        most = getattr(indices, "most", 1)
        nnz = min(count, self.model.max_nnz or count, 9 if most < 200 else count)
        dimensions = min(
            self.model.max_dimensions, most, self.random.choice([3 * nnz + 1, 100, 10**9])
        )
        dimensions = max(dimensions, nnz)
        places = sorted(self.random.sample(range(dimensions), nnz))
        if places and self.chance(0.05):
            dimensions = places[-1]  # the last index is the first that is out of range
        return (
            self.header(dimensions=dimensions, nnz=nnz)
            + bytes(indices.pack(places))
            + self.elements(nnz)
        )

    def elements(self, count: int) -> bytes:
        """Draw elements that are finite, mostly."""
        assert isinstance(self.model, (DenseType, SparseType))
        element = number_format(self.model.element.format, self.model.byte_order)
        numbers = element.unpack(self.random.randbytes(count * element.width), 0, count)
        kept = [number if math.isfinite(number) else 1 for number in numbers]
        if self.chance(0.1):
            kept[self.random.randrange(count) if count else 0 : count] = [0.0] if count else []
            kept += [1] * (count - len(kept))
        return bytes(element.pack(kept))

    def header(self, **counts: int) -> bytes:
        """Pack a header; its attributes are drawn."""
        packed = b""
        for field in self.model.header:
            format_ = number_format(field.format, self.model.byte_order)
            if isinstance(field, Constant):
                number: Any = field.constant
            elif isinstance(field, Attribute):
                number = self.random.choice([0, 1])
            else:
                number = counts[field.name]
            most = getattr(format_, "most", number)
            packed += bytes(format_.pack([min(number, most)]))
        return packed

    def held_wire(self) -> str:
        """Draw a payload in any buffer, or something else."""
        how = self.random.randrange(12)
        if how == 0:
            return self.random.choice(odd_payloads(numpy=self.numpy))
        wire = self.wire()
        around = [
            "bytearray({})",
            "memoryview({})",
            "BytesOfOwn({})",
            "array('B', {})",
            "memoryview(b'1' + {})[1:]",
        ]
        if self.numpy:
            around += ["np.frombuffer({}, 'u1')"]
        return self.random.choice(around).format(wire) if how == 1 else wire

    def wires(self) -> str:
        one, two = self.wire(), self.wire()
        return f"({one}, {self.random.choice([one, two])})"

    # Other arguments

    def parameter(self) -> str:
        how = self.random.randrange(10)
        if how == 0:
            return f"value({self.name!r}, {self.wire()})"
        return self.text() if how < 3 else self.row()

    def derived(self) -> str:
        return f"(subclass({self.name!r}), {self.parameter()})"

    def base64(self) -> str:
        count = self.random.choice([0, *range(1, 9), 600])
        floats = (
            self.random.randbytes(4 * count)
            if self.chance(0.3)
            else struct.pack("<2f", 1, 0) * count
        )
        raw = floats[: 4 * count] + self.random.choice([b"", b"", b"", b"", b"1", b"12"])
        text = bytearray(base64.b64encode(raw))
        if self.chance(0.2):
            place = self.random.randrange(len(text) + 1)
            text[place : place + self.random.randrange(3)] = self.random.choice(
                [
                    b"",
                    b" ",
                    b"\n",
                    b"=",
                    b"==",
                    b"-",
                    b"_",
                    b"A",
                    b"/",
                    b"\xff",
                    b"\0",
                    text[place : place + 1],
                ]
            )
        if self.chance(0.1) and text:
            text[-1:] = self.random.choice([b"B", b"", b"=="])
        held = bytes(text) if self.chance(0.3) else text.decode("latin-1")
        around = (
            ["StrOfOwn({!r})"] if isinstance(held, str) else ["BytesOfOwn({!r})", "bytearray({!r})"]
        )
        source = self.random.choice(["{!r}"] * 9 + around).format(held)
        dimensions = self.random.choice(
            ["None"] * 25
            + [str(count)] * 10
            + ["1", "0", "1.0", "'1'", "Level.ONE", "Raises()", "10**30"]
        )
        return f"({source}, {dimensions})"

    def coo(self) -> str:
        """Draw indices, elements and dimensions."""
        count = self.random.choice([0, 1, 2, 3, 9, 17, 40])
        dimensions = self.random.choice(
            [1, 5, 50, 100, 127, 1000, 10**6, 10**9, 10**9 + 1, 2**32 - 1]
        )
        indices = self.indices(count, dimensions)
        places = self.listed([str(index) for index in indices])
        how = self.random.randrange(14)
        if how == 0:
            places = self.listed([*map(str, indices[1:]), self.odd_number()])
        elif how == 1 and self.numpy:
            places = f"np.array({indices}, 'i8')"
        elif how == 2:
            places = f"array('q', {indices})"
        elements = self.listed([self.number() for _ in range(count + (how == 3))])
        if how in {4, 5}:
            elements = self.row()
        if how == 6:
            places = self.row()
        shown = str(dimensions) if self.chance(0.95) else self.odd_number()
        return f"({places}, {elements}, {shown})"

    def indices(self, count: int, dimensions: int) -> list[int]:
        indices = self.random.sample(range(max(dimensions, count)), count)
        if self.chance(0.5):
            indices.sort()
        if indices and self.chance(0.1):
            indices[self.random.randrange(count)] = self.random.choice(
                [-1, dimensions, 2**31, 2**63, -(2**70), indices[0]]
            )
        return indices

    def mapping(self) -> str:
        count = self.random.choice([0, 1, 2, 3, 9, 17, 40])
        dimensions = self.random.choice([1, 5, 50, 100, 1000, 10**9])
        numbers = [self.number() for _ in range(count)]
        if numbers and self.chance(0.2):
            numbers[-1] = self.odd_number()
        pairs = zip(map(str, self.indices(count, dimensions)), numbers, strict=True)
        odd = [
            f"{self.random.choice(['True', '1.0', 'Level.ONE', 'Index()', 'None', '(1,)', 'IntOfOwn(1)'])}: 1"
        ]
        inner = ", ".join(
            [f"{index}: {number}" for index, number in pairs] + (odd if self.chance(0.05) else [])
        )
        source = f"{{{inner}}}" if self.chance(0.9) else f"DictOfOwn({{{inner}}})"
        return f"({source}, {dimensions if self.chance(0.9) else self.odd_number()})"

    def attributes(self) -> str:
        names = [field.name for field in self.model.header if isinstance(field, Attribute)]
        if not names:
            return f"({self.row()}, {{}})"
        given = {name: self.random.choice(["0", "1", "1.0"]) for name in names}
        if self.chance(0.2):
            given[self.random.choice(names)] = self.odd_number()
        inner = ", ".join(f"{name!r}: {number}" for name, number in given.items())
        return f"({self.row()}, {{{inner}}})"

    def sparse_matrix(self) -> str:
        """Draw a SciPy matrix of any format; coordinates may be there twice."""
        rows, columns = self.random.randrange(4), self.random.choice([0, 1, 5, 600])
        count = self.random.randrange(9) if rows and columns else 0
        places = [[self.random.randrange(most) for _ in range(count)] for most in (rows, columns)]
        dtype = self.random.choice("?bBhHiIlLqQefffdddgFD")
        numbers = f"np.array({self.listed(self.numbers(count, count))}).astype('{dtype}')"
        source = f"sparse.coo_array(({numbers}, {places}), ({rows}, {columns}))"
        if self.chance(0.2):  # in no order
            source = f"sparse.csr_array(({numbers}, {places[1]}, [0, {count}]), (1, {columns}))"
        format_ = self.random.choice(["coo", "csr", "csr", "csc", "dok", "lil", "bsr", "dia"])
        return f"{source}.asformat('{format_}')"

    def matrix(self) -> str:
        if self.numpy and isinstance(self.model, SparseType) and self.chance(0.5):
            return self.sparse_matrix()
        how = self.random.randrange(6)
        if self.numpy and how < 4:
            rows, columns = self.random.choice([0, 1, 2, 5]), self.random.choice([0, 1, 2, 5, 600])
            return self.ndarray(self.random.choice([(rows, columns)] * 9 + [(rows, columns, 2)]))
        if how == 4:
            return self.row()
        width = self.random.randrange(1, 4)
        rows_ = [
            self.listed([self.number() for _ in range(width)])
            for _ in range(self.random.randrange(4))
        ]
        return self.listed(rows_ if self.chance(0.7) else [*rows_, self.row()])

    def packed(self) -> str:
        """Draw a row of packed bits, or perhaps of flags, and the arguments beside it."""
        how = self.random.randrange(4)
        if how == 0:
            return f"({self.row()}, {self.kind()})"
        source = self.packed_row(self.random.randrange(4))
        return f"({source}, {self.kind()})"

    def packed_matrix(self) -> str:
        """Draw rows of packed bits, or perhaps of flags, and the arguments beside them."""
        if self.chance(0.4):
            return f"({self.matrix()}, {self.kind()})"
        size = self.random.randrange(4)
        rows = [self.packed_row(size) for _ in range(self.random.randrange(4))]
        return f"({self.listed(rows)}, {self.kind()})"

    def packed_row(self, size: int) -> str:
        data = self.random.randbytes(size)
        signed = self.random.choice([0, 128])
        listed = [byte - signed for byte in data]
        holders = ["{listed}", "array('{code}', {listed})", "{data}", "memoryview({data})"]
        if self.numpy:
            holders += ["np.array({listed}, '{code}')", "np.array({listed}, 'i8')"]
        holder = self.random.choice(holders)
        return holder.format(listed=listed, data=data, code="b" if signed else "B")

    def kind(self) -> str:
        """Draw the keyword arguments of from_packed()."""
        length = self.random.choice([*["None"] * 20, *map(str, range(-1, 26)), "1.0", "10**30"])
        return f"{{'length': {length}, 'signed': {self.chance(0.5)}}}"

    def rows(self) -> str:
        """Draw what to_matrix() is given."""
        one = f"value({self.name!r}, {self.wire()})"
        rows = [one] * self.random.randrange(4)
        if self.chance(0.3):
            rows.append(
                self.parameter() if self.chance(0.5) else f"value({self.name!r}, {self.wire()})"
            )
        source = self.listed(rows)
        return self.random.choice(
            [source] * 6 + [f"iter({source})", f"ListOfOwn({source})", self.row()]
        )


_DRAWERS: Mapping[str, str] = {
    "constructor": "parameter",
    "constructor of a subclass": "derived",
    "encode": "parameter",
    "coerce": "parameter",
    "from_json": "parameter",
    "decode": "held_wire",
    "decoder": "wire",
    "from_binary": "held_wire",
    "from_text": "text",
    "from_float_base64": "base64",
    "from_coo": "coo",
    "from dict": "mapping",
    "attributes": "attributes",
    "from_matrix": "matrix",
    "to_matrix": "rows",
    "from_packed": "packed",
    "from_packed_matrix": "packed_matrix",
    "to_packed_matrix": "rows",
    "read": "wire",
    "compare": "wires",
    "copy": "wire",
}


def operations_of(model: Type) -> list[str]:
    """Return the operations that values of a type have."""
    of_bits = {"from_packed", "from_packed_matrix", "to_packed_matrix"}
    lacks = {
        "dense": {"from_coo", "from dict", *of_bits},
        "sparse": {"from_float_base64", "attributes", *of_bits},
        "bits": {"from_float_base64", "attributes", "from_coo", "from dict"},
    }
    lacking = lacks[model.layout] | (set() if getattr(model, "text", True) else {"from_text"})
    return [operation for operation in _DRAWERS if operation not in lacking]


def draw_cases(
    models: Mapping[str, Type], operation: str, seed: int, count: int, *, numpy: bool
) -> list[Case]:
    """Draw cases of an operation, of all types that have it, and as many of each layout."""
    random = Random(f"{operation} {seed}")
    having: dict[str, list[str]] = {}
    for name, model in models.items():
        if operation in operations_of(model):
            having.setdefault(model.layout, []).append(name)
    layouts = [*having.values()]
    names = [random.choice(random.choice(layouts)) for _ in range(count)]
    return [Drawer(name, models[name], random, numpy=numpy).draw(operation) for name in names]
