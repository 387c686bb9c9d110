"""Tables of every dialect, what sheets and slides hide, and what is noted on them."""

import io
import struct
from pathlib import Path

import pptx
import pytest
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI

from core.documents import formats
from core.documents.worker import csv, odf, xls
from core.documents.worker import pptx as slides
from core.documents.worker.records import Page, Parsed, check_parsed
from tests.unit.documents import packed

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MODERN = "http://schemas.microsoft.com/office/2018/10/relationships"
SHEET = "http://schemas.openxmlformats.org/presentationml/2006/main"


def text(page: Page) -> list[tuple[str, str, bool]]:
    return [(block.kind, page.text[block.start : block.end], bool(block.header)) for block in page.blocks]


@pytest.mark.parametrize(
    ("data", "table", "header"),
    [
        (b"Name;Litres\nB7;1,5\nB8;2,5\n", "Name | Litres\nB7 | 1,5\nB8 | 2,5", True),
        (b"1,5;2,5\n3,5;4,5\n", "1,5 | 2,5\n3,5 | 4,5", False),
        (b"Name\tSays\nB7\ta, b; c\nB8\td, e\n", "Name | Says\nB7 | a, b; c\nB8 | d, e", True),
        (b"Name|Litres\nB7|1,000\n", "Name | Litres\nB7 | 1,000", True),
        (b'Name,Says\nB7,"one\ntwo, three"\nB8,x\n', "Name | Says\nB7 | one two, three\nB8 | x", True),
        (b"sep=;\nName;Litres\nB7;8\n", "Name | Litres\nB7 | 8", True),
        (b"B7,2024-03-01,12\nB8,2024-03-02,13\n", "B7 | 2024-03-01 | 12\nB8 | 2024-03-02 | 13", False),
        ("Größe;Öl\nA;1\n".encode("utf-8-sig"), "Größe | Öl\nA | 1", True),
        ("Größe;Öl\nA;1\n".encode("utf-16"), "Größe | Öl\nA | 1", True),
        ("Größe\tÖl\nA\t1\n".encode("utf-16-le"), "Größe | Öl\nA | 1", True),
        ("Größe;Öl\nA;1\n".encode("utf-16-be"), "Größe | Öl\nA | 1", True),
        ("Größe;Öl;Fuß;Höhe\nA;1;2;3\n".encode("cp1252"), "Größe | Öl | Fuß | Höhe\nA | 1 | 2 | 3", True),
        (b"Name\nB7\nB8\n", "Name\nB7\nB8", True),
    ],
)
def test_tables_of_every_dialect(data: bytes, table: str, header: bool) -> None:
    (page,) = check_parsed("a.csv", csv.read("a.csv", data)).pages
    assert text(page) == [("table", table, header)]
    first = 2 if data.startswith(b"sep=") else 1
    assert [place.label for place in page.places] == [f"row {first + at}" for at in range(len(page.places))]


def test_titles_above_a_table_are_no_header() -> None:
    (page,) = csv.read("a.csv", b"Rooms of the north wing;\n;\nName;Litres\nB7;8\n").pages
    assert text(page) == [("paragraph", "Rooms of the north wing", False), ("table", "Name | Litres\nB7 | 8", True)]
    assert [place.label for place in page.places] == ["row 1", "row 3", "row 4"]


def with_hidden_row(data: bytes, sheet_row: int) -> bytes:
    """A workbook of before 2007 whose rows of that number (from 0) aren't shown: bit 5 of a ROW record's options."""
    made = bytearray(data)
    at = 0
    head = struct.pack("<HH", 0x0208, 16)
    while (at := made.find(head, at)) >= 0:
        if struct.unpack_from("<H", made, at + 4)[0] == sheet_row:
            made[at + 4 + 12] |= 0x20
        at += 4
    return bytes(made)


