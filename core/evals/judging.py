"""Runs with judges: every answer of every variant first, then the judges, one model after the other.

Rules: an answer is recorded before a judge sees it, and again after each judge's model but the last, so that a run that was cut off in either
phase asks nothing twice; two models don't take turns. The first variant's answers, which the others are compared with, are those that it gave,
whatever became of their scores.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from core.assistants.records import Answer
from core.datasets.records import Sample
from core.evals.cache import Place, place
from core.evals.records import Outcome
from core.evals.scoring.scores import Scores
from core.evals.tasks import Task

Keep = Callable[[int, Outcome], None]
Tell = Callable[[str], None]
ANSWERING, JUDGING = "answering", "judging"


def judged_last(
    tasks: Sequence[Task],
    asked: Iterable[tuple[Sample, Outcome]],
    scores: Scores,
    earlier: Sequence[Outcome],
    waiting: Mapping[Place, tuple[int, Outcome]],
    keep: Keep,
    tell: Tell,
) -> Iterator[Outcome]:
    """The final outcomes of `tasks`, in their order. `asked` makes those answers that are not in `waiting`, which has (judges' models that have
    spoken, outcome) of what a run that was cut off had recorded. `keep` is given what waits, with that number; `tell` how the phase goes.
    """
    held = dict(waiting)
    variants = {task.variant.name: task.variant for task in tasks}
    for sample, outcome in asked:
        made = scores.at_once(sample, outcome, variants[outcome.variant])
        held[place(made)] = (0, made)
        keep(0, made)
        tell(ANSWERING)
    first = scores.first
    baselines: dict[tuple[str, int], Answer] = {
        (outcome.sample, outcome.repetition): outcome.answer
        for outcome in (*earlier, *(outcome for _, outcome in held.values()))
        if outcome.variant == first and outcome.answer is not None
    }
    last = scores.judges - 1
    for stage in range(scores.judges):
        for task in tasks:
            its = (task.variant.name, task.sample.id, task.repetition)
            done, outcome = held[its]
            if done <= stage:
                other = baselines.get((task.sample.id, task.repetition)) if task.variant.name != first else None
                outcome = scores.judged(stage, task.sample, outcome, task.variant, other)
                held[its] = (stage + 1, outcome)
                if stage < last:
                    keep(stage + 1, outcome)
                tell(JUDGING)
            if stage == last:
                yield outcome
