"""`assay train`: adapters from examples."""

from pathlib import Path
from typing import Any

import click
import msgspec

from core.cli import training_shown, training_stopping, training_sweeps
from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.errors import Cancelled
from core.models.records import SignModel
from core.models.starter import ensure_starters
from core.training import merged
from core.training.files import read_spec
from core.training.records import ExportAdapter, ImportAdapter, MergeAdapter, Plan, TrainingView
from core.training.settings import EXPLAINED, PRESETS


@click.group()
def train() -> None:
    """Train LoRA adapters from examples, or all weights of small models, on this machine."""


@train.command()
@click.argument("spec", metavar="SPEC", type=FILE)
@click.option(
    "--plan", "only_plan", is_flag=True, help="Only say what it would take: memory and time, from a few steps."
)
@click.option(
    "--quick",
    is_flag=True,
    help="With --plan: take no step. Memory by formula, time as an earlier run of the same shape took.",
)
@pass_session
def run(session: Session, spec: Path, only_plan: bool, quick: bool) -> None:
    """Train an adapter as a YAML file says, and compare it with its base."""
    wanted = read_spec(spec)
    with session.workbench() as bench:
        job = session.output.job("Training")
        ensure_starters(bench.models, job)
        if only_plan or quick:
            plan = bench.trainings.plan(wanted, str(spec), job, quick)
            session.output.result(msgspec.to_builtins(plan), _planned(plan))
            return
        training_shown.show(session, bench.trainings.run(wanted, str(spec), job))


@train.command()
@click.argument("spec", metavar="SPEC", type=FILE)
@pass_session
def check(session: Session, spec: Path) -> None:
    """Look for what is suspicious in a spec's data: personal data, repetitions, questions of the evaluation, signs of poisoning."""
    with session.workbench() as bench:
        job = session.output.job("Examining")
        ensure_starters(bench.models, job)
        found = bench.trainings.examine(read_spec(spec), str(spec), job)
        rows = [(one.kind, one.line, one.other, one.said) for one in found]
        session.output.result(
            {"findings": msgspec.to_builtins(found)},
            table(("kind", "line", "like", "why"), rows, empty="Nothing suspicious was found."),
        )


@train.command()
@click.argument("name", metavar="RUN")
@click.argument("spec", metavar="[SPEC]", type=FILE, required=False)
@pass_session
def resume(session: Session, name: str, spec: Path | None) -> None:
    """Go on with an interrupted run at its last checkpoint, or with a sweep (sweep-1). SPEC is needed only where its file lies elsewhere now."""
    with session.workbench() as bench:
        if name.startswith("sweep-"):
            training_sweeps.show(session, bench.sweeps.resume(name, session.output.job("Training")))
            return
        training_shown.show(session, bench.trainings.resume(name, str(spec or ""), session.output.job("Training")))


@train.command("list")
@pass_session
def list_runs(session: Session) -> None:
    """All runs, the newest first."""
    with session.workbench() as bench:
        known = bench.trainings.list()
        session.output.result(
            {"runs": [_summary(view) for view in known]},
            table(
                ("run", "name", "base", "status", "steps", "started"),
                [
                    (
                        v.run.id,
                        v.run.name,
                        v.run.base,
                        v.status,
                        str(v.result.step if v.result else v.checkpoint),
                        v.run.started,
                    )
                    for v in known
                ],
                empty="There are no training runs. `assay train run SPEC` makes one.",
            ),
        )


@train.command()
@click.argument("name", metavar="RUN")
@pass_session
def show(session: Session, name: str) -> None:
    """A run: its data, settings, curve, adapter, and what that was found to do; or a sweep (sweep-1) with its runs."""
    with session.workbench() as bench:
        if name.startswith("sweep-"):
            training_sweeps.show(session, bench.sweeps.show(name))
            return
        view = bench.trainings.show(name)
        training_shown.show(session, view, merged.of_run(bench.vault, view.digest))


@train.command()
@click.argument("name", metavar="RUN")
@click.option(
    "--meaning",
    type=click.Choice(("authored", "reviewed", "approved")),
    required=True,
    help="What the signature means.",
)
@click.option("--reason", default="", help="Why; it stands in the signature.")
@pass_session
def sign(session: Session, name: str, meaning: str, reason: str) -> None:
    """Sign a run's result, and with it the adapter; or, by the model's name, the record of what a merged model is from."""
    with session.workbench() as bench, session.signer(bench) as signer:
        if name == "latest" or name.startswith("training-"):
            signature = bench.trainings.sign(name, meaning, reason, signer)
        else:
            signature = merged.sign(bench.vault, bench.models.show(name), meaning, reason, signer)
        session.output.result(
            {"run": signature.subject_name, "meaning": signature.meaning, "name": signature.name},
            [f"{signature.subject_name} signed as {signature.meaning} by {signature.name}."],
        )


