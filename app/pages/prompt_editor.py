"""The editor of a prompt's next version: a name, a line on what changed, and one text for each message.

Saving hands over a `SavePrompt` and keeps everything until the page says that it was kept. A template error marks its line and says, below the
text, what is wrong with it. A moment after each change `checked` asks the page what the prompt makes of example content; the page answers with
`show_preview` or `show_problem`.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QWidget

from app.pages.page import scrolled
from app.pages.prompt_parts import ContractForm, VariablesForm
from app.theme.look import look
from app.widgets.basic import IconLabel, column, frame, label, line, restyle, row
from app.widgets.buttons import Button, button, icon_button
from app.widgets.code_view import CodeEditor
from app.widgets.diff_view import DiffText
from app.widgets.forms import Choice, Field, line_edit, required
from app.widgets.toolbar import Chooser
from core.errors import BadInput, TemplateError
from core.inference.records import Message
from core.prompts.records import Contract, Preview, PromptVersion, Sampling, SavePrompt, Variable
from core.records import Json

ROLES = ("system", "user", "assistant")
STARTER = (
    Message(role="system", content="Answer from the passages only, and cite each sentence as [n]."),
    Message(
        role="user",
        content="{% for p in passages %}[{{ p.number }}] {{ p.text }}\n{% endfor %}\nQuestion: {{ question }}",
    ),
)
LEAST_LINES, MOST_LINES = 3, 16
PAUSE = 400
"""Milliseconds without a key after which what is written is looked at."""
NOT_COUNTED = "not counted"


class MessageEditor(QFrame):
    """One message: its role, its text, and the error in it. `dropped` says that the person wants it gone."""

    dropped = Signal()
    edited = Signal()

    def __init__(self, message: Message) -> None:
        super().__init__()
        self.role = Choice()
        self.role.addItems(ROLES)
        self.role.setCurrentText(message.role)
        self.role.setAccessibleName("Role")
        self.role.setFixedWidth(look().px(130))
        self.drop = icon_button("trash", "Remove this message")
        self.drop.clicked.connect(self.dropped)
        self.code = CodeEditor("Text of the message")
        self.code.setPlainText(message.content)
        self.code.textChanged.connect(self._changed)
        self._sign = IconLabel("alert", "fail.fg", 15)
        self._error = label("", tone="fail", wrap=True)
        below = row(self._sign, space=6)
        below.addWidget(self._error, 1)
        layout = column(row(self.role, None, self.drop), self.code, below, space=6)
        self.setLayout(layout)
        self.fail("", 0)
        self._fit()
        look().changed.connect(self._fit)

    @property
    def message(self) -> Message:
        return Message(role=self.role.currentText(), content=self.code.toPlainText())

    @property
    def error(self) -> str:
        return self._error.text()

    def fail(self, sentence: str, at: int) -> None:
        """Show what is wrong at a line, counted from 1; an empty sentence takes it away."""
        self.code.mark_error(at)
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        self._sign.setVisible(bool(sentence))
        self.code.setAccessibleDescription(sentence)

    def _changed(self) -> None:
        if self.error:
            self.fail("", 0)
        self._fit()
        self.edited.emit()

    def _fit(self) -> None:
        lines = sum(1 + len(text) // 70 for text in self.code.toPlainText().split("\n"))
        shown = min(MOST_LINES, max(LEAST_LINES, lines + 1))
        self.code.setFixedHeight(self.code.fontMetrics().lineSpacing() * shown + look().px(16))


class Kept(msgspec.Struct):
    """What the editor holds, between two sittings."""

    title: str
    name: str
    new: bool
    notes: str
    messages: list[tuple[str, str]]
    variables: list[Variable] = []
    contract: Contract = Contract()
    settings: Sampling = Sampling()


class PromptEditor(QWidget):
    """`saved` gives a `SavePrompt`; `cancelled` that the person leaves it. Ctrl+S saves, Esc leaves."""

    saved = Signal(object)
    cancelled = Signal()
    checked = Signal(object, str)
    """A `SavePrompt`, and the model whose tokens are counted, or ""."""

    def __init__(self) -> None:
        super().__init__()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self.look)
        self._title = label("", type="heading")
        self.name = Field("Name", line_edit("cite-answers"), check=required("The name"))
        self.notes = Field("What is new in this version", line_edit("One line, for those who read the list"))
        self.messages: list[MessageEditor] = []
        self._begun: tuple[object, ...] = ()
        self._column = column(space=16)
        self.add: Button = button("Add a message", "plus", "quiet")
        self.add.clicked.connect(lambda: self._append(Message(role="user", content="")).code.setFocus())
        note = label(
            "A message is a Jinja template. It can use question, and passages, each with number, text, sentences, "
            "document, page and heading; and the variables below.",
            type="small",
            tone="secondary",
            wrap=True,
        )
        self.variables = VariablesForm()
        self.contract = ContractForm()
        for form in (self.variables, self.contract):
            form.edited.connect(self._pause.start)
        self.model = Chooser("models", "Tokens for")
        self.model.become("quiet")
        self.model.picked.connect(lambda _: self.look())
        self.preview = DiffText()
        self.preview.setAccessibleName("What the prompt makes of example content")
        self._said = label("", type="small", tone="secondary", wrap=True)
        body = column(self.name, self.notes, label("Messages", strong=True), space=12, margins=(20, 16, 20, 16))
        body.addLayout(self._column)
        body.addLayout(row(self.add, None))
        body.addWidget(note)
        for words, form in (("Variables", self.variables), ("Answers", self.contract)):
            body.addWidget(label(words, strong=True))
            body.addWidget(form)
        body.addLayout(row(label("Preview", strong=True), None, self.model))
        body.addWidget(self._said)
        body.addWidget(self.preview)
        body.addStretch(1)
        inside = QWidget()
        inside.setLayout(body)
        self.cancel = button("Cancel", hint="Esc")
        self.cancel.clicked.connect(self.leave)
        self._unsaved = label("", tone="warn")
        self.save = button("Save version", "check", "primary", hint="Ctrl S")
        self.save.clicked.connect(self.hand_over)
        shortcut = QShortcut(QKeySequence("Ctrl+S"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.hand_over)
        head = row(self._title, None, margins=(20, 14, 20, 4))
        foot = frame("panel")
        foot.setLayout(row(self._unsaved, None, self.cancel, self.save, margins=(20, 10, 20, 10)))
        layout = column(head, scrolled(inside), line(), foot, space=0)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Prompt editor")

    def write_new(self) -> None:
        """Begin a prompt that doesn't exist yet."""
        self._title.setText("New prompt")
        self.name.setVisible(True)
        self.name.edit.setText("")
        self._fill(STARTER, (), Contract(), Sampling())
        self.name.edit.setFocus()

    def write_next(self, version: PromptVersion, latest: int) -> None:
        """Begin the version after `latest` from the text of `version`."""
        source = "" if version.number == latest else f", from version {version.number}"
        self._title.setText(f"{version.name}, version {latest + 1}{source}")
        self.name.setVisible(False)
        self.name.edit.setText(version.name)
        self._fill(version.messages, version.declared, version.promised, version.sampling)
        self.notes.edit.setFocus()

    def draft(self) -> Json:
        """What was written and isn't saved, or None."""
        if self._written() == self._begun:
            return None
        return {
            "title": self._title.text(),
            "name": self.name.text,
            "new": not self.name.isHidden(),
            "notes": self.notes.text,
            "messages": [[editor.message.role, editor.message.content] for editor in self.messages],
            **self._typed_draft(),
        }

    def take_draft(self, draft: Json) -> None:
        """Go on with what `draft` gave."""
        kept = msgspec.convert(draft, Kept)
        self._title.setText(kept.title)
        self.name.setVisible(kept.new)
        self.name.edit.setText(kept.name)
        messages = tuple(Message(role=role, content=content) for role, content in kept.messages)
        self._fill(messages, kept.variables, kept.contract, kept.settings)
        self.notes.edit.setText(kept.notes)
        self._begun = ()
        self.notes.edit.setFocus()

    def hand_over(self) -> None:
        """Emit what was written, if it has a name."""
        if not self.name.good():
            self.name.edit.setFocus()
            return
        for editor in self.messages:
            editor.fail("", 0)
        try:
            request = self.request()
        except BadInput as error:
            self.show_problem(error)
            return
        self._pause.stop()
        self.save.setEnabled(False)
        self.saved.emit(request)

    def request(self) -> SavePrompt:
        """What is written. Raises `BadInput` for a number or a schema that can't be read."""
        return SavePrompt(
            name=self.name.text.strip(),
            messages=tuple(editor.message for editor in self.messages),
            notes=self.notes.text.strip(),
            variables=self.variables.variables,
            contract=self.contract.contract,
            settings=self.contract.settings,
        )

    def offer(self, models: Sequence[str]) -> None:
        """Say for which models tokens can be counted."""
        choices = [(NOT_COUNTED, "Tokens not counted"), *((name, name) for name in models)]
        self.model.offer(choices, self.model.current if self.model.current in dict(choices) else NOT_COUNTED)

    def look(self) -> None:
        """Ask the page what this prompt makes of example content."""
        self._pause.stop()
        if not self.isVisible():
            return
        try:
            request = replace(self.request(), name=self.name.text.strip() or "prompt")
        except BadInput as error:
            self.show_problem(error)
            return
        self.checked.emit(request, "" if self.model.current in ("", NOT_COUNTED) else self.model.current)

    def show_preview(self, found: Preview) -> None:
        """What it makes of example content."""
        for editor in self.messages:
            editor.fail("", 0)
        self.preview.show_parts(
            [("same", "\n\n".join(f"{message.role}:\n{message.content}" for message in found.messages))]
        )
        words = "With an example question, two example passages, and a stand-in for each variable."
        self._tell(f"{found.tokens:,} tokens of {found.window:,}. {words}" if found.tokens else words, "secondary")

    def show_problem(self, error: Exception) -> None:
        """What is wrong with it, at its line where it has one."""
        shown = isinstance(error, TemplateError) and self._mark(error)
        self._tell(str(error), "fail")
        if not shown:
            self.done()

    def said(self) -> str:
        return self._said.text()

    def _tell(self, words: str, tone: str) -> None:
        self._said.setText(words)
        restyle(self._said, tone=tone)

    def _typed_draft(self) -> dict[str, Json]:
        try:
            request = self.request()
        except BadInput:
            return {}
        parts = {"variables": request.variables, "contract": request.contract, "settings": request.settings}
        return {name: msgspec.to_builtins(part) for name, part in parts.items()}

    def leave(self) -> None:
        """Go away; with something unsaved, only when asked a second time."""
        if self._written() == self._begun or self._unsaved.text():
            self.cancelled.emit()
            return
        self._unsaved.setText("What you wrote isn’t saved.")
        self.cancel.setText("Discard it")
        self.cancel.setAccessibleName("Discard it")
        self.cancel.updateGeometry()

    def done(self) -> None:
        """It was kept, or could not be: saving is possible again."""
        self.save.setEnabled(True)

    def refuse(self, error: BaseException) -> bool:
        """Show a template error at its line; says whether it was one of ours to show."""
        self.done()
        if not isinstance(error, TemplateError):
            return False
        editor = self._mark(error)
        if editor is None:
            return False
        editor.code.setFocus()
        cursor = editor.code.textCursor()
        at = int(error.fields.get("line", 1))
        cursor.setPosition(editor.code.document().findBlockByNumber(at - 1).position())
        editor.code.setTextCursor(cursor)
        return True

    def _mark(self, error: TemplateError) -> MessageEditor | None:
        """Mark the line that a template error is about; the editor that holds it."""
        at = int(error.fields.get("line", 1))
        source = str(error.fields.get("source", ""))
        editor = self._editor_of(source, at)
        if editor is not None:
            _, _, variable = source.rpartition(", variable ")
            about = f", {variable}" if ", variable " in source else ""
            editor.fail(f"Line {at}{about}: {error.fields.get('problem', '')}", at)
        return editor

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _written(self) -> tuple[object, ...]:
        forms = tuple(field.text() for form in self.variables.forms for field in form.findChildren(QLineEdit))
        kinds = tuple(form.kind.currentData() for form in self.variables.forms)
        messages = tuple(editor.message for editor in self.messages)
        return self.name.text, self.notes.text, messages, forms, kinds, self.contract.written()

    def _editor_of(self, source: str, at: int) -> MessageEditor | None:
        role = source.partition(", variable ")[0].rpartition(", ")[2]
        fits = [editor for editor in self.messages if editor.message.role == role] or self.messages
        long = [editor for editor in fits if editor.code.blockCount() >= at]
        return next(iter(long or fits), None)

    def _fill(
        self, messages: Sequence[Message], variables: Sequence[Variable], contract: Contract, settings: Sampling
    ) -> None:
        self.notes.edit.setText("")
        self.name.fail("")
        for editor in list(self.messages):
            self._drop(editor)
        for message in messages:
            self._append(message)
        self.variables.fill(variables)
        self.contract.fill(contract, settings)
        self.preview.show_parts([])
        self._tell("", "secondary")
        self._pause.start()
        self._begun = self._written()
        self._unsaved.setText("")
        self.cancel.setText("Cancel")
        self.cancel.setAccessibleName("Cancel")
        self.done()

    def _append(self, message: Message) -> MessageEditor:
        editor = MessageEditor(message)
        editor.dropped.connect(lambda: self._drop(editor))
        editor.edited.connect(self._pause.start)
        self.messages.append(editor)
        self._column.addWidget(editor)
        self._arrange()
        return editor

    def _drop(self, editor: MessageEditor) -> None:
        self.messages.remove(editor)
        self._column.removeWidget(editor)
        editor.hide()
        editor.deleteLater()
        self._arrange()

    def _arrange(self) -> None:
        for editor in self.messages:
            editor.drop.setEnabled(len(self.messages) > 1)
        inside: list[QWidget] = [part for editor in self.messages for part in (editor.role, editor.drop, editor.code)]
        typed = [field for form in self.variables.forms for field in form.fields()]
        inside += [self.add, *typed, self.variables.add, *self.contract.fields(), self.model, self.preview]
        chain = [self.name.edit, self.notes.edit, *inside, self.cancel, self.save]
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)
