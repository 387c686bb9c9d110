"""What a prompt is beside its messages, as forms: its typed variables, the contract of its answers, and its settings.

Each form gives back exactly the record that it was filled with while nothing is changed, fields that it doesn't show included.
"""

import json
from collections.abc import Sequence

from msgspec.structs import replace
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QWidget

from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.buttons import button, icon_button
from app.widgets.code_view import CodeEditor
from app.widgets.forms import Choice, line_edit
from core.errors import BadInput
from core.prompts.records import KINDS, Contract, Sampling, Variable

WORDS = {"text": "Text", "number": "Number", "choice": "Choice", "passages": "Passages", "examples": "Examples"}
DETAILS = {
    "choice": ("Choices", "plain, technical"),
    "number": ("From and to", "5, 90"),
    "examples": ("Dataset and how many", "labelled-messages@2, 4"),
}
USUAL_COUNT = 4
FORMS = (("text", "Text"), ("json", "JSON that follows a schema"), ("choice", "One of these answers"))


class VariableForm(QFrame):
    """One variable. `dropped` says that the person wants it gone, `edited` that something was changed."""

    dropped = Signal()
    edited = Signal()

    def __init__(self, variable: Variable) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        self._was = variable
        self.name = line_edit("tone", variable.name)
        self.kind = Choice()
        for kind in KINDS:
            self.kind.addItem(WORDS[kind], kind)
        self.kind.setCurrentIndex(KINDS.index(variable.kind))
        self.details = line_edit("", _details(variable))
        self.default = line_edit("none", "" if variable.default is None else str(variable.default))
        self.source = line_edit("its own name", variable.source)
        self.description = line_edit("What it is", variable.description)
        self.drop = icon_button("trash", "Remove this variable")
        self.drop.clicked.connect(self.dropped)
        self._detail = label("", type="small", tone="secondary")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(look().px(8))
        self._put(0, 0, label("Name", type="small", tone="secondary"), self.name)
        self._put(0, 1, label("Kind", type="small", tone="secondary"), self.kind)
        self._put(0, 2, self._detail, self.details)
        self._put(2, 0, label("Default", type="small", tone="secondary"), self.default)
        self._put(2, 1, label("From a sample’s", type="small", tone="secondary"), self.source)
        self._put(2, 2, label("Description", type="small", tone="secondary"), self.description)
        for place, share in enumerate((2, 2, 3)):
            self._grid.setColumnStretch(place, share)
        self._grid.addWidget(self.drop, 1, 3)
        self.setLayout(column(space=0, margins=(12, 8, 12, 10)))
        self.layout().addLayout(self._grid)  # type: ignore[union-attr]
        for edit in (self.name, self.details, self.default, self.source, self.description):
            edit.textChanged.connect(self._changed)
        self.kind.currentIndexChanged.connect(self._turn)
        self._name()
        self._turn()

    @property
    def variable(self) -> Variable:
        """What is written, wrong or not: the program says what is wrong."""
        kind = self.kind.currentData()
        made = replace(
            self._was,
            name=self.name.text().strip(),
            kind=kind,
            description=self.description.text().strip(),
            default=_value(self.default.text(), kind, self._was),
            source=self.source.text().strip(),
            choices=(),
            least=None,
            most=None,
            dataset="",
            count=USUAL_COUNT,
        )
        return _with_details(made, self.details.text(), self._was)

    def fields(self) -> list[QWidget]:
        """In the order in which Tab goes through them."""
        return [self.name, self.kind, self.details, self.default, self.source, self.description, self.drop]

    def _put(self, at: int, place: int, word: QWidget, edit: QWidget) -> None:
        self._grid.addWidget(word, at, place)
        self._grid.addWidget(edit, at + 1, place)
        word.setBuddy(edit)  # type: ignore[attr-defined]

    def _turn(self) -> None:
        kind = self.kind.currentData()
        word, example = DETAILS.get(kind, ("", ""))
        self._detail.setText(word)
        self.details.setPlaceholderText(example)
        self.details.setVisible(bool(word))
        self.default.setEnabled(kind not in ("passages", "examples"))
        self.source.setEnabled(kind != "examples")
        self._changed()

    def _name(self) -> None:
        name = self.name.text().strip() or "new variable"
        words = ("Name", "Kind", DETAILS.get(self.kind.currentData(), ("Details", ""))[0])
        words = (*words, "Default", "Source", "Description")
        for word, widget in zip(words, self.fields(), strict=False):
            widget.setAccessibleName(f"{word} of {name}")
        self.drop.setAccessibleName(f"Remove {name}")

    def _changed(self) -> None:
        self._name()
        self.edited.emit()


