"""Gates: their lines, their verdicts, and what they keep from being approved."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from core.errors import BadInput, Refused
from core.evals import gates, locking, releasing
from core.evals.comparison import Measured
from core.evals.gates import Bound, Evidence, NoRegression
from core.evals.records import Metric, RunSpec, RunView, VariantResult
from core.evals.service import Evals
from core.jobs import Job
from core.prompts.service import Prompts
from core.vault import policies
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import weak_kdf
from tests.unit.evals.towers import SPEC

SAMPLES = [f"q{place:02}" for place in range(20)]


def side(run: str, values: list[float]) -> Measured:
    named = dict(zip(SAMPLES, values, strict=True))
    return Measured(run=run, variant=run, values={"contains": named}, passed={s: v == 1.0 for s, v in named.items()})


def evidence(errors: int = 0, worse: int = 8) -> Evidence:
    metric = Metric(scorer="contains", value=0.6, low=0.38, high=0.78, n=20, method="wilson")
    return Evidence(
        result=VariantResult(name="b", metrics=(metric,), passed=12, failed=8, errors=errors),
        measured=side("b", [0.0] * worse + [1.0] * (20 - worse)),
        baseline=side("a", [1.0] * 20),
        groups={},
        tags={"safety": frozenset(SAMPLES[:10]), "other": frozenset(SAMPLES[10:])},
        lower=frozenset(),
        seed=1,
    )


@pytest.mark.parametrize(
    ("line", "met"),
    [
        ("contains >= 0.6", True),
        ("contains > 0.6", False),
        ("contains.low >= 0.5", False),
        ("contains.high  <=  0.8", True),
        ("contains >= 0.5 on tag:safety", False),
        ("contains.low >= 0.6 on tag:other", True),
        ("contains >= 0.1 on tag:nobody", False),
        ("no regression at p < 0.05", False),
        ("no regression of contains on tag:safety at p < 0.05", False),
        ("no regression on tag:other at p < 0.05", True),
        ("no regression on tag:safety at p < 0.001", True),
    ],
)
def test_each_line_is_judged(line: str, met: bool) -> None:
    (verdict,) = gates.judge([line], evidence())
    assert (verdict.met, verdict.line) == (met, " ".join(line.split()))
    assert verdict.reason.endswith(".")


def test_errors_fail_bounds_and_no_baseline_fails_regressions() -> None:
    assert not gates.judge(["contains >= 0.0"], evidence(errors=1))[0].met
    alone = msgspec.structs.replace(evidence(), baseline=None)
    assert not gates.judge(["no regression at p < 0.05"], alone)[0].met


def test_regressions_are_corrected_together() -> None:
    line = "no regression on tag:safety at p < 0.05"
    six = evidence(worse=6)
    assert not gates.judge([line], six)[0].met
    assert [v.met for v in gates.judge([line, "no regression on tag:other at p < 0.05"], six)] == [True, True]


def test_lines_are_read() -> None:
    assert gates.parse("groundedness.low >= 0.9") == Bound(
        line="groundedness.low >= 0.9", metric="groundedness", on="low", compares=">=", bound=0.9, tag=""
    )
    assert gates.parse("no  regression on tag:safety at p<0.05") == NoRegression(
        line="no regression on tag:safety at p<0.05", metric="passed", tag="safety", p=0.05
    )


@pytest.mark.parametrize(
    "line", ["", "contains", "contains >= high", "no regression", "no regression at p < 5", "x == 1"]
)
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(BadInput, match="no line of a gate"):
        gates.parse(line)


def test_a_gate_names_what_is_measured(study: SimpleNamespace) -> None:
    with pytest.raises(BadInput, match="names exact"):
        study.evals.save(msgspec.structs.replace(SPEC, gate=("exact >= 0.5",)))


def test_a_failed_gate_keeps_the_label_until_two_people_sign(
    study: SimpleNamespace, reopen: Callable[..., Vault], passphrases: dict[str, str]
) -> None:
    gate = ("contains >= 0.0", "refusal > 1")
    study.evals.save(msgspec.structs.replace(SPEC, gate=gate, include_quotes=False, criteria=()))
    study.evals.run(RunSpec(reference="towers"), Job("Run"))
    (found,) = study.evals.gate("run-1")
    assert (found.variant, found.passed) == ("cite@2 / fake", False)
    assert [verdict.met for verdict in found.verdicts] == [True, False]
    with study.vault.confirm(passphrases["ines"]) as signer:
        study.vault.add_user(signer, "rosa", "Rosa Faber", ("reviewer",), "a third staple of horses", kdf=weak_kdf)
        with pytest.raises(BadInput, match="needs a reason"):
            study.evals.sign_exception("run-1", " ", signer)
        with pytest.raises(Refused):
            study.evals.sign_exception("run-1", "trust me", signer)
    vault = reopen(study.vault, "tomas", SCHEMA)
    evals, prompts = of(vault)
    with vault.confirm(passphrases["tomas"]) as signer:
        prompts.approve("cite@2", "reads well", signer)
        assert prompts.show("cite@2").labels == ()
        assert "refusal > 1" in prompts.held_back("cite@2")
        for _ in range(2):
            evals.sign_exception("run-1", "known weakness", signer)
        assert prompts.show("cite@2").labels == ()
        with pytest.raises(Refused, match="run-1 doesn't meet its gate"):
            prompts.label("cite@2", "production")
    vault.close()
    vault = Vault.open(vault.folder, "rosa", "a third staple of horses", SCHEMA)
    try:
        evals, prompts = of(vault)
        with vault.confirm("a third staple of horses") as signer:
            evals.sign_exception("run-1", "I agree", signer)
        assert prompts.show("cite@2").labels == ("approved",)
        assert prompts.held_back("cite@2") == ""
    finally:
        vault.close()


def test_the_policy_wants_specs_that_were_approved_before_the_run(
    study: SimpleNamespace, reopen: Callable[..., Vault], passphrases: dict[str, str]
) -> None:
    quotes = msgspec.structs.replace(SPEC, name="quotes", prompts=(), models=(), criteria=())
    study.evals.save(quotes)
    study.evals.run(RunSpec(reference="quotes"), Job("Run"))
    with study.vault.read() as reader:
        assert releasing.blocked(reader, study.prompts.show("cite@2").digest) == ""
    with study.vault.confirm(passphrases["ines"]) as signer:
        policies.change(study.vault, {"approved-specs": "releases"}, "plans come first", signer)
    view = study.evals.show("run-1")
    with study.vault.read() as reader:
        assert "quotes@1 wasn't when run-1 started" in locking.unlocked(reader, view)
        with pytest.raises(Refused, match="Pack run-1"):
            locking.check_packed(reader, view)
        assert "there is none" in releasing.blocked(reader, study.prompts.show("cite@2").digest)
        assert "Nobody has approved quotes@1" in locking.foretold(
            reader, study.evals.spec("quotes").spec, approved=False
        )
    vault = reopen(study.vault, "tomas", SCHEMA)
    with vault.confirm(passphrases["tomas"]) as signer:
        of(vault)[0].sign("quotes@1", "approved", "a sound plan", signer)
    with vault.read() as reader:
        assert locking.unlocked(reader, view), "it was approved after the run"
    again = later(vault, view)
    with vault.read() as reader:
        assert locking.unlocked(reader, again) == "", "a run that starts now"


def later(vault: Vault, view: RunView) -> RunView:
    """The same run, as if it had been started now."""
    with vault.write(Act.ASK) as unit:
        digest = unit.put(msgspec.structs.replace(view.run, id="run-2"), links=(view.run.spec,))
    return msgspec.structs.replace(view, digest=digest)


def of(vault: Vault) -> tuple[Evals, Prompts]:
    """The services of somebody who only signs."""
    nothing: Any = None
    prompts = Prompts(vault, nothing, releasing.blocked)
    return Evals(vault, nothing, nothing, prompts, nothing, nothing), prompts


def test_a_gate_is_judged_by_the_newest_run_of_each_spec(study: SimpleNamespace) -> None:
    for bound, blocked in (("> 1", True), (">= 0", False)):
        study.evals.save(msgspec.structs.replace(SPEC, gate=(f"refusal {bound}",), criteria=()))
        study.evals.run(RunSpec(reference="towers"), Job("Run"))
        assert bool(_blocked(study, "cite@2")) is blocked


def test_a_spec_without_a_gate_has_no_verdict(study: SimpleNamespace) -> None:
    study.evals.save(msgspec.structs.replace(SPEC, criteria=()))
    study.evals.run(RunSpec(reference="towers"), Job("Run"))
    with pytest.raises(BadInput, match="neither a gate nor criteria"):
        study.evals.gate("run-1")


def _blocked(study: SimpleNamespace, reference: str) -> str:
    with study.vault.read() as reader:
        return releasing.blocked(reader, study.prompts.show(reference).digest)
