"""The part of a report on what people say of the answers: how far scorers agree with them, which marks met which, and why they gave them."""

from collections.abc import Mapping
from typing import Any

from core.evals.marks import PEOPLE
from core.evidence.blocks import Block, Heading, Paragraph, Spans, Table, plain
from core.evidence.lineage import Rows
from core.evidence.words import count, number, shown

MOST = 200
"""Marks that the report shows one by one."""
KAPPA = (
    "Kappa takes off what two would agree by chance: 1 is perfect, 0 no more than chance; in the weighted one a mark that is nearly the same "
    "counts nearly as much. Intervals are at 95 %: Wilson for the share, with the number of samples, bootstrap over samples for kappa."
)


def section(rows: Rows) -> tuple[Block, ...]:
    """The figures, the tables of marks, and the marks with their reasons; nothing where nobody marked."""
    if not rows.get("mark"):
        return ()
    found: list[Any] = [row.record for row in rows["people"]]
    pairs = [pair for one in found for pair in (*one["with_people"], *one["between"])]
    people = {str(row.record.get("user")) for row in rows["mark"]}
    said = f"{count(len(people), 'person', 'people')} gave {count(len(rows['mark']), 'mark')}. No score rests on them."
    body = tuple(
        (
            plain(_who(pair["first"]), "strong"),
            plain(_who(pair["second"])),
            plain(pair["n"]),
            plain(_figure(pair["share"])),
            plain(_figure(pair["kappa"])),
            plain(_figure(pair["weighted"])),
        )
        for pair in pairs
    )
    heads = ("First", "Second", "Answers", "Same mark", "Kappa", "Weighted kappa")
    return (
        Heading(2, "Judges and people"),
        Paragraph(plain(said)),
        Table(KAPPA, heads, body, (20, 16, 10, 18, 18, 18), numbers=(2,)),
        *(_confusion(pair) for pair in pairs if pair["n"] and pair["share"]["value"] < 1),
        _marks(rows),
    )


def _confusion(pair: Mapping[str, Any]) -> Table:
    first, second = _who(pair["first"]), _who(pair["second"])
    body = tuple(
        (plain(mark, "strong"), *(plain(f"{n:,}", "strong" if other == mark else "plain") for other, n in cells))
        for mark, line in zip(pair["marks"], pair["table"], strict=True)
        for cells in [list(zip(pair["marks"], line, strict=True))]
    )
    marks = pair["marks"]
    rest = 82 / len(marks)
    caption = f"Which marks met which. Rows: {first}. Columns: {second}."
    heads = ("Mark", *(shown(mark) for mark in marks))
    return Table(caption, heads, body, (18, *(rest for _ in marks)), numbers=tuple(range(1, len(marks) + 1)))


def _marks(rows: Rows) -> Table:
    given = rows["mark"]
    body = tuple(
        (
            plain(mark.get("sample")),
            plain(mark.get("variant")),
            plain(mark.get("scorer")),
            plain(mark.get("user")),
            plain(f"{shown(mark.get('score'))} of {shown(mark.get('lowest'))} to {shown(mark.get('highest'))}"),
            _reason(mark.get("reason")),
        )
        for mark in (row.record for row in given[:MOST])
    )
    caption = "The marks, the latest of each person on each answer."
    if len(given) > MOST:
        caption = f"The first {MOST:,} of {len(given):,} marks, the latest of each person on each answer."
    heads = ("Sample", "Variant", "Scorer", "Person", "Mark", "Reason")
    return Table(caption, heads, body, (11, 20, 15, 12, 12, 30))


def _reason(value: object) -> Spans:
    return plain(value) or plain("none given", "quiet")


def _who(name: str) -> str:
    return "all people" if name == PEOPLE else shown(name)


def _figure(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "not defined"
    return f"{number(figure['value'])} ({number(figure['low'])} to {number(figure['high'])})"
