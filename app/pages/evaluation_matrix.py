"""What a run says, made ready for showing: cells of the matrix, and the words for figures, differences and criteria. No widgets.

Numbers are shares of 1, except seconds. A cell's score is the mean over its scorers without those that count seconds, words or tokens.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import yaml

from app.pages.evaluation_content import RunContent
from app.widgets.interval_plot import Interval
from app.widgets.matrix_model import MatrixCell, MatrixSample, Outcome, Variant
from app.widgets.table import Cell
from core.assistants.records import QUOTES
from core.datasets.records import Sample
from core.evals import records
from core.evals.records import SIGNIFICANT, CriterionResult, Difference, Metric, RunView, Score, Spec
from core.evals.scorers import SCORERS as MEASURES

SCORERS = {
    "contains": "Holds the target",
    "exact": "Word for word",
    "citation_correct": "Right citation",
    "groundedness": "Groundedness",
    "refusal": "Right refusal",
    "latency": "Seconds to answer",
}
"""What each scorer measures, in the words of the window."""
UNITS = {"latency": "seconds", "length": "words", "tokens": "tokens"}
"""What scorers count that don't give a share of 1."""
_MARK = re.compile(r"\s*\[\d+\]")
"""A difference is told as shown only when its interval leaves out zero and its p-value is under this."""
ENDS = {"value": "", "low": "lower end ", "high": "upper end "}
STATUS = {"started": "Interrupted", "finished": "Finished", "cancelled": "Stopped", "failed": "Failed"}


def title(view: RunView) -> str:
    """How a run is called in the window."""
    return f"{view.run.spec_reference.partition('@')[0]}, {view.run.id.replace('-', ' ')}"


def status_words(view: RunView) -> str:
    """How a run ended, in two words; with criteria, whether they were met."""
    if view.status == "finished" and view.run.criteria and view.result is not None:
        return "Criteria met" if view.result.passed else "Criteria not met"
    return STATUS[view.status]


def status_cell(view: RunView) -> Cell:
    """The same as a cell of a table."""
    words = status_words(view)
    tint = {
        "Criteria met": "pass",
        "Criteria not met": "fail",
        "Interrupted": "warn",
        "Stopped": "warn",
        "Failed": "fail",
    }
    return Cell(words, badge=tint.get(words, "plain"))


def scorer_word(scorer: str) -> str:
    """A scorer in the words of the window; one that stands under a label of its own by that label."""
    name, _, own = scorer.partition(":")
    return own or SCORERS.get(name, name.replace("_", " ").capitalize())


def is_share(scorer: str) -> bool:
    """Whether a scorer's values are shares of 1."""
    return scorer not in MEASURES or MEASURES[scorer].range.endswith(("0 or 1", "0 to 1"))


def _bare(scorer: str) -> str:
    return scorer.partition(":")[0]


def short_names(variants: Sequence[records.Variant]) -> dict[str, str]:
    """A variant's name to a shorter one: its prompt version, with the model only where that tells two apart."""
    prompts = [variant.prompt for variant in variants]
    return {
        variant.name: "Quotes"
        if variant.model == QUOTES
        else variant.prompt
        if prompts.count(variant.prompt) == 1
        else f"{variant.prompt}, {variant.model}"
        for variant in variants
    }


def columns(content: RunContent) -> tuple[Variant, ...]:
    """The matrix's columns, the first of which is the baseline."""
    passages = f"top {content.spec.spec.spec.passages}"
    names = short_names(content.run.variants)
    counts = dict.fromkeys(names, 0)
    for outcome in content.outcomes.values():
        counts[outcome.variant] += outcome.passed
    return tuple(
        Variant(
            name=names[variant.name],
            model=f"{'no model' if variant.model == QUOTES else variant.model} · {passages}",
            passed=counts[variant.name],
            total=content.run.samples,
            baseline=position == 0 and len(names) > 1,
        )
        for position, variant in enumerate(content.run.variants)
    )


def rows(content: RunContent, only: set[str] | None = None) -> list[MatrixSample]:
    """The matrix's rows in the dataset's order; only those samples where `only` is given."""
    return [
        MatrixSample(
            id=sample.id,
            where=place(sample),
            question=sample.input,
            cells=tuple(cell(content.asked.get((sample.id, variant.name), ())) for variant in content.run.variants),
        )
        for sample in content.samples
        if only is None or sample.id in only
    ]


def place(sample: Sample) -> str:
    """Where a sample's answer stands."""
    if sample.unanswerable:
        return "Unanswerable"
    return f"{sample.document}, p. {sample.page}" if sample.page else sample.document


def cell(asked: Sequence[records.Outcome]) -> MatrixCell:
    """A sample's answers under a variant as the matrix shows them: the one that stands for them, and how many times it passed."""
    if not asked:
        return MatrixCell(Outcome.NOT_RUN)
    outcome = min(asked, key=lambda one: (not one.error, one.passed))
    passed = sum(one.passed for one in asked)
    times = f"{passed} of {len(asked)} passed" if 0 < passed < len(asked) else ""
    if outcome.answer is None:
        return MatrixCell(Outcome.ERROR, "No answer", " · ".join(part for part in (times, outcome.error) if part))
    failed = next((score for score in outcome.scores if not score.passed), None)
    reason = sentence(failed.reason) if failed else ""
    return MatrixCell(
        outcome=Outcome.PASSED if outcome.passed else Outcome.FAILED,
        answer=plain(outcome.answer.answer),
        reason=" · ".join(part for part in (times, reason) if part),
        score=mean_score([score for one in asked for score in one.scores]),
        citations=tuple(dict.fromkeys(citation.number for citation in outcome.answer.citations)),
        cached=all(one.reused for one in asked),
    )


