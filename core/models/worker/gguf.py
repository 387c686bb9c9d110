"""A strict reader of GGUF headers, versions 2 and 3. It loads no weights.

Layout: "GGUF", version (u32), number of tensors (u64), number of keys (u64); the keys, each a name, a type and a value; the tensors, each a
name, its shape, type and offset; padding; the tensors' data. Rules: a length or a count is compared with what remains of the file
before anything is read or kept; names are unique; every tensor lies whole inside the file, and none on another; values that nobody asked
for are skipped, not kept. What is wrong raises `Damaged` or `Unsupported` with one sentence; time and memory depend on the header's size only.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from core.errors import Damaged, Unsupported
from core.models.worker import kinds

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
KEYS: Final = 10_000
TENSORS: Final = 100_000
ITEMS: Final = 5_000_000
"""Elements of one array; the largest vocabularies have 300,000."""
LONGEST_NAME: Final = 1024
"""Bytes; llama.cpp takes 64 of a tensor's."""
LONGEST_TEXT: Final = 4_000_000
DEPTH: Final = 3
DIMENSIONS: Final = 4
ALIGNMENT: Final = "general.alignment"
LARGEST_ALIGNMENT: Final = 65_536

_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT: Final = 8
_ARRAY: Final = 9

Value = str | int | float | bool


@dataclass(frozen=True)
class Tensor:
    """One tensor: its shape (innermost first), the name of its type, and its place in the data."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    size: int

    @property
    def elements(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count


@dataclass
class Header:
    """The keys that were asked for (of an array, its length under `lengths`), and the tensors."""

    version: int
    start: int = 0
    """Where the tensors' data begins in the file; their offsets count from here."""
    values: dict[str, Value] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)


def read(file: BinaryIO, size: int, source: str, wanted: Collection[str]) -> Header:
    """The header of a file of `size` bytes. `wanted`: ends of the keys to keep. Raises `Damaged`, `Unsupported`."""
    return _Reader(file, size, source, tuple(wanted)).header()


