"""Choosing content of the vault: by its kind, by its name, or by a person's name or words that stand in it."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QWidget
from shiboken6 import isValid

from app.bridge import keeping as bridge
from app.bridge.keeping import KINDS, ONE, Found
from app.bridge.operations import Failure, Handle, Operations
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.basic import SearchField, column, label, row
from app.widgets.buttons import button
from app.widgets.forms import Choice
from app.widgets.table import Cell, Column, Table

TYPED = 350
"""Milliseconds after the last key until the text is looked for."""
ANYTHING = "All kinds"
ASK = "Write a name or some words, and everything that has them is listed."


class ContentPicker(QWidget):
    """`changed` says that something was chosen or let go; `chosen` has what is. `without` are kinds that aren't offered."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, operations: Operations, without: Sequence[str] = ()) -> None:
        super().__init__()
        self._operations = operations
        self._without = frozenset(without)
        self._search: Handle | None = None
        self._round = 0
        self._all: tuple[Found, ...] = ()
        self.chosen: dict[tuple[str, str], Found] = {}
        self.kind = Choice()
        self.kind.setAccessibleName("Kind of content")
        for name, words in KINDS.items():
            if name not in self._without:
                self.kind.addItem(words, name)
        self.kind.addItem(ANYTHING, "")
        self.kind.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToContents)
        self.kind.activated.connect(self.search)
        self.text = SearchField("Find a name or words")
        self.text.setToolTip("Finds names, and what stands in documents, questions, answers and samples")
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(TYPED)
        self._wait.timeout.connect(self.search)
        self.text.textChanged.connect(lambda _: self._wait.start())
        self.text.returnPressed.connect(self.search)
        self.table = Table(
            (
                Column("Kind", lambda found: Cell(ONE[found.kind], tone="text.secondary"), 104, spare=2),
                Column("What", self._name),
                Column(
                    "Recorded",
                    lambda found: Cell(moment(found.time) if found.time else "", tone="text.secondary"),
                    160,
                    spare=1,
                ),
            ),
            "Content to choose from",
        )
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.opened.connect(lambda found: self.take([found]))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._judge())
        self._state = label(ASK, type="small", tone="secondary", wrap=True)
        self.choose = button("Choose", "plus", small=True)
        self.choose.setToolTip("Shift and Ctrl select several; Enter chooses one")
        self.choose.clicked.connect(lambda: self.take(self.selected()))
        self.everything = button("Choose all listed", small=True, kind="quiet")
        self.everything.clicked.connect(lambda: self.take(self._all))
        top = row(self.kind, self.text, space=8)
        top.setStretch(1, 1)
        foot = row(self._state, self.everything, self.choose, space=8)
        foot.setStretch(0, 1)
        layout = column(top, space=8)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        self.setLayout(layout)
        self.table.setMinimumHeight(look().px(120))
        self._judge()

    def search(self) -> None:
        """List what fits."""
        self._wait.stop()
        self._round += 1
        if self._search is not None:
            self._search.cancel()
            self._search = None
        here, kind, text = self._round, self.kind.currentData(), self.text.text()
        if not kind and not text.strip():
            self._listed((), ASK)
            return
        self._state.setText("Looking…")

        def done(found: tuple[Found, ...]) -> None:
            if isValid(self) and here == self._round:
                self._search = None
                self._listed(tuple(one for one in found if one.kind not in self._without), "")

        def failed(found: Failure) -> None:
            if isValid(self) and here == self._round:
                self._search = None
                self._state.setText(found.sentence)
                self.failed.emit(found)

        self._search = self._operations.run(
            "Find content", lambda bench, job: bridge.find(bench, kind, text, job), done, failed, lambda: None
        )

    def selected(self) -> list[Found]:
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        return [self.table.rows.row(number) for number in rows]

    def take(self, some: Iterable[Found]) -> None:
        """Choose these too."""
        before = len(self.chosen)
        self.chosen |= {(one.kind, one.reference): one for one in some}
        if len(self.chosen) != before:
            self._told()

    def drop(self, *some: Found) -> None:
        """Let go of these; of all where none is named."""
        for one in some or tuple(self.chosen.values()):
            self.chosen.pop((one.kind, one.reference), None)
        self._told()

    def _told(self) -> None:
        self.table.viewport().update()
        self._judge()
        self.changed.emit()

    def _listed(self, found: tuple[Found, ...], words: str) -> None:
        self._all = found
        self.table.show_rows(found)
        count = (
            f"{len(found):,} listed" if found else "Nothing fits." if self.text.text().strip() else "There are none."
        )
        self._state.setText(words or count)
        self._judge()

    def _judge(self) -> None:
        free = [one for one in self.selected() if (one.kind, one.reference) not in self.chosen]
        self.choose.refuse("" if free else "Select something in the list that isn’t chosen yet.")
        left = any((one.kind, one.reference) not in self.chosen for one in self._all)
        self.everything.refuse("" if left else "Nothing is listed that isn’t chosen yet.")

    def _name(self, found: Found) -> Cell:
        if (found.kind, found.reference) in self.chosen:
            return Cell(found.label, "check", icon_tone="accent.base", strong=True, spoken=f"Chosen: {found.label}")
        return Cell(found.label)
