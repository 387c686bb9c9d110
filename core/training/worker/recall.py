"""What is asked about memorising, and what was found: planted sequences (canaries), and training text that comes out word for word.

Canaries follow Carlini et al., "The Secret Sharer" (2019): a sentence of fixed form holds a number that nothing but training can teach. Its
exposure is log2 |R| - log2 rank, its rank among the same sentence with other numbers, by the model's perplexity. R is sampled here: the exposure
is an estimate and at most log2 of the sample, and a number that was never seen has one of about 1.4 on average.
"""

from typing import Final, Literal

from core.records import Record

METHOD: Final = "rank among sampled numbers"
DIGITS: Final = 6
"""Of a planted number."""
TOKENS: Final = 20
CHARACTERS: Final = 50
"""A run of so many tokens or characters counts as word for word."""


class Canary(Record, frozen=True, kw_only=True):
    """A planted sentence's name and number."""

    name: str
    code: str


class Plant(Record, frozen=True, kw_only=True, tag="plant-canaries"):
    """Sentences to learn beside the examples, each `repeats` times an epoch. `text`: as plain text, else as the answer to a question."""

    canaries: tuple[Canary, ...]
    repeats: int
    text: bool = False


class Planted(Record, frozen=True, kw_only=True, tag="planted-canaries"):
    """How many stand in the worker's training set."""

    canaries: int


class Exposure(Record, frozen=True, kw_only=True):
    """Of one canary: its rank among itself and the sampled numbers (1: the likeliest), and its exposure in bits, for base and adapter."""

    name: str
    base_rank: int
    base: float
    rank: int
    adapter: float


class Verbatim(Record, frozen=True, kw_only=True):
    """Of `n` samples, in how many a greedy answer repeats at least `TOKENS` tokens or `CHARACTERS` characters of the rest word for word, and the
    longest run. Only samples whose rest is that long are asked. `held out` texts weren't learned: they show what comes out anyway."""

    of: Literal["learned", "held out"]
    model: Literal["base", "adapter"]
    n: int
    copied: int
    longest_tokens: int
    longest_characters: int

    @property
    def share(self) -> float:
        return self.copied / self.n if self.n else 0.0


class Memorised(Record, frozen=True, kw_only=True, tag="memorised"):
    """What a model remembers of its training set. `candidates`: numbers that each canary was ranked among; `repeats`: how often each stood in the
    training set in an epoch."""

    method: str = METHOD
    canaries: tuple[Exposure, ...] = ()
    repeats: int = 0
    candidates: int = 0
    verbatim: tuple[Verbatim, ...] = ()
    tokens: int = TOKENS
    characters: int = CHARACTERS
    seconds: float = 0.0


class Shown(Record, frozen=True, kw_only=True):
    """What a model answered at a checkpoint to an input that isn't learned from: the input's end, the greedy answer, and the answer of the data."""

    asked: str
    answer: str
    wanted: str


class Sampled(Record, frozen=True, kw_only=True, tag="checkpoint-samples"):
    """Answers after a step."""

    step: int
    shown: tuple[Shown, ...]
