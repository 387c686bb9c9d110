"""What a redacted pack withholds, by field, and which scores nobody can work out again without it.

Counts, means and verdicts rest on the scores, which a pack can't withhold: they are recounted whatever is missing. A score itself was
worked out from an answer and a sample; where what it rests on is withheld, it stands as signed, and a reader is told so.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.evidence.commitments import Path
from core.evidence.opened import Row
from core.evidence.records import LostMetric, WithheldField

RESTS: Mapping[str, frozenset[str]] = {
    "exact": frozenset({"answer.answer", "samples.target", "samples.targets", "samples.answer"}),
    "contains": frozenset({"answer.answer", "samples.target", "samples.targets"}),
    "citation_correct": frozenset({"answer.citations", "samples.document"}),
    "groundedness": frozenset({"answer.sentences", "answer.unsupported"}),
    "refusal": frozenset(),
    "latency": frozenset(),
}
"""What a scorer of that name looks at, among the fields that can be withheld; one that isn't here may look at all of them."""


def field_name(path: Path) -> str:
    """The field at that place of a record, whichever item of a list it is in: `samples.target`."""
    return ".".join(step for step in path if isinstance(step, str))


def fields(rows: Mapping[str, tuple[Row, ...]]) -> tuple[WithheldField, ...]:
    """How many of each field are withheld, by name (`outcome answer.answer`)."""
    found = Counter(f"{kind} {field_name(path)}" for kind, some in rows.items() for row in some for path in row.hidden)
    return tuple(WithheldField(field=name, count=count) for name, count in sorted(found.items()))


def lost(rows: Mapping[str, tuple[Row, ...]]) -> tuple[LostMetric, ...]:
    """The metrics with scores that can't be worked out again, in order of variant and metric; none where none rests on what is withheld."""
    gone: dict[str, set[str]] = {}
    dataset = rows["dataset"][0]
    samples: Any = dataset.record["samples"]
    for path in dataset.hidden:
        gone.setdefault(str(samples[int(path[1])]["id"]), set()).add(field_name(path))
    measured: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    for row in rows["outcome"]:
        outcome: Any = row.record
        missing = gone.get(outcome["sample"], set()) | {field_name(path) for path in row.hidden}
        for score in outcome["scores"]:
            metric = str(outcome["variant"]), str(score["scorer"])
            measured[metric] += 1
            missed[metric] += bool(missing & RESTS.get(metric[1], missing))
    return tuple(
        LostMetric(variant=variant, metric=metric, samples=count, of=measured[variant, metric])
        for (variant, metric), count in sorted(missed.items())
        if count
    )
