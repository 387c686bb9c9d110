"""Trust files: whose signatures and whose log count. The cards of the file in use, with whole fingerprints to compare, and this vault's own to
give away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from app.pages.page import scrolled
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.basic import clear, column, frame, label, line, row
from app.widgets.buttons import button
from core.errors import BadInput
from core.jobs import Job
from core.trust import trustfile
from core.trust.cards import Card
from core.trust.trustfile import TrustFile

OWN = "This vault’s own cards"


@dataclass(frozen=True)
class KnownTrust:
    """A trust file in use: what it is called, the file, and its cards by fingerprint."""

    name: str
    file: TrustFile
    cards: tuple[tuple[str, Card], ...]

    @property
    def words(self) -> str:
        count = len(self.cards)
        made = f", made {moment(self.file.made)}" if self.file.made else ""
        return f"{count} card{'' if count == 1 else 's'}{made}"


def known(name: str, file: TrustFile) -> KnownTrust:
    return KnownTrust(name, file, tuple((str(found), card) for found, card in file.by_fingerprint().items()))


def read_trust(path: Path, job: Job) -> KnownTrust:
    """The trust file at `path`; every card in it is verified. Raises `BadInput`, `Damaged`."""
    if not path.is_file():
        raise BadInput(source=path.name, problem="there is no such file. Choose it again.")
    try:
        with path.open("rb") as stream:
            data = stream.read(trustfile.LARGEST + 1)
    except OSError as error:
        raise BadInput(source=path.name, problem=f"it can’t be read ({error.strerror}).") from error
    return known(path.name, trustfile.load(data))


class TrustView(QFrame):
    """`choose_asked`: use another trust file; `export_asked`: write this vault's."""

    choose_asked = Signal()
    export_asked = Signal()

    def __init__(self, with_vault: bool) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self._title = label("", type="heading", wrap=True)
        self._words = label("", tone="secondary", wrap=True)
        self._cards = column(space=0)
        self._logs = column(space=4)
        advice = label(
            "A card counts because it is in this file. Compare each fingerprint with its person by a way you trust: "
            "on the phone, on paper, or face to face.",
            tone="secondary",
            wrap=True,
        )
        inner = column(self._title, self._words, advice, space=4, margins=(24, 20, 24, 20))
        inner.addSpacing(look().px(10))
        inner.addWidget(label("People", strong=True))
        inner.addLayout(self._cards)
        inner.addSpacing(look().px(8))
        inner.addWidget(label("Logs", strong=True))
        inner.addLayout(self._logs)
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
        self.export = button("Export this vault’s trust file…", "fingerprint", "primary")
        self.export.clicked.connect(self.export_asked)
        if not with_vault:
            self.export.hide()
        foot = frame("panel")
        foot.setLayout(row(None, self.choose, self.export, margins=(24, 12, 24, 12)))
        layout = column(scrolled(holder), line(), foot, space=0)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.setAccessibleName("Trust file")

    def show_trust(self, trust: KnownTrust | None) -> None:
        """Show the file in use, or that there is none."""
        clear(self._cards)
        clear(self._logs)
        if trust is None:
            self._title.setText("No trust file")
            self._words.setText("Without one, a pack’s signatures can’t be tied to people.")
            self._cards.addWidget(label("Nobody", tone="secondary"))
            self._logs.addWidget(label("None", tone="secondary"))
            return
        self._title.setText(trust.name)
        self._words.setText(trust.words)
        for position, (found, card) in enumerate(trust.cards):
            if position:
                self._cards.addWidget(line())
            self._cards.addWidget(_card_row(found, card))
        for log in trust.file.logs:
            self._logs.addWidget(_selectable(label(log.vkey, type="code", tone="secondary", wrap=True)))
        if not trust.file.logs:
            self._logs.addWidget(label("None", tone="secondary"))

    def people(self) -> tuple[str, ...]:
        """What each row of cards says."""
        found: Sequence[QWidget | None] = [
            self._cards.itemAt(position).widget() for position in range(self._cards.count())
        ]
        return tuple(widget.accessibleName() for widget in found if widget is not None and widget.accessibleName())


def _card_row(found: str, card: Card) -> QWidget:
    print_words = " ".join(found[start : start + 4] for start in range(0, len(found), 4))
    head = row(
        label(card.name, strong=True), label(f"{card.user}, {', '.join(card.roles)}", tone="secondary"), None, space=8
    )
    head.addWidget(label(f"valid until {moment(card.valid_until)}", type="small", tone="secondary"))
    layout = column(space=2, margins=(0, 10, 0, 10))
    layout.addLayout(head)
    layout.addWidget(_selectable(label(print_words, type="code", tone="secondary", wrap=True)))
    made = QWidget()
    made.setLayout(layout)
    made.setAccessibleName(f"{card.name}, {card.user}, {', '.join(card.roles)}, fingerprint {found}")
    return made


def _selectable(made: QLabel) -> QLabel:
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
