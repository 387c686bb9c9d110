"""A Llama of random weights that a test makes in a moment, and a bench to train it on in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from core.inference.records import Message
from core.paths import RESOURCES
from core.training.settings import Settings
from core.training.worker.records import Encode, Example, OpenBase, Piece, Train, TrainPart
from core.training.worker.training import Bench

TEMPLATE: Final = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Quiet:
    """A call that nobody waits for."""

    cancelled = False

    def check(self) -> None: ...

    def report(self, done: int, total: int | None, unit: str) -> None: ...


QUIET: Any = Quiet()


def folder(path: Path) -> Path:
    """A Hugging Face folder: two layers, four heads, two of keys and values."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=4096,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(RESOURCES / "models" / "starter-chat" / "tokenizer.json"),
        eos_token="<|im_end|>",
        bos_token="<|endoftext|>",
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(path)
    return path


def example(number: int, words: int = 3) -> Example:
    return Example(
        line=f"line {number}",
        messages=(
            Message(role="user", content=f"Say {number}"),
            Message(role="assistant", content=" ".join(["It is"] + [str(number)] * words)),
        ),
    )


def bench(path: Path, examples: tuple[Example, ...], form: Any = "folder") -> Bench:
    made = Bench()
    made.open(OpenBase(path=str(path), name="tiny", form=form, threads=1), QUIET)
    told = made.encode(Encode(examples=examples, longest=0), QUIET)
    assert not told.problems
    return made


def trained(made: Bench, settings: Settings, digest: str = "") -> Iterator[TrainPart]:
    return made.train(Train(settings=settings, base_digest=digest), QUIET)


def whole(parts: list[Any], of: str) -> dict[int, bytes]:
    """The content of each piece-wise part of a kind, by its step."""
    found: dict[int, bytes] = {}
    for part in parts:
        if isinstance(part, Piece) and part.of == of:
            found[part.step] = found.get(part.step, b"") + part.data
    return found
