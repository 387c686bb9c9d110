"""The options of commands that find passages: further collections, filters, and the order of what is found."""

from collections.abc import Callable
from typing import Any

import click

from core.documents.filtering import Filters
from core.records import Json
from core.retrieval.records import Finding


def finding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `finding`."""
    for option in reversed(
        (
            click.option("--also", multiple=True, metavar="COLLECTION", help="Search this collection too."),
            click.option("--file", "files", multiple=True, metavar="NAME", help="Only in this document."),
            click.option("--folder", "folders", multiple=True, metavar="FOLDER", help="Only below this folder."),
            click.option(
                "--type", "types", multiple=True, metavar="ENDING", help="Only in files of this kind, such as pdf."
            ),
            click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only in documents with this tag."),
            click.option("--since", default="", metavar="DATE", help="Only what was added on this date or later."),
            click.option("--until", default="", metavar="DATE", help="Only what was added on this date or earlier."),
            click.option(
                "--mmr",
                default=1.0,
                show_default=True,
                type=click.FloatRange(0, 1),
                help="1 goes by relevance alone; the nearer to 0, the more passages must differ.",
            ),
            click.option(
                "--reranker", default="", metavar="MODEL", help="A model that puts the best passages in order."
            ),
        )
    ):
        command = option(command)
    return command


def finding(options: dict[str, Any]) -> Finding:
    """What the options ask for."""
    return Finding(
        also=options["also"],
        filters=Filters(
            files=options["files"],
            folders=options["folders"],
            types=options["types"],
            since=options["since"],
            until=options["until"],
            tags=options["tags"],
        ),
        mmr=options["mmr"],
        reranker=options["reranker"],
    )


def finding_json(finding: Finding) -> dict[str, Json]:
    """The interface's form."""
    filters = finding.filters
    return {
        "also": list(finding.also),
        "files": list(filters.files),
        "folders": list(filters.folders),
        "types": list(filters.types),
        "since": filters.since,
        "until": filters.until,
        "tags": list(filters.tags),
        "mmr": finding.mmr,
        "reranker": finding.reranker,
    }
