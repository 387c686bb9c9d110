"""A document's page with its passages, read off the UI thread: as a picture where the format has pages, as text where it has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Unsupported
from core.jobs import Job
from core.records import Digest

if TYPE_CHECKING:
    from core.documents.records import Document, PageImage
    from core.workbench import Workbench

ZOOM = 2.0
"""Pixels per point of a rendered page: sharp at 150 % on an ordinary screen."""


@dataclass(frozen=True)
class Quote:
    """What shall be marked: a citation's number and its words on the page."""

    number: int
    text: str
    before: bool = False
    """Whether it begins on the page before this one; it is marked where it goes on here."""


@dataclass(frozen=True)
class Reading:
    """A page that was read: its picture or its text, and where the quotes stand on it, in points."""

    document: "Document"
    digest: str
    page: int
    image: "PageImage | None"
    text: str
    places: tuple[tuple[int, tuple[tuple[float, float, float, float], ...]], ...]
    quotes: tuple[str, ...]
    where: str = ""
    """Where the first quote, or else the page, comes from: "sheet Costs, A5:D5", "line 12"."""
    state: str = ""
    """That this version is no longer searched, and since when; empty while it is."""


def read_page(bench: "Workbench", job: Job, digest: str, page: int, quotes: Sequence[Quote] = ()) -> Reading:
    """Read one page. Raises `NotFound`, `Damaged`, `WorkerFailed`, `Refused`."""
    key = Digest(digest)
    document = bench.documents.show(key)
    page = max(1, min(page, document.pages))
    image, text = None, ""
    places: list[tuple[int, tuple[tuple[float, float, float, float], ...]]] = []
    try:
        image = bench.documents.page(key, page, ZOOM)
    except Unsupported:
        text = bench.documents.text(key, page)
    if image is not None:
        for quote in quotes:
            if quote.before:
                rects = bench.documents.locate_overleaf(key, page - 1, quote.text)
            else:
                rects = bench.documents.locate(key, page, quote.text)
            if quote.before and not rects:
                continue
            places.append((quote.number, tuple((rect.x0, rect.y0, rect.x1, rect.y1) for rect in rects)))
    own = [quote.text for quote in quotes if not quote.before]
    at = max(text.find(own[0]), 0) if own and text else 0
    where = bench.documents.place(key, page, at) if image is None else ""
    return Reading(document, digest, page, image, text, tuple(places), tuple(own), where, _state(bench, key))


def _state(bench: "Workbench", document: Digest) -> str:
    since, replaced = bench.documents.out_of_search(document)
    if not since:
        return ""
    return f"Earlier version, replaced {since[:10]}" if replaced else f"No longer searched since {since[:10]}"
