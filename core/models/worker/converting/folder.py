"""Converts a Hugging Face folder into one GGUF file: network, tokenizer, chat template.

Tensors are read, changed and written one at a time. Matrices get the type that was asked for; vectors and a few small tables that are
added to each token stay float32. What the folder holds and this program doesn't know is refused, never left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import gguf
import numpy as np

from core.errors import BadInput, Unsupported
from core.models.making_records import Converted, ConvertFolder
from core.models.worker.converting import tokenizers, weights
from core.models.worker.converting.description import POOLING, describe
from core.models.worker.converting.families import Family, as_computed, family, number
from core.models.worker.converting.weights import Floats, Tensor
from core.records import Record
from core.workers.serving import Call, Handler

TYPES: Final[Mapping[str, tuple[gguf.GGMLQuantizationType, gguf.LlamaFileType]]] = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
LARGEST_HALF: Final = 65_504.0
BLOCK: Final = 32
"""Values of one q8_0 block; a row must be made of whole ones."""
IN_FULL: Final = (
    "position_embd.weight",
    "token_types.weight",
    "rope_freqs.weight",
    "rope_factors_long.weight",
    "rope_factors_short.weight",
)


class Planned(NamedTuple):
    """A tensor of the GGUF: its name there, the type it gets, and where its values come from (a file, or already computed)."""

    name: str
    kind: gguf.GGMLQuantizationType
    source: Tensor | Floats

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape


def convert(request: ConvertFolder, call: Call) -> Converted:
    """Write the file. Raises `BadInput`, `Damaged`, `Unsupported`, `Cancelled`; what was written so far is the caller's to remove."""
    folder, out = Path(request.folder), Path(request.out)
    config = _config(folder)
    known = family(config)
    notes = known.check(config)
    kind, file_type = TYPES[request.quantization]
    found = {name: tensor for name, tensor in weights.tensors(folder).items() if not _dropped(name, known)}
    rows = _rows(found)
    tokenizer, same = tokenizers.load(folder, rows)
    if same < (asked := len(tokenizers.texts())):
        notes.append(f"{asked - same} of {asked} texts, in scripts with vowel signs, give other tokens in llama.cpp")
    writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[known.architecture])
    _identify(writer, folder, config, request.name)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    more = describe(writer, config, known, rows)
    if known.architecture is gguf.MODEL_ARCH.BERT:
        notes.extend(_pooling(writer, folder))
        writer.add_token_type_count(number(config, "type_vocab_size", 2))
    tokenizer.write(writer)
    if known.architecture is not gguf.MODEL_ARCH.BERT and tokenizer.special.chat_template is None:
        notes.append("it has no chat template: it can go on with a text, and not answer messages")
    plan = [
        *_plan(found, config, known, kind),
        *(Planned(name, TYPES["f32"][0], values) for name, values in more.items()),
    ]
    _write(writer, plan, config, known, call)
    return Converted(
        architecture=gguf.MODEL_ARCH_NAMES[known.architecture],
        tensors=len(plan),
        texts=same,
        notes=tuple(notes),
    )


def _config(folder: Path) -> dict[str, Any]:
    if not (folder / "config.json").is_file():
        raise BadInput(source=folder.name, problem="it has no config.json. Give the folder of a Hugging Face model.")
    return weights.read_json(folder / "config.json")


def _dropped(name: str, known: Family) -> bool:
    bare = _bare(name)
    return bare.endswith(("rotary_emb.inv_freq", "attn.masked_bias")) or bare.startswith(known.dropped or ("\0",))


def _bare(name: str) -> str:
    return name.removeprefix("bert.")


def _rows(found: Mapping[str, Tensor]) -> int:
    """How many tokens the embeddings have."""
    for name, tensor in found.items():
        if name.endswith(("embed_tokens.weight", "word_embeddings.weight")) and len(tensor.shape) == 2:
            return tensor.shape[0]
    raise BadInput(source="The weights", problem="they hold no embeddings of tokens. Copy the whole folder.")


def _identify(writer: gguf.GGUFWriter, folder: Path, config: Mapping[str, Any], name: str) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    card = folder / "README.md"
    facts = _front_matter(card) if card.is_file() else {}
    if licence := facts.get("license"):
        writer.add_license(licence)
    if base := facts.get("base_model"):
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, base)
    writer.add_description("Converted from a folder of safetensors")


