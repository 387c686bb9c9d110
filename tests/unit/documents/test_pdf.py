"""PDF: reading order, structure, rendering, quotes on the page, and what is refused."""

from collections.abc import Sequence

import pymupdf
import pytest

from core.documents.worker import pdf as reader
from core.documents.worker.records import Parsed
from core.errors import NotFound, Unsupported
from tests.unit.documents.workspace import Piece, paragraph, pdf, scanned_pdf

LEFT = [
    "Logs of events are kept for six",
    "months at least, by whoever uses",
    "the system in their own work, so",
    "that incidents can be traced well.",
]
RIGHT = [
    "Whoever provides the system has",
    "to plan for that from the start,",
    "and says in the manual where the",
    "records lie and who reads them.",
]


def parsed(*pages: Sequence[Piece]) -> Parsed:
    return reader.read("a.pdf", pdf(*pages))


def parts(document: Parsed, page: int = 1) -> list[tuple[str, int, str]]:
    found = document.pages[page - 1]
    return [(block.kind, block.level, found.text[block.start : block.end]) for block in found.blocks]


def test_columns_are_read_one_after_the_other_below_what_crosses_them() -> None:
    title = [(72.0, 80.0, "A title across the whole width of the page, in print", 18.0)]
    document = parsed([*title, *paragraph(310, 120, RIGHT), *paragraph(72, 120, LEFT)])
    assert parts(document) == [
        ("heading", 1, "A title across the whole width of the page, in print"),
        ("paragraph", 0, " ".join(LEFT)),
        ("paragraph", 0, " ".join(RIGHT)),
    ]
    assert document.title.startswith("A title")


def test_a_table_is_read_by_rows_and_knows_its_header() -> None:
    cells = [("Field", "Rule"), ("R1", "Date of receipt"), ("R2", "Source of the report")]
    rows = [
        (x, 200.0 + number * 22, text, 10.0)
        for number, row in enumerate(cells)
        for x, text in zip((72.0, 220.0), row, strict=True)
    ]
    document = parsed([*paragraph(72, 100, LEFT), *rows])
    kind, _, text = parts(document)[-1]
    assert (kind, text) == ("table", "Field | Rule\nR1 | Date of receipt\nR2 | Source of the report")
    page = document.pages[0]
    assert page.text[page.blocks[-1].start : page.blocks[-1].header] == "Field | Rule"


def test_headings_by_size_have_levels_and_a_large_paragraph_is_none() -> None:
    document = parsed(
        [
            (72, 80, "Quality manual", 20),
            (72, 120, "1 Purpose", 14),
            *paragraph(72, 150, LEFT * 3),
            *paragraph(72, 400, ["This is set in large print. It has two sentences", "and goes on over lines."], 14),
        ]
    )
    assert [(kind, level) for kind, level, _ in parts(document)] == [
        ("heading", 1),
        ("heading", 2),
        ("paragraph", 0),
        ("paragraph", 0),
    ]


def test_a_broken_word_is_put_together_and_each_line_has_its_place() -> None:
    lines = ["Records of the manage-", "ment review are kept by the secre-", "tary for ten years."]
    document = parsed(paragraph(72, 100, lines))
    page = document.pages[0]
    assert page.text == "Records of the management review are kept by the secretary for ten years."
    assert [page.text[line.start : line.end].strip() for line in page.lines] == [
        "Records of the manage",
        "ment review are kept by the secre",
        "tary for ten years.",
    ]
    assert all(
        72 <= line.rect.x0 < 73 and line.rect.y0 < 100 + 12 * number < line.rect.y1
        for number, line in enumerate(page.lines)
    )


def test_list_items_keep_their_lines() -> None:
    document = parsed(paragraph(72, 100, ["(a) close the doors and", "leave the room;", "(b) call the desk."]))
    assert parts(document) == [("list", 0, "(a) close the doors and leave the room;\n(b) call the desk.")]


def test_a_quote_is_found_over_breaks_and_hyphens() -> None:
    lines = ["Spills are taken up at once. Records of the manage-", "ment review are kept. Nothing else is."]
    with pymupdf.open(stream=pdf(paragraph(72, 100, lines)), filetype="pdf") as document:
        first, second = reader.locate(document, 1, "Records of the management “review” are kept.").rects
        assert 150 < first.x0 < second.x1 < 200 or first.x0 > 150
        assert (first.y1 < second.y1, second.x0 < 73) == (True, True)
        assert reader.locate(document, 1, "Records of the mismanagement").rects == ()
        assert reader.locate(document, 1, "…").rects == ()
        with pytest.raises(NotFound, match="pages 1 to 1"):
            reader.locate(document, 2, "Records")


def test_a_page_is_rendered_to_the_size_that_it_says() -> None:
    with pymupdf.open(stream=pdf([(72, 100, "Words", 30)]), filetype="pdf") as document:
        image = reader.render(document, 1, 2.0)
        assert (image.width, image.height, image.scale) == (1190, 1684, 2.0)
        assert len(image.pixels) == image.width * image.height * 3
        assert min(image.pixels) < 50 < 250 < max(image.pixels)
        huge = reader.render(document, 1, 100.0)
        assert huge.width * huge.height <= reader.MOST_PIXELS * 1.01
        assert huge.scale < 100


def test_a_password_is_needed_or_it_is_not() -> None:
    words = [(72.0, 100.0, "Words", 10.0)]
    locked = pdf(words, password="secret")
    for tried in ((), ("Secret", "")):
        with pytest.raises(Unsupported, match="a password is needed"):
            reader.read("a.pdf", locked, passwords=tried)
    assert reader.read("a.pdf", locked, passwords=("wrong", "secret")).pages[0].text == "Words"
    assert reader.read("a.pdf", pdf(words, owner="secret")).pages[0].text == "Words"


def test_scans_are_marked() -> None:
    with pymupdf.open(stream=scanned_pdf(), filetype="pdf") as mixed:
        mixed.insert_pdf(pymupdf.open(stream=pdf([(72, 100, "Words", 10)]), filetype="pdf"))
        document = reader.read("a.pdf", mixed.tobytes())
    assert [page.textless for page in document.pages] == [True, False]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_and_quoted_as_it_is_shown(turn: int) -> None:
    with pymupdf.open(stream=pdf(paragraph(72, 100, LEFT)), filetype="pdf") as document:
        document[0].set_rotation(turn)
        turned = document.tobytes()
    with pymupdf.open(stream=turned, filetype="pdf") as document:
        rects = reader.locate(document, 1, "Logs of events").rects
        image = reader.render(document, 1, 1.0)
    assert rects
    assert (image.width, image.height) == ((595, 842) if turn == 180 else (842, 595))
    for rect in rects:
        inside = [
            image.pixels[(y * image.width + x) * 3]
            for y in range(round(rect.y0), round(rect.y1))
            for x in range(round(rect.x0), round(rect.x1))
        ]
        assert min(inside) < 128


def test_a_shadow_is_no_second_text() -> None:
    document = parsed([(72, 100, "Playbook", 30), (73.5, 101.5, "Playbook", 30), (72, 300, "Playbook", 30)])
    assert document.pages[0].text.count("Playbook") == 2
