"""What guards find, and what is to become of it."""

from typing import Literal

from core.records import Record

Where = Literal["input", "passage", "output"]
Reaction = Literal["off", "mark", "withhold", "refuse"]
"""Nothing is looked for; it is recorded; it is taken out; there is no answer."""


class Span(Record, frozen=True, kw_only=True):
    """A stretch of a text that a rule found."""

    kind: str
    start: int
    end: int
    method: str = "rule"
    """What found it: a rule, or the name of a classifier."""
    score: float = 1.0
    """Of a classifier, from 0 to 1."""


class GuardPolicy(Record, frozen=True, kw_only=True):
    """What guards do while a question is answered."""

    input: Reaction = "mark"
    passages: Reaction = "mark"
    output: Reaction = "mark"
    kinds: tuple[str, ...] = ("instruction", "invisible")
    """What is looked for."""
    classifier: str = ""
    """The name of a chat model that is asked about each text too; none where it is empty."""
    threshold: float = 0.5
    """The classifier's score from which a text counts as found."""


class Guarded(Record, frozen=True, kw_only=True):
    """What a guard found while a question was answered, and what became of it. It holds places, never the text."""

    where: Where
    kind: str
    method: str
    reaction: Reaction
    passage: int = 0
    """Of those that were found, from 1; 0 where it was no passage."""
    start: int = 0
    end: int = 0
    score: float = 1.0
