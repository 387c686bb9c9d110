"""`assay model`: register model files and see what is known of them."""

from pathlib import Path

import click
import msgspec

from core.cli import model_use
from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.models.records import AddModel


@click.group()
def model() -> None:
    """Model files."""


model.add_command(model_use.tokens)
model.add_command(model_use.rerank)


@model.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--name", help="How it is called in this vault; the file's name where it isn't given.")
@pass_session
def add(session: Session, file: Path, name: str | None) -> None:
    """Register a GGUF file by its digest."""
    with session.workbench() as bench:
        added = bench.models.add(AddModel(path=str(file), name=name), session.output.job("Hashing"))
        session.output.result(
            msgspec.to_builtins(added),
            [f"Registered {added.name}: {added.architecture}, {added.quantization}, digest {short(added.digest)}."],
        )


@model.command("list")
@pass_session
def list_models(session: Session) -> None:
    """What is registered."""
    with session.workbench() as bench:
        known = bench.models.list()
        session.output.result(
            {"models": [msgspec.to_builtins(m) for m in known]},
            table(
                ("name", "for", "architecture", "quantization", "megabytes", "digest"),
                [
                    (m.name, m.purpose, m.architecture, m.quantization, f"{m.size / 1e6:.1f}", short(m.digest))
                    for m in known
                ],
            ),
        )


@model.command()
@click.argument("name")
@pass_session
def show(session: Session, name: str) -> None:
    """Everything that is known of one model."""
    with session.workbench() as bench:
        content = msgspec.to_builtins(bench.models.show(name))
        session.output.result(content, [f"{key}: {value}" for key, value in content.items() if key != "version"])


@model.command()
@click.argument("name")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def remove(session: Session, name: str, reason: str) -> None:
    """Forget a model. Its file stays where it is, and what was recorded with it keeps its digest."""
    with session.workbench() as bench:
        digest = bench.models.show(name).digest
        bench.models.remove(name, reason)
        session.output.result(
            {"model": name, "digest": digest}, [f"{name} is forgotten here; its file stays where it is."]
        )
