"""A person's card as others see it: who they are, how long it holds, and the fingerprint in groups that can be read out on the phone."""

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.bridge.people import Person
from app.theme.look import look
from app.widgets.basic import Badge, clear, column, label, line, row
from app.widgets.buttons import Button, button

GROUP, PER_LINE = 4, 4
STATES = {
    "active": ("Active", "pass", "check"),
    "expiring": ("Card ends soon", "warn", "clock"),
    "expired": ("Card ended", "fail", "clock"),
    "revoked": ("Revoked", "unverified", "person-minus"),
}
SIGNS = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
    "a": "alfa", "b": "bravo", "c": "charlie", "d": "delta", "e": "echo", "f": "foxtrot",
}  # fmt: skip
"""A fingerprint's signs in the spelling alphabet that pilots and switchboards use."""


def groups(fingerprint: str) -> tuple[str, ...]:
    """A fingerprint in groups of four."""
    return tuple(fingerprint[start : start + GROUP] for start in range(0, len(fingerprint), GROUP))


def spelled(group: str) -> str:
    """A group as it is said on the phone."""
    return " ".join(SIGNS[sign] for sign in group)


def day(text: str) -> str:
    """A recorded time as a date."""
    if not text:
        return ""
    when = datetime.fromisoformat(text)
    return f"{when.day} {when:%b %Y}"


class PersonCard(QWidget):
    """The card with what may be done about it; buttons come from the page through `offer`."""

    def __init__(self) -> None:
        super().__init__()
        self.person: Person | None = None
        self._name = label("", type="heading", wrap=True)
        self._user = label("", tone="secondary")
        self._state = Badge("", "plain")
        self._facts = column(space=6)
        self._prints: list[QLabel] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(look().px(14))
        grid.setVerticalSpacing(look().px(4))
        for at in range(16):
            shown = label("", type="code")
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._prints.append(shown)
            grid.addWidget(shown, at // PER_LINE, at % PER_LINE)
        grid.setColumnStretch(PER_LINE, 1)
        self.export = button("Export card…", "upload", small=True)
        self.copy = button("Copy fingerprint", "copy", "quiet", small=True)
        self.read = button("Spell it out", "chat", "quiet", small=True)
        self._spoken = label("", type="small", tone="secondary", wrap=True)
        self._spoken.hide()
        self.read.setCheckable(True)
        self.read.toggled.connect(self._spoken.setVisible)
        self._acts = column(space=6)
        inner = column(self._name, self._user, row(self._state, None), 2, space=4)
        inner.addLayout(self._facts)
        inner.addSpacing(look().px(8))
        inner.addWidget(line())
        inner.addSpacing(look().px(8))
        inner.addWidget(label("Fingerprint", strong=True))
        inner.addWidget(
            label(
                "Compare it with its owner on the phone, on paper or face to face.",
                type="small",
                tone="secondary",
                wrap=True,
            )
        )
        inner.addSpacing(look().px(4))
        inner.addLayout(grid)
        inner.addSpacing(look().px(4))
        inner.addLayout(row(self.copy, self.read, None, space=4))
        inner.addWidget(self._spoken)
        inner.addSpacing(look().px(4))
        inner.addLayout(row(self.export, None))
        inner.addSpacing(look().px(8))
        inner.addWidget(line())
        inner.addSpacing(look().px(8))
        inner.addLayout(self._acts)
        inner.addStretch(1)
        self.setLayout(inner)

    def offer(self, *acts: Button) -> None:
        """Put what may be done below the card."""
        for act in acts:
            self._acts.addLayout(row(act, None))

    def show_person(self, person: Person) -> None:
        """Show somebody's card."""
        self.person = person
        words, meaning, icon = STATES[person.state]
        self._name.setText(person.name)
        self._user.setText(f"{person.user} (you)" if person.you else person.user)
        self._state.say(words, meaning, icon)
        clear(self._facts)
        self._fact("Roles", ", ".join(person.roles))
        if person.valid_from:
            self._fact("Valid from", day(person.valid_from))
            self._fact("Valid until", day(person.valid_until))
            self._fact("Countersigned by", person.issuer or "Nobody: the vault’s first card")
        if person.cards > 1:
            self._fact("Cards so far", f"{person.cards}")
        for shown, group in zip(self._prints, groups(person.card), strict=True):
            shown.setText(group)
        self._spoken.setText("\n".join(f"{at + 1}. {spelled(group)}" for at, group in enumerate(groups(person.card))))
        self.setAccessibleName(f"Card of {person.name}, {words}, fingerprint {' '.join(groups(person.card))}")

    def _fact(self, what: str, value: str) -> None:
        name = label(what, tone="secondary")
        name.setFixedWidth(look().px(120))
        made = row(name, space=8)
        made.setAlignment(name, Qt.AlignmentFlag.AlignTop)
        made.addWidget(label(value, wrap=True), 1)
        self._facts.addLayout(made)