def _front_matter(card: Path) -> dict[str, str]:
    """Licence and base model from the card's beginning, where they are plain words."""
    import yaml

    text = card.read_text("utf-8", "replace")[:65_536]
    if not text.startswith("---") or (end := text.find("\n---", 3)) < 0:
        return {}
    try:
        content = yaml.safe_load(text[3:end])
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: value[:200] for key in ("license", "base_model") if isinstance(value := content.get(key), str)}


def _pooling(writer: gguf.GGUFWriter, folder: Path) -> list[str]:
    path = folder / "1_Pooling" / "config.json"
    if not path.is_file():
        writer.add_pooling_type(gguf.PoolingType.MEAN)
        return ["it doesn't say how a text's vector is made of its tokens' (1_Pooling); the mean is taken"]
    asked = [key for key, value in weights.read_json(path).items() if key.startswith("pooling_mode_") and value is True]
    if len(asked) != 1 or asked[0] not in POOLING:
        raise Unsupported(
            source="1_Pooling/config.json", reason="a text's vector is made in a way that isn't known here."
        )
    writer.add_pooling_type(POOLING[asked[0]])
    return []


def _plan(
    found: Mapping[str, Tensor], config: Mapping[str, Any], known: Family, kind: gguf.GGMLQuantizationType
) -> Iterator[Planned]:
    names = gguf.get_tensor_name_map(known.architecture, number(config, "num_hidden_layers"))
    tied = config.get("tie_word_embeddings", known.norms_lack_one)
    seen = set()
    for name, tensor in sorted(found.items(), key=lambda item: (item[1].path, item[1].start)):
        if name == "lm_head.weight" and tied:
            continue
        target = names.get_name(_bare(name), try_suffixes=(".weight", ".bias"))
        if target is None or target in seen:
            raise Unsupported(source=tensor.path.name, reason=f"nothing is known of its tensor {name[:80]}.")
        seen.add(target)
        full = len(tensor.shape) == 1 or target in IN_FULL
        chosen = TYPES["f32"][0] if full else kind
        if chosen is TYPES["q8_0"][0] and tensor.shape[-1] % BLOCK:
            chosen = TYPES["f16"][0]
        yield Planned(target, chosen, tensor)
    missing = _missing(seen, number(config, "num_hidden_layers"), known)
    if missing:
        raise BadInput(source="The weights", problem=f"{missing} is missing. Copy the whole folder.")


def _missing(seen: Iterable[str], layers: int, known: Family) -> str:
    """A tensor that the model can't do without, and that isn't there."""
    have = set(seen)
    parts = ("attn_output.weight", "ffn_down.weight")
    wanted = ["token_embd.weight", *(f"blk.{n}.{part}" for n in range(layers) for part in parts)]
    return next((name for name in wanted if name not in have), "")


def _write(writer: gguf.GGUFWriter, plan: list[Planned], config: Mapping[str, Any], known: Family, call: Call) -> None:
    try:
        for item in plan:
            writer.add_tensor_info(item.name, item.shape, np.dtype(np.float32), _size(item), raw_dtype=item.kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        total, done = sum(_size(item) for item in plan), 0
        for item in plan:
            call.report(done, total, "bytes")
            values = item.source if isinstance(item.source, np.ndarray) else weights.read(item.source)
            writer.write_tensor_data(_stored(item, as_computed(item.name, values, config, known)))
            done += _size(item)
        call.report(total, total, "bytes")
    finally:
        writer.close()


def _size(item: Planned) -> int:
    block, size = gguf.GGML_QUANT_SIZES[item.kind]
    return math.prod(item.shape) // int(block) * int(size)


def _stored(item: Planned, values: Floats) -> Any:
    if item.kind is TYPES["f16"][0] and np.abs(values).max(initial=0.0) > LARGEST_HALF:
        raise BadInput(source=item.name, problem="it holds values too large for f16. Choose bf16 or f32.")
    return gguf.quants.quantize(np.ascontiguousarray(values), item.kind)


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {ConvertFolder: convert}
