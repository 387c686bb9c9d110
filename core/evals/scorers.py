"""Scorers: what is measured of one answer against one sample. Pure.

Each scorer states what it measures, its range and its limits; `applies` says for which samples and answers it counts, and the others
are left out of its metric rather than counted as failures. Text is compared after Unicode NFKC, case folding, folding of white space and
removal of citation marks.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple

from core.assistants.records import Answer
from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.records import Score

_MARK = re.compile(r"\s*\[\d+\]")
_SPACE = re.compile(r"\s+")
_EDGE = " .,:;!?\"'“”‘’()"
GROUNDED = 1.0
"""Share of an answer's sentences that must have support for the sample to pass."""
SLOW = 30.0
"""Seconds after which an answer is counted as too slow for a person who waits."""


class Scorer(NamedTuple):
    """`method` says how its metric's interval is made: Wilson for yes or no, bootstrap for anything else."""

    name: str
    measures: str
    limits: str
    method: Literal["wilson", "bootstrap"]
    applies: Callable[[Sample, Answer], bool]
    score: Callable[[Sample, Answer], tuple[float, bool, str]]


def normalised(text: str) -> str:
    """The form in which texts are compared."""
    folded = unicodedata.normalize("NFKC", _MARK.sub("", text)).casefold()
    return _SPACE.sub(" ", folded).strip(_EDGE)


def _yes_no(holds: bool, yes: str, no: str) -> tuple[float, bool, str]:
    return float(holds), holds, yes if holds else no


def _answerable(sample: Sample, _: Answer) -> bool:
    return not sample.unanswerable


def _always(_: Sample, __: Answer) -> bool:
    return True


def _exact(sample: Sample, answer: Answer) -> tuple[float, bool, str]:
    wanted = {normalised(text) for text in (sample.target or "", sample.answer) if text}
    return _yes_no(normalised(answer.answer) in wanted, "equal to the target", "differs from the target")


def _contains(sample: Sample, answer: Answer) -> tuple[float, bool, str]:
    pattern = r"(?<!\w)" + re.escape(normalised(sample.target or "")) + r"(?!\w)"
    found = re.search(pattern, normalised(answer.answer)) is not None
    return _yes_no(found, "holds the target", f"doesn't hold “{sample.target}”")


def _citation(sample: Sample, answer: Answer) -> tuple[float, bool, str]:
    if not answer.citations:
        return 0.0, False, "cites nothing"
    first = answer.citations[0]
    place = f"{first.name}, page {first.page}"
    right = first.name == sample.document and (sample.page is None or first.page == sample.page)
    return _yes_no(right, f"cites {place}", f"cites {place}; the answer is in {sample.document}, page {sample.page}")


def _grounded(_: Sample, answer: Answer) -> tuple[float, bool, str]:
    supported = answer.sentences - len(answer.unsupported)
    share = supported / answer.sentences
    return share, share >= GROUNDED, f"{supported} of {answer.sentences} sentences have support"


def _refusal(sample: Sample, answer: Answer) -> tuple[float, bool, str]:
    if sample.unanswerable:
        return _yes_no(answer.abstained, "rightly declines", "answers what the documents don't say")
    return _yes_no(not answer.abstained, "answers", "declines although the documents say it")


def _latency(_: Sample, answer: Answer) -> tuple[float, bool, str]:
    return answer.seconds, answer.seconds <= SLOW, f"{answer.seconds:.2f} s"


SCORERS: dict[str, Scorer] = {
    scorer.name: scorer
    for scorer in (
        Scorer(
            "exact",
            "The answer is the target or the reference answer, word for word. 0 or 1, over answerable samples.",
            "A right answer in other words counts as wrong.",
            "wilson",
            _answerable,
            _exact,
        ),
        Scorer(
            "contains",
            "The answer holds the target value, word for word. 0 or 1, over answerable samples.",
            "An answer that holds the value and contradicts it elsewhere counts as right.",
            "wilson",
            _answerable,
            _contains,
        ),
        Scorer(
            "citation_correct",
            "The first citation names the document and page that hold the answer. 0 or 1, over answerable samples.",
            "A fact that stands on several pages counts only on the page that the sample names.",
            "wilson",
            _answerable,
            _citation,
        ),
        Scorer(
            "groundedness",
            "The share of the answer's sentences whose nearest passage sentence is verbatim or near by embedding. 0 to 1, over answers given.",
            "Nearness of embeddings is not entailment: a negation or another number can be near. It finds what is far from every passage.",
            "bootstrap",
            lambda _, answer: answer.sentences > 0,
            _grounded,
        ),
        Scorer(
            "refusal",
            "Declines exactly when the documents don't say. 0 or 1, over all samples.",
            "A refusal is recognised by its wording; an evasive answer in other words counts as an answer.",
            "wilson",
            _always,
            _refusal,
        ),
        Scorer(
            "latency",
            "Seconds from question to whole answer, over all samples. Lower is better.",
            "Depends on the machine and on what else it does.",
            "bootstrap",
            _always,
            _latency,
        ),
    )
}


def chosen(names: tuple[str, ...]) -> tuple[Scorer, ...]:
    """The scorers of those names. Raises `BadInput` for one that doesn't exist."""
    for name in names:
        if name not in SCORERS:
            raise BadInput(source=f"scorer {name}", problem=f"not known. There are {', '.join(SCORERS)}.")
    return tuple(SCORERS[name] for name in names)


def score_answer(scorers: tuple[Scorer, ...], sample: Sample, answer: Answer) -> tuple[Score, ...]:
    """What each scorer that applies says."""
    scores = []
    for scorer in scorers:
        if scorer.applies(sample, answer):
            value, passed, reason = scorer.score(sample, answer)
            scores.append(Score(scorer=scorer.name, value=round(value, 6), passed=passed, reason=reason))
    return tuple(scores)
