"""A model's measures, as the header of a GGUF file says them."""

from typing import Final

import gguf

from core.models.worker.converting.families import Config, Family, context, fraction, heads, number, rope, scaling
from core.models.worker.converting.weights import Floats

POOLING: Final = {
    "pooling_mode_cls_token": gguf.PoolingType.CLS,
    "pooling_mode_mean_tokens": gguf.PoolingType.MEAN,
}


def describe(writer: gguf.GGUFWriter, config: Config, family: Family, vocabulary: int) -> dict[str, Floats]:
    """Write what llama.cpp must know of the network; returns the tensors that follow from it. Raises `BadInput`, `Unsupported`."""
    writer.add_context_length(context(config))
    writer.add_embedding_length(number(config, "hidden_size"))
    writer.add_block_count(number(config, "num_hidden_layers"))
    writer.add_feed_forward_length(number(config, "intermediate_size"))
    writer.add_vocab_size(vocabulary)
    count, groups, size = heads(config)
    writer.add_head_count(count)
    if family.architecture is gguf.MODEL_ARCH.BERT:
        writer.add_layer_norm_eps(fraction(config, "layer_norm_eps", 1e-12))
        writer.add_causal_attention(False)
        return {}
    writer.add_head_count_kv(groups)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_layer_norm_rms_eps(fraction(config, "rms_norm_eps", 1e-6))
    words, stretched = rope(config), scaling(config)
    writer.add_rope_freq_base(fraction(words, "rope_theta", 10_000.0))
    share = fraction(words, "partial_rotary_factor", fraction(config, "partial_rotary_factor", 1.0))
    writer.add_rope_dimension_count(int(size * share))
    if stretched.kind is not None:
        writer.add_rope_scaling_type(stretched.kind)
        writer.add_rope_scaling_factor(stretched.factor)
    if stretched.original:
        writer.add_rope_scaling_orig_ctx_len(stretched.original)
        writer.add_rope_scaling_attn_factors(stretched.attention)
    family.describe(writer, config)
    return stretched.factors
