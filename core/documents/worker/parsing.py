"""The parse worker: bytes in, parsed pages out. It reads no file; only the reader that a document needs is imported."""

from collections.abc import Mapping
from typing import Any

from core.documents import formats
from core.documents.records import PageImage
from core.documents.worker.records import (
    MOST_CHARACTERS,
    Located,
    LocateQuote,
    Opened,
    OpenPages,
    Parse,
    Parsed,
    RenderPage,
)
from core.errors import BadInput, Unsupported
from core.records import Record
from core.workers.serving import Call, Handler


def parse(request: Parse, call: Call) -> Parsed:
    """A document's pages. Raises `BadInput` or `Unsupported` with one sentence that names the file."""
    name, data = request.name, request.data
    media = formats.media_type(name)
    formats.check_content(name, data, media)
    parsed = _read(name, data, media, call)
    if not any(page.text for page in parsed.pages):
        raise BadInput(source=name, problem="no text; there is nothing to read.")
    if sum(len(page.text) for page in parsed.pages) > MOST_CHARACTERS:
        raise Unsupported(source=name, reason="over 30 million characters of text. Split it into parts.")
    return parsed


def _read(name: str, data: bytes, media: str, call: Call) -> Parsed:
    if media == formats.PDF:
        from core.documents.worker import pdf

        return pdf.read(name, data, call)
    if media == formats.DOCX:
        from core.documents.worker import docx

        return docx.read(name, data)
    if media == formats.HTML:
        from core.documents.worker import html

        return html.read(name, data)
    if media == formats.MARKDOWN:
        from core.documents.worker import markdown

        return markdown.read(name, data)
    if media == formats.CSV:
        from core.documents.worker import csv

        return csv.read(name, data)
    from core.documents.worker import text

    return text.read(name, data)


class Viewer:
    """One opened PDF."""

    def __init__(self) -> None:
        self._document: Any = None

    def open(self, request: OpenPages, call: Call) -> Opened:
        from core.documents.worker import pdf

        self._document = pdf.open_pdf(request.name, request.data)
        return Opened(pages=self._document.page_count)

    def render(self, request: RenderPage, call: Call) -> PageImage:
        from core.documents.worker import pdf

        return pdf.render(self._document, request.page, request.scale)

    def locate(self, request: LocateQuote, call: Call) -> Located:
        from core.documents.worker import pdf

        return pdf.locate(self._document, request.page, request.quote)


def handlers() -> Mapping[type[Record], Handler]:
    """What this worker answers."""
    viewer = Viewer()
    return {Parse: parse, OpenPages: viewer.open, RenderPage: viewer.render, LocateQuote: viewer.locate}
