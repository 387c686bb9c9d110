"""Small models of every family that can be imported, with random weights: their folders, and what `transformers` computes with them.

    python -m tests.golden.families

writes `families.json` anew (needs torch and transformers): of each family the config, the tensors' names and shapes, and logits of the last two of
`IDS`. The weights are not kept: they come from a seed. `write` makes a folder from that, without torch.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from safetensors.numpy import save_file
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from core.models.worker.converting.tokenizers import texts

FILE = Path(__file__).with_name("families.json")
IDS = tuple((7 * n * n + 11 * n + 5) % 700 for n in range(40))
SHOWN = 200
"""Logits that are kept of each of the last two tokens."""
TEMPLATE = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
"""How Llama 3 splits a text."""
SIZES = {"bytes": 720, "pieces": 900, "words": 800}

_SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
_LONG = {
    "rope_type": "longrope",
    "rope_theta": 10_000.0,
    "short_factor": [1.0, 1.1, 1.2, 1.3],
    "long_factor": [2.0, 2.1, 2.2, 2.3],
    "original_max_position_embeddings": 512,
}
_PHI = {
    "pad_token_id": 0,
    "max_position_embeddings": 2048,
    "original_max_position_embeddings": 512,
    "rope_parameters": _LONG,
}
_GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8, "hidden_activation": "gelu_pytorch_tanh"}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("bytes", {**_SHAPE, "rope_parameters": _LLAMA3}),
    "mistral": ("pieces", {**_SHAPE, "sliding_window": 256}),
    "qwen2": ("bytes", {**_SHAPE, "tie_word_embeddings": True}),
    "qwen3": ("bytes", {**_SHAPE, "head_dim": 16}),
    "gemma2": ("plain pieces", {**_SHAPE, **_GEMMA}),
    "gemma3_text": ("plain pieces", {**_SHAPE, **_GEMMA, "num_hidden_layers": 7}),
    "phi3": ("pieces", {**_SHAPE, **_PHI}),
    "bert": ("words", {**_SHAPE, "max_position_embeddings": 128, "num_key_value_heads": 4}),
}


def golden() -> dict[str, Any]:
    """What is kept, by family: `config`, `tensors` ([name, shape]), `values` (2, SHOWN), for bert the mean of the last layer's vectors."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def write(folder: Path, family: str, kept: dict[str, Any]) -> Path:
    """The family's folder as a Hugging Face hub holds it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(kept["config"]), "utf-8")
    save_file(weights(family, kept["tensors"]), folder / "model.safetensors")
    kind = FAMILIES[family][0]
    MAKERS[kind]().save(str(folder / "tokenizer.json"))
    special = {"words": {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]"}}
    words = special.get(kind, {"bos_token": "<s>", "eos_token": "</s>", "chat_template": TEMPLATE})
    (folder / "tokenizer_config.json").write_text(json.dumps(words), "utf-8")
    return folder


def weights(family: str, tensors: list[tuple[str, list[int]]]) -> dict[str, np.ndarray]:
    """Random values, the same ones each time."""
    rng = np.random.default_rng(sum(family.encode()))
    made = {}
    for name, shape in tensors:
        values = rng.standard_normal(shape, dtype=np.float32)
        if len(shape) > 1:
            made[name] = values * np.float32(0.15)
        elif name.endswith("weight") and not family.startswith("gemma"):
            made[name] = 1 + values * np.float32(0.1)
        else:
            made[name] = values * np.float32(0.1)
    return made


def _bytes() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    _train(
        made, trainers.BpeTrainer(vocab_size=SIZES["bytes"], special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    )
    return _begun(made)


def _pieces(space_first: bool = True) -> tokenizers.Tokenizer:
    """BPE as SentencePiece has it: whatever two pieces make a piece may be merged, the earlier piece first."""
    made = tokenizers.Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    first = [normalizers.Prepend("▁")] if space_first else []
    made.normalizer = normalizers.Sequence([*first, normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>", "<|endoftext|>"]
    several = [f"<0x{byte:02X}>" for byte in range(256)]
    _train(
        made,
        trainers.BpeTrainer(
            vocab_size=SIZES["pieces"], special_tokens=special + several, max_token_length=12, limit_alphabet=200
        ),
    )
    content = json.loads(made.to_str())
    vocabulary = content["model"]["vocab"]
    content["model"]["merges"] = [
        [piece[:at], piece[at:]]
        for piece in sorted(vocabulary, key=vocabulary.__getitem__)
        if piece not in {*special, *several}
        for at in range(1, len(piece))
        if piece[:at] in vocabulary and piece[at:] in vocabulary
    ]
    content["added_tokens"] = [added for added in content["added_tokens"] if added["content"] in special]
    return _begun(tokenizers.Tokenizer.from_str(json.dumps(content)))


def _words() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    _train(made, trainers.WordPieceTrainer(vocab_size=SIZES["words"], special_tokens=special, limit_alphabet=300))
    ends = [("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return made


def _train(made: tokenizers.Tokenizer, trainer: Any) -> None:
    made.train_from_iterator([*texts()] * 3, trainer)


def _begun(made: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", made.token_to_id("<s>"))]
    )
    return made


MAKERS: dict[str, Callable[[], tokenizers.Tokenizer]] = {
    "bytes": _bytes,
    "pieces": _pieces,
    "plain pieces": lambda: _pieces(space_first=False),
    "words": _words,
}


def compute() -> dict[str, Any]:
    """What `golden` gives, from `transformers`."""
    import torch
    import transformers

    found = {}
    for family, (kind, words) in FAMILIES.items():
        size = SIZES[kind.split()[-1]]
        config = transformers.AutoConfig.for_model(family, vocab_size=size, eos_token_id=2, **words)
        made = transformers.AutoModel if family == "bert" else transformers.AutoModelForCausalLM
        model = made.from_config(config, attn_implementation="eager").to(torch.float32).eval()
        tied = getattr(config, "tie_word_embeddings", False)
        tensors = [
            (name, list(value.shape))
            for name, value in model.state_dict().items()
            if not (tied and name == "lm_head.weight") and "position_ids" not in name
        ]
        values = {name: torch.from_numpy(value) for name, value in weights(family, tensors).items()}
        model.load_state_dict(values, strict=False)
        model.tie_weights()
        with torch.no_grad():
            out = model(torch.tensor([IDS]))
        rows = out.last_hidden_state[0].mean(0, keepdim=True) if family == "bert" else out.logits[0, -2:, :SHOWN]
        found[family] = {
            "config": {**config.to_diff_dict(), "model_type": family, "tie_word_embeddings": bool(tied)}
            | {key: getattr(config, key) for key in ("vocab_size", *words)},
            "tensors": tensors,
            "values": [[round(float(value), 6) for value in row] for row in rows],
        }
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(compute(), indent=None, default=str) + "\n", "utf-8")
