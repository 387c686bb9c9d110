"""The settings of a training run: a preset, and each setting with what it does and what the preset gives it.

Several numbers for a setting ("4, 8"), or a choice's "Each of these", make a sweep: a run for each combination. Several lists of matrices are parted
by semicolons. A setting that means nothing beside the others, such as the rank
where all weights are trained, isn't shown and is left as the preset has it.
"""

from math import prod
from typing import Any, get_args, get_origin, get_type_hints

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme.look import look
from app.widgets.basic import Card, IconLabel, frame, label, row
from app.widgets.buttons import Button, Segments
from app.widgets.forms import Choice, Field, line_edit
from core.errors import BadInput
from core.training.records import TrainSpec
from core.training.settings import EXPLAINED, PRESETS, Settings, chosen
from core.training.sweeps import points

WORDS = {
    "dora": "DoRA",
    "rslora": "Rank-stabilized",
    "dtype": "Numbers of the base",
    "clip": "Longest gradient",
    "held_out": "Share held out",
    "longest": "Longest example",
    "epochs": "Epochs",
    "steps": "Steps at most",
    "batch": "Examples at once",
    "method": "What is trained",
    "objective": "What is learned",
    "samples": "Inputs answered at checkpoints",
    "recall": "Texts tried by heart",
    "canaries": "Planted sentences",
    "canary_repeats": "Times each is planted",
}
CHOICES = {
    "lora": "An adapter (LoRA)",
    "full": "All weights of the model",
    "answers": "Answers",
    "preferences": "Which answer is better (DPO)",
    "text": "All words of documents",
}
"""What a choice's value is called."""
OF_ADAPTERS = frozenset({"rank", "alpha", "dropout", "targets", "rslora", "dora"})
SAYS = {
    "small": "A first try: few steps, a small adapter.",
    "balanced": "For some hundreds of examples. Begin here.",
    "thorough": "More directions, more epochs, and it stops when it doesn’t get better.",
}
FIRST = ("method", "objective", "learning_rate", "epochs", "batch", "rank", "alpha")
"""Settings that are shown before the others are asked for."""
NARROW = 620
THESE = "The settings"
SEVERAL = (
    "Several numbers for a setting, such as 4, 8, or “Each of these”, make a sweep: a run for each, one after another."
)
EACH = "*"
"""A choice's data that stands for all of its values."""
MOST: dict[str, Any] = {
    "method": "full",
    "gradient_checkpointing": False,
    "dtype": "f32",
    "dora": True,
    "packing": True,
}
"""Of what isn't a number, the value that takes most."""


def word(name: str) -> str:
    """A setting's name as a person reads it."""
    return WORDS.get(name, name.replace("_", " ").capitalize())


def written(value: Any) -> str:
    """A setting's value as it is typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def parts_of(text: str) -> list[str]:
    """The values that are typed for one setting."""
    return [part for part in text.replace(",", " ").split() if part]


def runs_of(settings: dict[str, Any]) -> int:
    """How many runs these changes ask for."""
    return prod(len(value) for name, value in settings.items() if several(name, value))


def several(name: str, value: Any) -> bool:
    """Whether a setting's value asks for several runs."""
    return isinstance(value, list) and (name != "targets" or any(isinstance(one, list) for one in value))


def largest(settings: dict[str, Any]) -> dict[str, Any]:
    """The one run of a sweep that takes most."""
    return {name: _largest(name, value) if several(name, value) else value for name, value in settings.items()}


def _largest(name: str, values: list[Any]) -> Any:
    if name == "targets":
        return [] if [] in values else max(values, key=len)
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return max(values)
    return MOST[name] if MOST.get(name) in values else values[0]


