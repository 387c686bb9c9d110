"""The worker that reads a model file's header: what it is, and whether it can be used here at all."""

from collections import Counter
from pathlib import Path
from typing import Final

from core.errors import BadInput, Unsupported
from core.models.records import Facts, ReadModel
from core.models.worker import gguf
from core.models.worker.gguf import Header, Tensor
from core.records import Record
from core.workers.serving import Call, Handler

WANTED: Final = (
    "general.type",
    "general.architecture",
    "general.name",
    "general.license",
    "tokenizer.ggml.model",
    "tokenizer.chat_template",
    "split.count",
    ".context_length",
    ".embedding_length",
    ".pooling_type",
)
POOLED: Final = (1, 2, 3)
"""Mean, first token, last token: the file makes one vector of a text."""
RANKED: Final = 4
"""The file scores a pair of texts."""
HEADS: Final = frozenset({"cls.weight", "cls.output.weight"})
"""What it scores with."""
EMBEDDERS: Final = (
    "bert",
    "nomic-bert",
    "nomic-bert-moe",
    "modern-bert",
    "jina-bert-v2",
    "jina-bert-v3",
    "gemma-embedding",
)
NO_TEXT: Final = (
    "clip",
    "wavtokenizer-dec",
    "t5",
    "t5encoder",
    "llada",
    "llada-moe",
    "dream",
    "rnd1",
    "hunyuan-dense-vision",
)
"""Architectures that don't write text token by token."""


def facts(path: Path) -> Facts:
    """What the file says of itself. Raises `BadInput`, `Damaged`, `Unsupported`."""
    source = path.name
    if not path.is_file():
        raise BadInput(source=source, problem="not a file. Choose a .gguf file.")
    with path.open("rb") as file:
        header = gguf.read(file, path.stat().st_size, source, WANTED)
    kind = _text(header, "general.type") or "model"
    architecture = _text(header, "general.architecture")
    if kind != "model":
        raise Unsupported(source=source, reason=f"an {kind[:40]}, not a model. Choose the model that it belongs to.")
    if int(header.values.get("split.count", 1)) > 1:
        raise Unsupported(
            source=source, reason="one part of a model in several files. Merge them with gguf-split first."
        )
    if not header.tensors and _text(header, "tokenizer.ggml.model"):
        raise Unsupported(
            source=source, reason="only a vocabulary, without weights: usable for nothing. Take the model's full file."
        )
    if not architecture or not _text(header, "tokenizer.ggml.model"):
        raise Unsupported(
            source=source, reason="no language model: it names no architecture or no vocabulary. Choose another file."
        )
    return Facts(
        architecture=architecture[:64],
        purpose=_purpose(header, architecture),
        quantization=_quantization(header.tensors),
        parameters=sum(tensor.elements for tensor in header.tensors),
        context=_number(header, f"{architecture}.context_length"),
        dimensions=_number(header, f"{architecture}.embedding_length"),
        has_template=bool(_text(header, "tokenizer.chat_template")),
        licence=_text(header, "general.license")[:200],
        title=_text(header, "general.name")[:200],
        tensors=len(header.tensors),
    )


def _purpose(header: Header, architecture: str) -> str:
    pooling = header.values.get(f"{architecture}.pooling_type")
    if pooling in POOLED:
        return "embed"
    if pooling == RANKED and any(tensor.name in HEADS for tensor in header.tensors):
        return "rerank"
    if architecture in EMBEDDERS or architecture in NO_TEXT or pooling:
        return "other"
    return "chat"


def _quantization(tensors: list[Tensor]) -> str:
    """The type that holds most of the weights."""
    weights: Counter[str] = Counter()
    for tensor in tensors:
        weights[tensor.type] += tensor.elements
    return weights.most_common(1)[0][0].lower()


def _text(header: Header, key: str) -> str:
    value = header.values.get(key, "")
    return value if isinstance(value, str) else ""


def _number(header: Header, key: str) -> int:
    value = header.values.get(key, 0)
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""

    def read(request: ReadModel, call: Call) -> Facts:
        return facts(Path(request.path))

    return {ReadModel: read}
