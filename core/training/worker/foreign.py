"""Adapters that were made elsewhere by PEFT, and adapters merged into their base: both without torch, in a worker.

Rules for what comes in: safetensors and never a pickle; LoRA's two matrices for each changed matrix and nothing else (no DoRA, no biases, no
further weights, no rank of its own for some); every matrix fits the base's in both directions, else it was made for another base; every number
is finite. Where a rule doesn't hold, the adapter is refused with the reason.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np

from core.errors import BadInput, Damaged, Unsupported
from core.models.worker.converting import weights
from core.models.worker.converting.families import FAMILIES, Family
from core.records import Record
from core.training.worker import adapters, whole
from core.training.worker.records import Piece, TakeCheckpoint, Taken
from core.workers.serving import Call, Handler

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PIECE: Final = 4 * 1024 * 1024
KINDS: Final = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
BLOCK: Final = 32
ALPHA: Final = "adapter.lora.alpha"
FIRST, SECOND = ".lora_a", ".lora_b"


class ReadAdapter(Record, frozen=True, kw_only=True, tag="read-adapter"):
    """A folder as PEFT saves adapters, and the GGUF of the base that it is for."""

    folder: str
    base: str
    digest: str
    name: str


class AdapterRead(Record, frozen=True, kw_only=True, tag="adapter-read"):
    """What the adapter says of itself."""

    architecture: str
    rank: int
    alpha: float
    rslora: bool
    targets: tuple[str, ...]
    matrices: int


class MergeInto(Record, frozen=True, kw_only=True, tag="merge-adapter"):
    """Write the base with the adapter that was handed over in its weights."""

    base: str
    out: str
    quantization: str
    name: str


class WriteTrained(Record, frozen=True, kw_only=True, tag="write-trained"):
    """Write the base with the weights that were handed over (safetensors) in place of its own."""

    base: str
    out: str
    quantization: str
    name: str


class MergedInto(Record, frozen=True, kw_only=True, tag="merged-adapter"):
    changed: int
    """Matrices."""


class Maker:
    """What this worker holds: the adapter that arrives."""

    def __init__(self) -> None:
        self._arriving = bytearray()

    def take(self, request: TakeCheckpoint, call: Call) -> Taken:
        """Keep a piece of an adapter's GGUF."""
        if request.at == 0:
            self._arriving = bytearray()
        if request.at != len(self._arriving):
            raise BadInput(source="The adapter", problem="a piece of it is missing. Try again.")
        self._arriving += request.data
        return Taken(whole=len(self._arriving) >= request.size)

    def read(self, request: ReadAdapter, call: Call) -> Iterator[Piece | AdapterRead]:
        """The files of the adapter as the vault keeps them. Raises `BadInput`, `Damaged`, `Unsupported`."""
        folder = Path(request.folder)
        config = _config(folder)
        tensors = {tensor.name: weights.read(tensor) for tensor in weights.header(folder / WEIGHTS)}
        base = gguf.GGUFReader(request.base)
        family, plain = _family(base)
        alpha, root = float(config["lora_alpha"]), bool(config.get("use_rslora"))
        with tempfile.TemporaryDirectory() as work:
            out = Path(work) / "adapter.gguf"
            adapters.written(tensors, out, family, plain, alpha, root, request.digest, request.name)
            changed = _pairs(gguf.GGUFReader(out))
            _check_fits(changed, base)
            data = out.read_bytes()
        yield AdapterRead(
            architecture=gguf.MODEL_ARCH_NAMES[family.architecture],
            rank=next(iter(changed.values()))[0].shape[0],
            alpha=alpha,
            rslora=root,
            targets=tuple(sorted(map(str, config["target_modules"])))
            if isinstance(config.get("target_modules"), list)
            else (),
            matrices=len(changed),
        )
        yield from _pieces("safetensors", (folder / WEIGHTS).read_bytes())
        yield from _pieces("config", (folder / CONFIG).read_bytes())
        yield from _pieces("gguf", data)

    def merge(self, request: MergeInto, call: Call) -> MergedInto:
        """Raises `BadInput` for an adapter that doesn't fit."""
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / "adapter.gguf"
            path.write_bytes(self._arriving)
            reader = gguf.GGUFReader(path)
            changed = {name: (np.array(a), np.array(b)) for name, (a, b) in _pairs(reader).items()}
            alpha = float(reader.fields[ALPHA].contents())
        base = gguf.GGUFReader(request.base)
        _check_fits(changed, base)

        def merged(name: str, values: Any) -> Any:
            if name not in changed:
                return values
            a, b = (np.asarray(one, dtype=np.float32) for one in changed[name])
            return values + np.float32(alpha / a.shape[0]) * (b @ a)

        _write(base, merged, request, call)
        return MergedInto(changed=len(changed))

    def write(self, request: WriteTrained, call: Call) -> MergedInto:
        """Raises `BadInput` for weights of another base."""
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / WEIGHTS
            path.write_bytes(self._arriving)
            self._arriving = bytearray()
            tensors = {tensor.name: weights.read(tensor) for tensor in weights.header(path)}
        base = gguf.GGUFReader(request.base)
        family, config = _family(base)
        _write(base, whole.placed(tensors, base, family, config), request, call)
        return MergedInto(changed=len(tensors))


