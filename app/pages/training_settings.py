"""The settings of a training run: a preset, and each setting with what it does and what the preset gives it."""

from typing import Any, get_args, get_origin, get_type_hints

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme.look import look
from app.widgets.basic import Card, label, row
from app.widgets.buttons import Button, Segments
from app.widgets.forms import Choice, Field, line_edit
from core.training.settings import EXPLAINED, PRESETS, Settings

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
}
SAYS = {
    "small": "A first try: few steps, a small adapter.",
    "balanced": "For some hundreds of examples. Begin here.",
    "thorough": "More directions, more epochs, and it stops when it doesn’t get better.",
}
FIRST = ("objective", "learning_rate", "epochs", "batch", "rank", "alpha")
"""Settings that are shown before the others are asked for."""
NARROW = 620


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
        self.body.addLayout(row(self.more, None))
        self._columns = 0
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
        """What differs from the preset. Raises `ValueError` where a field holds no such value, and shows it there."""
        preset = PRESETS[self.preset.current()]
        found: dict[str, Any] = {}
        wrong = [name for name, field in self.fields.items() if not field.good()]
        if wrong:
            if wrong[0] not in FIRST:
                self.more.setChecked(True)
            self.fields[wrong[0]].edit.setFocus()
            raise ValueError(self.fields[wrong[0]].error)
        for name, field in self.fields.items():
            value = self._value(name, field.text)
            if value != getattr(preset, name):
                found[name] = list(value) if isinstance(value, tuple) else value
        return found

    def value(self, name: str) -> str:
        """A setting's value as it is typed now."""
        return self.fields[name].text

    def set(self, name: str, text: str) -> None:
        """Type a setting's value."""
        edit = self.fields[name].edit
        if isinstance(edit, Choice):
            edit.setCurrentText(text)
        else:
            edit.setText(text)  # type: ignore[union-attr]

    def _field(self, name: str) -> Field:
        kind = self._kinds[name]
        if kind is bool or (get_origin(kind) is not None and get_origin(kind) is not tuple):
            edit: Any = Choice()
            edit.addItems(["no", "yes"] if kind is bool else [str(one) for one in get_args(kind)])
            edit.currentTextChanged.connect(lambda _: self.changed.emit())
        else:
            edit = line_edit("all" if get_origin(kind) is tuple else "")
            edit.textChanged.connect(lambda _: self.changed.emit())
        return Field(word(name), edit, check=lambda text: self._wrong(name, text))

    def _put(self, field: Field, value: Any) -> None:
        if isinstance(field.edit, Choice):
            field.edit.setCurrentText(written(value))
        else:
            field.edit.setText(written(value))  # type: ignore[union-attr]
        field.fail("")

    def _wrong(self, name: str, text: str) -> str:
        try:
            self._value(name, text)
        except ValueError:
            return "Write a whole number." if self._kinds[name] is int else "Write a number."
        return ""

    def _value(self, name: str, text: str) -> Any:
        kind = self._kinds[name]
        if kind is bool:
            return text == "yes"
        if get_origin(kind) is tuple:
            return tuple(part for part in text.replace(",", " ").split() if part)
        return kind(text.strip()) if kind in (int, float) else text

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
        for place, (name, field) in enumerate(self.fields.items()):
            self._grid.removeWidget(field)
            shown = name in FIRST or self.more.isChecked()
            field.setVisible(shown)
            if shown:
                self._grid.addWidget(field, place // columns, place % columns, Qt.AlignmentFlag.AlignTop)
        for place in range(2):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)
