"""Putting rankings together, and making a word query of a question. Pure."""

import re
from collections.abc import Sequence
from typing import Final

SMOOTHING: Final = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

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
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (SMOOTHING + rank)
    return sorted(scores, key=lambda item: (-scores[item], item))


def word_query(question: str) -> str:
    """An FTS5 query for any of a question's words, each quoted; empty where it has none. Stop words count when there is nothing else."""
    words = list(dict.fromkeys(_WORD.findall(question.casefold())))
    telling = [word for word in words if word not in STOP_WORDS] or words
    return " OR ".join(f'"{word}"' for word in telling[:MOST_WORDS])
