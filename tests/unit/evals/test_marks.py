"""What people say of answers: kept beside the scores, changed by marking again, refused off the scale, compared, and gone with their run."""

from types import SimpleNamespace

import msgspec
import pytest

from core.datasets.records import Sample
from core.errors import BadInput, NotFound
from core.evals import marks, store
from core.evals.marks import MarkOutcome, Scale
from core.evals.records import Outcome, RunSpec, RunView, Score
from core.evals.scoring.base import Case, Tools
from core.evals.scoring.judged import Pairwise, Rubric, _pairwise, _rubric, differed
from core.jobs import Job
from core.records import Digest
from tests.unit.evals.scoring.answers import answered
from tests.unit.evals.towers import SPEC

ANSWER = answered("Nine.")
QUOTES = msgspec.structs.replace(SPEC, prompts=(), models=(), criteria=(), scorers=("contains",))


@pytest.fixture
def view(study: SimpleNamespace) -> RunView:
    study.evals.save(QUOTES)
    view: RunView = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    return view


def given(study: SimpleNamespace, view: RunView, sample: str, score: int, **more: str | int) -> marks.Mark:
    request = MarkOutcome(run=view.digest, sample=sample, variant="quotes", score=score)
    return marks.mark(study.vault, view, msgspec.structs.replace(request, **more))


def test_a_person_is_held_against_a_scorer(study: SimpleNamespace, view: RunView) -> None:
    with study.vault.read() as reader:
        assert marks.people(reader, view) == (), "no judge, and nobody has marked"
    own = {score.scorer: score for _, outcome in study.evals.outcomes("run-1") for score in outcome.scores}
    assert own.keys() == {"contains"}
    given(study, view, "q1", 1, reason="it says nine")
    given(study, view, "q2", 1)
    given(study, view, "q2", 0, scorer="contains")
    before = study.evals.show("run-1")
    assert before == view, "no score changes"
    with study.vault.read() as reader:
        (found,) = marks.people(reader, view)
        kept = {mark.sample: mark.score for mark in marks.marks(reader, view.digest)}
    assert kept == {"q1": 1, "q2": 0}, "the second mark stands in the place of the first"
    assert (found.scale.scorer, found.marks, found.answers, found.repeats) == ("contains", 2, 2, None)
    (alone,) = found.with_people
    assert (alone.first, alone.second, alone.n) == ("contains", study.vault.user.user, 2)
    assert found.between == ()


def test_what_cannot_be_marked(study: SimpleNamespace, view: RunView) -> None:
    with pytest.raises(BadInput, match="contains is marked 0 to 1"):
        given(study, view, "q1", 2)
    with pytest.raises(NotFound, match="no outcome q9 under quotes"):
        given(study, view, "q9", 1)
    with pytest.raises(NotFound, match=r"no scorer rubric\. run-1 has: contains"):
        given(study, view, "q1", 1, scorer="rubric")
    with pytest.raises(BadInput, match="1,000 characters"):
        given(study, view, "q1", 1, reason="x" * 1001)
    with study.vault.read() as reader:
        assert marks.marks(reader, view.digest) == ()


def test_marks_are_parts_of_their_run(study: SimpleNamespace, view: RunView) -> None:
    given(study, view, "q1", 1)
    given(study, view, "q1", 0)
    with study.vault.read() as reader:
        kinds = [reader.kind(part) for part in store.parts(reader, view.digest)]
    assert kinds.count("mark") == 2, "the one that was replaced too: what is erased is erased whole"


def test_two_people_and_a_judge() -> None:
    """Between the judge and each, with both together, and between the two."""
    scale = Scale(scorer="rubric", lowest=1, highest=5, judge=True, asked=2)
    values, ann, ben = (1, 2, 3, 5), (1, 2, 4, 5), (1, 3, 4, 5)
    outcomes, given = {}, []
    for place, value in enumerate(values):
        reason = "2.5 of 5 (2, 3): fair" if place == 1 else f"{value} of 5: fair"
        score = Score(scorer="rubric", value=(value - 1) / 4, passed=True, reason=reason)
        outcome = Outcome(run=Digest("r"), sample=f"s{place}", variant="v", answer=None, scores=(score,))
        outcomes[Digest(f"o{place}")] = outcome
        for user, marked in (("ann", ann), ("ben", ben)):
            given.append(
                marks.Mark(
                    run=Digest("r"), outcome=Digest(f"o{place}"), sample=outcome.sample, variant="v", repetition=0, scorer="rubric",
                    score=marked[place], lowest=1, highest=5, reason="", user=user, made="2026-01-31T10:00:00Z",
                )
            )  # fmt: skip
    found = marks._people(scale, given, outcomes, seed=0)
    assert [(a.first, a.second, a.n, a.share.value) for a in found.with_people] == [
        ("rubric", "people", 8, 0.625),
        ("rubric", "ann", 4, 0.75),
        ("rubric", "ben", 4, 0.5),
    ]
    assert [(a.first, a.second, a.n, a.share.value) for a in found.between] == [("ann", "ben", 4, 0.75)]
    assert found.repeats == marks.Repeats(asked=4, differed=1)


@pytest.mark.parametrize(("value", "mark"), [(0.0, 1), (0.5, 3), (0.625, 4), (0.6, 3), (1.0, 5)])
def test_a_judge_s_value_as_a_mark(value: float, mark: int) -> None:
    scale = Scale(scorer="rubric", lowest=1, highest=5, judge=True)
    assert marks.judged(scale, Score(scorer="rubric", value=value, passed=True)) == mark


@pytest.mark.parametrize("says", [(3, 3), (3, 4)])
def test_a_judge_that_differs_with_itself_is_seen(says: tuple[int, int]) -> None:
    tools = Tools(decide=lambda decision: {"reason": "It is: so (1, 2).", "verdict": says[decision.time]})
    case = Case(Sample(id="1", input="Why?"), ANSWER, tools, None, None)
    _, _, reason = _rubric(case, Rubric(rubric="judge@1", model="m", repeat=2))
    assert differed(reason) is (says == (3, 4))


@pytest.mark.parametrize("follows", [True, False])
def test_a_judge_that_follows_the_place_is_seen(follows: bool) -> None:
    asked: list[int] = []

    def decide(_: object) -> dict[str, str]:
        asked.append(1)
        return {"reason": "better", "verdict": "first" if follows or len(asked) == 1 else "second"}

    case = Case(Sample(id="1", input="Why?"), ANSWER, Tools(decide=decide), None, ANSWER)
    _, _, reason = _pairwise(case, Pairwise(rubric="judge@1", model="m"))
    assert differed(reason) is follows


@pytest.mark.parametrize(
    ("says", "differs"),
    [
        (("first", "second", "first", "second"), False),
        (("second", "first", "second", "first"), False),
        (("tie", "tie", "tie", "tie"), False),
        (("first", "second", "second", "first"), True),
        (("first", "second", "tie", "tie"), True),
        (("first", "tie", "tie", "second"), True),
    ],
)
def test_a_judge_of_pairs_that_differs_with_itself_in_no_place_s_favour_is_seen(
    says: tuple[str, ...], differs: bool
) -> None:
    verdicts = iter(says)
    tools = Tools(decide=lambda _: {"reason": "; its verdicts differed: so", "verdict": next(verdicts)})
    case = Case(Sample(id="1", input="Why?"), ANSWER, tools, None, ANSWER)
    _, _, reason = _pairwise(case, Pairwise(rubric="judge@1", model="m", repeat=2))
    assert differed(reason) is differs
