"""A small cross-encoder with random weights: as arrays under the names that transformers gives them, and as a GGUF file."""

from pathlib import Path
from typing import Final

import gguf
import numpy as np

WIDTH, HEADS, WIDE, BLOCKS, LONGEST = 64, 4, 128, 2, 64
EPSILON: Final = 1e-12
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789?"
WORDS: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS))
OUTSIDE: Final = {
    "token_embd.weight": "bert.embeddings.word_embeddings.weight",
    "position_embd.weight": "bert.embeddings.position_embeddings.weight",
    "token_types.weight": "bert.embeddings.token_type_embeddings.weight",
    "token_embd_norm.weight": "bert.embeddings.LayerNorm.weight",
    "token_embd_norm.bias": "bert.embeddings.LayerNorm.bias",
    "cls.weight": "bert.pooler.dense.weight",
    "cls.bias": "bert.pooler.dense.bias",
    "cls.output.weight": "classifier.weight",
    "cls.output.bias": "classifier.bias",
}
INSIDE: Final = {
    "attn_q": ("attention.self.query", (WIDTH, WIDTH)),
    "attn_k": ("attention.self.key", (WIDTH, WIDTH)),
    "attn_v": ("attention.self.value", (WIDTH, WIDTH)),
    "attn_output": ("attention.output.dense", (WIDTH, WIDTH)),
    "attn_output_norm": ("attention.output.LayerNorm", (WIDTH,)),
    "ffn_up": ("intermediate.dense", (WIDE, WIDTH)),
    "ffn_down": ("output.dense", (WIDTH, WIDE)),
    "layer_output_norm": ("output.LayerNorm", (WIDTH,)),
}
SHAPES: Final = {
    "token_embd.weight": (len(WORDS), WIDTH),
    "position_embd.weight": (LONGEST, WIDTH),
    "token_types.weight": (2, WIDTH),
    "cls.weight": (WIDTH, WIDTH),
    "cls.output.weight": (1, WIDTH),
    "cls.output.bias": (1,),
}


def names() -> dict[str, str]:
    """GGUF's name of each tensor, and that of transformers."""
    inside = {
        f"blk.{block}.{name}.{part}": f"bert.encoder.layer.{block}.{theirs}.{part}"
        for block in range(BLOCKS)
        for name, (theirs, _) in INSIDE.items()
        for part in ("weight", "bias")
    }
    return OUTSIDE | inside


def weights(told_apart: bool) -> dict[str, np.ndarray]:
    """By GGUF's names. Without `told_apart` both texts' tokens are marked alike, and the pooler has no bias."""
    rng = np.random.default_rng(5)
    found = {}
    for name in names():
        *_, tensor, part = name.split(".")
        shape = SHAPES.get(name) or (INSIDE[tensor][1] if tensor in INSIDE else (WIDTH,))
        size = shape[:1] if part == "bias" else shape
        found[name] = (rng.standard_normal(size) * 0.3 + (1 if "norm.weight" in name else 0)).astype(np.float32)
    if not told_apart:
        found["token_types.weight"][1] = found["token_types.weight"][0]
        found["cls.bias"][:] = 0
    return found


def written(path: Path, found: dict[str, np.ndarray], pooling: int = 4) -> Path:
    """The file; a pooler's bias of nothing is left out, as converters do."""
    w = gguf.GGUFWriter(path, "bert")
    w.add_type("model")
    w.add_context_length(LONGEST)
    w.add_embedding_length(WIDTH)
    w.add_block_count(BLOCKS)
    w.add_feed_forward_length(WIDE)
    w.add_head_count(HEADS)
    w.add_layer_norm_eps(EPSILON)
    w.add_causal_attention(False)
    w.add_pooling_type(gguf.PoolingType(pooling))
    w.add_tokenizer_model("bert")
    w.add_tokenizer_pre("default")
    w.add_token_type_count(2)
    w.add_token_list([_written(word) for word in WORDS])
    w.add_token_types([3 if word.startswith("[") else 1 for word in WORDS])
    w.add_bos_token_id(2)
    w.add_sep_token_id(3)
    w.add_unk_token_id(1)
    w.add_pad_token_id(0)
    for name, values in found.items():
        if name != "cls.bias" or values.any():
            w.add_tensor(name, values)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path


def _written(word: str) -> str:
    if word.startswith("##"):
        return word[2:]
    return word if word.startswith("[") else f"\u2581{word}"
