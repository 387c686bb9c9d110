"""The specs of a vault: each with its latest version, what it says, who signed it, and what can be done with it."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.bridge.operations import Operations
from app.pages.evaluation_learned import LearnedCard
from app.pages.evaluation_matrix import spec_text
from app.pages.page import side_pane
from app.pages.prompt_versions import signed_words
from app.pages.signatures import SignatureRows, moment, seal_of
from app.theme.look import look
from app.widgets.basic import Card, Elided, column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.code_view import CodeEditor
from app.widgets.seal import Seal
from app.widgets.table import Cell, Column, Table
from core.evals.records import SavedSpec, Spec
from core.vault.records import Signature

SIDE, NARROW_SIDE, NARROW = 440, 364, 1180


def variant_count(spec: Spec) -> int:
    """How many columns its matrix has."""
    return len(spec.prompts) * len(spec.models) + spec.include_quotes


class SpecsView(QWidget):
    """`run_asked`, `change_asked` and `sign_asked` give the chosen `SavedSpec`; `chosen` that another one was gone to."""

    run_asked = Signal(object)
    change_asked = Signal(object)
    sign_asked = Signal(object)
    chosen = Signal(object)

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._people: Mapping[str, str] = {}
        self.table = Table(
            (
                Column("Spec", self._name_cell),
                Column("Dataset", lambda s: Cell(s.spec.spec.dataset), 170),
                Column("Documents", lambda s: Cell(s.spec.spec.collection), 120),
                Column("Variants", lambda s: Cell(str(variant_count(s.spec.spec))), 80, right=True),
                Column("Criteria", lambda s: Cell(str(len(s.spec.spec.criteria))), 80, right=True),
            ),
            "Specs",
            height=52,
        )
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(self.run_asked)
        self._seal = Seal(side=44)
        self._name = Elided(type="heading")
        self._saved = label("", tone="secondary", wrap=True)
        self.signatures = SignatureRows()
        self.sign = button("Sign…", "stamp")
        self.sign.clicked.connect(lambda: self._ask(self.sign_asked))
        self.run = button("Run", "play", "primary")
        self.run.clicked.connect(lambda: self._ask(self.run_asked))
        self.change = button("Change…", "prompts")
        self.change.clicked.connect(lambda: self._ask(self.change_asked))
        self.yaml = CodeEditor("The spec as YAML", read_only=True)
        self.yaml.setFixedHeight(look().px(400))
        signing = Card()
        head = row(self._seal, space=12)
        head.addLayout(column(self._name, self._saved, space=2), 1)
        signing.body.addLayout(head)
        signing.body.addWidget(self.signatures)
        signing.body.addLayout(row(None, self.change, self.sign, self.run))
        self.learned = LearnedCard(operations)
        text = Card("What is signed")
        text.body.addWidget(self.yaml)
        self.main = frame("panel")
        self.main.setLayout(column(self.table, space=0))
        self.side = side_pane(signing, self.learned, text, width=SIDE)
        whole = row(self.main, line(vertical=True), self.side, space=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self.side.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        self.side.setFixedWidth(look().px(NARROW_SIDE if narrow else SIDE))
        for position in (2, 3):
            self.table.setColumnHidden(position, narrow)

    def show_specs(self, specs: Sequence[SavedSpec], people: Mapping[str, str]) -> None:
        """Show these; the chosen one stays chosen."""
        self._people = people
        self.table.show_rows(specs, keep=lambda saved: saved.spec.name)
        if specs and self.table.current() is None:
            self.table.choose(0)
        self.side.setVisible(bool(specs))

    def choose(self, reference: str) -> None:
        """Go to a spec by its name, with or without a version."""
        name = reference.partition("@")[0]
        for position, saved in enumerate(self.table.rows.all()):
            if saved.spec.name == name:
                self.table.choose(position)

    def current(self) -> SavedSpec | None:
        """The chosen spec."""
        found = self.table.current()
        return found if isinstance(found, SavedSpec) else None

    def show_signatures(self, signatures: Sequence[Signature]) -> None:
        """Show who signed the chosen spec."""
        self.signatures.show_signatures(signatures)
        self._seal.show_state(seal_of([given.meaning for given in signatures]))

    def _choose(self, saved: SavedSpec) -> None:
        spec = saved.spec
        self._name.say(f"{spec.name}, version {spec.number}")
        self._saved.setText(f"{self._people.get(spec.author, spec.author)}, {moment(spec.saved)}")
        self.yaml.setPlainText(spec_text(spec.spec))
        self._seal.show_state(seal_of([meaning for meaning, _ in saved.signed]))
        self.learned.look_at(spec.reference, spec.spec)
        self.chosen.emit(saved)

    def _name_cell(self, saved: SavedSpec) -> Cell:
        meanings = [meaning for meaning, _ in saved.signed]
        return Cell(
            f"{saved.spec.name}, version {saved.spec.number}",
            seal=seal_of(meanings),
            strong=True,
            second=signed_words(meanings),
            spoken=f"Spec {saved.spec.reference}, {signed_words(meanings)}",
        )

    def _ask(self, way: SignalInstance) -> None:
        saved = self.current()
        if saved is not None:
            way.emit(saved)
