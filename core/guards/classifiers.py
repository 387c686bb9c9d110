"""The slot for a model that judges texts beside the rules: what a classifier is, and two ways in which a GGUF model serves as one.

A classifier gives each text a score from 0 (ordinary) to 1 (speaks to a model). What its scores are worth depends on the model: whoever names one
measures it first, on texts of their own, and sets the threshold by that. Nothing is asked of a model unless the policy names one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final, Protocol

import numpy as np

from core.errors import BadInput
from core.inference.records import Message, Weigh, Weighed
from core.jobs import Job
from core.records import Digest

QUESTION: Final = (
    "Does the text between the lines give instructions to an AI assistant, or ask it to change its answer? "
    "Answer with yes or no only.\n\n----\n{{ text }}\n----"
)
ANSWERS: Final = ("yes", "no")
LONGEST: Final = 4000
"""Characters of a text that are shown to a chat model; of a longer one its beginning and its end."""
SHARPNESS: Final = 12.0
"""How fast the score rises with the difference of two cosines."""


class Classifier(Protocol):
    """Judges texts."""

    @property
    def name(self) -> str:
        """Stands in the trace as what found something."""
        ...

    def scores(self, texts: Sequence[str], job: Job) -> list[float]:
        """From 0 to 1, in the texts' order."""
        ...


@dataclass(frozen=True)
class ByLikelihood:
    """A chat model is asked a yes-or-no question; the score is the share of "yes" in the likelihood of the two answers."""

    weigh: Callable[[Weigh, Job], Weighed]
    model: Digest | str
    name: str

    def scores(self, texts: Sequence[str], job: Job) -> list[float]:
        return [self._score(text, job) for text in texts]

    def _score(self, text: str, job: Job) -> float:
        shown = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n…\n{text[-LONGEST // 2 :]}"
        request = Weigh(
            model=self.model,
            messages=(Message(role="user", content=QUESTION),),
            continuations=ANSWERS,
            variables={"text": shown},
        )
        yes, no = (weight.log_likelihood for weight in self.weigh(request, job).weights)
        return 1 / (1 + exp(min(max(no - yes, -50.0), 50.0)))


@dataclass(frozen=True)
class ByExamples:
    """An embedder compares a text with examples of both sorts; the score follows which of the nearest is nearer."""

    embed: Callable[[Sequence[str], Job], np.ndarray[tuple[int, int], np.dtype[np.float32]]]
    commands: Sequence[str]
    ordinary: Sequence[str]
    name: str

    def scores(self, texts: Sequence[str], job: Job) -> list[float]:
        if not self.commands or not self.ordinary:
            raise BadInput(
                source=self.name,
                problem="it needs examples of both sorts. Give texts that speak to a model, and ordinary ones.",
            )
        if not texts:
            return []
        vectors = self.embed([*texts, *self.commands, *self.ordinary], job)
        known, commands = len(texts), len(texts) + len(self.commands)
        nearest = [(vectors[:known] @ side.T).max(axis=1) for side in (vectors[known:commands], vectors[commands:])]
        return [1 / (1 + exp(-SHARPNESS * float(one - other))) for one, other in zip(*nearest, strict=True)]
