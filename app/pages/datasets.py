"""Datasets: the questions with their right answers, in immutable versions; adding a file, looking through the samples, writing them out."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from app.pages.page import Page, Shell, list_pane, side_pane
from app.theme.look import look
from app.widgets.basic import Card, Elided, SearchField, clear, column, frame, label, row
from app.widgets.beside import Beside
from app.widgets.buttons import Button, button
from app.widgets.empty_state import EmptyState
from app.widgets.name_form import NameForm
from app.widgets.quick_switcher import Target
from app.widgets.side_list import SideList, SideRow
from app.widgets.table import Cell, Column, Table
from core.datasets.records import AddDataset, Dataset, Sample, SavedDataset

if TYPE_CHECKING:
    from core.jobs import Job
    from core.workbench import Workbench


def datasets(bench: "Workbench", job: "Job") -> tuple[Dataset, ...]:
    return tuple(bench.datasets.list())


class DatasetsPage(Page):
    """The latest version of each dataset, and its samples."""

    title = "Datasets"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.add_button = button("Add dataset", "plus", "primary")
        self.add_button.clicked.connect(self._choose)
        self.export_button = Button("Export", "save")
        self.export_button.clicked.connect(self._export)
        self.bar.act(self.export_button, self.add_button)
        self.list = SideList("Datasets")
        self.list.picked.connect(self._picked)
        self._left = list_pane(self.list, width=232)
        self._heading, self._count = label("", type="heading"), Elided("", tone="secondary")
        self.find = SearchField("Find in samples")
        self.find.setMaximumWidth(look().px(220))
        self.find.setMinimumWidth(look().px(120))
        self.find.textChanged.connect(self._narrow)
        tools = QWidget()
        head = row(self._heading, self._count, self.find, margins=(20, 8, 16, 8))
        head.setStretch(1, 1)
        tools.setLayout(head)
        self.table = Table(
            [
                Column("Sample", lambda found: Cell(found.id, mono=True, tone="text.tertiary"), 84),
                Column("Question", lambda found: Cell(found.input, second=target(found))),
                Column("Where", lambda found: Cell(where(found), tone="text.secondary"), 180, spare=2),
                Column("Tags", lambda found: Cell(", ".join(found.tags), tone="text.secondary"), 110, spare=1),
            ],
            "Samples",
            height=52,
        )
        self.table.chosen.connect(self._describe)
        self.empty = EmptyState(
            "No datasets yet. Add a file of questions with their right answers.", "Add dataset", "plus", "normal"
        )
        self.empty.acted.connect(self._choose)
        self._filled = QWidget()
        inner = column(tools, self.table, space=0)
        inner.setStretch(1, 1)
        self._filled.setLayout(inner)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._filled)
        middle = frame("panel")
        middle.setLayout(column(self._stack, space=0))
        self._middle = middle
        self._about = Card()
        self._side = side_pane(self._about, width=336)
        across = row(self._left, space=0)
        across.addWidget(Beside(middle, self._side, 336, narrow=700), 1)
        self.body.addLayout(across)
        self._datasets: tuple[Dataset, ...] = ()
        self._name = ""
        self._describe(None)

    def opened(self) -> None:
        self.operations.run("Read the datasets", datasets, self._show)

    def show_about(self, about: object) -> None:
        self._name = str(about)

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") == "add-dataset":
            self.opened()

    def panes(self) -> list[QWidget]:
        return [self._left, self._middle, self._side]

    def side(self) -> QWidget | None:
        return self._side

    def targets(self) -> list[Target]:
        return [
            Target(found.name, "Dataset", "datasets", lambda name=found.name: self.shell.go("datasets", name))
            for found in self._datasets
        ]

    def add(self, name: str, path: str) -> None:
        """Read a file into a new version of a dataset."""
        request = AddDataset(name=name, path=path)

        def done(found: SavedDataset) -> None:
            self._name = found.dataset.name
            words = (
                f"{found.dataset.reference} is in"
                if found.created
                else f"Nothing new: {found.dataset.reference} holds the same"
            )
            self.shell.toast(words)
            self.opened()

        self.operations.run(
            f"Reading {Path(path).name}",
            lambda bench, job: bench.datasets.add(request, job),
            done,
            self.fail,
            shown=True,
        )

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Add a dataset", "", "Questions (*.jsonl *.json *.csv *.yaml)")
        if not path:
            return
        form = NameForm(
            "Name the dataset", "Name", Path(path).stem, "A file under a known name becomes its next version."
        )
        form.left.connect(self.shell.close_overlay)

        def take(name: str) -> None:
            self.shell.close_overlay()
            self.add(name, path)

        form.named.connect(take)
        self.shell.open_dialog(form, 440)

    def _export(self) -> None:
        found = self._current()
        if found is None:
            return
        path, _ = QFileDialog.getSaveFileName(
            self, "Export the samples", f"{found.name}-{found.number}.jsonl", "Questions (*.jsonl *.csv)"
        )
        if path:
            self.operations.run(
                "Export the samples",
                lambda bench, job: bench.datasets.export(found.reference, Path(path)),
                lambda count: self.shell.toast(f"{count:,} samples were written to {Path(path).name}"),
                self.fail,
            )

    def _show(self, found: tuple[Dataset, ...]) -> None:
        self._datasets = found
        names = [one.name for one in found]
        if self._name not in names:
            self._name = names[0] if names else ""
        self.list.show_rows(
            [
                SideRow(
                    one.name, one.name, "datasets", f"{len(one.samples):,}", (f"Version {one.number}, {one.author}",)
                )
                for one in found
            ]
        )
        self._stack.setCurrentWidget(self._filled if found else self.empty)
        self.export_button.refuse("" if found else "There is no dataset to export.")
        self.list.mark(self._name)
        self._picked(self._name)

    def _picked(self, name: str) -> None:
        self._name = name
        found = self._current()
        self._describe(None)
        if found is None:
            return
        self._heading.setText(found.name)
        self._count.say(f"Version {found.number} · {len(found.samples):,} samples · from {found.source}")
        self._narrow()
        self.table.choose(0)

    def _current(self) -> Dataset | None:
        return next((one for one in self._datasets if one.name == self._name), None)

    def _narrow(self) -> None:
        found = self._current()
        wanted = self.find.text().casefold()
        samples = found.samples if found is not None else ()
        self.table.show_rows(
            [one for one in samples if wanted in f"{one.id} {one.input} {one.target} {one.document}".casefold()],
            keep=lambda one: one.id,
        )

    def _describe(self, found: Sample | None) -> None:
        clear(self._about.body)
        self._about.setVisible(found is not None)
        if found is None:
            return
        body = self._about.body
        body.addWidget(label(found.id, type="code", tone="tertiary"))
        body.addWidget(label(found.input, type="heading", wrap=True))
        body.addWidget(label(target(found), wrap=True))
        if found.answer:
            body.addWidget(label("A right answer", strong=True))
            body.addWidget(label(found.answer, wrap=True))
        if found.quote:
            body.addWidget(label("Its source", strong=True))
            body.addWidget(label(f"“{found.quote}”", tone="secondary", wrap=True))
            body.addWidget(label(where(found), type="small", tone="tertiary", wrap=True))


def target(found: Sample) -> str:
    """What a right answer must hold, in words."""
    if found.unanswerable:
        return "The documents don’t say"
    return f"Target: {found.target}" if found.target else "No target"


def where(found: Sample) -> str:
    """The document and the page that hold the answer."""
    if not found.document:
        return ""
    return f"{found.document}, p. {found.page}" if found.page else found.document
