"""The box that a question is written in: what is asked, a collection or a model alone; who answers with which prompt and adapters; and the
pictures that the model is shown."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy

from app.bridge.assistants import question as ask_assistant
from app.bridge.chatting import Choices, WithAdapter
from app.pages.adapter_choice import AdapterChooser
from app.pages.chat_pictures import Pictures
from app.pages.finding_choice import FindingChooser
from app.pages.page import Shell
from app.pages.value_fields import ValueFields
from app.theme.look import look
from app.widgets.basic import column, row
from app.widgets.buttons import Button
from app.widgets.composer import Composer
from app.widgets.toolbar import Chooser
from core import settings
from core.assistants.prompting import with_values
from core.assistants.records import QUOTES, Question
from core.inference.records import AdapterUse
from core.prompts.records import Variable

OWN_PROMPT = "built-in"
ALONE = "No documents"
"""Where a model is asked, and no collection."""
NOBODY = ""
NARROW = 660
NARROWEST = 540
"""Pixels at scale 1.0 under which not everything stands in one line, and not in two."""


class QuestionBox(QFrame):
    """`sent` comes when it shall be asked, `stopped` when what runs shall end, `changed` when something was written or chosen."""

    sent = Signal()
    stopped = Signal()
    changed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.setProperty("surface", "composer")
        self._choices = Choices()
        self._busy = False
        self.collection = Chooser("documents", "Collection")
        self.model = Chooser("models", "Answered by")
        self.prompt = Chooser("stamp", "Prompt")
        self._alone = False
        self.collection.picked.connect(self._chose_collection)
        for chooser in (self.collection, self.model, self.prompt):
            chooser.become("quiet")
            chooser.picked.connect(lambda _: self.changed.emit())
        self.model.setToolTip("Quotes answers with the documents’ own sentences, word for word; a model writes")
        self.adapters = AdapterChooser(shell)
        self.adapters.picked.connect(self.changed)
        self.finding = FindingChooser(shell)
        self.finding.picked.connect(self.changed)
        self.assistant = Chooser("person", "Saved assistant")
        self.assistant.become("quiet")
        self.assistant.picked.connect(lambda _: self.changed.emit())
        self.pictures = Pictures(shell, lambda: self._choices.sees_not(self.model.current))
        self.pictures.changed.connect(self.changed)
        self.values = ValueFields()
        self.values.changed.connect(self.changed)
        self.composer = Composer()
        self.composer.sent.connect(self.sent)
        self.composer.stopped.connect(self.stopped)
        self.composer.textChanged.connect(self.changed)
        self.composer.pictured.connect(self.pictures.take)
        self.send = Button("Ask", "send", "primary", hint="Enter")
        self.send.clicked.connect(self.sent)
        self.halt = Button("Stop", "stop", hint="Esc")
        self.halt.clicked.connect(self.stopped)
        self.halt.hide()
        chosen = (self.assistant, self.collection, self.model, self.prompt, self.adapters, self.finding)
        self.pictures.tray.before(self.composer, *chosen, self.pictures.button, self.halt, self.send)
        self._foot = row(space=4)
        self._who = row(space=4)
        self._who.addLayout(row(self.assistant, self.collection, self.model, None, space=4))
        self._who.addLayout(row(self.prompt, self.adapters, self.finding, None, space=4), 1)
        self._foot.addLayout(self._who, 1)
        self._foot.addLayout(row(self.pictures.button, None, self.halt, self.send, space=4))
        self.setLayout(
            column(
                self.pictures.note,
                self.pictures.tray,
                self.values,
                self.composer,
                self._foot,
                space=6,
                margins=(12, 12, 8, 8),
            )
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where it is narrow, who answers stands in a line of its own, or in two."""
        super().resizeEvent(event)
        ways = QBoxLayout.Direction
        for layout, least in ((self._foot, NARROW), (self._who, NARROWEST)):
            layout.setDirection(ways.TopToBottom if self.width() < look().px(least) else ways.LeftToRight)

    def offer(self, found: Choices) -> None:
        """Offer what is there now; what was chosen stays where it is still there."""
        self._choices = found
        names = [name for name, _ in found.collections]
        usual = names[0] if names and not self._alone else ""
        current = self.collection.current if self.collection.current in names else usual
        none = [("", ALONE)] if found.models else []
        self.collection.offer([*((name, name) for name in names), *none], current)
        models = [(QUOTES, "Quotes"), *((name, name) for name in found.models)]
        self.model.offer(models, self.model.current if self.model.current in dict(models) else QUOTES)
        assistants = [(NOBODY, "No assistant"), *((one.name, one.name) for one in found.assistants)]
        asked = self.assistant.current if self.assistant.current in dict(assistants) else NOBODY
        self.assistant.offer(assistants, asked)
        prompts = [(OWN_PROMPT, "Built-in prompt"), *((name, name) for name in found.prompts)]
        self.prompt.offer(prompts, self.prompt.current if self.prompt.current in dict(prompts) else OWN_PROMPT)

    def _chose_collection(self, name: str) -> None:
        self._alone = not name

    @property
    def prompted(self) -> bool:
        """Whether a saved prompt is asked with."""
        return not self.assisted and self.model.current not in ("", QUOTES) and self.prompt.current != OWN_PROMPT

    @property
    def assisted(self) -> bool:
        """Whether a saved assistant is asked, which says all the rest."""
        return bool(self.assistant.current)

    def question(self, text: str, earlier: Sequence[str] = ()) -> Question:
        """What is chosen, with a text, after the questions that were asked `earlier`."""
        values = self.values.values()
        for one in self._choices.assistants:
            if one.name == self.assistant.current:
                asked = ask_assistant(one, text, earlier)
                return with_values(asked, values) if values else asked
        return Question(
            collection=self.collection.current,
            text=text,
            model=self.model.current,
            prompt=self.prompt.current if self.prompted else None,
            mode=settings.load().answers,
            adapters=self.adapters.uses,
            finding=self.finding.finding,
            without_support=self.finding.without_support,
            earlier=tuple(earlier),
            values=values,
        )

    def use(self, question: Question) -> None:
        """Ask from now on as this question was asked."""
        self.model.choose(question.model)
        self.prompt.choose(question.prompt or OWN_PROMPT)
        self.adapters.take(question.adapters)
        self.finding.take(question.finding, question.without_support)
        self.values.offer(self._asked_for(), question.values)

    def _asked_for(self) -> tuple[Variable, ...]:
        """The variables that whoever asks fills in: those of the prompt that the saved assistant hasn't fixed."""
        for one in self._choices.assistants:
            if one.name == self.assistant.current:
                found = self._choices.variables.get(one.prompt, ())
                return tuple(variable for variable in found if variable.name not in one.values)
        return self._choices.variables.get(self.prompt.current, ()) if self.prompted else ()

    def answer_with(self, wanted: WithAdapter) -> None:
        """Let a model answer with one adapter at its full strength."""
        self.model.choose(wanted.model)
        self.judge(False)
        self.adapters.take((AdapterUse(model=wanted.adapter),))

    def clear(self) -> None:
        """Nothing is written or shown any more."""
        self.composer.clear()
        self.pictures.clear()

    def judge(self, busy: bool) -> None:
        """Bring the controls up to what is chosen; `busy`: an answer is under way."""
        self.values.offer(self._asked_for())
        file = self._choices.file(self.model.current)
        self.adapters.offer(file, self._choices.adapters)
        self.pictures.judge()
        self.halt.setVisible(busy)
        own = not self.assisted
        self.assistant.setVisible(bool(self._choices.assistants))
        self.collection.setVisible(own)
        self.model.setVisible(own)
        self.adapters.setVisible(own and self.adapters.isVisibleTo(self))
        self.finding.offer(self.collection.current if own else "")
        self.prompt.setVisible(own and self.model.current not in ("", QUOTES))
        reason = ""
        if busy:
            reason = "An answer is under way. Stop it first."
        elif own and not self.collection.current and not self.pictures.seen and self.model.current in ("", QUOTES):
            told = bool(self._choices.models)
            reason = "Choose documents, or a model that answers without them." if told else "Add documents first."
        elif not self.composer.toPlainText().strip():
            reason = "Write a question first."
        self.send.refuse(reason or self.pictures.reason)
