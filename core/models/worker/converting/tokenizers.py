"""A Hugging Face tokenizer, written as llama.cpp reads one, and proved on texts before anything is kept.

Three kinds are known: WordPiece ("bert"), byte-level BPE ("gpt2"), and BPE over characters with bytes to fall back on, which llama.cpp computes
as SentencePiece ("llama"): there a token's score is the rank of the merge that makes it. How byte-level BPE splits a text before merging has a
name in llama.cpp; the one whose tokens equal those of the folder's own tokenizer on every text of `texts.txt` is taken. Where that can't be had
the folder is refused: a model that reads other tokens than it was trained on answers worse, and nobody would know why. WordPiece alone may differ on
a few texts, since llama.cpp takes vowel signs for accents; the count is said.
"""

import ctypes
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import gguf

from core.errors import BadInput, Damaged, Unsupported
from core.models.worker.converting.weights import read_json
from core.models.worker.library import open_library

FILE: Final = "tokenizer.json"
MOST_TOKENS: Final = 2_000_000
WORD_START: Final = "▁"
SPLITTERS: Final = (
    "gpt-2",
    "llama-bpe",
    "qwen2",
    "tekken",
    "smollm",
    "starcoder",
    "gpt-4o",
    "deepseek-llm",
    "stablelm2",
)
"""llama.cpp's names for ways to split a text before byte-level BPE, the commonest of the families here first."""
WORD_PIECE_SHARE: Final = 0.9
_TEXTS: Final = Path(__file__).with_name("texts.txt")


class Tokenizer(NamedTuple):
    """What a GGUF says of a tokenizer. `model` is llama.cpp's name for the kind; `splitter` only with byte-level BPE."""

    model: str
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    scores: tuple[float, ...]
    merges: tuple[str, ...]
    splitter: str
    space_first: bool
    special: gguf.SpecialVocab

    def write(self, writer: gguf.GGUFWriter) -> None:
        """Into a header."""
        writer.add_tokenizer_model(self.model)
        if self.splitter:
            writer.add_tokenizer_pre(self.splitter)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        if self.scores:
            writer.add_token_scores(self.scores)
            writer.add_add_space_prefix(self.space_first)
        if self.merges:
            writer.add_token_merges(self.merges)
        self.special.merges = []
        self.special.add_to_gguf(writer, quiet=True)


def texts() -> tuple[str, ...]:
    """What tokenizers are compared on: a line a text, with \\n and \\t as such, and each once more in the middle of spaces and line breaks."""
    lines = [
        line.replace("\\n", "\n").replace("\\t", "\t")
        for line in _TEXTS.read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    around = [f"  {line}\n\n {line[::-1]}" for line in lines]
    return (*lines, *around)


def load(folder: Path, rows: int) -> tuple[Tokenizer, int]:
    """The folder's tokenizer, and for how many of `texts` it gives the same tokens in llama.cpp. `rows`: how many tokens the embeddings have.

    Raises `BadInput` (no tokenizer.json, or one that can't be read), `Unsupported` (a kind that llama.cpp has no equal of)."""
    if not (folder / FILE).is_file():
        raise BadInput(source=folder.name, problem=f"it has no {FILE}. Ask for the folder with its fast tokenizer.")
    content = read_json(folder / FILE)
    own = _own(folder)
    try:
        made = _made(folder, content, rows)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError):
        raise BadInput(source=FILE, problem="it can't be read. Take another copy of the folder.") from None
    wanted = [own.encode(text, add_special_tokens=True).ids for text in texts()]
    for splitter in SPLITTERS if made.model == "gpt2" else ("",):
        found = made._replace(splitter=splitter)
        same = agreeing(found, wanted)
        if same >= len(wanted) * (WORD_PIECE_SHARE if made.model == "bert" else 1):
            return found, same
    raise Unsupported(source=FILE, reason="llama.cpp has no tokenizer that gives the same tokens as this one.")


def agreeing(tokenizer: Tokenizer, wanted: Sequence[Sequence[int]]) -> int:
    """For how many of `texts` llama.cpp gives these tokens."""
    library = open_library()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "vocabulary.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        tokenizer.write(writer)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        settings = library.llama_model_default_params()
        settings.vocab_only = True
        model = library.llama_model_load_from_file(bytes(path), settings)
    if not model:
        return 0
    try:
        vocabulary = library.llama_model_get_vocab(model)
        return sum(_tokens(library, vocabulary, text) == ids for text, ids in zip(texts(), wanted, strict=True))
    finally:
        library.llama_model_free(model)


