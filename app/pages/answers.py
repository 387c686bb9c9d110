"""An answer as the chat shows it: its passages as rows, why it declines, what it was made with, and its trace."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame

from app.bridge.chatting import adapter_words
from app.bridge.seeing import Seen
from app.pages.answer_notes import notes
from app.theme.look import look
from app.widgets.answer_view import sentences
from app.widgets.basic import column, label, row, shorten
from app.widgets.buttons import Button, Segments
from app.widgets.code_view import CodeEditor
from app.widgets.exchange import Exchange
from app.widgets.passages import PassageRow
from app.widgets.token_view import TokenView
from core.assistants.records import QUOTES, Answer, Citation
from core.retrieval.records import Passage

NOBODY: Mapping[str, str] = {}


def where(found: Citation | Passage) -> str:
    """Where in its document something is, as a line of its own: "Sheet Costs, A5:D5", or its page in older answers."""
    return found.place[:1].upper() + found.place[1:] if found.place else f"Page {found.page}"


def cited_rows(answer: Answer) -> list[PassageRow]:
    """The passages that an answer cites, once each, by number."""
    rows: dict[int, PassageRow] = {}
    for found in answer.citations:
        row_ = PassageRow(found.number, found.name, found.quote, where(found), f"Match {found.score:.2f}")
        rows.setdefault(found.number, row_)
    return [rows[number] for number in sorted(rows)]


def found_rows(answer: Answer) -> list[PassageRow]:
    """All passages that were found, numbered as the prompt numbered them; in quotes mode the cited ones come first."""
    return [
        PassageRow(number, found.name, " ".join(found.text.split()), where(found), f"Match {found.score:.2f}")
        for number, found in enumerate(answer.passages, 1)
    ]


def why_declined(answer: Answer) -> str:
    """Why there is no answer, with the numbers where there are some."""
    if answer.needed_score:
        return f"The nearest passage scores {answer.best_score:.2f}; an answer needs {answer.needed_score:.2f}."
    return "The model found no answer in the passages."


def mode_of(answer: Answer) -> str:
    """How an answer was computed: one with pictures always alone, whatever was asked for."""
    return "reproducible" if answer.question.pictures else answer.question.mode


def made_with(answer: Answer, names: Mapping[str, str] = NOBODY) -> str:
    """What an answer was made with, in a line; `names` are those of adapters by their digests."""
    model = f"{answer.model}{adapter_words(answer.question.adapters, names)}"
    parts = ["quotes, word for word" if answer.model == QUOTES else model]
    if answer.model != QUOTES:
        parts.append(mode_of(answer))
        if answer.tokens > 1:
            writing = answer.seconds - answer.first_token_seconds
            parts.append(f"{answer.tokens / max(writing, 0.001):,.0f} tokens/s")
            parts.append(f"first word after {answer.first_token_seconds:.1f} s")
    parts.append(f"{answer.seconds:.1f} s")
    return "   ".join(parts)


def present(exchange: Exchange, answer: Answer, names: Mapping[str, str] = NOBODY) -> int:
    """Show an answer in its exchange; the number of the passage that is chosen, 0 for none. `names` as in `made_with`."""
    facts = made_with(answer, names)
    exchange.tokens.setVisible(bool(answer.rendered))
    exchange.say_notes(notes(answer))
    if answer.abstained:
        exchange.show_declined(why_declined(answer), bool(answer.passages), facts)
        return 0
    marks = [(cited.number, cited.start, cited.end) for cited in answer.citations]
    cited = cited_rows(answer)
    chosen = cited[0].number if cited else 0
    exchange.show_answer(sentences(answer.answer, marks, answer.unsupported), cited, found_rows(answer), facts, chosen)
    return chosen


class TracePanel(QFrame):
    """How an answer was made: the facts, and the prompt exactly as the model saw it, as text or token by token. `tokens_asked` comes when the tokens
    are wanted for the first time; the page answers with `show_seen` or `refuse`."""

    tokens_asked = Signal()

    def __init__(self, answer: Answer, names: Mapping[str, str] = NOBODY) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Trace")
        self._pictures = len(answer.question.pictures)
        self.close_button = Button("Close", hint="Esc")
        facts = [
            ("Answered by", answer.model),
            ("Model file", answer.model_digest or "none"),
            ("Prompt", answer.question.prompt or ("none" if answer.model == QUOTES else "built in")),
            ("Prompt digest", answer.prompt_digest or "none"),
            ("Mode", "none" if answer.model == QUOTES else mode_of(answer)),
            ("Backend", answer.backend),
            ("Tokens", f"{answer.prompt_tokens:,} in, {answer.tokens:,} out"),
            ("Time", f"{answer.seconds:.2f} s, first word after {answer.first_token_seconds:.2f} s"),
        ]
        adapters = [
            f"{names.get(use.model, 'not registered')} × {use.scale:g}, {shorten(use.model, 8, 8)}"
            for use in answer.question.adapters
        ]
        if adapters:
            facts.insert(2, ("Adapters", "\n".join(adapters)))
        if self._pictures:
            facts.insert(len(facts) - 2, ("Pictures", "\n".join(answer.question.pictures)))
        body = column(row(label("Trace", type="title"), None, self.close_button), space=8, margins=(24, 18, 24, 20))
        for name, value in facts:
            left = label(name, tone="secondary")
            left.setFixedWidth(look().px(120))
            digests = all(len(part) == 64 for part in value.split("\n"))
            shown = label(value, type="code" if digests else "body", wrap=not digests)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            fact = row(left, shown)
            fact.setStretch(1, 1)
            fact.setAlignment(left, Qt.AlignmentFlag.AlignTop)
            body.addLayout(fact)
        self.view = Segments((("text", "Text"), ("tokens", "Tokens")), "How to show what the model saw")
        self.view.chosen.connect(self.turn)
        self.view.setVisible(bool(answer.rendered))
        heading = label("Exactly what the model saw" if answer.rendered else "The answer", strong=True)
        self._note = label("", type="small", tone="secondary", wrap=True)
        self._note.hide()
        body.addLayout(row(heading, None, self.view))
        body.addWidget(self._note)
        self._text = CodeEditor("Prompt as rendered", read_only=True)
        self._text.setPlainText(answer.rendered or answer.answer)
        self.tokens = TokenView()
        for shown in (self._text, self.tokens):
            shown.setMinimumHeight(look().px(240))
            body.addWidget(shown, 1)
        self.tokens.hide()
        self._asked = False
        self.setLayout(body)

    def show_seen(self, seen: Seen) -> None:
        """Show the tokens."""
        found = seen.tokens
        count = f"{len(found.tokens):,} tokens; the window holds {found.window:,}, the answer included."
        same = (
            ""
            if seen.exact or self._pictures
            else " The text differs from the trace: the model’s template is another now."
        )
        without = " The pictures’ own places aren’t among them." if self._pictures else ""
        self.say(count + same + without)
        self.tokens.show_tokens(found.tokens, seen.roles)

    def refuse(self, sentence: str) -> None:
        """Say why the tokens can't be shown, and show the text."""
        self._asked = False
        self.turn("text")
        self.say(sentence)

    def say(self, words: str) -> None:
        """A sentence above the text."""
        self._note.setText(words)
        self._note.setVisible(bool(words))

    @property
    def said(self) -> str:
        return self._note.text()

    def turn(self, view: str) -> None:
        """Show the text, or the tokens."""
        self.view.choose(view)
        self.tokens.setVisible(view == "tokens")
        self._text.setVisible(view != "tokens")
        if view == "tokens" and not self._asked:
            self._asked = True
            self.say("Reading the tokens. The model is loaded for that.")
            self.tokens_asked.emit()
