"""What a figure is, and how it is printed: `name value unit aim ok|short`.

A benchmark is a function decorated with `@figures("package.")` that yields `Figure`s. Where the machine's speed matters and there is
something to stand beside, the figure is a ratio of the median of at least `PAIRS` interleaved pairs in one run.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PAIRS = 7
REPOSITORY = Path(__file__).resolve().parent.parent.parent
REAL_DATA = Path(os.environ.get("ASSAY_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
"""Real inputs beside the checkout; what needs them is left out where they are absent."""


class Figure(NamedTuple):
    """One measured value; `aim` is a bound like "<= 2.0" or ">= 0.98", or "-" where there is none."""

    name: str
    value: float
    unit: str
    aim: str = "-"

    @property
    def reached(self) -> bool:
        """Whether the aim is met; a figure without one always is."""
        if self.aim == "-":
            return True
        sign, bound = self.aim.split()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)

    def __str__(self) -> str:
        return (
            f"{self.name} {self.value:.4g} {self.unit} {self.aim.replace(' ', '')} {'ok' if self.reached else 'short'}"
        )


Benchmark = Callable[[], Iterator[Figure]]
BENCHMARKS: dict[str, Benchmark] = {}


def figures(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a benchmark under the beginning of its figures' names."""

    def register(benchmark: Benchmark) -> Benchmark:
        BENCHMARKS[name] = benchmark
        return benchmark

    return register


def seconds(work: Callable[[], object]) -> float:
    """How long `work` took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median_seconds(work: Callable[[], object], runs: int = PAIRS) -> float:
    return statistics.median(seconds(work) for _ in range(runs))


def paired_ratio(ours: Callable[[], object], theirs: Callable[[], object], pairs: int = PAIRS) -> float:
    """The median over interleaved pairs of how long `ours` takes for each second of `theirs`."""
    ratios = []
    for pair in range(pairs):
        if pair % 2:
            other, own = seconds(theirs), seconds(ours)
        else:
            own, other = seconds(ours), seconds(theirs)
        ratios.append(own / other)
    return statistics.median(ratios)
