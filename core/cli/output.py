"""What a command prints: for people, lines and tables; with `--json`, exactly one JSON document on standard output.

Progress and remarks go to standard error, so that a pipe gets the result alone. The JSON of each command is an interface: its keys are
tested and only added to.
"""

import json
import sys
from collections.abc import Sequence

import click

from core.jobs import Job, Progress

BAR = 24
"""Characters of the progress bar."""


class Output:
    """Where results go. `json_wanted` decides once for the whole command."""

    def __init__(self, json_wanted: bool) -> None:
        self.json_wanted = json_wanted

    def result(self, content: object, lines: Sequence[str]) -> None:
        """The command's result, in the form that was asked for."""
        if self.json_wanted:
            click.echo(json.dumps(content, ensure_ascii=False, indent=2))
        else:
            for line in lines:
                click.echo(line)

    def say(self, line: str) -> None:
        """A remark for the person who waits; never part of the result."""
        click.echo(line, err=True)

    def text(self, piece: str) -> None:
        """A piece of streamed text, for people only."""
        if not self.json_wanted:
            click.echo(piece, nl=False)
            sys.stdout.flush()

    def job(self, title: str) -> Job:
        """A job whose progress is drawn on a terminal, and nowhere else."""
        return Job(title, _draw if sys.stderr.isatty() else None)


def _draw(progress: Progress) -> None:
    total = progress.total or 0
    filled = BAR * progress.done // total if total else 0
    of = f"{progress.done} of {total}" if total else str(progress.done)
    end = "\n" if total and progress.done >= total else ""
    click.echo(f"\r{progress.title}  {'█' * filled}{'░' * (BAR - filled)}  {of} {progress.unit} ", nl=False, err=True)
    if end:
        click.echo("", err=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned columns; figures are right-aligned."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [
            cell.rjust(width) if _figure(cell) else cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def short(digest: str) -> str:
    """A digest shortened in the middle, as everywhere in the program."""
    return f"{digest[:8]}…{digest[-4:]}" if len(digest) > 16 else digest


def _figure(cell: str) -> bool:
    return bool(cell) and cell[0].isdigit() and cell.replace(".", "").replace(",", "").replace(" ", "").isdigit()
