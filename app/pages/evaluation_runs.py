"""The runs of a vault in a table, and what can be done with one: open it, go on with one that was cut off, and replay one that promises equal
answers, with what came out otherwise and why that may be.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.operations import Failure, Handle, Operations
from app.pages.evaluation_matrix import status_cell
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.banner import Banner
from app.widgets.basic import column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.long_work import LongWork
from app.widgets.table import Cell, Column, Table
from core.evals.records import RunView
from core.evals.replaying import Differs, Replay
from core.jobs import Job

FIELDS = {"tokens": "the number of tokens", "prompt_tokens": "the prompt’s tokens", "finish": "how it ended"}
"""What of an outcome differs, where its own word doesn't say it."""


class RunsView(QWidget):
    """`opened` and `resume_asked` give the `RunView` that the person wants."""

    opened = Signal(object)
    resume_asked = Signal(object)

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self._people: Mapping[str, str] = {}
        self._refused = ""
        self._handle: Handle | None = None
        self.table = Table(
            (
                Column("Run", lambda v: Cell(v.run.id.replace("-", " ").capitalize(), strong=True), 100),
                Column("Spec", lambda v: Cell(v.run.spec_reference)),
                Column("Dataset", lambda v: Cell(v.run.dataset_reference), 190, spare=2),
                Column("Samples", lambda v: Cell(f"{v.run.samples:,}"), 84, right=True),
                Column("Variants", lambda v: Cell(str(len(v.run.variants))), 84, right=True),
                Column("Started", lambda v: Cell(moment(v.run.started)), 150, spare=3),
                Column("By", lambda v: Cell(self._people.get(v.run.user, v.run.user)), 140, spare=1),
                Column("Status", status_cell, 140),
            ),
            "Runs",
        )
        self.table.opened.connect(self.opened)
        self.table.chosen.connect(lambda _: self._allow())
        self.banner = Banner()
        self.work = LongWork()
        self.work.cancelled.connect(self.cancel)
        self.lead = label("", strong=True, wrap=True)
        self.reasons = label("", tone="secondary", wrap=True)
        self.different = Table(
            (
                Column("Sample", lambda d: Cell(d.sample, mono=True), 110),
                Column("Variant", lambda d: Cell(d.variant, middle=True)),
                Column("Time", lambda d: Cell(str(d.repetition + 1)), 60, right=True),
                Column("What differs", _differs_cell, 260),
            ),
            "Answers that came out otherwise",
        )
        self.different.setFixedHeight(look().px(32 + 36 * 4))
        self.replayed = frame("panel")
        self.replayed.setLayout(column(self.lead, self.reasons, self.different, space=6, margins=(20, 12, 20, 12)))
        self._working = frame("panel")
        self._working.setLayout(column(self.work, margins=(20, 12, 20, 12)))
        self.open = button("Open", "file")
        self.open.clicked.connect(lambda: self._ask(self.opened))
        self.resume = button("Resume", "play")
        self.resume.clicked.connect(lambda: self._ask(self.resume_asked))
        self.replay = button("Replay", "again")
        self.replay.clicked.connect(self.begin_replay)
        foot = frame("panel")
        foot.setLayout(row(None, self.replay, self.resume, self.open, space=8, margins=(20, 10, 20, 10)))
        layout = column(self.table, self.banner, self.replayed, self._working, line(), foot, space=0)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        for widget in (self.replayed, self._working):
            widget.hide()

    def show_runs(self, runs: Sequence[RunView], people: Mapping[str, str]) -> None:
        """Show these; the chosen one stays chosen."""
        self._people = people
        self.table.show_rows(runs, keep=lambda view: view.run.id)
        if runs and self.table.current() is None:
            self.table.choose(0)
        self._allow()

    def refuse(self, because: str) -> None:
        """Say why nothing may be run now; nothing where it may."""
        self._refused = because
        self._allow()

    def current(self) -> RunView | None:
        found = self.table.current()
        return found if isinstance(found, RunView) else None

    def _allow(self) -> None:
        view = self.current()
        over = "It is finished. Run its spec again for another run." if view and view.status == "finished" else ""
        self.open.refuse("" if view else "Choose a run.")
        self.resume.refuse(self._refused or over if view else "Choose a run.")
        busy = "A run is being replayed already." if self._handle is not None else ""
        self.replay.refuse((self._refused or busy) if view else "Choose a run.")

    def _ask(self, way: Signal) -> None:
        view = self.current()
        if view is not None:
            way.emit(view)

    # replaying

    def begin_replay(self) -> None:
        """Make the chosen run's answers again, and compare them with what was recorded."""
        view = self.current()
        if view is None or self._handle is not None:
            return
        run = view.run.id
        for widget in (self.banner, self.replayed):
            widget.hide()

        def done(found: Replay) -> None:
            self._over()
            self.show_replay(found)

        def failed(found: Failure) -> None:
            self._over()
            self.banner.say(found.sentence, found.safe or "The run is as it was recorded.")

        def work(bench: object, job: Job) -> Replay:
            return bench.evals.replay(run, job)  # type: ignore[attr-defined, no-any-return]

        self.work.begin(f"Replaying {run.replace('-', ' ')}", "Nothing is recorded")
        self._working.show()
        self._handle = self._operations.run(f"Replay {run}", work, done, failed, self._over, shown=True)
        self._handle.progress.connect(lambda told: self.work.say(told.done, told.total, told.unit))
        self._allow()

    def cancel(self) -> None:
        """Ask the replay to stop."""
        if self._handle is not None:
            self._handle.cancel()

    def _over(self) -> None:
        self._handle = None
        self._working.hide()
        self._allow()

    def show_replay(self, found: Replay) -> None:
        """Say what a replay found."""
        self.lead.setText(replay_words(found))
        self.reasons.setText(" ".join(f"{reason[:1].upper()}{reason[1:]}." for reason in found.reasons))
        self.reasons.setVisible(bool(found.reasons))
        self.different.show_rows(found.different)
        self.different.setVisible(bool(found.different))
        self.replayed.setAccessibleName(f"{self.lead.text()} {self.reasons.text()}".strip())
        self.replayed.show()


def replay_words(found: Replay) -> str:
    """What a replay found, in a sentence."""
    run = found.run.replace("-", " ").capitalize()
    if not found.compared:
        return f"{run} has no recorded answers to compare."
    if found.same == found.compared:
        return f"{run}: all {found.compared:,} answers came out the same, byte for byte."
    return f"{run}: {found.compared - found.same:,} of {found.compared:,} answers came out otherwise."


def _differs_cell(found: Differs) -> Cell:
    return Cell(", ".join(FIELDS.get(field, f"the {field}") for field in found.fields))
