"""Passages of two texts beside each other, a row each, with a word that says how they stand to each other.

What is in one only is struck through or underlined and coloured, and its row says so in a word. The row that a person is at has a mark before
its word. A screen reader reads the table's text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableFormat,
)
from PySide6.QtWidgets import QTextEdit

from app.theme.look import look

MARK = "▸ "
Run = tuple[str, str]
"""How it stands ("same", "gone", "new"), and the words."""


@dataclass(frozen=True)
class BesideRow:
    """A word, and on either side where it stands and its runs; a side without runs is empty."""

    word: str
    places: tuple[str, str]
    sides: tuple[tuple[Run, ...], tuple[Run, ...]]


class BesideText(QTextEdit):
    """`show_rows` shows rows, `mark` goes to one."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setProperty("bare", True)
        self.setAccessibleName("Passages beside each other")
        self._rows: tuple[BesideRow, ...] = ()
        self._names = ("", "")
        self._at: int | None = None
        self._table: QTextTable | None = None
        look().changed.connect(self._rebuild)

    def show_rows(self, names: tuple[str, str], rows: Sequence[BesideRow]) -> None:
        self._names, self._rows, self._at = names, tuple(rows), None
        self._rebuild()
        self.verticalScrollBar().setValue(0)

    def mark(self, at: int) -> None:
        """Go to a row."""
        before, self._at = self._at, at
        for place in {before, at} - {None}:
            self._say_word(place)  # type: ignore[arg-type]
        if self._table is not None:
            spot = self._table.cellAt(at + 1, 0).firstCursorPosition()
            self.setTextCursor(spot)
            top = self.cursorRect(spot).top() + self.verticalScrollBar().value()
            self.verticalScrollBar().setValue(max(0, top - self.viewport().height() // 3))

    def _rebuild(self) -> None:
        here = look()
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        shape = QTextTableFormat()
        shape.setBorder(1)
        shape.setBorderCollapse(True)
        shape.setBorderBrush(here.colour("border.subtle"))
        shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        shape.setCellPadding(here.px(6))
        shape.setCellSpacing(0)
        shape.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        shape.setHeaderRowCount(1)
        lengths = QTextLength.Type
        shape.setColumnWidthConstraints(
            [
                QTextLength(lengths.PercentageLength, 14),
                QTextLength(lengths.PercentageLength, 43),
                QTextLength(lengths.PercentageLength, 43),
            ]
        )
        self._table = cursor.insertTable(len(self._rows) + 1, 3, shape)
        for column, name in enumerate(("", *self._names)):
            self._table.cellAt(0, column).firstCursorPosition().insertText(name, self._format("head"))
        for place in range(len(self._rows)):
            self._fill(place)
        cursor.endEditBlock()

    def _fill(self, place: int) -> None:
        row = self._rows[place]
        self._say_word(place)
        height = QTextBlockFormat()
        height.setLineHeight(look().line("body"), QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        for column, (where, runs) in enumerate(zip(row.places, row.sides, strict=True), 1):
            if not runs or self._table is None:
                continue
            cell = self._table.cellAt(place + 1, column).firstCursorPosition()
            cell.setBlockFormat(height)
            cell.insertText(where, self._format("place"))
            cell.insertBlock(height)
            for number, (kind, words) in enumerate(runs):
                cell.insertText(" " if number else "", self._format("same"))
                cell.insertText(words, self._format(kind))

    def _say_word(self, place: int) -> None:
        if self._table is None:
            return
        cell = self._table.cellAt(place + 1, 0)
        spot = cell.firstCursorPosition()
        spot.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
        at = place == self._at
        spot.insertText(f"{MARK if at else ''}{self._rows[place].word}", self._format("at" if at else "word"))
        shade = cell.format().toTableCellFormat()
        shade.setBackground(look().colour("surface.selected") if at else Qt.BrushStyle.NoBrush)
        cell.setFormat(shade)

    def _format(self, kind: str) -> QTextCharFormat:
        here = look()
        shape = QTextCharFormat()
        shape.setFont(
            here.font("small" if kind in ("place", "word", "at") else "body", 600 if kind in ("head", "at") else 400)
        )
        tone = {"place": "text.tertiary", "word": "text.secondary"}.get(kind, "text.primary")
        shape.setForeground(here.colour(tone))
        if kind == "new":
            shape.setBackground(here.colour("diff.ins_bg"))
            shape.setForeground(here.colour("diff.ins_fg"))
            shape.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        elif kind == "gone":
            shape.setBackground(here.colour("diff.del_bg"))
            shape.setForeground(here.colour("diff.del_fg"))
            shape.setFontStrikeOut(True)
        return shape
