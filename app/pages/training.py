"""Fine-tuning: a new run from data to its plan, the run while it goes on, its adapter with the proof of what it does, and all runs compared.

A run goes on while other pages are looked at. Pausing keeps the last checkpoint; stopping can keep the adapter of it. Nothing is trained, planned
or checked in this process: where the libraries aren't installed, the page says so with the step, and shows the runs that there are.
"""

from typing import TYPE_CHECKING, TypeVar

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from app.bridge import training as bridge
from app.bridge.operations import Failure, Handle
from app.bridge.training import Shelf
from app.pages.page import Page, Shell, take_focus
from app.pages.training_acts import TRAINS_NOT, TrainingActs
from app.pages.training_files import import_adapter
from app.pages.training_form import NOT_NOW, TrainingForm
from app.pages.training_history import HistoryView
from app.pages.training_queue import SweepActs
from app.pages.training_run import RunView, Worse
from app.pages.training_settings import runs_of
from app.pages.training_sweeps import SweepsView
from app.widgets.basic import column
from app.widgets.buttons import Button, Segments, button
from app.widgets.empty_state import EmptyState
from app.widgets.quick_switcher import Target
from app.widgets.toolbar import Chooser
from core.training.examining import Finding
from core.training.looking import Looked
from core.training.records import Plan, TrainingView
from core.training.worker.recall import Sampled
from core.training.worker.records import Measured, Step
from core.vault.events import Changed
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.jobs import Job
    from core.vault.records import Signature
    from core.workbench import Workbench

T = TypeVar("T")
DRAW_EVERY = 150
"""Milliseconds between two drawings of what a run has measured since."""
CHANGES = {Act.TRAIN, Act.SIGN, Act.APPROVE, Act.ERASE, Act.ADD_MODEL, Act.REMOVE_MODEL, Act.ADD_DATASET}
LEAVES_NOT = "Some examples can’t be learned. Correct the data, or choose “Train without these” below them."
VIEWS = (("run", "Run"), ("history", "History"), ("sweeps", "Sweeps"))


