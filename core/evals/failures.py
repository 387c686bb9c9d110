"""The samples that a run failed, with what went wrong, to be kept as samples of another dataset."""

from core.datasets.records import Dataset, Sample
from core.evals.records import Outcome
from core.evals.service import Evals
from core.vault.vault import Vault

LONGEST = 2_000
"""Characters of a wrong answer that a note repeats."""


def failures(vault: Vault, evals: Evals, run: str) -> tuple[tuple[Sample, str], ...]:
    """Each sample with an outcome that didn't pass, in the dataset's order, and by variant what was answered. Raises `NotFound`."""
    view = evals.show(run)
    with vault.read() as reader:
        samples = reader.get(view.run.dataset, Dataset).samples
    failed: dict[str, list[str]] = {}
    for _, outcome in evals.outcomes(run):
        if not outcome.passed:
            failed.setdefault(outcome.sample, []).append(_said(outcome))
    return tuple((sample, "\n\n".join(failed[sample.id])) for sample in samples if sample.id in failed)


def _said(outcome: Outcome) -> str:
    answer = outcome.error or (outcome.answer.answer if outcome.answer is not None else "")
    wrong = ", ".join(score.scorer for score in outcome.scores if not score.passed)
    return f"{outcome.variant}{f' ({wrong})' if wrong else ''}: {answer[:LONGEST]}"
