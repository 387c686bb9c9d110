"""Drafts of samples, reviewed one by one: the passage beside the question, a key for each word, and every word can be taken back."""

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.bridge.operations import Failure
from app.pages.dataset_forms import Dialog, SampleFields
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.basic import Elided, clear, column, label, row
from app.widgets.buttons import Button
from core.datasets.drafts import DraftView
from core.datasets.records import Sample, SavedDataset


class DraftReview(Dialog):
    """`accepted` gives a draft's number and the edited sample or None, `rejected` and `reopened` a number, `keep` asks for the next version."""

    accepted = Signal(int, object)
    rejected = Signal(int)
    reopened = Signal(int)
    keep = Signal()

    def __init__(self, dataset: str, drafts: Sequence[DraftView]) -> None:
        super().__init__(f"Drafts for {dataset}")
        self.dataset = dataset
        self._drafts = list(drafts)
        self._said: list[int] = []
        self._at = 0
        self._fields: SampleFields | None = None
        self.count = label("", tone="secondary")
        self.checks = label("", type="small", tone="tertiary", wrap=True)
        self.where = Elided("", tone="secondary")
        self.passage = QTextEdit()
        self.passage.setReadOnly(True)
        self.passage.setAccessibleName("Passage")
        self.passage.setMinimumHeight(look().px(300))
        self.passage.setTabChangesFocus(True)
        self._left = column(space=8)
        right = column(self.where, self.passage, self.checks, space=8)
        across = row(space=20)
        across.addLayout(self._left, 1)
        across.addLayout(right, 1)
        self.body.addWidget(self.count)
        self.body.addLayout(across, 1)
        self.accept = Button("Accept", "check", "primary", hint="A")
        self.accept.clicked.connect(self._accept)
        self.edit = Button("Edit", hint="E")
        self.edit.clicked.connect(self._edit)
        self.reject = Button("Reject", "cross", hint="R")
        self.reject.clicked.connect(self._reject)
        self.undo = Button("Take back", hint="Z")
        self.undo.clicked.connect(self._undo)
        self.save = Button("Add accepted samples")
        self.save.clicked.connect(self.keep)
        self.cancel = Button("Close", hint="Esc")
        self.cancel.clicked.connect(self.left)
        self.body.addLayout(row(self.accept, self.edit, self.reject, self.undo, None, self.save, self.cancel))
        self._go_on()

    @property
    def draft(self) -> DraftView | None:
        """The one that is shown."""
        return self._drafts[self._at] if self._at < len(self._drafts) else None

    def show_decided(self, view: DraftView) -> None:
        """A draft's new state, as it was recorded."""
        self._drafts = [view if one.number == view.number else one for one in self._drafts]
        if view.state == "waiting":
            self._at = next(place for place, one in enumerate(self._drafts) if one.number == view.number)
            self._show()
        else:
            self._said.append(view.number)
            self._go_on()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        acts = {
            Qt.Key.Key_A: self._accept,
            Qt.Key.Key_E: self._edit,
            Qt.Key.Key_R: self._reject,
            Qt.Key.Key_Z: self._undo,
        }
        act = acts.get(Qt.Key(event.key()))
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape and self._fields is not None:
            self._fields = None
            self._show()
        elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier and self._fields is not None:
            self._accept()
        elif act is not None and plain and self._fields is None:
            act()
        else:
            super().keyPressEvent(event)

    def _go_on(self) -> None:
        """To the next one that waits."""
        self._fields = None
        waiting = [place for place, one in enumerate(self._drafts) if one.state == "waiting"]
        self._at = next((place for place in waiting if place >= self._at), waiting[0] if waiting else len(self._drafts))
        self._show()

    def _show(self) -> None:
        clear(self._left)
        states = [one.state for one in self._drafts]
        self.count.setText(
            f"{states.count('waiting')} wait, {states.count('accepted')} accepted, {states.count('rejected')} rejected"
        )
        found = self.draft
        none = "" if found is not None else "No draft waits."
        for act in (self.accept, self.edit, self.reject):
            act.refuse(none)
        self.undo.refuse("" if self._said else "Nothing was said yet.")
        self.save.refuse("" if "accepted" in states else "No draft is accepted yet.")
        if found is None:
            self._left.addWidget(label("Every draft was looked at.", type="heading", wrap=True))
            self._left.addStretch(1)
            self.where.say("")
            self.passage.setPlainText("")
            self.checks.setText("")
            self.save.setFocus()
            return
        draft = found.draft
        if self._fields is not None:
            self._left.addWidget(self._fields)
        else:
            self._tell(draft.sample)
        self._left.addStretch(1)
        page = f", p. {draft.sample.page}" if draft.sample.page else ""
        self.where.say(f"{draft.sample.document}{page}" if draft.sample.document else "No document")
        self.passage.setPlainText(draft.passage or draft.note)
        self._mark(draft.sample.quote)
        at = draft.checks.found_at
        self.checks.setText(
            f"The quote stands in the passage and holds the answer. A search with the question finds the page at place {at}."
            if draft.checks.quoted
            else draft.note
            if draft.passage
            else ""
        )
        (self._fields or self.accept).setFocus()

    def _tell(self, sample: Sample) -> None:
        self._left.addWidget(label(sample.id, type="code", tone="tertiary"))
        self._left.addWidget(label(sample.input, type="heading", wrap=True))
        answer = sample.target or sample.answer or ("The documents don’t say" if sample.unanswerable else "")
        self._left.addWidget(label(answer, wrap=True))
        if sample.quote:
            self._left.addWidget(label(f"“{sample.quote}”", tone="secondary", wrap=True))
        model = sample.origin.model.split(" ")[0] if sample.origin is not None else ""
        by = f"Written by {model}, and synthetic for ever." if sample.synthetic and model else ""
        self._left.addWidget(label(by, type="small", tone="tertiary", wrap=True))

    def _mark(self, quote: str) -> None:
        """Show the quote in its passage."""
        if not quote or not self.passage.find(quote):
            return
        selection = QTextEdit.ExtraSelection()
        selection.cursor = self.passage.textCursor()  # type: ignore[attr-defined]
        selection.format.setBackground(look().colour("highlight.weak"))  # type: ignore[attr-defined]
        self.passage.setExtraSelections([selection])
        cursor = self.passage.textCursor()
        cursor.clearSelection()
        cursor.movePosition(QTextCursor.MoveOperation.StartOfLine)
        self.passage.setTextCursor(cursor)

    def _accept(self) -> None:
        found = self.draft
        if found is None:
            return
        edited = self._fields.sample() if self._fields is not None else None
        if self._fields is None or edited is not None:
            self.accepted.emit(found.number, edited)

    def _edit(self) -> None:
        found = self.draft
        if found is not None and self._fields is None:
            self._fields = SampleFields(msgspec.structs.replace(found.draft.sample))
            self._show()

    def _reject(self) -> None:
        if self.draft is not None:
            self.rejected.emit(self.draft.number)

    def _undo(self) -> None:
        if self._said:
            self.reopened.emit(self._said.pop())


def ask_words(
    shell: Shell,
    dataset: str,
    found: Sequence[DraftView],
    left: Callable[[], None],
    saved: Callable[[SavedDataset], None],
    failed: Callable[[Failure], None],
) -> DraftReview:
    """Open the review of a dataset's drafts; each word is recorded when it is said. `saved` gets the version that the accepted ones are in."""
    form = DraftReview(dataset, found)
    run = shell.operations.run
    form.left.connect(left)
    form.accepted.connect(
        lambda number, edited: run(
            "Accept a draft", lambda bench, job: bench.drafting.accept(number, edited), form.show_decided, failed
        )
    )
    form.rejected.connect(
        lambda number: run(
            "Reject a draft", lambda bench, job: bench.drafting.reject(number), form.show_decided, failed
        )
    )
    form.reopened.connect(
        lambda number: run("Take it back", lambda bench, job: bench.drafting.reopen(number), form.show_decided, failed)
    )
    form.keep.connect(
        lambda: run("Keep the accepted drafts", lambda bench, job: bench.drafting.keep(dataset), saved, failed)
    )
    shell.open_dialog(form, 920)
    return form