class TrainingPage(Page):
    """The page. `show_about` takes a run's id, "new", or the reference of a dataset to learn from."""

    title = "Fine-tuning"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.found = Shelf()
        self._work: Handle | None = None
        self._looking: Handle | None = None
        self._live: list[Step | Measured | Sampled] = []
        self._live_id = ""
        self._keep = False
        self._wanted = ""
        self._asked = 0
        self._begun = False
        self._draw = QTimer(self)
        self._draw.setSingleShot(True)
        self._draw.timeout.connect(lambda: self.run_view.say_parts(self._live))
        self.view = Segments(VIEWS, "What to show")
        self.view.chosen.connect(self._turn)
        self.chooser = Chooser("training", "Run")
        self.chooser.picked.connect(self.show_run)
        self.bar.about(self.view, self.chooser)
        self.importing = Button("Import an adapter…", "adapter", "quiet")
        self.importing.clicked.connect(lambda: import_adapter(self))
        self.new = button("New run", "plus")
        self.new.clicked.connect(self.write_new)
        self.bar.act(self.importing, self.new)
        self.form = TrainingForm()
        self.form.looked.connect(self.look)
        self.form.examined.connect(self.examine)
        self.form.planned.connect(self.plan)
        self.form.started.connect(self.train)
        self.form.cancelled.connect(lambda: self._turn(self.view.current()))
        self.run_view = RunView()
        self.run_view.pause_button.clicked.connect(lambda: self.stop(keep=False))
        self.run_view.keep_now_button.clicked.connect(lambda: self.stop(keep=True))
        self.run_view.resume_button.clicked.connect(self.resume)
        self.run_view.keep_button.clicked.connect(self.keep)
        self.run_view.proof.opened.connect(lambda run: self.shell.go("evals", run))
        self.acts = TrainingActs(self)
        self.history = HistoryView()
        self.history.opened.connect(self._open)
        self.sweeps = SweepsView()
        self.queue = SweepActs(self)
        self.empty = EmptyState(
            "No runs yet. Choose a model and examples, and it learns how they answer.", "New run", "plus"
        )
        self.empty.acted.connect(self.write_new)
        self._stack = QStackedWidget()
        panel = QFrame()
        panel.setProperty("surface", "panel")
        panel.setLayout(column(self._stack, space=0))
        for part in (self.empty, self.form, self.run_view, self.history, self.sweeps):
            self._stack.addWidget(part)
        self.body.addWidget(panel, 1)
        self._stack.setCurrentWidget(self.empty)
        self.chooser.hide()
        self.setAcceptDrops(True)

    # what the window asks

    def opened(self) -> None:
        self.load()

    def show_about(self, about: object) -> None:
        text = str(about)
        if text == "new":
            self.write_new()
        elif text.startswith("training-"):
            self._wanted = text
        else:
            self.write_new()
            self.form.data.kind.choose("dataset")
            self._wanted = ""

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in CHANGES and self._work is None and not self.acts.evaluating:
            self.load()

    def start(self) -> QWidget:
        shown = self._stack.currentWidget()
        return {
            self.form: self.form.name.edit,
            self.history: self.history.table,
            self.sweeps: self.sweeps.table,
        }.get(shown, self)  # type: ignore[call-overload,no-any-return]

    def panes(self) -> list[QWidget]:
        shown = self._stack.currentWidget()
        if shown is self.form:
            return [self.form.main, self.form.side]
        return [self.run_view.main, self.run_view.side] if shown is self.run_view else [self._stack]

    def side(self) -> QWidget | None:
        return self.run_view.side if self._stack.currentWidget() is self.run_view and self._work is None else None

    def targets(self) -> list[Target]:
        return [
            Target(f"{one.run.name}, {one.run.id}", "Training run", "training", self._going(one.run.id))
            for one in self.found.runs
        ]

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and self._work is None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.write_new()
            self.form.data.take_file(paths[0])

    def _going(self, about: str) -> "Callable[[], None]":
        return lambda: self.shell.go("training", about)

    # reading

    def load(self, sweep: str = "") -> None:
        """Read what there is; `sweep` is chosen of the sweeps."""
        self.operations.run("Read the training runs", bridge.shelf, self._loaded, self.fail)
        self.queue.load(sweep)

    def _loaded(self, found: Shelf) -> None:
        self.found = found
        self.form.offer(found.choices)
        self._allow()
        self.history.show_runs(found.runs)
        self.view.count("history", len(found.runs))
        if self._work is not None:
            return
        ids = [one.run.id for one in found.runs]
        shown = self.run_view.view.run.id if self.run_view.view is not None else ""
        wanted, self._wanted = self._wanted, ""
        current = wanted if wanted in ids else shown if shown in ids else ids[0] if ids else ""
        if wanted in ids:
            self.view.choose("run")
        self._offer(current)
        if current:
            self._read(current)
        if self._stack.currentWidget() is not self.form or wanted in ids:
            self._turn(self.view.current())

    def _offer(self, current: str) -> None:
        self.chooser.offer([(one.run.id, f"{one.run.name}, {one.run.id}") for one in self.found.runs], current)

    def show_run(self, name: str) -> None:
        """Show a run."""
        if self._work is None:
            self._offer(name)
            self._read(name)
            self._turn("run")

    def await_run(self, name: str) -> None:
        """Show this run when the runs have been read again."""
        self._wanted = name

    def _open(self, name: str) -> None:
        if self._work is None:
            self.show_run(name)
        else:
            self.banner.say(NOT_NOW)

    def _read(self, name: str) -> None:
        self._asked += 1
        asked = self._asked

        def work(bench: "Workbench", job: "Job") -> "tuple[TrainingView, tuple[Worse, ...], tuple[Signature, ...]]":
            view = bench.trainings.show(name)
            return view, worse_by_tag(bench, view), bridge.signatures(bench, view)

        def done(given: "tuple[TrainingView, tuple[Worse, ...], tuple[Signature, ...]]") -> None:
            if asked == self._asked and self._work is None:
                view, worse, signed = given
                self.acts.given = signed
                self.run_view.show_run(view, worse, signed, self.found.people)
                self.acts.allow()
                if view.result is not None and self.banner.text == view.result.reason:
                    self.banner.forget()
                if not self._begun:
                    self._begun = True
                    take_focus(self)

        self.operations.run("Read a training run", work, done, self.fail)

    def _turn(self, name: str) -> None:
        """Show the run, the history or the sweeps."""
        self.view.choose(name)
        views: dict[str, QWidget] = {"run": self.run_view, "history": self.history, "sweeps": self.sweeps}
        none = not self.found.runs and self._work is None
        self._stack.setCurrentWidget(self.empty if none else views[name])
        self.chooser.setVisible(name == "run" and not none and self._work is None)
        self.new.show()
        self._allow()

    # a new run

    def write_new(self) -> None:
        """Show the form of a new run."""
        self._stack.setCurrentWidget(self.form)
        self.chooser.hide()
        self.new.hide()
        self._allow()
        self.form.name.edit.setFocus()

    def why_not_train(self) -> str:
        """Why nothing can be trained now; nothing where it can."""
        workbench = self.operations.workbench
        if self._work is not None or self._looking is not None:
            return NOT_NOW if self._work is not None else "The data is being read. Wait for it."
        if workbench is not None and not allowed(Act.TRAIN, workbench.vault.user.roles):
            return TRAINS_NOT
        return self.found.choices.lacking

    def _allow(self) -> None:
        why = self.why_not_train()
        self.form.allow(why)
        workbench = self.operations.workbench
        trains = workbench is None or allowed(Act.TRAIN, workbench.vault.user.roles)
        self.importing.refuse("" if trains else TRAINS_NOT)
        self.sweeps.allow(why)
        self.acts.allow()

    def look(self, start: int) -> None:
        """Read the data and show what is found."""
        spec = self.form.single() if self.form.data.source() is not None else None
        if spec is None:
            return

        def done(found: Looked) -> None:
            self._ended()
            self.form.data.show_looked(found)

        self._aside(
            "Check the training data", lambda bench, job: bench.trainings.look(spec, spec.name, job, start), done
        )

    def examine(self) -> None:
        """Look for what is suspicious in the data; that needs no training library."""
        spec = self.form.single()
        if spec is None:
            return

        def done(found: tuple[Finding, ...]) -> None:
            self._ended()
            self.form.data.findings.show_findings(found)

        self._aside("Examine the training data", lambda bench, job: bench.trainings.examine(spec, spec.name, job), done)

    def plan(self) -> None:
        """Find out what the run would take."""
        spec = self.form.single()
        if spec is None:
            return
        spec = msgspec.structs.replace(spec, leave_out=True)

        def done(plan: Plan) -> None:
            self._ended()
            self.form.show_plan(plan)

        self._aside(
            "Plan the training",
            lambda bench, job: bench.trainings.plan(spec, spec.name, job),
            done,
            self.form.refuse_plan,
        )

    def _aside(
        self,
        title: str,
        work: "Callable[[Workbench, Job], object]",
        done: "Callable[..., None]",
        refuse: "Callable[[str], None] | None" = None,
    ) -> None:
        """Run what the form asks about its data; `refuse` shows why it can't be answered, instead of the banner."""
        self.banner.forget()

        def failed(found: Failure) -> None:
            self._ended()
            if refuse is None:
                self.fail(found)
            else:
                refuse(found.sentence)

        self._looking = self.operations.run(title, work, done, failed, self._ended, shown=True)
        self._allow()

    def _ended(self) -> None:
        self._looking = None
        self._allow()

    # the run

    def train(self) -> None:
        """Start the run that is written."""
        spec = self.form.spec()
        if spec is not None and self.form.data.stops():
            self.banner.say(LEAVES_NOT)
            return
        if spec is not None and runs_of(spec.settings) > 1:
            self.queue.start(spec)
        elif spec is not None:
            self._begin(spec.name, lambda bench, job, watch: bench.trainings.run(spec, spec.name, job, watch), ())

    def resume(self) -> None:
        """Go on with the shown run at its last checkpoint."""
        view = self.run_view.view
        if view is None:
            return
        until = view.checkpoint
        curve = view.result.curve if view.result else ()
        held = view.result.measured if view.result else ()
        before = [one for one in (*curve, *held, *view.sampled) if one.step <= until]
        name = view.run.id
        self._begin(view.run.name, lambda bench, job, watch: bench.trainings.resume(name, "", job, watch), before)

    def keep(self) -> None:
        """End the shown run with the adapter of its last checkpoint."""
        view = self.run_view.view
        if view is not None:
            name = view.run.id
            parts = (*(view.result.curve if view.result else ()), *(view.result.measured if view.result else ()))
            parts = (*parts, *view.sampled)
            self._begin(view.run.name, lambda bench, job, watch: bench.trainings.keep(name, "", job), parts, name)

    def stop(self, keep: bool) -> None:
        """Ask the run to stop; `keep` also ends it with the adapter of its last checkpoint."""
        if self._work is not None:
            self._keep = keep
            self.run_view.stopping("It is being stopped.")
            self._work.cancel()

    def _begin(
        self,
        name: str,
        work: "Callable[[Workbench, Job, Callable[[Step | Measured | Sampled], None]], T]",
        before: "tuple[Step | Measured | Sampled, ...] | list[Step | Measured | Sampled]",
        run: str = "",
        done: "Callable[[T], None] | None" = None,
    ) -> None:
        """Show a run that begins, or `run`, which goes on after `before`; `done` takes what `work` gave, where that isn't a run."""
        self.banner.forget()
        self._keep, self._live_id = False, run
        self._live = list(before)
        self.run_view.begin(name, self._live)
        self._work = self.operations.watch(
            f"Train {name}", work, self._came, done or self._done, self._failed, self._stopped, shown=True
        )
        self._work.progress.connect(
            lambda progress: self.run_view.work.say(progress.done, progress.total, progress.unit)
        )
        self._turn("run")
        self.run_view.pause_button.setFocus()

    def _came(self, pieces: "list[Step | Measured | Sampled]") -> None:
        for piece in pieces:
            steps = [one.step for one in self._live if isinstance(one, Step)][-1:]
            if self.queue.going and isinstance(piece, Step) and (not steps or piece.step <= steps[0]):
                self._live = []
                self.queue.load()
            self._live.append(piece)
        if not self._draw.isActive():
            self._draw.start(DRAW_EVERY)

    def _over(self) -> None:
        self._work = None
        self.queue.over()
        self._draw.stop()
        self.run_view.view = None
        self._wanted = self._live_id

    def _done(self, view: TrainingView) -> None:
        self._over()
        self._wanted = view.run.id
        self.shell.toast(f"{view.run.name} has finished.")
        self.load()

    def _failed(self, found: Failure) -> None:
        """The run itself says the sentence; before it was recorded, the form stays as it was filled."""
        recorded = bool(self._live)
        self._over()
        self.fail(found)
        if not recorded:
            self.write_new()
        self.load()

    def _stopped(self) -> None:
        keep = self._keep
        self._over()

        def done(found: Shelf) -> None:
            name = self._live_id or (found.runs[0].run.id if found.runs else "")
            self._loaded(found)
            self.queue.load()
            stopped = next((one for one in found.runs if one.run.id == name), None)
            if keep and stopped is not None and stopped.checkpoint:
                given = tuple(one for one in self._live if isinstance(one, Sampled))
                self.run_view.view = msgspec.structs.replace(stopped, sampled=given)
                self.keep()
            elif keep:
                self.banner.say("It was stopped before its first checkpoint, so there is no adapter to keep.")

        self.operations.run("Read the training runs", bridge.shelf, done, self.fail)


def worse_by_tag(bench: "Workbench", view: TrainingView) -> tuple[Worse, ...]:
    """By how many samples of each tag the adapter is worse than its base, the most first; samples without a tag count together."""
    if view.compared is None or not any(one.worse for one in view.compared.rated):
        return ()
    samples = bench.datasets.show(view.compared.dataset).dataset.samples
    tags = {sample.id: sample.tags or ("without a tag",) for sample in samples}
    found: list[Worse] = []
    for one in view.compared.rated:
        counts: dict[str, int] = {}
        for name in one.worse:
            for tag in tags.get(name, ("without a tag",)):
                counts[tag] = counts.get(tag, 0) + 1
        whole = {tag: sum(tag in held for held in tags.values()) for tag in counts}
        found += [Worse(one.measure, tag, count, max(count, whole[tag])) for tag, count in counts.items()]
    return tuple(sorted(found, key=lambda worse: (-worse.worse, worse.tag)))
