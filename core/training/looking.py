"""What a person is shown of training data before a run: each example's length against the window, what is wrong by line, and which tokens are
learned. Nothing of it is recorded."""

from collections.abc import Sequence
from typing import Final

from core.jobs import Job
from core.records import Record
from core.training.work import Trainer
from core.training.worker.records import Example, Problem
from core.training.worker.showing import ShownExample

AT_ONCE: Final = 50
"""Examples whose tokens are shown together."""


class Length(Record, frozen=True, kw_only=True):
    """The tokens of an example with its prompt."""

    line: str
    tokens: int


class Looked(Record, frozen=True, kw_only=True):
    """`window`: tokens that fit; `learned`: tokens that are learned in one epoch; `lengths` of what can be learned; `shown` from `start` on."""

    family: str
    device: str
    window: int
    examples: int
    learned: int
    lengths: tuple[Length, ...]
    problems: tuple[Problem, ...]
    start: int
    shown: tuple[ShownExample, ...]


def look(
    trainer: Trainer, examples: Sequence[Example], problems: Sequence[Problem], longest: int, start: int, job: Job
) -> Looked:
    """Raises as the worker's handlers."""
    lengths, learned, wrong = trainer.give(examples, longest, job)
    refused = {one.line for one in wrong}
    kept = [one.line for one in examples if one.line not in refused]
    window = trainer.opened.window
    return Looked(
        family=trainer.opened.family,
        device=trainer.opened.device,
        window=min(longest or window, window),
        examples=len(examples),
        learned=learned,
        lengths=tuple(Length(line=line, tokens=count) for line, count in zip(kept, lengths, strict=False)),
        problems=(*problems, *wrong),
        start=start,
        shown=trainer.show(examples[start : start + AT_ONCE], job),
    )
