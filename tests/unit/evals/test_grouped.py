"""Figures by group: samples of a patient or a document are not independent of each other."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.datasets.records import Sample
from core.evals import comparing
from core.evals.comparing import groups_of
from core.evals.grouped import grouped
from core.evals.paired import cluster_bootstrap_mean
from core.evals.records import RunSpec
from core.evals.statistics import wilson
from core.jobs import Job
from tests.unit.evals.test_comparison import compare, measured, only
from tests.unit.evals.towers import SPEC


def test_a_group_goes_before_a_document() -> None:
    samples = {
        "a": Sample(id="a", input="?", document="x.pdf", group="patient 1"),
        "b": Sample(id="b", input="?", document="x.pdf"),
        "c": Sample(id="c", input="?"),
    }
    assert groups_of(samples) == {"a": "patient 1", "b": "x.pdf"}


def test_a_runs_figures_are_told_by_document_too(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    with study.vault.read() as reader:
        found = {(one.variant, one.scorer): one for one in grouped(reader, view)}
    recorded = {(v.name, m.scorer): m for v in view.result.variants for m in v.metrics if m.n}
    assert found.keys() == recorded.keys()
    for place, one in found.items():
        assert (one.value, one.n) == (pytest.approx(recorded[place].value, abs=2e-6), recorded[place].n)
        assert one.low <= one.value <= one.high
    refusal = found["quotes", "refusal"]
    quoted = [o for _, o in study.evals.outcomes("run-1") if o.variant == "quotes"]
    values = [score.value for o in quoted for score in o.scores if score.scorer == "refusal"]
    assert (refusal.groups, refusal.n) == (2, 3), "two questions on the tower, and one that stands for itself"
    wanted = (
        wilson(2 * values[0], 2)
        if len(set(values)) == 1
        else cluster_bootstrap_mean(values, ["tower.md", "tower.md", ""], view.run.seed)
    )
    assert (refusal.low, refusal.high) == pytest.approx(wanted, abs=1e-6)


def test_what_would_show_is_told_for_groups_as_if_for_fewer_samples() -> None:
    rng = np.random.default_rng(5)
    means = rng.normal(0.1, 0.3, 8)
    after = np.repeat(means, 10) + rng.normal(0, 0.01, 80)
    sides = measured("1", "rouge1", [0.0] * 80), [measured("2", "rouge1", after.tolist())]
    alone = only(compare(*sides, {}, {}))
    together = only(compare(*sides, {f"q{place:03}": place // 10 for place in range(80)}, {}))
    assert 2.5 < together.detectable / alone.detectable < 4.0


def test_what_all_groups_agree_on_is_not_told_as_certain() -> None:
    groups = {f"q{place:03}": place // 4 for place in range(12)}
    for before, after in (([0.0] * 12, [0.0] * 12), ([0.0] * 12, [1.0] * 12), ([1.0, 0.0] * 6, [1.0, 0.0] * 6)):
        found = only(compare(measured("1", "exact", before), [measured("2", "exact", after)], groups, {}))
        alone = only(compare(measured("1", "exact", before[:3]), [measured("2", "exact", after[:3])], {}, {}))
        assert found.low <= found.value <= found.high
        assert found.high - found.low > 0.5
        if len(set(before)) == 1:
            assert (found.low, found.high) == pytest.approx((alone.low, alone.high)), "worth as many samples as groups"


def test_of_a_single_group_nothing_is_told_of_others() -> None:
    groups = {f"q{place:03}": "tower.md" for place in range(4)}
    sides = measured("1", "exact", [0.0] * 4), [measured("2", "exact", [0.0, 1.0, 1.0, 0.0])]
    found = only(compare(*sides, groups, {}))
    assert (found.low, found.value, found.high) == (-1.0, 0.5, 1.0)


def test_a_runs_figures_of_a_single_document(study: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    study.evals.save(SPEC)
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    monkeypatch.setattr(comparing, "groups_of", lambda samples: {"a": "tower.md", "b": "tower.md"})
    values = {"rouge1": {"a": 0.5, "b": 0.25}, "latency": {"a": 1.0, "b": 3.0}, "gone": {"a": 1.0, "b": 1.0}}
    one = SimpleNamespace(values=values)
    monkeypatch.setattr(comparing, "measured", lambda *_: {"quotes": one})
    with study.vault.read() as reader:
        (only_bounded,) = grouped(reader, view)
    assert only_bounded.scorer == "rouge1"
    assert (only_bounded.low, only_bounded.high) == pytest.approx(wilson(0.375, 1), abs=1e-6)
