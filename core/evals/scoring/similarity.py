"""Nearness of meaning by an embedder: of the answer to the references, and to the question."""

from core.documents.sentences import split_sentences
from core.evals.scoring.base import Case, Scored, Scorer, graded, referenced, references, unmarked
from core.records import Record


class Nearness(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at_least: float = 0.0
    embedder: str = ""
    """The embedder's name; empty for the one of the run's collection."""


def worded(case: Case) -> bool:
    """Whether there is more to an answer than marks."""
    return bool(unmarked(case.answer.answer))


def _similarity(case: Case, settings: Nearness) -> Scored:
    wanted = references(case.sample)
    vectors = case.tools.embed([unmarked(case.answer.answer), *wanted], settings.embedder)
    best = max(float(vectors[0] @ vector) for vector in vectors[1:])
    return graded(best, settings.at_least, f"cosine {best:.3f} to the nearest reference")


def _relevance(case: Case, settings: Nearness) -> Scored:
    sentences = split_sentences(unmarked(case.answer.answer)) or [unmarked(case.answer.answer)]
    vectors = case.tools.embed([case.sample.input, *sentences], settings.embedder)
    cosines = [float(vectors[0] @ vector) for vector in vectors[1:]]
    mean = sum(cosines) / len(cosines)
    return graded(mean, settings.at_least, f"cosine {mean:.3f} to the question, over {len(cosines)} sentences")


SCORERS = (
    Scorer(
        "similarity",
        "The cosine of the answer's vector and the nearest reference's, over answerable samples.",
        "A negation or another number is near. Depends on the embedder: figures of two embedders don't compare.",
        "bootstrap",
        lambda case: referenced(case) and worded(case),
        _similarity,
        "-1 to 1, mostly 0 to 1",
        "As semantic textual similarity with sentence embeddings (Reimers and Gurevych 2019).",
        Nearness,
    ),
    Scorer(
        "answer_relevance",
        "The mean cosine of the answer's sentences and the question, over answers given.",
        "Says that the answer speaks of what was asked, not that it is right. An echo of the question scores highest.",
        "bootstrap",
        lambda case: worded(case) and not case.answer.abstained,
        _relevance,
        "-1 to 1, mostly 0 to 1",
        "After answer relevance in RAGAS (Es et al. 2023), without questions made from the answer.",
        Nearness,
    ),
)
