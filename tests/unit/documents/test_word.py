"""Word documents: numbers as Word shows them, tracked changes, content controls, comments and notes."""

import io
from collections.abc import Callable
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from core.documents.worker import docx as reader
from core.documents.worker.records import Page


def read(fill: Callable[[Any], None]) -> Page:
    document = docx.Document()
    fill(document)
    packed = io.BytesIO()
    document.save(packed)
    return reader.read("a.docx", packed.getvalue()).pages[0]


def parts(page: Page) -> list[tuple[str, str]]:
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


def put(document: Any, xml: str) -> None:
    element = parse_xml(xml.replace(">", f" {nsdecls('w')}>", 1))
    document.element.body.insert(len(document.element.body) - 1, element)


def levels(document: Any, *forms: tuple[str, str]) -> int:
    """A list of these levels (form, text); its number."""
    numbering = document.part.numbering_part.element
    shape = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (form, text) in enumerate(forms)
    )
    numbering.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{shape}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="91"><w:abstractNumId w:val="90"/></w:num>'))
    return 91


def numbered(paragraph: Any, number: int, level: int) -> None:
    properties = paragraph._element.get_or_add_pPr()
    properties.append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')
    )


def test_headings_and_items_have_the_numbers_that_word_shows() -> None:
    def fill(document: Any) -> None:
        number = levels(
            document, ("decimal", "%1"), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"), ("lowerRoman", "%4.")
        )
        for text, level in (("Scope", 0), ("Terms", 1), ("Roles", 1)):
            numbered(document.add_heading(text, level + 1), number, level)
        for text, level in (("first", 2), ("second", 2), ("deep", 3)):
            numbered(document.add_paragraph(text), number, level)
        numbered(document.add_heading("Records", 1), number, 0)
        numbered(document.add_heading("Keeping", 2), number, 1)

    assert parts(read(fill)) == [
        ("heading", "1 Scope"),
        ("heading", "1.1 Terms"),
        ("heading", "1.2 Roles"),
        ("list", "(a) first\n(b) second\ni. deep"),
        ("heading", "2 Records"),
        ("heading", "2.1 Keeping"),
    ]


def test_lists_by_style_are_counted_or_have_their_mark() -> None:
    def fill(document: Any) -> None:
        document.add_paragraph("Close the doors.", style="List Number")
        document.add_paragraph("Call the desk.", style="List Number")
        document.add_paragraph("Or don't.", style="List Bullet")

    assert parts(read(fill)) == [("list", "1. Close the doors.\n2. Call the desk.\n• Or don't.")]


def test_a_list_that_leads_nowhere_is_read_without_numbers() -> None:
    def fill(document: Any) -> None:
        numbered(document.add_paragraph("An item."), 4711, 8)

    assert parts(read(fill)) == [("list", "• An item.")]


def test_of_tracked_changes_what_stays_is_read_once() -> None:
    xml = (
        "<w:p><w:r><w:t>The limit is </w:t></w:r><w:del w:id='1' w:author='A'><w:r><w:delText>5</w:delText></w:r></w:del>"
        "<w:ins w:id='2' w:author='A'><w:r><w:t>8</w:t></w:r></w:ins><w:r><w:t> litres.</w:t></w:r>"
        "<w:moveFrom w:id='3' w:author='A'><w:r><w:t> Moved away.</w:t></w:r></w:moveFrom></w:p>"
    )
    page = read(lambda document: put(document, xml))
    assert parts(page) == [("paragraph", "The limit is 8 litres.")]


def test_what_stands_in_content_controls_is_read_in_its_place() -> None:
    def fill(document: Any) -> None:
        document.add_paragraph("Before.")
        put(
            document,
            "<w:sdt><w:sdtContent><w:p><w:r><w:t>Within.</w:t></w:r></w:p>"
            "<w:sdt><w:sdtContent><w:p><w:r><w:t>Deeper.</w:t></w:r></w:p></w:sdtContent></w:sdt></w:sdtContent></w:sdt>",
        )
        document.add_paragraph("After.")

    assert [text for _, text in parts(read(fill))] == ["Before.", "Within.", "Deeper.", "After."]


def test_comments_and_headers_come_last_and_say_what_they_are() -> None:
    def fill(document: Any) -> None:
        paragraph = document.add_paragraph("The limit is 8 litres.")
        document.add_comment(paragraph.runs, text="Who says so?", author="Ann Author", initials="A")
        document.sections[0].header.paragraphs[0].text = "Controlled copy"

    page = read(fill)
    assert [text for _, text in parts(page)] == [
        "The limit is 8 litres.",
        "Comment by Ann Author: Who says so?",
        "Controlled copy",
    ]
    assert [place.label for place in page.places] == ["comment 1", "header"]
