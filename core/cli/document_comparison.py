"""`assay documents compare`: two documents side by side."""

from pathlib import Path

import click

from core.cli.output import one_line
from core.cli.session import FILE, Session, pass_session
from core.documents.comparing import Comparison, Piece, Row
from core.documents.comparison_report import export
from core.records import Json

SHOWN = 300
"""Characters of a passage for people; --json has all."""
KINDS = {"first": "only in the first", "second": "only in the second", "changed": "changed", "moved": "moved"}


@click.command()
@click.argument("first", metavar="COLLECTION/NAME")
@click.argument("second", metavar="COLLECTION/NAME")
@click.option("--all", "every", is_flag=True, help="Show passages that are the same too.")
@click.option("--out", type=FILE, help="Write all passages to this file too: .html or .txt.")
@pass_session
def compare(session: Session, first: str, second: str, every: bool, out: Path | None) -> None:
    """Compare two documents: their passages beside each other, and what differs in words.

    An earlier version is named by its digest. [-Words-] are of the first one only, {+words+} of the second.
    """
    with session.workbench() as bench:
        one, other = bench.comparing.find(first), bench.comparing.find(second)
        found = bench.comparing.compare(one, other, session.output.job("Comparing"))
        if out is not None:
            export(bench.vault, found, out)
        session.output.result(comparison_json(found), comparison_lines(found, every=every))


def comparison_json(found: Comparison) -> Json:
    """The interface's form."""
    return {
        "first": {"document": found.first_name, "digest": found.first},
        "second": {"document": found.second_name, "digest": found.second},
        "rows": [
            {
                "kind": row.kind,
                "likeness": row.likeness,
                "first": _piece(row.first),
                "second": _piece(row.second),
                "words": [{"kind": one.kind, "text": one.text} for one in row.words],
            }
            for row in found.rows
        ],
    }


def _piece(piece: Piece | None) -> Json:
    return None if piece is None else {"page": piece.page, "place": piece.place, "text": piece.text}


def comparison_lines(found: Comparison, *, every: bool) -> list[str]:
    """For people."""
    counts = {kind: found.count(kind) for kind in ("same", "changed", "moved", "first", "second")}
    lines = [
        f"{one_line(found.first_name)} and {one_line(found.second_name)}: passages the same {counts['same']}, changed "
        f"{counts['changed']}, moved {counts['moved']}, only in the first {counts['first']}, only in the second {counts['second']}."
    ]
    for row in found.rows:
        if row.kind != "same" or every:
            lines += [f"  {KINDS.get(row.kind, row.kind)}: {_where(row)}", f"    {_short(_text(row))}"]
    return lines


def _where(row: Row) -> str:
    return " → ".join(one_line(piece.place or f"page {piece.page}") for piece in (row.first, row.second) if piece)


def _text(row: Row) -> str:
    if not row.words:
        piece = row.second or row.first
        return "" if piece is None else piece.text
    marks = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}
    return " ".join(f"{marks[one.kind][0]}{one.text}{marks[one.kind][1]}" for one in row.words)


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
