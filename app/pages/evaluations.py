"""Evaluations: the runs of this vault, the specs that they follow, one run's results sample by sample, and the form of a new spec.

A run goes on while other pages are looked at; its outcomes come into the matrix as they are scored. Stopping keeps what was scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.bridge.operations import Failure, Handle
from app.pages.evaluation_comparison import ComparisonView
from app.pages.evaluation_content import RunContent, read_run
from app.pages.evaluation_form import EvaluationForm
from app.pages.evaluation_gate import GateState, ask_exception, read_gate
from app.pages.evaluation_matrix import signed_before, status_words, title
from app.pages.evaluation_results import NARROW, ResultsView
from app.pages.evaluation_runs import RunsView
from app.pages.evaluation_signing import ask_spec_signature
from app.pages.evaluation_specs import SpecsView
from app.pages.evaluation_views import SavedViews
from app.pages.page import Page, Shell, take_focus
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.basic import Badge
from app.widgets.buttons import Segments, button
from app.widgets.empty_state import EmptyState
from app.widgets.quick_switcher import Target
from app.widgets.toolbar import Chooser
from core.evals.records import Done, Outcome, RunSpec, RunView, SavedSpec, Spec
from core.jobs import Job
from core.records import Json
from core.vault.events import Changed
from core.vault.records import Signature, User
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.workbench import Workbench

PUT_EVERY = 200
"""Milliseconds between two looks at what a run has scored since."""
CHOOSER = 220
"""Pixels of a run's name in the top bar, at scale 1.0."""
VIEWS = (("results", "Results"), ("compare", "Compare"), ("runs", "Runs"), ("specs", "Specs"))
CHANGES = {Act.SAVE_SPEC, Act.SIGN, Act.APPROVE, Act.RUN_EVALUATION}


@dataclass(frozen=True)
class _Shelf:
    runs: tuple[RunView, ...]
    specs: tuple[SavedSpec, ...]
    people: dict[str, str]


