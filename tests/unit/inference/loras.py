"""LoRA adapters of random weights for a real tiny model, and the model with the same changes merged into its weights."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np

RANK, ALPHA = 4, 8.0
STRENGTH: Final = 0.06

Pairs = dict[str, tuple[np.ndarray, np.ndarray]]


def pairs(model: Path, seed: int) -> Pairs:
    """For each matrix of the blocks: A [rank, inputs] and B [outputs, rank], float32."""
    rng = np.random.default_rng(seed)
    found = {}
    for tensor in gguf.GGUFReader(model).tensors:
        if tensor.name.startswith("blk.") and len(tensor.shape) == 2:
            inputs, outputs = map(int, tensor.shape)
            a = rng.standard_normal((RANK, inputs)) * STRENGTH
            b = rng.standard_normal((outputs, RANK)) * STRENGTH
            found[tensor.name] = (a.astype(np.float32), b.astype(np.float32))
    return found


def written(
    path: Path,
    found: Pairs,
    architecture: str = "llama",
    kind: str = "lora",
    keys: Mapping[str, str] | None = None,
    more: Callable[[gguf.GGUFWriter], Any] = lambda writer: None,
) -> Path:
    """The adapter's file."""
    w = gguf.GGUFWriter(path, architecture)
    w.add_type("adapter")
    w.add_string("adapter.type", kind)
    w.add_float32("adapter.lora.alpha", ALPHA)
    for name, value in (keys or {}).items():
        w.add_string(name, value)
    for name, (a, b) in found.items():
        w.add_tensor(f"{name}.lora_a", a)
        w.add_tensor(f"{name}.lora_b", b)
    more(w)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path


def merged(model: Path, path: Path, *changes: tuple[Pairs, float]) -> Path:
    """The model with the adapters in its weights, each with its scale."""
    reader = gguf.GGUFReader(model)
    w = gguf.GGUFWriter(path, "llama")
    for name, known in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            kind = known.types[0]
            w.add_key_value(name, known.contents(), kind, known.types[-1] if kind is gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        values = np.array(tensor.data)
        for found, scale in changes:
            if tensor.name in found:
                a, b = found[tensor.name]
                values = values + (b @ a) * np.float32(scale * ALPHA / RANK)
        w.add_tensor(tensor.name, values)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path
