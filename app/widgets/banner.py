"""What went wrong, said where it happened: one sentence on what happened, one on what is safe, and one button. Failures never go into a toast.

`Banner("cautioned")` is for what should be done and hasn't gone wrong yet: a backup that is overdue.
"""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.widgets.announcing import announce
from app.widgets.basic import IconLabel, column, label, row
from app.widgets.buttons import Button, icon_button


class Banner(QFrame):
    """Hidden until `say`. `acted` is its button, `dismissed` its cross."""

    acted = Signal()
    dismissed = Signal()

    def __init__(self, surface: str = "failed") -> None:
        super().__init__()
        self.setProperty("surface", surface)
        tone = "warn" if surface == "cautioned" else "fail"
        self._what = label("", strong=True, wrap=True)
        self._safe = label("", tone="secondary", wrap=True)
        self._rows = column(space=4)
        self.act = Button("", small=True)
        self.act.clicked.connect(self.acted)
        close = icon_button("close", "Dismiss")
        close.clicked.connect(self._dismiss)
        words = column(self._what, self._safe, self._rows, space=3)
        layout = row(
            IconLabel("warning" if tone == "warn" else "alert", f"{tone}.fg", 18), space=10, margins=(20, 10, 12, 10)
        )
        layout.addLayout(words, 1)
        layout.addWidget(self.act)
        layout.addWidget(close)
        self.setLayout(layout)
        self.hide()

    @property
    def text(self) -> str:
        return self._what.text()

    def say(self, what: str, safe: str = "", act: str = "", details: Sequence[tuple[str, str]] = ()) -> None:
        """Show it; `details` are (thing, sentence) lines below, such as each refused file with its reason."""
        self._what.setText(what)
        self._safe.setText(safe)
        self._safe.setVisible(bool(safe))
        self.act.setText(act)
        self.act.setAccessibleName(act)
        self.act.setVisible(bool(act))
        while self._rows.count():
            gone = self._rows.takeAt(0)
            inner = gone.layout()
            while inner is not None and inner.count():
                widget = inner.takeAt(0).widget()
                if isinstance(widget, QWidget):
                    widget.deleteLater()
        for thing, sentence in details:
            name = label(thing)
            name.setMinimumWidth(150)
            line = row(name, space=12)
            line.addWidget(label(sentence, tone="secondary", wrap=True), 1)
            self._rows.addLayout(line)
        self.setAccessibleName(f"{what} {safe}".strip())
        self.show()
        if what:
            announce(self, self.accessibleName())

    def forget(self) -> None:
        """Hide, and keep nothing of what was said."""
        self.say("")
        self.hide()

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()
