"""The model that is trained from: a registered GGUF, whose weights transformers dequantizes, or a folder of safetensors.

A GGUF's template and vocabulary are read by llama.cpp, as the engine reads them; a folder's by its own tokenizer. Pickled weights and code
that comes with a model are never loaded. A family that can't be attached to a running model afterwards is refused before anything is computed.
"""

import importlib.metadata
import os
import re
from pathlib import Path
from typing import Any, Final

from core.errors import Damaged, Unsupported
from core.inference.worker.vocabulary import Vocabulary
from core.models.worker.converting.families import FAMILIES, Family
from core.models.worker.library import open_library
from core.training.worker import fitness
from core.training.worker.encoding import Encoder
from core.training.worker.records import OpenBase, Opened

PACKAGES: Final = ("torch", "transformers", "peft", "accelerate", "safetensors", "gguf", "numpy")
TRAINABLE: Final = tuple(name for name in FAMILIES if name != "bert")
SPIN: Final = "30000"
"""How often a thread of libgomp looks before it sleeps at a barrier. A step's parts are longer than those of an answer, so its threads wait
longer than llama.cpp's: on two busy cores five steps of a model of 8 million parameters took 1.6 s so, 2.7 s with llama.cpp's 1,000, and
2.0 s with libgomp's own 300,000."""
DTYPES: Final = {"f32": "float32", "bf16": "bfloat16"}


class Base:
    """A base model, opened: its words at once, its weights at each `weights`."""

    def __init__(self, request: OpenBase) -> None:
        """Raises `Unsupported`, `Damaged`."""
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN)  # before torch is loaded
        import torch
        import transformers

        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        if request.threads:
            torch.set_num_threads(request.threads)
        self.name = request.name
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        path = Path(request.path)
        self._where: dict[str, Any] = {"pretrained_model_name_or_path": str(path), "trust_remote_code": False}
        if request.form == "gguf":
            self._where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
        elif not any(path.glob("*.safetensors")):
            raise Unsupported(
                source=path.name, reason="it holds no safetensors. Pickled weights (.bin) can run code and aren't read."
            )
        self.config = self._read_config()
        self.kind = fitness.check_config(request.name, self.config, TRAINABLE)
        if request.form == "gguf":
            fitness.check_types(request.name, path)
        self.window = int(self.config.max_position_embeddings)
        self.encoder = _gguf_words(path, request.name) if request.form == "gguf" else _folder_words(path, request.name)

    @property
    def family(self) -> Family:
        return FAMILIES[self.kind]

    def told(self) -> Opened:
        """What the program is told of it."""
        import gguf

        return Opened(
            family=self.kind,
            architecture=gguf.MODEL_ARCH_NAMES[self.family.architecture],
            window=self.window,
            device=self.device,
            versions={name: importlib.metadata.version(name) for name in PACKAGES},
        )

    def weights(self, dtype: str) -> Any:
        """The model, in `dtype` ("f32", "bf16"), on the device, as it was registered."""
        import torch
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            **self._where, dtype=getattr(torch, DTYPES[dtype]), use_safetensors=True
        )
        model.config.use_cache = False
        return model.to(self.device)

    def _read_config(self) -> Any:
        from huggingface_hub.errors import StrictDataclassError
        from transformers import AutoConfig

        try:
            return AutoConfig.from_pretrained(**self._where)
        except StrictDataclassError as error:
            raise Unsupported(
                source=self.name,
                reason="its config.json gives a value of another kind than its architecture has. Get the model's original files.",
            ) from error
        except (ValueError, KeyError, OSError) as error:
            raise Unsupported(
                source=self.name,
                reason=f"transformers doesn't know its architecture. {fitness.known(TRAINABLE)}",
            ) from error


def _gguf_words(path: Path, name: str) -> Encoder:
    """Template and vocabulary as llama.cpp has them."""
    library = open_library()
    settings = library.llama_model_default_params()
    settings.vocab_only = True
    model = library.llama_model_load_from_file(os.fsencode(path), settings)
    if not model:
        raise Damaged(source=name, problem="llama.cpp can't read its vocabulary. Take another copy of the file.")
    vocabulary = Vocabulary(library, model)
    template: bytes | None = library.llama_model_chat_template(model, None)
    return _encoder(
        name,
        (template or b"").decode("utf-8", "replace"),
        vocabulary,
        vocabulary.text(vocabulary.first),
        vocabulary.text(vocabulary.last),
    )


def _folder_words(path: Path, name: str) -> Encoder:
    """Template and vocabulary as the folder's tokenizer has them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(path), trust_remote_code=False)
    template = tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else ""
    return _encoder(name, template, _FolderWords(tokenizer), tokenizer.bos_token or "", tokenizer.eos_token or "")


def _encoder(name: str, template: str, words: "Vocabulary | _FolderWords", first: str, last: str) -> Encoder:
    if not template:
        raise Unsupported(source=name, reason="it brings no chat template, and none is guessed. Choose a chat model.")
    return Encoder(name, template, words, first, last)


class _FolderWords:
    """A Hugging Face tokenizer with the manners of `Vocabulary`."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        names = sorted(
            {str(name) for name in tokenizer.all_special_tokens if len(str(name)) > 1}, key=len, reverse=True
        )
        self._special = re.compile(f"(?={'|'.join(map(re.escape, names))})(.)" if names else r"(?!)(.)", re.DOTALL)
        ends = {tokenizer.eos_token_id}
        for name in ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "</s>"):
            found = tokenizer.convert_tokens_to_ids(name)
            if isinstance(found, int) and found != tokenizer.unk_token_id:
                ends.add(found)
        self._ends = frozenset(ends)

    def tokens(self, text: str, mark: str) -> list[int]:
        found = [token for part in text.split(mark) for token in self.pieces(part)]
        first = self._tokenizer.bos_token_id
        if first is not None and getattr(self._tokenizer, "add_bos_token", False) and found[:1] != [first]:
            found.insert(0, first)
        return found

    def pieces(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def piece(self, token: int, special: bool = False) -> bytes:
        text: str = self._tokenizer.decode([token], skip_special_tokens=not special, clean_up_tokenization_spaces=False)
        return text.encode()

    def guard(self, content: str, mark: str) -> str:
        return self._special.sub(lambda match: match.group(1) + mark, content)

    def ends(self, token: int) -> bool:
        return token in self._ends
