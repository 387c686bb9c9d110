"""Workbooks: percentages as they are shown, and comments on cells."""

import io

import openpyxl
from openpyxl.comments import Comment

from core.documents.worker import xlsx


def test_percentages_are_read_as_they_are_shown_and_comments_have_their_cell() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("Rate", "Share", "Plain"), (0.075, 0.5, 0.075), ("none", 1, 3.0)):
        sheet.append(row)
    sheet["A2"].number_format = "0.0%"
    sheet["B2"].number_format = "0%"
    sheet["B3"].number_format = "#,##0.00 %;[Red]-0 %"
    sheet["A2"].comment = Comment("Ann Author:\nWho says so?", "Ann Author")
    packed = io.BytesIO()
    book.save(packed)
    page = xlsx.read("a.xlsx", packed.getvalue()).pages[0]
    assert page.text.split("\n") == [
        "Rate | Share | Plain",
        "7.5% | 50% | 0.075",
        "none | 100.00% | 3",
        "",
        "Comment on A2 by Ann Author: Who says so?",
    ]
    assert [place.label for place in page.places] == ["A1:C1", "A2:C2", "A3:C3", "A2, comment"]


def test_a_truth_in_a_cell_for_percentages_is_no_percentage() -> None:
    book = openpyxl.Workbook()
    for row in (("Ready", "Rate"), (True, 0.5), (False, 1)):
        book.active.append(row)
    for cell in ("A2", "A3", "B2", "B3"):
        book.active[cell].number_format = "0.0%"
    packed = io.BytesIO()
    book.save(packed)
    lines = xlsx.read("a.xlsx", packed.getvalue()).pages[0].text.split("\n")
    book.active["A2"].number_format = book.active["A3"].number_format = "General"
    book.save(plain := io.BytesIO())
    assert lines == xlsx.read("a.xlsx", plain.getvalue()).pages[0].text.split("\n")
    assert lines[1].endswith("| 50.0%")
    assert "%" not in lines[1].split("|")[0]
