"""What goes on over a page's end: paragraphs whose last sentence ends overleaf, and tables whose rows go on there.

Rules: a paragraph goes on in the first text of the next page, of the same size and weight, where it ends in the middle of a sentence and that text
begins in the middle of one: with a small letter, or with any where the last line is full. Small print below it (footnotes) is passed over. A table
goes on in a table with the same columns; where that one opens with the same header row, it has its own, and else the former one's goes for it.
"""

import itertools
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.documents.worker.layout import TextBlock
from core.documents.worker.records import Joint

SIZE: Final = 0.6
"""Points between the sizes of one text."""
FULL: Final = 0.9
"""Of a paragraph's width, filled by its last line, from which it may go on with a capital letter."""
FEWEST: Final = 4
"""Words of a paragraph that goes on."""
LINES: Final = 3
"""Of one that goes on with a capital letter."""
SAME: Final = 4.0
"""Points between the edges of the same column on two pages."""

_ENDED = re.compile(r"[.!?:…。！？][\"'”’»)\]]*$")
_CONTENTS = re.compile(r"…\s*\S{1,8}$")
_OPENS = re.compile(r"(?:[•·▪◦‣●○■□➢–—*-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})[.)]|\d{1,3}(?:\.\d{1,3})+\.?)\s")
_BROKEN = re.compile(r"[^\W\d_]-$")


@dataclass(frozen=True)
class Joined:
    """The blocks of a page, and by their place how they go on overleaf."""

    blocks: tuple[TextBlock, ...]
    overleaf: dict[int, Joint]


def joined(pages: Sequence[Sequence[TextBlock]], keeps_hyphen: Callable[[str, str], bool]) -> list[Joined]:
    """The blocks of all pages, furniture left aside. `keeps_hyphen`: whether a word broken at its hyphen has one."""
    made = [list(page) for page in pages]
    found: list[dict[int, Joint]] = [{} for _ in pages]
    header: TextBlock | None = None
    for number, (page, following) in enumerate(itertools.pairwise(made)):
        if not page or not following:
            header = None
            continue
        if page[-1].kind == "table":
            header = page[-1] if page[-1].header or header is None or len(page) > 1 else header
            joint, other = _rows(page[-1], following[0], header)
            following[0] = other
            header = header if joint or other.header else None
            if joint:
                found[number][len(page) - 1] = joint
            continue
        header = None
        at = _last(page, following[0])
        if at is not None and (joint := _prose(page[at], following[0], keeps_hyphen)):
            found[number][at] = joint
    return [Joined(blocks=tuple(page), overleaf=ways) for page, ways in zip(made, found, strict=True)]


def _last(page: Sequence[TextBlock], following: TextBlock) -> int | None:
    """The place of the last text of a page that is no smaller print than what follows overleaf."""
    size = _size(following)
    for at in range(len(page) - 1, -1, -1):
        if page[at].kind == "paragraph" or page[at].kind == "list":
            if _size(page[at]) > size - SIZE:
                return at
            continue
        return None
    return None


def _prose(block: TextBlock, following: TextBlock, keeps_hyphen: Callable[[str, str], bool]) -> Joint:
    if block.kind not in ("paragraph", "list") or following.kind not in ("paragraph", "list"):
        return ""
    text, rest = block.text.rstrip(), following.text
    if (
        _ENDED.search(text)
        or _CONTENTS.search(text)
        or len(text.split()) < FEWEST
        or _OPENS.match(rest)
        or abs(_size(block) - _size(following)) > SIZE
    ):
        return ""
    if _bold(block) != _bold(following):
        return ""
    if not rest[0].islower() and not (_is_full(block) and _is_running(following) and _is_word(text[-1], rest[0])):
        return ""
    if _BROKEN.search(text) and rest[0].islower():
        return "hyphen" if keeps_hyphen(text, rest) else "word"
    return "space"


def _is_word(last: str, first: str) -> bool:
    """Whether a sentence may go on between these two characters."""
    return (last.isalnum() or last in ",)’”-–") and (first.isalnum() or first in "(“‘\"'")


def _is_full(block: TextBlock) -> bool:
    """Whether a block is running text whose last line is full."""
    edges = [(rect.x0, rect.x1) for _, _, rect in block.lines]
    left, right = min(x0 for x0, _ in edges), max(x1 for _, x1 in edges)
    return len(edges) >= LINES and edges[-1][1] - left >= FULL * (right - left) and _is_running(block)


def _is_running(block: TextBlock) -> bool:
    """Whether a block's lines are full, as a rule."""
    edges = [(rect.x0, rect.x1) for _, _, rect in block.lines]
    left, right = min(x0 for x0, _ in edges), max(x1 for _, x1 in edges)
    return len(edges) >= 2 and statistics.median(x1 - x0 for x0, x1 in edges) >= FULL * (right - left)


def _size(block: TextBlock) -> float:
    return max(block.pieces, key=lambda piece: len(piece.text)).size if block.pieces else 0.0


def _bold(block: TextBlock) -> bool:
    """Whether most of it is bold."""
    return 2 * sum(len(piece.text) for piece in block.pieces if piece.bold) > sum(
        len(piece.text) for piece in block.pieces
    )


def _rows(table: TextBlock, following: TextBlock, header: TextBlock) -> tuple[Joint, TextBlock]:
    """Whether a table goes on in the next page's first block under its header row, and that block with the header row that it has."""
    if following.kind != "table" or not _same_columns(table, following):
        return "", following
    if not header.header:
        return "", following
    said = " ".join(header.text[: header.header].split())
    first, _, _ = following.text.partition("\n")
    if " ".join(first.split()) == said:
        return "", replace(following, header=len(first) if len(first) < len(following.text) else 0)
    if not following.header or (_first_bold(header) and not _first_bold(following)):
        return "rows", replace(following, header=0)
    return "", following


def _same_columns(table: TextBlock, following: TextBlock) -> bool:
    if len(table.columns) < 2 or len(table.columns) != len(following.columns):
        return False
    return all(
        min(abs(one[0] - other[0]), abs(one[1] - other[1]), abs(sum(one) - sum(other)) / 2) <= SAME
        for one, other in zip(table.columns, following.columns, strict=True)
    )


def _first_bold(table: TextBlock) -> bool:
    pieces = table.pieces[: table.first]
    return bool(pieces) and all(piece.bold for piece in pieces)
