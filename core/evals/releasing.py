"""The gate before a label: whether the runs that judged a prompt version let it be released, and the exceptions that two people sign.

Rules: of each spec, the newest finished run with the version counts, by its criteria on the version's variants and by its spec's gate. A
run that isn't met blocks the version. An exception is a signature as approved on that run's result, with a reason; it takes two people,
neither of whom wrote the version or made the run, and speaks of that one run only. Where the policy wants approved specs, a version needs a
finished run of a spec that was approved before that run started (`core.evals.locking`).
"""

from collections.abc import Callable, Collection, Sequence

from core.errors import BadInput, NotFound
from core.evals import comparing, gates, locking, store
from core.evals.comparison import Measured
from core.evals.gates import Evidence, GateResult, Verdict
from core.evals.records import CriterionResult, Run, RunResult, RunView, SpecVersion
from core.records import Digest
from core.vault import judging
from core.vault.unit import Reader

EXCEPTIONS = 2
"""People who must sign before a version may be released over a gate that isn't met."""


def blocked(reader: Reader, version: Digest) -> str:
    """Why a prompt version may not be released, in one sentence; "" when nothing speaks against it."""

    def judging_it(run: Run) -> list[str]:
        return [variant.name for variant in run.variants if variant.prompt_digest == version]

    return _blocked(reader, version, judging_it, "Improve the prompt")


def blocked_adapter(reader: Reader, adapter: str, version: Digest) -> str:
    """Why an adapter may not be approved; `adapter` is its file's digest, `version` the record that its authors made."""

    def judging_it(run: Run) -> list[str]:
        used = {v.name: [use.model for use in v.settings.adapters] if v.settings else [] for v in run.variants}
        return [name for name, adapters in used.items() if adapter in adapters]

    return _blocked(reader, version, judging_it, "Train another one")


def blocked_model(reader: Reader, files: Collection[str], version: Digest) -> str:
    """Why a model all of whose weights were trained may not be approved; `files` are the digests of the files that it was written to."""

    def judging_it(run: Run) -> list[str]:
        return [variant.name for variant in run.variants if variant.model_digest in files]

    return _blocked(reader, version, judging_it, "Train another one")


def _blocked(reader: Reader, version: Digest, judging_it: Callable[[Run], list[str]], advice: str) -> str:
    seen: set[str] = set()
    locked = False
    for digest, ended in store.runs(reader):
        run = reader.get(digest, Run)
        spec = run.spec_reference.partition("@")[0]
        variants = judging_it(run)
        if not variants or spec in seen or not ended:
            continue
        result = reader.get(Digest(ended), RunResult)
        if result.status != "finished":
            continue
        seen.add(spec)
        view = RunView(digest=digest, run=run, result_digest=ended, result=result)
        locked = locked or not locking.unlocked(reader, view)
        failed = [found for found in judge(reader, view, variants) if not found.passed]
        if failed and len(excusing(reader, Digest(ended), version)) < EXCEPTIONS:
            line = next(verdict for verdict in failed[0].verdicts if not verdict.met)
            return (
                f"{run.id} doesn't meet its gate: {line.line} ({line.reason.rstrip('.')}). "
                f"{advice}, or let {EXCEPTIONS} people sign an exception with `assay eval except {run.id}`."
            )
    return "" if locked else locking.wanting(reader)


def excusing(reader: Reader, result: Digest, version: Digest) -> tuple[str, ...]:
    """Who signed an exception for a run's result and counts for a version: nobody who wrote it or made the run."""
    given = judging.judges(reader, result)
    authors = reader.authors(version)
    return tuple(user for user, meanings in given.items() if "approved" in meanings and user not in authors)


def judge(
    reader: Reader, view: RunView, variants: Sequence[str] = (), baseline: tuple[RunView, str] | None = None
) -> tuple[GateResult, ...]:
    """The gate's verdict on variants of a finished run; on all but the baseline where none is named.

    The baseline is the run's first variant unless another run (and one of its variants, or "" for its first) is given. It is not asked
    whether the baseline is worse than itself.
    Raises `BadInput` when the run isn't finished, `NotFound` for a variant that it doesn't have.
    """
    run, result = view.run, view.result
    if result is None or result.status != "finished":
        raise BadInput(source=run.id, problem="it isn't finished, so nothing can be judged by it.")
    lines = reader.get(run.spec, SpecVersion).spec.gate
    names = [variant.name for variant in run.variants]
    for name in variants:
        if name not in names:
            raise NotFound(kind="variant", name=name, step=f"{run.id} has: {', '.join(names)}.")
    samples = comparing.samples_of(reader, run)
    held = comparing.measured(reader, view.digest, run, samples) if lines else {}
    against = _baseline(reader, view, held, baseline) if lines else None
    wanted = list(variants) or (names[1:] if len(names) > 1 and baseline is None else names)
    tags = {tag: frozenset(i for i, s in samples.items() if tag in s.tags) for s in samples.values() for tag in s.tags}
    found = []
    for name in wanted:
        verdicts = [_criterion(judged) for judged in result.criteria if judged.criterion.variant == name]
        own = against if against is not None and (against.run, against.variant) != (run.id, name) else None
        asked = lines if own is not None or len(names) == 1 else gates.bounds(lines)
        if asked:
            evidence = Evidence(
                result=next(variant for variant in result.variants if variant.name == name),
                measured=held[name],
                baseline=own,
                groups=comparing.groups_of(samples),
                tags=tags,
                lower=comparing.lower_is_better(held[name].values),
                seed=run.seed,
            )
            verdicts += gates.judge(asked, evidence)
        found.append(
            GateResult(
                run=run.id,
                variant=name,
                baseline=f"{own.run}: {own.variant}" if own is not None else "",
                verdicts=tuple(verdicts),
                passed=all(verdict.met for verdict in verdicts),
            )
        )
    return tuple(found)


def _baseline(
    reader: Reader, view: RunView, held: dict[str, Measured], baseline: tuple[RunView, str] | None
) -> Measured | None:
    if baseline is None:
        return held[view.run.variants[0].name]
    other, name = baseline
    samples = comparing.samples_of(reader, view.run)
    theirs = comparing.samples_of(reader, other.run)
    common = {id: sample for id, sample in samples.items() if theirs.get(id) == sample}
    read = comparing.measured(reader, other.digest, other.run, common)
    name = name or other.run.variants[0].name
    if name not in read:
        raise NotFound(kind="variant", name=name, step=f"{other.run.id} has: {', '.join(read)}.")
    return read[name]


def _criterion(judged: CriterionResult) -> Verdict:
    wanted = judged.criterion
    ends = [f">= {wanted.at_least}"] if wanted.at_least is not None else []
    ends += [f"<= {wanted.at_most}"] if wanted.at_most is not None else []
    measured = "it wasn't measured" if judged.measured is None else f"it is {judged.measured:.3f}"
    return Verdict(line=f"{wanted.metric}.{wanted.on} {' and '.join(ends)}", met=judged.met, reason=f"{measured}.")
