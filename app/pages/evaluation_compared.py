"""What a comparison of runs says, made ready for showing: names of its sides, and differences in words. No widgets.

A difference is told as shown only where its p-value stays under 0.05 after Holm's correction over all that are told together.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.pages.evaluation_matrix import UNITS, figure, is_share, scorer_word, short_names
from app.widgets.table import Cell
from core.datasets.records import Sample
from core.evals import marks
from core.evals.comparison import Changed, Compared, Comparison
from core.evals.figures import Figures, figures
from core.evals.marks import People
from core.evals.records import SIGNIFICANT, RunView
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench

Side = tuple[str, str]
"""A run's id and a variant's name."""
TESTS = {"mcnemar": "McNemar’s exact test", "permutation": "paired permutation test"}


@dataclass(frozen=True)
class Versus:
    """A comparison with what is needed to tell it."""

    found: Comparison
    runs: Mapping[str, RunView]
    samples: Mapping[str, Sample]
    """Of the baseline's dataset, by id."""
    figures: tuple[Figures, ...] = ()
    """Of every variant, the baseline's run first; none before they were read."""
    people: Mapping[str, tuple[People, ...]] = field(default_factory=dict)
    """By run, what people say beside its scorers, where anybody does; none before it was read."""

    def name(self, run: str, variant: str) -> str:
        """A side's name, with its run where there is more than one."""
        short = short_names(self.runs[run].run.variants)[variant]
        return short if len(self.runs) == 1 else f"{short}, {run.replace('-', ' ')}"

    @property
    def baseline(self) -> str:
        return self.name(self.found.baseline_run, self.found.baseline_variant)

    def changed(self, row: Compared) -> Changed | None:
        """The samples that a difference's variant gained and lost."""
        return next((one for one in self.found.changed if (one.run, one.variant) == (row.run, row.variant)), None)


def compare(bench: "Workbench", job: Job, baseline: Side, others: Sequence[str], by_tag: bool) -> Versus:
    """All variants of the baseline's run and of the others against the baseline. Raises `NotFound`, `BadInput`."""
    run, variant = baseline
    views = {name: bench.evals.show(name) for name in (run, *others)}
    rest = [one.name for one in views[run].run.variants if one.name != variant]
    names = [f"{run}:{variant}", *(f"{run}:{name}" for name in rest)]
    if views[run].run.variants[0].name == variant:
        names = [run]
    found = bench.evals.compare([*names, *others], ("*",) if by_tag else ())
    samples = bench.datasets.show(views[run].run.dataset_reference).dataset.samples
    return Versus(found, views, {sample.id: sample for sample in samples})


def with_figures(bench: "Workbench", versus: Versus) -> Versus:
    """The same with the figures of every variant and what people say, which the table does without."""
    with bench.vault.read() as reader:
        measured = tuple(one for view in versus.runs.values() for one in figures(reader, view))
        said = marks.of_runs(reader, versus.runs.values())
    return replace(versus, figures=measured, people=said)


def is_shown(row: Compared) -> bool:
    """Whether a difference is told as one."""
    return row.better is not None and row.holm < SIGNIFICANT


def verdict(row: Compared) -> tuple[str, str]:
    """A difference in a word, and the meaning of its badge."""
    if not is_shown(row):
        return "Not shown", "plain"
    return ("Better", "pass") if row.better else ("Worse", "fail")


def verdict_cell(row: Compared) -> Cell:
    """The same as a cell, with the corrected p-value below."""
    words, tone = verdict(row)
    sign = {"pass": ("up", "pass.fg"), "fail": ("down", "fail.fg")}.get(tone, ("", ""))
    shown = f"p {p_words(row.holm)}"
    return Cell(
        words,
        icon=sign[0],
        tone=sign[1] or "text.secondary",
        strong=tone == "fail",
        second=shown,
        spoken=f"{words}, corrected {shown}",
    )


def value_cell(row: Compared) -> Cell:
    """What was measured of the variant, and of the baseline below."""
    now, before = figure(row.scorer, row.after), figure(row.scorer, row.before)
    return Cell(now, second=f"was {before}", spoken=f"{now}, with the baseline {before}")


def kept(row: Compared, which: str) -> bool:
    """Whether a difference belongs under one of the filters."""
    wanted = {"better": "Better", "worse": "Worse", "not": "Not shown"}.get(which)
    return wanted is None or verdict(row)[0] == wanted


def amount(scorer: str, value: float, sign: bool = True) -> str:
    """A difference, written out: points of percent for shares."""
    digits = 1 if is_share(scorer) else 2
    shown = round(100 * value if is_share(scorer) else value, digits) or 0.0
    words = f"{shown:+.{digits}f}" if sign and shown else f"{shown:.{digits}f}"
    return words.replace("-", "−")


def unit(scorer: str) -> str:
    return "points" if is_share(scorer) else UNITS.get(scorer.partition(":")[0], "points")


def p_words(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def measure_words(row: Compared) -> str:
    return f"{scorer_word(row.scorer)}, {row.tag}" if row.tag else scorer_word(row.scorer)


def difference_cell(row: Compared) -> Cell:
    low, high = amount(row.scorer, row.low), amount(row.scorer, row.high)
    spoken = f"Difference {amount(row.scorer, row.value)} {unit(row.scorer)}, 95 % interval {low} to {high}"
    return Cell(amount(row.scorer, row.value), strong=is_shown(row), second=f"{low} to {high}", spoken=spoken)


def told(versus: Versus, row: Compared) -> tuple[str, str, str]:
    """A difference in words: what is shown, how sure that is, and what so many samples could show."""
    who, measure = versus.name(row.run, row.variant), measure_words(row).lower()
    much = f"{amount(row.scorer, abs(row.value), sign=False)} {unit(row.scorer)} {'more' if row.value > 0 else 'less'}"
    lead = f"{who} has {much} in {measure}."
    if not is_shown(row):
        lead = f"No difference in {measure} is shown."
        if row.p < SIGNIFICANT:
            lead += " Alone it would be; among so many comparisons it may be chance."
    low, high = (amount(row.scorer, end) for end in (row.low, row.high))
    rest = (
        f"{figure(row.scorer, row.before)} with {versus.baseline}, {figure(row.scorer, row.after)} with {who}. "
        f"The 95 % interval of the difference runs from {low} to {high} {unit(row.scorer)}. "
        f"p {p_words(row.p)}; {p_words(row.holm)} after Holm, {p_words(row.false_discovery)} after Benjamini and Hochberg; "
        f"{TESTS.get(row.test, row.test)}. Effect size {row.effect_name} {row.effect:.2f}.".replace(" -", " −")
    )
    return lead, rest, power(row)


def power(row: Compared) -> str:
    """The smallest difference that so many samples would show."""
    over = f"{row.n:,} sample{'' if row.n == 1 else 's'}"
    if row.groups != row.n:
        over += f" on {row.groups:,} documents"
    if not math.isfinite(row.detectable) or (is_share(row.scorer) and row.detectable >= 1):
        return f"With {over} not even the largest difference would show."
    if row.detectable == 0:
        return f"All {over} gave the same; nothing varies."
    least = amount(row.scorer, row.detectable, sign=False)
    return f"With {over} a difference under {least} {unit(row.scorer)} would not show."
