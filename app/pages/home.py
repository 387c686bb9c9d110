"""Home: the five first steps, questions to try, the latest in the log; and beside them this machine, what the vault holds, its people."""

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QSizePolicy, QWidget

from app.bridge.looking import Looks
from app.bridge.opening import Machine, size
from app.bridge.operations import Failure
from app.bridge.overview import COLLECTION, Overview, add_example, overview
from app.pages.page import Page, Shell, scrolled
from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.basic import Badge, Card, Elided, IconLabel, clear, column, frame, label, line, row
from app.widgets.buttons import Button, Clickable
from app.widgets.long_work import LongWork

QUESTIONS = (
    ("How soon must a site report a serious adverse event?", "SOP-PV-014"),
    ("What is the flash point of solvent R-12?", "Safety data sheet"),
    ("May the supplier subcontract testing?", "Supplier contract"),
    ("Which hotel did the inspectors stay in?", "The documents don’t say; see how it declines"),
)
STEPS = (
    ("documents", "Open the example workspace", "9 documents, 40 questions and 2 prompts of an invented company", "Open example", "folder-open"),
    ("ask", "Ask the documents a question", "Each sentence of an answer shows the page that it rests on", "Ask a question", "chat"),
    ("evaluate", "Compare two prompt versions", "40 questions on both, with intervals", "Start evaluation", "evaluations"),
    ("sign", "Sign what you would stand behind", "A second person reviews it; nobody approves their own work", "See how", "stamp"),
    ("pack", "Hand over a pack and check it", "An auditor checks it without Assay, a vault or a network", "Make a pack", "pack"),
)  # fmt: skip


ASIDE, NARROW = 336, 860
ANY = 16_777_215


class HomePage(Page):
    """Where a person begins, and sees where they stand."""

    title = "Home"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._looks = Looks(self._look)
        keys = Button("Keyboard help", "keyboard", "quiet", hint="F1")
        keys.clicked.connect(self.shell.show_keys)
        self.bar.act(keys)
        self.steps = {step[0]: StepRow(number, *step) for number, step in enumerate(STEPS, 1)}
        ladder = QFrame()
        ladder.setProperty("surface", "card")
        inner = column(space=0, margins=(1, 1, 1, 1))
        for position, step in enumerate(self.steps.values()):
            if position:
                inner.addWidget(line())
            inner.addWidget(step)
        ladder.setLayout(inner)
        self.work = LongWork()
        self._working = frame("card")
        self._working.setLayout(column(self.work, margins=(16, 14, 16, 14)))
        self._working.hide()
        grid = QGridLayout()
        grid.setSpacing(look().px(12))
        self.questions: list[QuestionCard] = []
        for position, (text, source) in enumerate(QUESTIONS):
            card = QuestionCard(text, source)
            card.clicked.connect(lambda which=text: self.shell.go("chat", (COLLECTION, which)))
            self.questions.append(card)
            grid.addWidget(card, position // 2, position % 2)
        self._try = QWidget()
        self._try.setLayout(
            column(
                row(
                    label("Questions to try", type="heading"),
                    None,
                    label("Answered by quotes, word for word, without a model", type="small", tone="tertiary"),
                ),
                grid,
                space=12,
            )
        )
        self._log = Card()
        left = column(
            label("From documents to a pack that others can check", type="verdict", wrap=True),
            label(
                "Five steps on the example workspace, about ten minutes. Nothing that you do leaves this machine.",
                type="question",
                tone="secondary",
                wrap=True,
            ),
            4,
            ladder,
            self._working,
            8,
            self._try,
            8,
            label("Latest in the log", type="heading"),
            self._log,
            None,
            space=8,
        )
        self._machine, self._contents, self._people = Card("This machine"), Card("In this vault"), Card("People")
        right = column(self._machine, self._contents, self._people, None, space=16)
        aside = QWidget()
        aside.setLayout(right)
        inside = QWidget()
        across = row(space=24, margins=(32, 20, 24, 24))
        across.addLayout(left, 1)
        across.addWidget(aside)
        inside.setLayout(across)
        self._across, self._aside = across, aside
        self.body.addWidget(scrolled(inside))
        acts = {
            "documents": self._open_example,
            "ask": lambda: self.shell.go("chat"),
            "evaluate": lambda: self.shell.go("evals"),
            "sign": lambda: self.shell.go("prompts"),
            "pack": lambda: self.shell.go("evidence"),
        }
        for name, act in acts.items():
            self.steps[name].act.clicked.connect(act)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        ways = QBoxLayout.Direction
        self._across.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)
        self._aside.setMinimumWidth(0 if narrow else look().px(ASIDE))
        self._aside.setMaximumWidth(ANY if narrow else look().px(ASIDE))

    def opened(self) -> None:
        self._looks.ask()

    def _look(self, over: Callable[[], None]) -> None:
        def show(found: Overview) -> None:
            self._show(found)
            over()

        def failed(found: Failure) -> None:
            self.fail(found)
            over()

        self.operations.run("Look the vault over", overview, show, failed, over)

    def changed(self, event: object) -> None:
        if self.isVisible() and getattr(event, "act", "") not in ("show-document",):
            self.opened()

    def _show(self, found: Overview) -> None:
        todo = next((name for name in self.steps if not found.done[name]), "")
        for name, step in self.steps.items():
            step.show_state(found.done[name], current=name == todo)
        self._try.setVisible(found.example)
        self._show_machine(found.machine)
        refill(self._contents, "In this vault")
        for content in found.contents[:12]:
            self._contents.fact(content.name, content.amount, content.page, lines=True)
        if not found.contents:
            self._contents.body.addWidget(label("Nothing yet.", tone="secondary"))
        refill(self._people, "People")
        for person in found.people:
            name = f"{person.name} (you)" if person.you else person.name
            self._people.fact(name, ", ".join(person.roles), "person", lines=True)
        refill(self._log, "")
        for position, happening in enumerate(found.latest):
            if position:
                self._log.body.addWidget(line())
            time = label(happening.time, tone="secondary")
            time.setMinimumWidth(look().px(66))
            words = row(time, Elided(happening.words), space=12)
            words.setStretch(1, 1)
            words.addWidget(label(happening.who, tone="secondary"))
            words.addWidget(label(f"Log entry {happening.entry}", type="small", tone="tertiary"))
            self._log.body.addLayout(words)

    def _show_machine(self, found: Machine) -> None:
        refill(self._machine, "This machine")
        barred = self.shell.barrier_names()
        self._machine.fact(
            "Outside connections", "Barred" if barred else "Not barred", "barrier", "pass" if barred else "warn"
        )
        self._machine.fact("Vault encryption", "On", "lock", "pass", lines=True)
        self._machine.fact("Space left", size(found.disk_free), "disk", lines=True)
        self._machine.fact(
            "Processor", f"{found.processors} core{'s' if found.processors != 1 else ''}", "processor", lines=True
        )
        if found.memory_free is not None and found.memory is not None:
            self._machine.fact(
                "Memory for models", f"{size(found.memory_free)} of {size(found.memory)}", "memory", lines=True
            )

    def _open_example(self) -> None:
        step = self.steps["documents"]
        step.act.refuse("The example is being read.")
        self._working.show()
        self.work.begin("Reading the example workspace", "You can ask what is in already")

        def ended() -> None:
            self._working.hide()
            step.act.refuse("")

        def done(count: int) -> None:
            ended()
            self.shell.toast(f"The example is in: {count} documents")
            self.opened()

        def failed(found) -> None:
            ended()
            self.fail(found)

        handle = self.operations.run("Read the example workspace", add_example, done, failed, ended, shown=True)
        handle.progress.connect(lambda progress: self.work.say(progress.done, progress.total, progress.unit))
        self.work.cancelled.connect(handle.cancel)


