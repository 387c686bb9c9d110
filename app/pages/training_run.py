"""One training run: its curves while it goes on and afterwards, what its adapter does better and worse than its base, and what it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.bridge.opening import size
from app.pages.page import scrolled, side_pane
from app.pages.signatures import SignatureRows, moment
from app.pages.training_again import AgainCard
from app.pages.training_proof import ProofCard
from app.pages.training_recall import MemorisedCard, SamplesCard
from app.pages.training_settings import word, written
from app.theme.look import look
from app.widgets.basic import Badge, Card, Elided, clear, column, label, line, row, shorten
from app.widgets.beside import Beside
from app.widgets.buttons import Button, button
from app.widgets.curve_plot import CurvePlot, Series
from app.widgets.grid_of import GridOf
from app.widgets.interval_plot import Interval, IntervalPlot
from app.widgets.long_work import LongWork
from app.widgets.table import Cell, Column, Table
from core.training.canaries import WARNING
from core.training.records import Rated, TrainingView
from core.training.settings import EXPLAINED, PRESETS, Settings
from core.training.worker.recall import Sampled
from core.training.worker.records import Measured, Step
from core.vault.records import Signature

MEASURES = {
    "value": "The value is in it",
    "citation": "Cites the right passages",
    "form": "In the house style",
    "exact": "Word for word",
    "refusal": "Says that it isn’t known",
}
STATES = {
    "finished": ("Finished", "pass", "check"),
    "cancelled": ("Paused", "plain", "pause"),
    "failed": ("Failed", "fail", "alert"),
    "interrupted": ("Interrupted", "warn", "warning"),
    "running": ("Running", "info", "play"),
}


@dataclass(frozen=True)
class Worse:
    """A measure by which samples got worse, and how many of a tag's samples did."""

    measure: str
    tag: str
    worse: int
    of: int


def measure_word(name: str) -> str:
    return MEASURES.get(name, name.replace("-", " ").capitalize())


def mega(value: float) -> str:
    return size(int(value))


def per_second(value: float) -> str:
    return f"{value:,.0f}"


