"""One column of the playground: a prompt version on a model under some settings, its answer as it comes, and what it took."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QWidget

from app.bridge.operations import Failure, Handle
from app.pages.page import Shell, scrolled
from app.theme.look import look
from app.widgets.basic import column, label, line, row
from app.widgets.buttons import button, icon_button
from app.widgets.diff_view import DiffText
from app.widgets.forms import Field, line_edit
from app.widgets.toolbar import Chooser
from core import settings
from core.assistants.records import Answer, Answered, Delta, Found, Question
from core.prompts.records import PromptState, PromptVersion
from core.records import Json

NARROWEST = 264
OWN = "The prompt’s settings, or the usual ones"
NUMBERS = (
    ("temperature", "Temperature", "0 takes the likeliest word each time", 0.0, 10.0),
    ("top_p", "Top p", "1 leaves no word out", 0.01, 1.0),
    ("max_tokens", "Longest answer, in tokens", "", 1, 100_000),
    ("seed", "Seed", "The same seed gives the same answer", 0, 2**31 - 1),
)


class SettingsForm(QFrame):
    """Asks for a column's own settings. The column reads `values` when `use` is pressed; `leave` goes back to the prompt's."""

    def __init__(self, values: Mapping[str, float]) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Settings of this column")
        usual = {"temperature": 0, "top_p": 1, "max_tokens": 256, "seed": 0}
        self.fields = {
            name: Field(word, line_edit("", f"{values.get(name, usual[name]):g}"), note, _between(least, most))
            for name, word, note, least, most in NUMBERS
        }
        self.leave = button("Use the prompt’s")
        self.use = button("Use these", "check", "primary")
        self.setLayout(
            column(
                label("Settings of this column", type="title"),
                *self.fields.values(),
                row(None, self.leave, self.use),
                space=14,
                margins=(24, 20, 24, 20),
            )
        )
        self.setFocusProxy(self.fields["temperature"].edit)

    def values(self) -> dict[str, float] | None:
        """What is written, or None while a field is wrong."""
        good = [field.good() for field in self.fields.values()]
        if not all(good):
            return None
        return {name: float(field.text) for name, field in self.fields.items()}


def _between(least: float, most: float) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            fine = least <= float(text) <= most
        except ValueError:
            fine = False
        return "" if fine else f"Write a number from {least:g} to {most:g}."

    return check


class PlayColumn(QFrame):
    """`changed`: another prompt or model was chosen. `ended`: nothing runs any more. `dropped`: the person wants it gone. `kept`: its answer as a
    sample. `preferred` gives the number of the column that it is better than."""

    changed = Signal()
    ended = Signal()
    dropped = Signal()
    kept = Signal()
    preferred = Signal(int)

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setMinimumWidth(look().px(NARROWEST))
        self._shell = shell
        self.number = 0
        self.answer: Answer | None = None
        self.trace = ""
        self._own: dict[str, float] = {}
        self._handle: Handle | None = None
        self._states: Mapping[str, PromptState] = {}
        self._others: tuple[int, ...] = ()
        self.title = label("", strong=True)
        self.prompt = Chooser("stamp", "Prompt")
        self.model = Chooser("models", "Model")
        self.settings = button("Settings", "settings", "quiet", small=True)
        self.settings.setToolTip(OWN)
        self.settings.clicked.connect(self.ask_settings)
        for chooser in (self.prompt, self.model):
            chooser.become("quiet")
            chooser.picked.connect(lambda _: self._turned())
        self.drop = icon_button("close", "Remove this column")
        self.drop.clicked.connect(self.dropped)
        self.text = label("", type="answer", wrap=True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._state = label("", tone="secondary", wrap=True)
        self._facts = label("", type="small", tone="secondary", wrap=True)
        self.prompt_button = button("Prompt", "file", "quiet", small=True)
        self.passages_button = button("Passages", "documents", "quiet", small=True)
        self.keep = button("Keep", "datasets", "quiet", small=True)
        self.prefer = button("Prefer", "good", "quiet", small=True)
        self.prompt_button.clicked.connect(lambda: self._show("prompt"))
        self.passages_button.clicked.connect(lambda: self._show("passages"))
        self.keep.clicked.connect(self.kept)
        self.prefer.clicked.connect(self._prefer)
        inside = QWidget()
        inside.setLayout(column(self.text, self._state, None, space=8))
        layout = column(
            row(self.title, None, self.settings, self.drop, space=4),
            row(self.prompt, None),
            row(self.model, None),
            line(),
            space=4,
            margins=(14, 10, 14, 10),
        )
        layout.addWidget(scrolled(inside), 1)
        layout.addWidget(self._facts)
        layout.addLayout(row(self.prompt_button, self.passages_button, None, space=2))
        layout.addLayout(row(self.keep, self.prefer, None, space=2))
        self.setLayout(layout)
        self.say("Nothing was asked yet.")

    @property
    def running(self) -> bool:
        return self._handle is not None

    @property
    def version(self) -> PromptVersion | None:
        state = self._states.get(self.prompt.current)
        return state.prompt if state is not None else None

    def place(self, number: int, alone: bool, others: tuple[int, ...]) -> None:
        """Say which column this is, and which others have an answer."""
        self.number, self._others = number, others
        self.setAccessibleName(f"Column {number}")
        self.title.setText(f"Column {number}")
        self.text.setAccessibleName(f"Answer of column {number}")
        self.settings.setAccessibleName(f"Settings of column {number}: {self.settings.toolTip()}")
        for widget, says in ((self.drop, "Remove"), (self.keep, "Keep the answer of"), (self.prefer, "Prefer")):
            widget.setAccessibleName(f"{says} column {number}")
        self.drop.setEnabled(not alone)
        self._judge()

    def offer(self, states: Mapping[str, PromptState], models: tuple[str, ...], prompt: str, model: str) -> None:
        """Say which prompt versions and models there are; what was chosen stays where it is there."""
        self._states = states
        current = self.prompt.current if self.prompt.current in states else prompt
        self.prompt.offer([(name, _words(state)) for name, state in states.items()], current)
        self.model.offer(
            [(name, name) for name in models], self.model.current if self.model.current in models else model
        )
        self._judge()

    def ask(self, collection: str, text: str, values: Mapping[str, Json]) -> None:
        """Begin the answer; of `values`, those that the prompt declares."""
        version = self.version
        if version is None or self.running:
            return
        known = {variable.name for variable in version.declared}
        question = Question(
            collection=collection,
            text=text,
            model=self.model.current,
            prompt=version.reference,
            mode=settings.load().answers,
            values={name: value for name, value in values.items() if name in known},
            **self._settings(),  # type: ignore[arg-type]
        )
        self.answer, self.trace = None, ""
        self.text.setText("")
        self._facts.setText("")
        self.say("Waiting")
        written: list[str] = []

        def parts(found: list[object]) -> None:
            for part in found:
                if isinstance(part, Found):
                    self.say(f"Reading {len(part.passages)} passages" if part.passages else "Writing")
                elif isinstance(part, Delta):
                    written.append(part.text)
                elif isinstance(part, Answered):
                    self.answer, self.trace = part.answer, part.trace
            if written:
                self.say("")
                self.text.setText("".join(written).lstrip())

        def done() -> None:
            if self.answer is not None:
                self._present(self.answer)
            self._over()

        def failed(found: Failure) -> None:
            self.say(found.sentence, "fail")
            self._over()

        def stopped() -> None:
            self.say("Stopped. Nothing was kept.")
            self._over()

        self._handle = self._shell.operations.stream(
            "Answer in the playground",
            lambda bench, job: bench.assistants.ask(question, job),
            parts,
            done,
            failed,
            stopped,
        )
        self._judge()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def say(self, words: str, tone: str = "secondary") -> None:
        """What is going on, below the text."""
        self._state.setText(words)
        self._state.setVisible(bool(words))
        self._state.setProperty("tone", tone)
        self._state.style().polish(self._state)

    def said(self) -> str:
        return self._state.text()

    def facts(self) -> str:
        return self._facts.text()

    def ask_settings(self) -> None:
        """Ask for settings of this column's own."""
        form = SettingsForm(self._own)

        def take(values: dict[str, float] | None) -> None:
            if values is None:
                return
            self._own = values
            words = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in values.items())
            self.settings.setText(f"Temperature {values['temperature']:g}" if values else "Settings")
            self.settings.setToolTip(words.capitalize() or OWN)
            self.place(self.number, not self.drop.isEnabled(), self._others)
            self.settings.updateGeometry()
            self._shell.close_overlay()

        form.use.clicked.connect(lambda: take(form.values()))
        form.leave.clicked.connect(lambda: take({}))
        self._shell.open_dialog(form, 440)

    def _settings(self) -> dict[str, object]:
        if not self._own:
            return {}
        whole = {name: int(self._own[name]) for name in ("max_tokens", "seed")}
        return {"sampling": "question", "temperature": self._own["temperature"], "top_p": self._own["top_p"], **whole}

    def _present(self, answer: Answer) -> None:
        self.text.setText(answer.answer)
        self.say("" if answer.answer else "The answer is empty.")
        facts = [f"{answer.prompt_tokens:,} tokens in, {answer.tokens:,} out", f"{answer.seconds:.1f} s"]
        if answer.finish == "length":
            facts.append("cut off at the longest answer")
        if answer.contract:
            facts.append(
                "contract kept" if answer.contract == "kept" else f"contract broken: {answer.broken.rstrip('.')}"
            )
        self._facts.setText("   ".join(facts))

    def _over(self) -> None:
        self._handle = None
        self._judge()
        self.ended.emit()

    def _turned(self) -> None:
        self._judge()
        self.changed.emit()

    def _judge(self) -> None:
        reason = "" if self.answer is not None else "There is no answer here yet."
        passages = len(self.answer.passages) if self.answer is not None else 0
        self.passages_button.setText(f"Passages {passages}" if passages else "Passages")
        self.passages_button.refuse(reason or ("" if passages else "No passages were shown to the model."))
        self.prompt_button.refuse(reason)
        self.keep.refuse(reason)
        self.prefer.refuse(reason or ("" if self._others else "Another column needs an answer to compare with."))

    def _prefer(self) -> None:
        if len(self._others) == 1:
            self.preferred.emit(self._others[0])
            return
        menu = QMenu(self)
        for number in self._others:
            menu.addAction(f"Better than column {number}").triggered.connect(
                lambda _=False, which=number: self.preferred.emit(which)
            )
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.prefer.mapToGlobal(QPoint(0, self.prefer.height() + 2)))

    def _show(self, what: str) -> None:
        if self.answer is None:
            return
        panel = SeenPanel(self.number, self.answer, what)
        panel.close_button.clicked.connect(self._shell.close_overlay)
        self._shell.open_dialog(panel, 720)


