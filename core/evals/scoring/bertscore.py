"""BERTScore: each word of the answer beside the nearest of the reference, and the other way round, by their vectors in context.

As Zhang et al. (2020) and their `bert-score` without its options: cosines of token vectors, matched greedily; the tokens that a model sets
around a text can be matched, and aren't counted. No weights by rarity, no rescaling to a baseline, and always the model's last layer, where theirs
takes the layer that agreed best with people: figures don't compare with published ones.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from core.evals.scoring.base import Case, Scored, Scorer, graded, referenced, references, unmarked
from core.evals.scoring.similarity import Nearness, worded
from core.inference.service import Floats

_SOURCE: Final = "BERTScore (Zhang et al. 2020), by the embedder's last layer, without weights or baseline."
_LIMITS: Final = "A negation or another number costs little. Figures lie close together and depend on the embedder."


class Matched(NamedTuple):
    precision: float
    recall: float
    f1: float


def match(answer: tuple[Floats, Any], reference: tuple[Floats, Any]) -> Matched:
    """Of (vectors of length 1, which of them are words). A text without a word has 0."""
    cosines = answer[0].astype(np.float64) @ reference[0].astype(np.float64).T
    precisions, recalls = cosines.max(axis=1)[answer[1]], cosines.max(axis=0)[reference[1]]
    if not len(precisions) or not len(recalls):
        return Matched(0.0, 0.0, 0.0)
    precision, recall = float(precisions.mean()), float(recalls.mean())
    both = precision + recall
    return Matched(precision, recall, 2 * precision * recall / both if both > 0 else 0.0)


def _best(case: Case, settings: Nearness) -> Matched:
    answer, *wanted = case.tools.embed_tokens(
        [unmarked(case.answer.answer), *references(case.sample)], settings.embedder
    )
    return max((match(answer, one) for one in wanted), key=lambda one: one.f1)


def _f1(case: Case, settings: Nearness) -> Scored:
    best = _best(case, settings)
    return graded(best.f1, settings.at_least, f"precision {best.precision:.3f}, recall {best.recall:.3f}")


def _precision(case: Case, settings: Nearness) -> Scored:
    best = _best(case, settings)
    return graded(best.precision, settings.at_least, f"F1 {best.f1:.3f}")


def _recall(case: Case, settings: Nearness) -> Scored:
    best = _best(case, settings)
    return graded(best.recall, settings.at_least, f"F1 {best.f1:.3f}")


def _applies(case: Case) -> bool:
    return referenced(case) and worded(case)


SCORERS = tuple(
    Scorer(name, measures, _LIMITS, "bootstrap", _applies, score, "-1 to 1, mostly 0.3 to 1", _SOURCE, Nearness)
    for name, measures, score in (
        (
            "bertscore",
            "BERTScore F1 of the answer and the nearest reference: how well their words match in context, over answerable samples.",
            _f1,
        ),
        (
            "bertscore_precision",
            "BERTScore precision: how well the answer's words are matched by the nearest reference's.",
            _precision,
        ),
        (
            "bertscore_recall",
            "BERTScore recall: how well the nearest reference's words are matched by the answer's.",
            _recall,
        ),
    )
)
