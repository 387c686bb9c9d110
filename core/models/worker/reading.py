"""The worker that reads a model file's header: what it is, and whether it can be used here at all."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import BadInput, Damaged, Unsupported
from core.models.records import Facts, ReadModel
from core.models.worker import gguf, legacy
from core.models.worker.adapters import WANTED as OF_ADAPTERS
from core.models.worker.adapters import adapter_facts
from core.models.worker.gguf import Header, Tensor
from core.models.worker.projectors import WANTED as OF_PROJECTORS
from core.models.worker.projectors import is_projector, projector_facts
from core.records import Record
from core.workers.serving import Call, Handler

IMPORTANCE: Final = "quantize.imatrix.dataset"
"""Where a quantized file names the text that told which of its numbers matter."""
WANTED: Final = (
    *OF_ADAPTERS,
    *OF_PROJECTORS,
    "general.type",
    "general.architecture",
    "general.name",
    "general.license",
    "general.basename",
    "general.base_model.0.name",
    "general.base_model.0.organization",
    "tokenizer.ggml.model",
    "tokenizer.ggml.pre",
    "tokenizer.chat_template",
    IMPORTANCE,
    "split.count",
    "split.no",
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


def facts(path: Path, more: Sequence[Path] = ()) -> Facts:
    """What the file says of itself; of a model in several, what all say together. Raises `BadInput`, `Damaged`, `Unsupported`."""
    source = path.name
    if not more and path.is_file() and legacy.begins(path):
        return legacy.legacy_facts(path)
    header = _header(path)
    kind = _text(header, "general.type") or "model"
    architecture = _text(header, "general.architecture")
    if kind == "adapter":
        return adapter_facts(source, header)
    if is_projector(header):
        return projector_facts(source, header)
    if kind != "model":
        raise Unsupported(source=source, reason=f"an {kind[:40]}, not a model. Choose the model that it belongs to.")
    tensors = _together(path, header, more)
    if not tensors and _text(header, "tokenizer.ggml.model"):
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
        quantization=_quantization(tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        context=_number(header, f"{architecture}.context_length"),
        dimensions=_number(header, f"{architecture}.embedding_length"),
        has_template=bool(_text(header, "tokenizer.chat_template")),
        licence=_text(header, "general.license")[:200],
        title=_text(header, "general.name")[:200],
        tensors=len(tensors),
        tokenizer=_tokenizer(header),
        base_model=_base(header),
        importance=_text(header, IMPORTANCE)[:200],
    )


def _header(path: Path) -> Header:
    if not path.is_file():
        raise BadInput(source=path.name, problem="not a file. Choose a .gguf file.")
    with path.open("rb") as file:
        return gguf.read(file, path.stat().st_size, path.name, WANTED)


def _together(path: Path, first: Header, more: Sequence[Path]) -> list[Tensor]:
    """The tensors of all files of a model, which must be the parts of one, in order."""
    count = _split(path, first, "split.count", 1)
    if count > 1 and not more:
        raise Unsupported(
            source=path.name,
            reason=f"one of {count} parts of a model, which can't be found without their names. Name them as they were, "
            f"NAME-00001-of-{count:05}.gguf and so on, in one folder.",
        )
    if count != 1 + len(more) or _split(path, first, "split.no", 0) != 0:
        raise Damaged(source=path.name, problem=f"it isn't the first of {1 + len(more)} parts. Take other copies.")
    tensors = list(first.tensors)
    for number, part in enumerate(more, 1):
        header = _header(part)
        if (header.values.get("split.no"), header.values.get("split.count")) != (number, count):
            raise Damaged(source=part.name, problem=f"it isn't part {number + 1} of {count}. Take another copy.")
        tensors += header.tensors
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise Damaged(source=path.name, problem="its parts hold a tensor twice. Take other copies.")
    return tensors


def _split(path: Path, header: Header, key: str, absent: int) -> int:
    value = header.values.get(key, absent)
    if not isinstance(value, int) or not 0 <= value < 2**16:
        raise Damaged(
            source=path.name, problem=f"not a whole GGUF file: its {key} is no number of parts. Take another copy."
        )
    return value


def _tokenizer(header: Header) -> str:
    rules = _text(header, "tokenizer.ggml.pre")
    said = [_text(header, "tokenizer.ggml.model")[:40], *([rules[:40]] if rules else [])]
    tokens = header.lengths.get("tokenizer.ggml.tokens", 0)
    return ", ".join((*said, *([f"{tokens} tokens"] if tokens else [])))


def _base(header: Header) -> str:
    name = _text(header, "general.base_model.0.name")
    maker = _text(header, "general.base_model.0.organization")
    if not name:
        return _text(header, "general.basename")[:200]
    return f"{maker} {name}".strip()[:200]


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
        return facts(Path(request.path), tuple(Path(path) for path in request.more))

    return {ReadModel: read}
