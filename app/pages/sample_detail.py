"""One sample under one variant, whole: the question, what was wanted, the answer with its citations, each score with its reason, the passages
that were found, the messages that were filled in, the prompt exactly as the model saw it, and how the sample went in earlier runs.

Where a sample was asked more than once, each time can be looked at.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.pages.answers import where
from app.pages.evaluation_matrix import figure, place, scorer_word, sentence
from app.pages.sample_history import HistoryCard
from app.pages.sample_marks import MarksCard
from app.theme.look import look
from app.widgets.answer_view import NO_SUPPORT, AnswerView, Sentence, sentences
from app.widgets.basic import Badge, Card, Elided, IconLabel, clear, column, label, row
from app.widgets.buttons import Segments, button, icon_button
from app.widgets.code_view import CodeEditor
from app.widgets.passages import PassageList, PassageRow
from core.assistants.records import Answer
from core.datasets.records import Sample
from core.evals.history import Past
from core.evals.marks import Mark, Scale
from core.evals.records import Outcome, Score
from core.inference.records import Message

PROMPT_LINES = 14
MESSAGE_LINES = 8
MOST_TIMES = 6
"""Times that can be chosen from; more aren't told apart."""
ENDS = {"stop": "ended by the model", "length": "cut at the longest answer allowed"}


