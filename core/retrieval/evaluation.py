"""How good one ranking is, by judged documents. Pure.

The measures are those of trec_eval, to four digits: nDCG with linear gains and a discount of log2(rank + 1) against the ideal order of everything
judged (Järvelin and Kekäläinen, TOIS 2002), recall@k, the reciprocal rank and average precision. Rules:

1. A document is relevant from grade 1 on; what wasn't judged is not relevant, and a negative grade is 0.
2. A document counts once in a ranking, where it stands first.
3. A query without a relevant document says nothing (`judged` leaves it out); one without results counts as 0.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

DEPTH: Final = 10
"""Of nDCG."""
RECALL_AT: Final = (5, 10, 20, 100)

Ranking = Sequence[str]
Judgements = Mapping[str, Mapping[str, int]]
"""Of each query: how relevant each judged document is."""


def judged(judgements: Judgements) -> list[str]:
    """The queries that say something: those with a relevant document, in order."""
    return [query for query, documents in judgements.items() if any(grade > 0 for grade in documents.values())]


def measures(ranking: Ranking, grades: Mapping[str, int]) -> dict[str, float]:
    """All measures of one query's ranking."""
    ranked = list(dict.fromkeys(ranking))
    return {
        f"ndcg@{DEPTH}": ndcg(ranked, grades, DEPTH),
        **{f"recall@{depth}": recall(ranked, grades, depth) for depth in RECALL_AT},
        "mrr": reciprocal_rank(ranked, grades),
        "map": average_precision(ranked, grades),
    }


def ndcg(ranking: Ranking, grades: Mapping[str, int], depth: int) -> float:
    """The discounted gain of the first `depth`, as a share of what the ideal order gains."""
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    best = _discounted(ideal[:depth])
    return _discounted([max(grades.get(document, 0), 0) for document in ranking[:depth]]) / best if best else 0.0


def recall(ranking: Ranking, grades: Mapping[str, int], depth: int) -> float:
    """The share of the relevant documents that is among the first `depth`."""
    wanted = relevant(grades)
    return len(wanted.intersection(ranking[:depth])) / len(wanted) if wanted else 0.0


def reciprocal_rank(ranking: Ranking, grades: Mapping[str, int]) -> float:
    """1 / the place of the first relevant document; 0 without one."""
    wanted = relevant(grades)
    return next((1 / place for place, document in enumerate(ranking, start=1) if document in wanted), 0.0)


def average_precision(ranking: Ranking, grades: Mapping[str, int]) -> float:
    """The mean of the precisions at each relevant document's place; one that wasn't found counts as 0."""
    wanted = relevant(grades)
    found, total = 0, 0.0
    for place, document in enumerate(ranking, start=1):
        if document in wanted:
            found += 1
            total += found / place
    return total / len(wanted) if wanted else 0.0


def relevant(grades: Mapping[str, int]) -> set[str]:
    """The documents that a query seeks."""
    return {document for document, grade in grades.items() if grade > 0}


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))
