"""Putting rankings together, and making a word query of a question. Pure."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
SMOOTHING: Final = 5
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009, who take 60). Chosen with `service.BY_WORDS`, see there."""

STOP_WORDS: Final = frozenset(
    "a about all also am an and any are as at be because been being both but by can could did do does doing for from had has have having he her "
    "here him his how i if in into is it its itself just me more most my no nor not of off on once only or other our out over own per same she "
    "should so some such than that the their them then there these they this those through to too under until up us very was we were what when "
    "where which while who whom whose why will with would you your "
    "aber alle als am an auch auf aus bei bin bis da das dass dem den der des die dies diese dieser doch du durch ein eine einem einen einer eines "
    "er es für hat ich ihr im in ist ja kann mit muss nach nicht noch nur ob oder sein sich sie sind so über um und uns unter vom von vor war was "
    "welche welcher welches wenn wer wie wird wir wo zu zum zur".split()
)
"""English and German words that say nothing of what is sought."""
MOST_WORDS: Final = 64
_WORD = re.compile(r"\w+")


def fuse(rankings: Sequence[tuple[float, Sequence[int]]]) -> list[int]:
    """The items of (weight, ranking)s by weighted reciprocal rank, best first; ties by item, so that the order is always the same."""
    return [item for item, _ in fused(rankings)]


def fused(rankings: Sequence[tuple[float, Sequence[int]]]) -> list[tuple[int, float]]:
    """As `fuse`, each item with its score."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (SMOOTHING + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def diverse(relevance: Sequence[float], vectors: Matrix, trade: float, limit: int) -> list[int]:
    """Places in `relevance` by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): each the one with the most of
    `trade` x relevance - (1 - trade) x its largest cosine with those before it. Relevance is brought to 0..1 first; ties by place."""
    if not relevance:
        return []
    values = np.asarray(relevance, dtype=np.float64)
    spread = float(values.max() - values.min())
    values = (values - values.min()) / spread if spread else np.ones_like(values)
    cosines = vectors @ vectors.T
    nearest = np.zeros(len(values))
    left, chosen = np.ones(len(values), dtype=bool), []
    for _ in range(min(limit, len(values))):
        worth = np.where(left, trade * values - (1 - trade) * nearest, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, cosines[best])
    return chosen


def word_query(question: str) -> str:
    """An FTS5 query for any of a question's words, each quoted; empty where it has none. Stop words count when there is nothing else."""
    words = list(dict.fromkeys(_WORD.findall(question.casefold())))
    telling = [word for word in words if word not in STOP_WORDS] or words
    return " OR ".join(f'"{word}"' for word in telling[:MOST_WORDS])
