"""What people say of answers: marks on a run's outcomes, on the scale of one of its scorers, so that judges can be held against people.

A rubric's mark is one of its own; of a pair it is 0 where the first variant's answer is the better one, 1 for a tie, 2 where this one is; of
every other scorer it is 0, doesn't pass, or 1, passes. A mark is a record of its own and changes no score. Who marks an answer again
puts the new mark in the place of the old one, which stays in the vault; a person counts once. Marks go with the run that they are of.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from core.errors import BadInput, NotFound
from core.evals import store
from core.evals.agreement import Agreement, Pair, agreement
from core.evals.records import Outcome, RunView, Score, SpecVersion
from core.evals.scorers import chosen
from core.evals.scoring.judged import Pairwise, Rubric, differed
from core.records import Digest, Record, now
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

LONGEST = 1000
"""Characters of the reason for a mark."""
PEOPLE = "people"
"""Names all people together, where there is more than one."""


class Scale(Record, frozen=True, kw_only=True):
    """The marks that an answer can get for one scorer, `lowest` to `highest`; `words` says of each what it means, where that isn't plain."""

    scorer: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()
    judge: bool = False
    """A model judges by it too."""
    asked: int = 1
    """How many times the judge is asked of each answer; of a pair, in both orders each time."""


class Mark(Record, frozen=True, kw_only=True, tag="mark"):
    """What one person says of one answer."""

    run: Digest
    outcome: Digest
    sample: str
    variant: str
    repetition: int
    scorer: str
    score: int
    lowest: int
    highest: int
    reason: str
    user: str
    made: str


class MarkOutcome(Record, frozen=True, kw_only=True):
    """`run` is the digest of a run; `scorer` may be left out where the run has one judge alone."""

    run: Digest
    sample: str
    variant: str
    score: int
    scorer: str = ""
    repetition: int = 0
    reason: str = ""


class Repeats(Record, frozen=True, kw_only=True):
    """Whether a judge says the same when it is asked again: on how many of the answers that it judged more than once its marks weren't the
    same, or, of a pair, its verdict followed the place."""

    asked: int
    differed: int


class People(Record, frozen=True, kw_only=True):
    """What people say of a run beside one of its scorers: with each of them, and with all together; then they among themselves."""

    scale: Scale
    marks: int
    answers: int
    """How many answers somebody marked."""
    with_people: tuple[Agreement, ...]
    between: tuple[Agreement, ...]
    repeats: Repeats | None = None


def scales(reader: Reader, view: RunView) -> tuple[Scale, ...]:
    """The scales of a run's scorers, judges first."""
    spec = reader.get(view.run.spec, SpecVersion).spec
    found = []
    for label, _, settings in chosen(spec.scorers, spec.scoring):
        if isinstance(settings, Rubric):
            found.append(
                Scale(scorer=label, lowest=settings.lowest, highest=settings.highest, judge=True, asked=settings.repeat)
            )
        elif isinstance(settings, Pairwise):
            words = (f"{view.run.variants[0].name} is better", "A tie", "This one is better")
            found.append(Scale(scorer=label, lowest=0, highest=2, words=words, judge=True, asked=2 * settings.repeat))
        else:
            found.append(Scale(scorer=label, lowest=0, highest=1, words=("Doesn’t pass", "Passes")))
    return tuple(sorted(found, key=lambda scale: not scale.judge))


def mark(vault: Vault, view: RunView, request: MarkOutcome) -> Mark:
    """Keep what a person says of an outcome. Raises `BadInput` for a mark off the scale or a reason that is too long, `NotFound` for an
    outcome or a scorer that the run doesn't have, `Refused`."""
    with vault.read() as reader:
        scale = _scale(scales(reader, view), request.scorer, view.run.id)
        digest, outcome = _outcome(reader, view, request)
    if not scale.lowest <= request.score <= scale.highest:
        problem = f"{scale.scorer} is marked {scale.lowest} to {scale.highest}."
        raise BadInput(source=f"mark {request.score}", problem=problem)
    if len(request.reason) > LONGEST:
        raise BadInput(source="reason", problem=f"it may have {LONGEST:,} characters.")
    if outcome.answer is None:
        raise BadInput(source=f"sample {request.sample}", problem="it got no answer, so there is nothing to mark.")
    if scale.words and scale.judge and request.variant == view.run.variants[0].name:
        raise BadInput(source=request.variant, problem="the others are compared with it. Mark another variant.")
    made = Mark(
        run=view.digest,
        outcome=digest,
        sample=request.sample,
        variant=request.variant,
        repetition=request.repetition,
        scorer=scale.scorer,
        score=request.score,
        lowest=scale.lowest,
        highest=scale.highest,
        reason=request.reason.strip(),
        user=vault.user.user,
        made=now(),
    )
    with vault.write(Act.MARK_OUTCOME, about=f"{view.run.id}, sample {request.sample}, {scale.scorer}") as unit:
        kept = unit.put(made, links=(view.digest, digest))
        store.add_mark(unit, view.digest, digest, scale.scorer, made.user, kept)
    return made


