"""The box that a question is written in: what is asked, who answers with which prompt and adapters, and the pictures that the model is shown."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy

from app.bridge.chatting import Choices
from app.pages.adapter_choice import AdapterChooser
from app.pages.chat_pictures import Pictures
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.basic import column, row
from app.widgets.buttons import Button
from app.widgets.composer import Composer
from app.widgets.toolbar import Chooser
from core import settings
from core.assistants.records import QUOTES, Question

OWN_PROMPT = "built-in"
NARROW = 660
NARROWEST = 470
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
        for chooser in (self.collection, self.model, self.prompt):
            chooser.become("quiet")
            chooser.picked.connect(lambda _: self.changed.emit())
        self.model.setToolTip("Quotes answers with the documents’ own sentences, word for word; a model writes")
        self.adapters = AdapterChooser(shell)
        self.adapters.picked.connect(self.changed)
        self.pictures = Pictures(shell, lambda: self._choices.sees_not(self.model.current))
        self.pictures.changed.connect(self.changed)
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
        chosen = (self.collection, self.model, self.prompt, self.adapters)
        self.pictures.tray.before(self.composer, *chosen, self.pictures.button, self.halt, self.send)
        self._foot = row(space=4)
        self._who = row(space=4)
        self._who.addLayout(row(self.collection, self.model, space=4))
        self._who.addLayout(row(self.prompt, self.adapters, None, space=4), 1)
        self._foot.addLayout(self._who, 1)
        self._foot.addLayout(row(self.pictures.button, None, self.halt, self.send, space=4))
        self.setLayout(
            column(self.pictures.note, self.pictures.tray, self.composer, self._foot, space=6, margins=(12, 12, 8, 8))
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
        current = self.collection.current if self.collection.current in names else names[0] if names else ""
        self.collection.offer([(name, name) for name in names], current)
        models = [(QUOTES, "Quotes"), *((name, name) for name in found.models)]
        self.model.offer(models, self.model.current if self.model.current in dict(models) else QUOTES)
        prompts = [(OWN_PROMPT, "Built-in prompt"), *((name, name) for name in found.prompts)]
        self.prompt.offer(prompts, self.prompt.current if self.prompt.current in dict(prompts) else OWN_PROMPT)

    @property
    def prompted(self) -> bool:
        """Whether a saved prompt is asked with."""
        return self.model.current not in ("", QUOTES) and self.prompt.current != OWN_PROMPT

    def question(self, text: str) -> Question:
        """What is chosen, with a text."""
        return Question(
            collection=self.collection.current,
            text=text,
            model=self.model.current,
            prompt=self.prompt.current if self.prompted else None,
            mode=settings.load().answers,
            adapters=self.adapters.uses,
        )

    def use(self, question: Question) -> None:
        """Ask from now on as this question was asked."""
        self.model.choose(question.model)
        self.prompt.choose(question.prompt or OWN_PROMPT)
        self.adapters.take(question.adapters)

    def clear(self) -> None:
        """Nothing is written or shown any more."""
        self.composer.clear()
        self.pictures.clear()

    def judge(self, busy: bool) -> None:
        """Bring the controls up to what is chosen; `busy`: an answer is under way."""
        file = self._choices.file(self.model.current)
        self.adapters.offer(file, self._choices.adapters)
        self.pictures.judge()
        self.halt.setVisible(busy)
        self.prompt.setVisible(self.model.current not in ("", QUOTES))
        reason = ""
        if busy:
            reason = "An answer is under way. Stop it first."
        elif not self.collection.current and not self.pictures.seen:
            reason = "Add documents first."
        elif not self.composer.toPlainText().strip():
            reason = "Write a question first."
        self.send.refuse(reason or self.pictures.reason)
