"""What a report is made of, before it is a page: headings, paragraphs, tables, quotations and figures.

A report is put into words once, and drawn as HTML and as PDF from the same blocks; so both say the same.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from core.evidence.drawing import Drawing
from core.evidence.words import shown

Style = Literal["plain", "strong", "quiet", "code", "pass", "fail", "signed", "mark"]


class Span(NamedTuple):
    """A piece of text in one style. "mark" is a highlighted passage."""

    text: str
    style: Style = "plain"


Spans = tuple[Span, ...]


class Heading(NamedTuple):
    """`level` 2 begins a section, 3 a part of one; the title is level 1."""

    level: Literal[2, 3]
    text: str


class Paragraph(NamedTuple):
    spans: Spans
    large: bool = False


class Quote(NamedTuple):
    """Somebody else's words: an answer, a passage, a prompt; `source` says whose."""

    spans: Spans
    source: Spans = ()


class Items(NamedTuple):
    items: tuple[Spans, ...]


class Pairs(NamedTuple):
    """Terms with what is said of them."""

    pairs: tuple[tuple[str, Spans], ...]


class Table(NamedTuple):
    """`numbers` are the columns to align right; `widths` are shares of the width, one a column; column 0 names its row."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    widths: tuple[float, ...]
    numbers: tuple[int, ...] = ()


class Figure(NamedTuple):
    drawing: Drawing
    caption: str


Block = Heading | Paragraph | Quote | Items | Pairs | Table | Figure


class Document(NamedTuple):
    """A whole report. `made` is an RFC 3339 time that belongs to what is reported, not to the clock of whoever renders it."""

    title: str
    subject: str
    producer: str
    made: str
    blocks: tuple[Block, ...]


def plain(value: object, style: Style = "plain") -> Spans:
    """A value of a record as one span; nothing where there is nothing to say."""
    text = shown(value)
    return (Span(text, style),) if text else ()


def joined(parts: Iterable[Spans], between: str) -> Spans:
    """The spans one after another, with words between them."""
    spans: list[Span] = []
    for part in parts:
        if spans and part:
            spans.append(Span(between))
        spans += part
    return tuple(spans)
