"""An example as the tokens that a model learns from: what is learned has the passage's fill and a line below, what stands before has neither."""

from collections.abc import Sequence

from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.theme.look import look

MOST = 8000
"""Parts that are shown; more are counted."""


class LearnedView(QTextEdit):
    """`show_parts` takes (text, whether it is learned), token by token."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setProperty("well", True)
        self.setAccessibleName("The example, token by token")
        self.setTabChangesFocus(True)
        self.setFixedHeight(look().px(170))
        self._parts: tuple[tuple[str, bool], ...] = ()
        look().changed.connect(self._rebuild)

    def show_parts(self, parts: Sequence[tuple[str, bool]]) -> None:
        self._parts = tuple(parts)
        learned = sum(learned for _, learned in parts)
        words = "".join(text for text, learned in parts if learned)
        self.setAccessibleDescription(f"{learned:,} of {len(parts):,} tokens are learned: {words}")
        self._rebuild()

    def _rebuild(self) -> None:
        here = look()
        self.clear()
        cursor = QTextCursor(self.document())
        block = QTextBlockFormat()
        block.setLineHeight(here.px(21), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor.setBlockFormat(block)
        before, learned = QTextCharFormat(), QTextCharFormat()
        for made in (before, learned):
            made.setFont(here.font("code"))
            made.setForeground(here.colour("text.primary"))
        before.setForeground(here.colour("text.secondary"))
        learned.setBackground(here.colour("highlight.fill"))
        learned.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        learned.setUnderlineColor(here.colour("highlight.edge"))
        for text, is_learned in self._parts[:MOST]:
            cursor.insertText(text.replace("\n", "↵\n"), learned if is_learned else before)
        if len(self._parts) > MOST:
            cursor.insertText(f"\nand {len(self._parts) - MOST:,} more", before)
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)
