"""How fast the statistics are, beside SciPy on the same values."""

import statistics as plain
import time
from collections.abc import Iterator

import numpy as np
from scipy import stats

from core.evals.comparison import Measured, compare
from core.evals.statistics import RESAMPLES, bootstrap_mean
from tests.benchmarks.figures import Figure, figures, paired_ratio


@figures("evals.statistics")
def statistics() -> Iterator[Figure]:
    values = np.random.default_rng(1).random(1000)

    def theirs() -> None:
        stats.bootstrap((values,), np.mean, method="percentile", n_resamples=RESAMPLES, vectorized=True)

    yield Figure("evals.bootstrap_over_scipy", paired_ratio(lambda: bootstrap_mean(values, 1), theirs), "x", "<= 1.5")


@figures("evals.comparison")
def comparison() -> Iterator[Figure]:
    """Twenty runs of a thousand samples under three scorers, once they are read: the differences alone."""
    generator = np.random.default_rng(1)

    def run(number: int) -> Measured:
        names = [f"q{place:04}" for place in range(1000)]
        yes = dict(zip(names, generator.integers(0, 2, 1000).astype(float).tolist(), strict=True))
        values = {
            name: dict(zip(names, generator.random(1000).tolist(), strict=True)) for name in ("latency", "groundedness")
        }
        passed = {name: value == 1 for name, value in yes.items()}
        return Measured(run=f"run-{number}", variant="v", values={"contains": yes, **values}, passed=passed)

    runs = [run(number) for number in range(20)]
    taken = []
    for _ in range(7):
        began = time.perf_counter()
        compare(runs[0], runs[1:], {}, {})
        taken.append(time.perf_counter() - began)
    yield Figure("evals.compare_20_runs_of_1000", plain.median(taken), "s", "<= 1")
