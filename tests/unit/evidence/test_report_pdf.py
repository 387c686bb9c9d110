"""The report as a PDF, read by another program."""

from collections.abc import Callable
from typing import Any

import msgspec
import pymupdf
import pytest
from lxml import html

from core.evidence import failures, report, report_html, report_pdf
from core.evidence.blocks import Block, Document, Heading, Paragraph, Span, Table
from core.evidence.packing import plain_rows
from core.evidence.pdf import scripts
from core.evidence.pdf.fonts import FILES, Face
from tests.unit.evidence.building import CONTENT_TITLE, altered, content

CONTENT = content()
WORDS = report.report(plain_rows(CONTENT), CONTENT_TITLE)
PDF = report_pdf.render(WORDS)


def read(data: bytes) -> Any:
    pymupdf.TOOLS.reset_mupdf_warnings()
    found = pymupdf.open(stream=data, filetype="pdf")
    assert not pymupdf.TOOLS.mupdf_warnings()
    return found


def text_of(data: bytes) -> str:
    return " ".join(" ".join(page.get_text() for page in read(data)).split())


def document(*blocks: Block) -> Document:
    return Document("A title", "A subject", "Assay 0.1.0", "2026-11-21T10:00:00+01:00", blocks)


def test_it_says_what_the_page_says() -> None:
    text = text_of(PDF).replace(" ", "")
    for block in WORDS.blocks:
        for span in spans(block):
            wanted = "".join(span.text.split())
            assert wanted in text or span.style in ("code", "mark") or len(wanted) > 25, span.text
    for expected in ("Allcriteriamet", "BenOkafor", "21November2026,10:00:00+01:00", "Page1of"):
        assert expected in text


def spans(block: Block) -> list[Span]:
    match block:
        case Heading():
            return [Span(block.text)]
        case Paragraph():
            return list(block.spans)
        case Table():
            return [span for row in block.rows for cell in row for span in cell]
    return []


def test_the_same_run_gives_the_same_bytes_dated_by_the_run() -> None:
    assert report_pdf.render(WORDS) == PDF
    found = read(PDF).metadata
    assert (found["title"], found["producer"]) == (CONTENT_TITLE, "Assay 0.1.0")
    assert found["creationDate"] == "D:20261121100000+01'00"


def test_headings_are_bookmarks_and_every_part_is_tagged() -> None:
    pdf = read(PDF)
    headings = [(b.level, b.text) for b in WORDS.blocks if isinstance(b, Heading)]
    assert [(level, text) for level, text, _ in pdf.get_toc()] == [(1, CONTENT_TITLE), *headings]
    catalogue = pdf.xref_object(pdf.pdf_catalog())
    for expected in ("/Marked true", "/Lang", "/DisplayDocTitle true", "/StructTreeRoot", "/Metadata"):
        assert expected in catalogue, expected
    tags = {
        pdf.xref_get_key(x, "S")[1]
        for x in range(1, pdf.xref_length())
        if pdf.xref_get_key(x, "Type")[1] == "/StructElem"
    }
    assert {"/H1", "/H2", "/P", "/Table", "/TR", "/TH", "/TD", "/Figure", "/L", "/LI", "/BlockQuote"} <= tags
    figures = [x for x in range(1, pdf.xref_length()) if pdf.xref_get_key(x, "S")[1] == "/Figure"]
    assert figures
    assert all(len(pdf.xref_get_key(x, "Alt")[1]) > 40 for x in figures)
    for page in pdf:
        content = page.read_contents()
        depth = content.count(b" BDC") + content.count(b" BMC")
        assert depth == content.count(b"EMC") > 0


def test_typefaces_are_embedded_and_nothing_runs() -> None:
    pdf = read(PDF)
    for page in pdf:
        for xref, kind, *_ in page.get_fonts():
            assert kind == "ttf", (xref, kind)
            assert pdf.extract_font(xref)[3]
    for key in (b"/JavaScript", b"/JS", b"/OpenAction", b"/URI", b"/Launch", b"/EmbeddedFile"):
        assert key not in PDF
        assert not [x for x in range(1, pdf.xref_length()) if key.decode() in pdf.xref_object(x)]


