"""The form of an evaluation's spec: which questions, who answers them over which documents, what is measured, and what must hold.

What stands in the form is shown beside it as the YAML that is signed, and whoever writes there fills the form: what is wrong is said with its line
as it is written. A file can fill the form. Each part says what it lacks below itself; what only the core can judge comes back from saving.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLayout, QSpinBox, QWidget

from app.bridge.operations import Failure, Operations
from app.pages.evaluation_choices import Choices, Kept, Part, read_choices
from app.pages.evaluation_criteria import CriterionRow
from app.pages.evaluation_dry_run import DryRun
from app.pages.evaluation_matrix import SCORERS, scorer_word, spec_text
from app.pages.page import scrolled, side_pane
from app.theme.look import look
from app.widgets.banner import Banner
from app.widgets.basic import Card, clear, column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.code_view import CodeEditor
from app.widgets.forms import Check, Choice, Field, line_edit, required
from core.assistants.records import QUOTES
from core.evals.files import read_spec
from core.evals.records import Spec
from core.evals.scorers import SCORERS as MEASURES
from core.evals.written import problem, read_text
from core.records import Json

if TYPE_CHECKING:
    pass

WIDE = 760
USUAL = ("contains", "citation_correct", "groundedness", "refusal", "latency")


class EvaluationForm(QWidget):
    """`saved` gives a `Spec`, `run_asked` one that shall run at once, `cancelled` that the person leaves."""

    saved = Signal(object)
    run_asked = Signal(object)
    cancelled = Signal()

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._filled = Spec(name="", dataset="", scorers=())
        self._typed: Spec | None = None
        self._quiet = False
        self._operations = operations
        self._choices = Choices((), {}, (), (), ())
        self.banner = Banner()
        self._title = label("New evaluation", type="heading")
        self.open_file = button("Fill from a YAML file…", "folder-open", small=True)
        self.open_file.clicked.connect(self._choose_file)
        self.parts = (self._asked(), self._answers(), self._measured(), self._criteria())
        inner = column(*self.parts, space=12, margins=(20, 4, 20, 20))
        inner.addStretch(1)
        holder = QWidget()
        holder.setLayout(inner)
        holder.setMaximumWidth(look().px(WIDE))
        inside = QWidget()
        inside.setLayout(row(holder))
        inside.layout().setStretch(0, 1)
        inside.layout().addStretch(0)
        self.cancel = button("Cancel", hint="Esc")
        self.cancel.clicked.connect(self.cancelled)
        self.save = button("Save", "check")
        self.save.clicked.connect(lambda: self._hand_over(self.saved))
        self.run = button("Save and run", "play", "primary")
        self.run.clicked.connect(lambda: self._hand_over(self.run_asked))
        foot = frame("panel")
        foot.setLayout(row(None, self.cancel, self.save, self.run, margins=(20, 10, 20, 10)))
        main = frame("window")
        head = row(self._title, None, self.open_file, margins=(20, 14, 20, 10))
        layout = column(self.banner, head, scrolled(inside), line(), foot, space=0)
        layout.setStretch(2, 1)
        main.setLayout(layout)
        self.size_words = label("", wrap=True)
        self.yaml = CodeEditor("The spec as YAML")
        self.yaml.setMinimumHeight(look().px(370))
        self.yaml.textChanged.connect(self._written)
        self.wrong = label("", tone="fail", wrap=True)
        self.wrong.hide()
        self.dry = DryRun(self._operations)
        self.dry.clicked.connect(lambda: self.dry.begin(self.spec()))
        told = Card("What will run")
        told.body.addWidget(self.size_words)
        told.body.addWidget(self.dry)
        text = Card("What is signed", "Write here or in the form. Saving other content makes the spec’s next version.")
        text.body.addWidget(self.yaml)
        text.body.addWidget(self.wrong)
        self._side = side_pane(told, text, width=384)
        whole = row(main, line(vertical=True), self._side, space=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self.setAccessibleName("Evaluation form")

    # filling

    def draft(self) -> Json:
        """What the form holds, with its title."""
        return {"title": self._title.text(), "spec": msgspec.to_builtins(self.spec())}

    def take_draft(self, draft: Json) -> None:
        """Go on with what `draft` gave."""
        kept = msgspec.convert(draft, Kept)
        self.begin(kept.spec)
        self._title.setText(kept.title)

    def begin(self, spec: Spec | None = None) -> None:
        """Show the form, empty or filled from a spec; what there is to choose from is read first."""
        self.banner.hide()
        self._title.setText(f"{spec.name}, next version" if spec is not None else "New evaluation")

        def done(choices: Choices) -> None:
            self._offer(choices)
            self.fill(spec or self._usual())
            self.name.edit.setFocus()

        self._operations.run("Read what there is", read_choices, done, self._failed)

    def _usual(self) -> Spec:
        choices = self._choices
        return Spec(
            name="",
            dataset=choices.datasets[0] if choices.datasets else "",
            collection=choices.collections[0] if choices.collections else "",
            scorers=USUAL,
            include_quotes=True,
        )

    def _offer(self, choices: Choices) -> None:
        self._choices = choices
        for field, items, what in (
            (self.dataset, choices.datasets, "dataset"),
            (self.collection, choices.collections, "collection"),
        ):
            choice = field.edit
            choice.clear()
            choice.addItems(items)
            field.fail("" if items else f"There is no {what} yet. Add one first.")
        self._fill_checks(self._prompt_rows, choices.prompts, self.prompts)
        self._fill_checks(self._model_rows, choices.models, self.models)

    def fill(self, spec: Spec) -> None:
        """Put a spec into the form. What the form doesn't show of it stays as it is."""
        self._quiet = True
        try:
            self._fill(spec)
        finally:
            self._quiet = False
        self._order()
        self._told()

    def _fill(self, spec: Spec) -> None:
        self._filled, self._typed = spec, None
        self.name.edit.setText(spec.name)
        for field, value in ((self.dataset, spec.dataset), (self.collection, spec.collection)):
            if value and field.edit.findText(value) < 0:
                field.edit.addItem(value)
            field.edit.setCurrentText(value)
        for checks, holder, values in (
            (self.prompts, self._prompt_rows, spec.prompts),
            (self.models, self._model_rows, spec.models),
        ):
            ordered = (*values, *(name for name in checks if name not in values))
            if ordered != tuple(checks):
                self._fill_checks(holder, ordered, checks)
            for name, check in checks.items():
                check.setChecked(name in values)
        self.quotes.setChecked(spec.include_quotes)
        for box, value in ((self.passages, spec.passages), (self.max_tokens, spec.max_tokens), (self.seed, spec.seed)):
            box.setValue(value)
        for name, check in self.scorers.items():
            check.setChecked(name in spec.scorers)
        for old in list(self.criteria):
            self._drop(old)
        for criterion in spec.criteria:
            self._add_criterion().fill(criterion)
        for part in self.parts:
            part.fail("")

    def _written(self) -> None:
        """Somebody wrote in the YAML: fill the form from it, or say what is wrong with it and where."""
        if self._quiet:
            return
        text = self.yaml.toPlainText()
        found = problem(text)
        self.yaml.mark_error(found.line if found is not None else 0)
        self._say_wrong(f"Line {found.line}: {found.sentence}" if found is not None else "")
        if found is None:
            spec = read_text(text)
            self._quiet = True
            try:
                self._fill(spec)
                self._order()
                self._tell_size(spec)
            finally:
                self._quiet = False
            self._typed = spec

    def _say_wrong(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        self.yaml.setAccessibleDescription(words)
        for act in (self.save, self.run, self.dry):
            act.refuse(words)
        if words:
            self.dry.forget()

    def spec(self) -> Spec:
        """What stands in the form, or as it was written where that came last."""
        if self._typed is not None:
            return self._typed
        given = tuple(c for one in self.criteria if (c := one.criterion()) is not None)
        prompts = tuple(name for name, check in self.prompts.items() if check.isChecked())
        models = tuple(name for name, check in self.models.items() if check.isChecked())
        before = self._filled
        scorers = tuple(name for name, check in self.scorers.items() if check.isChecked())
        scorers += tuple(name for name in before.scorers if name not in self.scorers)
        return msgspec.structs.replace(
            before,
            name=self.name.text.strip(),
            dataset=self.dataset.text,
            collection=self.collection.text,
            prompts=prompts,
            models=models,
            include_quotes=self.quotes.isChecked(),
            passages=self.passages.value(),
            max_tokens=self.max_tokens.value(),
            seed=self.seed.value(),
            scorers=scorers,
            criteria=given,
            scoring={name: settings for name, settings in before.scoring.items() if name in scorers},
        )

    def refuse(self, found: Failure) -> None:
        """Say why it could not be saved or run; everything stays."""
        self._free()
        self.banner.say(found.sentence, found.safe or "The form is kept as you filled it.")

    def done(self) -> None:
        """It was saved."""
        self._free()
        self.banner.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    # judging

    def _hand_over(self, way: SignalInstance) -> None:
        if not self.good():
            return
        self.save.setEnabled(False)
        self.run.setEnabled(False)
        way.emit(self.spec())

    def good(self) -> bool:
        """Check every part, show what is wrong and go to the first of it."""
        spec = self.spec()
        name = self.name.good()
        asked, answers, measured, criteria = self.parts
        wanted = (("a dataset", spec.dataset), ("a collection", spec.collection or self._typed is not None))
        missing = [word for word, value in wanted if not value]
        asked.fail(f"Choose {' and '.join(missing)}." if missing else "")
        if bool(spec.prompts) != bool(spec.models):
            answers.fail("Choose at least one model." if spec.prompts else "Choose at least one prompt version.")
        elif not spec.prompts and not spec.include_quotes:
            answers.fail("Choose prompt versions and models, or the quotes without a model.")
        else:
            answers.fail("")
        measured.fail("" if spec.scorers else "Choose at least one measure.")
        lost = [c for c in spec.criteria if c.metric not in spec.scorers or c.variant not in self._variants()]
        criteria.fail(
            f"{scorer_word(lost[0].metric)} of {lost[0].variant} isn’t measured in this evaluation." if lost else ""
        )
        wrong = next((part for part in self.parts if part.error), None)
        if not name:
            self.name.edit.setFocus()
        elif wrong is not None:
            wrong.setFocus()
        return name and wrong is None

    def _variants(self) -> list[str]:
        pairs = [
            f"{prompt} / {model}"
            for prompt, first in self.prompts.items()
            if first.isChecked()
            for model, second in self.models.items()
            if second.isChecked()
        ]
        return pairs + ([QUOTES] if self.quotes.isChecked() else [])

    def _told(self) -> None:
        """Say what the form amounts to."""
        if self._quiet:
            return
        self._typed = None
        spec = self.spec()
        for one in self.criteria:
            one.offer(spec.scorers, self._variants())
        spec = self.spec()
        self._tell_size(spec)
        text = spec_text(spec)
        if self.yaml.toPlainText() != text:
            self._quiet = True
            self.yaml.setPlainText(text)
            self._quiet = False
        self.yaml.mark_error(0)
        self._say_wrong("")

    def _tell_size(self, spec: Spec) -> None:
        samples = self._choices.samples.get(spec.dataset.partition("@")[0], 0) * spec.repetitions
        count = len(spec.prompts) * len(spec.models) * max(1, len(spec.settings)) + spec.include_quotes
        self.size_words.setText(
            f"{samples:,} questions, {count} variant{'' if count == 1 else 's'}: {samples * count:,} answers."
            if count
            else "Nobody answers yet."
        )
        self.dry.forget()

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Fill from a YAML file", "", "Evaluations (*.yaml *.yml)")
        if path:
            self.fill_from(Path(path))

    def fill_from(self, path: Path) -> None:
        """Fill the form from a spec file, or say what is wrong with it."""

        def done(spec: Spec) -> None:
            self.banner.hide()
            self.fill(spec)

        self._operations.run_alone("Read a spec", lambda job: read_spec(path), done, self._failed)

    def _failed(self, found: Failure) -> None:
        self.banner.say(found.sentence, found.safe or "The form is kept as it was.")

    def _free(self) -> None:
        self.save.setEnabled(True)
        self.run.setEnabled(True)

    # building

    def _asked(self) -> Part:
        part = Part("What is asked")
        self.name = Field("Name", line_edit("safety-answers"), check=required("The name"))
        self.name.edit.textChanged.connect(self._told_later)
        self.dataset = Field("Dataset", Choice())
        self.collection = Field("Documents", Choice())
        for field in (self.dataset, self.collection):
            field.edit.currentIndexChanged.connect(self._told_later)
        pair = row(self.dataset, self.collection, space=16)
        pair.setStretch(0, 1)
        pair.setStretch(1, 1)
        part.body.addWidget(self.name)
        part.body.addLayout(pair)
        part.close_part()
        return part

    def _answers(self) -> Part:
        part = Part("Who answers", "Every prompt version runs on every model.")
        self.prompts: dict[str, Check] = {}
        self.models: dict[str, Check] = {}
        self._prompt_rows, self._model_rows = column(space=2), column(space=2)
        grid = row(space=16)
        for word, holder in (("Prompt versions", self._prompt_rows), ("Models", self._model_rows)):
            side = column(label(word, strong=True), space=4)
            side.addLayout(holder)
            side.addStretch(1)
            grid.addLayout(side, 1)
        self.quotes = Check("Quotes: the documents’ own sentences, without a model")
        self.quotes.toggled.connect(self._told_later)
        self.passages, self.max_tokens, self.seed = _number(1, 50), _number(1, 8192), _number(0, 2_147_483_647)
        numbers = row(space=16)
        for word, box in (
            ("Passages", self.passages),
            ("Longest answer, tokens", self.max_tokens),
            ("Seed", self.seed),
        ):
            box.valueChanged.connect(self._told_later)
            name = label(word, strong=True)
            name.setBuddy(box)
            box.setAccessibleName(word)
            box.lineEdit().setAccessibleName(word)
            numbers.addLayout(column(name, box, space=4))
        numbers.addStretch(1)
        part.body.addLayout(grid)
        part.body.addWidget(self.quotes)
        part.body.addSpacing(look().px(4))
        part.body.addLayout(numbers)
        part.close_part()
        return part

    def _measured(self) -> Part:
        part = Part("What is measured")
        self.scorers: dict[str, Check] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(look().px(16))
        grid.setVerticalSpacing(look().px(6))
        for position, (name, words) in enumerate(SCORERS.items()):
            check = Check(words)
            check.toggled.connect(self._told_later)
            check.setToolTip(f"{MEASURES[name].measures} {MEASURES[name].limits}")
            says = label(MEASURES[name].measures, type="small", tone="secondary", wrap=True)
            self.scorers[name] = check
            grid.addWidget(check, position, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(says, position, 1)
        grid.setColumnStretch(1, 1)
        part.body.addLayout(grid)
        part.close_part()
        return part

    def _criteria(self) -> Part:
        part = Part("What must hold", "Fixed before the run; the run says of each whether it is met.")
        self.criteria: list[CriterionRow] = []
        self._criterion_rows = column(space=12)
        self.add_criterion = button("Add a criterion", "plus", small=True)
        self.add_criterion.clicked.connect(self._added)
        part.body.addLayout(self._criterion_rows)
        part.body.addLayout(row(self.add_criterion, None))
        part.close_part()
        return part

    def _added(self) -> None:
        self._add_criterion().measure.setFocus()
        self._order()
        self._told()

    def _add_criterion(self) -> CriterionRow:
        metrics = [name for name, check in self.scorers.items() if check.isChecked()]
        made = CriterionRow(metrics, self._variants())
        made.dropped.connect(lambda: self._drop(made))
        made.edited.connect(self._told_later)
        self.criteria.append(made)
        self._criterion_rows.addWidget(made)
        return made

    def _drop(self, gone: CriterionRow) -> None:
        self.criteria.remove(gone)
        self._criterion_rows.removeWidget(gone)
        gone.hide()
        gone.deleteLater()
        self._told()

    def _fill_checks(self, holder: QLayout, names: Sequence[str], checks: dict[str, Check]) -> None:
        clear(holder)
        checks.clear()
        for name in names:
            check = Check(name)
            check.toggled.connect(self._told_later)
            checks[name] = check
            holder.addWidget(check)
        if not names:
            holder.addWidget(label("None yet", tone="secondary"))

    def _order(self) -> None:
        """What was made later stands where it belongs for the Tab key too."""
        chain: list[QWidget] = [self.name.edit, self.dataset.edit, self.collection.edit]
        chain += [*self.prompts.values(), *self.models.values(), self.quotes, self.passages, self.max_tokens, self.seed]
        chain += self.scorers.values()
        for one in self.criteria:
            chain += [one.measure, one.variant, one.on, one.bound, one.number, one.drop]
        chain += [self.add_criterion, self.cancel, self.save, self.run]
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)

    def _told_later(self, *_: object) -> None:
        self._told()


def _number(low: int, high: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(low, high)
    made.setFixedWidth(look().px(120))
    made.lineEdit().setTextMargins(look().px(8), 0, 0, 0)
    return made
