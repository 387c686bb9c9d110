"""A small model that sees: the Llama of `tests.golden.families` with a SigLIP tower and Gemma 3's projector, all of random weights, and what
`transformers` computes with it.

    python -m tests.golden.seeing

writes `seeing.json` anew (needs torch and transformers): the logits after `BEFORE`, the picture and `AFTER`. The weights come from a seed.
"""

import io
import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from PIL import Image

from tests.golden import families

FILE = Path(__file__).with_suffix(".json")
WIDTH, HEADS, LAYERS, INNER, PATCH, SIDE = 32, 4, 2, 48, 14, 112
MERGED = 4
"""Patches in each direction that become one token."""
BEFORE, AFTER = (1, 40, 41, 42), (50, 51, 52, 53, 54)
MEAN, SPREAD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
TOWER = {
    "embeddings.patch_embedding.weight": ("v.patch_embd.weight", (WIDTH, 3, PATCH, PATCH)),
    "embeddings.patch_embedding.bias": ("v.patch_embd.bias", (WIDTH,)),
    "embeddings.position_embedding.weight": ("v.position_embd.weight", ((SIDE // PATCH) ** 2, WIDTH)),
    "post_layernorm.weight": ("v.post_ln.weight", (WIDTH,)),
    "post_layernorm.bias": ("v.post_ln.bias", (WIDTH,)),
}
BLOCK = {
    "self_attn.q_proj": ("attn_q", (WIDTH, WIDTH)),
    "self_attn.k_proj": ("attn_k", (WIDTH, WIDTH)),
    "self_attn.v_proj": ("attn_v", (WIDTH, WIDTH)),
    "self_attn.out_proj": ("attn_out", (WIDTH, WIDTH)),
    "layer_norm1": ("ln1", (WIDTH,)),
    "layer_norm2": ("ln2", (WIDTH,)),
    "mlp.fc1": ("ffn_up", (INNER, WIDTH)),
    "mlp.fc2": ("ffn_down", (WIDTH, INNER)),
}


def names() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Transformers' name of each tensor, with llama.cpp's and the shape."""
    found = dict(TOWER)
    for n in range(LAYERS):
        for theirs, (ours, shape) in BLOCK.items():
            at, to = f"encoder.layers.{n}.{theirs}", f"v.blk.{n}.{ours}"
            found[f"{at}.weight"] = (f"{to}.weight", shape)
            found[f"{at}.bias"] = (f"{to}.bias", shape[:1])
    found["mm_input_projection_weight"] = ("mm.input_projection.weight", (WIDTH, WIDTH))
    found["mm_soft_emb_norm.weight"] = ("mm.soft_emb_norm.weight", (WIDTH,))
    return found


def weights() -> dict[str, np.ndarray[Any, Any]]:
    """By transformers' names."""
    rng = np.random.default_rng(11)
    made = {}
    for name, (_, shape) in names().items():
        values = rng.standard_normal(shape, dtype=np.float32) * np.float32(0.2 if len(shape) > 1 else 0.1)
        made[name] = values + np.float32("norm" in name and name.endswith("weight"))
    return made


def picture(seed: int = 3) -> bytes:
    """A PNG of the tower's own size, so that nothing is scaled."""
    pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def write_base(folder: Path) -> Path:
    """The folder of the language model, to be converted."""
    return families.write(folder, "llama", families.golden()["llama"])


def write_projector(path: Path) -> Path:
    """The mmproj file."""
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_name("random eyes")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("gemma3")
    writer.add_vision_projector_scale_factor(MERGED)
    writer.add_vision_use_gelu(True)
    writer.add_vision_projection_dim(WIDTH)
    writer.add_vision_image_size(SIDE)
    writer.add_vision_patch_size(PATCH)
    writer.add_vision_embedding_length(WIDTH)
    writer.add_vision_feed_forward_length(INNER)
    writer.add_vision_block_count(LAYERS)
    writer.add_vision_head_count(HEADS)
    writer.add_vision_attention_layernorm_eps(1e-6)
    writer.add_vision_image_mean(MEAN)
    writer.add_vision_image_std(SPREAD)
    values = weights()
    for theirs, (ours, _) in names().items():
        writer.add_tensor(ours, values[theirs])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def golden() -> list[float]:
    """Logits, of the first `families.SHOWN` tokens."""
    found: list[float] = json.loads(FILE.read_text("utf-8"))
    return found


def compute() -> list[float]:
    """What `golden` gives, from `transformers`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, SiglipVisionConfig, SiglipVisionModel

    kept = families.golden()["llama"]
    config = AutoConfig.for_model("llama", **{k: v for k, v in kept["config"].items() if k != "model_type"})
    base = AutoModelForCausalLM.from_config(config, attn_implementation="eager").to(torch.float32).eval()
    base.load_state_dict({k: torch.from_numpy(v) for k, v in families.weights("llama", kept["tensors"]).items()})
    seeing = SiglipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        image_size=SIDE,
        patch_size=PATCH,
        vision_use_head=False,
    )
    tower = SiglipVisionModel(seeing).eval()
    values = {name: torch.from_numpy(value) for name, value in weights().items()}
    strip = "vision_model." if next(iter(tower.state_dict())).startswith("vision_model.") else ""
    loaded = tower.load_state_dict({strip + k: v for k, v in values.items() if not k.startswith("mm_")}, strict=False)
    assert not loaded.unexpected_keys
    assert not [key for key in loaded.missing_keys if "head" not in key and "position_ids" not in key], loaded
    pixels = np.asarray(Image.open(io.BytesIO(picture())), dtype=np.float32) / 255
    pixels = ((pixels - MEAN) / SPREAD).transpose(2, 0, 1)[None].astype(np.float32)
    with torch.no_grad():
        seen = tower(torch.from_numpy(pixels)).last_hidden_state
        across = SIDE // PATCH
        seen = seen.transpose(1, 2).reshape(1, WIDTH, across, across)
        seen = torch.nn.functional.avg_pool2d(seen, MERGED).flatten(2).transpose(1, 2)
        seen = seen * torch.rsqrt(seen.pow(2).mean(-1, keepdim=True) + 1e-6) * values["mm_soft_emb_norm.weight"]
        seen = seen @ values["mm_input_projection_weight"]
        words = base.get_input_embeddings()
        first, last = words(torch.tensor([BEFORE])), words(torch.tensor([AFTER]))
        whole = torch.cat([first, seen, last], dim=1)
        mask = torch.full((whole.shape[1],) * 2, float("-inf")).triu(1)
        start, end = len(BEFORE), len(BEFORE) + seen.shape[1]
        mask[start:end, start:end] = 0  # a picture's tokens see each other
        logits = base(inputs_embeds=whole, attention_mask=mask[None, None]).logits[0, -1, : families.SHOWN]
    return [round(float(value), 6) for value in logits]


if __name__ == "__main__":
    FILE.write_text(json.dumps(compute()) + "\n", "utf-8")