def test_a_table_goes_on_over_pages_with_its_head() -> None:
    rows = tuple(((Span(f"row {place}"),), (Span("word " * (place % 40)),)) for place in range(200))
    pdf = read(report_pdf.render(document(Heading(2, "Rows"), Table("Many.", ("First", "Second"), rows, (1, 3)))))
    assert len(pdf) > 5
    for page in pdf:
        assert "First" in page.get_text()
        assert max(word[3] for word in page.get_text("words")) < page.rect.height - 20
        assert max(word[2] for word in page.get_text("words")) < page.rect.width - 50
    text = " ".join(page.get_text() for page in pdf)
    assert all(f"row {place}\n" in text for place in range(200))


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (Paragraph(()),),
        (Paragraph((Span("x" * 5000),)),),
        (Paragraph((Span("\n" * 300),)),),
        (Table("None.", ("A",), (), (1,)),),
        (Table("Tall.", ("A", "B"), (((Span("a"),), (Span("word " * 6000),)),), (1, 1)),),
        (Heading(2, "h " * 200), Heading(3, "x" * 300), Paragraph((Span("a\tb  c\u00ad"),))),
    ],
)
def test_odd_content_gives_a_document_that_can_be_read(blocks: tuple[Block, ...]) -> None:
    pdf = read(report_pdf.render(document(*blocks)))
    for page in pdf:
        for word in page.get_text("words"):
            assert word[2] < page.rect.width - 40
            assert word[3] < page.rect.height - 20


def test_any_script_shows_or_is_replaced_visibly_and_can_be_copied() -> None:
    names = ("Ада Његош", "Ζωή", "Nguyễn", "שרה כהן", "محمد علي", "中村")
    text = text_of(report_pdf.render(document(*(Paragraph((Span(name),)) for name in names))))
    for name in names:
        assert name in text, name
    face = Face("plain")
    assert face.word("中").actual
    assert len(face.word("中").glyphs) == 4 * len("[U+4E2D]")


def test_arabic_letters_take_their_forms_and_run_from_the_right() -> None:
    assert scripts.drawn("سلام") == "\ufee1\ufe8e\ufee0\ufeb3"
    assert scripts.drawn("(אב)") == "(בא)"
    assert scripts.drawn("אב12") == "12בא"
    assert not scripts.runs_right("Nováková")


def test_a_cut_typeface_keeps_the_shapes_of_its_letters() -> None:
    data = report_pdf.render(document(Paragraph((Span("Ünïcödé fi"),), large=True)))
    pixels = read(data)[0].get_pixmap(dpi=40)
    dark = sum(1 for value in pixels.samples if value < 100)
    assert dark > 60
    assert set(FILES) == {"plain", "strong", "code"}


def test_failures_beyond_the_first_are_counted() -> None:
    rows = plain_rows(CONTENT)
    many = rows["outcome"] * 40
    words = report.report({**rows, "outcome": many}, CONTENT_TITLE)
    said = f"80 of 160 answers didn't satisfy every scorer. The first {failures.MOST} are told here"
    assert said in html.fromstring(report_html.render(words)).text_content()


def outcome_with(change: Callable[[Any], None]) -> Any:
    def alter(record: Any) -> None:
        if record["answer"]:
            change(record["answer"])

    changed = tuple(altered(outcome, alter) for outcome in CONTENT.outcomes)
    return plain_rows(msgspec.structs.replace(CONTENT, outcomes=changed))


def test_what_is_cited_is_highlighted_inside_its_passage() -> None:
    def change(answer: Any) -> None:
        answer["citations"] = [{"number": 2, "name": "h", "page": 7, "quote": "The right  sentence."}]
        answer["passages"] = [
            {"name": "h", "text": "Other."},
            {"name": "h", "page": 7, "text": "Before. The right\nsentence. After."},
        ]
        answer["unsupported"] = [[0, 6]]

    page = report_html.render(report.report(outcome_with(change), CONTENT_TITLE))
    assert "Before. <mark>The right sentence.</mark> After." in page
    assert "Cited: [2] h, page 7" in page
    assert '<span class="fail"> [no support found]</span>' in page
    assert "1 more passage was found for it." in page
