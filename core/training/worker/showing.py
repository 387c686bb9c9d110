"""Examples as the tokens that are learned from, for a person to look at. Nothing is kept of them in the worker."""

from collections.abc import Sequence
from typing import Any

from core.errors import TemplateError
from core.records import Record
from core.training.worker.encoding import Encoder, Encoding, Unlearnable
from core.training.worker.records import Example

SHOWN = 4096
"""Tokens of a plain text that are shown."""


class ShowExamples(Record, frozen=True, kw_only=True, tag="show-examples"):
    """Examples whose tokens are to be shown."""

    examples: tuple[Example, ...]


class ShownPart(Record, frozen=True, kw_only=True):
    """Neighbouring tokens that make whole characters together, and whether they are learned."""

    text: str
    learned: bool


class ShownExample(Record, frozen=True, kw_only=True):
    """An example's tokens in order; `problem` where it can't be learned."""

    line: str
    parts: tuple[ShownPart, ...]
    problem: str = ""


class ShownExamples(Record, frozen=True, kw_only=True, tag="shown-examples"):
    examples: tuple[ShownExample, ...]


def shown(encoder: Encoder, examples: Sequence[Example]) -> ShownExamples:
    """The examples' tokens as text."""
    return ShownExamples(examples=tuple(_shown(encoder, one) for one in examples))


def _shown(encoder: Encoder, example: Example) -> ShownExample:
    try:
        encoding = encoder.each(example, SHOWN)[0]
    except Unlearnable as problem:
        return ShownExample(line=example.line, parts=(), problem=str(problem))
    except TemplateError as error:
        return ShownExample(line=example.line, parts=(), problem=str(error.fields.get("problem", error)))
    return ShownExample(line=example.line, parts=parts_of(encoder.words, encoding))


def parts_of(words: Any, encoding: Encoding) -> tuple[ShownPart, ...]:
    """The texts of an example's tokens; those that only together make a character are one part."""
    found: list[ShownPart] = []
    held = b""
    for place, token in enumerate(encoding.ids):
        learned = place >= encoding.start
        held += words.piece(token, special=True)
        last = place + 1 == len(encoding.ids) or place + 1 == encoding.start
        try:
            text = held.decode()
        except UnicodeDecodeError:
            if not last:
                continue
            text = held.decode("utf-8", "replace")
        found.append(ShownPart(text=text, learned=learned))
        held = b""
    return tuple(found)