class SampleDetail(QWidget):
    """`stepped` gives -1 or 1: the person wants the sample before or after; `left`: back to the summary;
    `asked` gives the question that they want to ask again in the chat; `past_asked` a (run, variant) of the history; `marked` what they
    say of the answer."""

    stepped = Signal(int)
    left = Signal()
    asked = Signal(str)
    past_asked = Signal(str, str)
    marked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Sample, str, tuple[Outcome, ...], tuple[Message, ...]] | None = None
        self.times = Segments((), "Which time")
        self.history = HistoryCard()
        self.marks = MarksCard()
        self._outcome: Outcome | None = None
        self._said: tuple[Sequence[Scale], Sequence[Mark], Mapping[str, str], str, str] = ((), (), {}, "", "")
        self._title = Elided(type="heading")
        self._variant = Elided(tone="secondary")
        back = button("Summary", "left", "quiet", small=True)
        back.clicked.connect(self.left)
        before = icon_button("up", "Sample before")
        after = icon_button("down", "Next sample")
        before.clicked.connect(lambda: self.stepped.emit(-1))
        after.clicked.connect(lambda: self.stepped.emit(1))
        head = row(back, None, before, after, space=4)
        self._body = column(space=12)
        self._answer: Answer | None = None
        self.answer = AnswerView()
        self.passages = PassageList()
        layout = column(head, self._title, self._variant, space=2)
        layout.addSpacing(look().px(10))
        layout.addLayout(self._body)
        layout.addStretch(1)
        self.setLayout(layout)
        self.setAccessibleName("Sample")

    def show_outcome(
        self, sample: Sample, variant: str, asked: Sequence[Outcome], messages: Sequence[Message] = ()
    ) -> None:
        """Show a sample's outcomes under a variant, each time that it was asked; none when it has not run."""
        self._shown = (sample, variant, tuple(asked), tuple(messages))
        worst = min(asked, key=lambda one: (not one.error, one.passed), default=None)
        self._show(worst)

    def show_history(self, past: Sequence[Past], run: str) -> None:
        """Show how the sample went in earlier runs; `run` is the one that is looked at."""
        if self._shown is not None:
            self.history.show_past(past, run, self._shown[1])

    def show_marks(
        self, scales: Sequence[Scale], marks: Sequence[Mark], people: Mapping[str, str], first: str, refused: str
    ) -> None:
        """What people say of the run's answers; `first` is its first variant, `refused` why this person may not mark."""
        self._said = (scales, marks, people, first, refused)
        self._show_marks()

    def _show_marks(self) -> None:
        scales, marks, people, first, refused = self._said
        outcome = self._outcome
        own = [
            mark
            for mark in marks
            if outcome is not None
            and (mark.sample, mark.variant, mark.repetition) == (outcome.sample, outcome.variant, outcome.repetition)
        ]
        self.marks.show_marks(outcome, scales, own, people, first, refused)

    def _show(self, outcome: Outcome | None) -> None:
        if self._shown is None:
            return
        self._outcome = outcome
        sample, variant, asked, messages = self._shown
        clear(self._body)
        self._title.say(sample.id)
        self._variant.say(variant)
        if len(asked) > 1 and outcome is not None:
            self._body.addWidget(self._times(asked, outcome))
        question = _question(sample)
        again = button("Ask it in the chat", "chat", "link", small=True)
        again.clicked.connect(lambda: self.asked.emit(sample.input))
        question.body.addLayout(row(again, None))
        self._body.addWidget(question)
        self._body.addWidget(_target(sample))
        if outcome is None:
            self._body.addWidget(label("This sample has not run with this variant.", tone="secondary", wrap=True))
        elif outcome.answer is None:
            self._body.addWidget(_error(outcome.error))
        else:
            self._answer = outcome.answer
            self._body.addWidget(self._answer_card(outcome))
            self.marks = MarksCard()
            self.marks.given.connect(self.marked)
            self._body.addWidget(self.marks)
            self._show_marks()
            self._body.addWidget(_scores(outcome.scores))
            self._body.addWidget(self._passages_card(outcome.answer))
            if messages:
                self._body.addWidget(_messages(messages))
            self._body.addWidget(_prompt(outcome.answer))
        self.history = HistoryCard()
        self.history.asked.connect(self.past_asked)
        self._body.addWidget(self.history)

    def _times(self, asked: Sequence[Outcome], outcome: Outcome) -> QWidget:
        """Which of the times that the sample was asked is shown."""
        self.times = Segments(
            [(str(one.repetition), f"Time {one.repetition + 1}") for one in asked[:MOST_TIMES]], "Which time"
        )
        if outcome in asked[:MOST_TIMES]:
            self.times.choose(str(outcome.repetition))
        self.times.chosen.connect(lambda name: self._show_time(int(name)))
        made = QWidget()
        passed = sum(one.passed for one in asked)
        made.setLayout(
            column(label(f"Asked {len(asked)} times, passed {passed} times.", tone="secondary"), self.times, space=6)
        )
        return made

    def _show_time(self, repetition: int) -> None:
        past = self.history.table.rows.all()
        if self._shown is not None:
            self._show(next(one for one in self._shown[2] if one.repetition == repetition))
            self.history.show_past(past, "", "")
            self.times.segment(str(repetition)).setFocus()

    def _answer_card(self, outcome: Outcome) -> Card:
        answer = outcome.answer
        assert answer is not None
        card = Card("Answer")
        self.answer = AnswerView()
        self.answer.show_sentences(told(answer))
        self.answer.picked.connect(self._pick)
        card.body.addWidget(self.answer)
        if answer.unsupported:
            count = len(answer.unsupported)
            words = f"{NO_SUPPORT} for {count} of {answer.sentences} sentences."
            card.body.addLayout(row(IconLabel("warning", "warn.fg", 15), label(words, tone="warn", wrap=True), space=6))
        facts = f"{answer.tokens} tokens, " if answer.tokens else ""
        by = "the documents’ own sentences" if answer.model == "quotes" else answer.model
        card.body.addWidget(label(f"By {by}, {facts}{answer.seconds:.1f} s", type="small", tone="secondary", wrap=True))
        if answer.contract:
            card.body.addWidget(_contract(answer))
        for words in _notes(outcome, answer):
            card.body.addWidget(label(words, type="small", tone="secondary", wrap=True))
        return card

    def _passages_card(self, answer: Answer) -> Card:
        card = Card("Passages found")
        self.passages = PassageList()
        self.passages.setAccessibleName("Passages found")
        self.passages.show_rows(
            [
                PassageRow(number, passage.name, passage.text, where(passage), f"{passage.score:.2f}")
                for number, passage in enumerate(answer.passages, 1)
            ]
        )
        self._whole = label("", wrap=True)
        self._whole.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        whole = QFrame()
        whole.setProperty("surface", "well")
        whole.setLayout(column(self._whole, margins=(10, 8, 10, 8)))
        self.passages.chosen.connect(lambda number: self._show_passage(answer, number))
        if answer.passages:
            card.body.addWidget(self.passages)
            card.body.addWidget(whole)
            self.passages.choose(1)
        else:
            card.body.addWidget(label("No passage was found.", tone="secondary"))
        return card

    def _show_passage(self, answer: Answer, number: int) -> None:
        self._whole.setText(answer.passages[number - 1].text)
        if self.answer.chosen and self.answer.chosen != number:
            self.answer.choose(0)

    def _pick(self, number: int) -> None:
        self.answer.choose(number)
        if self._answer is None:
            return
        cited = next((c for c in self._answer.citations if c.number == number), None)
        for position, passage in enumerate(self._answer.passages, 1):
            if cited is not None and passage.document == cited.document and cited.quote in passage.text:
                self.passages.choose(position)
                return
        if number <= len(self._answer.passages):
            self.passages.choose(number)


def told(answer: Answer) -> tuple[Sentence, ...]:
    """An answer's sentences with what each rests on, for an `AnswerView`."""
    cited = [(citation.number, citation.start, citation.end) for citation in answer.citations]
    return sentences(answer.answer, cited, answer.unsupported)