@train.command()
@click.argument("name", metavar="RUN")
@click.option("-o", "out", required=True, type=FILE, help="A new folder.")
@click.option("--sign", "signed", is_flag=True, help="Sign the folder's files (OpenSSF Model Signing).")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def export(session: Session, name: str, out: Path, signed: bool, reason: str) -> None:
    """Write an adapter as PEFT safetensors and GGUF, with a model card."""
    with session.workbench() as bench:
        files = bench.trainings.export(ExportAdapter(run=name, folder=str(out), reason=reason))
        signature = ""
        if signed:
            with session.signer(bench) as signer:
                signature = bench.signatures.sign(SignModel(path=str(out), reason=reason), signer).signature
        session.output.result(
            {"folder": session.as_given(out), "files": list(files), "signature": signature},
            [f"{', '.join(files)} written to {session.as_given(out)}."],
        )


@train.command("import")
@click.argument("folder", metavar="FOLDER", type=FILE)
@click.option("--base", required=True, help="The registered model that it was made for.")
@click.option("--name", default="", help="How the run is called; else as the folder.")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def import_adapter(session: Session, folder: Path, base: str, name: str, reason: str) -> None:
    """Take in a LoRA adapter that PEFT saved elsewhere (safetensors)."""
    with session.workbench() as bench:
        job = session.output.job("Importing the adapter")
        training_shown.show(
            session,
            bench.adapters.import_adapter(ImportAdapter(folder=str(folder), base=base, name=name, reason=reason), job),
        )


@train.command()
@click.argument("name", metavar="RUN")
@click.option("-o", "out", required=True, type=FILE, help="The new file, a .gguf.")
@click.option("--type", "quantization", default="f16", help="Of its matrices: f32, f16, bf16, q8_0.")
@click.option("--name", "called", default="", help="The model's name in the vault; else as the file.")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@click.option("--yes", is_flag=True, help="Don't ask: the file lies outside the vault, in clear.")
@pass_session
def merge(session: Session, name: str, out: Path, quantization: str, called: str, reason: str, yes: bool) -> None:
    """Write the base with a run's adapter in its weights, or with the weights that it trained, as a model file, and register that."""
    if not yes and not session.agrees("The file lies outside the vault, in clear. Write it?", "Give --yes."):
        raise Cancelled(what="The merge")
    with session.workbench() as bench:
        request = MergeAdapter(run=name, out=str(out), quantization=quantization, name=called, reason=reason)
        model = bench.adapters.merge(request, session.output.job("Merging the adapter"))
        session.output.result(
            {"model": model.name, "digest": model.digest, "size": model.size, "quantization": model.quantization},
            [f"{model.name} written and registered ({model.size / 1e6:,.0f} MB, {model.quantization})."],
        )


@train.command()
@click.argument("name", metavar="RUN")
@click.argument("spec", metavar="[SPEC]", type=FILE, required=False)
@pass_session
def evaluate(session: Session, name: str, spec: Path | None) -> None:
    """Evaluate a run's adapter once more, as its spec says, where that failed. SPEC is needed only where its file lies elsewhere now."""
    with session.workbench() as bench:
        ensure_starters(bench.models, session.output.job("Evaluating"))
        training_shown.show(session, bench.trainings.evaluate(name, str(spec or ""), session.output.job("Evaluating")))


@train.command()
@pass_session
def settings(session: Session) -> None:
    """Every setting with its meaning, and what each preset gives it."""
    rows = [
        (name, *(_plain(getattr(preset, name)) for preset in PRESETS.values()), text)
        for name, text in EXPLAINED.items()
    ]
    session.output.result(
        {"settings": [dict(zip(("name", *PRESETS, "meaning"), row, strict=True)) for row in rows]},
        table(("setting", *PRESETS, "what it does"), rows),
    )


train.add_command(training_stopping.pause)
train.add_command(training_stopping.stop)
train.add_command(training_sweeps.sweep)
train.add_command(training_sweeps.sweeps)
train.add_command(training_sweeps.cancel)
train.add_command(training_sweeps.compare)


def _plain(value: Any) -> str:
    return (
        ", ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _summary(view: TrainingView) -> dict[str, Any]:
    return {
        "run": view.run.id,
        "name": view.run.name,
        "base": view.run.base,
        "status": view.status,
        "started": view.run.started,
        "checkpoint": view.checkpoint,
        "adapter": view.result.gguf if view.result else "",
    }


def _time(plan: Plan) -> str:
    if not plan.seconds:
        return ", their time not known: no run of this shape has finished here, and --quick takes no step"
    found = f", about {plan.seconds:.0f} s ({plan.low:.0f} to {plan.high:.0f}) on this {plan.device}"
    return f"{found}, as an earlier run of this shape took" if plan.time_from == "run" else found


def _planned(plan: Plan) -> list[str]:
    rows = [
        ("the program", plan.program),
        ("weights", plan.weights),
        ("adapter", plan.adapter),
        ("gradients", plan.gradients),
        ("optimizer", plan.optimizer),
        ("activations", plan.activations),
        ("all, at most", plan.memory),
    ]
    fits = (
        f"fits: {plan.free / 1e6:,.0f} MB are free"
        if plan.fits
        else f"does not fit: {plan.free / 1e6:,.0f} MB are free"
    )
    return [
        f"{plan.examples} examples, the longest of {plan.longest} tokens; {len(plan.left_out)} can't be learned.",
        f"{plan.steps} steps{_time(plan)}. {plan.trained:,} numbers are trained.",
        *table(("memory", "MB"), [(name, f"{value / 1e6:,.1f}") for name, value in rows]),
        f"It {fits}.",
    ]
