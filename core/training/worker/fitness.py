"""Whether a base can be trained at all, and in one sentence why not, before anything is computed.

What is trained: models that write text from left to right, each matrix on its own, of a family that llama.cpp can put an adapter on; with
weights that are plain numbers, or a GGUF's types that can be computed back.
"""

from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np

from core.errors import Unsupported

EXPERTS: Final = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
READERS: Final = ("bert", "roberta", "deberta", "electra", "albert", "modernbert", "nomic", "mpnet", "eurobert")
"""Parts of the names of families that read and don't write."""


def check_config(name: str, config: Any, trainable: tuple[str, ...]) -> str:
    """The family. `config` is as transformers reads it. Raises `Unsupported`."""
    kind = str(config.model_type)
    why = _against(kind, config) or (
        "" if kind in trainable else f"models of the type {kind[:40]} are not trained here."
    )
    if why:
        raise Unsupported(source=name, reason=f"{why} {known(trainable)}")
    return kind


def known(trainable: tuple[str, ...]) -> str:
    return f"These are: {', '.join(trainable)}."


def _against(kind: str, config: Any) -> str:
    if getattr(config, "is_encoder_decoder", False):
        return f"it is of the type {kind[:40]}, an encoder with a decoder; only models that go on with a text are trained here."
    if any(part in kind for part in READERS):
        return f"it is of the type {kind[:40]}, which reads texts and writes none, so there is no answer to learn."
    numbers = [getattr(config, key, 0) or 0 for key in EXPERTS]
    if any(not isinstance(number, int | float) for number in numbers):
        return "its config.json gives the number of its experts as something else than a number. Get the model's original files."
    if any(number > 1 for number in numbers):
        return f"it is a mixture of experts ({kind[:40]}), whose matrices lie together, and no adapter is put on each."
    quantized = getattr(config, "quantization_config", None)
    if quantized:
        method = (
            quantized.get("quant_method", "") if isinstance(quantized, dict) else getattr(quantized, "quant_method", "")
        )
        return f"its weights are quantized ({str(method)[:20] or 'unknown'}), which can't be computed back. Give the original."
    return ""


def check_types(name: str, path: Path) -> None:
    """Raises `Unsupported` where a GGUF's weights are of a type that can't be computed back."""
    for kind in sorted({tensor.tensor_type for tensor in gguf.GGUFReader(path).tensors}):
        if not restorable(kind):
            raise Unsupported(
                source=name,
                reason=f"its weights are of the type {kind.name}, which can't be computed back. Register the model in f16, or as q8_0.",
            )


def restorable(kind: gguf.GGMLQuantizationType) -> bool:
    """Whether numbers of that type can be computed back."""
    size = int(gguf.GGML_QUANT_SIZES[kind][1])
    try:
        gguf.quants.dequantize(np.zeros((1, size), dtype=np.uint8), kind)
    except NotImplementedError:
        return False
    return True