def plain(answer: str) -> str:
    """An answer without its citation marks, in one line."""
    return " ".join(_MARK.sub("", answer).split())


def sentence(text: str) -> str:
    """A scorer's reason with a capital at its start."""
    return text[:1].upper() + text[1:]


def mean_score(scores: Sequence[Score]) -> str:
    """The mean over the scorers that give a share, written out."""
    values = [score.value for score in scores if is_share(score.scorer)]
    return f"{sum(values) / len(values):.2f}" if values else ""


def figure(scorer: str, value: float) -> str:
    """A measured value, written out."""
    if is_share(scorer):
        return f"{value:.2f}"
    unit = UNITS.get(_bare(scorer), "")
    return f"{value:,.1f} s" if unit == "seconds" else f"{value:,.1f} {unit}".rstrip()


def signed_before(content: RunContent) -> tuple[str, ...]:
    """The meanings in which the criteria were signed before the run began."""
    began = datetime.fromisoformat(content.run.started)
    return tuple(s.meaning for s in content.signatures if datetime.fromisoformat(s.time) <= began)


def metric_intervals(content: RunContent) -> list[tuple[str, str, list[Interval]]]:
    """For each scorer: its name, how many samples it counts, and a value with its interval for each variant."""
    result = content.view.result
    if result is None:
        return []
    names = short_names(content.run.variants)
    found = []
    for scorer in content.run.scorers:
        metrics: list[tuple[str, Metric]] = [
            (names[variant.name], metric)
            for variant in result.variants
            for metric in variant.metrics
            if metric.scorer == scorer and metric.n
        ]
        if metrics:
            counted = sorted({metric.n for _, metric in metrics})
            over = f"{counted[0]}" if len(counted) == 1 else f"{counted[0]} to {counted[-1]}"
            found.append((scorer, f"{over} samples", [Interval(n, m.value, m.low, m.high) for n, m in metrics]))
    return found


def differences(content: RunContent, variant: str) -> tuple[Difference, ...]:
    """What a variant differs in from the baseline, in the order of the scorers."""
    result = content.view.result
    return tuple(d for d in result.differences if d.variant == variant) if result is not None else ()


def headline(content: RunContent, found: Sequence[Difference]) -> Difference | None:
    """The difference that is told in words: of the first criterion's metric, else of the first scorer."""
    wanted = [criterion.metric for criterion in content.run.criteria]
    return next((d for d in found if d.scorer in wanted), next(iter(found), None))


def difference_words(difference: Difference, variant: str) -> tuple[str, str]:
    """A difference in words: what is shown, and how sure that is."""
    word = scorer_word(difference.scorer).lower()
    share = is_share(difference.scorer)
    scale, unit = (100.0, "points") if share else (1.0, UNITS.get(_bare(difference.scorer), "points"))
    value, low, high = (number * scale for number in (difference.value, difference.low, difference.high))
    much = f"{abs(value):.1f} {unit} {'more' if value > 0 else 'less'}"
    if difference.low <= 0 <= difference.high:
        lead = f"No difference in {word} is shown."
        measured = f"{variant} has {much if value else 'the same'}; "
    else:
        sure = difference.p < SIGNIFICANT
        lead = f"{variant} has {much} in {word}{'' if sure else ', but that may be chance'}."
        measured = ""
    p = "p\u00a0<\u00a00.001" if difference.p < 0.001 else f"p\u00a0=\u00a0{difference.p:.3f}"
    interval = f"the 95\u00a0% interval runs from {_number(low)} to {_number(high)}; {p}"
    rest = (
        f"{measured}{interval if measured else sentence(interval)}, paired sign-flip test over {difference.n} samples."
    )
    return lead, rest


def difference_intervals(found: Sequence[Difference]) -> list[Interval]:
    """The differences in points; what has another unit is left out."""
    return [
        Interval(scorer_word(d.scorer), 100 * d.value, 100 * d.low, 100 * d.high) for d in found if is_share(d.scorer)
    ]


def criterion_words(result: CriterionResult, names: Mapping[str, str]) -> tuple[str, str]:
    """A criterion in words, and what was measured."""
    wanted = result.criterion
    bounds = []
    if wanted.at_least is not None:
        bounds.append(f"≥ {figure(wanted.metric, wanted.at_least)}")
    if wanted.at_most is not None:
        bounds.append(f"≤ {figure(wanted.metric, wanted.at_most)}")
    says = f"{scorer_word(wanted.metric)}, {ENDS[wanted.on]}{' and '.join(bounds)}"
    who = names.get(wanted.variant, wanted.variant)
    measured = "Not measured" if result.measured is None else figure(wanted.metric, result.measured)
    return f"{says}\n{who}", measured


def spec_text(spec: Spec) -> str:
    """A spec as the YAML that a person reads and signs; the same as its file."""
    content = {name: value for name, value in msgspec.to_builtins(spec).items() if name != "version"}
    content["criteria"] = [
        {name: value for name, value in criterion.items() if name != "version" and value is not None}
        for criterion in content["criteria"]
    ]
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=76)


def _number(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
