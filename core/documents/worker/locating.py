"""Where on a page a quote stands: its letters and digits looked for in the page's words, in the order in which the page is read."""

import unicodedata
from typing import Any, Final

from core.documents.worker.layout import blocks, page_lines, styles, words
from core.documents.worker.printed import Box, union

FOOT: Final = 2_000
"""Letters at a page's foot below a text that goes on overleaf: footnotes, and the page's number."""
LEAST: Final = 2
"""Letters of a quote on either page."""
HEAD: Final = 300
"""Letters of a running head."""


def folded(text: str) -> str:
    """Letters and digits alone, without case: how texts are compared across breaks, hyphens and quotation marks."""
    return "".join(character for character in unicodedata.normalize("NFKC", text).casefold() if character.isalnum())


def page_words(page: Any) -> list[tuple[Box, str]]:
    """(box, text) of a page's words in reading order."""
    found = page_lines(page)
    unordered = words(page)
    ordered: list[tuple[Box, str]] = []
    for block in blocks(found, styles([found])):
        for piece in block.pieces:
            ordered += [word for word in unordered if _within(word[0], piece.box)]
    return ordered


def _within(box: Box, outer: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return outer[0] - 0.5 <= x <= outer[2] + 0.5 and outer[1] <= y <= outer[3]


def find_quote(words: list[tuple[Box, str]], quote: str) -> list[Box]:
    """The boxes that cover a quote, a box a line; empty where it isn't found."""
    wanted = folded(quote)
    text, owners = _letters(words)
    at = text.find(wanted) if wanted else -1
    return [] if at < 0 else _lines(words, owners[at : at + len(wanted)])


def find_over_end(
    words: list[tuple[Box, str]], following: list[tuple[Box, str]], quote: str
) -> tuple[list[Box], list[Box]]:
    """The boxes that cover a quote that begins near the end of one page and ends near the beginning of the next, on each; empty where it doesn't.

    Between its parts may stand what is at the foot of the one page and at the head of the other."""
    wanted = folded(quote)
    text, owners = _letters(words)
    rest, its = _letters(following)
    for parted in range(len(wanted) - LEAST, LEAST - 1, -1):
        at = text.rfind(wanted[:parted], max(len(text) - parted - FOOT, 0))
        if at < 0:
            continue
        after = rest.find(wanted[parted:], 0, len(wanted) - parted + HEAD)
        if after >= 0:
            return _lines(words, owners[at : at + parted]), _lines(following, its[after : after + len(wanted) - parted])
    return [], []


def _letters(words: list[tuple[Box, str]]) -> tuple[str, list[int]]:
    """The folded text of words, and to which of them each letter belongs."""
    text: list[str] = []
    owners: list[int] = []
    for number, (_, word) in enumerate(words):
        plain = folded(word)
        text.append(plain)
        owners += [number] * len(plain)
    return "".join(text), owners


def _lines(words: list[tuple[Box, str]], owners: list[int]) -> list[Box]:
    """A box for each line of the words with these numbers."""
    covered = [words[number][0] for number in dict.fromkeys(owners)]
    lines: list[Box] = []
    for box in covered:
        if (
            lines
            and min(lines[-1][3], box[3]) - max(lines[-1][1], box[1]) > 0.5 * (box[3] - box[1])
            and box[0] >= lines[-1][0]
        ):
            lines[-1] = union((lines[-1], box))
        else:
            lines.append(box)
    return [(round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)) for x0, y0, x1, y1 in lines]
