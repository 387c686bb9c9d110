"""Taking stretches out of a parsed document before anything else sees it: each is replaced by the mark of its kind, and positions are moved along.

Rules: what is left holds none of the redacted stretches, in text, title or labels; personal data of six characters or more go wherever the document
repeats them letter by letter, with the words that gave them away or without. Blocks, lines and places still fit the text; a stretch over several
blocks is marked in each. A block of which nothing is left goes.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from core.documents.screening.finding import texts as text_of_places
from core.documents.screening.records import MARKS, Finding
from core.documents.worker.records import Block, Line, Page, Parsed, Place
from core.guards import personal
from core.guards.cutting import Stretch, cut, merged, moves

SHORTEST = 6
"""Characters of a redacted text that is looked for elsewhere in the document."""


def redacted(parsed: Parsed, findings: Iterable[Finding]) -> Parsed:
    """The document without what was found."""
    findings = tuple(findings)
    by_page: dict[int, list[Stretch]] = {}
    for finding in findings:
        for page, start, end in finding.places:
            by_page.setdefault(page, []).append((start, end, MARKS[finding.kind]))
    if not by_page:
        return parsed
    texts = text_of_places(parsed)
    gone: dict[str, str] = {}
    for finding in findings:
        if finding.kind in personal.KINDS:
            gone |= {
                texts[page][start:end]: MARKS[finding.kind]
                for page, start, end in finding.places
                if end - start >= SHORTEST
            }
    for page, text in texts.items():
        by_page.setdefault(page, []).extend(_repeats(text, gone))
    title = cut(parsed.title, merged(by_page.get(0, ())))
    pages = tuple(_page(page, by_page.get(page.number, ()), gone) for page in parsed.pages)
    return replace(parsed, title=title, pages=pages, hidden=(), asides=())


def _repeats(text: str, gone: dict[str, str]) -> Iterable[Stretch]:
    for value, mark in gone.items():
        start = text.find(value)
        while start >= 0:
            end = start + len(value)
            if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
                yield start, end, mark
            start = text.find(value, end)


def _page(page: Page, found: Sequence[Stretch], gone: dict[str, str]) -> Page:
    stretches = list(_within_blocks(merged(found), page.blocks))
    moved_start, moved_end = moves(stretches)
    text = cut(page.text, stretches)
    blocks = []
    for block in page.blocks:
        start, end = moved_start(block.start), moved_end(block.end)
        if start < end:
            header = moved_end(block.header) if block.header else 0
            blocks.append(replace(block, start=start, end=end, header=header if header > start else 0))
    return replace(
        page,
        text=text,
        blocks=tuple(blocks),
        lines=tuple(
            Line(start=moved_start(one.start), end=max(moved_start(one.start), moved_end(one.end)), rect=one.rect)
            for one in page.lines
        ),
        label=_replaced(page.label, gone),
        places=tuple(
            Place(start=moved_start(place.start), label=_replaced(place.label, gone)) for place in page.places
        ),
    )


def _within_blocks(stretches: Sequence[Stretch], blocks: Sequence[Block]) -> Iterable[Stretch]:
    """The parts of stretches that lie in blocks; what lies between blocks is white space."""
    for start, end, mark in stretches:
        for block in blocks:
            first, last = max(start, block.start), min(end, block.end)
            if first < last:
                yield first, last, mark


def _replaced(label: str, gone: dict[str, str]) -> str:
    for text, mark in sorted(gone.items(), key=lambda one: -len(one[0])):
        label = label.replace(text, mark)
    return label
