"""The parse worker: bytes in, parsed pages out. It reads no file; only the reader that a document needs is imported."""

import importlib
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from core.documents import formats
from core.documents.records import PageImage
from core.documents.worker import asides, hidden
from core.documents.worker.records import (
    MOST_CHARACTERS,
    Hidden,
    Located,
    LocateQuote,
    Opened,
    OpenPages,
    Page,
    Parse,
    Parsed,
    RecognisePage,
    RenderPage,
)
from core.errors import BadInput, Unsupported
from core.records import Record
from core.workers.serving import Call, Handler

READERS: Final = {
    formats.DOCX: ("docx", "read"),
    formats.XLSX: ("xlsx", "read"),
    formats.XLS: ("xls", "read"),
    formats.PPTX: ("pptx", "read"),
    formats.HTML: ("html", "read"),
    formats.MARKDOWN: ("markdown", "read"),
    formats.CSV: ("csv", "read"),
    formats.EML: ("mail", "read"),
    formats.MSG: ("msg", "read"),
    formats.EPUB: ("epub", "read"),
    formats.RTF: ("structured", "read_rtf"),
    formats.JSON: ("structured", "read_json"),
    formats.XML: ("structured", "read_xml"),
    formats.TEXT: ("text", "read"),
}
"""Module and function by media type."""
KNOWN_PAGES: Final = 12
"""Pages whose words are kept, to look for quotes in them."""


def parse(request: Parse, call: Call) -> Parsed:
    """A document's pages. Those that are pictures only come without text, marked as such.

    Raises `BadInput` or `Unsupported` with one sentence that names the file."""
    name, data = request.name, request.data
    media = formats.media_type(name)
    formats.check_content(name, data, media)
    if media in formats.LOCKABLE:
        from core.documents.worker import locked

        data = locked.opened(name, data, request.passwords)
    parsed = _read(name, data, media, request.passwords, call)
    if not parsed.asides:
        parsed = msgspec.structs.replace(parsed, asides=asides.of(media, data))
    if parsed.pages and not any(page.text or page.textless for page in parsed.pages):
        raise BadInput(source=name, problem="no text; there is nothing to read.")
    if sum(len(page.text) for page in parsed.pages) + sum(len(one.text) for one in parsed.asides) > MOST_CHARACTERS:
        raise Unsupported(source=name, reason="over 30 million characters of text. Split it into parts.")
    sheets = tuple(hidden.by_label(parsed.pages))
    return msgspec.structs.replace(parsed, hidden=_whole_first(sheets, parsed.hidden)) if sheets else parsed


def _whole_first(whole: tuple[Hidden, ...], parts: tuple[Hidden, ...]) -> tuple[Hidden, ...]:
    """Pages that are hidden as a whole, in place of their parts."""
    pages = {one.page for one in whole}
    return tuple(
        sorted((*whole, *(one for one in parts if one.page not in pages)), key=lambda one: (one.page, one.start))
    )


def _read(name: str, data: bytes, media: str, passwords: Sequence[str], call: Call) -> Parsed:
    if media in formats.DRAWN:
        from core.documents.worker import pdf

        return pdf.read(name, data, call, passwords)
    if media == formats.ZIP:
        from core.documents.worker import archive

        return archive.read(name, data, passwords)
    if media in formats.OPEN_DOCUMENTS:
        from core.documents.worker import odf

        return odf.read(name, data, media)
    return _reader(media)(name, data)


def _reader(media: str) -> Callable[[str, bytes], Parsed]:
    module, function = READERS.get(media, READERS[formats.TEXT])
    reader: Callable[[str, bytes], Parsed] = getattr(
        importlib.import_module(f"core.documents.worker.{module}"), function
    )
    return reader


class Viewer:
    """One opened PDF or picture."""

    def __init__(self) -> None:
        self._document: Any = None
        self._words: dict[int, Any] = {}

    def open(self, request: OpenPages, call: Call) -> Opened:
        from core.documents.worker import pdf

        self._document = pdf.opened(request.name, request.data, request.passwords)
        self._words.clear()
        return Opened(pages=self._document.page_count)

    def render(self, request: RenderPage, call: Call) -> PageImage:
        from core.documents.worker import pdf

        return pdf.render(self._document, request.page, request.scale)

    def recognise(self, request: RecognisePage, call: Call) -> Page:
        from core.documents.worker import recognition

        return recognition.recognise(
            self._document, request.page, recognition.Tesseract(request.folder, request.languages)
        )

    def locate(self, request: LocateQuote, call: Call) -> Located:
        from core.documents.worker import pdf

        return pdf.locate(self._document, request.page, request.quote, self._words_of)

    def _words_of(self, number: int) -> Any:
        """The words of a page, kept for the next quote: a page is shown with all that is quoted of its document."""
        from core.documents.worker import locating, pdf

        if number not in self._words:
            if len(self._words) >= KNOWN_PAGES:
                self._words.clear()
            self._words[number] = locating.page_words(pdf.page_of(self._document, number))
        return self._words[number]


def handlers() -> Mapping[type[Record], Handler]:
    """What this worker answers."""
    mimetypes.knownfiles.clear()  # openpyxl's import reads them, and here no file of the system's can be
    viewer = Viewer()
    return {
        Parse: parse,
        OpenPages: viewer.open,
        RenderPage: viewer.render,
        LocateQuote: viewer.locate,
        RecognisePage: viewer.recognise,
    }