def _config(folder: Path) -> dict[str, Any]:
    if not (folder / CONFIG).is_file():
        raise BadInput(source=folder.name, problem=f"it has no {CONFIG}. Give the folder that PEFT saved.")
    config = weights.read_json(folder / CONFIG)
    kind = str(config.get("peft_type"))
    if kind != "LORA":
        raise Unsupported(
            source=folder.name, reason=f"an adapter of the kind {kind[:40]}. Only LoRA adapters are attached."
        )
    if not (folder / WEIGHTS).is_file():
        pickled = any(next(folder.glob(pattern), None) for pattern in weights.PICKLED)
        if pickled:
            raise Unsupported(
                source=folder.name,
                reason="its weights are pickled (.bin), and unpickling a file runs whatever program it holds. Ask for safetensors.",
            )
        raise BadInput(source=folder.name, problem=f"it has no {WEIGHTS}. Copy the whole folder.")
    for key, said in (
        ("use_dora", "DoRA, which isn't attached"),
        ("modules_to_save", "it brings whole layers beside its LoRA matrices"),
        ("rank_pattern", "its matrices have different ranks"),
        ("alpha_pattern", "its matrices count differently"),
        ("alora_invocation_tokens", "it works only behind certain tokens"),
        ("fan_in_fan_out", "its matrices are turned"),
        ("lora_bias", "it has biases"),
    ):
        if config.get(key):
            raise Unsupported(source=folder.name, reason=f"{said}. Train a plain LoRA adapter.")
    if config.get("bias", "none") != "none":
        raise Unsupported(source=folder.name, reason="it changes biases. Train a plain LoRA adapter.")
    alpha = config.get("lora_alpha")
    if not isinstance(alpha, int | float) or not 0 < alpha < 1e6:
        raise BadInput(source=CONFIG, problem="lora_alpha isn't a number above 0.")
    return config


def _family(base: gguf.GGUFReader) -> tuple[Family, dict[str, int]]:
    """The base's family, and of its config what adapters need."""
    architecture = str(base.fields["general.architecture"].contents())
    found = next((one for one in FAMILIES.values() if gguf.MODEL_ARCH_NAMES[one.architecture] == architecture), None)
    if found is None or architecture == "bert":
        raise Unsupported(source="The base", reason=f"adapters for {architecture[:40]} models aren't taken here.")

    def number(key: str, default: int = 0) -> int:
        field = base.fields.get(f"{architecture}.{key}")
        value = field.contents() if field is not None else default
        if not isinstance(value, int) or value < 1:
            raise Unsupported(source="The base", reason=f"it doesn't say its {key} as one number.")
        return value

    heads = number("attention.head_count")
    return found, {
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": number("attention.head_count_kv", heads),
        "hidden_size": number("embedding_length"),
    }


def _pairs(reader: gguf.GGUFReader) -> dict[str, tuple[Any, Any]]:
    """For each changed matrix: A [rank, inputs] and B [outputs, rank]."""
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    stems = sorted({name.removesuffix(FIRST).removesuffix(SECOND) for name in tensors})
    if not stems:
        raise Damaged(source="The adapter", problem="it holds nothing. Take another copy.")
    for stem in stems:
        if stem + FIRST not in tensors or stem + SECOND not in tensors:
            raise Damaged(source="The adapter", problem=f"{stem[:80]} has only one of its two matrices.")
    return {stem: (tensors[stem + FIRST], tensors[stem + SECOND]) for stem in stems}


def _check_fits(changed: dict[str, tuple[Any, Any]], base: gguf.GGUFReader) -> None:
    shapes = {tensor.name: tuple(map(int, tensor.shape)) for tensor in base.tensors}
    for name, (a, b) in changed.items():
        own = shapes.get(name)
        wanted = (a.shape[1], b.shape[0])
        if own is None or own != wanted or a.shape[0] != b.shape[1]:
            has = "has none" if own is None else f"has {own[0]} by {own[1]}"
            raise BadInput(
                source="The adapter",
                problem=f"it was made for another base: its {name[:60]} is {wanted[0]} by {wanted[1]}, and this base {has}.",
            )


def _write(
    base: gguf.GGUFReader, changed: Callable[[str, Any], Any], request: MergeInto | WriteTrained, call: Call
) -> None:
    """`changed` gives a tensor's new values for its name and its old ones."""
    kind, file_type = KINDS[request.quantization]
    writer = gguf.GGUFWriter(request.out, str(base.fields["general.architecture"].contents()))
    for name, known in base.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "general.name"):
            continue
        first = known.types[0]
        writer.add_key_value(
            name, known.contents(), first, known.types[-1] if first is gguf.GGUFValueType.ARRAY else None
        )
    writer.add_name(request.name)
    writer.add_file_type(file_type)
    plan = [(tensor, _kind(tensor, kind)) for tensor in base.tensors]
    try:
        for tensor, chosen in plan:
            shape = tuple(int(size) for size in reversed(tensor.shape))
            block, size = gguf.GGML_QUANT_SIZES[chosen]
            whole = math.prod(shape) // int(block) * int(size)
            writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), whole, raw_dtype=chosen)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for number, (tensor, chosen) in enumerate(plan):
            call.report(number, len(plan), "tensors")
            values = np.asarray(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
            values = np.asarray(changed(tensor.name, values), dtype=np.float32)
            writer.write_tensor_data(gguf.quants.quantize(np.ascontiguousarray(values), chosen))
    finally:
        writer.close()


def _kind(tensor: Any, wanted: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    if len(tensor.shape) == 1:
        return gguf.GGMLQuantizationType.F32
    if wanted is gguf.GGMLQuantizationType.Q8_0 and int(tensor.shape[0]) % BLOCK:
        return gguf.GGMLQuantizationType.F16
    return wanted


def _pieces(of: Any, data: bytes) -> Iterator[Piece]:
    for start in range(0, max(1, len(data)), PIECE):
        yield Piece(of=of, step=0, data=data[start : start + PIECE], last=start + PIECE >= len(data))


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    maker = Maker()
    return {TakeCheckpoint: maker.take, ReadAdapter: maker.read, MergeInto: maker.merge, WriteTrained: maker.write}
