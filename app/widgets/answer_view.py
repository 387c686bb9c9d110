"""An answer as it is read: text that streams in, citations as small numbers that can be pressed, and what each sentence rests on.

The sentence of the chosen citation has the weak fill and the edge that the passage has on its page. A sentence without support has a dotted
amber underline and the words "No support found". The view is as high as its text; the page around it scrolls.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRect, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QImage,
    QPainter,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
)
from PySide6.QtWidgets import QSizePolicy, QTextBrowser

from app.theme.look import look
from app.widgets.basic import badge_size, paint_badge
from app.widgets.citation_chip import chip_size, paint_chip

NO_SUPPORT = "No support found"
_MARKER = re.compile(r"\s*\[(\d+)\]")
_END = re.compile(r"(?<=[.!?:;])(?:\s*\[\d+\])*(?=\s|$)|\n+")


class Support(StrEnum):
    """What a sentence rests on."""

    CITED = "cited"
    NONE = "none"
    UNSAID = "unsaid"


@dataclass(frozen=True)
class Sentence:
    """A sentence without its markers, the numbers it cites, and whether a new paragraph begins with it."""

    text: str
    numbers: tuple[int, ...] = ()
    support: Support = Support.UNSAID
    paragraph: bool = False


def sentences(text: str, supported: Sequence[int] | None = None) -> tuple[Sentence, ...]:
    """Cut an answer with markers such as `[2]` into sentences. With `supported` (the numbers whose passage holds the claim), a sentence
    that cites none of them has no support; without it, nothing is said about support."""
    found: list[Sentence] = []
    start, paragraph = 0, False
    edges = [match.end() for match in _END.finditer(text)]
    for edge in [*edges, len(text)]:
        piece = text[start:edge]
        start = edge
        numbers = tuple(int(number) for number in _MARKER.findall(piece))
        words = _MARKER.sub("", piece)
        broken = "\n" in words
        clean = " ".join(words.split())
        if not clean:
            if numbers and found:
                last = found[-1]
                numbers = (*last.numbers, *numbers)
                found[-1] = Sentence(last.text, numbers, _support(numbers, supported), last.paragraph)
            paragraph = paragraph or broken
            continue
        found.append(Sentence(clean, numbers, _support(numbers, supported), paragraph and bool(found)))
        paragraph = broken and piece.rstrip(" ").endswith("\n")
    return tuple(found)


def _support(numbers: tuple[int, ...], supported: Sequence[int] | None) -> Support:
    if supported is None:
        return Support.CITED if numbers else Support.UNSAID
    return Support.CITED if any(number in supported for number in numbers) else Support.NONE


class AnswerView(QTextBrowser):
    """`picked` gives the number of a citation that was pressed."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("bare", True)
        self.setAccessibleName("Answer")
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.document().setDocumentMargin(0)
        self.setCursorWidth(0)
        self._sentences: tuple[Sentence, ...] = ()
        self._streamed = ""
        self.chosen = 0
        self.anchorClicked.connect(self._clicked)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        look().changed.connect(self._rebuild)

    def stream(self, text: str) -> None:
        """Append what has just arrived."""
        self._streamed += text
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if self.document().isEmpty():
            cursor.setBlockFormat(self._block())
        cursor.insertText(text, self._plain())

    def show_sentences(self, found: Sequence[Sentence], chosen: int = 0) -> None:
        """Show a finished answer; the sentences of citation `chosen` are marked."""
        self._sentences, self.chosen = tuple(found), chosen
        self._rebuild()

    def choose(self, number: int) -> None:
        if number != self.chosen:
            self.chosen = number
            self._rebuild()

    def plain(self) -> str:
        """The answer as text, with its markers."""
        if not self._sentences:
            return self._streamed
        parts = []
        for sentence in self._sentences:
            parts.append("\n\n" if sentence.paragraph else " " if parts else "")
            parts.append(sentence.text + "".join(f" [{number}]" for number in sentence.numbers))
        return "".join(parts)

    def sizeHint(self) -> QSize:
        return QSize(look().px(400), self._needed())

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(120), self._needed())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event) -> None:
        event.ignore()

    def _needed(self) -> int:
        return max(look().line("answer"), round(self.document().size().height()) + 2)

    def _fit(self) -> None:
        if self.height() != self._needed():
            self.setFixedHeight(self._needed())

    def _clicked(self, url: QUrl) -> None:
        if url.scheme() == "cite":
            self.picked.emit(int(url.path()))

    def _plain(self) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setFont(look().font("answer"))
        made.setForeground(look().colour("text.primary"))
        return made

    def _block(self, first: bool = True) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setLineHeight(look().line("answer"), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        made.setTopMargin(0 if first else look().px(10))
        return made

    def _rebuild(self) -> None:
        here = look()
        if not self._sentences:
            if self._streamed:
                self.clear()
                text, self._streamed = self._streamed, ""
                self.stream(text)
            return
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.setBlockFormat(self._block())
        plain = self._plain()
        for position, sentence in enumerate(self._sentences):
            if sentence.paragraph:
                cursor.insertBlock(self._block(first=False))
            elif position:
                cursor.insertText(" ", plain)
            body = QTextCharFormat(plain)
            if sentence.support is Support.NONE:
                body.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
                body.setUnderlineColor(here.colour("warn.fg"))
            elif self.chosen and self.chosen in sentence.numbers:
                body.setBackground(here.colour("highlight.weak"))
                body.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
                body.setUnderlineColor(here.colour("highlight.edge"))
            cursor.insertText(sentence.text, body)
            for number in sentence.numbers:
                cursor.insertText("\u00a0", plain)
                self._insert_chip(cursor, number)
            if sentence.support is Support.NONE:
                cursor.insertText("\u00a0", plain)
                self._insert_badge(cursor)
        cursor.endEditBlock()
        self.setAccessibleDescription(self.plain())
        self._fit()

    def _insert_chip(self, cursor: QTextCursor, number: int) -> None:
        size = chip_size(number)
        chosen = number == self.chosen
        image = self._canvas(size)
        painter = QPainter(image)
        paint_chip(painter, QRect(0, 0, size.width(), size.height()), number, chosen)
        painter.end()
        shape = self._image(cursor, image, size, f"chip-{number}-{chosen}")
        shape.setAnchor(True)
        shape.setAnchorHref(f"cite:{number}")
        shape.setToolTip(f"Citation {number}")
        shape.setProperty(QTextImageFormat.Property.ImageAltText.value, f"citation {number}")
        cursor.insertImage(shape)

    def _insert_badge(self, cursor: QTextCursor) -> None:
        size = badge_size(NO_SUPPORT, with_icon=True)
        image = self._canvas(size)
        painter = QPainter(image)
        paint_badge(painter, QRect(0, 0, size.width(), size.height()), NO_SUPPORT, "warn", "warning")
        painter.end()
        shape = self._image(cursor, image, size, "no-support")
        shape.setProperty(QTextImageFormat.Property.ImageAltText.value, NO_SUPPORT)
        cursor.insertImage(shape)

    def _canvas(self, size: QSize) -> QImage:
        ratio = self.devicePixelRatioF()
        image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        return image

    def _image(self, cursor: QTextCursor, image: QImage, size: QSize, name: str) -> QTextImageFormat:
        where = f"answer:{name}-{look().theme}"
        self.document().addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(where), image)
        shape = QTextImageFormat()
        shape.setName(where)
        shape.setWidth(size.width())
        shape.setHeight(size.height())
        shape.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
        shape.setFont(look().font("answer"))
        return shape
