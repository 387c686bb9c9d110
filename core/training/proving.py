"""The proof: an evaluation spec that was chosen at a run's start, run by itself afterwards on base and adapter.

Rules: the version of the spec is fixed before the first step; base and adapter are two variants of one run of `core.evals`, so that samples are
paired and the run can be compared, packed and replayed like any other; a criterion on the base's variant is asked of the adapter's; the spec's
gate judges the adapter against the base. An adapter whose newest run doesn't meet its gate isn't approved, but by the exception that two
people sign (`core.evals.releasing`).
"""

from typing import Final

from msgspec.structs import replace

from core.errors import BadInput
from core.evals.comparison import Comparison
from core.evals.gates import GateResult
from core.evals.records import Criterion, RunSpec, Settings, Spec
from core.evals.service import Evals
from core.inference.records import AdapterUse
from core.jobs import Job
from core.models.records import ModelFile
from core.training.records import GateLine, Proved, Regressed, TrainingRun

BASE, ADAPTER = "base", "adapter"
WITH: Final = " with adapter"


def chosen(evals: Evals, reference: str, base: ModelFile, source: str) -> tuple[str, str]:
    """(the spec's version by name, its dataset). Raises `NotFound`, `BadInput` for a spec that asks no prompt or judges another model."""
    saved = evals.spec(reference).spec
    spec = saved.spec
    if not spec.prompts:
        raise BadInput(source=source, problem=f"the evaluation {saved.reference} asks with no prompt. Add one.")
    for criterion in spec.criteria:
        if base.name not in criterion.variant.split(" / ")[1:2]:
            raise BadInput(
                source=source,
                problem=f"a criterion of {saved.reference} is for {criterion.variant}, which isn't asked of {base.name}.",
            )
    return saved.reference, spec.dataset


def derived(spec: Spec, run: TrainingRun, base: str, tuned: str = "") -> Spec:
    """The spec as it is asked of base and adapter; each of its settings twice. `base` is the model's name, `tuned` that of a model which is asked in
    place of base and adapter."""
    if tuned:
        return replace(
            spec,
            name=f"{spec.name}-{run.id}",
            models=(base, tuned),
            include_quotes=False,
            criteria=tuple(replace(one, variant=_of_tuned(one.variant, tuned)) for one in spec.criteria),
        )
    use = (AdapterUse(model=run.id),)
    ways = [(one, replace(one, name=one.name + WITH)) for one in spec.settings] or [
        (Settings(name=BASE), Settings(name=ADAPTER))
    ]
    return replace(
        spec,
        name=f"{spec.name}-{run.id}",
        models=(base,),
        include_quotes=False,
        settings=tuple(
            way for plain, other in ways for way in (plain, replace(other, adapters=(*plain.adapters, *use)))
        ),
        criteria=tuple(_of_adapter(one, bool(spec.settings)) for one in spec.criteria),
    )


def _of_adapter(criterion: Criterion, named: bool) -> Criterion:
    return replace(criterion, variant=criterion.variant + (WITH if named else f" / {ADAPTER}"))


def _of_tuned(variant: str, tuned: str) -> str:
    parts = variant.split(" / ")
    return " / ".join((parts[0], tuned, *parts[2:]))


def prove(evals: Evals, reference: str, run: TrainingRun, base: str, job: Job, tuned: str = "") -> Proved:
    """Run the spec on base and adapter. Raises as `Evals.run`."""
    saved = evals.save(derived(evals.spec(reference).spec.spec, run, base, tuned))
    view = evals.run(RunSpec(reference=saved.spec.reference), job)
    names = [variant.name for variant in view.run.variants]
    pairs = list(zip(names[::2], names[1::2], strict=True))
    if tuned:
        pairs = [(name, _of_tuned(name, tuned)) for name in names if name.split(" / ")[1:2] == [base]]
    rows = [row for before, after in pairs for row in _rows(evals.compare(_both(view.run.id, before, after), ("*",)))]
    judged = bool(saved.spec.spec.gate or saved.spec.spec.criteria)
    gate = [found for before, after in pairs if judged for found in _gate(evals, view.run.id, before, after)]
    return Proved(
        training=run.id,
        evaluation=view.run.id,
        spec=reference,
        rows=tuple(rows),
        gate=tuple(
            GateLine(line=verdict.line, met=verdict.met, reason=verdict.reason)
            for found in gate
            for verdict in found.verdicts
        ),
        passed=all(found.passed for found in gate),
        finished=view.result is not None and view.result.status == "finished",
    )


def _both(run: str, before: str, after: str) -> tuple[str, str]:
    return f"{run}:{before}", f"{run}:{after}"


def _gate(evals: Evals, run: str, before: str, after: str) -> tuple[GateResult, ...]:
    view = evals.show(run)
    if view.result is None or view.result.status != "finished":
        return ()
    return evals.gate(run, (after,), f"{run}:{before}")


def _rows(found: Comparison) -> list[Regressed]:
    return [
        Regressed(
            variant=row.variant,
            tag=row.tag,
            scorer=row.scorer,
            base=row.before,
            adapter=row.after,
            difference=row.value,
            low=row.low,
            high=row.high,
            p=row.holm,
            n=row.n,
            worse=row.better is False,
            samples=next((one.regressed for one in found.changed if one.variant == row.variant), ()),
        )
        for row in found.rows
    ]
