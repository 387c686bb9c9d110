"""Asks before something is removed, and why, where the vault's policy wants to know."""

from PySide6.QtWidgets import QFrame

from app.widgets.basic import column, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Field, line_edit, required


class Removal(QFrame):
    """`keep` and `remove` are its buttons; whoever opens it asks `good` before the removal is done."""

    def __init__(self, act: str, says: str, needs_reason: bool = False) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(act)
        self._needs_reason = needs_reason
        self.keep = Button("Keep", hint="Esc")
        self.reason = Field(
            "Reason",
            line_edit("Replaced by edition 9"),
            "This vault’s policy asks for one. It stands in the audit log.",
            required("The reason"),
            beside=True,
        )
        self.remove = Button(act, "trash", "primary")
        self.remove.setAutoDefault(False)
        parts = (label(act, type="title"), label(says, wrap=True), self.reason, row(None, self.keep, self.remove))
        self.setLayout(column(*parts, space=12, margins=(24, 20, 24, 20)))
        if not needs_reason:
            self.reason.hide()
        self.setFocusProxy(self.reason.edit if needs_reason else self.keep)

    def good(self) -> bool:
        """Whether a reason is there where one is needed."""
        if not self._needs_reason or self.reason.good():
            return True
        self.reason.edit.setFocus()
        return False
