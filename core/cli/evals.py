"""`assay eval`: specs, runs, and what they measured."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import yaml

from core.cli.comparing import comparison_json, comparison_lines
from core.cli.contamination import warned
from core.cli.estimating import estimate_json, estimate_lines
from core.cli.eval_scorers import scorers, suite
from core.cli.gates import exception, gate
from core.cli.grouping import groups_json, groups_lines
from core.cli.marking import mark, people_json, people_lines, people_of_runs
from core.cli.output import one_line, short, table
from core.cli.replaying import replay
from core.cli.session import FILE, Session, pass_session
from core.cli.signing import signing
from core.errors import Cancelled
from core.evals import locking, marks
from core.evals.files import read_spec
from core.evals.grouped import grouped
from core.evals.marks import people
from core.evals.records import SIGNIFICANT, Metric, Outcome, RunResult, RunSpec, RunView, SavedSpec, Spec, SpecVersion
from core.records import Json

UNFINISHED = (
    "It has no result: it is still at work, or it was interrupted. The answers recorded until then are kept; "
    "`assay eval resume` goes on with it."
)


@click.group("eval")
def evaluation() -> None:
    """Evaluations: locked specs, recorded runs, figures with intervals."""


@evaluation.command()
@click.argument("file", metavar="SPEC", type=FILE)
@pass_session
def save(session: Session, file: Path) -> None:
    """Keep a new version of a spec from its YAML file."""
    with session.workbench() as bench:
        saved = bench.evals.save(read_spec(file))
        session.output.result(
            {"spec": saved.spec.reference, "digest": saved.digest, "created": saved.created},
            [f"{'Saved' if saved.created else 'Unchanged:'} {saved.spec.reference}, digest {short(saved.digest)}."],
        )


@evaluation.command("specs")
@pass_session
def list_specs(session: Session) -> None:
    """The latest version of each spec."""
    with session.workbench() as bench:
        known = bench.evals.specs()
        session.output.result(
            {"specs": [_spec_json(saved) for saved in known]},
            table(
                ("spec", "dataset", "author", "saved", "signed"),
                [
                    (
                        s.spec.reference,
                        s.spec.spec.dataset,
                        s.spec.author,
                        s.spec.saved,
                        ", ".join(meaning for meaning, _ in s.signed),
                    )
                    for s in known
                ],
                empty="There are no specs. `assay eval save SPEC` keeps one from its YAML file.",
            ),
        )


@evaluation.command("spec")
@click.argument("reference", metavar="NAME[@VERSION]")
@pass_session
def show_spec(session: Session, reference: str) -> None:
    """A spec as the YAML that `assay eval save` reads, and who signed it."""
    with session.workbench() as bench:
        saved = bench.evals.spec(reference)
        signed = [f"# Signed as {meaning} by {one_line(name)}" for meaning, name in saved.signed]
        session.output.result(
            {**_spec_json(saved), "content": spec_content(saved.spec.spec)},
            [
                f"# {saved.spec.reference}, digest {saved.digest}",
                *(signed or ["# Nobody has signed this version."]),
                spec_text(saved.spec.spec),
            ],
        )


@evaluation.command()
@click.argument("reference", metavar="SPEC")
@click.option(
    "--meaning",
    type=click.Choice(["authored", "reviewed", "approved"]),
    required=True,
    help="What you stand for with your name.",
)
@click.option("--reason", default="", help="Why, in your own words; it is part of what is signed.")
@pass_session
def sign(session: Session, reference: str, meaning: str, reason: str) -> None:
    """Sign a spec before it runs. The passphrase is asked for again."""
    _sign(session, reference, meaning, reason)


@evaluation.command()
@click.argument("reference", metavar="SPEC")
@click.option("--reason", default="", help="Why, in your own words; it is part of what is signed.")
@pass_session
def approve(session: Session, reference: str, reason: str) -> None:
    """Approve a spec, criteria and all, before it runs."""
    _sign(session, reference, "approved", reason)


@evaluation.command()
@click.argument("spec", metavar="SPEC")
@click.option("--fresh", is_flag=True, help="Ask everything anew, also what was asked in exactly this way before.")
@click.option(
    "--dry-run", is_flag=True, help="Say how many requests and tokens it would be, and how long; record no run."
)
@pass_session
def run(session: Session, spec: str, fresh: bool, dry_run: bool) -> None:
    """Run a spec: a saved one by name, or a YAML file, which is saved first. Exit code 1 when a criterion isn't met.

    A request that an earlier run made in exactly this way on this machine is answered from there and marked so, unless latency is measured.

    Ctrl-C stops it: what was scored is kept, and the run is closed as cancelled (exit code 130).
    """
    with session.workbench() as bench:
        written = read_spec(session.path(spec)) if spec.endswith((".yaml", ".yml")) else None
        if dry_run:
            found = bench.evals.estimate(written or spec, session.output.job("Estimating"))
            session.output.result(estimate_json(found), estimate_lines(found))
            return
        reference = bench.evals.save(written).spec.reference if written else spec
        saved = bench.evals.spec(reference)
        with bench.vault.read() as reader:
            remark = locking.foretold(reader, saved.spec, "approved" in dict(saved.signed))
        if remark:
            session.output.say(remark)
        learned = warned(session, bench, reference)
        view = bench.evals.run(RunSpec(reference=reference, fresh=fresh), session.output.job("Evaluating"))
        session.output.result({**run_json(view), "contaminated": learned}, run_lines(view))
    if view.status == "cancelled":
        raise SystemExit(Cancelled.exit_code)
    if view.result is None or not view.result.passed:
        raise SystemExit(1)


@evaluation.command()
@click.argument("name", metavar="RUN")
@pass_session
def resume(session: Session, name: str) -> None:
    """Go on with a run that was stopped or cut off: what was recorded stays, the rest is done. Exit code as for `run`."""
    with session.workbench() as bench:
        view = bench.evals.resume(name, session.output.job("Evaluating"))
        session.output.result(run_json(view), run_lines(view))
    if view.status == "cancelled":
        raise SystemExit(Cancelled.exit_code)
    if view.result is None or not view.result.passed:
        raise SystemExit(1)


@evaluation.command("list")
@pass_session
def list_runs(session: Session) -> None:
    """All runs, newest first."""
    with session.workbench() as bench:
        runs = bench.evals.list()
        session.output.result(
            {"runs": [run_json(view) for view in runs]},
            table(
                ("run", "spec", "started", "by", "status", "samples"),
                [
                    (v.run.id, v.run.spec_reference, v.run.started, v.run.user, v.status, str(v.run.samples))
                    for v in runs
                ],
                empty="There are no runs. `assay eval run SPEC` makes one.",
            ),
        )


@evaluation.command()
@click.argument("name", metavar="RUN")
@click.option("--outcomes", is_flag=True, help="Each sample with its answer and scores too.")
@pass_session
def show(session: Session, name: str, outcomes: bool) -> None:
    """What a run measured."""
    with session.workbench() as bench:
        view = bench.evals.show(name)
        with bench.vault.read() as reader:
            said, by_group = people(reader, view), grouped(reader, view)
        content = {**run_json(view), "people": people_json(said), "by_group": groups_json(by_group)}
        lines = [*run_lines(view), *groups_lines(by_group), *people_lines(said)]
        if outcomes:
            held = [outcome for _, outcome in bench.evals.outcomes(view.run.id)]
            content["outcomes"] = [
                {
                    "sample": o.sample,
                    "variant": o.variant,
                    "answer": o.answer.answer if o.answer else None,
                    "error": o.error,
                    "reused": o.reused,
                    "scores": {s.scorer: {"value": s.value, "passed": s.passed, "reason": s.reason} for s in o.scores},
                }
                for o in held
            ]
            lines += ["", *table(("sample", "variant", "passed", "answer"), [_outcome_row(o) for o in held])]
        session.output.result(content, lines)


@evaluation.command()
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@click.option(
    "--tag", "tags", multiple=True, help="Compare the samples with this tag on their own too; * for every tag."
)
@pass_session
def compare(session: Session, names: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Runs side by side, and all their variants against the first, with what may be chance after correction for so many comparisons.

    RUN is `run-3`, or `run-3:VARIANT` for one variant alone. At most 20.
    """
    with session.workbench() as bench:
        views = [bench.evals.show(name.partition(":")[0]) for name in names]
        found = bench.evals.compare(names, tags)
        with bench.vault.read() as reader:
            said = marks.of_runs(reader, views)
        session.output.result(
            {
                "runs": [{**run_json(view), "people": people_json(said.get(view.run.id, ()))} for view in views],
                **comparison_json(found),
            },
            [*compare_lines(views), "", *comparison_lines(found), *people_of_runs(said)],
        )


