"""A prompt as a model sees it: each token apart from the next by a hairline of colour, special tokens boxed, messages named in the margin.

Nothing rests on colour: special tokens have a frame, and each token says its number, its id and where it comes from when it is pointed at.
"""

from collections.abc import Sequence

from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.theme.look import look
from app.widgets.code_view import box_format
from core.inference.records import PromptToken

MOST = 6000
"""Tokens that are shown; more are counted."""


class TokenView(QTextEdit):
    """`show_tokens` shows them in order."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setProperty("well", True)
        self.setAccessibleName("The prompt, token by token")
        self.setTabChangesFocus(True)
        self._tokens: tuple[PromptToken, ...] = ()
        self._roles: tuple[str, ...] = ()
        look().changed.connect(self._rebuild)

    def show_tokens(self, tokens: Sequence[PromptToken], roles: Sequence[str]) -> None:
        """Show tokens; `roles` are those of the messages that they came from."""
        self._tokens, self._roles = tuple(tokens), tuple(roles)
        self._rebuild()

    def _rebuild(self) -> None:
        here = look()
        self.clear()
        cursor = QTextCursor(self.document())
        block = QTextBlockFormat()
        block.setLineHeight(here.px(21), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor.setBlockFormat(block)
        formats = [QTextCharFormat(), QTextCharFormat()]
        for made, surface in zip(formats, ("surface.panel", "surface.selected"), strict=True):
            made.setFont(here.font("code"))
            made.setForeground(here.colour("text.primary"))
            made.setBackground(here.colour(surface))
        special = box_format("signed")
        name = QTextCharFormat()
        name.setFont(here.font("small", 600))
        name.setForeground(here.colour("text.secondary"))
        owner: int | None = None
        for number, token in enumerate(self._tokens[:MOST]):
            if token.message is not None and token.message != owner:
                owner = token.message
                if cursor.position():
                    cursor.insertBlock(block)
                cursor.insertText(f"{self._role(owner)}  ", name)
            made = QTextCharFormat(special if token.special else formats[number % 2])
            made.setToolTip(self.words(number))
            cursor.insertText(f" {token.text} " if token.special else _shown(token.text), made)
        if len(self._tokens) > MOST:
            cursor.insertBlock(block)
            cursor.insertText(f"and {len(self._tokens) - MOST:,} more", name)
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)

    def words(self, number: int) -> str:
        """What a token says of itself."""
        token = self._tokens[number]
        source = (
            "from the template" if token.message is None else f"from the {self._role(token.message).lower()} message"
        )
        kind = ", steers the model" if token.special else ""
        return f"Token {number + 1:,}, id {token.id:,}, {source}{kind}"

    def _role(self, message: int) -> str:
        role = self._roles[message] if message < len(self._roles) else "text"
        return role.capitalize()


def _shown(text: str) -> str:
    """A token's text, with the ends of lines made visible."""
    return text.replace("\n", "↵\n")
