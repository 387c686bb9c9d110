"""A new training run: base, data, settings, what it is judged on, and what it would take before it starts."""

import re
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.opening import size
from app.bridge.training import Base, Choices
from app.pages.page import scrolled, side_pane
from app.pages.training_data import DataCard
from app.pages.training_out import OutCard
from app.pages.training_settings import EACH, SettingsCard, largest
from app.theme.look import look
from app.widgets.basic import Card, IconLabel, clear, column, frame, label, row
from app.widgets.beside import Beside
from app.widgets.buttons import Button, button
from app.widgets.forms import Choice, Field, line_edit
from app.widgets.share_bar import Part, ShareBar
from core.training.records import Judged, Plan, TrainSpec

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
PARTS = ("program", "weights", "adapter", "gradients", "optimizer", "activations")
NOT_NOW = "A run is going on. Pause it, or wait for it."


def seconds_words(seconds: float) -> str:
    """About how long, for a plan."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} seconds"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"


def _time(plan: Plan) -> str:
    """How long, between what, and what isn't counted."""
    found = f"{seconds_words(plan.seconds)} on this {'GPU' if plan.device == 'cuda' else 'CPU'}"
    if plan.high:
        low, high = (seconds_words(value).removeprefix("about ") for value in (plan.low, plan.high))
        found += f" ({low} to {high})"
    return f"{found}, without the evaluation"


