"""Erasing for good, by law: choose, see exactly what goes and what stays, then sign."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from app.bridge.keeping import ONE, ToErase, named, plain
from app.bridge.opening import size
from app.bridge.operations import Operations
from app.pages.content_picker import ContentPicker
from app.pages.page import side_pane
from app.pages.signatures import moment
from app.widgets.basic import Card, Elided, IconLabel, clear, column, frame, label, line, row
from app.widgets.beside import Beside
from app.widgets.buttons import button, icon_button
from app.widgets.forms import Check
from app.widgets.table import Cell, Column, Table

if TYPE_CHECKING:
    from core.vault.erasure import Doomed, Plan
    from core.vault.retention import Due

SHOWN = 8
"""Chosen things that are listed beside the list."""
STONE = "A signed tombstone: that something was erased, when, by whom and why. It names nothing of the content."


class EraseView(QWidget):
    """`preview_asked` gives a `ToErase`; `erase_asked` says that the one that is shown shall be done."""

    preview_asked = Signal(object)
    erase_asked = Signal()

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self.plan: Plan | None = None
        self.wanted: ToErase | None = None
        self.picker = ContentPicker(operations)
        self.picker.layout().setContentsMargins(16, 12, 16, 10)
        self.picker.changed.connect(self._tell)
        self._chosen = Card("To erase")
        self._rows = column(space=4)
        self.quoting = Check("Also what quotes them")
        self.quoting.setToolTip("Answers and outcomes that repeat parts of what goes")
        self.copies = Check("Also copies of documents")
        self.copies.setToolTip("Documents with the same bytes, in any collection")
        self.preview = button("Preview", "shown", "primary")
        self.preview.clicked.connect(lambda: self.preview_asked.emit(self.request()))
        self.clear = button("Clear", kind="link", small=True)
        self.clear.clicked.connect(lambda: self.picker.drop())
        self._chosen.body.addLayout(self._rows)
        self._chosen.body.addWidget(line())
        self._chosen.body.addWidget(self.quoting)
        self._chosen.body.addWidget(self.copies)
        self._chosen.body.addLayout(row(self.preview, None, self.clear))
        self._side = side_pane(self._chosen, width=320)
        choosing = Beside(self.picker, self._side, 320)

        self.table = Table(
            (
                Column("Kind", lambda item: Cell(ONE.get(item.kind, item.kind), tone="text.secondary"), 104, spare=2),
                Column("What goes", lambda item: Cell(item.label)),
                Column(
                    "Recorded",
                    lambda item: Cell(moment(item.time), tone="text.secondary", spoken=item.time),
                    160,
                    spare=1,
                ),
                Column("Kept by the hold", _hold_cell, 160),
            ),
            "What would be erased",
        )
        self._sum = label("", type="heading", wrap=True)
        self._held = label("", tone="warn", wrap=True)
        self._held_sign = IconLabel("lock", "warn.fg", 16)
        self.back = button("Back", "left")
        self.back.clicked.connect(self.show_choice)
        self.erase = button("Erase…", "stamp", "primary")
        self.erase.clicked.connect(self.erase_asked)
        held = row(self._held_sign, self._held, space=6)
        held.setStretch(1, 1)
        words = column(self._sum, space=4)
        words.addLayout(held)
        said = QWidget()
        said.setLayout(words)
        said.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        head = row(space=10, margins=(20, 12, 16, 12))
        head.addWidget(said, 1)
        head.addWidget(self.back)
        head.addWidget(self.erase)
        self._stays = Card("What stays")
        self._remains = column(space=6)
        self._stays.body.addLayout(self._remains)
        self._stays_side = side_pane(self._stays, width=320)
        top = frame("panel")
        top.setLayout(head)
        shown = QWidget()
        inner = column(top, line(), space=0)
        inner.addWidget(Beside(self.table, self._stays_side, 320), 1)
        shown.setLayout(inner)
        self._previewing = shown
        self._stack = QStackedWidget()
        self._stack.addWidget(choosing)
        self._stack.addWidget(shown)
        self.setLayout(column(self._stack, space=0))
        self._tell()

    def request(self) -> ToErase:
        """What was chosen, and what shall go with it."""
        return ToErase(tuple(self.picker.chosen.values()), self.quoting.isChecked(), self.copies.isChecked())

    @property
    def previewing(self) -> bool:
        return self._stack.currentWidget() is self._previewing

    def show_choice(self) -> None:
        self.plan = self.wanted = None
        self._stack.setCurrentIndex(0)
        self.picker.table.setFocus()

    def show_plan(self, wanted: ToErase, plan: "Plan", refused: str) -> None:
        """What would go and what would stay; `refused` says why this person can't do it."""
        self.plan, self.wanted = plan, wanted
        self.table.show_rows(plan.items)
        self._sum.setText(gone_words(plan))
        holds = dict.fromkeys(name for item in plan.held for name in item.holds)
        names = ", ".join(holds)
        count = len(plan.held)
        self._held.setText(
            f"The hold{'s' if len(holds) > 1 else ''} {names} keep{'' if len(holds) > 1 else 's'} {count:,} of"
            f" {len(plan.items):,}, so nothing is erased until {'they are' if len(holds) > 1 else 'it is'} released."
            if holds
            else ""
        )
        self._held.setVisible(bool(holds))
        self._held_sign.setVisible(bool(holds))
        self.erase.refuse(refused or (f"Holds keep {count:,} of them." if holds else ""))
        clear(self._remains)
        for sentence in stays(plan):
            self._remains.addWidget(label(sentence, wrap=True))
        self._stack.setCurrentWidget(self._previewing)
        (self.erase if self.erase.isEnabled() else self.back).setFocus()

    def begin_anew(self) -> None:
        """Nothing is chosen any more: what was, is gone."""
        self.picker.drop()
        self.quoting.setChecked(False)
        self.copies.setChecked(False)
        self.show_choice()
        self.picker.search()

    def panes(self) -> list[QWidget]:
        return [self.table, self._stays_side] if self.previewing else [self.picker, self._side]

    def _tell(self) -> None:
        clear(self._rows)
        some = list(self.picker.chosen.values())
        if not some:
            self._rows.addWidget(label("Nothing is chosen yet. Choose in the list, then see what would go.", wrap=True))
        for one in some[:SHOWN]:
            drop = icon_button("close", f"Don’t erase {one.label}")
            drop.clicked.connect(lambda _=False, which=one: self.picker.drop(which))
            made = row(Elided(named(one.kind, one.label), middle=True), drop, space=4)
            made.setStretch(0, 1)
            self._rows.addLayout(made)
        if len(some) > SHOWN:
            self._rows.addWidget(label(f"and {len(some) - SHOWN:,} more", tone="secondary"))
        self.preview.refuse("" if some else "Choose something first.")
        self.clear.setVisible(bool(some))


