"""Where on a page a quote stands: its letters and digits looked for in the page's words, in the order in which the page is read."""

import unicodedata
from typing import Any

from core.documents.worker.layout import blocks, page_lines, styles, words
from core.documents.worker.printed import Box, union


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
    if not wanted:
        return []
    text = ""
    owners: list[int] = []
    for number, (_, word) in enumerate(words):
        plain = folded(word)
        text += plain
        owners += [number] * len(plain)
    at = text.find(wanted)
    if at < 0:
        return []
    covered = [words[number][0] for number in dict.fromkeys(owners[at : at + len(wanted)])]
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