class SeenPanel(QFrame):
    """What a model was shown: the prompt exactly as it saw it, or the passages alone."""

    def __init__(self, number: int, answer: Answer, what: str) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        heading = "The prompt as the model saw it" if what == "prompt" else "The passages that the model was shown"
        self.setAccessibleName(f"Column {number}: {heading}")
        self.close_button = button("Close", hint="Esc")
        self.text = DiffText()
        self.text.setAccessibleName(heading)
        if what == "prompt":
            shown = answer.rendered
        else:
            shown = "\n\n".join(
                f"[{place}] {passage.name}, {passage.place or f'page {passage.page}'}\n{passage.text}"
                for place, passage in enumerate(answer.passages, 1)
            )
        self.text.show_parts([("same", shown)])
        inside = QWidget()
        inside.setLayout(column(self.text, None))
        area = scrolled(inside)
        area.setMinimumHeight(look().px(360))
        words = label(f"{answer.question.prompt} on {answer.model}", tone="secondary")
        layout = column(row(label(heading, type="title"), None, self.close_button), words, margins=(24, 18, 24, 20))
        layout.addWidget(area, 1)
        self.setLayout(layout)
        self.setFocusProxy(self.close_button)


def _words(state: PromptState) -> str:
    return " · ".join((state.prompt.reference, *state.labels))