def _question(sample: Sample) -> Card:
    card = Card("Question")
    card.body.addWidget(label(sample.input, type="question", wrap=True))
    card.body.addWidget(label(place(sample), type="small", tone="secondary", wrap=True))
    return card


def _target(sample: Sample) -> Card:
    card = Card("Wanted")
    if sample.unanswerable:
        card.body.addWidget(label("To decline: the documents don’t say.", wrap=True))
        return card
    card.body.addWidget(label(sample.target or "Nothing in particular", strong=bool(sample.target), wrap=True))
    if sample.answer and sample.answer != sample.target:
        card.body.addWidget(label(sample.answer, tone="secondary", wrap=True))
    return card


def _error(sentence_of: str) -> QFrame:
    made = QFrame()
    made.setProperty("surface", "warned")
    layout = row(IconLabel("warning", "warn.fg", 18), space=10, margins=(12, 10, 12, 10))
    layout.addLayout(column(label("No answer", strong=True), label(sentence_of, wrap=True), space=2), 1)
    made.setLayout(layout)
    return made


def _scores(scores: Sequence[Score]) -> Card:
    card = Card("Scores")
    for score in scores:
        sign = IconLabel("check" if score.passed else "cross", "text.tertiary" if score.passed else "fail.fg", 15)
        value = label(figure(score.scorer, score.value), strong=True, tone="primary" if score.passed else "fail")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        words = column(
            label(scorer_word(score.scorer)),
            label(sentence(score.reason), type="small", tone="secondary", wrap=True),
            space=0,
        )
        one = row(sign, space=8)
        one.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
        one.addLayout(words, 1)
        one.addWidget(value)
        holder = QWidget()
        holder.setLayout(one)
        verdict = "passed" if score.passed else "failed"
        holder.setAccessibleName(
            f"{scorer_word(score.scorer)}: {figure(score.scorer, score.value)}, {verdict}, {score.reason}"
        )
        card.body.addWidget(holder)
    if not scores:
        card.body.addWidget(label("No scorer applies to this sample.", tone="secondary", wrap=True))
    return card


def _contract(answer: Answer) -> QWidget:
    """Whether the answer has the form that its prompt version promises."""
    kept = answer.contract == "kept"
    layout = row(
        Badge("Contract kept", "plain", "check") if kept else Badge("Contract broken", "fail", "cross"), space=8
    )
    layout.addWidget(label(sentence(answer.broken), type="small", tone="fail", wrap=True), 1)
    made = QWidget()
    made.setLayout(layout)
    made.setAccessibleName(f"Contract {answer.contract}. {answer.broken}".strip())
    return made


def _notes(outcome: Outcome, answer: Answer) -> list[str]:
    """What else happened on the way to an answer."""
    found = []
    if outcome.reused:
        found.append("Taken from an earlier outcome: the request was identical.")
    if answer.left_out:
        found.append(f"{answer.left_out} passages were left out, because the prompt didn’t fit with them.")
    if answer.withdrawn:
        found.append(f"Withdrawn for want of support: “{answer.withdrawn}”")
    if answer.declined:
        found.append(f"The model declined in other words: “{answer.declined}”")
    return found


def _messages(messages: Sequence[Message]) -> Card:
    card = Card("Messages of the prompt version", "As they were written, before they were filled in.")
    for message in messages:
        card.body.addWidget(label(message.role.capitalize(), type="small", tone="secondary", strong=True))
        code = CodeEditor(f"Message of the {message.role}", read_only=True)
        code.setPlainText(message.content)
        lines = min(MESSAGE_LINES, max(3, message.content.count("\n") + 2))
        code.setFixedHeight(code.fontMetrics().lineSpacing() * lines + look().px(8))
        card.body.addWidget(code)
    return card


def _prompt(answer: Answer) -> Card:
    card = Card("Prompt as the model saw it")
    if not answer.rendered:
        card.body.addWidget(
            label(
                "No model was asked: the answer is made of the documents’ own sentences.", tone="secondary", wrap=True
            )
        )
        return card
    note = f"{answer.prompt_tokens:,} tokens" + (
        f"; the answer was {ENDS.get(answer.finish, answer.finish)}" if answer.finish else ""
    )
    card.body.addWidget(label(note, type="small", tone="secondary", wrap=True))
    code = CodeEditor("Prompt as the model saw it", read_only=True)
    code.setPlainText(answer.rendered)
    code.setFixedHeight(code.fontMetrics().lineSpacing() * PROMPT_LINES)
    card.body.addWidget(code)
    return card


def verdict_badge(outcome: Outcome | None) -> Badge:
    """How a sample went, in a word."""
    if outcome is None:
        return Badge("Not run", "plain")
    if outcome.error:
        return Badge("Error", "warn", "warning")
    return Badge("Passed", "pass", "check") if outcome.passed else Badge("Failed", "fail", "cross")
