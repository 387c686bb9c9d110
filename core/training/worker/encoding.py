"""From a conversation to tokens, and which of them are learned.

Rules: a prompt has exactly the tokens that the engine makes of it when the model is used (its own chat template, its own vocabulary, no
special token out of anybody's text); learned are the assistant's last words and the token that ends them, nothing else; what the template
puts behind that token is left out; an example that doesn't fit is a problem with its line, and is never cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Protocol

from msgspec.structs import replace

from core.errors import TemplateError
from core.inference.records import Message
from core.inference.worker import templates
from core.inference.worker.vocabulary import free_mark
from core.training.worker.records import Encoded, Example, Problem

ASKED: Final = 400
"""Characters of what was asked that are kept, to be shown with an answer."""


class Words(Protocol):
    """A model's vocabulary, as `core.inference.worker.vocabulary.Vocabulary` has it."""

    def tokens(self, text: str, mark: str) -> list[int]: ...

    def pieces(self, text: str) -> list[int]: ...

    def guard(self, content: str, mark: str) -> str: ...

    def ends(self, token: int) -> bool: ...


@dataclass(frozen=True)
class Encoding:
    """An example as tokens, of which those from `start` on are learned. `pair`: the same prompt with the worse answer, of a preference. `asked`: the
    end of the last turn before the answer, as it was written."""

    ids: tuple[int, ...]
    start: int
    pair: "Encoding | None" = None
    asked: str = field(default="", compare=False)

    @property
    def size(self) -> int:
        """Tokens of the longer one."""
        return max(len(self.ids), len(self.pair.ids) if self.pair is not None else 0)


class Unlearnable(Exception):
    """An example can't be learned; the text says why, without its content."""


class Encoder:
    """A base model's template and vocabulary."""

    def __init__(self, name: str, template: str, words: Words, first: str, last: str) -> None:
        """`first` and `last`: how the model's beginning and end tokens are written."""
        self._source = f"The chat template of {name}"
        self._template = template
        self._words = words
        self._first = first
        self._last = last

    @property
    def words(self) -> Words:
        """The vocabulary."""
        return self._words

    def each(self, example: Example, longest: int) -> list[Encoding]:
        """An example's encodings: one, or of a text as many as it needs, about equally long. Raises as `encode`."""
        if example.text:
            return self._text(example.text, longest)
        found = self.encode(example.messages)
        if not example.rejected:
            return [found]
        other = (*example.messages[:-1], replace(example.messages[-1], content=example.rejected))
        return [Encoding(found.ids, found.start, self.encode(other), found.asked)]

    def _text(self, text: str, longest: int) -> list[Encoding]:
        mark = free_mark([text])
        ids = self._words.tokens(self._words.guard(text, mark), mark)
        if len(ids) < 2:
            raise Unlearnable("there is nothing in it to learn.")
        parts = -(-len(ids) // max(2, longest))
        ends = [len(ids) * place // parts for place in range(parts + 1)]
        return [Encoding(tuple(ids[start:end]), 0) for start, end in pairwise(ends)]

    def encode(self, messages: Sequence[Message]) -> Encoding:
        """Raises `Unlearnable`, `TemplateError`."""
        if not messages or messages[-1].role != "assistant":
            raise Unlearnable("its last turn isn't the assistant's, so there is nothing to learn.")
        mark = free_mark(message.content for message in messages)
        guarded = [replace(message, content=self._words.guard(message.content, mark)) for message in messages]
        prompt = self._rendered(guarded[:-1])
        whole = self._rendered(guarded)
        if not whole.startswith(prompt):
            raise Unlearnable("the model's chat template doesn't give its turns back as they are.")
        before = self._words.tokens(prompt, mark)
        learned = [token for part in whole[len(prompt) :].split(mark) for token in self._words.pieces(part)]
        end = next((place for place, token in enumerate(learned) if self._words.ends(token)), None)
        if end is None:
            raise Unlearnable("the model's chat template puts no token behind an answer that ends it.")
        if end == 0:
            raise Unlearnable("its answer is empty.")
        asked = messages[-2].content[-ASKED:] if len(messages) > 1 else ""
        return Encoding(tuple(before + learned[: end + 1]), len(before), asked=asked)

    def _rendered(self, messages: Sequence[Message]) -> str:
        return templates.render_chat(self._source, self._template, messages, self._first, self._last)


def encode_all(encoder: Encoder, examples: Sequence[Example], longest: int) -> tuple[list[Encoding], Encoded]:
    """The examples that can be learned, and what is wrong with the others. `longest`: tokens that fit."""
    found: list[Encoding] = []
    problems: list[Problem] = []
    for example in examples:
        try:
            encodings = encoder.each(example, longest)
            if (size := max(one.size for one in encodings)) > longest:
                raise Unlearnable(f"it has {size} tokens, and {longest} fit. Shorten it; nothing is cut silently.")
            found += encodings
        except Unlearnable as problem:
            problems.append(Problem(line=example.line, problem=str(problem)))
        except TemplateError as error:
            problems.append(Problem(line=example.line, problem=str(error.fields.get("problem", error))))
    told = Encoded(
        lengths=tuple(one.size for one in found),
        learned=tuple(len(one.ids) - one.start for one in found),
        problems=tuple(problems),
    )
    return found, told
