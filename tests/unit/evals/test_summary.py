import pytest
from msgspec.structs import replace

from core.errors import BadInput
from core.evals.files import checked
from core.evals.records import Criterion, Outcome, Score, Spec
from core.evals.summary import differences, judge, summarise
from core.records import Digest

RUN = Digest("0" * 64)


def outcome(variant: str, sample: int, value: float, error: str = "") -> Outcome:
    scores = () if error else (Score(scorer="contains", value=value, passed=value == 1.0),)
    return Outcome(run=RUN, sample=f"{sample:02}", variant=variant, answer=None, scores=scores, error=error)


OUTCOMES = [
    *(outcome("a", sample, float(sample < 5)) for sample in range(20)),
    *(outcome("b", sample, float(sample < 15)) for sample in range(19)),
    outcome("b", 19, 0.0, error="the model stopped"),
]


def test_a_metric_leaves_errors_out_and_counts_them() -> None:
    result = summarise("b", OUTCOMES, ("contains",), seed=1)
    (metric,) = result.metrics
    assert (metric.n, result.passed, result.failed, result.errors) == (19, 15, 4, 1)
    assert metric.value == pytest.approx(15 / 19, abs=1e-6)
    assert metric.low < metric.value < metric.high


def test_differences_are_paired_by_sample() -> None:
    (found,) = differences(["a", "b"], OUTCOMES, ("contains",), seed=1)
    assert (found.baseline, found.variant, found.n) == ("a", "b", 19)
    assert found.value == pytest.approx(10 / 19, abs=1e-6)
    assert found.low > 0
    assert found.p < 0.01


def test_a_scorer_that_never_applied_has_no_samples() -> None:
    (metric,) = summarise("a", OUTCOMES, ("exact",), seed=1).metrics
    assert (metric.n, metric.low, metric.high) == (0, 0.0, 1.0)
    assert differences(["a", "b"], OUTCOMES, ("exact",), seed=1) == ()


@pytest.mark.parametrize(
    ("criterion", "met"),
    [
        (Criterion(metric="contains", variant="a", at_least=0.25), True),
        (Criterion(metric="contains", variant="a", at_least=0.2, on="low"), False),
        (Criterion(metric="contains", variant="a", at_most=0.3), True),
        (Criterion(metric="contains", variant="a", at_most=0.3, on="high"), False),
        (Criterion(metric="contains", variant="nobody", at_least=0.0), False),
        (Criterion(metric="exact", variant="a", at_least=0.0), False),
        (Criterion(metric="contains", variant="b", at_least=0.5), False),
    ],
)
def test_a_criterion_is_met_only_by_what_was_measured(criterion: Criterion, met: bool) -> None:
    results = [summarise(variant, OUTCOMES, ("contains", "exact"), seed=1) for variant in ("a", "b")]
    assert [result.met for result in judge([criterion], results)] == [met]


def test_one_error_fails_every_criterion_of_its_variant_and_no_other() -> None:
    variants = [summarise(variant, OUTCOMES, ("contains",), seed=1) for variant in ("a", "b")]
    criteria = [Criterion(metric="contains", variant=variant, at_least=0.0) for variant in ("a", "b")]
    assert [(result.met, result.measured) for result in judge(criteria, variants)] == [(True, 0.25), (False, 0.789474)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scorers": ()}, "no scorers"),
        ({"scorers": ("luck",)}, "not known"),
        ({"models": ()}, "prompts and models go together"),
        ({"prompts": (), "models": ()}, "nothing to compare"),
        ({"criteria": (Criterion(metric="exact", variant="a", at_least=1.0),)}, "not among the scorers"),
        ({"criteria": (Criterion(metric="contains", variant="a"),)}, "neither at_least nor at_most"),
    ],
)
def test_a_spec_that_can_not_run_is_refused(changes: dict[str, object], said: str) -> None:
    fields: dict[str, object] = {
        "name": "s",
        "dataset": "d",
        "collection": "c",
        "scorers": ("contains",),
        "prompts": ("p@1",),
        "models": ("m",),
    }
    with pytest.raises(BadInput, match=said):
        checked(Spec(**{**fields, **changes}), "spec.yaml")


def test_asking_a_sample_again_narrows_nothing() -> None:
    """Repetitions of a sample are one observation: five samples asked once or forty times say as much of other samples."""
    once = [outcome("a", sample, float(sample < 3)) for sample in range(5)]
    often = [replace(one, repetition=time) for one in once for time in range(40)]
    mean, again = (summarise("a", held, ("contains",), seed=1).metrics[0] for held in (once, often))
    assert (again.n, again.value, again.low, again.high, again.method) == (5, mean.value, mean.low, mean.high, "wilson")
    other = [replace(one, variant="b") for one in often]
    found, small = (
        differences(["a", "b"], [*held, *more], ("contains",), seed=1)[0]
        for held, more in ((often, other), (once, other[::40]))
    )
    assert (found.n, found.low, found.high, found.p) == (5, small.low, small.high, small.p)
    assert found.low < 0 < found.high, "no difference on five samples doesn't show that there is none"


def test_a_graded_score_that_all_samples_have_is_not_certain() -> None:
    held = [
        replace(outcome("a", n, 1.0), scores=(Score(scorer="groundedness", value=1.0, passed=True),)) for n in range(3)
    ]
    (metric,) = summarise("a", held, ("groundedness",), seed=1).metrics
    assert (metric.value, metric.high, metric.method) == (1.0, 1.0, "bootstrap")
    assert metric.low == pytest.approx(0.438503, abs=1e-6)