class StepRow(QWidget):
    """One of the first steps: its number or a check, what it is, and its button."""

    clicked = Signal()

    def __init__(self, number: int, name: str, title: str, note: str, act: str, icon_name: str) -> None:
        super().__init__()
        self._number, self._done, self._current = number, "", False
        self.setAccessibleName(f"Step {number}: {title}")
        self._title, self._note = label(title, strong=True), label(note, tone="secondary", wrap=True)
        self._badge = Badge("Done", "pass", "check")
        self.act = Button(act, icon_name)
        self.act.setMinimumWidth(look().px(150))
        self._gap = 60
        layout = row(space=16, margins=(self._gap, 10, 16, 10))
        layout.addLayout(column(self._title, self._note, space=2), 1)
        layout.addWidget(self._badge)
        layout.addWidget(self.act)
        self.setLayout(layout)
        self.setMinimumHeight(look().px(61))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.show_state("", current=False)

    def show_state(self, done: str, current: bool) -> None:
        """`done` is when it was done, or nothing; the current step has the view's filled button."""
        self._done, self._current = done, current
        self._badge.say(f"Done {done}", "pass", "check")
        self._badge.setVisible(bool(done))
        self.act.setVisible(not done)
        self.act.become("primary" if current else "normal")
        self.setAccessibleDescription(f"Done {done}" if done else "Next" if current else "")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._current:
            painter.fillRect(self.rect(), here.colour("surface.selected"))
        side = here.px(26)
        left, top = here.px(17), (self.height() - side) // 2
        if self._done:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(here.colour("pass.fg"))
            painter.drawEllipse(left, top, side, side)
            small = here.px(15)
            gap = (side - small) // 2
            paint_icon(painter, QRect(left + gap, top + gap, small, small), "check", "surface.panel")
        else:
            fill = "accent.base" if self._current else "surface.panel"
            painter.setPen(QPen(here.colour("accent.base" if self._current else "border.strong"), 1))
            painter.setBrush(here.colour(fill))
            painter.drawEllipse(left, top, side, side)
            painter.setFont(here.font("body", 600))
            painter.setPen(here.colour("text.on_accent" if self._current else "text.secondary"))
            painter.drawText(QRect(left, top, side, side), Qt.AlignmentFlag.AlignCenter, str(self._number))
        painter.end()


class QuestionCard(Clickable):
    """A question to try, and where its answer is."""

    def __init__(self, text: str, source: str) -> None:
        super().__init__("card", text)
        self.setAccessibleDescription(source)
        declines = source.startswith("The documents")
        layout = row(IconLabel("question" if declines else "file-search", side=18), space=12, margins=(16, 12, 16, 12))
        layout.addLayout(
            column(label(text, strong=False, wrap=True), label(source, type="small", tone="tertiary"), space=2), 1
        )
        layout.setAlignment(layout.itemAt(0).widget(), Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)


def refill(card: Card, heading: str) -> None:
    """Empty a card and give it its heading again."""
    clear(card.body)
    if heading:
        card.body.addWidget(label(heading, type="heading"))