def test_an_old_workbooks_hidden_rows_are_said(shared_data: Path) -> None:
    data = (shared_data / "documents/office/test.xls").read_bytes()
    assert xls.read("a.xls", data).hidden == ()
    parsed = check_parsed("a.xls", xls.read("a.xls", with_hidden_row(data, 1)))
    assert {one.why for one in parsed.hidden} == {"row"}
    page = parsed.pages[parsed.hidden[0].page - 1]
    place = next(place for place in page.places if place.start == parsed.hidden[0].start)
    assert place.label.split(":")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "2"
    assert [each.text for each in parsed.pages] == [each.text for each in xls.read("a.xls", data).pages]


OPEN = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0">'
)


def test_an_open_documents_hidden_sheets_and_rows_are_said() -> None:
    def row(*cells: str, attributes: str = "") -> str:
        made = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row {attributes}>{made}</table:table-row>"

    content = (
        f'{OPEN}<office:automatic-styles><style:style style:name="ta2" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        '<office:body><office:spreadsheet><table:table table:name="Rooms">'
        + row("Name", "Says")
        + row("B7", "secret", attributes='table:visibility="collapse"')
        + row("B8", "open")
        + '</table:table><table:table table:name="Old" table:style-name="ta2">'
        + row("Name", "Gone")
        + "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    data = packed.zipped({"content.xml": content.encode()})
    parsed = check_parsed("a.ods", odf.read("a.ods", data, formats.ODS))
    assert [(one.why, parsed.pages[one.page - 1].text[one.start : one.end]) for one in parsed.hidden] == [
        ("row", "B7 | secret")
    ]
    assert [page.label for page in parsed.pages] == ["Rooms", "Old (hidden)"]


def commented(kind: str, authors: str, comments: str, relations: str) -> Parsed:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Storage"
    slide.notes_slide.notes_text_frame.text = "Say why."
    package = deck.part.package
    people = Part(PackURI("/ppt/people.xml"), "application/xml", package, authors.encode())
    deck.part.relate_to(people, f"{relations}/{kind}")
    said = Part(PackURI("/ppt/comments/said1.xml"), "application/xml", package, comments.encode())
    slide.part.relate_to(said, f"{relations}/comments")
    made = io.BytesIO()
    deck.save(made)
    return check_parsed("a.pptx", slides.read("a.pptx", made.getvalue()))


def test_comments_on_slides_are_read_with_their_authors() -> None:
    old = commented(
        "commentAuthors",
        f'<p:cmAuthorLst xmlns:p="{SHEET}"><p:cmAuthor id="0" name="Ann"/></p:cmAuthorLst>',
        f'<p:cmLst xmlns:p="{SHEET}"><p:cm authorId="0"><p:pos/><p:text>Is it 800?</p:text></p:cm></p:cmLst>',
        RELATIONS,
    )
    assert text(old.pages[0])[1:] == [
        ("paragraph", "Say why.", False),
        ("paragraph", "Comment by Ann: Is it 800?", False),
    ]
    assert [place.label for place in old.pages[0].places] == ["notes", "comment"]
    space = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
    drawn = "http://schemas.openxmlformats.org/drawingml/2006/main"

    def body(said: str) -> str:
        return f"<m:txBody><a:p><a:r><a:t>{said}</a:t></a:r></a:p></m:txBody>"

    new = commented(
        "authors",
        f'<m:authorLst xmlns:m="{space}"><m:author id="{{A}}" name="Ann"/><m:author id="{{B}}" name="Bea"/></m:authorLst>',
        f'<m:cmLst xmlns:m="{space}" xmlns:a="{drawn}"><m:cm authorId="{{A}}"><m:replyLst><m:reply authorId="{{B}}">'
        f"{body('It is 900.')}</m:reply></m:replyLst>{body('Is it 800?')}</m:cm></m:cmLst>",
        MODERN,
    )
    assert [said for _, said, _ in text(new.pages[0])[2:]] == [
        "Comment by Ann: Is it 800?",
        "Comment by Bea: It is 900.",
    ]
