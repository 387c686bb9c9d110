"""What a check of a dataset found: the dialog that lists it, worst first, and what each sample is flagged with afterwards.

A flag holds for the version that was checked, until the samples change.
"""

from collections.abc import Sequence

from PySide6.QtCore import Signal

from app.pages.dataset_forms import Dialog
from app.theme.look import look
from app.widgets.basic import label
from app.widgets.table import Cell, Column, Table
from core.datasets.screening import Contaminated, Personal, Screening
from core.guards.personal import KINDS

LEARNED, PERSONAL, REPEATED = "learned", "personal", "repeated"
FLAGS = {LEARNED: "Learned", PERSONAL: "Personal", REPEATED: "Repeated"}
"""What a sample is flagged with, in words, worst first."""
HOW = {"exact": "exactly", "normalised": "but for case", "near": "nearly"}
UNKNOWN_SHOWN = 5


class ScreeningView(Dialog):
    """What a check found, worst first. `opened` gives the id of a sample."""

    opened = Signal(str)

    def __init__(self, found: Screening) -> None:
        super().__init__(f"Check of {found.reference}")
        rows = [
            *((c.sample, f"{learned_words(c)} ({c.dataset}, {c.of})", HOW[c.how]) for c in found.contaminated),
            *((p.sample, f"Its {p.field} may hold personal data", kind_words(p.kind)) for p in found.personal),
            *((r.sample, f"Repeats {r.of}", HOW[r.how]) for r in found.repeats),
        ]
        said = (
            f"Nothing was found in {found.samples:,} samples."
            if found.clean
            else f"{_some(found.contaminated):,} learned by an adapter, {_some(found.personal):,} with personal data, "
            f"{len(found.repeats):,} repeated, of {found.samples:,} samples."
        )
        self.body.addWidget(label(said, tone="secondary", wrap=True))
        for one in found.unknown[:UNKNOWN_SHOWN]:
            self.body.addWidget(label(f"Can’t be compared: {one}.", type="small", tone="warn", wrap=True))
        self.table = Table(
            [
                Column("Sample", lambda one: Cell(one[0], mono=True), 100),
                Column("What", lambda one: Cell(one[1])),
                Column("How", lambda one: Cell(one[2], tone="text.secondary"), 210),
            ],
            "What was found",
        )
        self.table.setMinimumHeight(look().px(260))
        self.table.show_rows(rows)
        self.table.opened.connect(lambda one: self.opened.emit(one[0]))
        self.table.setVisible(bool(rows))
        self.body.addWidget(self.table, 1)
        if rows:
            more = "Enter goes to the sample. Rules miss things, and sometimes take one thing for another."
            self.body.addWidget(label(more, type="small", tone="tertiary", wrap=True))
        self.end(word="Close")


class Flags:
    """What the last check said of each sample of one version."""

    def __init__(self, found: Screening | None = None) -> None:
        self.reference = found.reference if found is not None else ""
        self._said: dict[str, list[tuple[str, str]]] = {}
        if found is None:
            return
        for one in found.contaminated:
            self._add(one.sample, LEARNED, f"{learned_words(one)}: its result with it means nothing.")
        for p in found.personal:
            self._add(p.sample, PERSONAL, f"Its {p.field} may hold {kind_words(p.kind)}.")
        for r in found.repeats:
            self._add(r.sample, REPEATED, f"It repeats {r.of}, {HOW[r.how]}.")

    def of(self, id: str) -> list[str]:
        """What was found about a sample, a sentence each."""
        return [words for _, words in self._said.get(id, ())]

    def words(self, id: str) -> str:
        """The flags of a sample, in two words each, as its row shows them."""
        kinds = {kind for kind, _ in self._said.get(id, ())}
        return ", ".join(word for kind, word in FLAGS.items() if kind in kinds)

    def has(self, id: str, kind: str) -> bool:
        return any(one == kind for one, _ in self._said.get(id, ()))

    def counts(self) -> dict[str, int]:
        """How many samples have each flag that any has."""
        found = {kind: sum(self.has(id, kind) for id in self._said) for kind in FLAGS}
        return {kind: count for kind, count in found.items() if count}

    def _add(self, id: str, kind: str, words: str) -> None:
        self._said.setdefault(id, []).append((kind, words))


def learned_words(found: Contaminated) -> str:
    return f"{found.adapter} was trained on it"


def kind_words(kind: str) -> str:
    """A kind of personal data, in words."""
    return KINDS.get(kind, kind)


def _some(found: Sequence[Contaminated | Personal]) -> int:
    """How many samples these are about."""
    return len({one.sample for one in found})
