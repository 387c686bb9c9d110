"""An answer as it is read: text that streams in, citations as small numbers that can be pressed, and what each sentence rests on.

The sentence of the chosen citation has the weak fill and the edge that the passage has on its page. A sentence without support has a dotted
amber underline and the words "No support found". The view is as high as its text; the page around it scrolls.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
from app.widgets.citation_chip import chip_size, paint_chip
from app.widgets.painting import badge_size, paint_badge

NO_SUPPORT = "No support found"
_MARK = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class Sentence:
    """A piece of an answer without its marks: the numbers that it cites, whether no passage supports it, and whether a new paragraph
    begins with it."""

    text: str
    numbers: tuple[int, ...] = ()
    unsupported: bool = False
    paragraph: bool = False


def sentences(
    text: str, citations: Sequence[tuple[int, int, int]] = (), unsupported: Sequence[tuple[int, int]] = ()
) -> tuple[Sentence, ...]:
    """Cut an answer at the spans that the core found: `citations` are (number, start, end), `unsupported` (start, end), in characters of
    `text`. What lies between spans stays as it is; marks such as `[2]` are taken out, since the numbers are drawn."""
    cited: dict[tuple[int, int], list[int]] = {}
    for number, start, end in citations:
        numbers = cited.setdefault((start, end), [])
        if number not in numbers:
            numbers.append(number)
    bare = set(unsupported)
    found: list[Sentence] = []
    paragraph, at = False, 0
    for start, end in [*sorted({*cited, *bare}), (len(text), len(text))]:
        pieces = [(text[at:start], (), False)] if start > at else []
        if end > start:
            pieces.append((text[max(at, start) : end], tuple(cited.get((start, end), ())), (start, end) in bare))
        at = max(at, end)
        for piece, numbers, alone in pieces:
            words = _MARK.sub("", piece)
            lines = [line.strip() for line in words.split("\n")]
            filled = [position for position, line in enumerate(lines) if line]
            for position in filled:
                new = bool(found) and (paragraph or position > 0)
                last = position == filled[-1]
                found.append(Sentence(" ".join(lines[position].split()), tuple(numbers) if last else (), alone, new))
                paragraph = False
            paragraph = paragraph or len(lines) - 1 > (filled[-1] if filled else 0)
    return tuple(found)


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

    def stream(self, text: str, misquoted: bool = False) -> None:
        """Append what has just arrived; a quotation that stands nowhere is marked at once."""
        self._streamed += text
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if self.document().isEmpty():
            cursor.setBlockFormat(self._block())
        plain = self._plain()
        if not misquoted:
            cursor.insertText(text, plain)
            return
        cursor.insertText(text, self._doubted(plain))
        cursor.insertText("\u00a0", plain)
        self._insert_badge(cursor)
        cursor.insertText(" ", plain)

    def show_sentences(self, found: Sequence[Sentence], chosen: int = 0) -> None:
        """Show a finished answer; the sentences of citation `chosen` are marked."""
        self._sentences, self.chosen = tuple(found), chosen
        self._rebuild()

    @property
    def shown(self) -> tuple[Sentence, ...]:
        """The sentences of the finished answer."""
        return self._sentences

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
            body = self._doubted(plain) if sentence.unsupported else QTextCharFormat(plain)
            if not sentence.unsupported and self.chosen and self.chosen in sentence.numbers:
                body.setBackground(here.colour("highlight.weak"))
                body.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
                body.setUnderlineColor(here.colour("highlight.edge"))
            cursor.insertText(sentence.text, body)
            for number in sentence.numbers:
                cursor.insertText("\u00a0", plain)
                self._insert_chip(cursor, number)
            if sentence.unsupported:
                cursor.insertText("\u00a0", plain)
                self._insert_badge(cursor)
        cursor.endEditBlock()
        self.setAccessibleDescription(self.plain())
        self._fit()

    def _doubted(self, plain: QTextCharFormat) -> QTextCharFormat:
        """Of words without support."""
        body = QTextCharFormat(plain)
        body.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        body.setUnderlineColor(look().colour("warn.fg"))
        return body

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
