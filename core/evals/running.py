"""A run at work: its answers, their scores, and how both get into the vault as they come.

Rules: what was made is written at most `Work.every` seconds later, and at the end in any case; what waits for judges is written like what is final.
Progress is counted in samples, with judges in steps, of which each sample has one for its answer and one for each judge's model; beside it stands
the time that is left.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from core.evals import answered, resuming
from core.evals.answers import Answers
from core.evals.cache import Place, place
from core.evals.judging import ANSWERING, judged_last
from core.evals.pace import Pace
from core.evals.records import Done, Outcome
from core.evals.scoring.scores import Scores
from core.evals.tasks import Task
from core.jobs import Job
from core.records import Digest
from core.vault.roles import Act
from core.vault.vault import Vault


@dataclass(frozen=True)
class Work:
    """What a run has to do, and with what."""

    vault: Vault
    run: Digest
    order: tuple[Task, ...]
    """The tasks that have no final outcome."""
    answers: Answers
    scores: Scores
    write: Callable[[list[Outcome]], None]
    """Records final outcomes, and empties the list."""
    every: float
    """Seconds."""


def outcomes(work: Work, done: list[Outcome], job: Job, watch: Callable[[Done], None] | None) -> Iterator[Outcome]:
    """The final outcomes that are missing. `done` are those that the run has; whoever reads adds each one there before asking for the next.

    Raises `Cancelled`, `DiskFull`."""
    judges = work.scores.judges
    total = len(done) + len(work.order)
    waiting = _waiting(work) if judges else {}
    steps = total * (1 + judges)
    taken = len(done) * (1 + judges) + sum(1 + stage for stage, _ in waiting.values())
    unit = "steps" if judges else "samples"
    batch: list[Outcome] = []
    held: list[tuple[int, Outcome]] = []
    written = time.monotonic()

    def write(now: bool = False) -> None:
        nonlocal written
        if now or time.monotonic() - written >= work.every:
            _write_waiting(work, held)
            work.write(batch)
            written = time.monotonic()

    def keep(stage: int, outcome: Outcome) -> None:
        held.append((stage, outcome))
        write()

    def tell(phase: str) -> None:
        nonlocal taken
        taken += 1
        left = steps - taken if phase != ANSWERING else unanswered - (taken - before)
        job.report(taken, steps, f"{unit}, {phase}" if phase else unit, pace.step(phase, left))

    tasks = resuming.left(work.order, [outcome for _, outcome in waiting.values()])
    pace, unanswered, before = Pace(), len(tasks), taken
    try:
        job.report(taken, steps, unit)
        with closing(work.answers.each(tasks)) as asked:
            if judges:
                found = judged_last(work.order, asked, work.scores, tuple(done), waiting, keep, tell)
            else:
                found = work.scores.of(asked)
            for outcome in found:
                batch.append(outcome)
                write()
                yield outcome
                if watch is not None:
                    watch(Done(done=len(done), total=total, outcome=outcome))
                if not judges:
                    tell("")
        job.report(steps, steps, unit)
    finally:
        write(now=True)


def _waiting(work: Work) -> dict[Place, tuple[int, Outcome]]:
    """What a run that was cut off has of its tasks: answers that wait for judges."""
    wanted = {(task.variant.name, task.sample.id, task.repetition) for task in work.order}
    with work.vault.read() as reader:
        found = {place(outcome): (stage, outcome) for stage, outcome in answered.outcomes(reader, work.run)}
    return {its: waits for its, waits in found.items() if its in wanted}


def _write_waiting(work: Work, held: list[tuple[int, Outcome]]) -> None:
    if held:
        with work.vault.write(Act.RUN_EVALUATION, about=f"{len(held)} answers") as unit:
            for stage, outcome in held:
                answered.keep(unit, work.run, stage, (outcome,))
        held.clear()
