"""One question with its answer: the question, the streamed text, the passages that it cites, and what it was made with."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.clipboard import copy
from app.widgets.announcing import announce
from app.widgets.answer_view import AnswerView, Sentence
from app.widgets.banner import Banner
from app.widgets.basic import IconLabel, column, frame, label, row
from app.widgets.buttons import Button, icon_button
from app.widgets.passages import PassageList, PassageRow
from app.widgets.picture_tray import PictureTray


class Exchange(QWidget):
    """`picked` gives a citation's number, `again` asks the same once more, `trace_asked` shows how it was made,
    `tokens_asked` what the model saw of it token by token, `nearest_asked` the passage that came nearest when the documents don't say,
    `save_asked` wants it in a file; its button is hidden where the page has no use for it."""

    picked = Signal(int)
    again = Signal()
    trace_asked = Signal()
    nearest_asked = Signal()
    tokens_asked = Signal()
    save_asked = Signal()

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question
        self.setAccessibleName(f"Question: {question}")
        bubble = frame("bubble")
        self.pictures = PictureTray(removable=False)
        bubble.setLayout(column(self.pictures, label(question, "question", wrap=True), space=6, margins=(12, 9, 12, 9)))
        self._state = label("Looking for passages", tone="tertiary")
        self.answer = AnswerView()
        self.answer.picked.connect(self.picked)
        self._declined = QWidget()
        self._why = label("", tone="secondary", wrap=True)
        self._nearest = Button("Show it", kind="link", small=True)
        self._nearest.clicked.connect(self.nearest_asked)
        why = row(self._why, self._nearest, space=4)
        why.setStretch(0, 1)
        words = column(label("The documents don’t say.", "answer"), why, space=4)
        sign = row(IconLabel("question", side=20), space=12)
        sign.addLayout(words, 1)
        sign.setAlignment(sign.itemAt(0).widget(), Qt.AlignmentFlag.AlignTop)
        self._declined.setLayout(sign)
        self._notes = label("", type="small", tone="secondary", wrap=True)
        self._notes.hide()
        self._heading = label("Passages cited", strong=True)
        self._found = label("", tone="secondary")
        self._all = Button("", kind="link")
        self._all.clicked.connect(self._toggle_all)
        self._headings = QWidget()
        self._headings.setLayout(row(self._heading, self._found, None, self._all))
        self.passages = PassageList()
        self.passages.chosen.connect(self._passage_chosen)
        self._facts = label("", type="small", tone="tertiary", wrap=True)
        self.trace = Button("Trace", kind="link", small=True)
        self.trace.clicked.connect(self.trace_asked)
        self.tokens = Button("Tokens", kind="link", small=True)
        self.tokens.setToolTip("What the model saw, token by token")
        self.tokens.clicked.connect(self.tokens_asked)
        self.tokens.hide()
        copy = icon_button("copy", "Copy the answer")
        copy.clicked.connect(self._copy)
        self.save = icon_button("save", "Save the answer with its pages")
        self.save.clicked.connect(self.save_asked)
        self.save.hide()
        repeat = icon_button("again", "Ask again")
        repeat.clicked.connect(self.again)
        self._foot = QWidget()
        foot = row(self._facts, self.trace, self.tokens, copy, self.save, repeat, space=6)
        foot.setStretch(0, 1)
        self._foot.setLayout(foot)
        self.banner = Banner()
        self.setLayout(
            column(
                bubble,
                self._state,
                self.answer,
                self._declined,
                self._notes,
                self.banner,
                self._headings,
                self.passages,
                self._foot,
                space=12,
            )
        )
        for part in (self.answer, self._declined, self._headings, self.passages, self._foot):
            part.hide()
        self._cited: tuple[PassageRow, ...] = ()
        self._others: tuple[PassageRow, ...] = ()
        self._quiet = False

    def waiting(self, words: str) -> None:
        """Say what is being done; an empty word takes it away."""
        self._state.setText(words)
        self._state.setVisible(bool(words))

    def stream(self, text: str, misquoted: bool = False) -> None:
        self.waiting("")
        self.answer.show()
        self.answer.stream(text, misquoted)

    def show_answer(
        self,
        sentences: Sequence[Sentence],
        cited: Sequence[PassageRow],
        found: Sequence[PassageRow],
        facts: str,
        chosen: int = 0,
    ) -> None:
        """Show the finished answer; `found` are all passages that were found, `cited` those that it rests on."""
        self.waiting("")
        self.answer.show()
        self.answer.show_sentences(sentences, chosen)
        self._cited, self._others = tuple(cited), tuple(found)
        self._found.setText(f"{len(cited)} of {len(found)} found")
        self._all.setText(f"Show all {len(found)}")
        self._all.setVisible(len(found) > len(cited))
        self._headings.setVisible(bool(found))
        self.passages.setVisible(bool(cited))
        self.passages.show_rows(self._cited)
        if chosen:
            self.choose(chosen)
        self._say_facts(facts)
        announce(self, f"Answer, {len(cited)} passages cited. {self.answer.plain()}")

    def show_declined(self, why: str, has_passages: bool, facts: str) -> None:
        """Show that the documents don't hold the answer."""
        self.waiting("")
        self.answer.hide()
        self._why.setText(why)
        self._nearest.setVisible(has_passages)
        self._declined.show()
        self._say_facts(facts)
        announce(self, f"The documents don’t say. {why}")

    def say_notes(self, notes: Sequence[str]) -> None:
        """What else there is to know of the answer, a sentence a line."""
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))

    @property
    def notes(self) -> str:
        return self._notes.text()

    @property
    def declined(self) -> bool:
        return self._declined.isVisibleTo(self)

    def stopped(self) -> None:
        """A person stopped it."""
        self.waiting("Stopped. Nothing of this answer was kept.")

    def fail(self, what: str, safe: str) -> None:
        self.waiting("")
        self.banner.say(what, safe)

    def choose(self, number: int) -> None:
        """Mark a citation as the chosen one, in the text and in the list."""
        self._quiet = True
        self.answer.choose(number)
        self.passages.choose(number)
        self._quiet = False

    def _passage_chosen(self, number: int) -> None:
        if not self._quiet:
            self.answer.choose(number)
            self.picked.emit(number)

    def _toggle_all(self) -> None:
        every = self.passages.rows() is not self._others
        self.passages.show_rows(self._others if every else self._cited)
        self.passages.show()
        self._heading.setText("Passages found" if every else "Passages cited")
        self._all.setText("Show cited" if every else f"Show all {len(self._others)}")

    def _say_facts(self, facts: str) -> None:
        self._facts.setText("   ".join(part.replace(" ", "\u00a0") for part in facts.split("   ")))
        self._foot.setVisible(bool(facts))

    def _copy(self) -> None:
        copy(self.answer.plain() if not self.declined else "The documents don’t say.")
