"""The reading pane of a page: goes through the citations of an answer, or through the pages of a document, and shows each with its marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.bridge.operations import Failure
from app.bridge.reading import Quote, Reading, read_page
from app.pages.page import Shell
from app.widgets.basic import shorten
from app.widgets.page_view import Mark, PageView


@dataclass(frozen=True)
class Cited:
    """A citation as the reader needs it."""

    number: int
    document: str
    page: int
    quote: str


class Reader(QObject):
    """Fills `view`. `chose` gives the number of the citation that is shown; `failed` a `Failure`."""

    chose = Signal(int)
    failed = Signal(object)

    def __init__(self, shell: Shell, view: PageView) -> None:
        super().__init__(view)
        self._shell, self.view = shell, view
        self._cited: tuple[Cited, ...] = ()
        self._at = -1
        self._reading: Reading | None = None
        self._asked = 0
        view.page_asked.connect(self._turn)
        view.passage_asked.connect(self._step)
        view.picked.connect(self.choose)

    def show_citations(self, cited: Sequence[Cited], number: int) -> None:
        """Take the citations of an answer and go to one of them."""
        self._cited = tuple(cited)
        self._at = -1
        self.choose(number)

    def choose(self, number: int) -> None:
        """Go to a citation by its number."""
        for position, found in enumerate(self._cited):
            if found.number == number and position != self._at:
                self._at = position
                self._read(found.document, found.page)
                self.chose.emit(number)
                return

    def show_document(self, digest: str, page: int = 1) -> None:
        """Show a document without citations."""
        self._cited, self._at = (), -1
        self._read(digest, page)

    @property
    def reading(self) -> Reading | None:
        return self._reading

    def _step(self, step: int) -> None:
        numbers = list(dict.fromkeys(found.number for found in self._cited))
        if not numbers:
            return
        here = self._cited[self._at].number if 0 <= self._at < len(self._cited) else numbers[0]
        self.choose(numbers[(numbers.index(here) + step) % len(numbers)])

    def _turn(self, step: int) -> None:
        if self._reading is not None:
            page = self._reading.page + step
            if 1 <= page <= self._reading.document.pages:
                self._read(self._reading.digest, page)

    def _read(self, digest: str, page: int) -> None:
        self._asked += 1
        asked = self._asked
        quotes = tuple(
            Quote(found.number, found.quote, found.page < page)
            for found in self._cited
            if found.document == digest and found.page in (page, page - 1)
        )

        def done(found: Reading) -> None:
            if asked == self._asked:
                self._show(found)

        def failed(found: Failure) -> None:
            if asked == self._asked:
                self.failed.emit(found)

        self._shell.operations.run(
            "Show a page", lambda bench, job: read_page(bench, job, digest, page, quotes), done, failed
        )

    def _show(self, found: Reading) -> None:
        self._reading = found
        view, document = self.view, found.document
        current = self._cited[self._at].number if 0 <= self._at < len(self._cited) else 0
        added = document.added[:10]
        about = (found.state, document.name, found.where, f"added {added}", f"sha256 {shorten(document.content)}")
        view.say_document(document.title or document.name, " · ".join(part for part in about if part))
        view.say_page(found.page, document.pages)
        numbers = list(dict.fromkeys(cited.number for cited in self._cited))
        view.say_passage(
            current, numbers.index(current) + 1 if current in numbers else 0, len(numbers) if current else 0
        )
        if found.image is None:
            view.show_text(found.text, found.quotes)
            return
        image = QImage(
            found.image.pixels,
            found.image.width,
            found.image.height,
            found.image.width * 3,
            QImage.Format.Format_RGB888,
        )
        marks = [Mark(number, rects, number == current) for number, rects in found.places]
        view.show_page(image.copy(), found.image.scale, marks)
