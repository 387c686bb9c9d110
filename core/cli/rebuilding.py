"""`assay documents rebuild`: a collection is made anew, with another embedder, cut otherwise, or by this version."""

from pathlib import Path

import click

from core.cli.output import one_line
from core.cli.passwords import read_passwords
from core.cli.session import FILE, Session, pass_session
from core.documents.cutting import STRATEGIES
from core.documents.rebuilding import Rebuild, Rebuilt
from core.records import Json


@click.command()
@click.argument("collection")
@click.option("--embedder", default="", metavar="NAME", help="The model that makes the vectors, from now on.")
@click.option(
    "--strategy", type=click.Choice(list(STRATEGIES)), default=None, help="By structure first, or by size alone."
)
@click.option("--size", type=click.IntRange(min=1), help="Tokens up to which a passage is filled.")
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="The longest sentence, in tokens, that two passages share where a paragraph is cut.",
)
@click.option("--password-file", type=FILE, help="Passwords of encrypted documents, one a line. They are kept nowhere.")
@click.option("--leave-out", is_flag=True, help="Take what can't be read again out of the collection.")
@click.option(
    "--older", is_flag=True, help="Read only what an older version of the program read; the rest stays as it is."
)
@click.option("--give-up", is_flag=True, help="Drop a rebuild that was begun; the collection stays as it is.")
@pass_session
def rebuild(
    session: Session,
    collection: str,
    embedder: str,
    strategy: str | None,
    size: int | None,
    overlap: int | None,
    password_file: Path | None,
    leave_out: bool,
    older: bool,
    give_up: bool,
) -> None:
    """Make a collection anew from the documents in the vault. It is searched as before until all is ready; a rebuild that was stopped goes on.

    What isn't given stays as it is. Vectors are computed again only where they change. Exit code 1 when documents hold it up.
    """
    otherwise = bool(embedder or strategy) or size is not None or overlap is not None
    if give_up and (otherwise or leave_out or older or password_file):
        raise click.UsageError("--give-up takes no other option.")
    if older and otherwise:
        raise click.UsageError("--older keeps embedder and cutting as they are.")
    passwords = read_passwords(password_file)
    with session.workbench() as bench:
        if give_up:
            bench.rebuilding.give_up(collection)
            session.output.result({"collection": collection, "done": False}, [f"{collection} stays as it is."])
            return
        request = Rebuild(
            collection=collection,
            embedder=embedder,
            strategy=strategy or "",
            size=size,
            overlap=overlap,
            leave_out=leave_out,
            older=older,
        )
        made = bench.rebuilding.rebuild(request, session.output.job("Rebuilding"), passwords)
        session.output.result(rebuilt_json(made), rebuilt_lines(made))
    if not made.done:
        raise SystemExit(1)


def rebuilt_json(made: Rebuilt) -> Json:
    """The interface's form."""
    return {
        "collection": made.collection,
        "done": made.done,
        "embedder": made.plan.embedder_name,
        "strategy": made.plan.chunking.strategy,
        "size": made.plan.chunking.target,
        "overlap": made.plan.chunking.overlap,
        "documents": made.documents,
        "unchanged": made.unchanged,
        "embedded": made.embedded,
        "left_out": made.left_out,
        "refused": [{"file": one.file, "reason": one.reason} for one in made.refused],
        "seconds": round(made.seconds, 3),
    }


def rebuilt_lines(made: Rebuilt) -> list[str]:
    """For people."""
    rules = made.plan.chunking
    if not made.done:
        return [
            f"{made.collection} is searched as before; not read again: {len(made.refused)}. Give passwords with --password-file, or take "
            "out what can't be read with --leave-out; the others are ready.",
            *(f"  refused: {one_line(one.reason)}" for one in made.refused),
        ]
    return [
        f"{made.collection} was made anew with {made.plan.embedder_name}, passages of {rules.target} tokens, overlap {rules.overlap}: "
        f"documents made anew {made.documents}, unchanged {made.unchanged}, passages embedded {made.embedded}, in {made.seconds:.1f} s.",
        *([f"  left out, because they can't be read again: {made.left_out}"] if made.left_out else []),
    ]