evaluation.add_command(mark)
evaluation.add_command(replay)
evaluation.add_command(gate)
evaluation.add_command(exception)
evaluation.add_command(scorers)
evaluation.add_command(suite)


def spec_content(spec: Spec) -> dict[str, Json]:
    """What a spec says, by the names of its YAML."""
    return {key: value for key, value in msgspec.to_builtins(spec).items() if key != "version"}


def spec_text(spec: Spec) -> str:
    """A spec as the YAML that `assay eval save` reads, all that is signed."""
    return yaml.safe_dump(spec_content(spec), allow_unicode=True, sort_keys=False, width=100).rstrip()


def signing_text(version: SpecVersion) -> str:
    """All that a signature on a spec covers: what it says, and what it says of itself."""
    parent = version.parent or "none"
    head = f"{version.reference} by {version.author}, saved {version.saved}\nThe version before it: {parent}"
    return f"{head}\n\n{spec_text(version.spec)}"


def run_json(view: RunView) -> dict[str, Json]:
    """The interface's form of a run."""
    result = view.result
    return {
        "run": view.run.id,
        "spec": view.run.spec_reference,
        "digest": view.digest,
        "status": view.status,
        "passed": result.passed if result else None,
        "variants": [
            {"name": variant.name, "metrics": {metric.scorer: _metric_json(metric) for metric in variant.metrics},
             "errors": variant.errors}
            for variant in (result.variants if result else ())
        ],
        "differences": [
            {"metric": d.scorer, "baseline": d.baseline, "variant": d.variant, "value": d.value, "low": d.low,
             "high": d.high, "p": d.p, "n": d.n}
            for d in (result.differences if result else ())
        ],
        "criteria": [
            {"metric": c.criterion.metric, "variant": c.criterion.variant, "measured": c.measured, "met": c.met}
            for c in (result.criteria if result else ())
        ],
    }  # fmt: skip


