"""Fields for what a person fills a prompt's variables with, one by its type, each checked where it stands.

To be asked with (`use="ask"`), a variable without a default needs a value; to be fixed in a saved assistant (`"fix"`), what is empty is asked
each time; to be tried (`"try"`), texts have room for several lines, passages can be written, and the first choice is chosen. A default stands in its
field as it will be used, and what was written under a name comes back with it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QPlainTextEdit, QWidget

from app.theme.look import look
from app.widgets.basic import label
from app.widgets.forms import Choice, Field, line_edit
from app.widgets.tabbing import reach_here
from core.prompts.filling import value_problem
from core.prompts.records import Variable

ASKED = "Asked each time"
PASSAGES = "A blank line begins another passage. Left empty, those found for the input are used."
LINES = 66
"""Pixels at scale 1.0 that a field for several lines is high."""
TWO, THREE, FOUR = 420, 640, 960
"""Pixels at scale 1.0 from which two, three and four fields stand beside each other."""


class ValueFields(QWidget):
    """`changed` comes when something was written or chosen. Hidden while there is nothing to fill in."""

    changed = Signal()

    def __init__(self, use: Literal["ask", "fix", "try"] = "ask", title: str = "") -> None:
        super().__init__()
        self._fixing, self._trying = use == "fix", use == "try"
        self._variables: tuple[Variable, ...] = ()
        self._kept: dict[str, str] = {}
        self._first: dict[str, str] = {}
        """What stood in each field before anybody wrote: a default isn't taken along to another prompt."""
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
        self._kept = self.written()
        if values is not None:
            self._kept = {name: str(value) for name, value in values.items()}
        for field in self.fields.values():
            self._grid.removeWidget(field)
            field.hide()
            field.deleteLater()
        self._variables = tuple(variables)
        self.fields = {one.name: self._field(one) for one in variables}
        now = {name: self._written(field) for name, field in self.fields.items()}
        self._first = {name: text for name, text in now.items() if name not in self._kept}
        self._across = 0
        self._place()
        reach_here(self, [field.edit for field in self.fields.values()])
        self.setVisible(bool(self.fields))

    def remember(self, written: Mapping[str, str]) -> None:
        """Put back what was written, now or once there is a field of that name."""
        variables, self._variables = self._variables, ()
        self.fields, gone = {}, self.fields
        self._kept |= written
        for field in gone.values():
            self._grid.removeWidget(field)
            field.deleteLater()
        self.offer(variables)

    def good(self) -> bool:
        """Check each, say what is wrong beside it, and go to the first that is."""
        wrong = [field for field in self.fields.values() if not field.good()]
        if wrong:
            wrong[0].edit.setFocus()
        return not wrong

    def written(self) -> dict[str, str]:
        """What stands in the fields, and stood in those that are gone, by name."""
        now = {name: self._written(field) for name, field in self.fields.items()}
        return self._kept | {name: text for name, text in now.items() if text != self._first.get(name)}

    def values(self) -> dict[str, Any]:
        """What was filled in, by name; what is asked each time is left out, and what stands at its default where nothing is tried."""
        if self._trying:
            return {one.name: value for one in self._variables if (value := self._tried(one))}
        found = {name: self._written(field) for name, field in self.fields.items()}
        defaults = {one.name: "" if one.default is None else str(one.default) for one in self._variables}
        return {name: text for name, text in found.items() if text and (self._fixing or text != defaults[name])}

    def _tried(self, one: Variable) -> Any:
        """The value of a field by its type; "" for none."""
        text = self._written(self.fields[one.name])
        if one.kind == "passages":
            return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
        return "" if one.kind == "examples" else text

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        wide = self.width()
        across = 1 + sum(wide >= look().px(from_here) for from_here in (TWO, THREE, FOUR))
        if across == self._across:
            return
        self._across = across
        self._grid.addWidget(self._title, 0, 0, 1, across)
        for place, field in enumerate(self.fields.values()):
            self._grid.removeWidget(field)
            self._grid.addWidget(field, 1 + place // across, place % across, Qt.AlignmentFlag.AlignTop)
        for place in range(4):
            self._grid.setColumnStretch(place, 1 if place < across else 0)

    def _field(self, one: Variable) -> Field:
        default = "" if one.default is None else str(one.default)
        text = self._kept.get(one.name, "" if self._fixing else default)
        edit: Choice | Any
        if one.kind == "examples":
            edit = line_edit("", f"The first {one.count} of {one.dataset}")
            edit.setReadOnly(True)
            return Field(_word(one), edit, _note(one) or "They come with the prompt.")
        if self._trying and one.kind in ("text", "passages"):
            edit = QPlainTextEdit(text)
            edit.setTabChangesFocus(True)
            edit.setFixedHeight(look().px(LINES))
            edit.textChanged.connect(self.changed)
            note = " ".join(part for part in (_note(one), PASSAGES) if part) if one.kind == "passages" else _note(one)
            return Field(_word(one), edit, note, self._checked(one))
        if one.kind == "choice":
            edit = Choice()
            if self._fixing:
                edit.addItem(ASKED, "")
            elif not default and not self._trying:
                edit.addItem("Choose", "")
            for choice in one.choices:
                edit.addItem(choice, choice)
            edit.setCurrentIndex(max(edit.findData(text), 0))
            edit.currentIndexChanged.connect(lambda _: self.changed.emit())
        else:
            edit = line_edit(ASKED if self._fixing else "", text)
            edit.textChanged.connect(lambda _: self.changed.emit())
        return Field(_word(one), edit, _note(one), self._checked(one))

    def _checked(self, one: Variable) -> Callable[[str], str]:
        def check(_: str) -> str:
            text = self._written(self.fields[one.name])
            if one.kind == "passages":
                return ""
            if not text:
                return "" if self._fixing or one.default is not None else "Give a value."
            problem = value_problem(one, text)
            return problem[:1].upper() + problem[1:]

        return check

    def _written(self, field: Field) -> str:
        edit = field.edit
        return str(edit.currentData() or "") if isinstance(edit, Choice) else field.text.strip()


def _word(one: Variable) -> str:
    word = one.name.replace("_", " ")
    return word[:1].upper() + word[1:]


def _note(one: Variable) -> str:
    """What a field is for, and a number's bounds."""
    bounds = {
        (True, True): f"From {one.least} to {one.most}.",
        (True, False): f"{one.least} or more.",
        (False, True): f"{one.most} or less.",
    }.get((one.least is not None, one.most is not None), "")
    said = one.description.strip()
    return f"{said}{'' if not said or said.endswith(('.', '?')) else '.'} {bounds}".strip()
