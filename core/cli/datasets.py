"""`assay dataset`: samples in and out."""

from pathlib import Path

import click

from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.datasets.records import AddDataset


@click.group()
def dataset() -> None:
    """Datasets of questions with their answers."""


@dataset.command()
@click.argument("name")
@click.argument("file", metavar="FILE", type=FILE)
@pass_session
def add(session: Session, name: str, file: Path) -> None:
    """Read samples from JSON Lines, JSON or CSV into a new version."""
    with session.workbench() as bench:
        saved = bench.datasets.add(AddDataset(name=name, path=str(file)), session.output.job("Reading"))
        session.output.result(
            {
                "dataset": saved.dataset.reference,
                "digest": saved.digest,
                "samples": len(saved.dataset.samples),
                "created": saved.created,
            },
            [
                f"{'Saved' if saved.created else 'Unchanged:'} {saved.dataset.reference}: "
                f"{len(saved.dataset.samples)} samples, digest {short(saved.digest)}."
            ],
        )


@dataset.command("list")
@pass_session
def list_datasets(session: Session) -> None:
    """The latest version of each dataset."""
    with session.workbench() as bench:
        known = bench.datasets.list()
        session.output.result(
            {"datasets": [{"dataset": d.reference, "samples": len(d.samples), "saved": d.saved} for d in known]},
            table(
                ("dataset", "samples", "saved"),
                [(d.reference, str(len(d.samples)), d.saved) for d in known],
                empty="There are no datasets. `assay dataset add NAME FILE` makes one.",
            ),
        )


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@pass_session
def show(session: Session, reference: str) -> None:
    """The samples of a version."""
    with session.workbench() as bench:
        saved = bench.datasets.show(reference)
        samples = saved.dataset.samples
        session.output.result(
            {
                "dataset": saved.dataset.reference,
                "digest": saved.digest,
                "samples": [{"id": s.id, "input": s.input, "target": s.target} for s in samples],
            },
            table(("id", "input", "target"), [(s.id, s.input, s.target or "(not in the documents)") for s in samples]),
        )


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("-o", "out", required=True, type=FILE, help="A .jsonl, .json or .csv file.")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def export(session: Session, reference: str, out: Path, reason: str) -> None:
    """Write a version's samples to a file."""
    with session.workbench() as bench:
        count = bench.datasets.export(reference, out, reason)
        session.output.result(
            {"samples": count, "file": session.as_given(out)},
            [f"{count} samples written to {session.as_given(out)}."],
        )
