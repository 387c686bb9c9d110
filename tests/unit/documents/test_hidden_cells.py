"""Cells of a workbook that nobody sees are found where they stand, and cells that are seen aren't."""

import io
from typing import Any

import openpyxl
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Color, Font, PatternFill
from openpyxl.worksheet.table import Table, TableStyleInfo

from core.documents.worker import parsing
from core.documents.worker.records import Parse, check_parsed
from core.workers.serving import Call

WHITE = Font(color="FFFFFFFF")


class Silent:
    def report(self, *_: object) -> None: ...


def found(book: Any) -> list[tuple[str, str]]:
    made = io.BytesIO()
    book.save(made)
    call: Call = Silent()  # type: ignore[assignment]
    parsed = check_parsed("a.xlsx", parsing.parse(Parse(name="a.xlsx", data=made.getvalue()), call))
    return [(one.why, parsed.pages[one.page - 1].text[one.start : one.end]) for one in parsed.hidden]


def sheet() -> tuple[Any, Any]:
    book = openpyxl.Workbook()
    table = book.active
    table.append(("", "Rooms of the house"))
    for row in (("", "Room", "Litres", "Note"), ("", "B7", 800, "say ten"), ("", "B8", 900, "say eleven")):
        table.append(row)
    return book, table


def test_white_cells_tiny_ones_and_formats_that_show_nothing() -> None:
    book, table = sheet()
    table["D3"].font = WHITE
    table["D4"].font = Font(size=1)
    table["C4"].number_format = ";;;"
    table["B2"].font = Font(color=Color(theme=0, tint=-0.02))
    table["B3"].font, table["B3"].fill = Font(color="FF101040"), PatternFill("solid", fgColor="FF000040")
    table["B1"].font = WHITE
    assert found(book) == [
        ("colour", "Rooms of the house\n\nRoom"),
        ("colour", "B7"),
        ("colour", "say ten"),
        ("style", "900"),
        ("tiny", "say eleven"),
    ]


def test_white_on_a_fill_a_table_or_a_conditional_format_is_seen() -> None:
    book, table = sheet()
    assert found(book) == []
    for cell in ("B2", "C2", "D2", "D4"):
        table[cell].font = WHITE
    table["C2"].fill = PatternFill("solid", fgColor="FF000040")
    table["B4"].fill, table["B4"].font = PatternFill("darkGrid", fgColor="FF000040"), WHITE
    assert [text for _, text in found(book)] == ["Room", "Note", "say eleven"]
    rule = CellIsRule(operator="equal", formula=['"say eleven"'], fill=PatternFill("solid", bgColor="FF000040"))
    table.conditional_formatting.add("D4:D9", rule)
    assert [text for _, text in found(book)] == ["Room", "Note"]
    named = Table(displayName="Rooms", ref="B2:D4")
    named.tableStyleInfo = TableStyleInfo(name="TableStyleMedium9")
    table.add_table(named)
    assert found(book) == []


def test_the_same_words_in_another_cell_stay_seen() -> None:
    book, table = sheet()
    table["D4"].value, table["D4"].font = "say ten", WHITE
    made = io.BytesIO()
    book.save(made)
    call: Call = Silent()  # type: ignore[assignment]
    parsed = parsing.parse(Parse(name="a.xlsx", data=made.getvalue()), call)
    assert [one.start for one in parsed.hidden] == [parsed.pages[0].text.rindex("say ten")]
