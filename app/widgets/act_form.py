"""A dialog that does one thing: a verb as its title, what will happen in plain words, some fields, and the same verb as its button.

Enter never does what can't be taken back: only the button does. While it is being done, the button says why it waits; what goes wrong is
said above the buttons and everything stays as it was filled, but for passphrases, which are emptied the moment they were handed on.
"""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QWidget
from shiboken6 import isValid

from app.widgets.announcing import announce
from app.widgets.basic import IconLabel, column, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Field


class ActForm(QFrame):
    """`acted` says that it shall be done, with every field good; `cancelled` that not. `check` may add what fields can't know."""

    acted = Signal()
    cancelled = Signal()

    def __init__(
        self,
        act: str,
        says: str = "",
        parts: Sequence[QWidget] = (),
        icon: str = "",
        title: str = "",
        consequences: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(title or act)
        self.fields = [part for part in parts if isinstance(part, Field)]
        body = column(space=10)
        if says:
            body.addWidget(label(says, tone="secondary", wrap=True))
        for sentence in consequences:
            point = row(IconLabel("right", "text.tertiary", 12), space=8)
            point.setAlignment(point.itemAt(0).widget(), Qt.AlignmentFlag.AlignTop)
            point.itemAt(0).widget().setContentsMargins(0, 4, 0, 0)
            point.addWidget(label(sentence, wrap=True), 1)
            body.addLayout(point)
        if consequences:
            body.addSpacing(4)
        for part in parts:
            body.addWidget(part)
        inside = QWidget()
        inside.setLayout(body)
        inside.setProperty("plain", True)
        self._inside = inside
        self._scroll = QScrollArea()
        self._scroll.setAccessibleName(act)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        inside.installEventFilter(self)
        self._sign = IconLabel("alert", "fail.fg", 15)
        self._problem = label("", tone="fail", wrap=True)
        said = row(self._sign, space=6)
        said.addWidget(self._problem, 1)
        self.cancel = Button("Cancel", hint="Esc")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.cancelled)
        self.act = Button(act, icon, "primary")
        self.act.setAutoDefault(False)
        self.act.clicked.connect(self._act)
        foot = row(None, self.cancel, self.act)
        layout = column(label(title or act, type="title", wrap=True), space=12, margins=(24, 20, 24, 20))
        layout.addWidget(self._scroll, 1)
        layout.addLayout(said)
        layout.addLayout(foot)
        self.setLayout(layout)
        self.refuse("")

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        """As high as its content needs to be shown without scrolling."""
        margins = self.layout().contentsMargins()
        inner = width - margins.left() - margins.right()
        rest = self.layout().totalHeightForWidth(width) - self._scroll.sizeHint().height()
        return rest + self._inside.layout().totalHeightForWidth(inner)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._inside and event.type() == QEvent.Type.LayoutRequest:
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.LayoutRequest))
        return super().eventFilter(watched, event)

    def check(self) -> str:
        """What is wrong with the whole, where the fields are good; for a form to say."""
        return ""

    def refuse(self, sentence: str) -> None:
        """Say why it wasn't done; it can be tried again. Nothing happens where the person has closed it meanwhile."""
        if not isValid(self):
            return
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
        self._sign.setVisible(bool(sentence))
        self.act.refuse("")
        self.setEnabled(True)
        if sentence:
            announce(self, sentence)

    def wait(self, reason: str) -> None:
        """It is being done."""
        self.refuse("")
        self.act.refuse(reason)

    def good(self) -> bool:
        """Check every field and the whole, and show what is wrong."""
        wrong = [field for field in self.fields if field.isVisibleTo(self) and not field.good()]
        self.refuse("" if wrong else self.check())
        if wrong:
            wrong[0].edit.setFocus()
        return not wrong and not self._problem.text()

    def take_secrets(self) -> list[str]:
        """What the passphrase fields hold, in their order, and empty them."""
        found = []
        for field in self.fields:
            if isinstance(field.edit, QLineEdit) and field.edit.echoMode() is QLineEdit.EchoMode.Password:
                found.append(field.text)
                field.edit.clear()
        return found

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
        else:
            super().keyPressEvent(event)

    @property
    def problem(self) -> str:
        """What is said above the buttons."""
        return self._problem.text()

    def _act(self) -> None:
        if self.good():
            self.acted.emit()