def run_lines(view: RunView) -> list[str]:
    """The score table with intervals, what differs, and the verdict on the criteria."""
    result = view.result
    lines = [_title(view)]
    if result is None:
        return [*lines, UNFINISHED]
    if result.error:
        lines.append(result.error)
    if result.variants:
        header = ("variant", *(metric.scorer for metric in result.variants[0].metrics))
        rows = [(variant.name, *(_figure(metric) for metric in variant.metrics)) for variant in result.variants]
        lines += ["", *table(header, rows)]
    return [*lines, *_failed_lines(view, result), *_verdict_lines(result)]


def compare_lines(views: Sequence[RunView]) -> list[str]:
    """One table of all variants of all runs; then, run by run, what differs and the verdicts."""
    measured = [(view, variant) for view in views if view.result for variant in view.result.variants]
    scorers = list(dict.fromkeys(metric.scorer for _, variant in measured for metric in variant.metrics))
    rows = []
    for view, variant in measured:
        figures = {metric.scorer: _figure(metric) for metric in variant.metrics}
        rows.append((view.run.id, variant.name, *(figures.get(scorer, "–") for scorer in scorers)))
    lines = table(("run", "variant", *scorers), rows, empty="None of these runs was finished.")
    for view in views:
        lines += ["", _title(view)]
        if view.result:
            lines += [*_failed_lines(view, view.result), *_verdict_lines(view.result)]
        else:
            lines.append(UNFINISHED)
    return lines


