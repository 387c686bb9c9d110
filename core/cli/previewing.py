"""`assay documents preview`: how files would be cut, before anything is indexed; and the options that say how."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from core.cli.output import one_line
from core.cli.passwords import read_passwords
from core.cli.session import FILE, Session, pass_session
from core.documents.cutting import STRATEGIES, said
from core.documents.previewing import Preview
from core.documents.records import CuttingChoice
from core.records import Json

F = TypeVar("F", bound=Callable[..., Any])
BAR = 30
"""Characters of the longest bar."""


def cutting_options(command: F) -> F:
    """`--strategy`, `--size` and `--overlap`."""
    for option in (
        click.option(
            "--overlap",
            type=click.IntRange(min=0),
            help="The longest sentence, in tokens, that two passages share where a paragraph is cut.",
        ),
        click.option("--size", type=click.IntRange(min=1), help="Tokens up to which a passage is filled."),
        click.option(
            "--strategy",
            type=click.Choice(list(STRATEGIES)),
            help="Cut by structure first, or by size alone.",
        ),
    ):
        command = option(command)
    return command


def choice(strategy: str | None, size: int | None, overlap: int | None) -> CuttingChoice:
    """What the options say."""
    return CuttingChoice(strategy=strategy or "", size=size, overlap=overlap)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--collection", default="", help="Cut as this one is, where nothing else is said.")
@cutting_options
@click.option("--password-file", type=FILE, help="Passwords of encrypted documents, one a line. They are kept nowhere.")
@pass_session
def preview(
    session: Session,
    paths: tuple[Path, ...],
    collection: str,
    strategy: str | None,
    size: int | None,
    overlap: int | None,
    password_file: Path | None,
) -> None:
    """How files and folders would be cut into passages: some of them are read, and nothing is kept. Exit code 1 when none could be read."""
    passwords = read_passwords(password_file)
    with session.workbench() as bench:
        if collection:
            bench.documents.collection(collection)
        read = bench.documents.sample(tuple(map(str, paths)), session.output.job("Reading"), passwords)
        made = bench.documents.preview(
            read, choice(strategy, size, overlap), session.output.quiet_job("Preview"), collection
        )
        session.output.result(preview_json(made), preview_lines(made))
    if not made.documents:
        raise SystemExit(1)


def preview_json(made: Preview) -> Json:
    """The interface's form."""
    return {
        "files": made.files,
        "documents": made.documents,
        "pages": made.pages,
        "chunks": made.chunks,
        "tokens": {"smallest": made.smallest, "median": made.median, "largest": made.largest},
        "sizes": list(made.sizes),
        "strategy": made.rules.strategy,
        "size": made.rules.target,
        "overlap": made.rules.overlap,
        "passages": [
            {
                "document": one.document,
                "page": one.page,
                "place": one.place,
                "heading": one.heading,
                "tokens": one.tokens,
                "begins": one.begins,
                "ends": one.ends,
                "repeated": one.repeated,
            }
            for one in made.passages
        ],
        "refused": [{"file": one.file, "reason": one.reason} for one in made.refused],
    }


def preview_lines(made: Preview) -> list[str]:
    """For people."""
    lines = [
        f"{made.documents} documents of {made.files} files, {made.pages} pages, cut by {said(made.rules)}: {made.chunks} chunks of "
        f"{made.smallest} to {made.largest} tokens, half of them up to {made.median}."
    ]
    step = (made.rules.limit + 1) / len(made.sizes)
    most = max(made.sizes) or 1
    for number, times in enumerate(made.sizes):
        if times:
            low, high = round(number * step), round((number + 1) * step) - 1
            lines.append(f"  {low:>4} to {high:>4} tokens  {'█' * max(1, times * BAR // most)} {times}")
    for one in made.passages:
        above = f", {one_line(one.heading)}" if one.heading else ""
        again = f", repeats {one.repeated} characters" if one.repeated else ""
        lines += [
            f"{one_line(one.document)}, {one.place or f'page {one.page}'}{above}: {one.tokens} tokens{again}",
            f"      {one_line(one.begins)} … {one_line(one.ends)}",
        ]
    return [*lines, *(f"  refused: {one_line(one.reason)}" for one in made.refused)]
