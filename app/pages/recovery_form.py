"""The recovery key: made once, shown once as words, and believed to be written down only when three of them are given back.

The words are never put on the clipboard nor into a file. They leave the widgets when the dialog does.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPlainTextEdit, QStackedWidget, QWidget

from app.pages.people_forms import NewPassphrase, own_passphrase
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import IconLabel, column, frame, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Check, Field, line_edit, required

ASKED = 3
COLUMNS = 4


class RecoveryForm(ActForm):
    """Before the words: what the key is, and the passphrase of the administrator who makes it."""

    def __init__(self, again: bool) -> None:
        self.own = own_passphrase()
        lines = [
            "Whoever holds these words can open the vault without anybody’s passphrase, and give people new ones.",
            "They open the content, not anybody’s signing keys: nobody can sign as somebody else with them.",
            "Write them on paper, keep the paper in a safe, and keep it apart from the machine.",
        ]
        if again:
            lines.append("The words that were made before stop working.")
        super().__init__("Make recovery key", parts=(self.own,), icon="key", consequences=lines)


class RecoverForm(ActForm):
    """The way back in for an administrator when no passphrase is left: the words, and a new passphrase."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        words = QPlainTextEdit()
        words.setPlaceholderText("The words from the paper, in their order")
        words.setTabChangesFocus(True)
        words.setFixedHeight(look().px(72))
        self.words = Field("Words", words, check=required("The recovery key"), beside=True)
        self.user = Field(
            "User name", line_edit(text=user), "Of an administrator.", required("The user name"), beside=True
        )
        self.new = NewPassphrase("The new one.")
        super().__init__(
            "Recover",
            f"The vault is {folder}.",
            (self.words, self.user, *self.new.parts),
            "key",
            title="Open with the recovery key",
            consequences=(
                "Ask another administrator first, where there is one: a reset is simpler.",
                "You get new signing keys and a card that nobody countersigned: auditors compare its fingerprint again.",
            ),
        )

    def request(self) -> tuple[str, str, str]:
        """The words, the user name and the new passphrase. Empties the fields."""
        words = " ".join(self.words.text.split())
        self.words.edit.clear()
        new, _ = self.take_secrets()
        return words, self.user.text.strip(), new


class WordsView(QFrame):
    """The words, then three of them asked back. `kept` says that they were given back; `cancelled` that the person goes away before."""

    kept = Signal()
    cancelled = Signal()

    def __init__(self, words: Sequence[str], choose: Sequence[int] | None = None) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Recovery key")
        self._words = tuple(words)
        self.asked = tuple(choose) if choose is not None else some_of(len(words))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_words())
        self._stack.addWidget(self._build_asking())
        self._title = label("Write these words down", type="title")
        self.setLayout(column(self._title, self._stack, space=12, margins=(24, 20, 24, 20)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Neither Enter nor Esc takes the words away."""
        event.accept()

    def _build_words(self) -> QWidget:
        grid = QGridLayout()
        grid.setHorizontalSpacing(look().px(20))
        grid.setVerticalSpacing(look().px(6))
        per = -(-len(self._words) // COLUMNS)
        self.shown: list[QLabel] = []
        for at, word in enumerate(self._words):
            number = label(f"{at + 1}", type="small", tone="tertiary")
            said = label(word, type="code")
            said.setAccessibleName(f"Word {at + 1}: {word}")
            self.shown.append(said)
            pair = row(number, said, None, space=8)
            number.setFixedWidth(look().px(18))
            grid.addLayout(pair, at % per, at // per)
        well = frame("sunken")
        inner = column(margins=(16, 12, 16, 12))
        inner.addLayout(grid)
        well.setLayout(inner)
        self.written = Check("I have written all of them down, in this order")
        self.next = Button("Go on", kind="primary")
        self.next.refuse("Write the words down first.")
        self.written.toggled.connect(lambda on: self.next.refuse("" if on else "Write the words down first."))
        self.next.clicked.connect(self._ask)
        made = QWidget()
        warning = row(IconLabel("warning", "warn.fg", 16), space=8)
        warning.addWidget(label("They are shown this once. Nobody can show them again.", wrap=True), 1)
        body = column(space=12)
        body.addLayout(warning)
        body.addWidget(well)
        body.addWidget(self.written)
        body.addStretch(1)
        body.addLayout(row(None, self.next))
        made.setLayout(body)
        return made

    def _build_asking(self) -> QWidget:
        self.answers = [
            Field(f"Word {number + 1}", line_edit(), check=self._check(number), beside=True) for number in self.asked
        ]
        self.back = Button("Show the words again")
        self.back.clicked.connect(lambda: self._turn(0))
        self.done = Button("Finish", "check", "primary")
        self.done.clicked.connect(self._finish)
        made = QWidget()
        body = column(
            label("Type these three words from your paper.", tone="secondary", wrap=True), *self.answers, space=10
        )
        body.addStretch(1)
        body.addLayout(row(None, self.back, self.done))
        made.setLayout(body)
        return made

    def _check(self, number: int) -> Callable[[str], str]:
        def check(text: str) -> str:
            right = text.strip().casefold() == self._words[number]
            return "" if right else f"That isn’t word {number + 1}. Look at your paper, or show the words again."

        return check

    def _ask(self) -> None:
        for field in self.answers:
            field.edit.clear()
            field.fail("")
        self._turn(1)
        self.answers[0].edit.setFocus()

    def _turn(self, to: int) -> None:
        self._stack.setCurrentIndex(to)
        self._title.setText("Write these words down" if to == 0 else "Check what you wrote")

    def _finish(self) -> None:
        wrong = [field for field in self.answers if not field.good()]
        if wrong:
            wrong[0].edit.setFocus()
            return
        self.forget()
        self.kept.emit()

    def forget(self) -> None:
        """Let go of the words."""
        self._words = ()
        for said in self.shown:
            said.clear()
            said.setAccessibleName("")
        for field in self.answers:
            field.edit.clear()


def some_of(count: int) -> tuple[int, ...]:
    """Three places, in order, that nobody knows beforehand."""
    places = list(range(count))
    return tuple(sorted(places.pop(secrets.randbelow(len(places))) for _ in range(min(ASKED, count))))
