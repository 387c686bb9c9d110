"""Two versions word by word: added is blue with an underline, removed is orange and struck through, never red and green.

The parts come from the core as (kind, text) with kind "same", "added" or "removed"; this view numbers the lines of the new text and says in
words how many changed. A screen reader hears "added" and "removed".
"""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTableFormat,
)
from PySide6.QtWidgets import QSizePolicy, QTextEdit, QWidget

from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.code_view import JINJA

Part = tuple[str, str]


def lines_of(parts: Sequence[Part]) -> tuple[tuple[int | None, tuple[Part, ...]], ...]:
    """The parts cut into lines: (number in the new text, or None for a line that is only removed; its parts)."""
    lines: list[list[Part]] = [[]]
    for kind, text in parts:
        pieces = text.split("\n")
        for position, piece in enumerate(pieces):
            if position:
                lines.append([])
            if piece:
                lines[-1].append((kind, piece))
    numbered: list[tuple[int | None, tuple[Part, ...]]] = []
    number = 0
    for line in lines:
        gone = bool(line) and all(kind == "removed" for kind, _ in line)
        if not gone:
            number += 1
        numbered.append((None if gone else number, tuple(line)))
    return tuple(numbered)


def changed_lines(parts: Sequence[Part]) -> tuple[int, int]:
    """How many lines differ, of how many."""
    lines = lines_of(parts)
    return sum(any(kind != "same" for kind, _ in line) for _, line in lines), sum(
        number is not None for number, _ in lines
    )


class DiffText(QTextEdit):
    """The text itself, as high as it needs to be."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setProperty("well", True)
        self.setAccessibleName("Changes")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._parts: tuple[Part, ...] = ()
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        look().changed.connect(self._rebuild)

    def show_parts(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self._rebuild()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event) -> None:
        event.ignore()

    def sizeHint(self) -> QSize:
        return QSize(look().px(360), self.height())

    def _fit(self) -> None:
        needed = round(self.document().size().height()) + 2 * look().px(6) + 2
        if needed != self.height():
            self.setFixedHeight(needed)

    def _rebuild(self) -> None:
        here = look()
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        lines = lines_of(self._parts)
        shape = QTextTableFormat()
        shape.setBorder(0)
        shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        shape.setCellPadding(0)
        shape.setCellSpacing(0)
        shape.setColumnWidthConstraints(
            [
                QTextLength(QTextLength.Type.FixedLength, here.px(38)),
                QTextLength(QTextLength.Type.PercentageLength, 100),
            ]
        )
        table = cursor.insertTable(max(1, len(lines)), 2, shape)
        height = QTextBlockFormat()
        height.setLineHeight(here.line("code"), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        right = QTextBlockFormat(height)
        right.setAlignment(Qt.AlignmentFlag.AlignRight)
        right.setRightMargin(here.px(10))
        for position, (number, parts) in enumerate(lines):
            margin = table.cellAt(position, 0).firstCursorPosition()
            margin.setBlockFormat(right)
            margin.insertText("" if number is None else str(number), self._format("number"))
            body = table.cellAt(position, 1).firstCursorPosition()
            body.setBlockFormat(height)
            before = ""
            for kind, text in parts:
                if before == "removed" and kind == "added":
                    body.insertText(" ", self._format("same"))  # a gap, so that the two fills don't touch
                self._insert(body, kind, text)
                before = kind
        cursor.endEditBlock()
        self.setAccessibleDescription(spoken(self._parts))
        self._fit()

    def _insert(self, cursor: QTextCursor, kind: str, text: str) -> None:
        at = 0
        for match in JINJA.finditer(text) if kind == "same" else ():
            cursor.insertText(text[at : match.start()], self._format(kind))
            cursor.insertText(match.group(), self._format("jinja"))
            at = match.end()
        cursor.insertText(text[at:], self._format(kind))

    def _format(self, kind: str) -> QTextCharFormat:
        here = look()
        shape = QTextCharFormat()
        shape.setFont(here.font("code"))
        shape.setForeground(here.colour("text.primary"))
        if kind == "number":
            shape.setForeground(here.colour("text.tertiary"))
        elif kind == "jinja":
            shape.setForeground(here.colour("text.link"))
        elif kind == "added":
            shape.setBackground(here.colour("diff.ins_bg"))
            shape.setForeground(here.colour("diff.ins_fg"))
            shape.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        elif kind == "removed":
            shape.setBackground(here.colour("diff.del_bg"))
            shape.setForeground(here.colour("diff.del_fg"))
            shape.setFontStrikeOut(True)
        return shape


def spoken(parts: Sequence[Part]) -> str:
    """The changes in words, for a screen reader."""
    words = {"added": "added", "removed": "removed"}
    return "; ".join(f"{words[kind]}: {text.strip()}" for kind, text in parts if kind in words and text.strip())


class DiffView(QWidget):
    """The changes with their legend and their count."""

    def __init__(self) -> None:
        super().__init__()
        self.text = DiffText()
        self._count = label("", type="small", tone="secondary")
        self._added, self._removed = _Legend("Added", "added"), _Legend("Removed", "removed")
        self.setLayout(column(self.text, row(self._added, self._removed, None, self._count, space=12), space=6))

    def show_parts(self, parts: Sequence[Part]) -> None:
        self.text.show_parts(parts)
        changed, total = changed_lines(parts)
        self._count.setText(f"{changed} of {total} lines changed" if changed else "Nothing changed")


class _Legend(QWidget):
    def __init__(self, word: str, kind: str) -> None:
        super().__init__()
        self._word, self._kind = word, kind
        self._label = label(word, type="small")
        self.setLayout(row(self._label))
        self._rescale()
        look().changed.connect(self._rescale)

    def _rescale(self) -> None:
        here = look()
        names = (
            ("diff.ins_bg", "diff.ins_fg", "underline")
            if self._kind == "added"
            else ("diff.del_bg", "diff.del_fg", "line-through")
        )
        back, fore, line = here.colour(names[0]).name(), here.colour(names[1]).name(), names[2]
        self._label.setStyleSheet(
            f"background: {back}; color: {fore}; text-decoration: {line}; padding: 0 {here.px(4)}px;"
        )
