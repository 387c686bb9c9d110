"""Against SciPy where it has the same, and against what the authors published."""

import math

import numpy as np
import pytest
from scipy import stats

from core.evals import paired
from core.evals.statistics import bootstrap_mean

GENERATOR = np.random.default_rng(23)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (3, 9), (12, 12), (40, 71), (600, 700)])
def test_mcnemar_is_the_exact_binomial_test(gained: int, lost: int) -> None:
    theirs = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert paired.mcnemar_p(gained, lost) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("n", [6, 12, 16])
def test_few_pairs_are_permuted_exactly(n: int) -> None:
    before, after = GENERATOR.normal(0, 1, n), GENERATOR.normal(0.5, 1, n)
    theirs = stats.permutation_test(
        (after, before), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert paired.permutation_p(before.tolist(), after.tolist(), seed=1) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_many_pairs_are_permuted_at_random() -> None:
    before, after = GENERATOR.normal(0, 1, 80), GENERATOR.normal(0.25, 1, 80)
    theirs = stats.permutation_test(
        (after, before),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(1),
    )
    first = paired.permutation_p(before.tolist(), after.tolist(), seed=1)
    assert first == paired.permutation_p(before.tolist(), after.tolist(), seed=1)
    assert first == pytest.approx(theirs.pvalue, abs=0.03)


def test_equal_pairs_differ_by_nothing() -> None:
    assert paired.permutation_p([0.5, 1.0], [0.5, 1.0], seed=1) == 1.0
    assert paired.permutation_p([], [], seed=1) == 1.0


def test_groups_of_one_are_the_plain_bootstrap() -> None:
    values = GENERATOR.random(50).tolist()
    mine, plain = paired.cluster_bootstrap_mean(values, range(50), seed=3), bootstrap_mean(values, seed=3)
    assert mine == pytest.approx(plain, abs=0.01)


def test_groups_that_stand_together_widen_the_interval_as_their_means_alone_would() -> None:
    means = GENERATOR.random(12)
    values = [float(mean) for mean in means for _ in range(10)]
    groups = [group for group in range(12) for _ in range(10)]
    low, high = paired.cluster_bootstrap_mean(values, groups, seed=3)
    theirs = stats.bootstrap(
        (means,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.06 * (theirs.high - theirs.low))
    naive = bootstrap_mean(values, seed=3)
    assert high - low > 2 * (naive[1] - naive[0])


def test_one_group_says_nothing_of_others() -> None:
    assert paired.cluster_bootstrap_mean([0.0, 1.0], ["a", "a"], seed=1) == (0.5, 0.5)
    assert paired.cluster_bootstrap_mean([], [], seed=1) == (0.0, 0.0)
    with pytest.raises(ValueError, match="a group for each"):
        paired.cluster_bootstrap_mean([1.0], [], seed=1)


@pytest.mark.parametrize(
    ("before", "after", "h"), [(0.5, 0.5, 0.0), (0.0, 1.0, math.pi), (0.5, 0.6, 0.2014), (0.25, 0.75, 1.0472)]
)
def test_cohens_h_is_that_of_his_tables(before: float, after: float, h: float) -> None:
    assert paired.cohens_h(before, after) == pytest.approx(h, abs=5e-5)
    assert paired.cohens_h(after, before) == pytest.approx(-h, abs=5e-5)


def test_cohens_d_is_what_students_t_is_made_of() -> None:
    before, after = GENERATOR.normal(0, 1, 30), GENERATOR.normal(0.7, 1.4, 40)
    t = stats.ttest_ind(after, before).statistic
    assert paired.cohens_d(before.tolist(), after.tolist()) == pytest.approx(t * math.sqrt(1 / 30 + 1 / 40))
    assert paired.cohens_d([1.0, 1.0], [2.0, 2.0]) == 0.0


def test_without_correlation_a_risk_difference_adds_the_squares_of_scipys_wilson_ends() -> None:
    value, low, high = paired.risk_difference(24, 16, 36, 24)
    before, after = (stats.binomtest(count, 100).proportion_ci(method="wilson") for count in (60, 40))
    assert value == pytest.approx(-0.2)
    assert low == pytest.approx(value - math.hypot(0.4 - after.low, before.high - 0.6))
    assert high == pytest.approx(value + math.hypot(after.high - 0.4, 0.6 - before.low))


def test_a_risk_difference_covers_the_truth_about_as_often_as_it_says() -> None:
    share = (0.5, 0.25, 0.1, 0.15)
    plays = GENERATOR.multinomial(40, share, size=2000)
    covered = 0
    for both, gained, lost, neither in plays.tolist():
        _, low, high = paired.risk_difference(both, gained, lost, neither)
        mirrored = paired.risk_difference(both, lost, gained, neither)
        assert (mirrored[1], mirrored[2]) == pytest.approx((-high, -low))
        covered += low <= 0.15 <= high
    assert 0.93 <= covered / 2000 <= 0.98
    assert paired.risk_difference(0, 0, 0, 0) == (0.0, -1.0, 1.0)


def test_holm_is_what_he_published() -> None:
    assert paired.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert paired.holm([]) == []
    assert paired.holm([0.6, 0.9]) == [1.0, 1.0]


def test_benjamini_hochberg_agrees_with_scipy() -> None:
    values = GENERATOR.random(40) ** 2
    assert paired.benjamini_hochberg(values.tolist()) == pytest.approx(stats.false_discovery_control(values).tolist())


def test_power_of_a_mean_is_what_cohens_tables_say() -> None:
    assert paired.power_of_mean(0.5, 1.0, 32) == pytest.approx(0.807, abs=0.001)
    for n in (10, 40, 200):
        assert paired.power_of_mean(paired.detectable_mean(0.4, n), 0.4, n) == pytest.approx(0.8, abs=0.001)


def test_forty_samples_show_a_difference_as_often_as_is_said() -> None:
    """Played through: pairs drawn with the smallest detectable difference are found in about 80 of 100 plays."""
    discordant = 0.3
    difference = paired.detectable_share(discordant, 200)
    assert paired.power_of_pairs(difference, discordant, 200) == pytest.approx(0.8, abs=1e-6)
    gained = (discordant + difference) / 2
    draws = GENERATOR.multinomial(200, [gained, discordant - gained, 1 - discordant], size=2000)
    statistic = (draws[:, 0] - draws[:, 1]) ** 2 / np.maximum(1, draws[:, 0] + draws[:, 1])
    assert np.mean(statistic > stats.chi2.ppf(0.95, 1)) == pytest.approx(0.8, abs=0.03)


def test_too_few_samples_show_nothing() -> None:
    assert paired.detectable_share(0.3, 1) == 1.0
    assert paired.detectable_share(0.1, 40) == pytest.approx(paired.detectable_share(0.0, 40))
    assert 0.15 < paired.detectable_share(0.1, 40) < paired.detectable_share(0.3, 40) < 0.3
    assert paired.detectable_mean(0.3, 1) == math.inf


def test_where_all_changed_alike_the_interval_is_newcombes() -> None:
    assert paired.certain([0.0, 1.0], [0.0, 1.0]) == paired.risk_difference(1, 0, 0, 1)[1:]
    assert paired.certain([0.0] * 5, [1.0] * 5) == paired.risk_difference(0, 5, 0, 0)[1:]
    assert paired.certain([1.0] * 5, [0.0] * 5) == paired.risk_difference(0, 0, 5, 0)[1:]
    assert paired.certain([0.0, 1.0], [1.0, 1.0]) is None
    assert paired.certain([0.2, 0.2], [0.4, 0.4]) is None
    assert paired.certain([], []) is None


def test_groups_are_worth_as_many_samples_as_the_design_effect_leaves() -> None:
    """Kish's 1 + (m - 1) rho: with whole groups alike (rho 1), a sample more in a group says nothing."""
    means = GENERATOR.normal(0, 1, 12)
    alike = np.repeat(means, 10)
    worth = paired.independent((means * 10).tolist(), [10.0] * 12, float(alike.std(ddof=1)))
    assert 11 <= worth <= 12
    apart = GENERATOR.normal(0, 1, 4000)
    worth = paired.independent(apart.reshape(400, 10).sum(axis=1).tolist(), [10.0] * 400, float(apart.std(ddof=1)))
    assert 3200 <= worth <= 4000
    assert paired.independent([3.0], [3.0], 1.0) == 1
    assert paired.independent([0.0, 0.0], [5.0, 5.0], 0.0) == 2
