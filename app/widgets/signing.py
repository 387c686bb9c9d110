"""The signing panel: what is signed, exactly, and what the signature means, before anybody can press the button.

The order is fixed: the exact text with every character boxed that can't be seen or would deceive (`core.trust.visible`), its digest, the
meaning, the reason, the user name at the first signing of a sitting, the passphrase at each, the printed name, the time with its clock. The
button names the act and stays disabled until the text was scrolled to its end and the fields are filled; Enter in a field never signs.
A refusal says why. The passphrase is cleared the moment it was handed on.
"""

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QScrollArea, QSizePolicy, QTextEdit, QWidget

from app.theme.look import look
from app.widgets.basic import IconLabel, column, frame, label, line, row
from app.widgets.buttons import Button
from app.widgets.code_view import box_format
from app.widgets.forms import Field, line_edit, passphrase_edit, required
from app.widgets.painting import focus_ring
from app.widgets.seal import Seal, SealState
from core.trust.visible import pieces

FROM_CLOCK = "This workstation’s clock, not a trusted time"
GOES_ON = "Your sitting goes on: your user name was asked for at its first signature."


@dataclass(frozen=True)
class Meaning:
    """What a signature may mean: the core's word, the word shown, and what it says. A refused one has a reason."""

    name: str
    word: str
    says: str
    refused: str = ""


@dataclass(frozen=True)
class ToSign:
    """What shall be signed. `digest` is 64 hexadecimal characters, or empty where it is made with the time and the reason as it is signed;
    `printed` the name that will stand on the signature."""

    title: str
    text: str
    digest: str
    meanings: tuple[Meaning, ...]
    user: str
    printed: str
    after: str = ""
    note: str = "You didn’t write this version, so you may review or approve it."
    """Below the meanings, where none of them is refused."""
    first: bool = True
    """Whether it is the first signing of a sitting, which takes the user name too."""
    verb: str = ""
    """What the button says, where the signature does something beside standing there."""
    hint: str = ""
    """Below the reason."""


@dataclass(frozen=True)
class Signed:
    """What the person entered; `user` is empty where a sitting goes on."""

    meaning: str
    reason: str
    user: str
    passphrase: str


def shown_digest(digest: str) -> str:
    """A digest in groups of four, shortened in the middle."""
    return f"sha256 {digest[:4]} {digest[4:8]} … {digest[-8:-4]} {digest[-4:]}"


def clock(moment: datetime) -> str:
    """A time as it is printed on a signature, with its offset."""
    offset = moment.strftime("%z")
    return f"{moment.day} {moment:%b %Y, %H:%M:%S} {offset[:3]}:{offset[3:]}"


class ExactText(QTextEdit):
    """The text that is signed. `seen` comes once its end was on the screen."""

    seen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setProperty("well", True)
        self.setAccessibleName("What you sign")
        self.setTabChangesFocus(True)
        self._text = ""
        self.was_seen = False
        self.verticalScrollBar().valueChanged.connect(self._look)
        self.verticalScrollBar().rangeChanged.connect(lambda *_: QTimer.singleShot(0, self, self._look))
        look().changed.connect(self._rebuild)

    def show_text(self, text: str) -> None:
        self._text, self.was_seen = text, False
        self._rebuild()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._look)

    def _rebuild(self) -> None:
        here = look()
        self.clear()
        plain = QTextCharFormat()
        plain.setFont(here.font("code"))
        plain.setForeground(here.colour("text.primary"))
        cursor = QTextCursor(self.document())
        block = QTextBlockFormat()
        block.setLineHeight(here.px(18), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor.setBlockFormat(block)
        for words, boxed in pieces(self._text):
            cursor.insertText(f" {words} " if boxed else words, box_format() if boxed else plain)
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)

    def _look(self) -> None:
        bar = self.verticalScrollBar()
        if not self.was_seen and self._text and self.isVisible() and bar.value() >= bar.maximum() - 2:
            self.was_seen = True
            self.seen.emit()


