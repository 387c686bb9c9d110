"""Datasets: samples in immutable versions. Importing with a preview, looking through, editing with undo, parts, checks, changes, drafts.

Edits are the page's own until they are saved as the next version; what changed is shown before that. A hundred thousand samples are searched in one
pass over texts that are folded once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from app.bridge.looking import Looks
from app.bridge.operations import Failure
from app.pages.dataset_checks import FLAGS, Flags, ScreeningView
from app.pages.dataset_drafting import DraftingPanel, ask_drafting
from app.pages.dataset_drafts import DraftReview, ask_words
from app.pages.dataset_export import ask_export
from app.pages.dataset_forms import ChangesView, SampleForm, SplitForm
from app.pages.dataset_import import ImportForm, ask_import
from app.pages.dataset_narrowing import ALL, EDITED, FLAG, PART, SYNTHETIC, folded, having, of_kind
from app.pages.dataset_sample import SampleCard, target, where
from app.pages.page import Page, Shell, list_pane, side_pane
from app.theme.look import look
from app.widgets.basic import Elided, SearchField, column, frame, label, row
from app.widgets.beside import Beside
from app.widgets.buttons import Button, button
from app.widgets.empty_state import EmptyState
from app.widgets.forms import Choice
from app.widgets.quick_switcher import Target
from app.widgets.share_bar import Part, ShareBar
from app.widgets.side_list import SideList, SideRow
from app.widgets.table import Cell, Column, Table
from core.datasets.changes import changes
from core.datasets.drafts import DraftView
from core.datasets.records import AddDataset, Dataset, Sample, SavedDataset, SaveSamples, SplitDataset, Splitting
from core.datasets.screening import Screening
from core.datasets.splitting import counts

if TYPE_CHECKING:
    from core.jobs import Job
    from core.workbench import Workbench

FILES = "Samples (*.jsonl *.json *.csv *.tsv *.xlsx)"
MOST_UNDO = 100
Known = tuple[tuple[Dataset, ...], dict[str, int]]


def datasets(bench: "Workbench", job: "Job") -> Known:
    """The latest version of each dataset, and how many drafts wait for each."""
    return tuple(bench.datasets.list()), bench.drafting.waiting()


class DatasetsPage(Page):
    """The latest version of each dataset, and its samples."""

    title = "Datasets"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.add_button = button("Add dataset", "plus", "primary")
        self.add_button.clicked.connect(self._choose)
        self.draft_button = Button("Draft questions", "question")
        self.draft_button.clicked.connect(self._draft)
        self.export_button = Button("Export", "save", small=True)
        self.export_button.clicked.connect(self._export)
        self.drafts_button = Button("Review drafts")
        self.drafts_button.clicked.connect(self._review)
        self.bar.act(self.drafts_button, self.draft_button, self.add_button)
        self.list = SideList("Datasets")
        self.list.picked.connect(self._picked)
        self._left = list_pane(self.list, width=232)
        self._heading, self._count = label("", type="heading"), Elided("", tone="secondary")
        self.find = SearchField("Find in samples")
        self.find.setMaximumWidth(look().px(220))
        self.find.setMinimumWidth(look().px(100))
        self.find.textChanged.connect(self._narrow)
        self.which = Choice()
        self.which.setAccessibleName("Which samples")
        self.which.setMinimumWidth(look().px(122))
        self.which.activated.connect(self._narrow)
        self.check_button = Button("Check", "scan", small=True)
        self.check_button.clicked.connect(self._screen)
        self.split_button = Button("Split", small=True)
        self.split_button.clicked.connect(self._split)
        self.changes_button = Button("Changes", "history", small=True)
        self.changes_button.clicked.connect(self._changes)
        self.undo_button = Button("Undo", small=True)
        self.undo_button.clicked.connect(self._undo)
        self.save_button = Button("Save version", "save", "primary", small=True)
        self.save_button.clicked.connect(self._review_edits)
        undo = QShortcut(QKeySequence.StandardKey.Undo, self)
        undo.activated.connect(self._undo)
        self.parts = ShareBar("Parts", 10)
        self._parts_words = Elided("", tone="secondary")
        tools = QWidget()
        head = row(self._heading, None, self.which, self.find, margins=(20, 8, 16, 0))
        about = row(self._count, margins=(20, 0, 16, 0))
        acts = row(
            self.check_button,
            self.split_button,
            self.changes_button,
            self.export_button,
            None,
            self.undo_button,
            self.save_button,
            margins=(20, 0, 16, 0),
        )
        self._parts_row = QWidget()
        shown = row(self.parts, self._parts_words, margins=(20, 0, 16, 0), space=12)
        shown.setStretch(0, 2)
        shown.setStretch(1, 3)
        self._parts_row.setLayout(shown)
        tools.setLayout(column(head, about, acts, self._parts_row, 2, space=6))
        self.table = Table(
            [
                Column("Sample", lambda found: Cell(found.id, mono=True, tone="text.tertiary"), 84),
                Column("Question", lambda found: Cell(" ".join(found.input.split()), second=target(found))),
                Column("Where", lambda found: Cell(where(found), tone="text.secondary"), 180, spare=2),
                Column("Tags", lambda found: self._marked(found), 122, spare=1),
            ],
            "Samples",
            height=52,
        )
        self.table.chosen.connect(self._describe)
        self.table.opened.connect(self._edit)
        self.empty = EmptyState(
            "No datasets yet. Add a file of questions with their right answers.", "Add dataset", "plus", "normal"
        )
        self.empty.acted.connect(self._choose)
        self._filled = QWidget()
        self.drafting = DraftingPanel(self.operations)
        self.drafting.review_asked.connect(self._review_of)
        self.drafting.turned.connect(self._tell)
        inner = column(tools, self.table, space=0)
        inner.setStretch(1, 1)
        self._filled.setLayout(inner)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._filled)
        middle = frame("panel")
        middle.setLayout(column(self._stack, self.drafting, space=0))
        self._middle = middle
        self._about = SampleCard()
        self._about.edited.connect(self._edit)
        self._about.removed.connect(lambda found: self.replace(found.id, None))
        self._side = side_pane(self._about, width=336)
        across = row(self._left, space=0)
        across.addWidget(Beside(middle, self._side, 336, narrow=700), 1)
        self.body.addLayout(across)
        self._datasets: tuple[Dataset, ...] = ()
        self._waiting: dict[str, int] = {}
        self._name = ""
        self._samples: tuple[Sample, ...] = ()
        self._folded: list[str] = []
        self._before: list[tuple[Sample, ...]] = []
        self._edited: Dataset | None = None
        self._flags = Flags()
        self._looks = Looks(self._look)
        self._describe(None)

    def opened(self) -> None:
        self.operations.run("Read the datasets", datasets, self._show)

    def _look(self, over: Callable[[], None]) -> None:
        """Count the drafts that wait, and nothing else: a draft changes no dataset."""

        def show(found: dict[str, int]) -> None:
            self._waiting = found
            if self._name in self._list_rows():
                self._tell()
            else:
                self._show((self._datasets, found))
            over()

        def failed(found: Failure) -> None:
            self.fail(found)
            over()

        self.operations.run("Count the drafts", lambda bench, job: bench.drafting.waiting(), show, failed, over)

    def show_about(self, about: object) -> None:
        self._name = str(about)

    def changed(self, event: object) -> None:
        act = getattr(event, "act", "")
        if act == "add-dataset":
            self.opened()
        elif act == "draft-sample":
            self._looks.ask()

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
        self._import(AddDataset(name=name, path=path))

    def look_into(self, path: str) -> ImportForm:
        """Show what a file holds, before anything of it is stored."""
        return ask_import(self.shell, path, self._import)

    def review(self, found: tuple[DraftView, ...]) -> DraftReview:
        """Go through drafts one by one."""
        return ask_words(self.shell, self._name, found, self._close, self._saved, self.fail)

    def _close(self) -> None:
        self.shell.close_overlay()
        self.opened()

    def _import(self, request: AddDataset) -> None:
        self.shell.close_overlay()
        self.operations.run(
            f"Reading {Path(request.path).name}",
            lambda bench, job: bench.datasets.add(request, job),
            self._saved,
            self.fail,
            shown=True,
        )

    def _saved(self, found: SavedDataset) -> None:
        self.shell.close_overlay()
        self._name = found.dataset.name
        self._edited, self._before = None, []
        same = f"Nothing new: {found.dataset.reference} holds the same"
        self.shell.toast(f"{found.dataset.reference} is in" if found.created else same)
        self.opened()

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Add a dataset", "", FILES)
        if path:
            self.look_into(path)

    def _export(self) -> None:
        found = self._current()
        if found is not None:
            ask_export(self.shell, self, found)

    def _draft(self) -> None:
        ask_drafting(self.shell, self._name, self.drafting.begin, self.fail)

    def _review(self) -> None:
        self._review_of(self._name)

    def _review_of(self, name: str) -> None:
        if name != self._name:
            self._picked(name)
        if name != self._name:
            return  # there are changes that aren't saved
        self.operations.run("Read the drafts", lambda bench, job: bench.drafting.list(name), self.review, self.fail)

    def _screen(self) -> None:
        found = self._current()
        if found is None:
            return
        reference = found.reference

        def done(result: Screening) -> None:
            if not self._before and found.name == self._name:
                self._flags = Flags(result)
                self._offer()
                self._narrow()
                self._describe(self.table.current())
            view = ScreeningView(result)
            view.left.connect(self.shell.close_overlay)
            view.opened.connect(self._go_to)
            self.shell.open_dialog(view, 780)

        self.operations.run(
            f"Checking {reference}",
            lambda bench, job: bench.datasets.screen(reference, job),
            done,
            self.fail,
            shown=True,
        )

    def _go_to(self, id: str) -> None:
        self.shell.close_overlay()
        self.find.clear()
        self.which.setCurrentIndex(0)
        self._narrow()
        for place, sample in enumerate(self.table.rows.all()):
            if sample.id == id:
                self.table.choose(place)
                return

    def _split(self) -> None:
        found = self._current()
        if found is None:
            return
        form = SplitForm()
        form.left.connect(self.shell.close_overlay)

        def ask(splitting: Splitting, apart: bool) -> None:
            request = SplitDataset(reference=found.reference, splitting=splitting, apart=apart)
            self.shell.close_overlay()
            self.operations.run(
                f"Splitting {found.reference}",
                lambda bench, job: bench.datasets.split(request, job)[0],
                self._saved,
                self.fail,
            )

        form.asked.connect(ask)
        self.shell.open_dialog(form, 520)

    def _changes(self) -> None:
        found = self._current()
        if found is None:
            return
        name, number = found.reference, found.number

        def done(result: object) -> None:
            view = ChangesView(f"What {name} changed", result if number > 1 else ())  # type: ignore[arg-type]
            view.left.connect(self.shell.close_overlay)
            self.shell.open_dialog(view, 760)

        self.operations.run(
            "Compare with the version before", lambda bench, job: bench.datasets.changes(name), done, self.fail
        )

    def _edit(self, sample: Sample) -> None:
        form = SampleForm(sample)
        form.left.connect(self.shell.close_overlay)

        def keep(changed: Sample) -> None:
            self.shell.close_overlay()
            self.replace(sample.id, changed)

        form.kept.connect(keep)
        self.shell.open_dialog(form, 560)

    def replace(self, id: str, changed: Sample | None) -> None:
        """Put another sample in a sample's place, or take it out; `Undo` takes it back."""
        after = tuple(
            one for one in (changed if sample.id == id else sample for sample in self._samples) if one is not None
        )
        if after == self._samples:
            return
        self._edited = self._edited or self._current()
        self._before = [*self._before[-MOST_UNDO:], self._samples]
        self._take(after)

    def _undo(self) -> None:
        if self._before:
            self._take(self._before.pop())
            if not self._before:
                self._edited = None
            self._tell()

    def _take(self, samples: tuple[Sample, ...]) -> None:
        self._samples, self._folded = samples, []
        self._narrow()
        self._describe(self.table.current())
        self._tell()

    def _review_edits(self) -> None:
        was = self._edited
        if was is None:
            return
        request = SaveSamples(name=was.name, samples=self._samples, based_on=was.reference)

        def keep() -> None:
            self.operations.run(
                f"Saving {was.name}", lambda bench, job: bench.datasets.save(request), self._saved, self.fail
            )

        view = ChangesView(f"What changes from {was.reference}", changes(was.samples, self._samples), keep)
        view.left.connect(self.shell.close_overlay)
        self.shell.open_dialog(view, 760)

    def _show(self, found: Known) -> None:
        self._datasets, self._waiting = found
        names = self._list_rows()
        if self._name not in names:
            self._name = names[0] if names else ""
        self._stack.setCurrentWidget(self._filled if names else self.empty)
        self.list.mark(self._name)
        self._picked(self._name)

    def _list_rows(self) -> list[str]:
        """Show the datasets with the drafts that wait; their names."""
        rows = [
            SideRow(
                one.name,
                one.name,
                "datasets",
                f"{len(one.samples):,}",
                (f"Version {one.number}, {one.author}", *self._drafts_words(one.name)),
            )
            for one in self._datasets
        ]
        rows += [
            SideRow(name, name, "datasets", "0", self._drafts_words(name))
            for name in self._waiting
            if name not in self._shown()
        ]
        self.list.show_rows(rows)
        self.list.mark(self._name)
        return [one.key for one in rows]

    def _shown(self) -> set[str]:
        return {one.name for one in self._datasets}

    def _drafts_words(self, name: str) -> tuple[str, ...]:
        count = self._waiting.get(name, 0)
        return (f"{count} drafts wait",) if count else ()

    def _picked(self, name: str) -> None:
        if self._edited is not None and name != self._edited.name:
            self.list.mark(self._edited.name)
            self.banner.say(
                f"{self._edited.name} has changes that aren’t saved. Save or undo them first.",
                "Nothing was lost.",
            )
            return
        self._name = name
        found = self._current()
        self._describe(None)
        if self._edited is None:
            if found is None or self._flags.reference != found.reference:
                self._flags = Flags()
            self._samples, self._folded, self._before = found.samples if found is not None else (), [], []
            self._offer()
        self._narrow()
        self._tell()
        if self.table.rows.all() and self.table.current() is None:
            self.table.choose(0)

    def _offer(self) -> None:
        """The parts and kinds of samples that can be chosen among."""
        self.which.clear()
        self.which.addItem("All samples", ALL)
        self.which.addItem("Synthetic", SYNTHETIC)
        self.which.addItem("Changed", EDITED)
        for kind, number in self._flags.counts().items():
            self.which.addItem(f"{FLAGS[kind]}, {number:,}", FLAG + kind)
        for part in counts(self._samples):
            if part:
                self.which.addItem(f"Part {part}", PART + part)

    def _tell(self) -> None:
        """Heading, parts and buttons as things stand."""
        found = self._current()
        self._heading.setText(self._name)
        edits = f" · {len(self._before)} unsaved changes" if self._before else ""
        came = f" · from {found.source}" if found is not None and found.source else ""
        self._count.say(
            f"Version {found.number} · {len(self._samples):,} samples{edits or came}"
            if found is not None
            else "No version yet"
        )
        parts = {name: count for name, count in counts(self._samples).items() if name}
        self.parts.show_parts([Part(name, count, f"{count:,}") for name, count in parts.items()], len(self._samples))
        self._parts_words.say(" · ".join(f"{name} {count:,}" for name, count in parts.items()))
        self._parts_row.setVisible(bool(parts))
        none = "" if found is not None else "There is no dataset."
        unsaved = "Save the changes first." if self._before else none
        self.export_button.refuse(unsaved if found is not None else "There is no dataset to export.")
        self.check_button.refuse(unsaved)
        self.split_button.refuse(unsaved)
        self.changes_button.refuse(unsaved)
        for act in (self.check_button, self.split_button, self.changes_button, self.export_button):
            act.setVisible(not self._before)
        self.undo_button.setVisible(bool(self._before))
        self.save_button.setVisible(bool(self._before))
        waiting = self._waiting.get(self._name, 0)
        self.drafts_button.setText(f"Review {waiting} drafts" if waiting else "Review drafts")
        self.drafts_button.refuse("" if waiting else "No drafts wait. “Draft questions” makes some.")
        self.draft_button.refuse("A model drafts already." if self.drafting.busy else "")

    def _marked(self, found: Sample) -> Cell:
        """What the last check flagged, else the tags."""
        said = self._flags.words(found.id)
        return Cell(said or ", ".join(found.tags), tone="warn.fg" if said else "text.secondary")

    def _current(self) -> Dataset | None:
        return next((one for one in self._datasets if one.name == self._name), None)

    def _narrow(self) -> None:
        wanted, kind = self.find.text().casefold(), self.which.currentData() or ALL
        if wanted and not self._folded:
            self._folded = folded(self._samples)
        before = self._edited.samples if self._edited is not None else ()
        found = of_kind(having(self._samples, self._folded, wanted), kind, self._flags, before)
        self.table.show_rows(found, keep=lambda one: one.id)

    def _describe(self, found: Sample | None) -> None:
        self._about.show_sample(found, self._flags.of(found.id) if found is not None else ())
