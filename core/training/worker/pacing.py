"""How long a run would take, from a few of its own steps: what a step costs by its size, and what measuring, checkpoints, samples and recall add.

A step's time is taken to be a line over its tokens with their padding, through the smallest, a middle and the largest step of the first epoch. The
first step of all, which allocates, is counted once. What follows the last step (recall, planted sentences) is counted too; an evaluation isn't,
because another process does it.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from core.training.settings import Settings
from core.training.worker import answering, batches
from core.training.worker.batches import Row
from core.training.worker.encoding import Encoding
from core.training.worker.memorising import AT_ONCE, CANDIDATES, LONGEST

Step = list[list[Row]]
FEW: Final = 5
"""Tokens that are answered to learn what one takes."""


class Paced(NamedTuple):
    """Seconds: of the first step beyond what it would take later, of a step by its place in an epoch, of a held-out measurement and of a padded token
    in it, of a checkpoint, of the first and of each further token of an answer."""

    first: float
    steps: tuple[float, ...]
    measured: float
    token_measured: float
    saved: float
    asked: float
    token: float


def padded(rows: Sequence[Row]) -> int:
    """Tokens of a batch as it is computed, with its padding."""
    return len(rows) * max((sum(one.size for one in row) for row in rows), default=0)


def size(step: Step) -> int:
    """The same of a step."""
    return sum(map(padded, step))


def first_epoch(examples: Sequence[Encoding], settings: Settings, window: int) -> list[Step]:
    """The steps of the first epoch."""
    waiting = batches.epoch(examples, settings, 0, window)
    each = settings.accumulation
    return [waiting[start : start + each] for start in range(0, len(waiting), each)]


def typical(steps: Sequence[Step]) -> list[Step]:
    """The smallest, a middle and the largest of these, each once."""
    order = sorted(range(len(steps)), key=lambda place: size(steps[place]))
    places = dict.fromkeys((order[0], order[len(order) // 2], order[-1]))
    return [steps[place] for place in places]


def line(taken: Sequence[tuple[int, float]]) -> Callable[[int], float]:
    """Seconds by size: the line with the least squares through these, which never falls and never goes below nothing."""
    count = len(taken)
    middle, mean = sum(s for s, _ in taken) / count, sum(t for _, t in taken) / count
    spread = sum((s - middle) ** 2 for s, _ in taken)
    slope = sum((s - middle) * (t - mean) for s, t in taken) / spread if spread else mean / max(1.0, middle)
    slope = min(max(0.0, slope), mean / max(1.0, middle))
    return lambda wanted: mean + slope * (wanted - middle)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def paced(
    run: Any,
    settings: Settings,
    epoch: Sequence[Step],
    held: Sequence[Encoding],
    first: tuple[int, float],
    taken: Sequence[tuple[int, float]],
    words: Any,
    call: Any,
) -> Paced:
    """What each part of the run takes, of which `first` and `taken` are the sizes and seconds of steps. Measures once on the longest held-out
    examples and saves the state, as a run does."""
    pace = line(taken)
    measured = each = asked = token = 0.0
    if held:
        some = sorted(held, key=lambda one: -one.size)[: settings.batch]
        took = timed(lambda: run.note(run.measure(some, settings, call), settings))
        each = took / padded([(one,) for one in some])
        measured = took * sum(one.size for one in held) / sum(one.size for one in some)
    saved = timed(run.saved)
    if settings.recall or (settings.samples and held):
        given = answering.parts(held[0] if held else epoch[0][0][0][0])[0]
        asked = timed(lambda: answering.answered(run.model, given, 1, words, run.device))
        few = timed(lambda: answering.answered(run.model, given, FEW, words, run.device))
        token = max(0.0, few - asked) / (FEW - 1)
    steps = tuple(pace(size(step)) for step in epoch)
    return Paced(max(0.0, first[1] - pace(first[0])), steps, measured, each, saved, asked, token)


def whole(
    paced: Paced, settings: Settings, steps: int, learned: Sequence[Encoding], held: Sequence[Encoding], planted: int
) -> float:
    """Seconds of a run of so many steps. `planted`: tokens of the planted sentences, each once."""
    each = paced.steps
    rounds, rest = divmod(steps, len(each))
    found = paced.first + rounds * sum(each) + sum(each[:rest])
    if held:
        found += (-(-steps // settings.evaluate_every)) * paced.measured
    kept = -(-steps // settings.checkpoint_every)
    found += kept * paced.saved
    if held:
        found += kept * sum(_answer(paced, len(one.ids) - one.start) for one in held[: settings.samples])
    if settings.recall:
        found += 2 * sum(_answer(paced, _rest(one)) for one in learned[: settings.recall])
        found += sum(_answer(paced, _rest(one)) for one in held[: settings.recall])
    if planted:
        found += 2 * (CANDIDATES + 1) * planted * paced.token_measured * (1 + 1 / AT_ONCE)
    return found


def _rest(one: Encoding) -> int:
    return min(LONGEST, len(one.ids) - (one.start or len(one.ids) // 2))


def _answer(paced: Paced, tokens: int) -> float:
    return paced.asked + max(0, tokens - 1) * paced.token
