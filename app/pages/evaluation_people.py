"""Beside the matrix: how far a run's judges agree with people, people with each other, and judges with themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.pages.evaluation_matrix import scorer_word
from app.pages.sample_marks import NOBODY
from app.theme.look import look
from app.widgets.basic import Card, clear, column, label, line
from core.evals import marks
from core.evals.agreement import Agreement, Figure
from core.evals.marks import PEOPLE, Mark, People, Scale

if TYPE_CHECKING:
    from core.workbench import Workbench

KAPPA = (
    "Kappa takes off what two would agree by chance: 1 is perfect, 0 no more than chance. Weighted: a mark that is nearly the same counts "
    "nearly as much."
)


@dataclass(frozen=True)
class Said:
    """What people say of a run."""

    scales: tuple[Scale, ...]
    marks: tuple[Mark, ...]
    people: tuple[People, ...]
    names: Mapping[str, str]
    """Printed names by user."""


def read_said(bench: "Workbench", run: str) -> Said:
    """What people say of a run, as the vault holds it. Raises `NotFound`."""
    view = bench.evals.show(run)
    names = {person.user: person.name for person in bench.vault.users()}
    with bench.vault.read() as reader:
        return Said(marks.scales(reader, view), marks.marks(reader, view.digest), marks.people(reader, view), names)


class PeopleCard(Card):
    """Hidden where the run has no judge and nobody marked."""

    def __init__(self) -> None:
        super().__init__("Judges and people")
        self._rows = column(space=8)
        self.body.addLayout(self._rows)
        self.hide()

    def show_said(self, said: Said | None) -> None:
        clear(self._rows)
        found = said.people if said is not None else ()
        self.setVisible(bool(found))
        for position, one in enumerate(found):
            if position:
                self._rows.addWidget(line())
            scale = one.scale
            head = f"{scorer_word(scale.scorer)}, {scale.lowest} to {scale.highest}"
            self._rows.addWidget(label(head, strong=True))
            if one.repeats is not None:
                self._rows.addWidget(label(repeats_words(one), type="small", tone="secondary", wrap=True))
            if not one.marks:
                self._rows.addWidget(label(NOBODY, tone="secondary", wrap=True))
                continue
            for each in (*one.with_people, *one.between):
                self._rows.addWidget(_agreement(each, said.names if said is not None else {}))
        if any(one.marks for one in found):
            self._rows.addWidget(label(KAPPA, type="small", tone="tertiary", wrap=True))


class AgreementCard(Card):
    """In a comparison: how far the scorers of each run agree with people. Hidden where nobody marked."""

    def __init__(self) -> None:
        super().__init__("Judges and people")
        self._rows = column(space=6)
        self.body.addLayout(self._rows)
        self.hide()

    def show_people(self, found: Mapping[str, Sequence[People]]) -> None:
        clear(self._rows)
        self.setVisible(bool(found))
        for run, people in found.items():
            for one in people:
                for each in one.with_people[:1]:
                    self._rows.addWidget(_in_line(run, one, each))
        if found:
            self._rows.addWidget(label(KAPPA.partition(" Weighted")[0], type="small", tone="tertiary", wrap=True))


def _in_line(run: str, one: People, found: Agreement) -> QWidget:
    """One scorer of one run beside all who marked."""
    weighted = len(found.marks) > 2
    kappa = found.weighted if weighted else found.kappa
    head = f"{run.replace('-', ' ').capitalize()}, {scorer_word(one.scale.scorer).lower()}"
    noun = "answer" if found.n == 1 else "answers"
    same = (
        f"Same mark on {found.share.value:.0%} of {found.n} {noun} ({found.share.low:.0%} to {found.share.high:.0%})."
    )
    rest = f"{'Weighted kappa' if weighted else 'Kappa'} {words(kappa)}."
    made = QWidget()
    made.setLayout(
        column(
            label(head, strong=True, wrap=True),
            label(f"{same} {rest}", type="small", tone="secondary", wrap=True),
            space=2,
        )
    )
    made.setAccessibleName(f"{head}: {same} {rest}")
    return made


def repeats_words(one: People) -> str:
    """Whether the judge says the same when it is asked again."""
    repeats = one.repeats
    if repeats is None:
        return ""
    same = repeats.asked - repeats.differed
    return f"Asked {one.scale.asked} times of each answer, it said the same on {same} of {repeats.asked}."


def words(figure: Figure | None) -> str:
    """A figure with its interval."""
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})".replace("-", "−") if figure else "not defined"


def _agreement(found: Agreement, names: Mapping[str, str]) -> QWidget:
    """Two who judged, the figures, and which marks met which where they differ."""

    def who(name: str) -> str:
        return "all people" if name == PEOPLE else names.get(name) or scorer_word(name)

    first, second = who(found.first), who(found.second)
    noun = "answer" if found.n == 1 else "answers"
    made = QWidget()
    layout = column(label(f"{first} and {second}, {found.n} {noun}", type="small", wrap=True), space=2)
    shown = (
        ("Same mark", f"{found.share.value:.0%} ({found.share.low:.0%} to {found.share.high:.0%})"),
        ("Kappa", words(found.kappa)),
        ("Weighted kappa", words(found.weighted)),
    )
    grid = QGridLayout()
    grid.setHorizontalSpacing(look().px(12))
    grid.setVerticalSpacing(look().px(2))
    grid.setColumnStretch(1, 1)
    for place, (what, value) in enumerate(shown if len(found.marks) > 2 else shown[:2]):
        grid.addWidget(label(what, type="small", tone="secondary"), place, 0)
        grid.addWidget(label(value, type="small", strong=True), place, 1)
    layout.addLayout(grid)
    if found.share.value < 1 and found.n:
        layout.addWidget(_table(found, first, second))
    made.setLayout(layout)
    made.setAccessibleName(f"{first} and {second}: " + ", ".join(f"{what} {value}" for what, value in shown))
    return made


def _table(found: Agreement, first: str, second: str) -> QWidget:
    """The confusion table: a line for each mark of the first, a column for each of the second."""
    made = QWidget()
    grid = QGridLayout()
    grid.setContentsMargins(0, look().px(4), 0, 0)
    grid.setHorizontalSpacing(look().px(12))
    grid.setVerticalSpacing(0)
    grid.setColumnStretch(len(found.marks) + 1, 1)
    caption = label(f"Lines: {first}. Columns: {second}.", type="small", tone="tertiary", wrap=True)
    grid.addWidget(caption, 0, 0, 1, len(found.marks) + 2)
    for place, mark in enumerate(found.marks):
        for at in ((1, place + 1), (place + 2, 0)):
            grid.addWidget(label(str(mark), type="small", tone="secondary"), *at, Qt.AlignmentFlag.AlignRight)
        for other, count in enumerate(found.table[place]):
            tone = "primary" if other == place else "secondary"
            cell = label(str(count), type="small", strong=other == place, tone=tone)
            grid.addWidget(cell, place + 2, other + 1, Qt.AlignmentFlag.AlignRight)
    made.setLayout(grid)
    lines = [
        f"{mark}: {', '.join(f'{n} with {other}' for other, n in zip(found.marks, line_of, strict=True) if n)}"
        for mark, line_of in zip(found.marks, found.table, strict=True)
    ]
    made.setAccessibleName(f"Which marks met which. {first} gave " + "; ".join(lines))
    return made
