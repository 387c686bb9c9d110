"""Trust files: whose signatures and whose log count. The cards of the file in use, each to be compared with its person, added or removed, and
this vault's own to give away.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from app.pages.fingerprints import Comparison
from app.pages.pack_words import capped
from app.pages.page import scrolled
from app.pages.signatures import moment
from app.pages.trust_files import KnownTrust
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import Elided, clear, column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.forms import Check
from core.records import Digest
from core.trust.cards import Card, grouped

ADVICE = (
    "A card counts because it is in this file. Compare each fingerprint with its person by a way you trust: on the phone, on paper, or "
    "face to face."
)
SEALING = (
    "A pack can be sealed so that only you open it. For that you make a pair of keys, and give the public one to whoever makes packs "
    "for you. These keys only open packs; they sign nothing."
)


class TrustView(QFrame):
    """What is asked: to use another trust file, to write this vault's or one's own card, to add a card, to save what was changed, to make keys
    for sealed packs; `compare_asked` and `remove_asked` give a card's fingerprint."""

    choose_asked = Signal()
    export_asked = Signal()
    card_asked = Signal()
    add_asked = Signal()
    save_asked = Signal()
    keys_asked = Signal()
    compare_asked = Signal(str)
    remove_asked = Signal(str)

    def __init__(self, with_vault: bool) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self._with_vault = with_vault
        self._title = label("", type="heading", wrap=True)
        self._words = label("", tone="secondary", wrap=True)
        self._cards = column(space=0)
        self._logs = column(space=4)
        self.add = button("Add a card…", "person-plus", small=True)
        self.add.clicked.connect(self.add_asked)
        self.keys = button("Make keys…", "key", small=True)
        self.keys.clicked.connect(self.keys_asked)
        inner = column(
            self._title, self._words, label(ADVICE, tone="secondary", wrap=True), space=4, margins=(24, 20, 24, 20)
        )
        inner.addSpacing(look().px(10))
        inner.addLayout(row(label("People", strong=True), None, self.add))
        inner.addLayout(self._cards)
        inner.addSpacing(look().px(8))
        inner.addWidget(label("Logs", strong=True))
        inner.addLayout(self._logs)
        inner.addSpacing(look().px(8))
        inner.addWidget(line())
        inner.addSpacing(look().px(4))
        inner.addLayout(row(label("Packs sealed to you", strong=True), None, self.keys))
        inner.addWidget(label(SEALING, tone="secondary", wrap=True))
        inner.addStretch(1)
        inside = QWidget()
        inside.setMaximumWidth(look().px(860))
        inside.setLayout(inner)
        holder = QWidget()
        holder.setLayout(row(inside, space=0))
        holder.layout().setStretch(0, 1)
        holder.layout().addStretch(0)
        self.choose = button("Use another trust file…", "folder-open")
        self.choose.clicked.connect(self.choose_asked)
        self.save = button("Save the trust file…", "save")
        self.save.clicked.connect(self.save_asked)
        self.card = button("Export my card…", "roles")
        self.card.clicked.connect(self.card_asked)
        self.export = button("Export this vault’s trust file…", "fingerprint")
        self.export.clicked.connect(self.export_asked)
        for act in (self.card, self.export):
            if not with_vault:
                act.hide()
        foot = frame("panel")
        foot.setLayout(row(self.choose, None, self.card, self.export, self.save, margins=(24, 12, 24, 12)))
        layout = column(scrolled(holder), line(), foot, space=0)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.setAccessibleName("Trust file")

    def show_trust(self, trust: KnownTrust | None) -> None:
        """Show the file in use, or that there is none."""
        clear(self._cards)
        clear(self._logs)
        changed = trust is not None and trust.changed
        self.save.setVisible(changed)
        self.save.become("primary" if changed else "normal")
        self.choose.setText("Choose a trust file…" if trust is None else "Use another trust file…")
        self.choose.setAccessibleName(self.choose.text())
        self.choose.become("primary" if trust is None else "normal")
        self.export.become("primary" if self._with_vault and trust is not None and not changed else "normal")
        if trust is None:
            self._title.setText("No trust file")
            self._words.setText(
                "Without one, a pack’s signatures can’t be tied to people. Whoever makes packs gives you theirs, by another way than the "
                "packs."
            )
            self._cards.addWidget(label("Nobody", tone="secondary"))
            self._logs.addWidget(label("None", tone="secondary"))
            return
        self._title.setText(trust.name)
        self._words.setText(trust.words)
        for position, (found, card) in enumerate(trust.cards):
            if position:
                self._cards.addWidget(line())
            self._cards.addWidget(self._card_row(found, card, trust.ended(found)))
        if not trust.cards:
            self._cards.addWidget(label("Nobody", tone="secondary"))
        for log in trust.file.logs:
            self._logs.addWidget(_selectable(label(log.vkey, type="code", tone="secondary", wrap=True)))
        if not trust.file.logs:
            self._logs.addWidget(
                label("None: the history in a pack can’t be confirmed with this file.", tone="secondary", wrap=True)
            )

    def people(self) -> tuple[str, ...]:
        """What each row of cards says."""
        found: Sequence[QWidget | None] = [
            self._cards.itemAt(position).widget() for position in range(self._cards.count())
        ]
        return tuple(widget.accessibleName() for widget in found if widget is not None and widget.accessibleName())

    def _card_row(self, found: Digest, card: Card, ended: str) -> QWidget:
        head = row(label(capped(card.name, 40), strong=True), space=8)
        head.addWidget(Elided(capped(f"{card.user}, {', '.join(card.roles)}"), tone="secondary"), 1)
        until = f"withdrawn {moment(ended)}" if ended else f"valid until {moment(card.valid_until)}"
        head.addWidget(label(until, type="small", tone="fail" if ended else "secondary"))
        compare = button("Compare…", "fingerprint", "quiet", small=True)
        compare.setAccessibleName(f"Compare the fingerprint of {card.name}")
        compare.clicked.connect(lambda: self.compare_asked.emit(found))
        remove = button("Remove…", "person-minus", "quiet", small=True)
        remove.setAccessibleName(f"Remove the card of {card.name}")
        remove.clicked.connect(lambda: self.remove_asked.emit(found))
        below = row(_selectable(label(grouped(found), type="code", tone="secondary", wrap=True)), space=8)
        below.setStretch(0, 1)
        acts = column(row(compare, remove))
        acts.setAlignment(Qt.AlignmentFlag.AlignTop)
        below.addLayout(acts)
        layout = column(space=2, margins=(0, 10, 0, 10))
        layout.addLayout(head)
        layout.addLayout(below)
        made = QWidget()
        made.setLayout(layout)
        made.setAccessibleName(f"{card.name}, {card.user}, {', '.join(card.roles)}, {until}, fingerprint {found}")
        return made


