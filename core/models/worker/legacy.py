"""The old GGML files that `ctransformers` loads: GPT-2, GPT-J, GPT-NeoX, MPT and StarCoder, read from the first byte to the last.

Such a file says neither what family it is nor how long it should be, and the library loads a cut one without a word and then writes nothing.
So the whole is walked as each family lays it out: numbers, vocabulary, tensors. The family whose walk ends with the file's last byte, with each block
holding the same tensors, is what the file is. Nothing but names, shapes and sizes is read.
"""

import struct
from collections import Counter
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from core.errors import Damaged
from core.models.records import LEGACY, Facts
from core.models.worker.kinds import WHISPER_CONTEXT

MAGIC: Final = b"lmgg"
MOST_TOKENS: Final = 500_000
LONGEST_TOKEN: Final = 4096
LONGEST_NAME: Final = 200
TYPES: Final = {
    0: ("f32", 1, 4),
    1: ("f16", 1, 2),
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
}
"""Name, values of a block, bytes of a block, of version 2 of the quantized forms, the only one that the library reads."""
VERSIONED: Final = 1000


class Layout(NamedTuple):
    """A family's header: the names of its numbers in order (a name that ends in `:f` is a float), and whether the vocabulary says its size anew."""

    family: str
    numbers: tuple[str, ...]
    counted: bool
    block: str
    """What the name of a block's tensor begins with, before its number."""


_GPT = ("vocabulary", "context", "width", "heads", "layers")
LAYOUTS: Final = (
    Layout("gpt2", (*_GPT, "type"), True, "model/h"),
    Layout("starcoder", (*_GPT, "type"), True, "model/h"),
    Layout("gptj", (*_GPT, "rotary", "type"), True, "transformer.h."),
    Layout("gpt_neox", (*_GPT, "rotary", "parallel", "type"), False, "gpt_neox.layers."),
    Layout(
        "mpt",
        ("width", "context", "heads", "layers", "vocabulary", "alibi:f", "clip:f", "type"),
        False,
        "transformer.blocks.",
    ),
)


class Tensor(NamedTuple):
    name: str
    kind: str
    shape: tuple[int, ...]
    """The innermost dimension first, as the file has it."""


class Walked(NamedTuple):
    """A whole file."""

    family: str
    numbers: dict[str, int]
    tensors: tuple[Tensor, ...]


class _Wrong(Exception):
    """The file isn't laid out so."""


def begins(path: Path) -> bool:
    """Whether the file begins as one of these, and isn't a Whisper model, which begins so too."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] == MAGIC and len(head) == 12 and struct.unpack_from("<i", head, 8)[0] != WHISPER_CONTEXT


def legacy_facts(path: Path) -> Facts:
    """What the file is. Raises `Damaged` for a cut one, and for what is laid out like none of the families."""
    found = walk(path)
    weights: Counter[str] = Counter()
    for tensor in found.tensors:
        elements = 1
        for size in tensor.shape:
            elements *= size
        weights[tensor.kind] += elements
    return Facts(
        architecture=LEGACY + found.family,
        purpose="chat",
        quantization=weights.most_common(1)[0][0],
        parameters=sum(weights.values()),
        context=found.numbers["context"],
        dimensions=found.numbers["width"],
        has_template=False,
        licence="",
        title="",
        tensors=len(found.tensors),
        tokenizer=f"in the file, {found.numbers['vocabulary']} tokens",
    )


def walk(path: Path) -> Walked:
    """The file's family, numbers and tensors. Raises `Damaged`."""
    for layout in LAYOUTS:
        with path.open("rb") as file:
            try:
                found = _walk(file, path.stat().st_size, layout)
            except (_Wrong, struct.error, UnicodeDecodeError):
                continue
        if found.family == "gpt2" and _shares_heads(found):
            found = found._replace(family="starcoder")
        return found
    raise Damaged(
        source=path.name,
        problem="an old GGML file that is cut, or of no family known here (GPT-2, GPT-J, GPT-NeoX, MPT, StarCoder). Take a GGUF of the model.",
    )


def _walk(file: BinaryIO, size: int, layout: Layout) -> Walked:
    if file.read(4) != MAGIC:
        raise _Wrong
    numbers: dict[str, int] = {}
    for name in layout.numbers:
        form = "<f" if name.endswith(":f") else "<i"
        value = struct.unpack(form, file.read(4))[0]
        numbers[name] = int(value) if form == "<i" else 0
    if not (
        0 < numbers["vocabulary"] <= MOST_TOKENS
        and 0 < numbers["context"] <= 2**20
        and 0 < numbers["width"] <= 2**17
        and 0 < numbers["heads"] <= numbers["width"]
        and 0 < numbers["layers"] <= 1000
        and numbers["width"] % numbers["heads"] == 0
    ):
        raise _Wrong
    if layout.counted and _number(file, 1, MOST_TOKENS) != numbers["vocabulary"]:
        raise _Wrong
    for _ in range(numbers["vocabulary"]):
        _pass(file, _number(file, 0, LONGEST_TOKEN), size)
    tensors: list[Tensor] = []
    while file.tell() < size:
        tensors.append(_tensor(file, size, numbers["type"]))
    _complete(tensors, layout, numbers)
    return Walked(layout.family, numbers, tuple(tensors))


def _tensor(file: BinaryIO, size: int, whole: int) -> Tensor:
    count, length, kind = (_number(file, low, high) for low, high in ((1, 4), (1, LONGEST_NAME), (0, 31)))
    if kind not in TYPES:
        raise _Wrong
    named, block, octets = TYPES[kind]
    if block > 1 and whole // VERSIONED != 2:
        raise _Wrong
    shape = tuple(_number(file, 1, 2**31 - 1) for _ in range(count))
    name = file.read(length).decode("utf-8")
    elements = 1
    for dimension in shape:
        elements *= dimension
    if shape[0] % block or elements > 2**40:
        raise _Wrong
    _pass(file, elements // block * octets, size)
    return Tensor(name, named, shape)


def _complete(tensors: list[Tensor], layout: Layout, numbers: dict[str, int]) -> None:
    """Each block has the same tensors, and none is missing: the walk may have ended between two of them."""
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise _Wrong
    blocks: dict[int, set[str]] = {}
    for name in names:
        if name.startswith(layout.block):
            digits, _, rest = name.removeprefix(layout.block).replace("/", ".", 1).partition(".")
            if not digits.isdecimal():
                raise _Wrong
            blocks.setdefault(int(digits), set()).add(rest)
    if sorted(blocks) != list(range(numbers["layers"])) or any(found != blocks[0] for found in blocks.values()):
        raise _Wrong
    wide = [
        tensor
        for tensor in tensors
        if tensor.shape[-1:] == (numbers["vocabulary"],) or numbers["vocabulary"] in tensor.shape
    ]
    if not wide:
        raise _Wrong


def _shares_heads(found: Walked) -> bool:
    """StarCoder's layout is GPT-2's; its heads share one key and value."""
    name = "model/h0/attn/c_attn/w"
    width = found.numbers["width"]
    shape = next((tensor.shape for tensor in found.tensors if tensor.name == name), ())
    return shape == (width, width + 2 * (width // found.numbers["heads"]))


def _number(file: BinaryIO, low: int, high: int) -> int:
    value: int = struct.unpack("<i", file.read(4))[0]
    if not low <= value <= high:
        raise _Wrong
    return value


def _pass(file: BinaryIO, count: int, size: int) -> None:
    if file.tell() + count > size:
        raise _Wrong
    file.seek(count, 1)
