"""What screening found in the documents that wait: a table, the passage around each finding, a key for each decision, and taking in what is decided.

Nothing that is decided here changes what is searched until the documents are taken in, and until then it can be taken back.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QTextEdit, QWidget

from app.bridge.screening import DECISION, Action, Found, Standing, count, kind, redactable
from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import Elided, column, frame, label, line, row
from app.widgets.buttons import Button
from app.widgets.forms import Choice, line_edit
from app.widgets.long_work import LongWork
from app.widgets.table import Cell, Column, Table
from core.documents.screening.records import Shown

KEYS: dict[int, Action] = {
    Qt.Key.Key_K: "keep",
    Qt.Key.Key_R: "redact",
    Qt.Key.Key_X: "exclude",
    Qt.Key.Key_Z: "undo",
}
WORDS = {"keep": "Keep", "redact": "Redact", "exclude": "Exclude document"}
PASSAGE = 118
NOT_TEXT = "There is no text to take out. Keep it, or exclude the document."


class ScreeningView(QWidget):
    """`decided` gives an action, the findings' numbers and a reason; `admit_asked`, `stop_asked`, `readmit_asked`, `policy_asked` and `closed` say
    that it shall be done."""

    decided = Signal(str, object, str)
    admit_asked = Signal()
    stop_asked = Signal()
    readmit_asked = Signal()
    policy_asked = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Findings of screening")
        self._standing: Standing | None = None
        self._findings: tuple[Shown, ...] = ()
        self._busy = False
        self._heading = label("", type="heading")
        self._count = Elided("", tone="secondary")
        self.back = Button("Back to the documents", "left", "quiet")
        self.back.clicked.connect(self.closed)
        self.readmit = Button("Excluded documents", kind="quiet")
        self.readmit.clicked.connect(self.readmit_asked)
        self.policy = Button("Change screening", kind="quiet")
        self.policy.clicked.connect(self.policy_asked)
        self.admit = Button("Take in", "check", "primary")
        self.admit.clicked.connect(self.admit_asked)
        head = row(self.back, None, self.readmit, self.policy, self.admit, margins=(12, 8, 16, 0))
        said = row(self._heading, self._count, margins=(20, 0, 16, 4))
        said.setStretch(1, 1)
        self.work = LongWork()
        self.work.cancelled.connect(self.stop_asked)
        self._working = QWidget()
        self._working.setLayout(column(self.work, margins=(20, 8, 20, 8)))
        self._working.hide()
        self.kinds = Choice()
        self.kinds.setAccessibleName("Kind of finding")
        self.kinds.activated.connect(lambda _: self._narrow())
        self.documents = Choice()
        self.documents.setAccessibleName("Document")
        self.documents.activated.connect(lambda _: self._narrow())
        self.kinds.setMinimumWidth(look().px(220))
        self.documents.setMinimumWidth(look().px(160))
        filters = row(self.kinds, self.documents, None, margins=(20, 4, 20, 8))
        self.table = Table(
            [
                Column("Kind", lambda one: Cell(kind(one.kind)), 180),
                Column("Found", lambda one: Cell(_plain(one.text) or one.detail, strong=True)),
                Column("Document", lambda one: Cell(one.document, tone="text.secondary"), 180, spare=2),
                Column("Page", lambda one: Cell(_page(one, "Title", "File"), tone="text.secondary"), 56, True, 3),
                Column("Times", lambda one: Cell(f"{one.times:,}", tone="text.secondary"), 60, True, 1),
                Column("Decision", decision, 172),
            ],
            "Findings",
        )
        self.table.chosen.connect(self._describe)
        self.table.installEventFilter(self)
        self.passage = QTextEdit()
        self.passage.setReadOnly(True)
        self.passage.setTabChangesFocus(True)
        self.passage.setAccessibleName("Passage around the finding")
        self.passage.setFixedHeight(look().px(PASSAGE))
        self._where = Elided("", tone="secondary")
        self.reason = line_edit("Reason, for the log")
        self.reason.setAccessibleName("Reason, for the log")
        self.acts = {
            "keep": Button("Keep", kind="normal", hint="K"),
            "redact": Button("Redact", kind="normal", hint="R"),
            "exclude": Button("Exclude document", kind="normal", hint="X"),
            "undo": Button("Undo", kind="quiet", hint="Z"),
        }
        self.of_kind = {name: Button(f"{words} all", kind="link", small=True) for name, words in WORDS.items()}
        self.of_kind["exclude"].setText("Exclude all their documents")
        for name, act in self.acts.items():
            act.clicked.connect(lambda _=False, which=name: self._decide(which, False))
        for name, act in self.of_kind.items():
            act.clicked.connect(lambda _=False, which=name: self._decide(which, True))
        self._all = label("", type="small", tone="secondary")
        acts = row(*self.acts.values(), self.reason, margins=(0, 2, 0, 0))
        acts.setStretch(4, 1)
        together = row(self._all, *self.of_kind.values(), None, space=6)
        foot = frame("panel")
        foot.setLayout(column(self._where, self.passage, acts, together, space=6, margins=(20, 10, 20, 12)))
        layout = column(space=0)
        for part in (head, said):
            layout.addLayout(part)
        layout.addWidget(self._working)
        layout.addLayout(filters)
        layout.addWidget(self.table, 1)
        layout.addWidget(line())
        layout.addWidget(foot)
        self.setLayout(layout)
        self._judge()

    def show_found(self, found: Found) -> None:
        """Other findings."""
        self._findings = found.findings
        self.show_standing(found.standing)
        for choice, first, rows in (
            (self.kinds, "All kinds", self._counted([(one.kind, kind(one.kind)) for one in found.findings])),
            (self.documents, "All documents", self._counted([(one.document, one.document) for one in found.findings])),
        ):
            current = choice.currentData()
            choice.clear()
            choice.addItem(f"{first} ({len(found.findings):,})", "")
            for name, words in rows:
                choice.addItem(words, name)
            choice.setCurrentIndex(max(choice.findData(current), 0))
        self._narrow()
        if self.table.current() is None:
            self._go_on()

    def show_standing(self, standing: Standing) -> None:
        """Where the collection stands now."""
        self._standing = standing
        waiting, excluded = standing.state.waiting, sum(one.excluded for one in standing.state.waiting)
        self._heading.setText(f"Screening of {standing.state.policy.collection}")
        parts = [f"{count(len(waiting), 'document')} {'waits' if len(waiting) == 1 else 'wait'}"] if waiting else []
        parts += [f"{count(standing.open, 'finding')} open"] if waiting else ["No document waits"]
        parts += [f"{excluded:,} to be excluded"] if excluded else []
        self._count.say(", ".join(parts))
        self._judge()

    def show_decided(self, action: str, ids: Sequence[int], by: str, standing: Standing) -> None:
        """What was decided, as it was recorded; on to the next open one."""
        decision, who = ("", "") if action == "undo" else (action, by)
        changed = set(ids)
        self._findings = tuple(
            replace(one, decision=decision, by=who) if one.id in changed else one for one in self._findings
        )
        self.show_standing(standing)
        self._narrow()
        if action != "undo":
            self._go_on()
        self._describe(self.table.current())
        announce(self, f"{count(len(changed), 'finding')}: {action}. {standing.open:,} open.")

    def begin(self, title: str) -> None:
        """Documents are being taken in."""
        self._busy = True
        self._working.show()
        self.work.begin(title, "What is in already can be asked")
        self._judge()

    def ended(self) -> None:
        self._busy = False
        self._working.hide()
        self._judge()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = KEYS.get(event.key())
        held = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif action is not None and not held and not (shift and action == "undo"):
            self._decide(action, shift)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys hold in the table too, which would look for rows by them."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in KEYS:
            self.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    # inside

    def _counted(self, found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        return [
            (name, f"{words} ({number:,})")
            for (name, words), number in sorted(Counter(found).items(), key=lambda one: one[0][1].casefold())
        ]

    def _narrow(self) -> None:
        wanted, document = str(self.kinds.currentData() or ""), str(self.documents.currentData() or "")
        shown = [
            one
            for one in self._findings
            if (not wanted or one.kind == wanted) and (not document or one.document == document)
        ]
        self.table.show_rows(shown, keep=lambda one: one.id)
        if self.table.current() is None and shown:
            self.table.choose(0)
        self._describe(self.table.current())

    def _go_on(self) -> None:
        """To the next open finding that is shown."""
        rows, current = self.table.rows.all(), self.table.currentIndex().row()
        open_ = [at for at, one in enumerate(rows) if not one.decision]
        at = next((at for at in open_ if at >= current), open_[0] if open_ else None)
        if at is not None:
            self.table.choose(at)

    def _describe(self, one: Shown | None) -> None:
        self.passage.clear()
        self._where.say("")
        if one is not None:
            page = _page(one, ", title", ", on no page", ", page ")
            again = f", {one.times:,} times in it" if one.times > 1 else ""
            by = f". {DECISION[one.decision]}, by {_by(one.by)}" if one.decision else ""
            self._where.say(f"{kind(one.kind)} in {one.document}{page}{again}{by}")
            self._write(one)
        self._judge()

    def _write(self, one: Shown) -> None:
        """The passage, with what was found in it marked."""
        plain, marked = QTextCharFormat(), QTextCharFormat()
        marked.setBackground(look().colour("highlight.fill"))
        marked.setFontWeight(600)
        cursor = self.passage.textCursor()
        if not one.text:
            cursor.insertText(one.detail, plain)
            return
        cursor.insertText(f"…{one.before}" if one.before else "", plain)
        cursor.insertText(one.text, marked)
        cursor.insertText(f"{one.after}…" if one.after else "", plain)
        if one.detail:
            cursor.insertText(f"\n\n{one.detail[:1].upper()}{one.detail[1:]}", plain)

    def _together(self) -> list[Shown]:
        """The open findings of the chosen one's kind, as far as they are shown."""
        current = self.table.current()
        if current is None:
            return []
        return [one for one in self.table.rows.all() if one.kind == current.kind and not one.decision]

    def _decide(self, action: str, all_of_kind: bool) -> None:
        act = self.of_kind[action] if all_of_kind else self.acts[action]
        current = self.table.current()
        if current is None or not act.isEnabled():
            return
        ids = [one.id for one in self._together()] if all_of_kind else [current.id]
        self.decided.emit(action, tuple(ids), self.reason.text().strip())

    def _judge(self) -> None:
        current, standing = self.table.current(), self._standing
        why = standing.refusal if standing is not None else "Nothing was read yet."
        why = why or ("Documents are being taken in." if self._busy else "")
        none = why or ("" if current is not None else "Nothing waits for a decision.")
        for name, act in self.acts.items():
            act.refuse(none)
            if not none and name == "undo" and not current.decision:
                act.refuse("Nothing was decided yet.")
            if not none and name == "redact" and not redactable(current.kind):
                act.refuse(NOT_TEXT)
        together = self._together() if not none else []
        for act in (self._all, *self.of_kind.values()):
            act.setVisible(len(together) > 1)
        if together:
            words = f"The {len(together):,} open ones of this kind:"
            self._all.setText(words)
            for name, act in self.of_kind.items():
                act.refuse(NOT_TEXT if name == "redact" and not redactable(together[0].kind) else "")
                act.setAccessibleName(f"{act.text()}: {words}")
        if standing is None:
            return
        waiting = standing.state.waiting
        ready = sum(not one.open or one.excluded for one in waiting)
        self.admit.refuse(why or ("" if ready else "No document is decided yet." if waiting else "No document waits."))
        self.admit.setText(f"Take in {count(ready, 'document')}" if ready else "Take in")
        self.admit.setAccessibleName(self.admit.text())
        self.readmit.setVisible(bool(standing.state.excluded))
        self.policy.refuse(why)


def decision(one: Shown) -> Cell:
    """How a finding stands, in words."""
    if not one.decision:
        return Cell("Open", "question", "warn.fg")
    icon = {"keep": "check", "redact": "hidden", "exclude": "cross"}[one.decision]
    return Cell(DECISION[one.decision], icon, icon_tone="text.secondary")


def _page(one: Shown, title: str, beside: str, before: str = "") -> str:
    """Where a finding stands: on a page, in the title, or beside all pages in the file."""
    return f"{before}{one.page}" if one.page > 0 else title if one.page == 0 else beside


def _plain(text: str) -> str:
    return " ".join(text.split())


def _by(user: str) -> str:
    return {"policy": "the policy", "earlier": "an earlier decision"}.get(user, user)
