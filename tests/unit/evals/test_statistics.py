"""Against SciPy, an implementation that is not ours."""

import numpy as np
import pytest
from scipy import stats

from core.evals.statistics import bootstrap_mean, mean_interval, paired_difference, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (31, 40), (640, 1000)])
def test_wilson_agrees_with_scipy(successes: int, n: int) -> None:
    theirs = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_nothing_observed_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert bootstrap_mean([], seed=1) == (0.0, 0.0)
    assert paired_difference([], [], seed=1) == (0.0, 0.0, 0.0, 1.0)


def test_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).gamma(2.0, 1.0, size=60)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5))
    interval = theirs.confidence_interval
    width = interval.high - interval.low
    assert bootstrap_mean(values.tolist(), seed=7) == pytest.approx((interval.low, interval.high), abs=0.06 * width)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [0.1, 0.5, 0.9, 0.3]
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values, seed=4)
    assert bootstrap_mean(values, seed=4) != bootstrap_mean(values, seed=5)


def test_paired_difference_agrees_with_scipys_permutation() -> None:
    generator = np.random.default_rng(11)
    before = generator.normal(0.5, 0.2, size=30)
    after = before + generator.normal(0.06, 0.15, size=30)
    value, low, high, p = paired_difference(before.tolist(), after.tolist(), seed=2)
    theirs = stats.permutation_test(
        (after, before),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    )
    assert value == pytest.approx(float(np.mean(after - before)))
    assert low < value < high
    assert p == pytest.approx(theirs.pvalue, abs=0.02)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(17)
    covered = sum(
        low <= 0.3 <= high for low, high in (wilson(int(generator.binomial(40, 0.3)), 40) for _ in range(2000))
    )
    assert 0.93 <= covered / 2000 <= 0.98


def test_what_all_samples_agree_on_is_not_told_as_certain() -> None:
    for n, least in ((1, 0.20), (3, 0.43), (12, 0.75)):
        low, high, method = mean_interval([1.0] * n, "bootstrap", 1, bounded=True)
        theirs = stats.binomtest(n, n).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((theirs.low, theirs.high))
        assert method == "bootstrap"
        assert low > least
    assert mean_interval([0.5] * 4, "bootstrap", 1, bounded=True)[:2] == pytest.approx(wilson(2, 4))
    assert mean_interval([7.0] * 4, "bootstrap", 1, bounded=False)[:2] == (7.0, 7.0)
    assert mean_interval([], "bootstrap", 1, bounded=True)[:2] == (0.0, 1.0)


def test_a_share_that_is_no_yes_or_no_is_resampled() -> None:
    values = [1.0, 0.0, 2 / 3, 1.0, 1 / 3]
    assert mean_interval(values, "wilson", 4, bounded=True) == (*bootstrap_mean(values, 4), "bootstrap")
    assert mean_interval([1.0, 0.0, 1.0], "wilson", 4, bounded=True) == (*wilson(2, 3), "wilson")
