"""Fields for what a person fills a prompt's variables with: texts, numbers and choices, each checked where it stands.

To be asked with (`ValueFields(fixing=False)`), a variable without a default needs a value; to be fixed in a saved assistant, what is empty is asked
each time. A default stands in its field as it will be used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme.look import look
from app.widgets.basic import label
from app.widgets.forms import Choice, Field, line_edit
from core.prompts.filling import value_problem
from core.prompts.records import Variable

ASKED = "Asked each time"
TWO, THREE = 420, 640
"""Pixels at scale 1.0 from which two and three fields stand beside each other."""


class ValueFields(QWidget):
    """`changed` comes when something was written or chosen. Hidden while there is nothing to fill in."""

    changed = Signal()

    def __init__(self, fixing: bool = False, title: str = "") -> None:
        super().__init__()
        self._fixing = fixing
        self._variables: tuple[Variable, ...] = ()
        self._kept: dict[str, str] = {}
        self.fields: dict[str, Field] = {}
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(look().px(12))
        self._grid.setVerticalSpacing(look().px(6))
        self._title = label(title, strong=True)
        self._title.setVisible(bool(title))
        self._across = 0
        self.setLayout(self._grid)
        self.setAccessibleName(title or "Values of the prompt")
        self.hide()

    def offer(self, variables: Sequence[Variable], values: Mapping[str, Any] | None = None) -> None:
        """Fields for these; what was written under the same name stays, unless `values` are given."""
        if tuple(variables) == self._variables and values is None:
            return
        self._kept |= {name: self._written(field) for name, field in self.fields.items()}
        if values is not None:
            self._kept = {name: str(value) for name, value in values.items()}
        for field in self.fields.values():
            self._grid.removeWidget(field)
            field.hide()
            field.deleteLater()
        self._variables = tuple(variables)
        self.fields = {one.name: self._field(one) for one in variables}
        self._across = 0
        self._place()
        self.setVisible(bool(self.fields))

    def good(self) -> bool:
        """Check each, say what is wrong beside it, and go to the first that is."""
        wrong = [field for field in self.fields.values() if not field.good()]
        if wrong:
            wrong[0].edit.setFocus()
        return not wrong

    def values(self) -> dict[str, Any]:
        """What was filled in, by name; what stands at its default, or is asked each time, is left out."""
        found = {name: self._written(field) for name, field in self.fields.items()}
        defaults = {one.name: "" if one.default is None else str(one.default) for one in self._variables}
        return {name: text for name, text in found.items() if text and (self._fixing or text != defaults[name])}

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        wide = self.width()
        across = 3 if wide >= look().px(THREE) else 2 if wide >= look().px(TWO) else 1
        if across == self._across:
            return
        self._across = across
        self._grid.addWidget(self._title, 0, 0, 1, across)
        for place, field in enumerate(self.fields.values()):
            self._grid.removeWidget(field)
            self._grid.addWidget(field, 1 + place // across, place % across, Qt.AlignmentFlag.AlignTop)
        for place in range(3):
            self._grid.setColumnStretch(place, 1 if place < across else 0)

    def _field(self, one: Variable) -> Field:
        default = "" if one.default is None else str(one.default)
        text = self._kept.get(one.name, "" if self._fixing else default)
        edit: Choice | Any
        if one.kind == "choice":
            edit = Choice()
            if self._fixing:
                edit.addItem(ASKED, "")
            elif not default:
                edit.addItem("Choose", "")
            for choice in one.choices:
                edit.addItem(choice, choice)
            edit.setCurrentIndex(max(edit.findData(text), 0))
            edit.currentIndexChanged.connect(lambda _: self.changed.emit())
        else:
            edit = line_edit(ASKED if self._fixing else "", text)
            edit.textChanged.connect(lambda _: self.changed.emit())
        word = one.name.replace("_", " ")
        return Field(word[:1].upper() + word[1:], edit, _note(one), self._checked(one))

    def _checked(self, one: Variable) -> Callable[[str], str]:
        def check(_: str) -> str:
            text = self._written(self.fields[one.name])
            if not text:
                return "" if self._fixing or one.default is not None else "Give a value."
            problem = value_problem(one, text)
            return problem[:1].upper() + problem[1:]

        return check

    def _written(self, field: Field) -> str:
        edit = field.edit
        return str(edit.currentData() or "") if isinstance(edit, Choice) else field.text.strip()


def _note(one: Variable) -> str:
    """What a field is for, and a number's bounds."""
    bounds = {
        (True, True): f"From {one.least} to {one.most}.",
        (True, False): f"{one.least} or more.",
        (False, True): f"{one.most} or less.",
    }.get((one.least is not None, one.most is not None), "")
    said = one.description.strip()
    return f"{said}{'' if not said or said.endswith(('.', '?')) else '.'} {bounds}".strip()