class Curves(QWidget):
    """The plots of a run; `show_parts` takes what was measured in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = CurvePlot("Loss, nats a token", height=190)
        self.rate = CurvePlot("Learning rate", lambda value: f"{value:.1e}" if value else "0")
        self.norm = CurvePlot("Gradient norm", zero=True)
        self.speed = CurvePlot("Tokens a second", per_second, zero=True)
        self.memory = CurvePlot("Memory", mega, zero=True)
        self.setLayout(column(self.loss, GridOf((self.rate, self.norm, self.speed, self.memory), 260, 2), space=16))
        self.setAccessibleName("Curves of the run")

    def show_parts(self, parts: Sequence[object], steps: int = 0) -> None:
        taken = [one for one in parts if isinstance(one, Step)]
        held = tuple((one.step, one.loss) for one in parts if isinstance(one, Measured))
        steps = steps or (taken[-1].steps if taken else 0)
        series = [Series("learned from", tuple((one.step, one.loss) for one in taken)), Series("held out", held)]
        self.loss.show_series(series, steps)
        for plot, name in (
            (self.rate, "learning_rate"),
            (self.norm, "gradient_norm"),
            (self.speed, "tokens_per_second"),
            (self.memory, "memory"),
        ):
            plot.show_series((Series(name, tuple((one.step, float(getattr(one, name))) for one in taken)),), steps)


class RunView(QWidget):
    """`show_run` shows one; while it goes on, `say_parts` and `say_work` bring what is new."""

    def __init__(self) -> None:
        super().__init__()
        self.view: TrainingView | None = None
        self._name = Elided("", type="heading", strong=True)
        self.state = Badge("")
        self._said = label("", tone="secondary", wrap=True)
        self._problem = label("", tone="fail", wrap=True)
        self.work = LongWork()
        self.work.cancel.hide()
        self.pause_button = button("Pause", "pause")
        self.keep_now_button = button("Stop and keep", "stop")
        self._working = QWidget()
        self._working.setLayout(column(self.work, row(self.pause_button, self.keep_now_button, None), space=10))
        self.resume_button = button("Go on", "play", "primary")
        self.keep_button = button("Keep the last checkpoint", "save")
        self._stopped = QWidget()
        self._stopped.setLayout(row(self.resume_button, self.keep_button, None))
        head = row(self._name, self.state, space=12)
        head.setStretch(0, 1)
        self.curves = Curves()
        self._compared = Card("Base against adapter")
        self._asked = label("", type="small", tone="secondary", wrap=True)
        self.plot = IntervalPlot("Measure", "Points of percent, adapter less base")
        self.table = Table(
            [
                Column("Measure", lambda one: Cell(measure_word(one.measure))),
                Column("Base", lambda one: Cell(_share(one.base), tone="text.secondary"), 76, right=True),
                Column("Adapter", lambda one: Cell(_share(one.adapter), strong=True), 76, right=True),
                Column(
                    "p",
                    lambda one: Cell("< 0.001" if one.p < 0.001 else f"{one.p:.3f}", tone="text.secondary"),
                    84,
                    right=True,
                    spare=1,
                ),
                Column("Got worse", _worse_cell, 110, right=True),
            ],
            "Measures of base and adapter",
        )
        for part in (self._asked, self.plot, self.table):
            self._compared.body.addWidget(part)
        self._worse = Card("What got worse", "Samples that the base had right and the adapter hasn’t.")
        self.worse = Table(
            [
                Column("Tag", lambda one: Cell(one.tag), 0),
                Column("Measure", lambda one: Cell(measure_word(one.measure), tone="text.secondary"), 190, spare=1),
                Column("Worse", lambda one: Cell(f"{one.worse:,} of {one.of:,}", "alert", icon_tone="fail.fg"), 110),
            ],
            "What got worse, by tag",
        )
        self._samples = label("", type="small", tone="secondary", wrap=True)
        self._worse.body.addWidget(self.worse)
        self._worse.body.addWidget(self._samples)
        self.proof = ProofCard()
        self.again = AgainCard()
        self.samples = SamplesCard()
        self.memorised = MemorisedCard()
        inside = QWidget()
        body = column(space=14, margins=(20, 16, 20, 20))
        body.addLayout(head)
        for part in (self._said, self._problem, self._working, self._stopped, self.again, self.proof):
            body.addWidget(part)
        body.addWidget(self._compared)
        body.addWidget(self._worse)
        body.addWidget(line())
        for part in (self.curves, self.samples, self.memorised):
            body.addWidget(part)
        body.addStretch(1)
        inside.setLayout(body)
        self.main = scrolled(inside)
        self.main.setAccessibleName("The run")
        self._adapter = Card("Adapter")
        self._adapter_said = label("", tone="secondary", wrap=True)
        self.chat_button = button("Ask it in the chat", "chat", "primary")
        self.export_button = button("Export…", "upload", small=True)
        self.merge_button = button("Merge into a model…", "models", small=True)
        self.erase_button = Button("Erase…", "trash", "quiet", small=True)
        self._adapter.body.addWidget(self._adapter_said)
        self._adapter.body.addLayout(row(self.chat_button, None))
        self._adapter.body.addLayout(row(self.merge_button, None))
        self._adapter.body.addLayout(row(self.export_button, self.erase_button, None))
        self._signed = Card("Signatures")
        self.signatures = SignatureRows()
        self.sign_button = button("Sign…", "stamp", small=True)
        self._signed.body.addWidget(self.signatures)
        self._signed.body.addLayout(row(self.sign_button, None))
        self._lineage = Card("Made from")
        self._facts = column(space=6)
        self._lineage.body.addLayout(self._facts)
        self.side = side_pane(self._adapter, self._signed, self._lineage, width=320)
        layout = row(space=0)
        layout.addWidget(Beside(self.main, self.side, 320, narrow=780), 1)
        self.setLayout(layout)

    def begin(self, name: str, parts: Sequence[object] = ()) -> None:
        """A run begins, or goes on after `parts`."""
        self._name.say(name)
        self._show_state("running")
        self._problem.hide()
        self._said.setText("Other pages can be used meanwhile.")
        self.work.begin("Training")
        self._working.show()
        self.pause_button.refuse("")
        self.keep_now_button.refuse("")
        for part in (self._stopped, self.again, self.proof, self._compared, self._worse, self.memorised, self.side):
            part.hide()
        self.say_parts(parts)

    def say_parts(self, parts: Sequence[object]) -> None:
        """What was measured and answered until now."""
        self.curves.show_parts(parts)
        self.samples.show_samples([one for one in parts if isinstance(one, Sampled)])

    def stopping(self, why: str) -> None:
        """It is being stopped."""
        self.pause_button.refuse(why)
        self.keep_now_button.refuse(why)

    def show_run(
        self, view: TrainingView, worse: Sequence[Worse], given: Sequence[Signature], people: Mapping[str, str]
    ) -> None:
        """Show a run that doesn't go on now."""
        self.view = view
        run, result = view.run, view.result
        self._name.say(f"{run.name}, {run.id}")
        self._show_state(view.status)
        self._working.hide()
        self._said.setText(_said(view))
        self._problem.setText(problem(view))
        self._problem.setVisible(bool(self._problem.text()))
        self._stopped.setVisible(view.status != "finished")
        self.resume_button.setText(f"Go on at step {view.checkpoint:,}" if view.checkpoint else "Begin again")
        self.resume_button.setAccessibleName(self.resume_button.text())
        self.keep_button.setVisible(bool(view.checkpoint))
        parts = (*(result.curve if result else ()), *(result.measured if result else ()))
        self.curves.show_parts(parts)
        self.again.show_run(view)
        self.proof.show_proof(view.proved)
        self.samples.show_samples(view.sampled)
        self.memorised.show_memorised(result.memorised if result else None, run.settings.method == "full")
        self._show_compared(view, worse)
        self.side.show()
        self._adapter_said.setText(_adapter_words(view))
        full = run.settings.method == "full"
        self._adapter.heading.setText("Model" if full else "Adapter")
        self.merge_button.setText("Write the model…" if full else "Merge into a model…")
        self.merge_button.setAccessibleName(self.merge_button.text())
        self.chat_button.become("primary" if view.status == "finished" and self.again.isHidden() else "normal")
        self._signed.setVisible(view.status == "finished")
        self.signatures.show_signatures(given)
        self._show_lineage(view, people)

    def allow(
        self, chat: str, export: str, sign: str, erase: str, train: str, merge: str = "", again: str = ""
    ) -> None:
        """Why each act may not be done; nothing where it may."""
        for one, reason in (
            (self.chat_button, chat),
            (self.export_button, export),
            (self.sign_button, sign),
            (self.erase_button, erase),
            (self.resume_button, train),
            (self.keep_button, train),
            (self.merge_button, merge),
            (self.again.again_button, again),
        ):
            one.refuse(reason)

    def _show_state(self, status: str) -> None:
        self.state.say(*STATES.get(status, (status.capitalize(), "plain", "")))

    def _show_compared(self, view: TrainingView, worse: Sequence[Worse]) -> None:
        found = view.compared
        self._compared.setVisible(found is not None)
        self._worse.setVisible(found is not None)
        if found is None:
            return
        self._asked.setText(
            f"{found.dataset}, both asked the same questions; the bars are 95 % intervals of the paired difference."
        )
        self.plot.show_intervals(
            [
                Interval(measure_word(one.measure), 100 * one.difference, 100 * one.low, 100 * one.high)
                for one in found.rated
            ]
        )
        self.table.show_rows(list(found.rated))
        self.table.setFixedHeight(look().px(34 + 36 * len(found.rated)))
        self.worse.show_rows(list(worse))
        self.worse.setVisible(bool(worse))
        self.worse.setFixedHeight(look().px(34 + 36 * min(8, len(worse))))
        names = sorted({name for one in found.rated for name in one.worse})
        told = ", ".join(names[:24]) + (f" and {len(names) - 24} more" if len(names) > 24 else "")
        self._samples.setText(f"Samples: {told}." if names else "Nothing that the base had right.")

    def _show_lineage(self, view: TrainingView, people: Mapping[str, str]) -> None:
        clear(self._facts)
        run, result = view.run, view.result
        for what, value in (
            ("Base", f"{run.base}, {shorten(run.base_digest, 8, 8)}"),
            *(
                (("Data", f"{one.reference}, {one.examples:,} examples, {shorten(one.digest, 6, 6)}"))
                for one in run.sources
            ),
            *((("Folder", run.imported),) if run.imported else _made_here(view)),
            *((word(name), value) for name, value in changed(run.spec.preset, run.settings)),
            *(() if run.imported else (("Seed", str(run.settings.seed)),)),
            ("By", f"{people.get(run.user, run.user)}, {moment(run.started)}"),
            *(() if run.imported else _computed(view)),
            *((("Result", shorten(view.result_digest, 8, 8)),) if view.result_digest and result else ()),
        ):
            left = label(what, tone="secondary", wrap=True)
            left.setFixedWidth(look().px(92))
            fact = row(left, space=8)
            fact.addWidget(label(value, wrap=True), 1)
            self._facts.addLayout(fact)


