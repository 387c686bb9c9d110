"""Markdown from records: what they hold stays text, whatever characters are in it."""

import re
from collections.abc import Iterable, Sequence

from core.evidence.words import shown

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def said(value: object) -> str:
    """A value as text on one line, its special characters escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(shown(value).split()))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of the GitHub kind."""
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join('---' for _ in heads)}|"]
    lines += [f"| {' | '.join(said(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def items(pairs: Iterable[tuple[str, object]]) -> str:
    """A list of terms with what is said of them; those of which nothing is said are left out."""
    return "\n".join(f"- **{term}:** {said(value)}" for term, value in pairs if shown(value))
