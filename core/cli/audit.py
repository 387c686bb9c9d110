"""`assay audit`: read the log."""

import click

from core.cli.output import table
from core.cli.session import Session, pass_session


@click.group()
def audit() -> None:
    """Read the audit log."""


@audit.command("log")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(min=1), help="Entries to show, newest first."
)
@pass_session
def log(session: Session, limit: int) -> None:
    """Who did what, and when."""
    with session.workbench() as bench, bench.vault.read() as reader:
        entries = reader.log(limit, after=reader.log_size - limit - 1)[::-1]
        session.output.result(
            {
                "entries": [
                    {
                        "entry": e.index,
                        "time": e.time,
                        "user": e.user,
                        "act": e.act,
                        "about": e.about,
                        "reason": e.reason,
                    }
                    for e in entries
                ]
            },
            table(
                ("entry", "time", "user", "act", "about", "reason"),
                [(str(e.index), e.time, e.user, e.act, e.about, e.reason) for e in entries],
            ),
        )


@audit.command("checkpoint")
@pass_session
def checkpoint(session: Session) -> None:
    """Print the log's signed checkpoint, to keep outside the vault."""
    with session.workbench() as bench, bench.vault.read() as reader:
        note = reader.checkpoint().decode()
        session.output.result({"checkpoint": note}, [note.rstrip()])
