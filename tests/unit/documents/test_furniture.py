"""Running heads and feet of PDFs, and what goes on over a page's end: told by rule, kept where they are, out of what is searched; positions exact."""

import re
from collections.abc import Sequence
from pathlib import Path

import pymupdf
import pytest

from core.documents.chunking import Cut, chunk
from core.documents.overleaf import FURNITURE
from core.documents.records import Chunking
from core.documents.worker import pdf as reader
from core.documents.worker.records import Parsed, check_parsed
from tests.unit.documents.test_chunking import count
from tests.unit.documents.workspace import Piece, pdf

RULES = Chunking(target=90, limit=140, alone=10, headings=14, overlap=12)
WORDS = "whoever keeps the records of a case has to say in the log where they lie and who reads them and why".split()


def line(number: int, words: int = 14) -> str:
    """A line of running text without an end."""
    return " ".join(WORDS[(number * 5 + at) % len(WORDS)] for at in range(words))


def body(number: int, lines: int = 20, top: float = 110) -> list[Piece]:
    said = [(72.0, top + 14 * at, line(number * 31 + at), 10.0) for at in range(lines)]
    return [*said[:-1], (72.0, top + 14 * (lines - 1), line(number) + ".", 10.0)]


def parsed(*pages: Sequence[Piece]) -> Parsed:
    return check_parsed("a.pdf", reader.read("a.pdf", pdf(*pages)))


def furniture(document: Parsed) -> list[list[str]]:
    return [
        [page.text[block.start : block.end] for block in page.blocks if block.kind == "furniture"]
        for page in document.pages
    ]


def letters(text: str) -> str:
    return "".join(sorted(letter for letter in text if letter.isalnum()))


def test_running_heads_and_feet_are_kept_and_not_among_the_passages() -> None:
    pages = [
        [(72, 50, "Handbook of the safety desk", 9), (72, 800, f"Page {n + 1} of 5", 9), *body(n)] for n in range(5)
    ]
    document = parsed(*pages)
    assert furniture(document) == [["Handbook of the safety desk", f"Page {n + 1} of 5"] for n in range(5)]
    for page, pieces in zip(document.pages, pages, strict=True):
        assert letters(page.text) == letters(" ".join(piece[2] for piece in pieces))
        assert page.blocks[0].kind == page.blocks[-1].kind == "furniture"
    cuts = chunk(document, count, RULES)
    said = [cut for cut in cuts if "Handbook" in cut.shown]
    assert [(cut.page, cut.heading, cut.shown) for cut in said] == [(1, FURNITURE, "Handbook of the safety desk")]
    assert not any("of 5" in cut.shown for cut in cuts)


def test_a_line_that_is_all_that_a_page_says_is_its_text() -> None:
    slides: list[list[Piece]] = [
        [(72, 60, f"Page {n} of the tower's register: the gate is shut.", 11)] for n in range(4)
    ]
    document = parsed(*slides)
    assert furniture(document) == [[]] * 4
    said = " ".join(cut.shown for cut in chunk(document, count, RULES))
    assert all(f"Page {n} of the tower" in said for n in range(4))


def test_a_book_has_its_heads_on_every_second_page_and_roman_numbers() -> None:
    roman = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii"]
    pages = [
        [
            (72, 50, "Of keeping records" if n % 2 else "The desk and its people", 9),
            (500 if n % 2 else 72, 800, roman[n], 9),
            *body(n),
        ]
        for n in range(8)
    ]
    assert furniture(parsed(*pages)) == [[page[0][2], page[1][2]] for page in pages]


@pytest.mark.parametrize(
    ("named", "pages"),
    [
        ("a document of two", [[(72, 50, "Letter of the safety desk", 9), *body(n)] for n in range(2)]),
        ("a heading that counts", [[(72, 60, f"Article {n + 5}", 10), *body(n)] for n in range(5)]),
        ("invoices, one a page", [[(72, 60, f"Invoice No. {n + 1001}", 10), *body(n)] for n in range(5)]),
        ("a text's first line", [body(0, top=60) for _ in range(4)]),
        ("a number that doesn't count", [[(300, 800, "2024", 9), *body(n)] for n in range(5)]),
        ("titles of slides", [[(72, 60, f"What we saw in week {'abcde'[n]}", 20), *body(n)] for n in range(5)]),
    ],
)
def test_other_rows_are_text(named: str, pages: list[list[Piece]]) -> None:
    assert furniture(parsed(*pages)) == [[] for _ in pages], named


def table(number: int, header: bool, bold: bool = True) -> list[Piece]:
    rows = [(f"C{number}{at}", f"{line(at, 3)}", str(at * 7)) for at in range(30)]
    said = [("Code", "What is kept", "Months"), *rows] if header else rows
    return [
        (x, 60.0 + 24 * at, text, 10.0)
        for at, row in enumerate(said)
        for x, text in zip((72, 200, 420), row, strict=True)
    ]


def test_a_header_row_on_every_page_is_the_tables() -> None:
    document = parsed(*(table(n, True) for n in range(4)))
    assert furniture(document) == [[]] * 4
    for page in document.pages:
        (block,) = page.blocks
        assert page.text[block.start : block.header] == "Code | What is kept | Months"
    cuts = chunk(document, count, RULES)
    assert all(cut.shown.startswith("Code | What is kept | Months\n") for cut in cuts)
    assert all(cut.shown.count("Code") == 1 for cut in cuts)


