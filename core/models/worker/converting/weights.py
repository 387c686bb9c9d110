"""The weights of a Hugging Face folder: safetensors files read one tensor at a time, with nothing taken on trust.

A safetensors file is eight bytes that say how long its header is, the header (JSON: name → type, shape, where its bytes begin and end), and
the bytes. Rules: the header is bounded; each tensor's bytes are as many as its type and shape ask for, lie inside the file and overlap no
other's; no name comes twice. Values are given as float32; what isn't a number (NaN, infinite) is refused where it is read.
"""

import itertools
import json
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput, Damaged, Unsupported

INDEX: Final = "model.safetensors.index.json"
LARGEST_HEADER: Final = 100_000_000
"""Bytes; the format's own bound."""
LARGEST_JSON: Final = 200_000_000
MOST_TENSORS: Final = 100_000
MOST_DIMENSIONS: Final = 4
TYPES: Final = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Bytes of one value."""
PICKLED: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")

Floats = npt.NDArray[np.float32]


class Tensor(NamedTuple):
    """Where a tensor lies: `start` counts from the file's beginning."""

    name: str
    kind: str
    shape: tuple[int, ...]
    path: Path
    start: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, by name. Raises `Unsupported` (pickled weights, other types of number), `BadInput`, `Damaged`."""
    found: dict[str, Tensor] = {}
    for path in _files(folder):
        for tensor in header(path):
            if tensor.name in found:
                raise Damaged(source=path.name, problem=f"the tensor {tensor.name[:80]} is in two files.")
            found[tensor.name] = tensor
    return found


def read(tensor: Tensor) -> Floats:
    """The values. Raises `Damaged` when one isn't a finite number, or the file is shorter than its header said."""
    with tensor.path.open("rb") as file:
        file.seek(tensor.start)
        data = file.read(tensor.elements * TYPES[tensor.kind])
    if len(data) != tensor.elements * TYPES[tensor.kind]:
        raise Damaged(source=tensor.path.name, problem="it became shorter while it was read.")
    if tensor.kind == "BF16":
        values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        values = np.frombuffer(data, {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[tensor.kind]).astype(np.float32)
    if not np.isfinite(values).all():
        raise Damaged(
            source=tensor.path.name,
            problem=f"the tensor {tensor.name[:80]} holds values that are no finite numbers. Take another copy.",
        )
    return values.reshape(tensor.shape)


def header(path: Path) -> tuple[Tensor, ...]:
    """What a safetensors file says that it holds. Raises `Damaged`, `Unsupported`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise _broken(path, "its header's length can't be right")
        content = _json(path, file.read(length))
    entries = [(name, entry) for name, entry in content.items() if name != "__metadata__"]
    if len(entries) > MOST_TENSORS:
        raise _broken(path, f"it says that it holds {len(entries)} tensors")
    taken: list[tuple[int, int]] = []
    found = []
    for name, entry in entries:
        kind, shape, (begin, end) = _entry(path, name, entry)
        if kind not in TYPES:
            raise Unsupported(
                source=path.name, reason=f"{name[:80]} is of the type {kind[:20]}. Give F32, F16 or BF16 weights."
            )
        if end - begin != math.prod(shape) * TYPES[kind] or end > size - 8 - length:
            raise _broken(path, f"{name[:80]} doesn't have as many bytes as its shape asks for")
        taken.append((begin, end))
        found.append(Tensor(name, kind, shape, path, 8 + length + begin))
    taken.sort()
    if any(after[0] < before[1] for before, after in itertools.pairwise(taken)):
        raise _broken(path, "two of its tensors overlap")
    return tuple(found)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises `BadInput`."""
    if path.stat().st_size > LARGEST_JSON:
        raise BadInput(source=path.name, problem="it is too large for what it should be.")
    try:
        content = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BadInput(source=path.name, problem="not a JSON object. Take another copy of the folder.")
    return content


def _files(folder: Path) -> list[Path]:
    index = folder / INDEX
    if index.is_file():
        named = read_json(index).get("weight_map")
        if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
            raise BadInput(source=INDEX, problem="it doesn't say which file holds which tensor.")
        names = sorted(set(named.values()))
        if any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
            raise BadInput(source=INDEX, problem="it names files outside its folder, or files of another form.")
    else:
        names = sorted(path.name for path in folder.glob("*.safetensors"))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise BadInput(source=folder.name, problem=f"{missing[0]} is missing. Copy the whole folder.")
    if not names and any(next(folder.glob(pattern), None) for pattern in PICKLED):
        raise Unsupported(
            source=folder.name,
            reason="its weights are pickled, and unpickling a file runs whatever program it holds. Ask for safetensors.",
        )
    if not names:
        raise BadInput(source=folder.name, problem="it holds no .safetensors file.")
    return [folder / name for name in names]


def _entry(path: Path, name: str, entry: object) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    if isinstance(entry, dict):
        kind, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
        if (
            isinstance(kind, str)
            and isinstance(shape, list)
            and isinstance(offsets, list)
            and len(shape) <= MOST_DIMENSIONS
            and len(offsets) == 2
            and all(type(number) is int and 0 <= number < 2**48 for number in (*shape, *offsets))
        ):
            return kind, tuple(shape), (offsets[0], offsets[1])
    raise _broken(path, f"what it says of {name[:80]} can't be read")


def _json(path: Path, data: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) != len(pairs):
            raise ValueError
        return content

    try:
        content = json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise _broken(path, "its header can't be read") from None
    if not isinstance(content, dict):
        raise _broken(path, "its header can't be read")
    return content


def _broken(path: Path, why: str) -> Damaged:
    return Damaged(source=path.name, problem=f"{why}. Take another copy of the file.")