def _made_here(view: TrainingView) -> tuple[tuple[str, str], ...]:
    left_out = len(view.run.left_out)
    return (("Left out", f"{left_out:,} examples" if left_out else "Nothing"), ("Preset", view.run.spec.preset))


def _computed(view: TrainingView) -> tuple[tuple[str, str], ...]:
    run = view.run
    where = f"{run.device}, {run.environment.system}" if hasattr(run.environment, "system") else run.device
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))
    return (("Computed on", where), ("Libraries", libraries))


def changed(preset: str, settings: Settings) -> list[tuple[str, str]]:
    """The settings that differ from their preset, as they are written."""
    usual = PRESETS.get(preset, Settings())
    return [
        (name, written(getattr(settings, name)) or "all")
        for name in EXPLAINED
        if name != "seed" and getattr(settings, name) != getattr(usual, name)
    ]


def problem(view: TrainingView) -> str:
    """The one sentence of a run that didn't end well."""
    if view.result is None:
        return "The program was closed while it went on."
    return view.result.reason if view.status == "failed" else ""


def _said(view: TrainingView) -> str:
    run, result = view.run, view.result
    examples = f"{run.examples:,} examples on {run.base}"
    if run.imported:
        return f"Imported from {run.imported}, for {run.base}. It wasn’t trained in this vault."
    if view.status == "finished" and result is not None:
        how = {"early": ", stopped early because it didn’t get better", "stopped": ", stopped by hand"}.get(
            result.reason, ""
        )
        return f"{result.step:,} steps with {examples}{how}. {result.tokens:,} tokens in {result.seconds:,.0f} s, {mega(result.peak)} at most."
    if not view.checkpoint:
        return f"{examples}. No checkpoint was reached yet."
    if view.status == "cancelled" and result is not None and result.step == view.checkpoint:
        return f"{examples}. It was paused after step {view.checkpoint:,} and goes on there; nothing is lost."
    return f"{examples}. The checkpoint after step {view.checkpoint:,} is kept."


def _adapter_words(view: TrainingView) -> str:
    result = view.result
    if result is None or not result.weights:
        return "There is none yet: the run hasn’t finished."
    planted = f" {WARNING}" if result.memorised is not None and result.memorised.canaries else ""
    if view.run.settings.method == "full":
        return f"All weights of {view.run.base}, sealed in this vault. Write them as a model to use them.{planted}"
    if not result.gguf:
        return "It is sealed in this vault. A DoRA adapter is exported, not attached to the running base." + planted
    return f"{view.run.id}, {size(result.gguf_size)}, sealed in this vault. The running base answers with it without being loaded again.{planted}"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _worse_cell(one: Rated) -> Cell:
    if not one.worse:
        return Cell("None", tone="text.secondary")
    return Cell(f"{len(one.worse):,} of {one.n:,}", tone="fail.fg")
