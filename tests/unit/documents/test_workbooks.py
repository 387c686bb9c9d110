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