class _Reader:
    def __init__(self, file: BinaryIO, size: int, source: str, wanted: tuple[str, ...]) -> None:
        self._file = file
        self._size = size
        self._source = source
        self._wanted = wanted
        self._at = 0

    def header(self) -> Header:
        version, tensors, keys = self._opening()
        header = Header(version=version)
        alignment = 32
        seen: set[str] = set()
        for _ in range(keys):
            name = self._text(LONGEST_NAME, "a key's name")
            if name in seen:
                raise self._damaged(f"the key {name[:80]} occurs twice")
            seen.add(name)
            kind = self._number("I")
            if name == ALIGNMENT:
                alignment = self._alignment(kind)
            else:
                self._value(name, kind, header)
        shapes = [self._tensor(seen) for _ in range(tensors)]
        start = -(-self._at // alignment) * alignment
        header.start = start
        header.tensors = [self._placed(tensor, start, alignment) for tensor in shapes]
        self._apart(header.tensors)
        return header

    def _opening(self) -> tuple[int, int, int]:
        magic = self._bytes(min(4, self._size))
        if magic != MAGIC:
            raise Unsupported(source=self._source, reason=kinds.sentence(self._file, self._size))
        version = self._number("I")
        if version == 1:
            raise Unsupported(
                source=self._source,
                reason="GGUF version 1, a format of 2023 that is read no more. Convert it to version 3.",
            )
        if version & 0xFFFF == 0:
            raise Unsupported(
                source=self._source, reason="written for a big-endian machine. Take the little-endian file."
            )
        if version not in VERSIONS:
            raise Unsupported(
                source=self._source, reason=f"GGUF version {version}, which this program doesn't know. Update Assay."
            )
        tensors, keys = self._number("Q"), self._number("Q")
        if keys > KEYS or tensors > TENSORS:
            raise self._damaged(f"it claims {keys} keys and {tensors} tensors, more than any model has")
        return version, tensors, keys

    def _alignment(self, kind: int) -> int:
        value = self._number("I") if kind == 4 else 0
        if not 0 < value <= LARGEST_ALIGNMENT or value & (value - 1):
            raise self._damaged("its alignment is not a power of two")
        return value

    def _value(self, name: str, kind: int, header: Header) -> None:
        keep = name.endswith(self._wanted)
        if kind == _ARRAY:
            header.lengths[name] = self._array(1)
        elif kind == _TEXT and keep:
            header.values[name] = self._text(LONGEST_TEXT, "a text")
        elif kind == _TEXT:
            self._skip(self._length(LONGEST_TEXT, "a text"))
        elif kind not in _SCALARS:
            raise self._damaged(f"the key {name[:80]} has the unknown type {kind}")
        else:
            value = self._number(_SCALARS[kind])
            if keep:
                header.values[name] = value

    def _array(self, depth: int) -> int:
        """Skip an array; its length."""
        if depth > DEPTH:
            raise self._damaged("arrays are nested too deeply")
        kind, count = self._number("I"), self._number("Q")
        if count > ITEMS:
            raise self._damaged(f"an array claims {count} elements, more than any model has")
        if kind in _SCALARS:
            self._skip(count * struct.calcsize("<" + _SCALARS[kind]))
        elif kind == _TEXT:
            for _ in range(count):
                self._skip(self._length(LONGEST_TEXT, "a text"))
        elif kind == _ARRAY:
            for _ in range(count):
                self._array(depth + 1)
        else:
            raise self._damaged(f"an array has elements of the unknown type {kind}")
        return int(count)

    def _tensor(self, seen: set[str]) -> Tensor:
        name = self._text(LONGEST_NAME, "a tensor's name")
        if f"tensor {name}" in seen:
            raise self._damaged(f"the tensor {name[:80]} occurs twice")
        seen.add(f"tensor {name}")
        rank = self._number("I")
        if not 0 <= rank <= DIMENSIONS:
            raise self._damaged(f"the tensor {name[:80]} has {rank} dimensions")
        shape = tuple(int(self._number("Q")) for _ in range(rank))
        kind, offset = int(self._number("I")), int(self._number("Q"))
        try:
            type_ = GGMLQuantizationType(kind)
        except ValueError:
            raise Unsupported(
                source=self._source,
                reason=f"the tensor {name[:80]} is of type {kind}, which this program doesn't know. Update Assay.",
            ) from None
        block, width = GGML_QUANT_SIZES[type_]
        tensor = Tensor(name, shape, type_.name, offset, 0)
        if tensor.elements == 0 or (shape and shape[0] % block):
            raise self._damaged(f"the tensor {name[:80]} has an impossible shape")
        return Tensor(name, shape, type_.name, offset, tensor.elements // block * width)

    def _placed(self, tensor: Tensor, start: int, alignment: int) -> Tensor:
        if tensor.offset % alignment:
            raise self._damaged(f"the tensor {tensor.name[:80]} lies at a wrong place")
        if start + tensor.offset + tensor.size > self._size:
            raise self._ends_early()
        return tensor

    def _apart(self, tensors: list[Tensor]) -> None:
        end, before = 0, ""
        for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
            if tensor.offset < end:
                raise self._damaged(f"the tensors {before[:80]} and {tensor.name[:80]} overlap")
            end, before = tensor.offset + tensor.size, tensor.name

    def _number(self, form: str) -> int:
        (value,) = struct.unpack("<" + form, self._bytes(struct.calcsize("<" + form)))
        return value  # type: ignore[no-any-return]

    def _text(self, longest: int, what: str) -> str:
        return self._bytes(self._length(longest, what)).decode("utf-8", "replace")

    def _length(self, longest: int, what: str) -> int:
        length = self._number("Q")
        if length > self._size - self._at:
            raise self._ends_early()
        if length > longest:
            raise self._damaged(f"{what} has {length} bytes")
        return length

    def _bytes(self, count: int) -> bytes:
        if count > self._size - self._at:
            raise self._ends_early()
        data = self._file.read(count)
        if len(data) != count:
            raise self._ends_early()
        self._at += count
        return data

    def _skip(self, count: int) -> None:
        if count > self._size - self._at:
            raise self._ends_early()
        self._file.seek(count, 1)
        self._at += count

    def _ends_early(self) -> Damaged:
        return Damaged(source=self._source, problem="the file ends early; it was not copied whole. Copy it again.")

    def _damaged(self, problem: str) -> Damaged:
        return Damaged(source=self._source, problem=f"not a whole GGUF file: {problem}. Take another copy.")
