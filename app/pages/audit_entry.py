"""One entry of the audit log beside the table: who, when, what, why, before and after, and the digests that prove it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.trail import MOST_NAMED, Detail, Named
from app.pages.role_matrix import act_words
from app.pages.signatures import exact_moment
from app.theme.look import look
from app.widgets.basic import clear, column, label, line, row
from app.widgets.buttons import button
from core.vault.roles import SAYS, Act

SHOWN = 12
"""Digests of each sort that are shown; the export has all."""


def said_of(act: str) -> str:
    """What an act is, in one sentence; nothing for one that this program doesn't know."""
    try:
        return SAYS[Act(act)]
    except ValueError:
        return ""


class EntryView(QWidget):
    """`proof_asked` gives the entry's number."""

    proof_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.detail: Detail | None = None
        self._title = label("", type="heading")
        self._act = label("", strong=True, wrap=True)
        self._says = label("", type="small", tone="secondary", wrap=True)
        self._facts = column(space=6)
        self._digests = column(space=4)
        self.proof = button("Save proof…", "fingerprint", small=True)
        self.proof.setToolTip("Shows somebody without the vault that this entry stands in the log")
        self.proof.clicked.connect(lambda: self.proof_asked.emit(self.detail.entry.index if self.detail else 0))
        inner = column(self._title, self._act, self._says, space=4)
        inner.addSpacing(look().px(6))
        inner.addLayout(self._facts)
        inner.addSpacing(look().px(8))
        inner.addWidget(line())
        inner.addSpacing(look().px(8))
        inner.addLayout(self._digests)
        inner.addSpacing(look().px(8))
        inner.addLayout(row(self.proof, None))
        inner.addStretch(1)
        self.setLayout(inner)

    def show_detail(self, found: Detail, people: dict[str, str]) -> None:
        """Show an entry."""
        self.detail = found
        entry = found.entry
        clear(self._facts)
        clear(self._digests)
        name = people.get(entry.user, entry.user)
        self._title.setText(f"Entry {entry.index:,}")
        self._act.setText(act_words(entry.act))
        self._says.setText(said_of(entry.act))
        self._fact("Person", f"{name} ({entry.user})" if name != entry.user else name)
        self._fact("Time", exact_moment(entry.time))
        for what, text in (
            ("About", entry.about),
            ("Reason", entry.reason),
            ("Before", entry.before or ""),
            ("After", entry.after or ""),
        ):
            if text:
                self._fact(what, text)
        self._some("Recorded", found.made)
        self._some("Concerned", found.touched)
        self._digest("Leaf of the log’s tree", found.leaf)
        self.setAccessibleName(f"Entry {entry.index}, {act_words(entry.act)}, {name}, {entry.about}")

    def _some(self, word: str, named: tuple[Named, ...]) -> None:
        for one in named[:SHOWN]:
            self._digest(f"{word}: {one.kind}", one.digest)
        if len(named) > SHOWN:
            more = f"at least {len(named) - SHOWN}" if len(named) >= MOST_NAMED else f"{len(named) - SHOWN}"
            self._digests.addWidget(label(f"and {more} more, all of them in an export", type="small", tone="secondary"))

    def _digest(self, what: str, digest: str) -> None:
        shown = label(" ".join(digest[at : at + 8] for at in range(0, len(digest), 8)), type="code", wrap=True)
        shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        shown.setAccessibleName(f"{what}: {digest}")
        self._digests.addWidget(label(what, type="small", tone="secondary"))
        self._digests.addWidget(shown)

    def _fact(self, what: str, value: str) -> None:
        name = label(what, tone="secondary")
        name.setFixedWidth(look().px(64))
        shown = label(value, wrap=True)
        shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        made = row(name, space=8)
        made.setAlignment(name, Qt.AlignmentFlag.AlignTop)
        made.addWidget(shown, 1)
        self._facts.addLayout(made)
