"""The memory that a model would take before it is loaded, in parts, and whether that fits; or the context that would."""

from PySide6.QtCore import Signal

from app.bridge.opening import size
from app.widgets.basic import Card, IconLabel, clear, column, label, row
from app.widgets.buttons import button
from app.widgets.forms import Field, line_edit
from app.widgets.share_bar import Part, ShareBar, Swatch
from core.inference.planning import SHORTEST, MemoryPlan
from core.models.records import ModelFile

LARGEST = 2**24


def parts_of(plan: MemoryPlan) -> tuple[Part, ...]:
    """What takes the memory, the largest kinds first as they are explained."""
    named = (
        ("Weights", plan.weights),
        ("Cache of the context", plan.cache),
        ("Buffers", plan.buffers),
        ("The process itself", plan.process),
    )
    return tuple(Part(name, amount, size(amount)) for name, amount in named)


def verdict(plan: MemoryPlan) -> tuple[bool, str]:
    """Whether it fits, and a sentence on that."""
    if plan.fits:
        of = "" if plan.budget >= 2**60 else f" of the {size(plan.budget)} that it may take"
        return True, f"It fits: up to {size(plan.total)}{of}, with a context of {plan.context:,} tokens."
    needs = f"It doesn’t fit: it takes up to {size(plan.total)}, and {size(plan.budget)} may be taken."
    if plan.suggestion:
        return False, f"{needs} A context of {plan.suggestion:,} tokens would fit."
    return False, f"{needs} No context of at least {SHORTEST} tokens fits. Choose a smaller model, or unload others."


class PlanCard(Card):
    """`asked` gives the context, tokens, to plan with (0: the usual one); `wanted` the context that models shall have from now on."""

    asked = Signal(int)
    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__("Memory before loading")
        self.context = Field("Context, tokens", line_edit("The usual one"), check=_check)
        self.context.edit.returnPressed.connect(self._ask)
        self.ask = button("Plan", "memory", small=True)
        self.ask.setToolTip("Measures the memory without taking it")
        self.ask.clicked.connect(self._ask)
        self._found = column(space=6)
        self.bar = ShareBar("Memory that it would take")
        self.use = button("", "check", small=True)
        self.use.clicked.connect(lambda: self.wanted.emit(self._suggestion))
        self._suggestion = 0
        self._said = label("", wrap=True)
        self._sign = IconLabel("check", "pass.fg")
        said = row(self._sign, space=8)
        said.addWidget(self._said, 1)
        self.body.addWidget(self.context)
        self.body.addLayout(row(self.ask, None))
        self.body.addWidget(self.bar)
        self.body.addLayout(self._found)
        self.body.addLayout(said)
        self.body.addLayout(row(self.use, None))
        self.begin(None)

    def begin(self, model: ModelFile | None) -> None:
        """Another model: nothing is planned yet."""
        self.plan: MemoryPlan | None = None
        self.context.fail("")
        self.context.edit.clear()
        self.context.say_note(f"It was made for {model.context:,}." if model is not None and model.context else "")
        self.ask.refuse("")
        clear(self._found)
        for part in (self.bar, self._said, self._sign, self.use):
            part.hide()

    def wait(self) -> None:
        """It is being measured."""
        self.ask.refuse("The memory is being measured.")
        self._say(True, "Measuring. Nothing is loaded for that.", "clock")

    def show_plan(self, plan: MemoryPlan) -> None:
        """Show what was measured."""
        self.plan = plan
        self.ask.refuse("")
        parts = parts_of(plan)
        self.bar.show_parts(parts, plan.budget if plan.budget < 2**60 and not plan.fits else 0)
        self.bar.show()
        clear(self._found)
        for number, part in enumerate(parts):
            self._found.addLayout(row(Swatch(number), label(part.name, tone="secondary"), None, label(part.words)))
        self._found.addLayout(row(label("Together, at most", strong=True), None, label(size(plan.total), strong=True)))
        self._say(*verdict(plan))
        self._suggestion = 0 if plan.fits else plan.suggestion
        self.use.setText(f"Use {self._suggestion:,} tokens")
        self.use.setToolTip("All models get at most this context when they are loaded next")
        self.use.setVisible(bool(self._suggestion))

    def fail(self, sentence: str) -> None:
        """It couldn't be measured."""
        self.ask.refuse("")
        self._say(False, sentence)

    @property
    def said(self) -> str:
        """The verdict, in words."""
        return self._said.text()

    def _say(self, good: bool, sentence: str, icon: str = "") -> None:
        self._sign.show_icon(icon or ("check" if good else "alert"), "pass.fg" if good and not icon else "fail.fg")
        if icon:
            self._sign.show_icon(icon, "text.secondary")
        self._said.setText(sentence)
        self._said.show()
        self._sign.show()

    def _ask(self) -> None:
        if self.ask.isEnabled() and self.context.good():
            self.asked.emit(int(self.context.text.strip() or 0))


def _check(text: str) -> str:
    words = text.strip().replace(",", "")
    if not words:
        return ""
    if not words.isascii() or not words.isdigit() or not SHORTEST <= int(words) <= LARGEST or words != text.strip():
        return f"Write a number from {SHORTEST} to {LARGEST}, or nothing for the usual context."
    return ""
