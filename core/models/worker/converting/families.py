"""Which Hugging Face models become GGUF, and how: what each family's config means to llama.cpp, and what its weights must look like there.

What llama.cpp's own graph of a family doesn't compute as `transformers` does is refused with the reason (another scale of attention, a rule
for longer contexts that it doesn't know), or, where only longer contexts would differ, the context is limited to what is the same, and a note
says so. Tensor names are those of `gguf.get_tensor_name_map`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import gguf
import numpy as np

from core.errors import BadInput, Unsupported
from core.models.worker.converting.weights import Floats

Config = Mapping[str, Any]
SLIDING_EVERY: Final = 6
"""Gemma 3: each sixth layer attends to everything; llama.cpp has that number built in."""
LOCAL_BASE: Final = 10_000.0


class Family(NamedTuple):
    """How one `model_type` is converted. `architecture` is llama.cpp's name."""

    architecture: gguf.MODEL_ARCH
    heads_are_permuted: bool = False
    """llama.cpp rotates neighbouring values in this architecture, Hugging Face values half a head apart."""
    norms_lack_one: bool = False
    """Norms are stored less one."""
    check: Callable[[Config], list[str]] = lambda config: []
    """Raises `Unsupported`; returns notes."""
    describe: Callable[[gguf.GGUFWriter, Config], None] = lambda writer, config: None
    """What only this family says of itself."""
    dropped: tuple[str, ...] = ()
    """Beginnings of the names of tensors that have no use for what llama.cpp computes."""


class Scaling(NamedTuple):
    """How rotary positions are stretched: a kind for the header, and factors of each frequency for a tensor."""

    kind: gguf.RopeScalingType | None = None
    factor: float = 1.0
    factors: dict[str, Floats] = {}  # noqa: RUF012 (never changed)
    original: int = 0
    attention: float = 0.0


def number(config: Config, key: str, default: int | None = None) -> int:
    """A whole number above 0. Raises `BadInput`."""
    value = config.get(key)
    if value is None and default is not None:
        return default
    if type(value) is not int or not 0 < value < 2**31:
        raise BadInput(source="config.json", problem=f"{key} isn't a whole number above 0.")
    return value


def fraction(config: Config, key: str, default: float) -> float:
    """A finite number above 0. Raises `BadInput`."""
    value = config.get(key)
    if value is None:
        return default
    if type(value) not in (int, float) or not 0 < value < 1e12:
        raise BadInput(source="config.json", problem=f"{key} isn't a number above 0.")
    return float(value)