def test_rows_that_go_on_overleaf_have_their_header() -> None:
    def bold(pages: bytes) -> bytes:
        with pymupdf.open(stream=pages, filetype="pdf") as document:
            page = document[0]
            for x, text in ((72, "Code"), (200, "What is kept"), (420, "Months")):
                page.insert_text((x, 36), text, fontsize=10, fontname="hebo")
            return bytes(document.tobytes())

    pages = [[*table(0, False), (200, 780, "", 10)], table(1, False), table(2, False)]
    document = check_parsed("a.pdf", reader.read("a.pdf", bold(pdf(*pages))))
    assert [page.blocks[-1].overleaf for page in document.pages] == ["rows", "rows", ""]
    assert [bool(page.blocks[0].header) for page in document.pages] == [True, False, False]
    cuts = chunk(document, count, RULES)
    assert {cut.page for cut in cuts} == {1, 2, 3}
    assert all(cut.shown.startswith("Code | What is kept | Months\n") for cut in cuts)


def over_the_end(last: str, first: str, foot: Sequence[Piece] = ()) -> Parsed:
    return check_parsed("a.pdf", reader.read("a.pdf", over_the_end_pdf(last, first, foot)))


def over_the_end_pdf(last: str, first: str, foot: Sequence[Piece] = ()) -> bytes:
    one = [*body(1)[:-1], (72.0, 110 + 14 * 19, f"It is done. {last}", 10.0), *foot]
    two = [(72.0, 110.0, first, 10.0), *body(2, top=124)]
    return pdf(
        [(72, 50, "Handbook of the desk", 9), *one, (300, 800, "1", 9)],
        [(72, 50, "Handbook of the desk", 9), *two, (300, 800, "2", 9)],
        [(72, 50, "Handbook of the desk", 9), *body(3), (300, 800, "3", 9)],
    )


def joined(document: Parsed) -> Cut:
    (found,) = [cut for cut in chunk(document, count, RULES) if cut.overleaf]
    return found


@pytest.mark.parametrize(
    ("last", "first", "said", "way"),
    [
        ("The guard at the gate of the north keeps", "the key. Nobody else does.", "keeps the key.", "space"),
        ("The guard at the north gate keeps the infor-", "mation. Nobody else does.", "the information.", "word"),
        ("The log goes to the head of", "Unit 7 on the day. Nobody else has it.", "head of Unit 7 on the day.", ""),
    ],
)
def test_a_sentence_that_goes_on_overleaf_is_whole_in_one_passage(last: str, first: str, said: str, way: str) -> None:
    document = over_the_end(last, first)
    if not way:  # its last line isn't full, so that a capital letter may open something else
        assert not any(block.overleaf for page in document.pages for block in page.blocks)
        return
    cut = joined(document)
    assert cut.page == 1
    assert cut.shown.endswith(said)
    page, following = document.pages[0], document.pages[1]
    assert page.text[cut.start : cut.end].endswith(last)
    assert following.text[: cut.overleaf].endswith(first.partition(".")[0] + ".")
    others = [one for one in chunk(document, count, RULES) if one.page == 2 and one.heading != FURNITURE]
    assert others[0].start >= cut.overleaf
    assert others[0].shown.startswith("Nobody else")


def test_a_footnote_stands_after_what_goes_on_overleaf() -> None:
    foot: list[Piece] = [(72.0, 770.0, "1 See the list of keys, part three, as of last year.", 7.0)]
    document = over_the_end("The guard at the gate of the north keeps", "the key. Nobody else does.", foot)
    assert joined(document).shown.endswith("keeps the key.")
    assert any("list of keys" in cut.shown and not cut.overleaf for cut in chunk(document, count, RULES))


def test_a_quote_over_a_pages_end_is_found_on_both() -> None:
    last, first = "The guard at the north gate keeps the infor-", "mation. Nobody else does."
    pages = [
        [(72, 50, "Handbook", 9), *body(1)[:-1], (72.0, 376, last, 10.0), (300, 800, "1", 9)],
        [(72, 50, "Handbook", 9), (72.0, 110, first, 10.0), *body(2, top=124), (300, 800, "2", 9)],
    ]
    with pymupdf.open(stream=pdf(*pages), filetype="pdf") as document:
        quote = "The guard at the north gate keeps the information."
        (one,) = reader.locate(document, 1, quote).rects
        (other,) = reader.locate(document, 2, quote).rects
        assert abs(one.y1 - 376) < 5
        assert abs(other.y1 - 110) < 5
        assert one.x0 == pytest.approx(72, abs=1)
        assert other.x1 < 130
        assert reader.locate(document, 1, "The guard at the south gate keeps the information.").rects == ()


def test_real_documents_have_their_furniture_and_their_sentences(shared_data: Path) -> None:
    folder = shared_data / "documents"
    path = folder / "nist-ai-rmf" / "NIST.AI.100-1.pdf"
    document = check_parsed("a.pdf", reader.read("a.pdf", path.read_bytes()))
    rows = [row for page in furniture(document) for row in page]
    assert len(rows) >= 80
    assert all(re.fullmatch(r"Page \d+|NIST AI 100-1( \|)? AI RMF 1\.0", row) for row in rows)
    cuts = chunk(document, count, Chunking())
    (cut,) = [cut for cut in cuts if "for example, how a human operator or user is notified" in cut.shown]
    assert (cut.page, document.pages[19].text[cut.start : cut.end][-5:]) == (20, "exam-")
    with pymupdf.open(path) as opened:
        assert not [
            page.number
            for page, known in zip(opened, document.pages, strict=True)
            if len(letters(page.get_text())) > 1.02 * len(letters(known.text)) + 20
        ]


@pytest.mark.parametrize("name", ["movie-theater-booking-2024.pdf", "REPAIR-2022-INV-001_multipage.pdf", "test.pdf"])
def test_short_real_documents_have_none(shared_data: Path, name: str) -> None:
    document = reader.read(name, (shared_data / "documents/office" / name).read_bytes())
    assert not any(row for page in furniture(document) for row in page)
