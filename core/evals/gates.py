"""Gates: what must hold of a variant before it is released, as lines that people read and sign. Pure.

Two forms: `groundedness.low >= 0.9` bounds a metric's value or an end of its 95 % interval, over all samples or `on tag:safety`;
`no regression of contains on tag:safety at p < 0.05` compares with a baseline, sample by sample (without `of`, by whether a sample passed
every scorer). A bound isn't met without a sample to measure, nor while a sample of the variant ended in an error. A regression is a
difference for the worse that chance explains less often than p; the lines' p-values are corrected together after Holm.
"""

import operator
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final

import msgspec

from core.errors import BadInput
from core.evals import comparison, paired
from core.evals.comparison import Measured
from core.evals.records import VariantResult
from core.evals.scorers import SCORERS
from core.evals.statistics import mean_interval
from core.records import Record

PASSED: Final = "passed"
"""What a regression is looked for in when no metric is named: whether each sample passed every scorer."""
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_TAG = r"(?:\s+on\s+tag:(\S+))?"
_BOUND = re.compile(rf"([\w.@ /-]+?)(?:\.(value|low|high))?\s*(>=|<=|>|<)\s*{_NUMBER}{_TAG}")
_REGRESSION = re.compile(rf"no regression(?:\s+of\s+(\S+))?{_TAG}\s+at\s+p\s*<\s*{_NUMBER}")
_COMPARES: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


class Bound(Record, frozen=True, kw_only=True):
    line: str
    metric: str
    on: str
    compares: str
    bound: float
    tag: str


class NoRegression(Record, frozen=True, kw_only=True):
    line: str
    metric: str
    tag: str
    p: float


class Verdict(Record, frozen=True, kw_only=True):
    """Whether one line holds, and what was measured."""

    line: str
    met: bool
    reason: str


class GateResult(Record, frozen=True, kw_only=True):
    """Whether a variant of a run meets its gate: every line, and every criterion of the spec."""

    run: str
    variant: str
    baseline: str
    verdicts: tuple[Verdict, ...]
    passed: bool


class Evidence(Record, frozen=True, kw_only=True):
    """What a gate is judged on: the variant's figures as they were recorded, its scores by sample, and a baseline's."""

    result: VariantResult
    measured: Measured
    baseline: Measured | None
    groups: dict[str, str]
    tags: dict[str, frozenset[str]]
    lower: frozenset[str]
    seed: int


def parse(line: str) -> Bound | NoRegression:
    """A gate's line. Raises `BadInput`."""
    text = " ".join(line.split())
    if found := _REGRESSION.fullmatch(text):
        p = float(found[3])
        if 0 < p < 1:
            return NoRegression(line=text, metric=found[1] or PASSED, tag=found[2] or "", p=p)
    elif found := _BOUND.fullmatch(text):
        return Bound(
            line=text,
            metric=found[1],
            on=found[2] or "value",
            compares=found[3],
            bound=float(found[4]),
            tag=found[5] or "",
        )
    raise BadInput(
        source="gate",
        problem=f"“{text}” is no line of a gate. Write it like `groundedness.low >= 0.9`, `contains >= 0.8 on tag:safety` or "
        "`no regression on tag:safety at p < 0.05`.",
    )


def check(lines: Sequence[str], scorers: Sequence[str]) -> None:
    """Raise `BadInput` for a line that can't be read, or that names a metric which isn't measured."""
    for line in lines:
        rule = parse(line)
        if rule.metric not in scorers and not (isinstance(rule, NoRegression) and rule.metric == PASSED):
            raise BadInput(source="gate", problem=f"“{line}” names {rule.metric}, which is not among the scorers.")


def bounds(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that need no baseline."""
    return tuple(line for line in lines if isinstance(parse(line), Bound))


def judge(lines: Sequence[str], evidence: Evidence) -> tuple[Verdict, ...]:
    """Each line's verdict, in order."""
    rules = [parse(line) for line in lines]
    regressions = [rule for rule in rules if isinstance(rule, NoRegression)]
    found = dict(zip([rule.line for rule in regressions], _regressions(regressions, evidence), strict=True))
    return tuple(_bound(rule, evidence) if isinstance(rule, Bound) else found[rule.line] for rule in rules)


def _bound(rule: Bound, evidence: Evidence) -> Verdict:
    recorded = next((metric for metric in evidence.result.metrics if metric.scorer == rule.metric), None)
    if recorded is None or recorded.n == 0:
        return Verdict(line=rule.line, met=False, reason=f"{rule.metric} wasn't measured.")
    ends, n = {"value": recorded.value, "low": recorded.low, "high": recorded.high}, recorded.n
    if rule.tag:
        own = evidence.tags.get(rule.tag, frozenset())
        values = [value for sample, value in evidence.measured.values[rule.metric].items() if sample in own]
        if not values:
            return Verdict(line=rule.line, met=False, reason=f"no sample with the tag {rule.tag} was measured.")
        n = len(values)
        scorer = SCORERS[rule.metric]
        low, high, _ = mean_interval(values, scorer.method, evidence.seed, scorer.bounded)
        ends = {"value": sum(values) / n, "low": low, "high": high}
    if evidence.result.errors:
        return Verdict(line=rule.line, met=False, reason=f"{evidence.result.errors} samples ended in an error.")
    measured = ends[rule.on]
    end = "" if rule.on == "value" else f" at the {rule.on} end of its interval"
    met = _COMPARES[rule.compares](round(measured, 6), rule.bound)
    return Verdict(line=rule.line, met=met, reason=f"{rule.metric} is {measured:.3f}{end}, over {n} samples.")


def _regressions(rules: Sequence[NoRegression], evidence: Evidence) -> list[Verdict]:
    if evidence.baseline is None:
        reason = "there is nothing to compare with. Name a baseline."
        return [Verdict(line=rule.line, met=False, reason=reason) for rule in rules]
    before, after = (_with_passed(side) for side in (evidence.baseline, evidence.measured))
    rows = []
    for rule in rules:
        tags = {rule.tag: evidence.tags.get(rule.tag, frozenset())} if rule.tag else {}
        groups: Mapping[str, Hashable] = evidence.groups
        found = comparison.compare(before, (after,), groups, tags, evidence.lower, evidence.seed).rows
        rows.append(next((row for row in found if (row.scorer, row.tag) == (rule.metric, rule.tag)), None))
    adjusted = paired.holm([row.p if row is not None else 1.0 for row in rows])
    verdicts = []
    for rule, row, p in zip(rules, rows, adjusted, strict=True):
        if row is None:
            verdicts.append(Verdict(line=rule.line, met=False, reason="too few samples were measured on both sides."))
            continue
        said = f"{row.before:.3f} before, {row.after:.3f} now, p {p:.3f} over {row.n} samples"
        shows = (
            f"a difference under {row.detectable:.2f} would not show" if row.detectable < 1 else "too few to show any"
        )
        verdicts.append(
            Verdict(line=rule.line, met=not (row.better is False and p < rule.p), reason=f"{said}; {shows}.")
        )
    return verdicts


def _with_passed(measured: Measured) -> Measured:
    passed = {sample: float(good) for sample, good in measured.passed.items()}
    return msgspec.structs.replace(measured, values={**measured.values, PASSED: passed})
