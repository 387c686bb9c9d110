"""Quotes: answering without a generative model, by the passages' most relevant sentences, verbatim.

It cannot invent: every character of the answer stands in a document. It declines when the best sentence scores under `NEEDED`. A sentence's
score is the chance that it holds the answer, by a logistic model over five signals; `CALIBRATION` was fitted on questions over documents
that are no part of the tests (see tests/benchmarks/README.md for its curve).
"""

import math
import re
from collections.abc import Callable, Sequence

import numpy as np

from core.documents.sentences import split_sentences
from core.records import Record
from core.retrieval.records import Passage

Embed = Callable[[Sequence[str]], "np.ndarray[tuple[int, int], np.dtype[np.float32]]"]

NEEDED = 0.5
"""An answer needs a sentence that is as likely as not to hold it."""
KEEP = 0.8
"""A further sentence is quoted when it scores at least this share of the best one."""
MOST = 3
"""Sentences in an answer; more are a search result, not an answer."""


SHORT = 5
"""Sentences of fewer words are mostly headings and labels, and are held back."""


class Calibration(Record, frozen=True, kw_only=True):
    """Weights of the logistic model, one for each of `Signals`."""

    bias: float
    sentence: float
    passage: float
    words: float
    short: float
    rank: float


CALIBRATION = Calibration(bias=-4.17, sentence=1.88, passage=0.54, words=4.99, short=-1.19, rank=0.53)

_WORD = re.compile(r"\w+")
_COMMON = frozenset(
    "a an and are as at be been by can did do does for from had has have how i in is it its may must of on or shall should that the "
    "their there these they this to was were what when where which who whom whose why will with within would you your".split()
)


class Quote(Record, frozen=True, kw_only=True):
    """A sentence of a passage: `passage` is its index among the passages, `score` from 0 to 1."""

    passage: int
    text: str
    score: float


class Signals(Record, frozen=True, kw_only=True):
    """What speaks for a sentence: cosines, the share of the question's words weighted by rarity, whether it is `SHORT`,
    and 1 / the place of its passage among those found."""

    passage: int
    text: str
    sentence_cosine: float
    passage_cosine: float
    words: float
    short: bool
    rank: float


def signals(question: str, passages: Sequence[Passage], embed: Embed) -> tuple[Signals, ...]:
    """The signals of every sentence of the passages; a sentence that stands in several is taken once."""
    found: dict[str, int] = {}
    for index, passage in enumerate(passages):
        for sentence in split_sentences(passage.text):
            found.setdefault(sentence, index)
    if not found:
        return ()
    headed = [_headed(passages[index], sentence) for sentence, index in found.items()]
    vectors = embed([question, *headed])
    cosines = vectors[1:] @ vectors[0]
    wanted = _content_words(question)
    held = [_content_words(sentence) for sentence in found]
    rarity = {word: math.log(1 + len(held) / (1 + sum(word in own for own in held))) for word in wanted}
    total = sum(rarity.values()) or 1.0
    return tuple(
        Signals(
            passage=index,
            text=sentence,
            sentence_cosine=float(cosine),
            passage_cosine=passages[index].score,
            words=sum(rarity[word] for word in own & wanted) / total,
            short=len(sentence.split()) < SHORT,
            rank=1 / (1 + index),
        )
        for (sentence, index), cosine, own in zip(found.items(), cosines, held, strict=True)
    )


def rank(question: str, passages: Sequence[Passage], embed: Embed) -> tuple[Quote, ...]:
    """Every sentence of the passages with its score, best first."""
    quotes = (
        Quote(passage=signal.passage, text=signal.text, score=chance(signal))
        for signal in signals(question, passages, embed)
    )
    return tuple(sorted(quotes, key=lambda quote: -quote.score))


def choose(ranked: Sequence[Quote], needed: float = NEEDED) -> tuple[Quote, ...]:
    """The sentences to answer with, best first; none where the best is under `needed`."""
    if not ranked or ranked[0].score < needed:
        return ()
    floor = max(needed, ranked[0].score * KEEP)
    return tuple(quote for quote in ranked[:MOST] if quote.score >= floor)


def _headed(passage: Passage, sentence: str) -> str:
    return f"{passage.heading}: {sentence}" if passage.heading else sentence


def _content_words(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()) if word not in _COMMON)


def _stem(word: str) -> str:
    """Enough of a word to match its inflections: English plural and verb endings are cut."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def chance(signal: Signals, weights: Calibration = CALIBRATION) -> float:
    """The logistic model: how likely the sentence holds the answer."""
    logit = (
        weights.bias
        + weights.sentence * signal.sentence_cosine
        + weights.passage * signal.passage_cosine
        + weights.words * signal.words
        + weights.short * signal.short
        + weights.rank * signal.rank
    )
    return round(1 / (1 + math.exp(-logit)), 6)
