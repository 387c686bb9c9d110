"""Two answers to one question beside each other, streamed at the same time: two models, or one with two prompts.

Each answer is asked as in the chat and leaves its trace. One click goes on with the better: the chat shows it and asks what made it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.bridge.chatting import Choices, Seen
from app.bridge.operations import Failure, Handle
from app.pages.adapter_choice import AdapterChooser
from app.pages.answers import TracePanel, present
from app.pages.chat_pictures import Pictures, show_in, show_large
from app.pages.page import Shell, scrolled
from app.pages.question_box import OWN_PROMPT
from app.pages.value_fields import ValueFields
from app.theme.look import look
from app.widgets.basic import Elided, column, frame, line, row
from app.widgets.buttons import Button, Segments, button
from app.widgets.composer import Composer
from app.widgets.exchange import Exchange
from app.widgets.toolbar import Chooser
from core import settings
from core.assistants.records import QUOTES, Answer, Answered, Delta, Found, Question
from core.prompts.records import Variable

NARROW = 680
"""Pixels at scale 1.0 under which one answer is shown at a time."""
TIGHT = 560
"""Under which what an answer is made with, and the way to go on with it, stand in two lines."""


class Answering(QFrame):
    """One of the two: who answers, with which prompt, and the answer. `ended` comes when nothing runs any more; `kept` with the answer;
    `chosen` when another model was."""

    ended = Signal()
    kept = Signal(object)
    chosen = Signal()

    def __init__(self, shell: Shell, which: str) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setAccessibleName(f"{which} answer")
        self._shell = shell
        self.model = Chooser("models", f"{which}: answered by")
        self.prompt = Chooser("stamp", f"{which}: prompt")
        for chooser in (self.model, self.prompt):
            chooser.become("quiet")
        self.adapters = AdapterChooser(shell, f"{which}: ")
        self._choices = Choices()
        self.model.picked.connect(lambda _: self._chosen())
        self.prompt.picked.connect(lambda _: self._chosen())
        self.keep = button("Go on with this", "check", small=True)
        self.keep.setAccessibleName(f"Go on with the {which.lower()} answer")
        self.keep.clicked.connect(lambda: self.kept.emit(self.answer))
        self.answer: Answer | None = None
        self.exchange: Exchange | None = None
        self._handle: Handle | None = None
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        self._place.addStretch(1)
        inside = QWidget()
        inside.setLayout(self._place)
        self._head = row(space=4)
        self._head.addLayout(row(self.model, self.prompt, self.adapters, None, space=4), 1)
        self._head.addLayout(row(self.keep, None))
        self.setLayout(
            column(
                self._head,
                line(),
                scrolled(inside),
                space=8,
                margins=(16, 10, 16, 10),
            )
        )
        self._judge()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        ways = QBoxLayout.Direction
        self._head.setDirection(ways.TopToBottom if self.width() < look().px(TIGHT) else ways.LeftToRight)

    @property
    def running(self) -> bool:
        return self._handle is not None

    def offer(self, found: Choices, model: str, prompt: str) -> None:
        """Say who could answer; what was chosen stays where it is there."""
        self._choices = found
        offered = [(QUOTES, "Quotes"), *((name, name) for name in found.models)]
        self.model.offer(offered, self.model.current if self.model.current in dict(offered) else model)
        known = [(OWN_PROMPT, "Built-in prompt"), *((name, name) for name in found.prompts)]
        self.prompt.offer(known, self.prompt.current if self.prompt.current in dict(known) else prompt)
        self._judge()

    def sees_not(self) -> str:
        """Why its model sees no pictures; nothing where it does."""
        return self._choices.sees_not(self.model.current)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What its prompt wants to be filled in."""
        own = self.model.current == QUOTES or self.prompt.current == OWN_PROMPT
        return () if own else self._choices.variables.get(self.prompt.current, ())

    def ask(
        self, collection: str, text: str, pictures: Sequence[Seen] = (), values: Mapping[str, Any] | None = None
    ) -> None:
        """Begin the answer; of `values`, those that its prompt declares."""
        if self.exchange is not None:
            self._place.removeWidget(self.exchange)
            self.exchange.hide()
            self.exchange.deleteLater()
        exchange = self.exchange = Exchange(text)
        exchange.trace_asked.connect(self._show_trace)
        exchange.tokens_asked.connect(lambda: self._show_trace("tokens"))
        exchange.again.connect(lambda: self.ask(collection, text, pictures, values) if self._handle is None else None)
        show_in(exchange.pictures, pictures)
        exchange.pictures.asked.connect(lambda place: show_large(self._shell, pictures[place]))
        content = tuple(one.data for one in pictures)
        self._place.insertWidget(0, exchange)
        self.answer = None
        model = self.model.current
        own = model == QUOTES or self.prompt.current == OWN_PROMPT
        known = {variable.name for variable in self.variables}
        question = Question(
            collection=collection,
            text=text,
            model=model,
            prompt=None if own else self.prompt.current,
            mode=settings.load().answers,
            adapters=self.adapters.uses,
            values={name: value for name, value in (values or {}).items() if name in known},
            without_support="decline",
        )

        def parts(found: list[object]) -> None:
            for part in found:
                if isinstance(part, Found):
                    exchange.waiting(f"Reading {len(part.passages)} passages")
                elif isinstance(part, Delta):
                    exchange.stream(part.text, part.misquoted)
                elif isinstance(part, Answered):
                    self.answer = part.answer
                    present(exchange, part.answer, self._choices.names)

        def failed(found: Failure) -> None:
            exchange.fail(found.sentence, found.safe or "The other answer goes on.")
            self._over()

        def stopped() -> None:
            exchange.stopped()
            self._over()

        self._handle = self._shell.operations.stream(
            "Answer a question",
            lambda bench, job: bench.assistants.ask(question, job, content),
            parts,
            self._over,
            failed,
            stopped,
        )
        self._judge()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _over(self) -> None:
        self._handle = None
        self._judge()
        self.ended.emit()

    def _chosen(self) -> None:
        self._judge()
        self.chosen.emit()

    def _judge(self) -> None:
        self.adapters.offer(self._choices.file(self.model.current), self._choices.adapters)
        self.prompt.setVisible(self.model.current not in ("", QUOTES))
        self.keep.refuse("" if self.answer is not None else "There is no answer here yet.")

    def _show_trace(self, view: str = "text") -> None:
        answer = self.answer
        if answer is None:
            return
        from app.bridge.seeing import seen

        panel = TracePanel(answer, self._choices.names)

        def ask() -> None:
            self._shell.operations.run(
                "Read the tokens",
                lambda bench, job: seen(bench, job, answer),
                lambda found: panel.show_seen(found) if isValid(panel) else None,
                lambda found: panel.refuse(found.sentence) if isValid(panel) else None,
            )

        panel.close_button.clicked.connect(self._shell.close_overlay)
        panel.tokens_asked.connect(ask)
        self._shell.open_dialog(panel, 720)
        panel.turn(view)


