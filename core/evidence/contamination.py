"""Whether a run asked what an adapter had learned: samples of the run whose question stands word for word in the training's data.

Only datasets that are in the pack and fields that are open are compared; a question that was asked in other words isn't found.
"""

from typing import Any

from core.evidence.lineage import Rows
from core.evidence.origins import Training, dataset_of
from core.evidence.words import count, is_withheld


def learned(rows: Rows, training: Training) -> tuple[str, ...]:
    """The samples of the run that the adapter was trained on, by their ids."""
    own: Any = rows["dataset"][0].record.get("samples") or []
    seen: set[str] = set()
    for source in training.sources:
        row = dataset_of(source, rows)
        samples: Any = (row.record.get("samples") or []) if row is not None else []
        seen |= {_folded(sample.get("input")) for sample in samples} - {""}
    return tuple(str(sample.get("id")) for sample in own if _folded(sample.get("input")) in seen)


def words(rows: Rows, training: Training) -> str:
    """One sentence on it; "" where nothing could be compared."""
    if not any(dataset_of(source, rows) for source in training.sources):
        return ""
    found = learned(rows, training)
    name = training.run.record.get("id")
    rest = " Not all of both is open here." if _withheld(rows, training) else ""
    if not found:
        return f"No question of the run stands word for word in what {name} learned from.{rest}"
    stand = "stands" if len(found) == 1 else "stand"
    told = f"{count(len(found), 'question')} of the run {stand} word for word in what {name} learned from"
    return f"{told}: its figures are too good there.{rest}"


def _withheld(rows: Rows, training: Training) -> bool:
    every = [rows["dataset"][0], *(row for source in training.sources if (row := dataset_of(source, rows)))]
    samples: list[Any] = [sample for row in every for sample in row.record.get("samples") or []]  # type: ignore[union-attr]
    return len(every) <= len(training.sources) or any(is_withheld(sample.get("input")) for sample in samples)


def _folded(value: Any) -> str:
    return " ".join(value.casefold().split()) if isinstance(value, str) else ""