def gone_words(plan: "Plan") -> str:
    """How much goes, in a sentence."""
    records = f"{plan.records:,} record{'' if plan.records == 1 else 's'}"
    files = f" and {plan.blobs:,} file{'' if plan.blobs == 1 else 's'} ({size(plan.bytes)})" if plan.blobs else ""
    return f"{records}{files} would go for good."


def stays(plan: "Plan") -> list[str]:
    """What stays, in sentences: the tombstone first."""
    return [STONE, *(plain(sentence) for sentence in plan.remains)]


def plan_text(plan: "Plan") -> str:
    """What somebody signs who erases by law: what goes, one a line, and what stays."""
    items = [f"  {named(item.kind, item.label)}" for item in plan.items]
    return "\n".join(
        [
            "Erase for good:",
            *items,
            "",
            gone_words(plan).replace("would go", "go"),
            "",
            "What stays:",
            *_points(stays(plan)),
        ]
    )


def due_text(due: "Sequence[Due]", words: Sequence[str]) -> str:
    """What somebody signs who erases by the rules: the rules, and what goes, one a line."""
    items = [f"  {named(one.kind, one.label)}, since {one.since[:10]}" for one in due]
    return "\n".join(
        [
            "Erase for good what the rules say:",
            *(f"  {word}" for word in words),
            "",
            *items,
            "",
            "What stays:",
            *_points([STONE]),
        ]
    )


def _points(sentences: Sequence[str]) -> list[str]:
    return [f"  {sentence}" for sentence in sentences]


def _hold_cell(item: "Doomed") -> Cell:
    names = ", ".join(item.holds)
    return Cell(names, "lock", icon_tone="warn.fg") if names else Cell("", spoken="No hold")
