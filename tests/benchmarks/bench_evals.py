"""How fast the statistics are, beside SciPy on the same values."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from core.evals.statistics import RESAMPLES, bootstrap_mean
from tests.benchmarks.figures import Figure, figures, paired_ratio


@figures("evals.statistics")
def statistics() -> Iterator[Figure]:
    values = np.random.default_rng(1).random(1000)

    def theirs() -> None:
        stats.bootstrap((values,), np.mean, method="percentile", n_resamples=RESAMPLES, vectorized=True)

    yield Figure("evals.bootstrap_over_scipy", paired_ratio(lambda: bootstrap_mean(values, 1), theirs), "x", "<= 1.5")
