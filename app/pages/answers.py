"""An answer as the chat shows it: its passages as rows, why it declines, what it was made with, and its trace."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button
from app.widgets.code_view import CodeEditor
from app.widgets.passages import PassageRow
from core.assistants.records import QUOTES, Answer


def cited_rows(answer: Answer) -> list[PassageRow]:
    """The passages that an answer cites, once each, by number."""
    rows: dict[int, PassageRow] = {}
    for found in answer.citations:
        row_ = PassageRow(found.number, found.name, found.quote, f"Page {found.page}", f"Match {found.score:.2f}")
        rows.setdefault(found.number, row_)
    return [rows[number] for number in sorted(rows)]


def found_rows(answer: Answer) -> list[PassageRow]:
    """All passages that were found, numbered as the prompt numbered them; in quotes mode the cited ones come first."""
    return [
        PassageRow(number, found.name, " ".join(found.text.split()), f"Page {found.page}", f"Match {found.score:.2f}")
        for number, found in enumerate(answer.passages, 1)
    ]


def why_declined(answer: Answer) -> str:
    """Why there is no answer, with the numbers where there are some."""
    if answer.needed_score:
        return f"The nearest passage scores {answer.best_score:.2f}; an answer needs {answer.needed_score:.2f}."
    return "The model found no answer in the passages."


def made_with(answer: Answer) -> str:
    """What an answer was made with, in a line."""
    parts = ["quotes, word for word" if answer.model == QUOTES else answer.model]
    if answer.model != QUOTES:
        parts.append(answer.question.mode)
        if answer.tokens > 1:
            writing = answer.seconds - answer.first_token_seconds
            parts.append(f"{answer.tokens / max(writing, 0.001):,.0f} tokens/s")
    parts.append(f"{answer.seconds:.1f} s")
    return "   ".join(parts)


class TracePanel(QFrame):
    """How an answer was made: the facts, and the prompt exactly as the model saw it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Trace")
        self.close_button = Button("Close", hint="Esc")
        facts = [
            ("Answered by", answer.model),
            ("Model file", answer.model_digest or "none"),
            ("Prompt", answer.question.prompt or ("none" if answer.model == QUOTES else "built in")),
            ("Prompt digest", answer.prompt_digest or "none"),
            ("Mode", "none" if answer.model == QUOTES else answer.question.mode),
            ("Backend", answer.backend),
            ("Tokens", f"{answer.prompt_tokens:,} in, {answer.tokens:,} out"),
            ("Time", f"{answer.seconds:.2f} s, first word after {answer.first_token_seconds:.2f} s"),
        ]
        body = column(row(label("Trace", type="title"), None, self.close_button), space=8, margins=(24, 18, 24, 20))
        for name, value in facts:
            left = label(name, tone="secondary")
            left.setFixedWidth(look().px(120))
            shown = label(value, type="code" if len(value) == 64 else "body", wrap=len(value) != 64)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            fact = row(left, shown)
            fact.setStretch(1, 1)
            fact.setAlignment(left, Qt.AlignmentFlag.AlignTop)
            body.addLayout(fact)
        body.addWidget(label("Exactly what the model saw" if answer.rendered else "The answer", strong=True))
        text = CodeEditor("Prompt as rendered", read_only=True)
        text.setPlainText(answer.rendered or answer.answer)
        text.setMinimumHeight(look().px(260))
        body.addWidget(text, 1)
        self.setLayout(body)
