"""Beside a prompt version: its seal and who signed it, its labels, and the runs that measured it; and the dialog that sets a label."""

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.pages.prompt_versions import LABELS
from app.pages.signatures import SignatureRows, seal_of
from app.theme.look import look
from app.widgets.basic import Badge, Card, Elided, clear, column, label, row
from app.widgets.buttons import Clickable, button
from app.widgets.forms import Choice, Field
from app.widgets.seal import Seal
from core.evals.records import RunView
from core.prompts.service import LABELS as LABEL_NAMES
from core.vault.records import Signature

MOST_RUNS = 6
_COMMAND = re.compile(r"with `assay eval except (run-\d+)`")
SEAL_WORDS = {"Signed": "Approved", "Partly signed": "Signed, not approved yet"}


class VersionCards(QWidget):
    """`run_asked` gives the id of a run that the person wants to see."""

    run_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.seal = Seal(side=44)
        self._version = label("", type="heading")
        self._words = label("", tone="secondary", wrap=True)
        self.sign = button("Sign…", "stamp", "primary")
        self.signatures = SignatureRows()
        signing = Card()
        head = row(self.seal, space=12)
        head.addLayout(column(self._version, self._words, space=2), 1)
        signing.body.addLayout(head)
        signing.body.addSpacing(look().px(4))
        signing.body.addWidget(self.signatures)
        signing.body.addLayout(row(None, self.sign))
        marks = Card("Labels")
        self.labels: tuple[str, ...] = ()
        self._label_row = row(space=6)
        self.set_label = button("Set a label…", "label", small=True)
        marks.body.addLayout(self._label_row)
        marks.body.addLayout(row(self.set_label, None))
        measured = Card("Measured in")
        self._runs = column(space=6)
        measured.body.addLayout(self._runs)
        self.setLayout(column(signing, marks, measured, space=14))
        self.setAccessibleName("Signatures, labels and runs")

    def show_version(
        self, number: int, signatures: Sequence[Signature], labels: Sequence[str], runs: Sequence[RunView]
    ) -> None:
        """Show what belongs to a version."""
        self.seal.show_state(seal_of([given.meaning for given in signatures]))
        self._version.setText(f"Version {number}")
        self._words.setText(SEAL_WORDS.get(self.seal.state.value, "Nobody has signed this version."))
        self.signatures.show_signatures(signatures)
        self.labels = tuple(labels)
        clear(self._label_row)
        for name in labels:
            self._label_row.addWidget(Badge(name, LABELS.get(name, "plain")))
        if not labels:
            self._label_row.addWidget(label("None", tone="secondary"))
        self._label_row.addStretch(1)
        clear(self._runs)
        for view in runs[:MOST_RUNS]:
            self._runs.addWidget(_run_row(view, lambda which=view.run.id: self.run_asked.emit(which)))
        if not runs:
            self._runs.addWidget(label("No run has measured this version.", tone="secondary", wrap=True))


class LabelDialog(QFrame):
    """Asks for one of the four labels, and says what keeps the later two back. The page reads `field` when `set` is pressed."""

    def __init__(self, reference: str) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Set a label")
        choice = Choice()
        for name in LABEL_NAMES:
            choice.addItem(name)
        choice.setCurrentText("candidate")
        self.field = Field("Label", choice, check=_check_label)
        choice.currentIndexChanged.connect(lambda _: self.field.fail(""))
        self.held = label("", tone="fail", wrap=True)
        self.held.hide()
        self.cancelled = button("Cancel", hint="Esc")
        self.set = button("Set label", "label", "primary")
        words = label(
            f"The label will point at {reference}, and at no other version of it. Whoever asks for the label gets this text.",
            tone="secondary",
            wrap=True,
        )
        title = label("Set a label", type="title")
        self.setLayout(
            column(
                title,
                words,
                self.field,
                self.held,
                row(None, self.cancelled, self.set),
                space=14,
                margins=(24, 20, 24, 20),
            )
        )
        self.setFocusProxy(self.field.edit)

    def say_held(self, because: str) -> None:
        """Say why the version isn't let through to approved and production; nothing where it is."""
        self.held.setText(f"Held back from approved and production: {in_window(because)}" if because else "")
        self.held.setVisible(bool(because))


def in_window(because: str) -> str:
    """A sentence that names a command for signing an exception, with the place in the window where it is signed instead."""
    return _COMMAND.sub(r"beside the results of \1 on the page Evaluations", because)


def _check_label(text: str) -> str:
    if not text.strip():
        return "The label is missing."
    if text.strip() == "approved":
        return "Approving a version sets this label."
    return ""


def _run_row(view: RunView, go: Callable[[], None]) -> QWidget:
    made = Clickable("none", says=f"{view.run.id}, {view.run.spec_reference}")
    made.clicked.connect(go)
    verdict = _gate_badge(view)
    words = column(
        Elided(view.run.spec_reference, tone="link"),
        label(
            f"{view.run.id.replace('-', ' ').capitalize()}, {view.run.samples:,} samples",
            type="small",
            tone="secondary",
        ),
        space=1,
    )
    layout = row(space=8, margins=(0, 4, 0, 4))
    layout.addLayout(words, 1)
    layout.addWidget(verdict, 0, Qt.AlignmentFlag.AlignTop)
    made.setLayout(layout)
    return made


def _gate_badge(view: RunView) -> Badge:
    if view.result is None or not view.run.criteria:
        return Badge("No criteria" if view.result is not None else "Not finished", "plain")
    return Badge("Criteria met", "pass", "check") if view.result.passed else Badge("Criteria not met", "fail", "cross")
