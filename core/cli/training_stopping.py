"""`assay train pause` and `stop`: a run that goes on in another terminal or in the window, stopped from here."""

import click

from core.cli import training_shown, training_sweeps
from core.cli.session import Session, pass_session
from core.vault.under_way import under_way


@click.command()
@click.argument("name", metavar="RUN")
@pass_session
def pause(session: Session, name: str) -> None:
    """Pause a run, or a sweep (sweep-1) with its run, that goes on in another terminal or in the window: it ends after its present step, and
    `assay train resume` goes on from there."""
    with session.workbench() as bench:
        job = session.output.job("Pausing")
        if name.startswith("sweep-"):
            training_sweeps.show(session, bench.sweeps.pause(name, job))
        else:
            training_shown.show(session, bench.trainings.pause(name, job))


@click.command()
@click.argument("name", metavar="RUN")
@click.option(
    "--keep", is_flag=True, help="Make the adapter of its last checkpoint the run's result; else it is paused."
)
@pass_session
def stop(session: Session, name: str, keep: bool) -> None:
    """Stop a run that goes on in another terminal or in the window. With --keep it ends there, with the adapter that it has by then; so does one
    that is paused already."""
    with session.workbench() as bench:
        job = session.output.job("Stopping")
        view = bench.trainings.show(name)
        if not keep or under_way(view.digest) is not None:
            view = bench.trainings.pause(view.run.id, job)
        if keep and view.status != "finished":
            view = bench.trainings.keep(view.run.id, "", job)
        training_shown.show(session, view)
