"""Runs against a baseline, pure and over real runs."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from core.errors import BadInput, NotFound
from core.evals.comparison import Compared, Comparison, Measured, compare
from core.evals.records import RunSpec
from core.jobs import Job
from tests.unit.evals.towers import SPEC

GENERATOR = np.random.default_rng(31)


def measured(run: str, scorer: str, values: list[float], **more: dict[str, float]) -> Measured:
    named = {f"q{place:03}": value for place, value in enumerate(values)}
    return Measured(
        run=run, variant="v", values={scorer: named, **more}, passed={name: value >= 1 for name, value in named.items()}
    )


def only(found: Comparison) -> Compared:
    (row,) = found.rows
    return row


def test_yes_or_no_is_tested_by_mcnemar_and_the_changed_samples_are_named() -> None:
    before, after = [1.0] * 10 + [0.0] * 30, [0.0] * 2 + [1.0] * 20 + [0.0] * 18
    found = compare(measured("run-1", "contains", before), [measured("run-2", "contains", after)], {}, {})
    row = only(found)
    assert (row.test, row.n, row.groups, row.effect_name, row.better) == ("mcnemar", 40, 40, "h", True)
    assert row.p == pytest.approx(stats.binomtest(12, 14).pvalue, abs=1e-6)
    assert row.value == pytest.approx(0.25)
    assert row.low < 0.25 < row.high
    assert found.changed[0].regressed == ("q000", "q001")
    assert found.changed[0].improved == tuple(f"q{place:03}" for place in range(10, 22))


def test_means_are_tested_by_permutation() -> None:
    before = GENERATOR.normal(1, 0.5, 60)
    after = before + GENERATOR.normal(0.1, 0.4, 60)
    row = only(compare(measured("1", "latency", before.tolist()), [measured("2", "latency", after.tolist())], {}, {}))
    theirs = stats.permutation_test(
        (after, before),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(1),
    )
    assert (row.test, row.effect_name) == ("permutation", "d")
    assert row.p == pytest.approx(theirs.pvalue, abs=0.03)


def test_less_is_better_where_it_is() -> None:
    sides = measured("1", "latency", [1.0, 2.0, 3.0]), [measured("2", "latency", [2.0, 3.0, 4.0])]
    assert only(compare(*sides, {}, {}, frozenset({"latency"}))).better is False
    assert only(compare(*sides, {}, {})).better is True


def test_samples_of_a_document_stand_together() -> None:
    before = [0.0] * 60
    after = [float(place < 30) for place in range(60)]
    sides = measured("1", "contains", before), [measured("2", "contains", after)]
    alone = only(compare(*sides, {}, {}))
    together = only(compare(*sides, {f"q{place:03}": place // 30 for place in range(60)}, {}))
    assert (together.groups, together.test) == (2, "permutation")
    assert alone.p < 1e-6
    assert together.p == 1.0
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_many_comparisons_are_corrected_together() -> None:
    base = measured("0", "contains", [float(x) for x in GENERATOR.integers(0, 2, 100)])
    others = [measured(str(i), "contains", [float(x) for x in GENERATOR.integers(0, 2, 100)]) for i in range(1, 20)]
    rows = compare(base, others, {}, {}).rows
    assert len(rows) == 19
    assert all(row.p <= row.false_discovery + 1e-6 <= row.holm + 2e-6 for row in rows)
    assert min(row.holm for row in rows) == pytest.approx(min(1.0, 19 * min(row.p for row in rows)), abs=2e-5)


def test_tags_are_compared_on_their_own() -> None:
    sides = measured("1", "contains", [1.0] * 20), [measured("2", "contains", [0.0] * 8 + [1.0] * 12)]
    tags = {"safety": frozenset(f"q{place:03}" for place in range(8)), "rare": frozenset({"q001"})}
    rows = compare(*sides, {}, tags).rows
    assert [(row.tag, row.n, row.value) for row in rows] == [("", 20, -0.4), ("safety", 8, -1.0)]
    assert rows[1].holm == pytest.approx(2 / 2**8, abs=1e-6)


def test_the_same_gives_the_same() -> None:
    sides = measured("1", "x", [0.1, 0.5, 0.7]), [measured("2", "x", [0.2, 0.5, 0.9])]
    assert compare(*sides, {}, {}) == compare(*sides, {}, {})


def test_runs_are_compared_with_the_first(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    for _ in range(2):
        study.evals.run(RunSpec(reference="towers"), Job("Run"))
    found = study.evals.compare(["run-1", "run-2"])
    assert (found.baseline_run, found.baseline_variant, found.left_out) == ("run-1", "cite@1 / fake", 0)
    assert {(row.run, row.variant) for row in found.rows} == {
        *(("run-1", name) for name in ("cite@2 / fake", "quotes")),
        *(("run-2", name) for name in ("cite@1 / fake", "cite@2 / fake", "quotes")),
    }
    same = [row for row in found.rows if (row.run, row.variant) == ("run-2", "cite@1 / fake")]
    assert {row.value for row in same if row.scorer != "latency"} == {0.0}
    one = study.evals.compare(["run-1:quotes", "run-2:quotes"])
    assert {(row.run, row.variant) for row in one.rows} == {("run-2", "quotes")}
    with pytest.raises(BadInput, match="no variant none"):
        study.evals.compare(["run-1:none"])
    with pytest.raises(BadInput, match="no sample has it"):
        study.evals.compare(["run-1", "run-2"], ["safety"])
    with pytest.raises(BadInput, match="1 to 20 runs"):
        study.evals.compare(["run-1"] * 21)
    with pytest.raises(NotFound):
        study.evals.compare(["run-9"])