def _tokens(library: Any, vocabulary: Any, text: str) -> list[int]:
    data = text.encode()
    room = (ctypes.c_int32 * (len(data) + 8))()
    count = library.llama_tokenize(vocabulary, data, len(data), room, len(room), True, True)
    return list(room[: max(count, 0)])


def _own(folder: Path) -> Any:
    from tokenizers import Tokenizer as Own  # a parser in native code: only ever in the worker

    try:
        return Own.from_file(str(folder / FILE))
    except Exception:  # noqa: BLE001 (the library raises bare exceptions)
        raise BadInput(source=FILE, problem="it can't be read. Take another copy of the folder.") from None


def _made(folder: Path, content: Mapping[str, Any], rows: int) -> Tokenizer:
    model = content["model"]
    kind = model["type"]
    ids: dict[str, int] = {**model["vocab"], **{added["content"]: added["id"] for added in content["added_tokens"]}}
    known = {number: text for text, number in ids.items()}
    if not all(type(number) is int and 0 <= number < MOST_TOKENS for number in known) or max(known) >= rows:
        raise Damaged(source=FILE, problem="it has more tokens than the model. Take another copy of the folder.")
    special = {added["id"] for added in content["added_tokens"] if added["special"]}
    added = {entry["id"] for entry in content["added_tokens"]} - special
    names = [known.get(number, f"[PAD{number}]") for number in range(rows)]
    types = [
        gguf.TokenType.UNUSED
        if number not in known
        else gguf.TokenType.CONTROL
        if number in special
        else gguf.TokenType.USER_DEFINED
        if number in added
        else gguf.TokenType.NORMAL
        for number in range(rows)
    ]
    extra = gguf.SpecialVocab(folder, load_merges=False, n_vocab=rows)
    _answer_end(folder, extra, ids)
    made = Tokenizer(str(kind), tuple(names), (), (), (), "", False, extra)
    if kind == "WordPiece":
        return _word_piece(made, types)
    if kind == "BPE" and model.get("byte_fallback"):
        return _sentence_piece(made, types, content)
    if kind == "BPE":
        merges = tuple(" ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"])
        return made._replace(model="gpt2", types=tuple(types), merges=merges)
    raise Unsupported(source=FILE, reason=f"its kind, {str(kind)[:30]}, is not known here.")


def _answer_end(folder: Path, special: gguf.SpecialVocab, ids: Mapping[str, int]) -> None:
    """Where generation ends with a further token (config of generation), llama.cpp knows it as the end of a turn."""
    path = folder / "generation_config.json"
    ends = read_json(path).get("eos_token_id") if path.is_file() else None
    if isinstance(ends, list) and all(type(end) is int for end in ends):
        further = [end for end in ends if end != special.special_token_ids.get("eos")]
        if further and "eot" not in special.special_token_ids and further[0] in set(ids.values()):
            special.special_token_ids["eot"] = further[0]


def _word_piece(made: Tokenizer, types: list[int]) -> Tokenizer:
    """llama.cpp marks a word's first piece; Hugging Face the others."""
    names = tuple(
        name if kind != gguf.TokenType.NORMAL else name[2:] if name.startswith("##") else WORD_START + name
        for name, kind in zip(made.tokens, types, strict=True)
    )
    return made._replace(model="bert", tokens=names, types=tuple(types))


def _sentence_piece(made: Tokenizer, types: list[int], content: Mapping[str, Any]) -> Tokenizer:
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(content["model"]["merges"]):
        pair = merge if isinstance(merge, list) else merge.split(" ")
        ranks.setdefault("".join(pair), rank)
    unknown = content["model"].get("unk_token")
    for number, name in enumerate(made.tokens):
        if name == unknown:
            types[number] = gguf.TokenType.UNKNOWN
        elif types[number] == gguf.TokenType.NORMAL and len(name) == 6 and name.startswith("<0x"):
            types[number] = gguf.TokenType.BYTE
    scores = tuple(-float(ranks.get(name, len(ranks) + number)) for number, name in enumerate(made.tokens))
    return made._replace(model="llama", types=tuple(types), scores=scores, space_first=_space_first(content))


def _space_first(content: Mapping[str, Any]) -> bool:
    """Whether a space is put before every text: by the normaliser (older files) or the pre-tokenizer."""
    normaliser = content.get("normalizer") or {}
    parts = normaliser.get("normalizers", [normaliser])
    before = content.get("pre_tokenizer") or {}
    scheme = before.get("prepend_scheme", "always" if before.get("add_prefix_space") else "never")
    return any(part.get("type") == "Prepend" for part in parts) or (
        before.get("type") == "Metaspace" and scheme in ("always", "first")
    )