class SettingsCard(Card):
    """`changed` says that something else holds now. `changes` gives what differs from the preset, or raises what is wrong as a sentence."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Settings")
        self._kinds = get_type_hints(Settings)
        self.preset = Segments([(name, name.capitalize()) for name in PRESETS], "Preset")
        self.preset.choose("balanced")
        self.preset.chosen.connect(self.take_preset)
        self._says = label("", tone="secondary", wrap=True)
        self.more = Button("Show every setting", "down", "quiet", small=True)
        self.more.setCheckable(True)
        self.more.toggled.connect(self._open)
        self.fields: dict[str, Field] = {}
        self.runs = 1
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(look().px(24))
        self._grid.setVerticalSpacing(look().px(10))
        names = [*FIRST, *(name for name in EXPLAINED if name not in FIRST)]
        for name in names:
            self.fields[name] = self._field(name)
        held = QWidget()
        held.setLayout(self._grid)
        self.body.addLayout(row(self.preset, None))
        self.body.addWidget(self._says)
        self.body.addWidget(held)
        self.body.addWidget(label(SEVERAL, type="small", tone="secondary", wrap=True))
        self._sweep = frame("well")
        self._runs = label("", wrap=True)
        sweep = row(IconLabel("compare", "text.secondary", 16), space=10, margins=(14, 8, 14, 8))
        sweep.addWidget(self._runs, 1)
        self._sweep.setLayout(sweep)
        self._wrong_with = label("", tone="fail", wrap=True)
        self.body.addWidget(self._sweep)
        self.body.addWidget(self._wrong_with)
        self.body.addLayout(row(self.more, None))
        self.changed.connect(self._count)
        self._columns = 0
        self._arranged: tuple[int, list[str]] = (0, [])
        self.take_preset("balanced")
        self._arrange()

    def take_preset(self, name: str) -> None:
        """Begin with another preset; what was changed is given up."""
        self.preset.choose(name)
        self._says.setText(SAYS.get(name, ""))
        for setting, field in self.fields.items():
            value = getattr(PRESETS[name], setting)
            self._put(field, value)
            field.say_note(f"{EXPLAINED.get(setting, '')} {name.capitalize()}: {written(value) or 'all'}.".strip())
        self.changed.emit()

    def changes(self) -> dict[str, Any]:
        """What differs from the preset; several values are a list. Raises `ValueError` where a field holds no such value, or where they don't go
        together, and shows it."""
        preset = PRESETS[self.preset.current()]
        found: dict[str, Any] = {}
        wrong = [name for name, field in self.fields.items() if self._means(name) and not field.good()]
        if wrong:
            if wrong[0] not in FIRST:
                self.more.setChecked(True)
            self.fields[wrong[0]].edit.setFocus()
            raise ValueError(self.fields[wrong[0]].error)
        for name in filter(self._means, self.fields):
            value = self._value(name, self.value(name))
            if value != getattr(preset, name):
                found[name] = list(value) if isinstance(value, tuple) else value
        try:
            if runs_of(found) > 1:
                points(TrainSpec(name="sweep", base="", data=(), preset=self.preset.current(), settings=found), THESE)
            else:
                chosen(self.preset.current(), found, THESE)
        except BadInput as error:
            self._refuse(str(error))
            raise ValueError(str(error)) from error
        self._refuse("")
        return found

    def _refuse(self, sentence: str) -> None:
        self._wrong_with.setText(sentence)
        self._wrong_with.setVisible(bool(sentence))

    def value(self, name: str) -> str:
        """A setting's value as it is typed now."""
        edit = self.fields[name].edit
        return str(edit.currentData()) if isinstance(edit, Choice) else self.fields[name].text

    def set(self, name: str, text: str) -> None:
        """Type a setting's value."""
        edit = self.fields[name].edit
        if isinstance(edit, Choice):
            edit.setCurrentIndex(max(0, edit.findData(text)))
        else:
            edit.setText(text)  # type: ignore[union-attr]

    def _field(self, name: str) -> Field:
        kind = self._kinds[name]
        if kind is bool or (get_origin(kind) is not None and get_origin(kind) is not tuple):
            edit: Any = Choice()
            for value in ("no", "yes") if kind is bool else map(str, get_args(kind)):
                edit.addItem(CHOICES.get(value, value), value)
            if name != "objective":
                edit.addItem("Each of these", EACH)
            edit.currentTextChanged.connect(lambda _: self.changed.emit())
        else:
            edit = line_edit("all" if get_origin(kind) is tuple else "")
            edit.textChanged.connect(lambda _: self.changed.emit())
        return Field(word(name), edit, check=lambda text: self._wrong(name, text))

    def _put(self, field: Field, value: Any) -> None:
        if isinstance(field.edit, Choice):
            field.edit.setCurrentIndex(max(0, field.edit.findData(written(value))))
        else:
            field.edit.setText(written(value))  # type: ignore[union-attr]
        field.fail("")

    def _wrong(self, name: str, text: str) -> str:
        try:
            self._value(name, self.value(name))
        except ValueError:
            return "Write a whole number, or several." if self._kinds[name] is int else "Write a number, or several."
        return ""

    def _value(self, name: str, text: str) -> Any:
        kind = self._kinds[name]
        if kind is bool:
            return [False, True] if text == EACH else text == "yes"
        if get_origin(kind) is tuple:
            lists = [parts_of(part) for part in text.split(";")]
            return lists if len(lists) > 1 else tuple(lists[0])
        if kind not in (int, float):
            return list(map(str, get_args(kind))) if text == EACH else text
        values = list(dict.fromkeys(kind(part) for part in parts_of(text)))
        if not values:
            raise ValueError(name)
        return values[0] if len(values) == 1 else values

    def _means(self, name: str) -> bool:
        """Whether a setting means something beside the others."""
        if name in OF_ADAPTERS:
            return self.value("method") != "full"
        if name == "beta":
            return self.value("objective") == "preferences"
        return name != "canary_repeats" or parts_of(self.value("canaries")) not in ([], ["0"])

    def _count(self) -> None:
        """Say how many runs are asked for, and show what means something."""
        told, runs = [], 1
        for name in filter(self._means, self.fields):
            try:
                value = self._value(name, self.value(name))
            except ValueError:
                continue
            if isinstance(value, list):
                told.append(f"{word(name).lower()}: {len(value)} values")
                runs *= len(value)
        self.runs = runs
        words = "; ".join(told)
        self._runs.setText(f"{words[:1].upper()}{words[1:]}: {runs:,} runs, one after another.")
        self._sweep.setVisible(runs > 1)
        self._refuse("")
        self._arrange()

    def _open(self, opened: bool) -> None:
        self.more.setText("Show fewer settings" if opened else "Show every setting")
        self.more.setAccessibleName(self.more.text())
        self._arrange()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        columns = 2 if self.width() >= look().px(NARROW) else 1
        if columns != self._columns:
            self._columns = columns
            self._arrange()

    def _arrange(self) -> None:
        columns = self._columns or 2
        shown = [name for name in self.fields if self._means(name) and (name in FIRST or self.more.isChecked())]
        if (columns, shown) == self._arranged:
            return
        self._arranged = columns, shown
        for name, field in self.fields.items():
            self._grid.removeWidget(field)
            field.setVisible(name in shown)
        for place, name in enumerate(shown):
            field = self.fields[name]
            self._grid.addWidget(field, place // columns, place % columns, Qt.AlignmentFlag.AlignTop)
        for place in range(2):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)
