"""What Office formats share to tell unseen text: colours too near to their ground, and where in a page's text runs of letters stand."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from core.documents.worker.hidden import CONTRAST
from core.documents.worker.records import Hidden, Page

Colour = tuple[int, int, int]
Run = tuple[str, str]
"""A run of letters, and why it isn't seen; empty where it is."""
WHITE: Final = (255, 255, 255)
BLACK: Final = (0, 0, 0)
NEAR: Final = 20_000
"""Characters after the last paragraph within which the next one that is shown is looked for."""


def colour(said: str) -> Colour | None:
    """Of "RRGGBB", or with two digits of opacity before; None where it is none."""
    digits = said[-6:]
    try:
        value = int(digits, 16) if len(said) in (6, 8) else -1
    except ValueError:
        return None
    return (value >> 16 & 255, value >> 8 & 255, value & 255) if value >= 0 else None


def lighter(of: Colour, share: float) -> Colour:
    """Nearer to white by a share of the way, or to black where it is below 0."""
    end = 255 if share > 0 else 0
    step = min(abs(share), 1.0)
    red, green, blue = (round(part + (end - part) * step) for part in of)
    return red, green, blue


def alike(letters: Colour | None, ground: Colour | None) -> bool:
    """Whether nobody tells the letters from their ground; never where one of them isn't known."""
    if letters is None or ground is None:
        return False
    return all(abs(one - other) < CONTRAST for one, other in zip(letters, ground, strict=True))


def in_paragraphs(page: Page, paragraphs: Iterable[Sequence[Run]]) -> Iterator[Hidden]:
    """Where the unseen runs of paragraphs, which come in the page's order, stand in its text."""
    at = 0
    for runs in paragraphs:
        text, unseen = _put_together(runs)
        if not text:
            continue
        start = page.text.find(text, at, at + len(text) + NEAR)
        if start < 0 and unseen:
            start = page.text.find(text, at)
            start = start if start >= 0 else page.text.find(text)
        if start < 0:
            continue
        at = max(at, start + len(text))
        for first, last, why in unseen:
            yield Hidden(page=page.number, start=start + first, end=start + last, why=why)


def _put_together(runs: Sequence[Run]) -> tuple[str, list[tuple[int, int, str]]]:
    """A paragraph with white space made single, and its unseen stretches."""
    if not any(why for _, why in runs):
        return " ".join("".join(text for text, _ in runs).split()), []
    letters: list[str] = []
    unseen: list[tuple[int, int, str]] = []
    waiting = False
    for text, why in runs:
        start = -1
        for letter in text:
            if letter.isspace():
                waiting = bool(letters)
                continue
            if waiting:
                letters.append(" ")
                waiting = False
            start = len(letters) if start < 0 else start
            letters.append(letter)
        if why and start >= 0:
            unseen.append((start, len(letters), why))
    return "".join(letters), unseen
