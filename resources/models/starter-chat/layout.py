"""How the weights lie in a GGUF: names, the order of query and key rows, and the way back out of a file.

Llama's query and key rows stand in "rotate half" order in PyTorch and interleaved in llama.cpp. The embeddings are tied,
so there is no output matrix.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

BLOCK = {  # our name -> the GGUF's
    "n1": "attn_norm",
    "n2": "ffn_norm",
    "q.weight": "attn_q",
    "k.weight": "attn_k",
    "v.weight": "attn_v",
    "o.weight": "attn_output",
    "gate.weight": "ffn_gate",
    "up.weight": "ffn_up",
    "down.weight": "ffn_down",
}
CONFIG = {
    "vocab": "vocab_size",
    "width": "embedding_length",
    "layers": "block_count",
    "heads": "attention.head_count",
    "hidden": "feed_forward_length",
    "context": "context_length",
    "theta": "rope.freq_base",
    "epsilon": "attention.layer_norm_rms_epsilon",
}
TURNED = {"q.weight", "k.weight"}


def names(layers: int) -> dict[str, str]:
    """Every weight's name: ours -> the GGUF's."""
    out = {"emb.weight": "token_embd.weight", "norm": "output_norm.weight"}
    for i in range(layers):
        out |= {f"blocks.{i}.{ours}": f"blk.{i}.{theirs}.weight" for ours, theirs in BLOCK.items()}
    return out


def is_turned(name: str) -> bool:
    return name.split(".", 2)[-1] in TURNED


def interleaved(w: np.ndarray, heads: int) -> np.ndarray:
    """[width, width] in "rotate half" order -> llama.cpp's."""
    return np.ascontiguousarray(w.reshape(heads, 2, w.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(w.shape))


def halved(w: np.ndarray, heads: int) -> np.ndarray:
    """[width, width] in llama.cpp's order -> "rotate half"."""
    return np.ascontiguousarray(w.reshape(heads, w.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(w.shape))


def read(path: Path) -> tuple[dict[str, float], dict[str, np.ndarray], int]:
    """-> configuration, weights (as near as the quantization left them), training tokens, of a file that convert.py wrote."""
    reader = gguf.GGUFReader(path)
    config = {ours: reader.get_field(f"llama.{theirs}").contents() for ours, theirs in CONFIG.items()}
    tensors = {t.name: gguf.dequantize(t.data, t.tensor_type).astype(np.float32) for t in reader.tensors}
    weights = {ours: tensors[theirs] for ours, theirs in names(config["layers"]).items()}
    weights = {k: halved(w, config["heads"]) if is_turned(k) else w for k, w in weights.items()}
    return config, weights, int(reader.get_field("general.version").contents().split()[0])