class MeaningCard(QAbstractButton):
    """One meaning to choose, with what it says."""

    def __init__(self, meaning: Meaning) -> None:
        super().__init__()
        self.meaning = meaning
        self.setCheckable(True)
        self.setText(meaning.word)
        self.setAccessibleName(meaning.word)
        self.setAccessibleDescription(meaning.says)
        self.setEnabled(not meaning.refused)
        self.setToolTip(meaning.refused)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(look().px(52))
        self.setMinimumWidth(look().px(120))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen, alive = self.isChecked(), self.isEnabled()
        painter.setPen(
            QPen(
                here.colour("accent.base" if chosen else "border.strong" if alive else "border.default"),
                2 if chosen else 1,
            )
        )
        painter.setBrush(here.colour("surface.selected" if chosen else "surface.raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), here.px(4), here.px(4))
        dot = QRectF(here.px(12), here.px(10), here.px(15), here.px(15))
        painter.setPen(QPen(here.colour("accent.base" if chosen else "border.strong"), here.px(5) if chosen else 1))
        painter.setBrush(here.colour("surface.panel"))
        shrink = here.px(2.5) if chosen else 0.5
        painter.drawEllipse(dot.adjusted(shrink, shrink, -shrink, -shrink))
        left = here.px(38)
        painter.setFont(here.font("body", 600))
        painter.setPen(here.colour("text.primary" if alive else "text.disabled"))
        painter.drawText(
            QRectF(left, here.px(7), self.width() - left, here.px(20)), Qt.AlignmentFlag.AlignVCenter, self.text()
        )
        painter.setFont(here.font("small"))
        painter.setPen(here.colour("text.secondary" if alive else "text.disabled"))
        says = self.meaning.says
        painter.drawText(
            QRectF(left, here.px(26), self.width() - left, here.px(18)), Qt.AlignmentFlag.AlignVCenter, says
        )
        if self.hasFocus():
            focus_ring(painter, self.rect())
        painter.end()


class SigningPanel(QFrame):
    """`signed` gives what the person entered; `cancelled` that they went away without signing."""

    signed = Signal(object)
    cancelled = Signal()

    def __init__(self, what: ToSign) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(what.title)
        self._what = what
        self.seal = Seal(SealState.UNSIGNED, 44)
        title = label(what.title, type="title", wrap=True)
        subtitle = label("It says who, when and why, and holds for this text only.", tone="secondary", wrap=True)
        head = row(self.seal, 6, space=10, margins=(24, 14, 24, 12))
        head.addLayout(column(title, subtitle, space=3), 1)

        self.exact = ExactText()
        self.exact.setMinimumHeight(look().px(110))
        digest = label(shown_digest(what.digest) if what.digest else "", type="code", tone="secondary")
        digest.setToolTip(what.digest)
        digest.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notice = label("", type="small", wrap=True)
        self._notice_sign = IconLabel("warning", "warn.fg", 15)
        self._seen = label("Scroll to the end to sign.", type="small", tone="secondary")
        below = row(self._notice_sign, self._notice, space=6)
        below.setStretch(1, 1)
        below.addWidget(self._seen)

        self._group = QButtonGroup(self)
        self.meanings: dict[str, MeaningCard] = {}
        cards = row(space=8)
        for meaning in what.meanings:
            card = MeaningCard(meaning)
            self._group.addButton(card)
            self.meanings[meaning.name] = card
            cards.addWidget(card)
        self._why = label("", type="small", tone="secondary", wrap=True)

        self.reason = Field("Reason", line_edit(), what.hint, check=required("The reason"), beside=True)
        self.user = Field("User name", line_edit(), check=required("The user name"), beside=True)
        self.user.setVisible(what.first)
        self._first = what.first
        self.passphrase = Field("Passphrase", passphrase_edit(), "" if what.first else GOES_ON, beside=True)
        self._time = label("")
        printed = row(_left("Prints as"), label(what.printed), None, space=8)
        time_row = row(_left("Time"), space=8)
        time_row.addLayout(column(self._time, label(FROM_CLOCK, type="small", tone="tertiary"), space=1), 1)
        time_row.setAlignment(time_row.itemAt(0).widget(), Qt.AlignmentFlag.AlignTop)

        body = column(
            row(label("What you sign", strong=True), None, digest),
            space=6,
            margins=(24, 14, 24, 14),
        )
        body.addWidget(self.exact, 1)
        body.addLayout(below)
        body.addSpacing(look().px(8))
        body.addWidget(label("What your signature means", strong=True))
        body.addLayout(cards)
        body.addWidget(self._why)
        body.addSpacing(look().px(6))
        for item in (self.reason, self.user, self.passphrase):
            body.addWidget(item)
        body.addLayout(printed)
        body.addLayout(time_row)
        inside = QWidget()
        inside.setProperty("plain", True)
        inside.setLayout(body)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inside)

        self.cancel = Button("Cancel", hint="Esc")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.cancelled)
        self.sign = Button("Sign", "stamp", "primary")
        self.sign.setAutoDefault(False)
        self.sign.clicked.connect(self._sign)
        foot = frame("window")
        foot.setLayout(
            row(
                label(what.after, type="small", tone="secondary", wrap=True),
                None,
                self.cancel,
                self.sign,
                margins=(24, 12, 24, 12),
            )
        )
        layout = column(head, line(), scroll, line(), foot, space=0, margins=(1, 1, 1, 1))
        layout.setStretch(2, 1)
        self.setLayout(layout)

        self.exact.seen.connect(self._judge)
        self._group.buttonToggled.connect(lambda *_: self._judge())
        for item in (self.reason, self.user, self.passphrase):
            item.edit.textChanged.connect(self._judge)
        self._ticker = QTimer(self)
        self._ticker.setInterval(1000)
        self._ticker.timeout.connect(self._tick)
        self._ticker.start()
        self._tick()
        self.exact.show_text(what.text)
        self._say_invisible(what.text)
        allowed = [meaning for meaning in what.meanings if not meaning.refused]
        if allowed:
            self.meanings[allowed[0].name].setChecked(True)
        self._judge()

    def meaning(self) -> Meaning | None:
        return next((card.meaning for card in self.meanings.values() if card.isChecked()), None)

    def refuse(self, sentence: str, first: bool = False) -> None:
        """Show why the vault refused (a wrong passphrase, say); nothing was signed. `first`: the sitting ended, so the name is asked again."""
        self.setEnabled(True)
        if first and not self._first:
            self._first = True
            self.user.setVisible(True)
            self.passphrase.say_note("")
        self.passphrase.fail(sentence)
        self.passphrase.edit.setFocus()
        self._judge()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.update()

    def _sign(self) -> None:
        meaning = self.meaning()
        if meaning is None or not self.reason.good() or (self._first and not self.user.good()):
            return
        user = self.user.text.strip() if self._first else ""
        entered = Signed(meaning.name, self.reason.text.strip(), user, self.passphrase.text)
        self.passphrase.edit.clear()
        self.passphrase.fail("")
        self.setEnabled(False)
        self.signed.emit(entered)

    def _judge(self) -> None:
        meaning = self.meaning()
        refused = [other for other in self._what.meanings if other.refused]
        self._why.setText(refused[0].refused if refused else self._what.note)
        word = meaning.word.lower() if meaning is not None else ""
        self.sign.setText(self._what.verb or (f"Sign as {word}" if word else "Sign"))
        self.sign.setAccessibleName(self.sign.text())
        lines = self._what.text.count("\n") + 1
        self._seen.setText(f"All {lines} lines were shown." if self.exact.was_seen else "Scroll to the end to sign.")
        reason = ""
        if meaning is None:
            reason = refused[0].refused if refused else "Choose what your signature means."
        elif not self.exact.was_seen:
            reason = "Scroll the text to its end first."
        elif not self.reason.text.strip():
            reason = "Write a reason first."
        elif self._first and not (self.user.text.strip() and self.passphrase.text):
            reason = "Enter your user name and your passphrase."
        elif not self.passphrase.text:
            reason = "Enter your passphrase."
        self.sign.refuse(reason)

    def _tick(self) -> None:
        self._time.setText(clock(datetime.now().astimezone()))

    def _say_invisible(self, text: str) -> None:
        found: list[int] = []
        at = 1
        for piece in pieces(text):
            if piece.marked:
                found.append(at)
            else:
                at += piece.text.count("\n")
        self._notice_sign.setVisible(bool(found))
        if not found:
            self._notice.setText("")
        elif len(found) == 1:
            self._notice.setText(
                f"Line {found[0]} holds 1 character that can’t be seen for what it is. It is boxed above."
            )
        else:
            self._notice.setText(
                f"It holds {len(found)} characters that can’t be seen for what they are, first in line {found[0]}. They are boxed above."
            )


def _left(word: str) -> QWidget:
    made = label(word)
    made.setFixedWidth(look().px(104))
    return made
