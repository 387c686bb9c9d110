"""One sample under one variant, whole: the question, what was wanted, the answer with its citations, each score with its reason, the passages
that were found, and the prompt exactly as the model saw it.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.pages.evaluation_matrix import figure, place, scorer_word, sentence
from app.theme.look import look
from app.widgets.answer_view import NO_SUPPORT, AnswerView, Sentence, sentences
from app.widgets.basic import Badge, Card, Elided, IconLabel, clear, column, label, row
from app.widgets.buttons import button, icon_button
from app.widgets.code_view import CodeEditor
from app.widgets.passages import PassageList, PassageRow
from core.assistants.records import Answer
from core.datasets.records import Sample
from core.evals.records import Outcome, Score

PROMPT_LINES = 14
ENDS = {"stop": "ended by the model", "length": "cut at the longest answer allowed"}


class SampleDetail(QWidget):
    """`stepped` gives -1 or 1: the person wants the sample before or after; `left`: back to the summary;
    `asked` gives the question that they want to ask again in the chat."""

    stepped = Signal(int)
    left = Signal()
    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
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

    def show_outcome(self, sample: Sample, variant: str, outcome: Outcome | None) -> None:
        """Show a sample's outcome under a variant; None when it has not run."""
        clear(self._body)
        self._title.say(sample.id)
        self._variant.say(variant)
        question = _question(sample)
        again = button("Ask it in the chat", "chat", "link", small=True)
        again.clicked.connect(lambda: self.asked.emit(sample.input))
        question.body.addLayout(row(again, None))
        self._body.addWidget(question)
        self._body.addWidget(_target(sample))
        if outcome is None:
            self._body.addWidget(label("This sample has not run with this variant.", tone="secondary", wrap=True))
            return
        if outcome.answer is None:
            self._body.addWidget(_error(outcome.error))
            return
        self._answer = outcome.answer
        self._body.addWidget(self._answer_card(outcome.answer))
        self._body.addWidget(_scores(outcome.scores))
        self._body.addWidget(self._passages_card(outcome.answer))
        self._body.addWidget(_prompt(outcome.answer))

    def _answer_card(self, answer: Answer) -> Card:
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
        return card

    def _passages_card(self, answer: Answer) -> Card:
        card = Card("Passages found")
        self.passages = PassageList()
        self.passages.setAccessibleName("Passages found")
        self.passages.show_rows(
            [
                PassageRow(number, passage.name, passage.text, f"Page {passage.page}", f"{passage.score:.2f}")
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
    card.body.addWidget(label(note, type="small", tone="secondary"))
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