def marks(reader: Reader, run: Digest) -> tuple[Mark, ...]:
    """The marks of a run that count: the latest of each person on each answer, for each scorer."""
    return tuple(reader.get(digest, Mark) for digest in store.marks(reader, run))


def people(reader: Reader, view: RunView) -> tuple[People, ...]:
    """What people say beside each judge of a run, and beside every other scorer that somebody marked by."""
    given = marks(reader, view.digest)
    own = scales(reader, view)
    wanted = [scale for scale in own if scale.judge or any(one.scorer == scale.scorer for one in given)]
    if not wanted:
        return ()
    outcomes = dict(store.outcomes(reader, view.digest))
    return tuple(_people(scale, given, outcomes, view.run.seed) for scale in wanted)


def of_runs(reader: Reader, views: Iterable[RunView]) -> dict[str, tuple[People, ...]]:
    """By a run's id, what people say beside its scorers; runs that nobody marked are not among them."""
    marked = [view for view in views if store.marks(reader, view.digest)]
    return {view.run.id: tuple(one for one in people(reader, view) if one.marks) for view in marked}


def judged(scale: Scale, score: Score) -> int:
    """A scorer's value as a mark on the scale, to the nearest, halves upwards."""
    if not scale.judge:
        return int(score.passed)
    return scale.lowest + math.floor(score.value * (scale.highest - scale.lowest) + 0.5)


def _people(scale: Scale, marks: Sequence[Mark], outcomes: dict[Digest, Outcome], seed: int) -> People:
    own = [one for one in marks if one.scorer == scale.scorer and one.outcome in outcomes]
    machine = {
        digest: judged(scale, score)
        for digest, outcome in outcomes.items()
        for score in outcome.scores
        if score.scorer == scale.scorer
    }
    users = sorted({one.user for one in own})
    by_user = {user: {one.outcome: one.score for one in own if one.user == user} for user in users}
    sample = {one.outcome: one.sample for one in own}

    def pairs(first: dict[Digest, int], second: dict[Digest, int]) -> list[Pair]:
        return [Pair(sample[at], first[at], second[at]) for at in second if at in first]

    found = [agreement(scale.scorer, user, pairs(machine, by_user[user]), seed) for user in users]
    if len(users) > 1:
        together = [pair for user in users for pair in pairs(machine, by_user[user])]
        found.insert(0, agreement(scale.scorer, PEOPLE, together, seed))
    between = [agreement(a, b, pairs(by_user[a], by_user[b]), seed) for a, b in combinations(users, 2)]
    return People(
        scale=scale,
        marks=len(own),
        answers=len({one.outcome for one in own}),
        with_people=tuple(found),
        between=tuple(one for one in between if one.n),
        repeats=_repeats(scale, outcomes.values()) if scale.asked > 1 else None,
    )


def _repeats(scale: Scale, outcomes: Iterable[Outcome]) -> Repeats | None:
    found = [differed(score.reason) for outcome in outcomes for score in outcome.scores if score.scorer == scale.scorer]
    return Repeats(asked=len(found), differed=sum(found)) if found else None


def _scale(known: Sequence[Scale], scorer: str, run: str) -> Scale:
    judges = [scale for scale in known if scale.judge] or list(known)
    if not scorer and len(judges) == 1:
        return judges[0]
    found = next((scale for scale in known if scale.scorer == scorer), None)
    if found is None:
        names = ", ".join(scale.scorer for scale in known)
        if not scorer:
            raise BadInput(source=run, problem=f"say which scorer the mark is for, with --scorer: {names}.")
        raise NotFound(kind="scorer", name=scorer, step=f"{run} has: {names}.")
    return found


def _outcome(reader: Reader, view: RunView, request: MarkOutcome) -> tuple[Digest, Outcome]:
    digest = store.outcome(reader, view.digest, request.variant, request.sample, request.repetition)
    if digest is None:
        names = ", ".join(variant.name for variant in view.run.variants)
        step = f"`assay eval show {view.run.id} --outcomes` shows what there is; its variants: {names}."
        raise NotFound(kind="outcome", name=f"{request.sample} under {request.variant}", step=step)
    return digest, reader.get(digest, Outcome)