class CompareView(QWidget):
    """`kept` gives the answer that is gone on with; `closed` says that the person wants the chat again."""

    kept = Signal(object)
    closed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.setAccessibleName("Two answers beside each other")
        self._collection = ""
        self.sides = (Answering(shell, "Left"), Answering(shell, "Right"))
        self.which = Segments((("left", "Left answer"), ("right", "Right answer")), "Which answer to show")
        self.which.chosen.connect(lambda _: self._fit())
        self._both = row(space=1)
        for side in self.sides:
            side.kept.connect(self.kept)
            side.ended.connect(self._judge)
            side.chosen.connect(self._judge)
            self._both.addWidget(side, 1)
        self.values = ValueFields()
        self.composer = Composer()
        self.composer.sent.connect(self.ask)
        self.composer.stopped.connect(self.stop)
        self.composer.textChanged.connect(self._judge)
        self.pictures = Pictures(shell, self._sees_not)
        self.pictures.changed.connect(self._judge)
        self.composer.pictured.connect(self.pictures.take)
        self.shown: tuple[Seen, ...] = ()
        """The pictures of the last question."""
        self.send = Button("Ask both", "send", "primary", hint="Enter")
        self.send.clicked.connect(self.ask)
        self.halt = Button("Stop", "stop", hint="Esc")
        self.halt.clicked.connect(self.stop)
        self.leave = Button("Back to the chat", "left", "quiet")
        self.leave.clicked.connect(self.closed)
        self._about = Elided(type="small", tone="secondary")
        self.pictures.tray.before(self.composer, self.leave, self.pictures.button, self.halt, self.send)
        box = frame("composer")
        foot = row(self.leave, self.pictures.button, self._about, self.halt, self.send, space=6)
        foot.setStretch(2, 1)
        box.setLayout(
            column(self.pictures.note, self.pictures.tray, self.composer, foot, space=6, margins=(12, 12, 8, 8))
        )
        below = frame("panel")
        below.setLayout(column(self.values, box, margins=(24, 8, 24, 16)))
        self._above = frame("panel")
        self._above.setLayout(row(self.which, None, margins=(16, 10, 16, 0)))
        self._above.hide()
        layout = column(self._above, space=0)
        layout.addLayout(self._both, 1)
        layout.addWidget(below)
        self.setLayout(layout)
        self._judge()

    def offer(self, collection: str, found: Choices) -> None:
        """Say what can be asked, and who could answer: the first two models, or one with and without a prompt."""
        self._collection = collection
        self._about.say(f"Asks {collection}. Passages are found there, examples come with the prompt.")
        pairs = [(model, OWN_PROMPT) for model in found.models[:2]]
        if len(found.models) == 1 and found.prompts:
            pairs.append((found.models[0], found.prompts[0]))
        pairs = [*pairs, (QUOTES, OWN_PROMPT), (QUOTES, OWN_PROMPT)]
        for side, (model, prompt) in zip(self.sides, pairs, strict=False):
            side.offer(found, model, prompt)
        self._judge()

    @property
    def running(self) -> bool:
        return any(side.running for side in self.sides)

    def ask(self) -> None:
        """Ask both what is written."""
        text = self.composer.toPlainText().strip()
        if not text or not self.send.isEnabled() or not self.values.good():
            return
        self.shown = tuple(self.pictures.seen)
        for side in self.sides:
            side.ask(self._collection, text, self.shown, self.values.values())
        self._judge()

    def stop(self) -> None:
        """Stop what is under way."""
        for side in self.sides:
            side.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow = self.width() < look().px(NARROW)
        self._above.setVisible(narrow)
        for name, side in zip(("left", "right"), self.sides, strict=True):
            side.setVisible(not narrow or self.which.current() == name)

    def _sees_not(self) -> str:
        return next((reason for side in self.sides if (reason := side.sees_not())), "")

    def _judge(self) -> None:
        wanted = {variable.name: variable for side in self.sides for variable in side.variables}
        self.values.offer(tuple(wanted.values()))
        self.pictures.judge()
        self.halt.setVisible(self.running)
        reason = ""
        if self.running:
            reason = "Answers are under way. Stop them first."
        elif not self._collection:
            reason = "Add documents first."
        elif not self.composer.toPlainText().strip():
            reason = "Write a question first."
        self.send.refuse(reason or self.pictures.reason)
