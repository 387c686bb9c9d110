"""How much of the references' wording the answer has: BLEU, chrF, ROUGE. The libraries are loaded in the scoring worker."""

from collections.abc import Callable
from typing import Any, Literal

from core.evals.scoring.base import AtLeast, Case, Scored, Scorer, graded, referenced, references, unmarked
from core.evals.scoring.records import Measure
from core.records import Record


class Rouge(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at_least: float = 0.0
    words: Literal["latin", "spaces"] = "latin"
    """`latin`: runs of a to z and 0 to 9, as the tool has it; `spaces`: what stands between white space, for other scripts."""


def _by(measure: str) -> Callable[[Case, Any], Scored]:
    def score(case: Case, settings: AtLeast | Rouge) -> Scored:
        found = case.tools.measure(
            Measure(
                measure=measure,
                text=unmarked(case.answer.answer),
                references=references(case.sample),
                settings={"words": settings.words} if isinstance(settings, Rouge) else {},
            )
        )
        return graded(found.value, settings.at_least, found.reason)

    return score


_WORDS = (
    "Counts common wording. A right answer in other words scores low, a wrong one that differs by a `not` scores high."
)
_LATIN = f"{_WORDS} Letters outside a to z are skipped unless `words` is `spaces`."
_ROUGE = "rouge-score (Google Research), without stemming; Lin 2004."


def _scorer(name: str, measures: str, limits: str, source: str, settings: type[Record]) -> Scorer:
    return Scorer(name, measures, limits, "bootstrap", referenced, _by(name), "0 to 1", source, settings)


SCORERS = (
    _scorer(
        "bleu",
        "The share of 1- to 4-word runs that the answer has in common with the references, with a penalty for brevity.",
        f"{_WORDS} Made for whole corpora: the mean over sentences is not the corpus figure.",
        "sacrebleu, sentence BLEU with effective order and exponential smoothing; Papineni et al. 2002, Post 2018.",
        AtLeast,
    ),
    _scorer(
        "chrf",
        "The F-score (beta 2) of runs of 1 to 6 characters that the answer has in common with the references.",
        f"{_WORDS} From some 200,000 characters on it takes longer than a scorer may, and ends in an error.",
        "sacrebleu, sentence chrF; Popović 2015.",
        AtLeast,
    ),
    _scorer("rouge1", "The F-score of single words in common with the best reference.", _LATIN, _ROUGE, Rouge),
    _scorer("rouge2", "The F-score of pairs of words in common with the best reference.", _LATIN, _ROUGE, Rouge),
    _scorer(
        "rougeL",
        "The F-score of the longest common row of words, gaps allowed, with the best reference.",
        f"{_LATIN} From some 10,000 words on it takes longer than a scorer may, and ends in an error.",
        _ROUGE,
        Rouge,
    ),
)
