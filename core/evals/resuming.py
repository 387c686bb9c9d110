"""Going on with a run that was stopped or cut off: nothing that was recorded is done again, and nothing else is taken for it.

Rules: the same spec version, samples, prompt versions, models, adapters, scorers' instruments and documents, or the run isn't resumed. One
process works on a run at a time.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from core.errors import BadInput
from core.evals.records import Instrument, Outcome, Run, RunView, Variant
from core.evals.tasks import Task
from core.records import Digest
from core.vault import under_way

AT_WORK = "it is at work. Wait for it, or stop it first."


def working(run: Digest, name: str) -> AbstractContextManager[None]:
    """Whoever works on a run. Raises `BadInput` while somebody does."""
    return under_way.alone(run, name, AT_WORK)


def check(
    view: RunView,
    variants: tuple[Variant, ...],
    documents: tuple[tuple[Digest, ...], Digest],
    instruments: tuple[Instrument, ...],
) -> None:
    """Raise `BadInput` for a run that is over, or that would go on with something else than it began with."""
    run = view.run
    if view.status == "finished":
        raise BadInput(source=run.id, problem="it is finished. Run its spec again for another run.")
    check_same(run, variants, documents, instruments)


def check_same(
    run: Run,
    variants: tuple[Variant, ...],
    documents: tuple[tuple[Digest, ...], Digest],
    instruments: tuple[Instrument, ...],
) -> None:
    """Raise `BadInput` when what a run rests on isn't what it was."""
    changed = _changed(run, variants, documents, instruments)
    if changed:
        problem = f"{changed} changed since it started. Run {run.spec_reference} again instead."
        raise BadInput(source=run.id, problem=problem)


def left(tasks: Sequence[Task], done: Sequence[Outcome]) -> list[Task]:
    """The tasks without an outcome, in their order."""
    there = {(outcome.variant, outcome.sample, outcome.repetition) for outcome in done}
    return [task for task in tasks if (task.variant.name, task.sample.id, task.repetition) not in there]


def _changed(
    run: Run,
    variants: tuple[Variant, ...],
    documents: tuple[tuple[Digest, ...], Digest],
    instruments: tuple[Instrument, ...],
) -> str:
    if run.variants != variants:
        return "a prompt, a model or an adapter"
    if (set(run.documents), run.embedder) != (set(documents[0]), documents[1]):
        return "the documents"
    return "what its scorers rest on" if run.instruments != instruments else ""
