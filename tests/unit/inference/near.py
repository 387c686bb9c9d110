"""Comparing answers that were computed in batches of other shapes, whose last bits differ."""

from collections.abc import Iterable

from core.inference.records import Token

TIE = 0.2
"""Between the log-probabilities of two tokens that rounding may exchange."""


def same(said: str, tokens: Iterable[Token]) -> bool:
    """Whether a greedy text is what `tokens` say (asked for with two log-probabilities each), up to a place where the two likeliest tie."""
    data, whole = said.encode(), b""
    for choice in (choice for token in tokens for choice in token.choices):
        if not data.startswith(whole + choice.chosen.data):
            first, second = choice.top[:2]
            return first.log_probability - second.log_probability < TIE
        whole += choice.chosen.data
    return data == whole
