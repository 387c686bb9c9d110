"""Measures what a trained model remembers: the exposure of planted sentences, and training text that comes out word for word.

`core.training.worker.recall` says how each is defined. Rules: base and adapter are asked the same; nothing of a training text leaves the worker,
only counts and lengths; a rest that is too short to count is not asked.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from difflib import SequenceMatcher
from typing import Any, Final

from core.errors import BadInput
from core.inference.records import Message
from core.training.worker import answering, batches, preferring
from core.training.worker.encoding import Encoder, Encoding, Unlearnable
from core.training.worker.recall import CHARACTERS, DIGITS, TOKENS, Canary, Exposure, Memorised, Plant, Verbatim
from core.training.worker.records import Example

CANDIDATES: Final = 255
"""Sampled numbers for each canary: an exposure is 8 bits at most."""
AT_ONCE: Final = 8
"""Sentences computed together."""
LONGEST: Final = 128
"""Tokens that are compared of a rest."""


def example(canary: Canary, text: bool) -> Example:
    """A canary as it is learned."""
    sentence = f"The code of the {canary.name} is {canary.code}."
    if text:
        return Example(line=f"canary {canary.name}", text=sentence)
    asked = Message(role="user", content=f"What is the code of the {canary.name}?")
    return Example(line=f"canary {canary.name}", messages=(asked, Message(role="assistant", content=sentence)))


def encoded(encoder: Encoder, canary: Canary, text: bool, longest: int) -> Encoding:
    """Raises `BadInput` where it doesn't fit the window."""
    try:
        found = encoder.each(example(canary, text), longest)
    except Unlearnable as problem:
        raise BadInput(source="The canaries", problem=f"{problem} Set canaries to 0.") from None
    if len(found) > 1 or found[0].size > longest:
        raise BadInput(source="The canaries", problem="they don't fit the window. Raise longest, or set canaries to 0.")
    return found[0]


class Memory:
    """What is asked of a model after its training; `base` is a context in which `model` computes as it did before."""

    def __init__(
        self, encoder: Encoder, plant: Plant | None, seed: int, longest: int, device: str, check: Callable[[], None]
    ) -> None:
        self._encoder = encoder
        self._plant = plant
        self._seed = seed
        self._longest = longest
        self._device = device
        self._check = check

    def measured(
        self,
        model: Any,
        base: Callable[[], AbstractContextManager[Any]],
        learned: Sequence[Encoding],
        held: Sequence[Encoding],
        most: int,
    ) -> Memorised:
        """`most` samples of each of `learned` and `held` are asked. `base` gives the model as it was, for a block."""
        began = time.monotonic()
        model.eval()
        chosen, control = self._chosen(learned, most), self._chosen(held, most)
        canaries = self._plant.canaries if self._plant is not None else ()
        after = [self._rank(model, one) for one in canaries]
        verbatim = [
            self._verbatim(model, chosen, "learned", "adapter"),
            self._verbatim(model, control, "held out", "adapter"),
        ]
        with base() as before_model:
            before_model.eval()
            before = [self._rank(before_model, one) for one in canaries]
            verbatim.append(self._verbatim(before_model, chosen, "learned", "base"))
        return Memorised(
            canaries=tuple(
                Exposure(name=one.name, base_rank=was, base=exposure(was), rank=now, adapter=exposure(now))
                for one, was, now in zip(canaries, before, after, strict=True)
            ),
            repeats=self._plant.repeats if self._plant is not None else 0,
            candidates=CANDIDATES if canaries else 0,
            verbatim=tuple(one for one in verbatim if one.n),
            seconds=round(time.monotonic() - began, 3),
        )

    def _rank(self, model: Any, canary: Canary) -> int:
        """Ties count against the canary's being remembered."""
        import torch

        assert self._plant is not None
        chance = random.Random(f"candidates {self._seed} {canary.name}")  # noqa: S311 (a sample, no secret)
        own = int(canary.code)
        numbers = [place + (place >= own) for place in chance.sample(range(10**DIGITS - 1), CANDIDATES)]
        every = [canary, *(Canary(name=canary.name, code=f"{number:0{DIGITS}}") for number in numbers)]
        rows = [(encoded(self._encoder, one, self._plant.text, self._longest),) for one in every]
        likely: list[float] = []
        with torch.no_grad():
            for start in range(0, len(rows), AT_ONCE):
                self._check()
                batch = batches.tensors(rows[start : start + AT_ONCE], False, self._device)
                likely += preferring.sums(model, batch.inputs).tolist()
        return sum(one >= likely[0] for one in likely)

    def _verbatim(self, model: Any, samples: Sequence[Encoding], of: Any, who: Any) -> Verbatim:
        copied, longest, characters = 0, 0, 0
        for one in samples:
            self._check()
            given, rest = answering.parts(one)
            rest = rest[:LONGEST]
            found = answering.answered(model, given, len(rest), self._encoder.words, self._device)
            start, size = common(found, rest)
            letters = len(answering.text(self._encoder.words, found[start : start + size]))
            copied += size >= TOKENS or letters >= CHARACTERS
            longest, characters = max(longest, size), max(characters, letters)
        return Verbatim(
            of=of, model=who, n=len(samples), copied=copied, longest_tokens=longest, longest_characters=characters
        )

    def _chosen(self, examples: Sequence[Encoding], most: int) -> list[Encoding]:
        order = list(examples)
        random.Random(f"recall {self._seed}").shuffle(order)  # noqa: S311 (an order, no secret)
        found: list[Encoding] = []
        for one in order:
            if len(found) == most:
                break
            rest = answering.parts(one)[1][:LONGEST]
            if len(rest) >= TOKENS or len(answering.text(self._encoder.words, rest)) >= CHARACTERS:
                found.append(one)
        return found


def exposure(rank: int) -> float:
    """In bits, of a rank among the canary and its candidates."""
    return round(math.log2(CANDIDATES + 1) - math.log2(rank), 4)


def common(found: Sequence[int], rest: Sequence[int]) -> tuple[int, int]:
    """(place in `found`, length) of the longest run of tokens that stands in both."""
    match = SequenceMatcher(None, list(found), list(rest), autojunk=False).find_longest_match()
    return match.a, match.size
