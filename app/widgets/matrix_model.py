"""What the matrix of a run shows: variants, samples, their cells, the filters, and the model that a view asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, Qt

from app.widgets.table import _NOWHERE, Index


class Outcome(StrEnum):
    """How a sample went with a variant; the value is the word for it."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class MatrixCell:
    """One answer. `score` is already written out; `reason` says why it failed or what went wrong."""

    outcome: Outcome
    answer: str = ""
    reason: str = ""
    score: str = ""
    citations: tuple[int, ...] = ()
    cached: bool = False


@dataclass(frozen=True)
class MatrixSample:
    """One row: the sample's id, where its answer is, its question, and its cells in the order of the variants."""

    id: str
    where: str
    question: str
    cells: tuple[MatrixCell, ...]

    @property
    def different(self) -> bool:
        return len({cell.outcome for cell in self.cells if cell.outcome is not Outcome.NOT_RUN}) > 1

    def has(self, outcome: Outcome) -> bool:
        return any(cell.outcome is outcome for cell in self.cells)


@dataclass(frozen=True)
class Variant:
    """One column: its name, what it ran with, and how many passed of how many."""

    name: str
    model: str
    passed: int
    total: int
    baseline: bool = False


FILTERS = (("all", "All"), ("failed", "Failed"), ("passed", "Passed"), ("errors", "Errors"), ("different", "Different"))


def matches(sample: MatrixSample, name: str) -> bool:
    """Whether a sample belongs under one of `FILTERS`. Passed means with every variant."""
    if name == "failed":
        return sample.has(Outcome.FAILED)
    if name == "passed":
        return all(cell.outcome is Outcome.PASSED for cell in sample.cells)
    if name == "errors":
        return sample.has(Outcome.ERROR)
    if name == "different":
        return sample.different
    return True


class MatrixModel(QAbstractTableModel):
    CellRole = Qt.ItemDataRole.UserRole + 1
    SampleRole = Qt.ItemDataRole.UserRole + 2

    def __init__(self) -> None:
        super().__init__()
        self.variants: tuple[Variant, ...] = ()
        self.samples: tuple[MatrixSample, ...] = ()

    def show(self, variants: Sequence[Variant], samples: Sequence[MatrixSample]) -> None:
        self.beginResetModel()
        self.variants, self.samples = tuple(variants), tuple(samples)
        self.endResetModel()

    def put(self, samples: Mapping[str, MatrixSample], variants: Sequence[Variant]) -> None:
        """Show other cells for shown samples; the view keeps its place."""
        self.variants = tuple(variants)
        self.samples = tuple(samples.get(sample.id, sample) for sample in self.samples)
        for position, sample in enumerate(self.samples):
            if sample.id in samples:
                self.dataChanged.emit(self.index(position, 0), self.index(position, len(self.variants) - 1))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.variants) - 1)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.samples)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.variants)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        sample = self.samples[index.row()]
        cell = sample.cells[index.column()]
        if role == self.CellRole:
            return cell
        if role == self.SampleRole:
            return sample
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.answer
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(part for part in (cell.answer, cell.reason) if part)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = [f"{sample.id}, {self.variants[index.column()].name}: {cell.outcome.value}"]
            if cell.score:
                words.append(f"score {cell.score}")
            words += [part for part in (cell.reason, cell.answer) if part]
            return ", ".join(words)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        if orientation == Qt.Orientation.Horizontal:
            variant = self.variants[section]
            return f"{variant.name}, {variant.model}, {variant.passed} of {variant.total} passed"
        sample = self.samples[section]
        return f"{sample.id} {sample.where} {sample.question}"
