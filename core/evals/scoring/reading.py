"""What an answer is like and what it took: support, refusal, readability, length, tokens, seconds.

Sentences are split as everywhere in Assay; a word is a run of letters, digits and inner apostrophes or hyphens.
"""

import re
from typing import Final

from core.documents.sentences import split_sentences
from core.evals.scoring.base import Case, Scored, Scorer, always, unmarked, yes_no
from core.records import Record

GROUNDED: Final = 1.0
"""Share of an answer's sentences that must have support for the sample to pass."""
SLOW: Final = 30.0
"""Seconds after which an answer is counted as too slow for a person who waits."""
LONG_WORD: Final = 6
"""LIX counts words with more letters than this as long."""
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_VOWELS: Final = re.compile(r"[aeiouy]+")


class Bounds(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which to which value a sample passes; without them each does, and the figure alone counts."""

    at_least: float | None = None
    at_most: float | None = None


class Seconds(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at_most: float = SLOW


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return _WORD.findall(unmarked(text))


def lix(text: str) -> float:
    """Words per sentence, and the percentage of words with over 6 letters. Of a text with a word in it."""
    found = words(text)
    long = sum(sum(character.isalpha() for character in word) > LONG_WORD for word in found)
    return len(found) / _sentences(text) + 100 * long / len(found)


def reading_ease(text: str) -> float:
    """Flesch's reading ease, with syllables guessed by groups of vowels. Of a text with a word in it."""
    found = words(text)
    syllables = sum(_syllables(word) for word in found)
    return 206.835 - 1.015 * len(found) / _sentences(text) - 84.6 * syllables / len(found)


def _sentences(text: str) -> int:
    return max(1, sum(bool(_WORD.search(sentence)) for sentence in split_sentences(unmarked(text))))


def _syllables(word: str) -> int:
    lower = word.casefold()
    groups = len(_VOWELS.findall(lower))
    silent = lower.endswith("e") and not lower.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


def _worded(case: Case) -> bool:
    return bool(words(case.answer.answer))


def _within(value: float, bounds: Bounds, said: str) -> Scored:
    low = bounds.at_least is None or value >= bounds.at_least
    high = bounds.at_most is None or value <= bounds.at_most
    wanted = [
        text
        for text, good in ((f"at least {bounds.at_least} wanted", low), (f"at most {bounds.at_most} wanted", high))
        if not good
    ]
    return value, low and high, "; ".join([said, *wanted])


def _grounded(case: Case, _: object) -> Scored:
    answer = case.answer
    supported = answer.sentences - len(answer.unsupported)
    share = supported / answer.sentences
    return share, share >= GROUNDED, f"{supported} of {answer.sentences} sentences have support"


def _refusal(case: Case, _: object) -> Scored:
    if case.sample.unanswerable:
        return yes_no(case.answer.abstained, "rightly declines", "answers what the documents don't say")
    return yes_no(not case.answer.abstained, "answers", "declines although the documents say it")


def _latency(case: Case, settings: Seconds) -> Scored:
    return case.answer.seconds, case.answer.seconds <= settings.at_most, f"{case.answer.seconds:.2f} s"


def _lix(case: Case, bounds: Bounds) -> Scored:
    value = lix(case.answer.answer)
    return _within(value, bounds, f"LIX {value:.0f}")


def _ease(case: Case, bounds: Bounds) -> Scored:
    value = reading_ease(case.answer.answer)
    return _within(value, bounds, f"reading ease {value:.0f}")


def _length(case: Case, bounds: Bounds) -> Scored:
    count = len(words(case.answer.answer))
    return _within(count, bounds, f"{count} words")


def _tokens(case: Case, bounds: Bounds) -> Scored:
    return _within(case.answer.tokens, bounds, f"{case.answer.tokens} tokens")


SCORERS = (
    Scorer(
        "groundedness",
        "The share of the answer's sentences whose nearest passage sentence is verbatim or near by embedding. 0 to 1, over answers given.",
        "Nearness of embeddings is not entailment: a negation or another number can be near. It finds what is far from every passage.",
        "bootstrap",
        lambda case: case.answer.sentences > 0,
        _grounded,
        "0 to 1",
        "After attribution to identified sources (Rashkin et al. 2023), with embeddings in place of people.",
    ),
    Scorer(
        "refusal",
        "Declines exactly when the documents don't say. 0 or 1, over all samples.",
        "A refusal is recognised by its wording; an evasive answer in other words counts as an answer.",
        "wilson",
        always,
        _refusal,
    ),
    Scorer(
        "latency",
        "Seconds from question to whole answer, over all samples. Lower is better.",
        "Depends on the machine and on what else it does.",
        "bootstrap",
        always,
        _latency,
        "0 and more, seconds",
        settings=Seconds,
        lower_is_better=True,
    ),
    Scorer(
        "readability",
        "LIX: words per sentence plus the percentage of words over 6 letters. Under 30 is easy, over 55 hard.",
        "Looks at lengths, not at sense. Long lists without full stops count as one sentence.",
        "bootstrap",
        _worded,
        _lix,
        "0 and more, mostly 20 to 70",
        "Björnsson 1968.",
        Bounds,
        lower_is_better=True,
    ),
    Scorer(
        "reading_ease",
        "Flesch's reading ease, for English. Over 60 is plain, under 30 hard.",
        "Syllables are guessed by groups of vowels; of no use for other languages.",
        "bootstrap",
        _worded,
        _ease,
        "mostly 0 to 100",
        "Flesch 1948.",
        Bounds,
    ),
    Scorer(
        "length",
        "Words of the answer, without citation marks, over all samples.",
        "Says nothing of what the words say. Scripts without spaces between words count too few.",
        "bootstrap",
        always,
        _length,
        "0 and more, words",
        settings=Bounds,
        lower_is_better=True,
    ),
    Scorer(
        "tokens",
        "Tokens that the model wrote, over all samples.",
        "Counted by each model's own vocabulary, so figures of two models don't compare. 0 in quotes mode.",
        "bootstrap",
        always,
        _tokens,
        "0 and more, tokens",
        settings=Bounds,
        lower_is_better=True,
    ),
)
