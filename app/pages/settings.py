"""Settings: how the window looks, how much of the machine models may use, and how they answer."""

import os
from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtWidgets import QWidget

from app.bridge import installing as bridge
from app.pages.page import Page, Shell, scrolled
from app.theme.look import look
from app.theme.tokens import tokens
from app.widgets.basic import Card, column, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Choice, Field
from core import settings
from core.errors import AssayError

THEMES = (("auto", "Like the system"), ("light", "Light"), ("dark", "Dark"), ("contrast", "High contrast"))
CONTEXTS = (0, 1024, 2048, 4096, 8192, 16384, 32768)
"""Tokens; 0 for the usual number."""
MEMORIES = (0, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
"""MiB; 0 goes by what is free."""
ANSWERS = (("fast", "Fast: several at once"), ("reproducible", "Reproducible: the same each time"))


class SettingsPage(Page):
    """What is set takes effect at once and is kept outside the vault."""

    title = "Settings"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.theme = Choice()
        for _, word in THEMES:
            self.theme.addItem(word)
        self.scale = Choice()
        self._scales = [float(scale) for scale in tokens().type["user_scale"]]
        for scale in self._scales:
            self.scale.addItem(f"{scale:.0%}".replace("%", " %"))
        self.motion = Check("Reduced motion: no transitions, progress moves in steps")
        self.threads = Choice()
        self.threads.addItem("All cores")
        for count in range(1, (os.cpu_count() or 1) + 1):
            self.threads.addItem(f"{count}")
        appearance = Card("Appearance")
        appearance.body.addWidget(Field("Colours", self.theme, beside=True))
        appearance.body.addWidget(Field("Size", self.scale, beside=True))
        appearance.body.addWidget(self.motion)
        machine = Card("This machine", "Nothing leaves it. What may models use, and how do they answer?")
        machine.body.addWidget(Field("Threads", self.threads, beside=True))
        self.memory, self.context = Choice(), Choice()
        machine.body.addWidget(Field("Memory", self.memory, "All loaded models together.", beside=True))
        machine.body.addWidget(
            Field("Context", self.context, "At most, for models that are loaded from now on.", beside=True)
        )
        self.answers = Choice()
        for _, word in ANSWERS:
            self.answers.addItem(word)
        machine.body.addWidget(Field("Chat answers", self.answers, beside=True))
        inside = QWidget()
        program = Card("This installation", bridge.runs())
        self.examine = button("Examine…", "health")
        self.examine.clicked.connect(lambda: self.shell.go("installation"))
        program.body.addLayout(row(self.examine, None))
        inside.setLayout(column(appearance, machine, program, None, margins=(24, 20, 24, 24), space=16))
        inside.setMaximumWidth(look().px(720))
        self.body.addWidget(scrolled(inside))
        self._show(settings.load())
        self.theme.activated.connect(self._keep)
        self.scale.activated.connect(self._keep)
        self.motion.clicked.connect(self._keep)
        self.threads.activated.connect(self._keep)
        self.answers.activated.connect(self._keep)
        self.memory.activated.connect(self._keep)
        self.context.activated.connect(self._keep)

    def _show(self, known: settings.Settings) -> None:
        self.theme.setCurrentIndex([name for name, _ in THEMES].index(known.theme))
        nearest = min(range(len(self._scales)), key=lambda at: abs(self._scales[at] - known.scale))
        self.scale.setCurrentIndex(nearest)
        self.motion.setChecked(known.reduced_motion)
        _offer(self.memory, MEMORIES, known.model_memory, lambda mib: f"{mib / 1024:g} GiB" if mib else "What is free")
        _offer(
            self.context, CONTEXTS, known.model_context, lambda n: f"{n:,} tokens" if n else "The usual 4,096 tokens"
        )
        self.threads.setCurrentIndex(min(known.threads, self.threads.count() - 1))
        self.answers.setCurrentIndex([name for name, _ in ANSWERS].index(known.answers))

    def opened(self) -> None:
        """What other pages set meanwhile is shown."""
        self._show(settings.load())

    def _keep(self) -> None:
        before = settings.load()
        now = msgspec.structs.replace(
            before,
            theme=THEMES[self.theme.currentIndex()][0],
            scale=self._scales[self.scale.currentIndex()],
            reduced_motion=self.motion.isChecked(),
            threads=self.threads.currentIndex(),
            model_memory=self.memory.currentData(),
            model_context=self.context.currentData(),
            answers=ANSWERS[self.answers.currentIndex()][0],
        )
        if now == before:
            return
        try:
            settings.save(now)
        except (AssayError, OSError) as error:
            self.banner.say(f"The settings couldn’t be kept: {error}", "They hold until the window is closed.")
        look().apply(now.theme, now.scale, now.reduced_motion)


def _offer(choice: Choice, offered: Sequence[int], now: int, words: Callable[[int], str]) -> None:
    """Offer numbers, and the one that is set, whatever it is."""
    choice.clear()
    for number in sorted({*offered, now}):
        choice.addItem(words(number), number)
    choice.setCurrentIndex(choice.findData(now))
