"""`assay train sweep`, `sweeps`, `cancel` and `compare`: a queue of runs that differ in their settings, and runs beside each other."""

from pathlib import Path

import click
import msgspec

from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.models.starter import ensure_starters
from core.training.contrasting import Contrasted, contrast
from core.training.files import read_sweep
from core.training.sweeps import ENDED, ERASED, WAITING, SweepView


@click.command()
@click.argument("spec", metavar="SPEC", type=FILE)
@pass_session
def sweep(session: Session, spec: Path) -> None:
    """Train a run for each combination of the settings that a spec lists (rank: [4, 8]), one after another, and compare them."""
    wanted = read_sweep(spec)
    with session.workbench() as bench:
        job = session.output.job("Training")
        ensure_starters(bench.models, job)
        show(session, bench.sweeps.start(wanted, str(spec), job))


@click.command()
@pass_session
def sweeps(session: Session) -> None:
    """All sweeps, the newest first."""
    with session.workbench() as bench:
        known = bench.sweeps.list()
        rows = [
            (
                one.sweep.id,
                one.sweep.name,
                one.sweep.spec.base,
                one.status,
                f"{sum(place.status in ENDED for place in one.places)} of {len(one.places)}",
                one.sweep.started,
            )
            for one in known
        ]
        session.output.result(
            {"sweeps": [{**msgspec.to_builtins(one.sweep), "status": one.status} for one in known]},
            table(
                ("sweep", "name", "base", "status", "ended", "started"),
                rows,
                empty="There are no sweeps. `assay train sweep SPEC` makes one.",
            ),
        )


@click.command()
@click.argument("name", metavar="SWEEP")
@pass_session
def cancel(session: Session, name: str) -> None:
    """Take what hasn't ended out of a sweep's queue; `assay train resume` puts it back."""
    with session.workbench() as bench:
        show(session, bench.sweeps.cancel(name))


@click.command()
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@pass_session
def compare(session: Session, names: tuple[str, ...]) -> None:
    """Show runs beside each other: the settings in which they differ, and what each reached. A sweep stands for its runs."""
    with session.workbench() as bench:
        views = []
        for name in names:
            runs = (
                [place.run for place in bench.sweeps.show(name).places if place.run]
                if name.startswith("sweep-")
                else [name]
            )
            views += [bench.trainings.show(run) for run in runs]
        found = contrast(views)
        session.output.result(msgspec.to_builtins(found), contrasted(found))


def show(session: Session, view: SweepView) -> None:
    """Print a sweep as it stands."""
    lines = [f"{view.sweep.id} {view.sweep.name}: {view.status}. Base {view.sweep.spec.base}, {len(view.places)} runs."]
    for status, says in ((WAITING, "wait"), (ERASED, "were erased")):
        if count := sum(place.status == status for place in view.places):
            lines.append(f"  {count} runs {says}.")
    if view.status != "finished":
        lines.append(f"  `assay train resume {view.sweep.id}` goes on with the queue.")
    session.output.result(msgspec.to_builtins(view), [*lines, *(f"  {line}" for line in contrasted(view.compared))])


def contrasted(found: Contrasted) -> list[str]:
    """A table with a line for each run."""
    measures = sorted({name for one in found.runs for name in one.measures})
    heads = ("run", *found.settings, "status", "steps", "loss", "held out", "by heart", *measures, "evaluation", "gate")
    rows = [
        (
            one.run,
            *one.settings,
            one.status,
            str(one.steps),
            _figure(one.loss),
            _figure(one.held_out),
            "" if one.copied is None else f"{one.copied:.0%}",
            *(
                f"{one.measures[name][1]:.3f} ({one.measures[name][2]:+.3f})" if name in one.measures else ""
                for name in measures
            ),
            one.evaluation,
            "" if one.gate is None else "met" if one.gate else "not met",
        )
        for one in found.runs
    ]
    lines = table(heads, rows, empty="No run has begun.")
    return [*lines, f"Least loss on held-out examples: {found.best}."] if found.best else list(lines)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
