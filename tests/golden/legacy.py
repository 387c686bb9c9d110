"""A small GPT-2 with random weights as the old GGML file that ctransformers loads, and what `transformers` computes with it.

    python -m tests.golden.legacy

writes `legacy.json` anew (needs torch and transformers). The weights come from a seed.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_suffix(".json")
WIDTH, HEADS, LAYERS, CONTEXT = 32, 4, 2, 64
VOCABULARY = 300
IDS = tuple((7 * n * n + 11 * n + 5) % 90 + 33 for n in range(24))
IN_BLOCK = {
    "ln_1/g": ("ln_1.weight", (WIDTH,)),
    "ln_1/b": ("ln_1.bias", (WIDTH,)),
    "ln_2/g": ("ln_2.weight", (WIDTH,)),
    "ln_2/b": ("ln_2.bias", (WIDTH,)),
    "attn/c_attn/w": ("attn.c_attn.weight", (WIDTH, 3 * WIDTH)),
    "attn/c_attn/b": ("attn.c_attn.bias", (3 * WIDTH,)),
    "attn/c_proj/w": ("attn.c_proj.weight", (WIDTH, WIDTH)),
    "attn/c_proj/b": ("attn.c_proj.bias", (WIDTH,)),
    "mlp/c_fc/w": ("mlp.c_fc.weight", (WIDTH, 4 * WIDTH)),
    "mlp/c_fc/b": ("mlp.c_fc.bias", (4 * WIDTH,)),
    "mlp/c_proj/w": ("mlp.c_proj.weight", (4 * WIDTH, WIDTH)),
    "mlp/c_proj/b": ("mlp.c_proj.bias", (WIDTH,)),
}
OUTSIDE = {
    "model/ln_f/g": ("ln_f.weight", (WIDTH,)),
    "model/ln_f/b": ("ln_f.bias", (WIDTH,)),
    "model/wte": ("wte.weight", (VOCABULARY, WIDTH)),
    "model/wpe": ("wpe.weight", (CONTEXT, WIDTH)),
}


def names() -> dict[str, tuple[str, tuple[int, ...]]]:
    """The file's name of each tensor, with transformers' name and shape."""
    blocks = {
        f"model/h{n}/{ours}": (f"h.{n}.{theirs}", shape)
        for n in range(LAYERS)
        for ours, (theirs, shape) in IN_BLOCK.items()
    }
    return OUTSIDE | blocks


def weights() -> dict[str, np.ndarray[Any, Any]]:
    """By transformers' names."""
    rng = np.random.default_rng(5)
    made = {}
    for theirs, shape in names().values():
        values = rng.standard_normal(shape, dtype=np.float32)
        made[theirs] = (
            values * np.float32(0.2)
            if len(shape) > 1
            else values * np.float32(0.1) + ("ln" in theirs and theirs.endswith("weight"))
        )
    return made


def write(path: Path) -> Path:
    """The GGML file, in float32."""
    tokens = [bytes([n]) for n in range(256)] + [f"word{n}".encode() for n in range(256, VOCABULARY)]
    parts = [b"lmgg", struct.pack("<7i", VOCABULARY, CONTEXT, WIDTH, HEADS, LAYERS, 0, VOCABULARY)]
    parts += [struct.pack("<i", len(token)) + token for token in tokens]
    values = weights()
    for ours, (theirs, _) in names().items():
        array = values[theirs]
        if array.ndim == 2 and "/h" in ours:
            array = array.T
        shape = array.shape[::-1]
        parts.append(struct.pack("<3i", len(shape), len(ours), 0) + struct.pack(f"<{len(shape)}i", *shape))
        parts += [ours.encode(), np.ascontiguousarray(array, dtype="<f4").tobytes()]
    path.write_bytes(b"".join(parts))
    return path


def golden() -> list[list[float]]:
    """Logits after each of the last two of `IDS`: (2, VOCABULARY)."""
    found: list[list[float]] = json.loads(FILE.read_text("utf-8"))
    return found


def compute() -> list[list[float]]:
    """What `golden` gives, from `transformers`."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=CONTEXT,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).eval()
    state = {f"transformer.{name}": torch.from_numpy(value) for name, value in weights().items()}
    assert not model.load_state_dict(state, strict=False).unexpected_keys
    model.tie_weights()
    with torch.no_grad():
        rows = model(torch.tensor([IDS])).logits[0, -2:]
    return [[round(float(value), 5) for value in row] for row in rows]


if __name__ == "__main__":
    FILE.write_text(json.dumps(compute()) + "\n", "utf-8")
