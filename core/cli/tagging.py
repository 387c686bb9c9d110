"""`assay documents tag`, `untag` and `tags`."""

import click

from core.cli.output import one_line, table
from core.cli.session import Session, pass_session

_TAGS = click.option(
    "--tag", "tags", multiple=True, required=True, metavar="TAG", help="A tag; more than one may be given."
)
_REASON = click.option("--reason", default="", help="Why; it stands in the audit log.")


@click.command()
@click.argument("collection")
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@_TAGS
@_REASON
@pass_session
def tag(session: Session, collection: str, names: tuple[str, ...], tags: tuple[str, ...], reason: str) -> None:
    """Put tags on documents. A search is narrowed by --tag; a new version keeps the tags of the one before."""
    with session.workbench() as bench:
        _say(session, collection, bench.tagging.add(collection, names, tags, reason))


@click.command()
@click.argument("collection")
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@_TAGS
@_REASON
@pass_session
def untag(session: Session, collection: str, names: tuple[str, ...], tags: tuple[str, ...], reason: str) -> None:
    """Take tags off documents."""
    with session.workbench() as bench:
        _say(session, collection, bench.tagging.remove(collection, names, tags, reason))


@click.command()
@click.argument("collection")
@pass_session
def tags(session: Session, collection: str) -> None:
    """The tags of a collection's documents."""
    with session.workbench() as bench:
        counts, of = bench.tagging.counts(collection), bench.tagging.of(collection)
        session.output.result(
            {
                "collection": collection,
                "tags": [{"tag": tag, "documents": number} for tag, number in counts.items()],
                "documents": [{"name": name, "tags": list(found)} for name, found in of.items()],
            },
            [
                *table(
                    ("tag", "documents"),
                    [(tag, str(number)) for tag, number in counts.items()],
                    empty="No document here has a tag. `assay documents tag COLLECTION NAME --tag TAG` puts one on.",
                ),
                *(f"  {one_line(name)}: {', '.join(found)}" for name, found in of.items()),
            ],
        )


def _say(session: Session, collection: str, changed: int) -> None:
    said = "1 document has" if changed == 1 else f"{changed} documents have"
    session.output.result({"collection": collection, "changed": changed}, [f"{said} other tags now."])
