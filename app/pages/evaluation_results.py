"""One run: the matrix with its filters, the progress while it runs, and beside it the summary or one sample whole."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QMenu, QScrollArea, QStackedWidget, QWidget

from app.bridge.operations import Operations
from app.pages.evaluation_content import RunContent
from app.pages.evaluation_matrix import columns, rows, short_names
from app.pages.evaluation_people import Said, read_said
from app.pages.evaluation_summary import RunSummary
from app.pages.page import side_pane
from app.pages.sample_detail import SampleDetail
from app.theme.look import look
from app.widgets.basic import KeyHint, SearchField, column, frame, label, line, row
from app.widgets.buttons import Segments, button
from app.widgets.long_work import LongWork
from app.widgets.matrix import Matrix
from app.widgets.matrix_model import FILTERS, MatrixSample
from app.widgets.toolbar import Chooser
from core.datasets.records import Sample
from core.evals import marks
from core.evals.history import Past, history
from core.evals.marks import Mark, MarkOutcome
from core.evals.records import Outcome
from core.jobs import Job, Progress
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.workbench import Workbench

WHOLE_BAR = 800
"""Pixels of the bar above the matrix, at scale 1.0, from which all its buttons stand beside each other."""
SIDE, DETAIL_SIDE, NARROW_SIDE, NARROW = 384, 460, 300, 1180
ZOOMS = (40, 60, 80, 100, 120)
KEYS = (("Arrows", "Move"), ("Enter", "Open sample"), ("F", "Next failure"), ("D", "Next difference"))


class ResultsView(QWidget):
    """`cancel_asked`: the person wants the run to stop; `ask_asked`: to ask (collection, question) again in the chat; `past_asked`: to
    see (run, variant, sample) of an earlier run."""

    cancel_asked = Signal()
    ask_asked = Signal(object)
    past_asked = Signal(str, str, str)

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self.content: RunContent | None = None
        self._samples: dict[str, Sample] = {}
        self.filters = Segments(FILTERS, "Which samples")
        self.filters.chosen.connect(lambda _: self._narrow())
        self.find = SearchField("Find in samples")
        self.find.setFixedWidth(look().px(150))
        self.find.textChanged.connect(lambda _: self._narrow())
        self._columns = button("Columns", "columns").with_caret()
        self._columns.clicked.connect(self._open_columns)
        self._columns_menu = QMenu(self._columns)
        self.zoom = Chooser("zoom-in", "Zoom")
        self.zoom.offer([(str(percent), f"{percent} %") for percent in ZOOMS], "100")
        self.zoom.picked.connect(lambda percent: self.matrix.set_zoom(int(percent) / 100))
        bar = frame("panel")
        bar.setLayout(
            row(self.filters, None, self.find, self._columns, self.zoom, space=8, margins=(20, 10, 16, 10)),
        )
        self.work = LongWork()
        self.work.cancelled.connect(self.cancel_asked)
        self._working = frame("panel")
        self._working.setLayout(column(self.work, margins=(20, 12, 20, 12)))
        self._working.hide()
        self.matrix = Matrix()
        self.matrix.chosen.connect(self._choose)
        self.matrix.opened.connect(lambda *_: self.open_sample())
        self.count = label("", type="small", tone="secondary")
        foot = frame("panel")
        self._hints = QWidget()
        hints = row(space=16)
        for key, does in KEYS:
            hints.addLayout(row(KeyHint(key), label(does, type="small", tone="secondary"), space=6))
        self._hints.setLayout(hints)
        foot.setLayout(row(self.count, None, self._hints, space=16, margins=(20, 8, 20, 8)))
        self.main = frame("panel")
        layout = column(bar, self._working, line(), self.matrix, line(), foot, space=0)
        layout.setStretch(3, 1)
        self.main.setLayout(layout)
        self.summary, self.detail = RunSummary(operations), SampleDetail()
        self.summary.sample_asked.connect(self.open_sample)
        self.detail.left.connect(self.close_sample)
        self.detail.stepped.connect(self._step)
        self.detail.asked.connect(self._ask)
        self.detail.past_asked.connect(self._go_past)
        self.detail.marked.connect(self._mark)
        self.side = QStackedWidget()
        self._summary_pane = side_pane(self.summary, width=SIDE)
        self._detail_pane = side_pane(self.detail, width=SIDE)
        for pane in (self._summary_pane, self._detail_pane):
            self.side.addWidget(pane)
        self.side.setFixedWidth(look().px(SIDE))
        whole = row(self.main, line(vertical=True), self.side, space=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        for key, step in (("Ctrl+=", 1), ("Ctrl+-", -1)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda by=step: self._zoom_by(by))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A sample has more room than the summary, where there is some; what the bar has no room for goes into one menu."""
        narrow, wide = self.width() < look().px(NARROW), self.side.currentWidget() is self._detail_pane
        width = look().px(NARROW_SIDE if narrow else DETAIL_SIDE if wide else SIDE)
        for pane in (self.side, self._summary_pane, self._detail_pane):
            pane.setFixedWidth(width)
        tight = self.width() - width < look().px(WHOLE_BAR)
        self.zoom.setVisible(not tight)
        self._hints.setVisible(not tight)
        self._columns.setText("View" if tight else "Columns")
        self.find.setFixedWidth(look().px(110 if tight else 150))

    # what is shown

    def show_run(self, content: RunContent) -> None:
        """Show a run from its start; the first sample is gone to."""
        self.content = content
        self._samples = {sample.id: sample for sample in content.samples}
        self.find.blockSignals(True)
        self.find.clear()
        self.find.blockSignals(False)
        self.filters.choose("all")
        for position in range(len(content.run.variants)):
            self.matrix.setColumnHidden(position, False)
        self.matrix.show_run(columns(content), rows(content))
        self._offer_columns()
        self._count()
        self.summary.show_run(content)
        self._show_said(None)
        self._read_said()
        self.summary.show_sample(None, "", None)
        self.close_sample()
        self._go_first()

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes that have just come in; the matrix keeps its place."""
        content = self.content
        if content is None:
            return
        self.matrix.put(columns(content), rows(content, {outcome.sample for outcome in outcomes}))
        self._count()
        index = self.matrix.currentIndex()
        if index.isValid() and self.matrix.rows.samples[index.row()].id in {o.sample for o in outcomes}:
            self._choose(self.matrix.rows.samples[index.row()], index.column())

    def begin_work(self, title: str) -> None:
        """Show the progress of a run that has begun."""
        self.work.begin(title, "What is scored is kept")
        self._working.show()

    def say_work(self, progress: Progress) -> None:
        self.work.say(progress.done, progress.total, progress.unit)

    def end_work(self) -> None:
        self._working.hide()

    # samples

    def open_sample(self) -> None:
        """Show the current sample whole."""
        if self.matrix.currentIndex().isValid():
            self.side.setCurrentWidget(self._detail_pane)
            self._fit()
            self._show_current()

    def go_to(self, sample: str, variant: str) -> None:
        """Show one sample under one variant whole, whatever was filtered before."""
        names = [one.name for one in self.content.run.variants] if self.content is not None else []
        if variant not in names:
            return
        self.find.clear()
        self.filters.choose("all")
        self._narrow()
        shown = [one.id for one in self.matrix.rows.samples]
        if sample in shown:
            self.matrix.setCurrentIndex(self.matrix.rows.index(shown.index(sample), names.index(variant)))
            self.open_sample()

    def close_sample(self) -> None:
        """Back to the summary."""
        self.side.setCurrentWidget(self._summary_pane)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.side.currentWidget() is self._detail_pane:
            self.close_sample()
            self.matrix.setFocus()
        else:
            super().keyPressEvent(event)

    def _choose(self, sample: MatrixSample, position: int) -> None:
        content = self.content
        if content is None:
            return
        variant = content.run.variants[position].name
        short = short_names(content.run.variants)[variant]
        outcome = content.outcomes.get((sample.id, variant))
        self.summary.show_sample(self._samples[sample.id], short, outcome)
        if self.side.currentWidget() is self._detail_pane:
            asked = content.asked.get((sample.id, variant), ())
            self.detail.show_outcome(self._samples[sample.id], variant, asked, content.messages.get(variant, ()))
            self._read_history(self._samples[sample.id], (sample.id, variant))
            for scroll in self._detail_pane.findChildren(QScrollArea):
                scroll.verticalScrollBar().setValue(0)

    def _read_history(self, sample: Sample, place: tuple[str, str]) -> None:
        """Read how a sample went in earlier runs, and show it if it is still looked at."""
        content = self.content
        if content is None:
            return
        run = content.run

        def work(bench: "Workbench", job: Job) -> tuple[Past, ...]:
            with bench.vault.read() as reader:
                return history(reader, run.dataset_reference.partition("@")[0], sample)

        def done(past: tuple[Past, ...]) -> None:
            index = self.matrix.currentIndex()
            here = self.content is content and index.isValid()
            shown = (self.matrix.rows.samples[index.row()].id, run.variants[index.column()].name) if here else None
            if shown == place:
                self.detail.show_history(past, run.id)

        self._operations.run("Read a sample’s history", work, done)

    def _read_said(self) -> None:
        """Read what people say of the run, and show it if it is still looked at."""
        content = self.content
        if content is None or content.live:
            return

        def done(said: Said) -> None:
            if self.content is content:
                self._show_said(said)

        run = content.run.id
        self._operations.run("Read people’s marks", lambda bench, job: read_said(bench, run), done)

    def _show_said(self, said: Said | None) -> None:
        self.summary.people.show_said(said)
        bench, content = self._operations.workbench, self.content
        may = bench is not None and allowed(Act.MARK_OUTCOME, bench.vault.user.roles)
        refused = "" if may else "Your roles here don’t allow marking; an author or a reviewer must do it."
        if said is None or content is None:
            self.detail.show_marks((), (), {}, "", refused)
        else:
            self.detail.show_marks(said.scales, said.marks, said.names, content.run.variants[0].name, refused)

    def _mark(self, request: MarkOutcome) -> None:
        """Keep what the person says of an answer."""
        content = self.content
        if content is None:
            return
        view = content.view

        def work(bench: "Workbench", job: Job) -> Mark:
            return marks.mark(bench.vault, view, request)

        self._operations.run("Mark an answer", work, lambda _: self._read_said())

    def _go_past(self, run: str, variant: str) -> None:
        index = self.matrix.currentIndex()
        if index.isValid():
            self.past_asked.emit(run, variant, self.matrix.rows.samples[index.row()].id)

    def _show_current(self) -> None:
        index = self.matrix.currentIndex()
        if index.isValid():
            self._choose(self.matrix.rows.samples[index.row()], index.column())

    def _ask(self, question: str) -> None:
        if self.content is not None:
            self.ask_asked.emit((self.content.run.collection, question))

    def _step(self, by: int) -> None:
        index = self.matrix.currentIndex()
        wanted = index.row() + by
        if index.isValid() and 0 <= wanted < self.matrix.rows.rowCount():
            self.matrix.setCurrentIndex(self.matrix.rows.index(wanted, index.column()))

    def _go_first(self) -> None:
        if self.matrix.rows.rowCount() and self.matrix.rows.columnCount():
            self.matrix.setCurrentIndex(self.matrix.rows.index(0, 0))

    # filters, columns, zoom

    def _narrow(self) -> None:
        index = self.matrix.currentIndex()
        before = (self.matrix.rows.samples[index.row()].id, index.column()) if index.isValid() else ("", 0)
        self.matrix.narrow(self.filters.current(), self.find.text())
        self._count()
        shown = [sample.id for sample in self.matrix.rows.samples]
        if before[0] in shown:
            self.matrix.setCurrentIndex(self.matrix.rows.index(shown.index(before[0]), before[1]))
        else:
            self._go_first()

    def _count(self) -> None:
        for name, number in self.matrix.counts().items():
            self.filters.count(name, number)
        shown, width = self.matrix.rows.rowCount(), self.matrix.rows.columnCount()
        total = len(self.matrix.samples())
        self.count.setText(f"{shown:,} of {total:,} samples, {shown * width:,} cells")

    def _offer_columns(self) -> None:
        """The columns, and the zoom where its own button has no room."""
        self._columns_menu.clear()
        for position, variant in enumerate(self.matrix.rows.variants):
            action = self._columns_menu.addAction(f"{variant.name}, {variant.model}")
            action.setCheckable(True)
            action.setChecked(not self.matrix.isColumnHidden(position))
            action.toggled.connect(lambda on, which=position: self._show_column(which, on))
        if self.zoom.isHidden():
            self._columns_menu.addSeparator()
            for percent in ZOOMS:
                action = self._columns_menu.addAction(f"Zoom {percent} %")
                action.triggered.connect(lambda _=False, key=str(percent): self.zoom.choose(key))

    def _show_column(self, position: int, on: bool) -> None:
        self.matrix.setColumnHidden(position, not on)

    def _open_columns(self) -> None:
        self._offer_columns()
        self._columns_menu.popup(self._columns.mapToGlobal(self._columns.rect().bottomLeft()))

    def _zoom_by(self, step: int) -> None:
        at = ZOOMS.index(int(self.zoom.current)) + step
        if 0 <= at < len(ZOOMS):
            self.zoom.choose(str(ZOOMS[at]))
