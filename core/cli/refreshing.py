"""`assay documents refresh` and `assay documents watch`: a collection follows folders."""

from pathlib import Path

import click

from core.cli.output import one_line
from core.cli.session import FILE, Session, pass_session
from core.documents.refreshing import Refreshed
from core.documents.watching import watch as watching


@click.command()
@click.argument("collection")
@click.argument("folders", nargs=-1, type=FILE)
@click.option("--forget", is_flag=True, help="Follow no folder any more; the documents stay.")
@pass_session
def refresh(session: Session, collection: str, folders: tuple[Path, ...], forget: bool) -> None:
    """Bring a collection in step with its folders: read what is new or changed, follow renames, take out what is gone.

    FOLDERS are remembered; without any, those that the collection follows already are used. Earlier versions stay for the answers that cite them.
    """
    if forget and folders:
        raise click.UsageError("--forget takes no folder.")
    with session.workbench() as bench:
        if forget:
            bench.refreshing.unfollow(collection)
            session.output.result({"collection": collection, "folders": []}, [f"{collection} follows no folder now."])
            return
        if folders:
            bench.refreshing.follow(collection, tuple(map(str, folders)))
        done = bench.refreshing.refresh(collection, session.output.job("Reading"))
        session.output.result(
            {
                "collection": done.collection,
                "folders": list(done.folders),
                "added": done.added,
                "replaced": done.replaced,
                "unchanged": done.unchanged,
                "renamed": done.renamed,
                "removed": done.removed,
                "held": list(done.held),
                "refused": [{"file": one.file, "reason": one.reason} for one in done.refused],
                "seconds": round(done.seconds, 3),
            },
            refreshed_lines(done),
        )


@click.command()
@click.argument("collection")
@pass_session
def watch(session: Session, collection: str) -> None:
    """Refresh a collection whenever its folders change, until Ctrl-C. They are looked at every ten seconds."""
    with session.workbench() as bench:
        folders = bench.refreshing.folders(collection)
        if not folders:
            bench.refreshing.refresh(collection, session.output.quiet_job("Watch"))
        job = session.output.quiet_job("Watch")

        def refreshed() -> None:
            for line in refreshed_lines(bench.refreshing.refresh(collection, job)):
                session.output.say(line)

        session.console.stays()
        watching(folders, refreshed, job, session.output.say)


def refreshed_lines(done: Refreshed) -> list[str]:
    """What came of a refresh, for people."""
    return [
        f"{done.collection}: {done.added} read ({done.replaced} replaced an earlier version), {done.renamed} renamed, "
        f"{done.removed} taken out, {done.unchanged} unchanged, {len(done.refused)} refused.",
        *(f"  kept by a hold: {one_line(name)}" for name in done.held),
        *(f"  refused: {one_line(one.reason)}" for one in done.refused),
    ]