def heads(config: Config) -> tuple[int, int, int]:
    """(heads of queries, heads of keys and values, values in a head)."""
    count = number(config, "num_attention_heads")
    width = number(config, "hidden_size")
    size = number(config, "head_dim", max(1, width // count))
    return count, number(config, "num_key_value_heads", count), size


def _sliding(config: Config) -> list[str]:
    """llama.cpp computes these families without a sliding window: up to its length both are the same."""
    window = config.get("sliding_window")
    if not isinstance(window, int) or not config.get("use_sliding_window", True):
        return []
    if window >= number(config, "max_position_embeddings"):
        return []
    return [f"its context is limited to {window} tokens, its sliding window, beyond which llama.cpp computes otherwise"]


def context(config: Config) -> int:
    """Tokens that the converted model takes."""
    longest = number(config, "max_position_embeddings")
    return min(longest, int(config["sliding_window"])) if _limits(config) else longest


def _limits(config: Config) -> bool:
    return config.get("model_type") in ("mistral", "phi3", "qwen2", "qwen3") and bool(_sliding(config))


def _gemma_attention(config: Config) -> None:
    count, _, size = heads(config)
    scale = config.get("query_pre_attn_scalar", size)
    large = number(config, "num_hidden_layers") in (46, 62)  # the 27 B models: llama.cpp then takes width over heads
    if scale != (number(config, "hidden_size") // count if large else size):
        raise Unsupported(
            source="config.json", reason=f"attention is scaled by {scale}, which llama.cpp doesn't compute."
        )


def _gemma2(config: Config) -> list[str]:
    _gemma_attention(config)
    kinds = config.get("layer_types")
    wanted = [("full_attention" if n % 2 else "sliding_attention") for n in range(number(config, "num_hidden_layers"))]
    if kinds is not None and list(kinds) != wanted:
        raise Unsupported(source="config.json", reason="its layers slide in another order than llama.cpp computes.")
    return []


def _gemma2_words(writer: gguf.GGUFWriter, config: Config) -> None:
    writer.add_attn_logit_softcapping(fraction(config, "attn_logit_softcapping", 50.0))
    writer.add_final_logit_softcapping(fraction(config, "final_logit_softcapping", 30.0))
    writer.add_sliding_window(number(config, "sliding_window"))


def _gemma3(config: Config) -> list[str]:
    _gemma_attention(config)
    if config.get("attn_logit_softcapping") or config.get("final_logit_softcapping"):
        raise Unsupported(source="config.json", reason="it caps its logits, which llama.cpp doesn't do for Gemma 3.")
    layers = number(config, "num_hidden_layers")
    wanted = [("sliding_attention" if (n + 1) % SLIDING_EVERY else "full_attention") for n in range(layers)]
    kinds = config.get("layer_types")
    pattern = config.get("sliding_window_pattern", SLIDING_EVERY)
    if (kinds is not None and list(kinds) != wanted) or (kinds is None and pattern != SLIDING_EVERY):
        raise Unsupported(source="config.json", reason="its layers slide in another order than llama.cpp computes.")
    if rope(config, local=True).get("rope_theta", LOCAL_BASE) != LOCAL_BASE:
        raise Unsupported(source="config.json", reason="its local layers turn positions as llama.cpp doesn't.")
    return []


def _gemma3_words(writer: gguf.GGUFWriter, config: Config) -> None:
    writer.add_sliding_window(number(config, "sliding_window"))


def _phi3(config: Config) -> list[str]:
    notes = _sliding(config)
    if original := scaling(config).original:
        notes.append(f"loaded with more than {original} tokens, llama.cpp computes short prompts too as long ones")
    return notes


def _phi3_words(writer: gguf.GGUFWriter, config: Config) -> None:
    writer.add_sliding_window(0)


def _llama(config: Config) -> list[str]:
    if config.get("mlp_bias"):
        raise Unsupported(source="config.json", reason="its feed-forward layers have biases.")
    return _sliding(config)


def _bert(config: Config) -> list[str]:
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise Unsupported(source="config.json", reason="its positions aren't absolute.")
    if config.get("hidden_act", "gelu") != "gelu":
        raise Unsupported(source="config.json", reason=f"its activation is {str(config['hidden_act'])[:30]}, not gelu.")
    return []


_BERT_DROPPED: Final = ("pooler.", "embeddings.position_ids", "cls.", "lm_head.")

FAMILIES: Final[Mapping[str, Family]] = {
    "llama": Family(gguf.MODEL_ARCH.LLAMA, heads_are_permuted=True, check=_llama),
    "mistral": Family(gguf.MODEL_ARCH.LLAMA, heads_are_permuted=True, check=_llama),
    "qwen2": Family(gguf.MODEL_ARCH.QWEN2, check=_sliding),
    "qwen3": Family(gguf.MODEL_ARCH.QWEN3, check=_sliding),
    "gemma2": Family(gguf.MODEL_ARCH.GEMMA2, norms_lack_one=True, check=_gemma2, describe=_gemma2_words),
    "gemma3_text": Family(gguf.MODEL_ARCH.GEMMA3, norms_lack_one=True, check=_gemma3, describe=_gemma3_words),
    "phi3": Family(gguf.MODEL_ARCH.PHI3, check=_phi3, describe=_phi3_words),
    "bert": Family(gguf.MODEL_ARCH.BERT, check=_bert, dropped=_BERT_DROPPED),
}
KNOWN: Final = "Llama, Mistral, Qwen2, Qwen3, Gemma 2, Gemma 3 (text), Phi-3 and BERT can be imported"
ACTIVATIONS: Final = {
    "gemma2": ("gelu_pytorch_tanh",),
    "gemma3_text": ("gelu_pytorch_tanh",),
    "bert": ("gelu",),
}


def family(config: Config) -> Family:
    """How this config's model is converted. Raises `Unsupported`."""
    kind = config.get("model_type")
    found = FAMILIES.get(kind) if isinstance(kind, str) else None
    if found is None:
        raise Unsupported(
            source="config.json", reason=f"models of the type {str(kind)[:40]} are not known here. {KNOWN}."
        )
    activation = config.get("hidden_activation") or config.get("hidden_act")
    if activation is not None and activation not in ACTIVATIONS.get(str(kind), ("silu",)):
        raise Unsupported(source="config.json", reason=f"its activation {str(activation)[:40]} is not this family's.")
    if config.get("quantization_config"):
        raise Unsupported(source="config.json", reason="its weights are quantized already. Give the original weights.")
    return found


def rope(config: Config, local: bool = False) -> Config:
    """What the config says of rotary positions, in the form of transformers 5; older files spread it over several keys."""
    whole = config.get("rope_parameters")
    if isinstance(whole, Mapping):
        kinds = {"full_attention", "sliding_attention"}
        if kinds & set(whole):
            part = whole.get("sliding_attention" if local else "full_attention")
            return part if isinstance(part, Mapping) else {}
        return {} if local else whole
    if local:
        return {"rope_theta": config.get("rope_local_base_freq", LOCAL_BASE)}
    scaled = config.get("rope_scaling")
    found = dict(scaled) if isinstance(scaled, Mapping) else {}
    return {"rope_theta": config.get("rope_theta", 10_000.0), **found}


def scaling(config: Config) -> Scaling:
    """How positions are stretched for contexts longer than those of training. Raises `Unsupported`, `BadInput`."""
    words = rope(config)
    kind = words.get("rope_type", words.get("type", "default"))
    if kind in ("default", None):
        return Scaling()
    if kind == "linear":
        return Scaling(kind=gguf.RopeScalingType.LINEAR, factor=fraction(words, "factor", 1.0))
    if kind == "llama3":
        return Scaling(factors={"rope_freqs.weight": _llama3(config, words)})
    if kind == "longrope":
        return _longrope(config, words)
    raise Unsupported(
        source="config.json", reason=f"positions stretched by the rule {str(kind)[:30]} are not known here."
    )


def _llama3(config: Config, words: Config) -> Floats:
    """Factors by which frequencies are divided (Llama 3.1's rule: short waves stay, long ones are stretched, those between partly)."""
    size = heads(config)[2]
    base, factor = fraction(words, "rope_theta", 500_000.0), fraction(words, "factor", 8.0)
    low, high = fraction(words, "low_freq_factor", 1.0), fraction(words, "high_freq_factor", 4.0)
    original = fraction(words, "original_max_position_embeddings", 8192)
    waves = 2 * math.pi * base ** (np.arange(0, size, 2, dtype=np.float64) / size)
    share = (original / waves - low) / (high - low)
    factors = np.where(
        waves < original / high,
        1.0,
        np.where(waves > original / low, factor, 1 / ((1 - share) / factor + share)),
    )
    return factors.astype(np.float32)


def _longrope(config: Config, words: Config) -> Scaling:
    size = int(heads(config)[2] * fraction(rope(config), "partial_rotary_factor", 1.0))
    original = number(
        config, "original_max_position_embeddings", int(words.get("original_max_position_embeddings", 0)) or None
    )
    tables = {}
    for name in ("long", "short"):
        values = words.get(f"{name}_factor")
        if (
            not isinstance(values, list)
            or len(values) != size // 2
            or not all(type(value) in (int, float) and 0 < value < 1e6 for value in values)
        ):
            raise BadInput(source="config.json", problem=f"{name}_factor isn't a list of {size // 2} numbers above 0.")
        tables[f"rope_factors_{name}.weight"] = np.asarray(values, dtype=np.float32)
    ratio = number(config, "max_position_embeddings") / original
    attention = 1.0 if ratio <= 1 else math.sqrt(1 + math.log(ratio) / math.log(original))
    return Scaling(factors=tables, original=original, attention=float(words.get("attention_factor") or attention))


def as_computed(name: str, values: Floats, config: Config, known: Family) -> Floats:
    """The values as llama.cpp's graph of the family wants them."""
    if known.norms_lack_one and name.endswith("norm.weight"):
        return values + np.float32(1)
    if known.heads_are_permuted and ".attn_q." in name:
        return _permuted(values, heads(config)[0])
    if known.heads_are_permuted and ".attn_k." in name:
        return _permuted(values, heads(config)[1])
    return values


def _permuted(values: Floats, count: int) -> Floats:
    """Rows of each head reordered: the two halves of a head, value for value."""
    if values.shape[0] % (2 * count):
        raise BadInput(source="config.json", problem="its heads don't divide the weights of attention.")
    parts = values.reshape(count, 2, values.shape[0] // count // 2, *values.shape[1:])
    return np.ascontiguousarray(parts.swapaxes(1, 2)).reshape(values.shape)
