"""The playground: one input in up to six columns, each a prompt version on a model under some settings, answered at the same time.

Each answer is asked as in the chat and leaves its trace. An answer can be kept with its input as a sample of a dataset, and the better of two as a
preference. What every prompt needs beside the input is asked for once, for all columns.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from app.pages.page import Page, Shell, take_focus
from app.pages.playground_column import NARROWEST, PlayColumn
from app.pages.value_fields import ValueFields
from app.theme.look import look
from app.widgets.basic import column, frame, row
from app.widgets.buttons import Button, button
from app.widgets.composer import Composer
from app.widgets.empty_state import EmptyState
from app.widgets.forms import Field
from app.widgets.toolbar import Chooser
from core.datasets.collecting import collect, kept, preferred
from core.datasets.records import Sample, SavedDataset
from core.jobs import Job
from core.prompts.filling import askable
from core.prompts.records import PromptState, Variable
from core.records import Json
from core.vault.events import Changed
from core.vault.roles import Act

if TYPE_CHECKING:
    from core.workbench import Workbench

MOST = 6
NOWHERE = "no documents"
NEW = "playground"
WATCHED = {Act.SAVE_PROMPT, Act.LABEL, Act.ADD_MODEL, Act.ADD_DATASET, Act.ADD_DOCUMENTS}


@dataclass(frozen=True)
class _Choices:
    prompts: dict[str, PromptState]
    models: tuple[str, ...]
    collections: tuple[str, ...]
    datasets: tuple[str, ...]


def _gather(bench: "Workbench", job: Job) -> _Choices:
    versions = [state for latest in bench.prompts.list() for state in bench.prompts.versions(latest.prompt.name)]
    return _Choices(
        prompts={state.prompt.reference: state for state in versions},
        models=tuple(found.name for found in bench.models.list() if found.purpose == "chat"),
        collections=tuple(found.name for found in bench.documents.collections()),
        datasets=tuple(found.name for found in bench.datasets.list()),
    )


class PlaygroundPage(Page):
    """`show_about` takes a prompt version, which the first column then holds."""

    title = "Playground"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._choices = _Choices({}, (), (), ())
        self._wanted = ""
        self._begun = False
        self.columns: list[PlayColumn] = []
        self.values = ValueFields("try")
        self.add: Button = button("Add a column", "plus")
        self.add.clicked.connect(self.add_column)
        self.bar.act(self.add)
        self._row = row(space=1)
        self._row.setAlignment(Qt.AlignmentFlag.AlignLeft)
        inside = QWidget()
        inside.setProperty("plain", True)
        inside.setLayout(self._row)
        inside.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._area = QScrollArea()
        self._area.setAccessibleName("Columns")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self.empty = EmptyState("A playground needs a prompt. Write one first.", "Go to the prompts", "prompts")
        self.empty.acted.connect(lambda: self.shell.go("prompts"))
        self.empty.hide()
        self.body.addWidget(self._area, 1)
        self.body.addWidget(self.empty, 1)
        self._below = self._build_below()
        self.body.addWidget(self._below)
        self._judge()

    def opened(self) -> None:
        self.operations.run("Read what can be tried", _gather, self._offer, self.fail)

    def show_about(self, about: object) -> None:
        self._wanted = str(about)

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in WATCHED and not self.running:
            self.opened()

    def start(self) -> QWidget:
        return self.composer

    def panes(self) -> list[QWidget]:
        return [*self.columns, self._below]

    def draft(self) -> Json:
        text, values = self.composer.toPlainText().strip(), self.values.written()
        return {"text": text, "values": dict(values)} if text else None

    def take_draft(self, draft: Json) -> None:
        if isinstance(draft, dict) and isinstance(draft.get("values"), dict):
            self.composer.setPlainText(str(draft.get("text", "")))
            self.values.remember({name: str(value) for name, value in draft["values"].items()})  # type: ignore[union-attr]

    @property
    def fields(self) -> dict[str, Field]:
        return self.values.fields

    @property
    def running(self) -> bool:
        return any(one.running for one in self.columns)

    # columns

    def add_column(self) -> None:
        """One more column, after the last one's choices."""
        if len(self.columns) >= MOST:
            return
        made = PlayColumn(self.shell)
        last = self.columns[-1] if self.columns else None
        names = list(self._choices.prompts)
        prompt = last.prompt.current if last is not None else next(iter(names), "")
        model = last.model.current if last is not None else next(iter(self._choices.models), "")
        made.offer(self._choices.prompts, self._choices.models, prompt, model)
        made.changed.connect(self._ask_values)
        made.ended.connect(self._judge)
        made.dropped.connect(lambda: self._drop(made))
        made.kept.connect(lambda: self._keep(made))
        made.preferred.connect(lambda other: self._prefer(made, other))
        self.columns.append(made)
        self._row.addWidget(made, 1)
        self._ask_values()

    def _drop(self, gone: PlayColumn) -> None:
        gone.stop()
        self.columns.remove(gone)
        self._row.removeWidget(gone)
        gone.hide()
        gone.deleteLater()
        self._ask_values()

    def _offer(self, found: _Choices) -> None:
        self._choices = found
        some = bool(found.prompts)
        for widget in (self._area, self._below):
            widget.setVisible(some)
        self.empty.setVisible(not some)
        for one in self.columns:
            one.offer(found.prompts, found.models, next(iter(found.prompts), ""), next(iter(found.models), ""))
        while some and len(self.columns) < 2:
            self.add_column()
        if not self._begun and len(found.prompts) > 1 and len(self.columns) > 1:
            self.columns[1].prompt.choose(list(found.prompts)[1])
        if self._wanted in found.prompts:
            self.columns[0].prompt.choose(self._wanted)
        self._wanted = ""
        places = [(NOWHERE, "No documents"), *((name, name) for name in found.collections)]
        self.collection.offer(places, self.collection.current if self.collection.current in dict(places) else NOWHERE)
        sets = [(name, name) for name in found.datasets]
        if NEW not in found.datasets:
            sets.append((NEW, f"{NEW} (new)"))
        self.dataset.offer(sets, self.dataset.current if self.dataset.current in dict(sets) else NEW)
        self._ask_values()
        if some and not self._begun:
            self._begun = True
            take_focus(self)

    # asking

    def ask(self) -> None:
        """Ask in every column what is written."""
        text = self.composer.toPlainText().strip()
        if not text or not self.send.isEnabled():
            return
        if not self.values.good():
            return
        collection = "" if self.collection.current == NOWHERE else self.collection.current
        values: dict[str, Json] = self.values.values()
        for one in self.columns:
            one.ask(collection, text, values)
        self._judge()

    def stop(self) -> None:
        """Stop what is under way."""
        for one in self.columns:
            one.stop()

    def _ask_values(self) -> None:
        """Have a field for each variable that a column's prompt declares and that the input doesn't fill; what was written stays."""
        wanted: dict[str, Variable] = {}
        for one in self.columns:
            for variable in one.version.declared if one.version is not None else ():
                if variable.kind in ("passages", "examples") or variable in askable((variable,)):
                    wanted.setdefault(variable.name, variable)
        self.values.offer(tuple(wanted.values()))
        self._judge()

    # keeping

    def _keep(self, one: PlayColumn) -> None:
        if one.answer is not None:
            self._collect(kept(one.answer, self._user(), one.trace), "The answer")

    def _prefer(self, better: PlayColumn, other: int) -> None:
        worse = self.columns[other - 1]
        if better.answer is not None and worse.answer is not None:
            sample = preferred(better.answer, worse.answer, self._user(), better.trace)
            self._collect(sample, f"Column {better.number} over column {other}")

    def _collect(self, sample: Sample, what: str) -> None:
        name = self.dataset.current

        def done(saved: SavedDataset) -> None:
            self.shell.toast(f"{what} is kept in {saved.dataset.reference}.")

        self.operations.run("Keep a sample", lambda bench, job: collect(bench.datasets, name, sample), done, self.fail)

    def _user(self) -> str:
        workbench = self.operations.workbench
        return workbench.vault.user.user if workbench is not None else ""

    # building

    def _build_below(self) -> QFrame:
        self.composer = Composer()
        self.composer.setPlaceholderText("Write one input for all columns")
        self.composer.setAccessibleName("Input")
        self.composer.sent.connect(self.ask)
        self.composer.stopped.connect(self.stop)
        self.composer.textChanged.connect(self._judge)
        self.collection = Chooser("documents", "Passages from")
        self.dataset = Chooser("datasets", "Keep in")
        for chooser in (self.collection, self.dataset):
            chooser.become("quiet")
        self.send = Button("Ask all", "send", "primary", hint="Enter")
        self.send.clicked.connect(self.ask)
        self.halt = Button("Stop", "stop", hint="Esc")
        self.halt.clicked.connect(self.stop)
        box = frame("composer")
        foot = row(self.collection, self.dataset, None, self.halt, self.send, space=6)
        box.setLayout(column(self.composer, foot, space=6, margins=(12, 12, 8, 8)))
        made = frame("panel")
        made.setLayout(column(self.values, box, space=10, margins=(24, 10, 24, 16)))
        return made

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Columns share the width down to the narrowest that can be read; from there on they scroll."""
        between = max(0, len(self.columns) - 1) * self._row.spacing()
        self._area.widget().setMinimumWidth(len(self.columns) * look().px(NARROWEST) + between)

    def _judge(self) -> None:
        answered = [place for place, one in enumerate(self.columns, 1) if one.answer is not None]
        for place, one in enumerate(self.columns, 1):
            one.place(place, len(self.columns) == 1, tuple(number for number in answered if number != place))
        self._fit()
        self.halt.setVisible(self.running)
        self.add.refuse("" if len(self.columns) < MOST else f"There are at most {MOST} columns.")
        reason = ""
        if self.running:
            reason = "Answers are under way. Stop them first."
        elif not self._choices.models:
            reason = "Add a chat model first."
        elif not self.composer.toPlainText().strip():
            reason = "Write an input first."
        self.send.refuse(reason)
