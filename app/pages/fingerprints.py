"""Comparing a fingerprint with its owner: the groups to read aloud, how each is said on the phone, and a field for what was heard."""

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.pages.person_card import PER_LINE, SIGNS, groups, spelled
from app.theme.look import look
from app.widgets.basic import column, label, restyle, row
from app.widgets.buttons import button
from app.widgets.forms import Field, line_edit

COUNT = 16
_WORDS = {word: sign for sign, word in SIGNS.items()} | {"alpha": "a", "niner": "9"}


def heard(text: str) -> str:
    """What was typed, as signs of a fingerprint: digits and letters to f, or the words of the spelling alphabet."""
    return "".join(_WORDS.get(word, word) for word in re.findall(r"[a-z]+|[0-9]+", text.casefold()))


class FingerprintGrid(QWidget):
    """A fingerprint in 16 groups of four. `mark` says of each group whether it was heard the same."""

    def __init__(self) -> None:
        super().__init__()
        self._prints: list[QLabel] = []
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(look().px(14))
        grid.setVerticalSpacing(look().px(4))
        for at in range(COUNT):
            shown = label("", type="code")
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._prints.append(shown)
            grid.addWidget(shown, at // PER_LINE, at % PER_LINE)
        grid.setColumnStretch(PER_LINE, 1)
        self._spoken = label("", type="small", tone="secondary", wrap=True)
        self._spoken.hide()
        self.read = button("Spell it out", "chat", "quiet", small=True)
        self.read.setAutoDefault(False)
        self.read.setCheckable(True)
        self.read.toggled.connect(self._spoken.setVisible)
        layout = column(space=4)
        layout.addLayout(grid)
        layout.addLayout(row(self.read, None))
        layout.addWidget(self._spoken)
        self.setLayout(layout)
        self.fingerprint = ""

    def show_print(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        found = groups(fingerprint)
        for shown, group in zip(self._prints, found, strict=True):
            shown.setText(group)
            restyle(shown, tone="primary", strong=False)
        self._spoken.setText("\n".join(f"{at + 1}. {spelled(group)}" for at, group in enumerate(found)))
        self.setAccessibleName(f"Fingerprint {' '.join(found)}")

    def mark(self, said: str) -> tuple[int, int]:
        """Show which groups were heard; gives how many are the same, and the number of the first that differs (0: none does)."""
        same = wrong = 0
        for at, (shown, group) in enumerate(zip(self._prints, groups(self.fingerprint), strict=True)):
            part = said[at * 4 : at * 4 + 4]
            whole = len(part) == len(group)
            same += part == group
            differs = bool(part) and not group.startswith(part)
            if differs and not wrong:
                wrong = at + 1
            restyle(shown, tone="fail" if differs else "pass" if whole else "primary", strong=differs)
        return same, wrong


class Comparison(QWidget):
    """A fingerprint beside what its owner reads out. `matched` says whether the whole of it was heard and is the same."""

    matched = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.grid = FingerprintGrid()
        self.said = Field(
            "What they read out",
            line_edit("Type the groups as you hear them"),
            "Let them read first: don’t read yours to them. Words like “alfa” and “seven” serve as well.",
        )
        self.result = label("", wrap=True)
        self.said.edit.textChanged.connect(self._compare)  # type: ignore[union-attr]
        self.setLayout(column(self.grid, self.said, self.result, space=8))
        self.same = False

    def show_print(self, fingerprint: str) -> None:
        self.grid.show_print(fingerprint)
        self._compare(self.said.text)

    def _compare(self, text: str) -> None:
        said = heard(text)
        same, wrong = self.grid.mark(said)
        self.same = said == self.grid.fingerprint
        if self.same:
            words, tone = f"It is the same: all {COUNT} groups.", "pass"
        elif wrong:
            words, tone = f"Group {wrong} differs. If they read it right, this card isn’t theirs: don’t use it.", "fail"
        elif len(said) > len(self.grid.fingerprint):
            words, tone = "That is more than a fingerprint has.", "fail"
        else:
            words, tone = (f"{same} of {COUNT} groups, the same so far." if said else ""), "secondary"
        self.result.setText(words)
        restyle(self.result, tone=tone)
        self.matched.emit(self.same)
