"""Models of real shapes with random weights, for timing: what they say means nothing.

A character of ASCII text is one token, so that a prompt has as many tokens as it has characters. Files are made once, below `build/`.
"""

import ctypes
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np

from core.models.worker.library import open_library
from tests.benchmarks.figures import REPOSITORY

FOLDER = REPOSITORY / "build" / "shapes"
VOCABULARY = 32_000
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


class Shape(NamedTuple):
    """A Llama's measures."""

    name: str
    layers: int
    width: int
    heads: int
    groups: int
    """Key and value heads."""
    hidden: int


SMALL = Shape("150m", 20, 768, 12, 4, 2048)
HALF = Shape("0.5b", 24, 1024, 16, 4, 5632)
ONE = Shape("1b", 16, 2048, 32, 8, 5632)
LLAMA = open_library()
TYPES = {"Q8_0": LLAMA.LLAMA_FTYPE_MOSTLY_Q8_0, "Q4_K_M": LLAMA.LLAMA_FTYPE_MOSTLY_Q4_K_M}


def model(shape: Shape, quantization: str = "Q8_0") -> Path:
    """The file of a shape, made if it isn't there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{shape.name}-{quantization.lower()}.gguf"
    if not path.exists():
        source = plain(shape)
        settings = LLAMA.llama_model_quantize_default_params()
        settings.ftype = TYPES[quantization]
        part = path.with_suffix(".part")
        if LLAMA.llama_model_quantize(bytes(source), bytes(part), ctypes.byref(settings)) != 0:
            raise RuntimeError(f"llama.cpp could not quantize {source}")
        part.replace(path)
    return path


def plain(shape: Shape) -> Path:
    """The file of a shape before it is quantized, made if it isn't there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{shape.name}.f16.gguf"
    if not path.exists():
        _write(shape, path)
    return path


def _write(shape: Shape, path: Path) -> None:
    rng = np.random.default_rng(0)
    part = path.with_suffix(".part")
    w = gguf.GGUFWriter(part, "llama")
    w.add_type("model")
    w.add_name(f"random {shape.name}")
    w.add_context_length(4096)
    w.add_embedding_length(shape.width)
    w.add_block_count(shape.layers)
    w.add_feed_forward_length(shape.hidden)
    w.add_head_count(shape.heads)
    w.add_head_count_kv(shape.groups)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(10_000.0)
    w.add_rope_dimension_count(shape.width // shape.heads)
    w.add_vocab_size(VOCABULARY)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _tokenizer(w)

    def add(name: str, *size: int) -> None:
        w.add_tensor(name, (rng.standard_normal(size, dtype=np.float32) * size[-1] ** -0.5).astype(np.float16))

    def norm(name: str) -> None:
        w.add_tensor(name, np.ones(shape.width, dtype=np.float32))

    part_width = shape.width // shape.heads * shape.groups
    add("token_embd.weight", VOCABULARY, shape.width)
    norm("output_norm.weight")
    for layer in range(shape.layers):
        at = f"blk.{layer}."
        norm(at + "attn_norm.weight")
        norm(at + "ffn_norm.weight")
        add(at + "attn_q.weight", shape.width, shape.width)
        add(at + "attn_k.weight", part_width, shape.width)
        add(at + "attn_v.weight", part_width, shape.width)
        add(at + "attn_output.weight", shape.width, shape.width)
        add(at + "ffn_gate.weight", shape.hidden, shape.width)
        add(at + "ffn_up.weight", shape.hidden, shape.width)
        add(at + "ffn_down.weight", shape.width, shape.hidden)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    part.replace(path)


def _tokenizer(w: gguf.GGUFWriter) -> None:
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = {byte: chr(byte) for byte in shown}
    signs |= {byte: chr(256 + n) for n, byte in enumerate(byte for byte in range(256) if byte not in shown)}
    tokens = [signs[byte] for byte in range(256)] + [f"w{n}" for n in range(VOCABULARY - 257)] + ["<end>"]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.NORMAL] * (VOCABULARY - 1) + [gguf.TokenType.CONTROL])
    w.add_token_merges(["w 0"])
    w.add_eos_token_id(VOCABULARY - 1)
    w.add_add_bos_token(False)
    w.add_chat_template(TEMPLATE)