class VariablesForm(QWidget):
    """All variables of a prompt."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[VariableForm] = []
        self._list = column(space=8)
        self.add = button("Add a variable", "plus", "quiet")
        self.add.clicked.connect(lambda: self.append(Variable(name="")).name.setFocus())
        body = column(space=8)
        body.addLayout(self._list)
        body.addLayout(row(self.add, None))
        self.setLayout(body)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(form.variable for form in self.forms)

    def fill(self, variables: Sequence[Variable]) -> None:
        for form in list(self.forms):
            self._drop(form)
        for variable in variables:
            self.append(variable)

    def append(self, variable: Variable) -> VariableForm:
        form = VariableForm(variable)
        form.dropped.connect(lambda: self._drop(form))
        form.edited.connect(self.edited)
        self.forms.append(form)
        self._list.addWidget(form)
        self.edited.emit()
        return form

    def _drop(self, form: VariableForm) -> None:
        self.forms.remove(form)
        self._list.removeWidget(form)
        form.hide()
        form.deleteLater()
        self.edited.emit()


class ContractForm(QWidget):
    """The form of the answers, and the settings that hold where whoever asks names none."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._contract, self._settings = Contract(), Sampling()
        self.form = Choice()
        self.form.setAccessibleName("Form of the answers")
        for key, words in FORMS:
            self.form.addItem(words, key)
        self.choices = line_edit("yes, no")
        self.choices.setAccessibleName("The answers that there are, with commas between")
        self.schema = CodeEditor("JSON schema of the answers")
        self.schema.setFixedHeight(look().px(150))
        self.temperature = line_edit("as usual")
        self.longest = line_edit("as usual")
        self.temperature.setAccessibleName("Temperature")
        self.longest.setAccessibleName("Longest answer, in tokens")
        self.form.currentIndexChanged.connect(self._turn)
        for edit in (self.choices, self.schema, self.temperature, self.longest):
            edit.textChanged.connect(self.edited)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(look().px(8))
        heads = ("Answers are", "Temperature", "Longest answer, in tokens")
        for place, (word, edit) in enumerate(zip(heads, (self.form, self.temperature, self.longest), strict=True)):
            title = label(word, type="small", tone="secondary")
            title.setBuddy(edit)
            grid.addWidget(title, 0, place)
            grid.addWidget(edit, 1, place, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(place, 2 if place == 0 else 1)
        body = column(space=8)
        body.addLayout(grid)
        body.addWidget(self.choices)
        body.addWidget(self.schema)
        self.setLayout(body)
        self._turn()

    def fill(self, contract: Contract, settings: Sampling) -> None:
        self._contract, self._settings = contract, settings
        self.form.setCurrentIndex([key for key, _ in FORMS].index(contract.form))
        self.choices.setText(", ".join(contract.choices))
        schema = {} if contract.schema is None else contract.schema
        self.schema.setPlainText(json.dumps(schema, indent=2, ensure_ascii=False) if contract.schema else "")
        self.temperature.setText("" if settings.temperature is None else f"{settings.temperature:g}")
        self.longest.setText("" if settings.max_tokens is None else str(settings.max_tokens))

    @property
    def contract(self) -> Contract:
        """Raises `BadInput` for a schema that isn't JSON."""
        form = self.form.currentData()
        if form == "text":
            return Contract()
        if form == "choice":
            if self.choices.text() == ", ".join(self._contract.choices):
                return Contract(form="choice", choices=self._contract.choices)
            parts = tuple(part.strip() for part in self.choices.text().split(",") if part.strip())
            return Contract(form="choice", choices=parts)
        try:
            schema = json.loads(self.schema.toPlainText() or "{}")
        except ValueError as error:
            raise BadInput(source="The schema of the contract", problem=f"not readable as JSON: {error}.") from error
        if not isinstance(schema, dict):
            raise BadInput(source="The schema of the contract", problem="a schema is an object in braces.")
        return Contract(form="json", schema=schema)

    @property
    def settings(self) -> Sampling:
        """Raises `BadInput` for what isn't a number."""
        temperature = _number(self.temperature, "Temperature", whole=False)
        longest = _number(self.longest, "Longest answer", whole=True)
        return replace(self._settings, temperature=temperature, max_tokens=None if longest is None else int(longest))

    def fields(self) -> list[QWidget]:
        """In the order in which Tab goes through them."""
        return [self.form, self.temperature, self.longest, self.choices, self.schema]

    def written(self) -> tuple[object, ...]:
        """What stands in the fields."""
        texts = (self.choices.text(), self.schema.toPlainText(), self.temperature.text(), self.longest.text())
        return (self.form.currentData(), *texts)

    def _turn(self) -> None:
        form = self.form.currentData()
        self.choices.setVisible(form == "choice")
        self.schema.setVisible(form == "json")
        self.edited.emit()


def _number(edit: QLineEdit, what: str, whole: bool) -> float | None:
    text = edit.text().strip()
    if not text:
        return None
    try:
        return int(text) if whole else float(text)
    except ValueError as error:
        raise BadInput(source=what, problem=f"{text} isn't a {'whole ' if whole else ''}number.") from error


def _details(variable: Variable) -> str:
    if variable.kind == "choice":
        return ", ".join(variable.choices)
    if variable.kind == "number":
        bounds = ["" if bound is None else f"{bound:g}" for bound in (variable.least, variable.most)]
        return ", ".join(bounds) if any(bounds) else ""
    return f"{variable.dataset}, {variable.count}" if variable.kind == "examples" and variable.dataset else ""


def _with_details(made: Variable, text: str, was: Variable) -> Variable:
    if made.kind == was.kind and text == _details(was):
        return replace(made, choices=was.choices, least=was.least, most=was.most, dataset=was.dataset, count=was.count)
    parts = [part.strip() for part in text.split(",")]
    if made.kind == "choice":
        return replace(made, choices=tuple(part for part in parts if part))
    if made.kind == "number":
        least, most = (_bound(part, made.name) for part in (*parts, "")[:2])
        return replace(made, least=least, most=most)
    if made.kind == "examples":
        count = parts[1] if len(parts) > 1 and parts[1] else str(made.count)
        if not count.isdigit():
            raise BadInput(source=f"Variable {made.name}", problem="write the dataset, a comma, and how many examples.")
        return replace(made, dataset=parts[0], count=int(count))
    return made


def _bound(text: str, name: str) -> int | float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise BadInput(source=f"Variable {name}", problem="write its bounds as two numbers, as 5, 90.") from error
    return int(found) if found.is_integer() else found


def _value(text: str, kind: str, was: Variable) -> str | int | float | None:
    if was.default is not None and text == str(was.default) and kind == was.kind:
        return was.default
    if not text.strip() or kind in ("passages", "examples"):
        return None
    if kind == "number":
        try:
            found = float(text)
        except ValueError:
            return text
        return int(found) if found.is_integer() else found
    return text
