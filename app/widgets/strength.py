"""What a passphrase is worth, in one sentence while it is typed.

No list of known passphrases is asked: an estimate from its length and its words, meant for the one danger that matters here, somebody who
has a copy of the vault's folder and guesses without end. Each guess costs them what an unlocking costs.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtWidgets import QLineEdit, QWidget

from app.widgets.basic import IconLabel, label, row

SHORTEST = 10
"""Characters, as the core asks for."""
FEWEST_DIFFERENT = 4
ICONS = {"pass": "check", "warn": "warning", "fail": "alert", "": "info"}
WORDS = 4
"""So many words chosen at random outlast any guessing that is paid for today."""


@dataclass(frozen=True)
class Strength:
    """`tone` is pass, warn or fail; the core refuses what is `fail`."""

    sentence: str
    tone: str


def strength(passphrase: str, known: Iterable[str] = ()) -> Strength:
    """Judge a passphrase. `known` are words that a colleague would try first: the user name, the printed name, the vault's."""
    plain = unicodedata.normalize("NFC", passphrase)
    if not plain:
        return Strength("Four words that have nothing to do with each other are easy to keep and hard to guess.", "")
    if len(plain.strip()) < SHORTEST:
        missing = SHORTEST - len(plain.strip())
        return Strength(
            f"Too short: {missing} more character{'' if missing == 1 else 's'}, or better, more words.", "fail"
        )
    if len(set(plain)) < FEWEST_DIFFERENT:
        return Strength("Too simple: it repeats the same characters.", "fail")
    folded = plain.casefold()
    for word in known:
        if len(word) >= 4 and word.casefold() in folded:
            return Strength(f"Easy to guess: it holds “{word}”. Take words that nobody connects with you.", "warn")
    words = {word for word in re.split(r"[\W_\d]+", folded) if len(word) >= 3}
    if len(words) >= WORDS:
        return Strength(f"Strong: {len(words)} different words. They should be chosen at random.", "pass")
    kinds = sum(
        any(test(sign) for sign in plain)
        for test in (str.islower, str.isupper, str.isdigit, lambda sign: not sign.isalnum() and not sign.isspace())
    )
    if len(plain) >= 16 and (kinds >= 3 or len(set(plain)) >= 12) and len(words) != 1:
        return Strength("Good. One more word makes it stronger than any trick with signs.", "pass")
    return Strength("Weak against somebody who copies the vault: add words until there are four.", "warn")


class StrengthLine(QWidget):
    """The sentence below a passphrase field."""

    def __init__(self, edit: QLineEdit) -> None:
        super().__init__()
        self._edit = edit
        self._known: tuple[str, ...] = ()
        self._sign = IconLabel("info", "text.tertiary", 14)
        self._words = label("", type="small", tone="secondary", wrap=True)
        layout = row(self._sign, space=6)
        layout.addWidget(self._words, 1)
        self.setLayout(layout)
        edit.textChanged.connect(lambda _: self._judge())
        self._judge()

    def know(self, *words: str) -> None:
        """Words that a colleague would try first, with their parts."""
        parts = [part for word in words for part in (word, *word.split())]
        self._known = tuple(dict.fromkeys(parts))
        self._judge()

    @property
    def text(self) -> str:
        return self._words.text()

    def _judge(self) -> None:
        found = strength(self._edit.text(), self._known)
        self._words.setText(found.sentence)
        self._sign.show_icon(ICONS[found.tone], f"{found.tone}.fg" if found.tone else "text.tertiary")
        self._edit.setAccessibleDescription(found.sentence)
