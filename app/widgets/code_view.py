"""Text as it is, in the mono face: an editor for prompts with line numbers, and the parts that it shares with the diff and with signing.

Only Jinja is coloured, in the accent. An error marks its line. Where a person signs, characters that nobody can see are boxed with their names.
"""

import re

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from app.theme.look import look

JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


class _Jinja(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        look().changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        shape = QTextCharFormat()
        shape.setForeground(look().colour("text.link"))
        for match in JINJA.finditer(text):
            self.setFormat(match.start(), match.end() - match.start(), shape)


class CodeEditor(QPlainTextEdit):
    """An editor with line numbers. `mark_error(line)` marks a line, counted from 1; 0 takes the mark away."""

    def __init__(self, says: str, read_only: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(says)
        self.setProperty("well", True)
        self.setProperty("mono", True)
        self.setReadOnly(read_only)
        self.setTabChangesFocus(True)
        self._error = 0
        self._margin = _Numbers(self)
        self._jinja = _Jinja(self.document())
        self.blockCountChanged.connect(self._rescale)
        self.updateRequest.connect(self._follow)
        self._rescale()
        look().changed.connect(self._rescale)

    def mark_error(self, line: int) -> None:
        self._error = line
        marks = []
        if line:
            mark = QTextEdit.ExtraSelection()
            mark.format.setBackground(look().colour("fail.tint"))
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection.value, True)
            mark.cursor = self.textCursor()
            mark.cursor.setPosition(self.document().findBlockByNumber(line - 1).position())
            marks.append(mark)
        self.setExtraSelections(marks)
        self._margin.update()

    def margin_width(self) -> int:
        digits = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("0") * digits + look().px(18)

    def paint_numbers(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self._margin)
        painter.setFont(here.font("code"))
        block = self.firstVisibleBlock()
        while block.isValid():
            area = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if area.top() > event.rect().bottom():
                break
            wrong = block.blockNumber() + 1 == self._error
            painter.setPen(here.colour("fail.fg" if wrong else "text.tertiary"))
            box = QRect(0, int(area.top()), self._margin.width() - here.px(10), self.fontMetrics().lineSpacing())
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(block.blockNumber() + 1)
            )
            block = block.next()
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        area = self.contentsRect()
        self._margin.setGeometry(QRect(area.left(), area.top(), self.margin_width(), area.height()))

    def _follow(self, area: QRect, moved: int) -> None:
        if moved:
            self._margin.scroll(0, moved)
        else:
            self._margin.update(0, area.y(), self._margin.width(), area.height())

    def _rescale(self) -> None:
        self.setFont(look().font("code"))
        self.document().setDefaultFont(look().font("code"))
        self.setViewportMargins(self.margin_width(), 0, 0, 0)
        self._margin.update()


class _Numbers(QWidget):
    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.margin_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_numbers(event)


def box_format(colour_name: str = "warn") -> QTextCharFormat:
    """How a boxed character's name is written."""
    here = look()
    shape = QTextCharFormat()
    shape.setFont(here.font("code", 600))
    shape.setBackground(here.colour(f"{colour_name}.tint"))
    shape.setForeground(here.colour(f"{colour_name}.fg"))
    shape.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
    shape.setUnderlineColor(QColor(here.colour(f"{colour_name}.line")))
    return shape
