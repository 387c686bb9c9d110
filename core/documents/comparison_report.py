"""Two documents side by side as a file: plain text, or one page of HTML without scripts or anything from outside.

Rules: every row is in it, or every row that differs; what differs is marked by signs in text ([-gone-] {+new+}), and by the elements `del` and
`ins` in HTML, so never by colour alone. Writing it takes text out of the vault, which is logged.
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.documents.comparing import Comparison, Difference, Kind, Piece, Row
from core.errors import BadInput
from core.paths import write_whole
from core.vault.roles import Act
from core.vault.vault import Vault

WORDS: Final[dict[Kind, str]] = {
    "same": "Same",
    "changed": "Changed",
    "moved": "Moved",
    "first": "Only in the first",
    "second": "Only in the second",
}
SIGNS: Final = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}
_TAGS: Final = {"same": ("", ""), "gone": ("<del>", "</del>"), "new": ("<ins>", "</ins>")}
_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1e21; background: #fff; margin: 2rem auto; max-width: 72rem; padding: 0 1.2rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; } th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0;
  border-bottom: 1px solid #e1e4e0; overflow-wrap: anywhere; } thead th { border-bottom: 2px solid #737c82; } th.k { width: 9rem; }
td p { margin: 0; white-space: pre-wrap; } td small { color: #464e56; } caption { text-align: left; color: #464e56; padding-bottom: .6rem; }
ins { background: #d4e5fa; color: #0b3f7a; text-decoration: underline; } del { background: #fbe1c6; color: #763800; text-decoration: line-through; }
@page { size: A4 landscape; margin: 14mm; } @media print { body { margin: 0; max-width: none; padding: 0; font-size: 9pt; }
  thead { display: table-header-group; } ins, del { print-color-adjust: exact; } }
"""


def summary(found: Comparison) -> str:
    """How many passages are of each kind, in words."""
    kinds: tuple[Kind, ...] = ("same", "changed", "moved", "first", "second")
    parts = [f"{found.count(kind):,} {WORDS[kind].lower()}" for kind in kinds]
    return f"Passages: {', '.join(parts)}."


def sides(row: Row) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """What stands on either side, in runs of words: `gone` on the first only, `new` on the second only."""
    if row.words:
        return (
            tuple(one for one in row.words if one.kind != "new"),
            tuple(one for one in row.words if one.kind != "gone"),
        )
    alone = row.second is None, row.first is None
    first = (Difference(kind="gone" if alone[0] else "same", text=row.first.text),) if row.first else ()
    second = (Difference(kind="new" if alone[1] else "same", text=row.second.text),) if row.second else ()
    return first, second


def place(piece: Piece) -> str:
    """Where a passage stands, in words."""
    return piece.place or f"page {piece.page}"


def as_text(found: Comparison, *, every: bool = True) -> str:
    """The comparison in plain text; without `every`, only what differs."""
    lines = [
        f"First: {found.first_name} (sha256 {found.first})",
        f"Second: {found.second_name} (sha256 {found.second})",
    ]
    lines += [summary(found), "[-Words-] are of the first only, {+words+} of the second.", ""]
    for row in _chosen(found, every):
        lines.append(f"{WORDS[row.kind]}: {' → '.join(place(one) for one in (row.first, row.second) if one)}")
        whole = row.words or next(side for side in sides(row)[::-1] if side)
        lines += [" ".join(f"{SIGNS[one.kind][0]}{one.text}{SIGNS[one.kind][1]}" for one in whole), ""]
    return "\n".join(lines)


def as_html(found: Comparison, *, every: bool = True) -> str:
    """The comparison as a page; without `every`, only what differs."""
    title = html.escape(f"{found.first_name} and {found.second_name}, compared")
    names = "".join(
        f'<th scope="col">{html.escape(name)}<br><small>sha256 {digest}</small></th>'
        for name, digest in ((found.first_name, found.first), (found.second_name, found.second))
    )
    body = "\n".join(
        f'<tr><th scope="row">{WORDS[row.kind]}</th>'
        + "".join(_cell(piece, runs) for piece, runs in zip((row.first, row.second), sides(row), strict=True))
        + "</tr>"
        for row in _chosen(found, every)
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<style>{_STYLE}</style></head>\n<body><main><h1>{title}</h1>\n<table><caption>{summary(found)} "
        "Underlined words are of the second only, words struck through of the first.</caption>\n"
        f'<thead><tr><th scope="col" class="k">Passage</th>{names}</tr></thead>\n<tbody>\n{body}\n</tbody></table></main></body></html>\n'
    )


def export(vault: Vault, found: Comparison, path: Path, *, every: bool = True) -> None:
    """Write a comparison to a file: `.html` or `.txt`. The log says so, with the file's name.

    Raises `BadInput` for another ending, `Refused`, and as `write_whole`; then neither the file nor the log is changed."""
    ending = path.suffix.lower()
    if ending not in (".html", ".txt"):
        raise BadInput(
            source=path.name, problem="comparisons are written as .html or .txt. Give the file one of these endings."
        )
    content = as_html(found, every=every) if ending == ".html" else as_text(found, every=every)
    about = f"{found.first_name} and {found.second_name}, compared, to {path.name}"
    with vault.write(Act.EXPORT_DOCUMENT, about=about) as unit:
        unit.note(touched=(found.first, found.second))
        write_whole(path, content.encode())


def _chosen(found: Comparison, every: bool) -> Sequence[Row]:
    return [row for row in found.rows if every or row.kind != "same"]


def _cell(piece: Piece | None, runs: Sequence[Difference]) -> str:
    if piece is None:
        return "<td></td>"
    words = " ".join(f"{_TAGS[one.kind][0]}{html.escape(one.text)}{_TAGS[one.kind][1]}" for one in runs)
    return f"<td><small>{html.escape(place(piece))}</small><p>{words}</p></td>"
