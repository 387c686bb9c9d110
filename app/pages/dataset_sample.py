"""One sample beside the list of a dataset: what is asked, what a right answer holds, where it comes from, and what a check said of it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal

from app.widgets.basic import Card, IconLabel, clear, label, row
from app.widgets.buttons import Button
from core.datasets.records import Sample

KINDS = {
    "person": "Written by a person",
    "document": "Made from a document",
    "trace": "From an answer in the vault",
}


class SampleCard(Card):
    """`edited` and `removed` give the sample that is shown."""

    edited = Signal(object)
    removed = Signal(object)

    def show_sample(self, found: Sample | None, flags: Sequence[str] = ()) -> None:
        """Show a sample with what was found about it, or nothing."""
        clear(self.body)
        self.setVisible(found is not None)
        if found is None:
            return
        body = self.body
        body.addWidget(label(found.id, type="code", tone="tertiary"))
        for words in flags:
            said = row(IconLabel("warning", "warn.fg", 14), space=6)
            said.addWidget(label(words, type="small", tone="warn", wrap=True), 1)
            body.addLayout(said)
        for turn in found.turns[:-1]:
            body.addWidget(label(f"{turn.role}: {turn.content}", type="small", tone="secondary", wrap=True))
        body.addWidget(label(found.input, type="heading", wrap=True))
        body.addWidget(label(target(found), wrap=True))
        told = (
            ("A right answer", found.answer),
            ("The better answer", found.chosen),
            ("The worse answer", found.rejected),
            ("To choose from", "\n".join(found.choices)),
            ("Passages", "\n\n".join(found.passages)),
        )
        for name, text in told:
            if text:
                body.addWidget(label(name, strong=True))
                body.addWidget(label(text, wrap=True))
        if found.quote:
            body.addWidget(label("Its source", strong=True))
            body.addWidget(label(f"“{found.quote}”", tone="secondary", wrap=True))
            body.addWidget(label(where(found), type="small", tone="tertiary", wrap=True))
        body.addWidget(label(came_from(found), type="small", tone="tertiary", wrap=True))
        edit = Button("Edit", small=True, hint="Enter")
        edit.clicked.connect(lambda: self.edited.emit(found))
        remove = Button("Remove", "trash", small=True)
        remove.clicked.connect(lambda: self.removed.emit(found))
        body.addLayout(row(edit, remove, None))


def came_from(found: Sample) -> str:
    """Where a sample comes from, in words."""
    origin = found.origin
    if origin is None:
        return "Synthetic." if found.synthetic else ""
    sources = {"file": f"From the file {origin.source}", "failure": f"From a failure of {origin.source}"}
    by = f", brought in by {origin.by}" if origin.by else ""
    model = f" A model wrote it ({origin.model.split(' ')[0]})." if origin.model else ""
    said = sources.get(origin.kind) or KINDS[origin.kind]
    return f"{said}{by}.{model}{' Synthetic.' if found.synthetic else ''}"


def target(found: Sample) -> str:
    """What a right answer must hold, in words."""
    if found.unanswerable:
        return "The documents don’t say"
    said = found.target or " ".join(found.answer.split()) or found.chosen
    return f"Target: {found.target}" if found.target else said or "No target"


def where(found: Sample) -> str:
    """The document and the page that hold the answer."""
    if not found.document:
        return ""
    return f"{found.document}, p. {found.page}" if found.page else found.document