def _title(view: RunView) -> str:
    return f"{view.run.id}: {view.run.spec_reference} on {view.run.dataset_reference}, {view.status}"


def _failed_lines(view: RunView, result: RunResult) -> list[str]:
    """Answers that failed, or that a scorer failed on: the figures are without them, so it has to be said."""
    return [
        f"{variant.name}: {variant.errors} of {variant.passed + variant.failed + variant.errors} answers ended in an error; "
        f"`assay eval show {view.run.id} --outcomes` says why."
        for variant in result.variants
        if variant.errors
    ]


def _verdict_lines(result: RunResult) -> list[str]:
    """The differences whose interval excludes zero, and each criterion."""
    lines = []
    for difference in result.differences:
        if difference.low > 0 or difference.high < 0:
            lines.append(
                f"{difference.variant} against {difference.baseline}, {difference.scorer}: {difference.value:+.2f} "
                f"({difference.low:+.2f} to {difference.high:+.2f}, p {difference.p:.3f}, n {difference.n})"
                f"{'' if difference.p < SIGNIFICANT else '; that may be chance'}"
            )
    for criterion in result.criteria:
        wanted = criterion.criterion
        bound = f"at least {wanted.at_least}" if wanted.at_least is not None else f"at most {wanted.at_most}"
        if wanted.on != "value":
            bound = f"{bound} at the {wanted.on} end of the interval"
        measured = "not measured" if criterion.measured is None else f"{criterion.measured:.2f}"
        errors = sum(variant.errors for variant in result.variants if variant.name == wanted.variant)
        if errors:
            measured += f"; {errors} of its samples ended in an error, which fails it"
        lines.append(
            f"Criterion {'met' if criterion.met else 'not met'}: {wanted.variant}, {wanted.metric} {bound} ({measured})"
        )
    return lines


def _sign(session: Session, reference: str, meaning: str, reason: str) -> None:
    with session.workbench() as bench:
        saved = bench.evals.spec(reference)
        name, text = saved.spec.reference, signing_text(saved.spec)
        with signing(session, bench, name, saved.digest, text, meaning, reason) as signer:
            signature = bench.evals.sign(name, meaning, reason, signer)
        session.output.result(
            {
                "spec": saved.spec.reference,
                "meaning": signature.meaning,
                "name": signature.name,
                "time": signature.time,
                "digest": saved.digest,
            },
            [f"Signed {saved.spec.reference} as {meaning}: {signature.name}, {signature.time}."],
        )


def _spec_json(saved: SavedSpec) -> dict[str, Json]:
    return {
        "spec": saved.spec.reference,
        "digest": saved.digest,
        "dataset": saved.spec.spec.dataset,
        "author": saved.spec.author,
        "saved": saved.spec.saved,
        "signed": [{"meaning": meaning, "name": name} for meaning, name in saved.signed],
    }


def _metric_json(metric: Metric) -> Json:
    return {"value": metric.value, "low": metric.low, "high": metric.high, "n": metric.n}


def _figure(metric: Metric) -> str:
    return f"{metric.value:.2f} ({metric.low:.2f}–{metric.high:.2f})" if metric.n else "–"


def _outcome_row(outcome: Outcome) -> tuple[str, str, str, str]:
    text = outcome.answer.answer if outcome.answer else outcome.error
    return outcome.sample, outcome.variant, "yes" if outcome.passed else "no", " ".join(text.split())[:80]
