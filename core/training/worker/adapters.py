"""A trained adapter as files: PEFT's own two, and a GGUF that is attached to a running model.

llama.cpp multiplies `lora_b @ lora_a` by `adapter.lora.alpha` / rank, so where PEFT divides by the root of the rank the alpha that is
written is larger by that root. Where the architecture rotates neighbouring values, the rows of `lora_b` of queries and keys are reordered as
those of the weights are. An adapter with anything but LoRA's two matrices doesn't become a GGUF.
"""

import json
import math
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np

from core.errors import BadInput, Unsupported
from core.models.worker.converting.families import Config, Family, heads
from core.training.settings import Settings

PREFIX: Final = "base_model.model."
FIRST, SECOND = ".lora_A.weight", ".lora_B.weight"
DIGEST_KEY: Final = "assay.base.digest"


def model(base: Any, settings: Settings) -> Any:
    """The base with a fresh adapter. Raises `BadInput` for matrices that it hasn't."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.targets) or "all-linear",
        use_rslora=settings.rslora,
        use_dora=settings.dora,
        task_type="CAUSAL_LM",
    )
    plain = base.weights(settings.dtype)
    if settings.gradient_checkpointing:
        plain.gradient_checkpointing_enable({"use_reentrant": False})
        plain.enable_input_require_grads()
    try:
        return get_peft_model(plain, config)
    except ValueError as error:
        raise BadInput(
            source="The setting targets", problem="the model has no such matrices. Leave it empty for all."
        ) from error


def safetensors_of(model: Any) -> bytes:
    """The adapter's matrices as PEFT saves them."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save

    state = get_peft_model_state_dict(model)
    return bytes(save({name: value.detach().cpu().contiguous() for name, value in state.items()}))


def config_of(model: Any, name: str) -> bytes:
    """PEFT's `adapter_config.json`, with the base's name instead of a path."""
    config = model.peft_config["default"].to_dict()
    config["base_model_name_or_path"] = name
    config["inference_mode"] = True
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    return json.dumps(plain, indent=2, sort_keys=True, default=str).encode()


def written(
    tensors: dict[str, "np.ndarray[Any, np.dtype[np.float32]]"],
    out: Path,
    family: Family,
    config: Config,
    alpha: float,
    root: bool,
    digest: str,
    name: str,
) -> None:
    """Write the GGUF. `tensors` are PEFT's, float32; `root`: divide by the root of the rank. Raises `Unsupported`."""
    writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[family.architecture])
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_string("adapter.type", "lora")
    names = gguf.get_tensor_name_map(family.architecture, int(config["num_hidden_layers"]))
    ranks = {value.shape[0] for key, value in tensors.items() if key.endswith(FIRST)}
    if len(ranks) != 1:
        raise Unsupported(source="The adapter", reason="its matrices have different ranks, which isn't attached.")
    writer.add_float32("adapter.lora.alpha", alpha * math.sqrt(ranks.pop()) if root else alpha)
    if digest:
        writer.add_string(DIGEST_KEY, digest)
    for key, value in tensors.items():
        stem, second = _stem(key)
        found = names.get_name(stem)
        if found is None:
            raise Unsupported(source="The adapter", reason=f"it changes {stem[:80]}, which llama.cpp doesn't know.")
        if second and family.heads_are_permuted and found.endswith((".attn_q", ".attn_k")):
            value = _permuted(value, heads(config)[0 if found.endswith(".attn_q") else 1])
        writer.add_tensor(f"{found}.weight.{'lora_b' if second else 'lora_a'}", np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _stem(key: str) -> tuple[str, bool]:
    """A matrix's name in the base model, and whether this is its second part."""
    for end in (FIRST, SECOND):
        if key.startswith(PREFIX) and key.endswith(end):
            return key[len(PREFIX) : -len(end)], end == SECOND
    raise Unsupported(source="The adapter", reason=f"{key[:80]} is no part of a LoRA adapter, which alone is attached.")


def _permuted(value: "np.ndarray[Any, np.dtype[np.float32]]", count: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Rows of each head reordered: the two halves of a head, row for row."""
    parts = value.reshape(count, 2, value.shape[0] // count // 2, value.shape[1])
    return parts.swapaxes(1, 2).reshape(value.shape)
