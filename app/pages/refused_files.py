"""The files that an import refused, each with why: listed, saved as text, and tried again with a password that is kept nowhere."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit

from app.bridge.screening import count
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.buttons import Button
from app.widgets.forms import Field, passphrase_edit, required
from app.widgets.table import Cell, Column, Table
from core.documents.formats import LOCKED
from core.documents.records import Refusal


def sentence(file: str, reason: str) -> str:
    """A refusal's reason without the file's name before it, which stands beside it already."""
    for head in (f"{file}: ", f"{Path(file).name}: "):
        if reason.startswith(head):
            reason = reason.removeprefix(head)
    return reason[:1].upper() + reason[1:]


def locked(refused: Sequence[Refusal]) -> list[Refusal]:
    """Those that a password may open."""
    return [one for one in refused if LOCKED in one.reason]


def as_text(collection: str, refused: Sequence[Refusal]) -> str:
    """The list as it is saved: a file and its reason a line."""
    lines = [f"{one.file}\t{sentence(one.file, one.reason)}" for one in refused]
    return "\n".join([f"{count(len(refused), 'file')} refused by {collection}", *lines, ""])


class RefusedFiles(ActForm):
    """`acted` says that the locked ones shall be tried with `take_secrets()`. Without a locked one there is nothing to do but to read and save."""

    saved = Signal(str)

    def __init__(self, collection: str, refused: Sequence[Refusal]) -> None:
        self._collection, self._refused = collection, tuple(refused)
        shut = len(locked(refused))
        self.table = Table(
            [
                Column("File", lambda one: Cell(Path(one.file).name, second=one.file), 220),
                Column("Why", lambda one: Cell(sentence(one.file, one.reason), tone="text.secondary")),
            ],
            "Refused files",
            height=52,
        )
        self.table.setFixedHeight(look().px(min(34 + 52 * max(len(refused), 1), 300)))
        self.why = Field("Why the chosen file was refused", _reader())
        self.keep = Button("Save as text", "save")
        self.password = Field(
            "Password",
            passphrase_edit(),
            f"Tried on {count(shut, 'file')} that {'asks' if shut == 1 else 'ask'} for one. It is kept nowhere.",
            required("The password"),
        )
        super().__init__(
            "Try again" if shut else "Close",
            parts=(self.table, self.why, self.keep, self.password),
            title=f"{count(len(refused), 'file')} refused",
        )
        self.password.setVisible(bool(shut))
        self.cancel.setVisible(bool(shut))
        self.cancel.setText("Close")
        self.keep.clicked.connect(self._save)
        self.table.chosen.connect(lambda one: self.why.edit.setPlainText(sentence(one.file, one.reason)))
        self.table.show_rows(self._refused)
        self.table.choose(0)
        self.setFocusProxy(self.password.edit if shut else self.table)

    @property
    def shut(self) -> bool:
        """Whether a password is asked for."""
        return bool(locked(self._refused))

    def _save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the list", "refused files.txt", "Text (*.txt)")
        if path:
            self.write(path)

    def write(self, path: str) -> None:
        """Write the list to a file."""
        try:
            Path(path).write_text(as_text(self._collection, self._refused), encoding="utf-8")
        except OSError:
            self.refuse(f"{Path(path).name} can’t be written there. Choose another folder.")
        else:
            self.saved.emit(Path(path).name)


def _reader() -> QPlainTextEdit:
    made = QPlainTextEdit()
    made.setReadOnly(True)
    made.setTabChangesFocus(True)
    made.setFixedHeight(look().px(54))
    return made
