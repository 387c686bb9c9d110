"""The dialogs of the page on retention: how long a kind of content is kept, and what a hold keeps."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.bridge.keeping import Rule
from app.bridge.operations import Operations
from app.pages.content_picker import ContentPicker
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import label, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Field, line_edit, required

MOST_DIGITS = 6


class RuleForm(ActForm):
    """How many days a kind of content is kept. `count_asked` gives the days when they are worth a preview; `list_asked` that it be listed."""

    count_asked = Signal(object)
    list_asked = Signal(object)

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.days = Field(
            "Days",
            line_edit("365", "" if rule.days is None else str(rule.days)),
            f"They count {rule.counts}.",
            self._check_days,
            beside=True,
        )
        self.ever = Check("Keep for ever")
        self.ever.setChecked(rule.days is None)
        self.days.edit.setEnabled(rule.days is not None)
        self.reason = Field(
            "Reason", line_edit("As our retention schedule says"), "Stands in the audit log.", beside=True
        )
        self._said = label("", wrap=True)
        self.show_them = button("Show them in the list", kind="link", small=True)
        self.show_them.hide()
        told = QWidget()
        inside = row(self._said, self.show_them, space=8)
        inside.setStretch(0, 1)
        told.setLayout(inside)
        super().__init__(
            "Set rule",
            "",
            (self.ever, self.days, self.reason, told),
            title=f"{rule.word}: how long they are kept",
            consequences=("Nothing is erased by setting a rule. An administrator sees what is due, and erases it.",),
        )
        self.ever.toggled.connect(self._turn)
        self.days.edit.textEdited.connect(lambda _: self.say_count(""))
        self.days.left.connect(self._ask)
        self.show_them.clicked.connect(lambda: self.list_asked.emit(self.wanted()))

    def wanted(self) -> int | None:
        """How many days; None for ever."""
        return None if self.ever.isChecked() else int(self.days.text)

    def say_count(self, words: str, some: bool = False) -> None:
        """What the rule would make due at once; `some`: there is something to list. Nothing happens once the form is closed."""
        if not isValid(self):
            return
        self._said.setText(words)
        self.show_them.setVisible(some)

    def check(self) -> str:
        return "This is the rule in force." if self.wanted() == self.rule.days else ""

    @property
    def said(self) -> str:
        return self._said.text()

    def _turn(self, ever: bool) -> None:
        self.days.edit.setEnabled(not ever)
        self.days.fail("")
        self.say_count("")
        if not ever:
            self.days.edit.setFocus()

    def _ask(self) -> None:
        if not self.ever.isChecked() and self.days.text.strip() and not self._check_days(self.days.text):
            self.count_asked.emit(int(self.days.text))

    def _check_days(self, text: str) -> str:
        if self.ever.isChecked():
            return ""
        given = text.strip()
        if given.isascii() and given.isdigit() and len(given) <= MOST_DIGITS and int(given):
            return ""
        return "Give a number of days, from 1."


class HoldForm(ActForm):
    """A hold's name, and what it keeps. The reason is given with the signature."""

    def __init__(self, operations: Operations) -> None:
        self.name = Field(
            "Name",
            line_edit("Case 2026-114"),
            "Such as a case number. It stands in the log.",
            required("The name"),
            beside=True,
        )
        self.picker = ContentPicker(operations, without=("outcome", "api-call"))
        self.picker.setMinimumHeight(look().px(230))
        self.chosen = label("", wrap=True, tone="secondary")
        self.clear = button("Clear", kind="link", small=True)
        self.clear.clicked.connect(lambda: self.picker.drop())
        told = QWidget()
        inside = row(self.chosen, self.clear, space=8)
        inside.setStretch(0, 1)
        told.setLayout(inside)
        super().__init__(
            "Go on",
            "While it lasts, nothing erases what it keeps. A hold on a collection keeps what comes into it later too.",
            (self.name, self.picker, told),
            title="Place a legal hold",
        )
        self.picker.changed.connect(self._tell)
        self._tell()
        self.picker.search()

    def check(self) -> str:
        return "" if self.picker.chosen else "Choose what it keeps."

    def _tell(self) -> None:
        some = list(self.picker.chosen.values())
        more = f" and {len(some) - 3:,} more" if len(some) > 3 else ""
        words = "; ".join(one.label for one in some[:3])
        self.chosen.setText(f"It keeps {words}{more}." if some else "Nothing is chosen yet.")
        self.clear.setVisible(bool(some))
        if some and self.problem:
            self.refuse("")
