"""Scorers: what is measured of one answer against one sample. The registry; each kind has its file in `core.evals.scoring`.

A scorer that doesn't apply to a sample leaves it out of its metric rather than counting it as failed. Text is compared after Unicode NFKC, case
folding, folding of white space and removal of citation marks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.assistants.records import Answer
from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.records import Score
from core.evals.scoring import (
    asked_back,
    bertscore,
    choice,
    contract,
    judged,
    numbers,
    overlap,
    plugins,
    reading,
    retrieval,
    schema,
    similarity,
    text,
)
from core.evals.scoring.base import SEPARATOR, Asked, Case, Registry, Tools, Use, normalised
from core.trust.canonical import canonical

__all__ = ["SCORERS", "chosen", "listed", "normalised", "score_answer"]

SCORERS = Registry(
    (
        *text.SCORERS,
        *retrieval.SCORERS,
        *reading.SCORERS,
        *numbers.SCORERS,
        *choice.SCORERS,
        *schema.SCORERS,
        *contract.SCORERS,
        *overlap.SCORERS,
        *similarity.SCORERS,
        *bertscore.SCORERS,
        *asked_back.SCORERS,
        *judged.SCORERS,
        *plugins.SCORERS,
    )
)
"""By name. A label such as `regex:date` finds the scorer before its colon."""


def chosen(labels: Sequence[str], scoring: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Use, ...]:
    """The scorers of those labels with their settings. Raises `BadInput` for one that doesn't exist or has no such settings."""
    settings = scoring or {}
    for label in settings:
        if label not in labels:
            raise BadInput(source=f"scorer {label}", problem="it has settings and is not among the scorers.")
    for label in labels:
        name, colon, rest = label.partition(SEPARATOR)
        if list(labels).count(label) > 1 or (colon and not rest.strip()):
            raise BadInput(source=f"scorer {label}", problem=f"give each a label of its own, as {name}:first.")
    return tuple(SCORERS.use(label, settings.get(label, {})) for label in labels)


def score_answer(
    uses: tuple[Use, ...],
    sample: Sample,
    answer: Answer,
    tools: Tools | None = None,
    asked: Asked | None = None,
    baseline: Answer | None = None,
) -> tuple[Score, ...]:
    """What each scorer that applies says. Raises what its tools raise (`Unavailable`, `WorkerFailed`, `Unsupported`, …)."""
    case = Case(sample, answer, tools or Tools(), asked, baseline)
    scores = []
    for label, scorer, settings in uses:
        if scorer.applies(case):
            value, passed, reason = scorer.score(case, settings)
            scores.append(Score(scorer=label, value=round(value, 6), passed=passed, reason=reason))
    return tuple(scores)


def listed(entries: Sequence[object], source: str) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """(labels, settings by label) of a spec's list of scorers: names, or `{name: numeric, tolerance: 0.01}` with `label` where it needs one.

    Raises `BadInput`.
    """
    labels: list[str] = []
    scoring: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if isinstance(entry, str):
            labels.append(entry)
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadInput(
                source=source, problem="a scorer is a name, or a name with settings: {name: numeric, tolerance: 0.01}."
            )
        label = f"{entry['name']}{SEPARATOR}{entry['label']}" if "label" in entry else entry["name"]
        settings = msgspec.to_builtins(
            {str(key): value for key, value in entry.items() if key not in ("name", "label")}
        )
        canonical(settings)
        labels.append(label)
        if settings:
            scoring[label] = settings
    return labels, scoring
