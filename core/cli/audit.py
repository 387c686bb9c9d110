"""`assay audit`: read, search, export and review the log; take its checkpoints. Proofs and witnesses are in `proofs`."""

from pathlib import Path

import click

from core.cli import proofs
from core.cli.output import one_line, short, table
from core.cli.session import FILE, Session, pass_session
from core.cli.signing import announced
from core.paths import write_whole
from core.records import Json
from core.vault import checkpoints, trail, witnesses
from core.vault.records import LogEntry


@click.group()
def audit() -> None:
    """Read, search, prove and review the audit log."""


for command in proofs.COMMANDS:
    audit.add_command(command)


@audit.command("log")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Entries to show, newest first."
)
@click.option("--by", "user", default="", metavar="USER", help="Of this user alone.")
@click.option("--act", default="", help="Of this kind alone, as the log calls it: approve, refusal, show-document …")
@click.option("--from", "since", default="", metavar="TIME", help="From this day (2026-11-20) or time on.")
@click.option("--to", "until", default="", metavar="TIME", help="Up to this day or time.")
@click.option("--text", default="", help="With these words in what it is about, its reason, before or after.")
@click.option("--object", "digest", default="", metavar="DIGEST", help="That name this record or document.")
@click.option("--before", type=click.IntRange(min=0), help="Older than this entry: the next page.")
@pass_session
def log(
    session: Session,
    limit: int,
    user: str,
    act: str,
    since: str,
    until: str,
    text: str,
    digest: str,
    before: int | None,
) -> None:
    """Who did what, and when."""
    query = trail.TrailQuery(
        user=user, act=act, since=since, until=until, text=text, object=digest, before=before, limit=limit
    )
    with session.workbench() as bench, bench.vault.read() as reader:
        page = trail.search(reader, query)
        session.output.result(
            {"entries": [trail.fields(entry) for entry in page.entries], "size": page.size, "next": page.next},
            [
                *table(
                    ("entry", "time", "user", "act", "about", "change", "reason"),
                    [(str(e.index), e.time, e.user, e.act, e.about, _change(e), e.reason) for e in page.entries],
                    empty="No entry fits.",
                ),
                *([f"There are more: --before {page.next}."] if page.next is not None else []),
            ],
        )


@audit.command("export")
@click.argument("file", type=FILE)
@click.option("--by", "user", default="", metavar="USER", help="Of this user alone.")
@click.option("--act", default="", help="Of this kind alone.")
@click.option("--from", "since", default="", metavar="TIME", help="From this day or time on.")
@click.option("--to", "until", default="", metavar="TIME", help="Up to this day or time.")
@click.option("--text", default="", help="With these words.")
@click.option("--object", "digest", default="", metavar="DIGEST", help="That name this record or document.")
@click.option("--reason", default="", help="Why it is exported; it stands in the log.")
@pass_session
def export(
    session: Session,
    file: Path,
    user: str,
    act: str,
    since: str,
    until: str,
    text: str,
    digest: str,
    reason: str,
) -> None:
    """Write the log, or what fits, as FILE.csv or FILE.json. JSON holds its own proof: `assay audit verify`."""
    query = trail.TrailQuery(user=user, act=act, since=since, until=until, text=text, object=digest)
    with session.workbench() as bench:
        done = trail.export(bench.vault, file, query, reason)
    session.output.result(
        {"file": session.as_given(file), "sha256": done.sha256, "entries": done.entries, "size": done.size},
        [f"Wrote {session.as_given(file)}: {done.entries} of {done.size} entries, SHA-256 {short(done.sha256)}."],
    )


@audit.command("review")
@click.option("--from", "first", required=True, type=click.IntRange(min=0), help="The first entry that was read.")
@click.option("--to", "last", required=True, type=click.IntRange(min=0), help="The last one.")
@click.option("--note", required=True, help="What was found; it is signed.")
@pass_session
def review(session: Session, first: int, last: int, note: str) -> None:
    """Sign that a part of the log was read. What the reviewer did themself isn't covered."""
    name, read = "a review of the audit log", f"entries {first} to {last}"
    with session.workbench() as bench, announced(session, bench, name, read, note, "reviewed") as signer:
        done = trail.review(bench.vault, signer, first, last, note)
    session.output.result(_review(done), _review_lines([done]))


@audit.command("reviews")
@pass_session
def reviews(session: Session) -> None:
    """The reviews of the log, and which parts nobody reviewed yet."""
    with session.workbench() as bench, bench.vault.read() as reader:
        known, gaps = trail.reviews(reader), trail.unreviewed(reader)
        session.output.result(
            {"reviews": [_review(found) for found in known], "unreviewed": [list(gap) for gap in gaps]},
            [*_review_lines(known), f"Not reviewed: {_ranges(gaps) or 'nothing'}."],
        )


@audit.command("checkpoint")
@click.option("-o", "out", type=FILE, help="The file to write; printed where none is given.")
@pass_session
def checkpoint(session: Session, out: Path | None) -> None:
    """The log's signed checkpoint, to keep outside the vault."""
    with session.workbench() as bench:
        note = witnesses.checkpoint(bench.vault)
        if out is not None:
            write_whole(out, note, private=False)
    given = session.as_given(out) if out is not None else None
    session.output.result(
        {"checkpoint": note.decode(), "file": given}, [f"Wrote {given}." if given else note.decode().rstrip()]
    )


@audit.command("settle")
@click.option("--reason", required=True, help="Why the vault is older than what was seen here; it stands in the log.")
@pass_session
def settle(session: Session, reason: str) -> None:
    """Take an older or another log as it is, after a warning; for administrators."""
    with session.workbench() as bench:
        checkpoints.settle(bench.vault, reason)
        with bench.vault.read() as reader:
            size = reader.log_size
    session.output.result({"settled": True, "size": size}, [f"Settled: the log has {size} entries."])


def _change(entry: LogEntry) -> str:
    if entry.before and entry.after:
        return f"{entry.before} → {entry.after}"
    return entry.after or (f"{entry.before} →" if entry.before else "")


def _review(found: trail.Reviewed) -> dict[str, Json]:
    return {
        "digest": found.digest,
        "first": found.review.first,
        "last": found.review.last,
        "root": found.review.root,
        "reviewer": found.review.reviewer,
        "time": found.review.made,
        "findings": found.review.findings,
        "own": [list(run) for run in found.review.own],
    }


def _review_lines(known: list[trail.Reviewed] | tuple[trail.Reviewed, ...]) -> list[str]:
    return table(
        ("entries", "reviewer", "time", "not covered", "findings"),
        [
            (
                f"{found.review.first} to {found.review.last}",
                found.review.reviewer,
                found.review.made,
                _ranges(found.review.own),
                one_line(found.review.findings),
            )
            for found in known
        ],
        empty="There are no reviews.",
    )


def _ranges(runs: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)
