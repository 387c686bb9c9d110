"""What goes from one page's chunks to the next one's: the rest of a sentence, a table's header row; and what page furniture says. Pure.

Rules: a sentence that goes on overleaf is whole in the chunk in which it begins, and what is taken over there is in no other; it is left in two parts
where the whole doesn't fit. A table that goes on without a header row of its own has the one under which it began.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from core.documents.sentences import sentence_spans
from core.documents.worker.records import Block, Page

FURNITURE: Final = "Page header or footer"
"""The heading of what stands on page after page around the text."""
PROSE: Final = ("space", "word", "hyphen")
LETTERS: Final = 3
"""Without them a row of furniture says no more than which page it is."""
FOOT: Final = 2_000
HEAD: Final = 300
"""Letters at a page's foot and at the next one's head between the parts of a quote: footnotes, the page's number, a running head."""
LEAST: Final = 2
"""Letters of a quote on either page."""
_NUMBER = re.compile(r"\d+")
_PAGE_WORDS = re.compile(r"\b(?:pages?|seiten?|página|pagina|of|von|sur|de|di|[ivxlc]+)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Carried:
    """What a page takes over from the one before it."""

    taken: int = 0
    """Up to where its text is in a chunk of the page before."""
    header: str = ""
    """The header row of the table that goes on in its first block."""


@dataclass(frozen=True)
class Rest:
    """The end of a sentence on the next page."""

    dropped: int
    """Characters at the end of the page that aren't part of it: the hyphen of a broken word."""
    text: str
    """With the space before it, if there is one."""
    begin: int
    """Where the sentence begins on its page."""
    end: int
    """Where it ends on the next one."""


def first(page: Page) -> Block | None:
    """The first block of a page's own text."""
    return next((block for block in page.blocks if block.kind != "furniture"), None)


def parting(page: Page) -> Block | None:
    """The paragraph that goes on overleaf."""
    return next((block for block in reversed(page.blocks) if block.overleaf in PROSE), None)


def rest(page: Page, following: Page | None) -> Rest | None:
    """The end of the sentence that goes over a page's end, if one does."""
    block = parting(page)
    onward = None if following is None else first(following)
    if block is None or following is None or onward is None or onward.kind not in ("paragraph", "list"):
        return None
    begin, _ = sentence_spans(page.text[block.start : block.end])[-1]
    said = page.text[block.start + begin : block.end]
    dropped = 1 if block.overleaf == "word" and said.endswith("-") else 0
    glued = said[: len(said) - dropped] + (" " if block.overleaf == "space" else "")
    text = following.text[onward.start : onward.end]
    _, end = sentence_spans(glued + text)[0]
    if end <= len(glued):
        return None
    own = end - len(glued)
    return Rest(dropped, glued[len(glued.rstrip()) :] + text[:own], block.start + begin, onward.start + own)


def header(page: Page, before: str) -> str:
    """The header row of the table that goes on overleaf; `before` is the one that this page's first block goes on under."""
    block = next((block for block in reversed(page.blocks) if block.kind != "furniture"), None)
    if block is None or block.overleaf != "rows":
        return ""
    if block.header:
        return page.text[block.start : block.header]
    return before if block is first(page) else ""


def says(text: str) -> str:
    """What a row of furniture says whatever its numbers are; empty where that is only which page it is."""
    bare = " ".join(_NUMBER.sub("", text).casefold().split())
    return bare if sum(map(str.isalpha, _PAGE_WORDS.sub("", bare))) >= LETTERS else ""


def over_end(text: str, following: str, quote: str) -> tuple[int, int] | None:
    """Where a quote begins on its page and where it ends on the next one, where it goes over the page's end; None where it doesn't.

    Letters and digits count. What is at the foot of the one page and at the head of the other may stand between its parts."""
    wanted = "".join(letter for letter, _ in _letters(quote))
    own = _letters(text)
    after = _letters(following[: 2 * len(quote) + HEAD])
    said, its = "".join(letter for letter, _ in own), "".join(letter for letter, _ in after)
    for parted in range(len(wanted) - LEAST, LEAST - 1, -1):
        at = said.rfind(wanted[:parted], max(len(said) - parted - FOOT, 0))
        end = its.find(wanted[parted:], 0, len(wanted) - parted + HEAD) if at >= 0 else -1
        if end >= 0:
            return own[at][1], after[end + len(wanted) - parted - 1][1] + 1
    return None


def _letters(text: str) -> list[tuple[str, int]]:
    """Letters and digits without case, each with its place."""
    return [
        (letter, at)
        for at, character in enumerate(text)
        for letter in unicodedata.normalize("NFKC", character).casefold()
        if letter.isalnum()
    ]