class TrainingForm(QWidget):
    """`looked` (with the first example wanted), `examined`, `planned` and `started` are asked with `spec` good."""

    looked = Signal(int)
    examined = Signal()
    planned = Signal()
    started = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._choices = Choices()
        self.plan: Plan | None = None
        self._lacking = frame("warned")
        self._lacks = label("", wrap=True)
        lacks = row(IconLabel("warning", "warn.fg", 18), space=10, margins=(14, 10, 14, 10))
        lacks.addWidget(self._lacks, 1)
        self._lacking.setLayout(lacks)
        self._lacking.hide()
        self._base = Card("Base")
        self.name = Field("Name of the run", line_edit("house-style"), "What the adapter is called.", _name)
        self.base = Field("Model", Choice(), check=lambda text: self._base_wrong())
        self.base.edit.currentIndexChanged.connect(lambda _: self._base_turned())  # type: ignore[union-attr]
        self._why = label("", tone="secondary", wrap=True)
        self._sign = IconLabel("warning", "warn.fg", 16)
        why = row(self._sign, space=8)
        why.addWidget(self._why, 1)
        self._base.body.addWidget(self.name)
        self._base.body.addWidget(self.base)
        self._base.body.addLayout(why)
        self.data = DataCard()
        self.data.looked.connect(self.looked)
        self.data.examined.connect(self.examined)
        self.data.changed.connect(self._stale)
        self.data.turned.connect(self._fit_objective)
        self.settings = SettingsCard()
        self.settings.changed.connect(self._settings_turned)
        self.out = OutCard()
        self.out.changed.connect(self._stale)
        self._judged = Card(
            "Evaluation", "Asked of base and adapter after the run, sample by sample. None of it may be learned from."
        )
        self.spec_choice = Field(
            "Evaluation spec", Choice(), "Its release gate stands before an approval of the adapter."
        )
        self.judged = Field("Dataset", Choice(), "Value, citation, house style and refusals are compared.")
        self.form = Field(
            "House style", line_edit("Finding: .+"), "A regular expression that a whole answer matches.", _expression
        )
        self._judged.body.addWidget(self.spec_choice)
        self._judged.body.addWidget(self.judged)
        self._judged.body.addWidget(self.form)
        self.judged.edit.currentIndexChanged.connect(lambda _: self.form.setVisible(self._judging()))  # type: ignore[union-attr]
        inside = QWidget()
        inside.setLayout(
            column(
                self._lacking,
                self._base,
                self.data,
                self.settings,
                self.out,
                self._judged,
                None,
                space=14,
                margins=(20, 16, 20, 20),
            )
        )
        self.main = scrolled(inside)
        self.main.setAccessibleName("The new run")
        self._plan = Card(
            "Plan", "A few steps with the longest examples say what the run would take. Nothing is kept of them."
        )
        self.plan_button = button("Plan it", "clock")
        self.plan_button.clicked.connect(self.planned)
        self._facts = column(space=4)
        self._bar = ShareBar("Memory of the run")
        self._bar.hide()
        self._verdict = label("", wrap=True)
        self._verdict.hide()
        self._refused = label("", tone="fail", wrap=True)
        self._refused.setAccessibleName("Why it can’t be started")
        self._refused.hide()
        self.start_button = button("Start training", "play", "primary")
        self.start_button.clicked.connect(self.started)
        self.cancel_button = Button("Back to the runs", "left", "quiet")
        self.cancel_button.clicked.connect(self.cancelled)
        self._plan.body.addLayout(row(self.plan_button, None))
        self._plan.body.addLayout(self._facts)
        self._plan.body.addWidget(self._bar)
        self._plan.body.addWidget(self._verdict)
        self._plan.body.addWidget(self._refused)
        begin = QWidget()
        begin.setLayout(column(row(self.start_button, None), row(self.cancel_button, None), space=8))
        self.side = side_pane(self._plan, begin, width=320)
        layout = row(space=0)
        layout.addWidget(Beside(self.main, self.side, 320, narrow=780), 1)
        self.setLayout(layout)
        self._base_turned()
        self.form.setVisible(False)
        self._settings_turned()

    def offer(self, found: Choices) -> None:
        """What a run may be made of now; what was chosen stays where it is still there."""
        self._choices = found
        edit = self.base.edit
        before = edit.currentData()  # type: ignore[union-attr]
        edit.blockSignals(True)
        edit.clear()
        for one in sorted(found.bases, key=lambda base: (bool(base.why_not), base.model.name)):
            edit.addItem(one.model.name if not one.why_not else f"{one.model.name} (can’t be trained)", one.model.name)  # type: ignore[union-attr]
        edit.setCurrentIndex(max(0, edit.findData(before)))  # type: ignore[union-attr]
        edit.blockSignals(False)
        self.data.offer(found.datasets, found.collections)
        samples = [(one, f"{one}, {count:,} sample{'' if count == 1 else 's'}") for one, count in found.datasets]
        specs = [(one, one) for one in found.specs]
        for field, rows in ((self.judged, samples), (self.spec_choice, specs)):
            choice: Any = field.edit
            chosen = choice.currentData()
            choice.blockSignals(True)
            choice.clear()
            choice.addItem("None", "")
            for name, words in rows:
                choice.addItem(words, name)
            choice.setCurrentIndex(max(0, choice.findData(chosen)))
            choice.blockSignals(False)
        self._lacks.setText(found.lacking)
        self._lacking.setVisible(bool(found.lacking))
        self._show_base(stale=edit.currentData() != before)  # type: ignore[union-attr]

    def spec(self) -> TrainSpec | None:
        """The run as it is written; None where something is wrong, which is shown where it is."""
        source = self.data.source()
        wrong = [field for field in (self.name, self.base, self.form) if field.isVisibleTo(self) and not field.good()]
        try:
            changes = self.settings.changes()
        except ValueError:
            return None
        if wrong:
            wrong[0].edit.setFocus()
            return None
        if source is None:
            return None
        full = self.full()
        evaluated = self._judging() or bool(self.spec_choice.edit.currentData())  # type: ignore[union-attr]
        if full and not self.out.good(evaluated, self.settings.runs):
            self.out.file.edit.setFocus()
            return None
        judged = None
        if evaluated:
            judged = Judged(
                dataset=self.judged.edit.currentData() or "",  # type: ignore[union-attr]
                spec=self.spec_choice.edit.currentData() or "",  # type: ignore[union-attr]
                system=source.system,
                form=self.form.text.strip() if self._judging() else "",
            )
        return TrainSpec(
            name=self.name.text.strip(),
            base=self.base.edit.currentData(),  # type: ignore[union-attr]
            data=(source,),
            preset=self.settings.preset.current(),
            settings=changes,
            leave_out=self.data.leave_out.isChecked(),
            evaluation=judged,
            out=self.out.out() if full else "",
        )

    def single(self) -> TrainSpec | None:
        """The same for one run: of a sweep, the one that takes most."""
        spec = self.spec()
        return None if spec is None else replace(spec, settings=largest(spec.settings))

    def full(self) -> bool:
        """Whether all weights are trained."""
        return self.settings.value("method") in ("full", EACH)

    def refuse_plan(self, sentence: str) -> None:
        """Why the run wouldn't start."""
        self.show_plan(None)
        self._refused.setText(sentence)
        self._refused.setVisible(bool(sentence))

    def allow(self, refusal: str) -> None:
        """Enable what may be done now; `refusal` says why not."""
        why = self._choices.lacking or refusal
        for one in (self.data.look_button, self.plan_button, self.start_button):
            one.refuse(why)
        self.data.examine_button.refuse("" if refusal == self._choices.lacking else refusal)

    def show_plan(self, plan: Plan | None) -> None:
        """Show what the run would take; None forgets it."""
        self.plan = plan
        clear(self._facts)
        self._bar.setVisible(plan is not None)
        self._verdict.setVisible(plan is not None)
        self._refused.hide()
        if plan is None:
            return
        trained = f"{plan.trained:,} numbers of the {'model' if self.full() else 'adapter'}"
        runs = self.settings.runs
        for what, value in (
            *((("Runs", f"{runs:,}; what follows is of the one that takes most"),) if runs > 1 else ()),
            ("Time", _time(plan)),
            ("Steps", f"{plan.steps:,}"),
            ("Examples", f"{plan.examples:,}, the longest {plan.longest:,} tokens"),
            ("Trained", trained),
            ("Memory", f"{size(plan.memory)} at most"),
        ):
            left = label(what, tone="secondary")
            left.setFixedWidth(look().px(76))
            fact = row(left, space=8)
            fact.addWidget(label(value, wrap=True), 1)
            self._facts.addLayout(fact)
        parts = [Part(name.capitalize(), getattr(plan, name), size(getattr(plan, name))) for name in PARTS]
        self._bar.show_parts(parts, max(plan.free, plan.memory))
        told = ", ".join(f"{part.name.lower()} {part.words}" for part in parts)
        self._facts.addWidget(label(f"Of it {told}.", type="small", tone="secondary", wrap=True))
        self._verdict.setText(
            f"It fits: {size(plan.free)} are free."
            if plan.fits
            else f"It doesn’t fit: {size(plan.free)} are free. Use fewer examples at once, or bf16."
        )
        if plan.left_out:
            self.data.say_problems(plan.left_out)
            self.data._found.show()

    def _stale(self) -> None:
        if self.plan is not None or not self._refused.isHidden():
            self.show_plan(None)

    def _settings_turned(self) -> None:
        self.out.setVisible(self.full())
        runs = self.settings.runs
        self.start_button.setText(f"Start {runs:,} runs" if runs > 1 else "Start training")
        self.start_button.setAccessibleName(self.start_button.text())
        self._stale()

    def _fit_objective(self, kind: str) -> None:
        """Documents are learned as text, and nothing else is."""
        before = self.settings.value("objective")
        if kind == "collection":
            self.settings.set("objective", "text")
        elif before == "text":
            self.settings.set("objective", "answers")

    def _judging(self) -> bool:
        return bool(self.judged.edit.currentData())  # type: ignore[union-attr]

    def _chosen(self) -> Base | None:
        wanted = self.base.edit.currentData()  # type: ignore[union-attr]
        return next((one for one in self._choices.bases if one.model.name == wanted), None)

    def _base_wrong(self) -> str:
        one = self._chosen()
        return "There is no model yet. Add one on the models page." if one is None else one.why_not

    def _base_turned(self) -> None:
        self._show_base(stale=True)

    def _show_base(self, stale: bool) -> None:
        """Say what the chosen base is; `stale`: it is another one, so that a plan holds no more."""
        one = self._chosen()
        self._sign.setVisible(one is not None and bool(one.why_not))
        if one is None:
            self._why.setText("There is no model yet. Add one on the models page.")
        elif one.why_not:
            self._why.setText(one.why_not)
        else:
            model = one.model
            self._why.setText(
                f"{model.architecture}, {model.quantization}, {size(model.size)}. Its weights, words and chat template are used as they are."
            )
        if stale:
            self._stale()


def _name(text: str) -> str:
    if not text.strip():
        return "The name is missing."
    return "" if NAME.fullmatch(text.strip()) else "Use small letters, digits, dots and dashes."


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        return f"It is no regular expression ({error})."
    return ""