class CompareForm(ActForm):
    """A fingerprint beside what its owner reads out; nothing is changed by it."""

    def __init__(self, found: Digest, card: Card) -> None:
        self.comparison = Comparison()
        self.comparison.show_print(found)
        super().__init__("Done", _who(card), (self.comparison,), title=f"Compare {card.name}’s fingerprint")
        self.cancel.hide()


class AddCardForm(ActForm):
    """A card that shall count from now on, once its fingerprint was compared."""

    def __init__(self, found: Digest, card: Card, source: str) -> None:
        self.comparison = Comparison()
        self.comparison.show_print(found)
        self.otherwise = Check(f"I compared it with {capped(card.name, 40)} on paper or face to face")
        super().__init__(
            "Add to the trust file",
            f"{_who(card)} It comes from {source}, which anybody could have made: only the comparison says whose it is.",
            (self.comparison, self.otherwise),
            "person-plus",
            title=f"Add {capped(card.name, 40)}’s card",
        )

    def check(self) -> str:
        if self.comparison.same or self.otherwise.isChecked():
            return ""
        return "Compare the fingerprint with its owner first. Whoever is in the trust file is believed."


class RemoveForm(ActForm):
    """A card that shall not count any more."""

    def __init__(self, card: Card, trust: str) -> None:
        name = capped(card.name, 40)
        super().__init__(
            "Remove",
            icon="person-minus",
            title=f"Remove {name}’s card",
            consequences=(
                f"What {name} signed can’t be confirmed with this file any more: packs that they signed become incomplete.",
                f"{trust} on the disk stays as it is until you save the changed one.",
            ),
        )


def _who(card: Card) -> str:
    return (
        f"The card says: {capped(card.name, 40)} ({capped(card.user, 40)}), {', '.join(card.roles)}, valid from {moment(card.valid_from)} "
        f"until {moment(card.valid_until)}."
    )


def _selectable(made: QLabel) -> QLabel:
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
