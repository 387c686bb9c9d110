"""What was found and cited, against the page that holds the answer.

A passage or citation is right when it is of the sample's document and page; where the sample names no page, of its document.
"""

from core.evals.scoring.base import AtLeast, Case, Scored, Scorer, graded, yes_no
from core.retrieval.records import Passage


def _located(case: Case) -> bool:
    return not case.sample.unanswerable and bool(case.sample.document)


def _cited(case: Case) -> bool:
    return _located(case) and bool(case.answer.citations)


def _right(case: Case, name: str, page: int) -> bool:
    return name == case.sample.document and case.sample.page in (None, page)


def _citation(case: Case, _: object) -> Scored:
    sample = case.sample
    if not case.answer.citations:
        return 0.0, False, "cites nothing"
    first = case.answer.citations[0]
    place = f"{first.name}, page {first.page}"
    said = f"cites {place}; the answer is in {sample.document}, page {sample.page}"
    return yes_no(_right(case, first.name, first.page), f"cites {place}", said)


def _citation_precision(case: Case, settings: AtLeast) -> Scored:
    cited = case.answer.citations
    right = sum(_right(case, citation.name, citation.page) for citation in cited)
    return graded(right / len(cited), settings.at_least, f"{right} of {len(cited)} citations are of the right page")


def _citation_recall(case: Case, _: object) -> Scored:
    found = any(_right(case, citation.name, citation.page) for citation in case.answer.citations)
    return yes_no(found, "the right page is cited", "the right page isn't cited")


def _relevant(case: Case, passage: Passage) -> bool:
    return _right(case, passage.name, passage.page)


def _context_precision(case: Case, settings: AtLeast) -> Scored:
    ranks = [rank for rank, passage in enumerate(case.answer.passages, 1) if _relevant(case, passage)]
    value = sum(count / rank for count, rank in enumerate(ranks, 1)) / len(ranks) if ranks else 0.0
    said = f"passages of the right page at {', '.join(map(str, ranks))}" if ranks else "no passage of the right page"
    return graded(value, settings.at_least, said)


def _context_recall(case: Case, _: object) -> Scored:
    found = any(_relevant(case, passage) for passage in case.answer.passages)
    return yes_no(found, "the right page was found", "the right page wasn't found")


_ONE = "A fact that stands on several pages counts only on the page that the sample names."

SCORERS = (
    Scorer(
        "citation_correct",
        "The first citation names the document and page that hold the answer. 0 or 1, over answerable samples.",
        _ONE,
        "wilson",
        lambda case: not case.sample.unanswerable,
        _citation,
    ),
    Scorer(
        "citation_precision",
        "The share of citations that are of the page that holds the answer, over answers that cite.",
        _ONE,
        "bootstrap",
        _cited,
        _citation_precision,
        "0 to 1",
        "After Gao et al. 2023 (ALCE), with pages in place of entailment.",
        AtLeast,
    ),
    Scorer(
        "citation_recall",
        "Some citation is of the page that holds the answer. 0 or 1, over answerable samples that name a document.",
        _ONE,
        "wilson",
        _located,
        _citation_recall,
        source="After Gao et al. 2023 (ALCE), with pages in place of entailment.",
    ),
    Scorer(
        "context_precision",
        "How early the passages of the right page stand: the mean, over them, of the share of right ones up to there.",
        f"{_ONE} 0 when the page wasn't found.",
        "bootstrap",
        _located,
        _context_precision,
        "0 to 1",
        "Average precision; context precision in RAGAS (Es et al. 2023), with pages in place of a judge.",
        AtLeast,
    ),
    Scorer(
        "context_recall",
        "A passage of the page that holds the answer was found. 0 or 1, over answerable samples that name a document.",
        _ONE,
        "wilson",
        _located,
        _context_recall,
        source="Context recall in RAGAS (Es et al. 2023), with pages in place of a judge.",
    ),
)