class EvaluationsPage(Page):
    """The page. `show_about` takes a run's id, a spec's name, or "new"."""

    title = "Evaluations"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._runs: tuple[RunView, ...] = ()
        self._specs: tuple[SavedSpec, ...] = ()
        self._people: Mapping[str, str] = {}
        self._handle: Handle | None = None
        self._live: RunContent | None = None
        self._fresh: list[Outcome] = []
        self._put = QTimer(self)
        self._put.setSingleShot(True)
        self._put.timeout.connect(self._put_fresh)
        self._wanted = ""
        self._sample: tuple[str, str, str] | None = None
        self._gate: GateState | None = None
        self._asked = 0
        self._begun = False

        self.view = Segments(VIEWS, "What to show")
        self.view.chosen.connect(self._turn)
        self.chooser = Chooser("file", "Run")
        self.chooser.picked.connect(self.show_run)
        self._locked = Badge("", "signed", "lock")
        self.bar.about(self.view, self.chooser, self._locked)
        self.new = button("New evaluation", "plus")
        self.new.clicked.connect(self.write_new)
        self.pack = button("Make a pack", "pack")
        self.pack.clicked.connect(self._make_pack)
        self.bar.act(self.pack, self.new)

        self.results = ResultsView(self.operations)
        self.results.past_asked.connect(self.show_sample)
        self.results.summary.gate.exception_asked.connect(self.ask_exception)
        self.results.cancel_asked.connect(self.cancel)
        self.results.ask_asked.connect(lambda about: self.shell.go("chat", about))
        self.comparison = ComparisonView(self.operations)
        self.comparison.sample_asked.connect(self.show_sample)
        self.saved_views = SavedViews(self.shell, self.comparison)
        self.comparison.add_to_list(self.saved_views)
        self.runs = RunsView(self.operations)
        self.runs.opened.connect(self._open_run)
        self.runs.resume_asked.connect(self.resume)
        self.specs = SpecsView(self.operations)
        self.specs.chosen.connect(self._spec_chosen)
        self.specs.run_asked.connect(lambda saved: self.run(saved.spec.reference))
        self.specs.change_asked.connect(lambda saved: self._write(saved.spec.spec))
        self.specs.sign_asked.connect(self.ask_signature)
        self.form = EvaluationForm(self.operations)
        self.form.saved.connect(lambda spec: self._save(spec, run=False))
        self.form.run_asked.connect(lambda spec: self._save(spec, run=True))
        self.form.cancelled.connect(self._leave_form)
        self.empty = EmptyState(
            "No runs yet. Choose a dataset and two prompt versions to compare.", "New evaluation", "plus"
        )
        self.empty.acted.connect(self.write_new)
        self._stack = QStackedWidget()
        for widget in (self.results, self.comparison, self.runs, self.specs, self.form, self.empty):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack, 1)
        self._stack.setCurrentWidget(self.empty)
        self._allow()

    # what the window asks

    def opened(self) -> None:
        self._load()

    def show_about(self, about: object) -> None:
        wanted = str(about)
        if wanted == "new":
            self.write_new()
        elif wanted.startswith("run-"):
            self._wanted = wanted
            self._load()
        else:
            self.view.choose("specs")
            self._wanted = wanted
            self._load()

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in CHANGES and self._handle is None:
            self._load()

    def start(self) -> QWidget:
        shown = self._stack.currentWidget()
        starts: dict[object, QWidget] = {
            self.results: self.results.matrix,
            self.comparison: self.comparison.table,
            self.runs: self.runs.table,
            self.specs: self.specs.table,
        }
        return starts.get(shown, self)

    def panes(self) -> list[QWidget]:
        shown = self._stack.currentWidget()
        if shown is self.results:
            return [self.results.main, self.results.side]
        if shown is self.comparison:
            return [self.comparison.list, self.comparison.main, self.comparison.side]
        return [self.specs.main, self.specs.side] if shown is self.specs else [self._stack]

    def side(self) -> QWidget | None:
        shown = self._stack.currentWidget()
        view = shown if shown in (self.results, self.comparison, self.specs) else None
        return view.side if isinstance(view, ResultsView | ComparisonView | SpecsView) else None

    def targets(self) -> list[Target]:
        runs = [Target(title(view), "Run", "evaluations", self._going(view.run.id)) for view in self._runs]
        specs = [Target(saved.spec.name, "Spec", "file", self._going(saved.spec.name)) for saved in self._specs]
        return [*runs, *specs]

    def _going(self, about: str) -> "Callable[[], None]":
        return lambda: self.shell.go("evals", about)

    # reading

    def _load(self) -> None:
        def work(bench: "Workbench", job: Job) -> _Shelf:
            people = {person.user: person.name for person in bench.vault.users()}
            return _Shelf(bench.evals.list(), bench.evals.specs(), people)

        self.operations.run("Read the evaluations", work, self._loaded, self.fail)

    def _loaded(self, shelf: _Shelf) -> None:
        self._runs, self._specs, self._people = shelf.runs, shelf.specs, shelf.people
        shown = self.results.content.run.id if self.results.content is not None else ""
        self.runs.show_runs(self._runs, self._people)
        self.comparison.show_runs(self._runs)
        self.specs.show_specs(self._specs, self._people)
        known = [view.run.id for view in self._runs]
        current = shown if shown in known else known[0] if known else ""
        wanted, self._wanted = self._wanted, ""
        if wanted in known:
            current = wanted
            self.view.choose("results")
        elif wanted:
            self.specs.choose(wanted)
        self._offer(current)
        if not self._runs and self._specs and self.view.current() == "results":
            self.view.choose("specs")
        if self._stack.currentWidget() is not self.form:
            self._turn(self.view.current())
        if current and self._handle is None and (current != shown or self._stale(current)):
            self.show_run(current)

    def _stale(self, run: str) -> bool:
        """Whether the run that is shown has another result by now."""
        content = self.results.content
        view = next((view for view in self._runs if view.run.id == run), None)
        return content is None or view is None or content.view.result_digest != view.result_digest

    def _offer(self, current: str) -> None:
        self.chooser.offer([(view.run.id, self._menu_words(view)) for view in self._runs], current)
        view = next((view for view in self._runs if view.run.id == current), None)
        if view is not None:
            words = QFontMetrics(self.chooser.font()).elidedText(
                title(view), Qt.TextElideMode.ElideMiddle, look().px(CHOOSER)
            )
            self.chooser.setText(words)
            self.chooser.updateGeometry()

    def _menu_words(self, view: RunView) -> str:
        return f"{title(view)} · {status_words(view).lower()} · {moment(view.run.started)}"

    def show_run(self, run: str) -> None:
        """Show a run's results."""
        self._offer(run)
        if self._live is not None and self._live.run.id == run:
            self._show(self._live)
            return
        self._asked += 1
        asked = self._asked

        def done(content: RunContent) -> None:
            if asked == self._asked:
                self._show(content)

        self.operations.run("Read a run", lambda bench, job: read_run(bench, run), done, self.fail)

    def show_sample(self, run: str, variant: str, sample: str) -> None:
        """Show one sample of a run under a variant, whole."""
        self._sample = (run, variant, sample)
        self._turn("results")
        self.show_run(run)

    def _show(self, content: RunContent) -> None:
        self.results.show_run(content)
        self._read_gate()
        wanted, self._sample = self._sample, None
        if wanted is not None and wanted[0] == content.run.id:
            self.results.go_to(wanted[2], wanted[1])
        self.results._working.setVisible(self._live is content)
        locked = bool(content.run.criteria) and bool(signed_before(content))
        if locked:
            self._locked.say("Criteria signed before the run", "signed", "lock")
        self._say_locked()
        self._allow()
        if not self._begun:
            self._begun = True
            take_focus(self)

    def _turn(self, name: str) -> None:
        """Show the results, the runs or the specs."""
        self.view.choose(name)
        empty = not self._runs if name != "specs" else not self._specs
        views: dict[str, QWidget] = {
            "results": self.results,
            "compare": self.comparison,
            "runs": self.runs,
            "specs": self.specs,
        }
        self._stack.setCurrentWidget(self.empty if empty and self._live is None else views[name])
        if self._stack.currentWidget() is self.comparison:
            self.comparison.look_at()
            self.saved_views.read()
        results = name == "results" and not empty
        self.chooser.setVisible(results)
        self.pack.setVisible(results)
        self.new.setVisible(not results)
        self._say_locked()
        self._allow()

    def _say_locked(self) -> None:
        """Say that the criteria came first, where there is room for it; the gate says it too."""
        content = self.results.content
        locked = content is not None and bool(content.run.criteria) and bool(signed_before(content))
        room = self.width() >= look().px(NARROW)
        self._locked.setVisible(locked and room and self._stack.currentWidget() is self.results)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._say_locked()

    # running

    def run(self, reference: str) -> None:
        """Run a saved spec; its outcomes are shown as they come."""

        def work(bench: "Workbench", job: Job, watch: "Callable[[RunContent | Done], None]") -> RunView:
            begun = False

            def tell(done: Done) -> None:
                nonlocal begun
                if not begun:
                    begun = True
                    watch(read_run(bench, "latest", outcomes=False))
                watch(done)

            return bench.evals.run(RunSpec(reference=reference), job, tell)

        self._start(f"Evaluate {reference}", f"Running {reference}", work)

    def resume(self, view: RunView) -> None:
        """Go on with a run that was stopped or cut off; what was scored is shown at once."""
        run = view.run.id

        def work(bench: "Workbench", job: Job, watch: "Callable[[RunContent | Done], None]") -> RunView:
            watch(read_run(bench, run))
            return bench.evals.resume(run, job, watch)

        self._start(f"Resume {run}", f"Resuming {run.replace('-', ' ')}", work)

    def _start(
        self, job: str, words: str, work: "Callable[[Workbench, Job, Callable[[RunContent | Done], None]], RunView]"
    ) -> None:
        if self._handle is not None:
            self.banner.say("An evaluation runs already.", "Wait for it or stop it, then start this one.")
            return
        self.banner.hide()
        self._handle = self.operations.watch(
            job, work, self._came, self._ran, self._run_failed, self._run_over, shown=True
        )
        self._handle.progress.connect(self.results.say_work)
        self.results.begin_work(words)
        self._allow()

    def cancel(self) -> None:
        """Ask the run to stop; what was scored stays."""
        if self._handle is not None:
            self._handle.cancel()

    def _came(self, pieces: "list[RunContent | Done]") -> None:
        outcomes: list[Outcome] = []
        for piece in pieces:
            if isinstance(piece, RunContent):
                piece.live = True
                self._live = piece
                self._runs = (piece.view, *(one for one in self._runs if one.run.id != piece.run.id))
                self._offer(piece.run.id)
                self._turn("results")
                self._show(piece)
            elif self._live is not None:
                self._live.take(piece.outcome)
                outcomes.append(piece.outcome)
        self._fresh += outcomes
        if self._fresh and not self._put.isActive():
            self._put.start(PUT_EVERY)

    def _put_fresh(self) -> None:
        """Bring what has come in into the matrix, a few times a second at most."""
        fresh, self._fresh = self._fresh, []
        if fresh and self._live is not None and self.results.content is self._live:
            self.results.put(fresh)

    def _ran(self, view: RunView) -> None:
        shown = self.results.content is self._live
        self._run_over()
        if view.status == "finished":
            self.shell.toast(f"{title(view)} has finished.")
        if shown or view.run.id not in [known.run.id for known in self._runs]:
            self._wanted = view.run.id
        self._load()

    def _run_failed(self, found: Failure) -> None:
        self._run_over()
        self.banner.say(found.sentence, found.safe or "What was scored until then is kept.")
        self._load()

    def _run_over(self) -> None:
        self._put.stop()
        self._put_fresh()
        self._handle = None
        self._live = None
        self.results.end_work()
        self._allow()

    # writing

    def write_new(self) -> None:
        """Open the form of a new evaluation."""
        self._write(None)

    def _write(self, spec: Spec | None, draft: Json = None) -> None:
        self.banner.hide()
        for widget in (self.chooser, self._locked, self.pack, self.new):
            widget.setVisible(False)
        self._stack.setCurrentWidget(self.form)
        if draft is None:
            self.form.begin(spec)
        else:
            self.form.take_draft(draft)

    def draft(self) -> Json:
        return self.form.draft() if self._stack.currentWidget() is self.form else None

    def take_draft(self, draft: Json) -> None:
        self._write(None, draft)

    def _leave_form(self) -> None:
        self._turn(self.view.current())

    def _save(self, spec: Spec, run: bool) -> None:
        def done(saved: SavedSpec) -> None:
            self.form.done()
            said = "Saved" if saved.created else "Unchanged:"
            self.shell.toast(f"{said} {saved.spec.reference}.")
            self._wanted = "" if run else saved.spec.name
            self.view.choose("specs")
            self._stack.setCurrentWidget(self.specs)
            self._load()
            if run:
                self.run(saved.spec.reference)

        self.operations.run("Save a spec", lambda bench, job: bench.evals.save(spec), done, self.form.refuse)

    # signing

    def _person(self) -> User | None:
        workbench = self.operations.workbench
        return workbench.vault.user if workbench is not None else None

    def _spec_chosen(self, saved: SavedSpec) -> None:
        def work(bench: "Workbench", job: Job) -> tuple[Signature, ...]:
            with bench.vault.read() as reader:
                return reader.signatures(saved.digest)

        def done(signatures: tuple[Signature, ...]) -> None:
            if self.specs.current() == saved:
                self.specs.show_signatures(signatures)

        self.operations.run("Read signatures", work, done, self.fail)

    def ask_signature(self, saved: SavedSpec) -> None:
        """Open the signing panel for a spec."""
        person = self._person()
        if person is not None:
            ask_spec_signature(self.shell, saved, person, self._load, self.fail)

    def ask_exception(self) -> None:
        """Open the signing panel for an exception to the shown run's gate."""
        person, content, state = self._person(), self.results.content, self._gate
        if person is not None and content is not None and state is not None:
            ask_exception(self.shell, content, state, person, self._read_gate)

    def _read_gate(self) -> None:
        """Read what the vault says of the shown run's gate."""
        content, self._gate = self.results.content, None
        if content is None or content.live:
            return

        def done(state: GateState | None) -> None:
            if self.results.content is content:
                self._gate = state
                self.results.summary.gate.show_run(content)
                self.results.summary.gate.show_state(content, state, self._person())

        run = content.run.id
        self.operations.run("Read a gate", lambda bench, job: read_gate(bench, run), done, self.fail)

    def _make_pack(self) -> None:
        if self.results.content is not None:
            self.shell.go("evidence", self.results.content.run.id)

    # building

    def _allow(self) -> None:
        """Enable what this person may do now, and say why not where they may not."""
        person = self._person()
        roles = person.roles if person is not None else ()
        writes = "" if allowed(Act.SAVE_SPEC, roles) else "Your roles here don’t allow this; an author must do it."
        runs = writes or ("An evaluation runs already." if self._handle is not None else "")
        self.new.refuse(writes)
        self.specs.change.refuse(writes)
        self.specs.run.refuse(runs)
        self.runs.refuse(runs)
        self.saved_views.refuse(writes)
        signs = allowed(Act.SIGN, roles) or allowed(Act.APPROVE, roles)
        self.specs.sign.refuse("" if signs else "Your roles here don’t allow signing.")
        content = self.results.content
        unfinished = content is None or content.view.result is None
        self.pack.refuse("A run without a result can’t be packed." if unfinished else "")

    def _open_run(self, view: RunView) -> None:
        self._turn("results")
        self.show_run(view.run.id)
