"""Tables on a PDF's pages, drawn with lines or not: every cell in its column, in reading order, found again where it is cited."""

from collections.abc import Sequence

import pymupdf

from core.documents.worker import pdf as reader
from core.documents.worker.printed import Box, PrintedLine
from core.documents.worker.records import Page, Parsed
from core.documents.worker.ruled import Grid, split
from tests.unit.documents.workspace import Piece, paragraph, pdf

XS = (72.0, 200.0, 300.0, 400.0)
Edge = tuple[float, float, float, float]


def drawn(pieces: Sequence[Piece], edges: Sequence[Edge], rotation: int = 0) -> bytes:
    """A page with pieces of text and lines."""
    with pymupdf.open(stream=pdf(pieces), filetype="pdf") as document:
        for x0, y0, x1, y1 in edges:
            document[0].draw_line((x0, y0), (x1, y1), width=0.5)
        document[0].set_rotation(rotation)
        return bytes(document.tobytes())


def grid(xs: Sequence[float], ys: Sequence[float]) -> list[Edge]:
    return [*((xs[0], y, xs[-1], y) for y in ys), *((x, ys[0], x, ys[-1]) for x in xs)]


def cells(rows: Sequence[Sequence[str]], top: float = 200, step: float = 22) -> list[Piece]:
    return [
        (x, top + number * step, text, 10.0)
        for number, row in enumerate(rows)
        for x, text in zip(XS, row, strict=False)
        if text
    ]


def read(data: bytes) -> Parsed:
    return reader.read("a.pdf", data)


def tables(page: Page) -> list[list[str]]:
    return [page.text[block.start : block.end].split("\n") for block in page.blocks if block.kind == "table"]


def test_an_empty_cell_keeps_its_column_without_any_line() -> None:
    rows = [("Code", "Place", "Counted", "Booked"), ("K1", "", "450", ""), ("", "B7", "", "23"), ("K3", "C1", "7", "8")]
    page = read(pdf(cells(rows))).pages[0]
    assert tables(page) == [["Code | Place | Counted | Booked", "K1 |  | 450 |", " | B7 |  | 23", "K3 | C1 | 7 | 8"]]
    block = page.blocks[0]
    assert page.text[block.start : block.header] == "Code | Place | Counted | Booked"


def test_pairs_that_stand_like_stairs_are_read_line_by_line() -> None:
    stairs = [
        (20.0 + 45 * n + more, 100.0 + 14 * n, said, 8.0) for n in range(12) for more, said in ((0, "up"), (30, "on"))
    ]
    assert read(pdf(stairs)).pages[0].text.split("\n") == ["up | on"] * 12


def test_words_to_the_left_and_numbers_to_the_right_are_one_column() -> None:
    rows = [("Item", "Sum"), ("Paint", ""), ("Labour", "")]
    numbers = [(215.0, 222.0, "1,250", 10.0), (225.0, 244.0, "300", 10.0)]
    assert tables(read(pdf([*cells(rows), *numbers])).pages[0]) == [["Item | Sum", "Paint | 1,250", "Labour | 300"]]


def test_a_line_below_its_cell_goes_on_with_it() -> None:
    rows = [("Code", "Rule"), ("R1", "Records of the"), ("R2", "Keep the key")]
    page = read(
        pdf([*cells(rows, step=30)[:4], (200.0, 242.0, "review are kept", 10.0), *cells(rows, step=30)[4:]])
    ).pages[0]
    assert tables(page) == [["Code | Rule", "R1 | Records of the review are kept", "R2 | Keep the key"]]


def test_labels_and_numbers_are_no_header() -> None:
    labels = read(pdf(cells([("Name:", "Ann"), ("Unit:", "B7")]))).pages[0]
    sums = read(pdf(cells([("North", "12", "7"), ("South", "9", "4")]))).pages[0]
    assert [block.header for page in (labels, sums) for block in page.blocks] == [0, 0]


def test_a_drawn_table_of_long_cells_is_read_row_by_row_and_not_as_columns() -> None:
    left = ["The drums are", "counted, and", "what is missing", "is told."]
    right = [
        "The keeper counts what is in the store on",
        "the last day of a month, and writes the sum",
        "in the book of the store, which he signs.",
    ]
    pieces = [
        *((72.0, 112.0, "Rule", 10.0), (205.0, 112.0, "How it is done", 10.0)),
        *paragraph(72, 134, left),
        *paragraph(205, 134, right),
        *paragraph(72, 194, ["Nobody else", "has a key."]),
        *paragraph(205, 194, ["The second key lies with the guard, sealed."]),
        *paragraph(72, 300, ["Text below the table goes on here."]),
    ]
    page = read(drawn(pieces, grid((70, 200, 500), (100, 120, 180, 220)))).pages[0]
    assert tables(page) == [
        [
            "Rule | How it is done",
            f"{' '.join(left)} | {' '.join(right)}",
            "Nobody else has a key. | The second key lies with the guard, sealed.",
        ]
    ]
    assert [block.kind for block in page.blocks] == ["table", "paragraph"]
    boxes = {page.text[line.start : line.end].strip(): line.rect for line in page.lines}
    assert boxes["has a key."].y0 > boxes["Nobody else"].y0
    assert boxes[right[0]].x0 > 200


def test_a_merged_cell_belongs_to_the_first_of_those_that_it_spans() -> None:
    edges = [*grid((70, 190, 290, 390), (180, 206, 228, 250))]
    edges.remove((70, 206, 390, 206))
    edges += [(190, 206, 390, 206)]  # the first column's upper two cells are one
    pieces = [
        (72.0, 212.0, "Both", 10.0),
        *cells([("", "Hours", "Rate"), ("", "2", "150"), ("Labour", "3", "90")], top=198, step=24),
    ]
    assert tables(read(drawn(pieces, edges)).pages[0]) == [["Both | Hours | Rate", " | 2 | 150", "Labour | 3 | 90"]]


def test_lines_across_that_are_drawn_by_columns_make_a_table() -> None:
    text = "The owner of the system names who answers for it"
    pieces = [
        *(
            (72.0, 80.0, "Table 1: what the owner does", 10.0),
            (72.0, 112.0, "Part", 10.0),
            (205.0, 112.0, "Rules", 10.0),
        ),
        *paragraph(72, 134, ["First part", "of two"]),
        *paragraph(205, 134, [f"1.1 {text},", "and writes it down."]),
        *paragraph(205, 164, [f"1.2 {text},", "and reads it again."]),
        *paragraph(72, 204, ["Second part"]),
        *paragraph(205, 204, [f"2.1 {text},", "and says so."]),
    ]
    edges = [edge for y in (100, 120, 190, 230) for edge in ((70, y, 200, y), (200, y, 500, y))]
    page = read(drawn(pieces, [(70, 60, 500, 60), *edges])).pages[0]
    assert tables(page) == [
        [
            "Part | Rules",
            f"First part of two | 1.1 {text}, and writes it down.",
            f" | 1.2 {text}, and reads it again.",
            f"Second part | 2.1 {text}, and says so.",
        ]
    ]


def test_a_page_that_is_turned_has_its_table_too() -> None:
    pieces = cells([("Code", "Place"), ("K1", "B7"), ("K2", "")])
    page = read(drawn(pieces, grid((70, 190, 290), (180, 206, 228, 250)), rotation=180)).pages[0]
    assert any("Code" in row and "Place" in row for table in tables(page) for row in table)


def test_a_frame_around_columns_of_prose_is_no_table() -> None:
    lines = ["Whoever provides the system plans for", "that from the start, and says in the book"] * 20
    pieces = [*paragraph(72, 120, lines, 8), *paragraph(310, 120, lines, 8)]
    page = read(drawn(pieces, grid((60, 300, 540), (90, 105, 700)))).pages[0]
    assert tables(page) == []
    assert page.text.startswith("Whoever provides the system plans for that from the start")


def test_words_that_run_over_the_edge_of_a_cell_are_parted_there() -> None:
    row = [(72.0, 198.0, "Code  Place", 10.0), (72.0, 222.0, "K1      B7", 10.0)]
    page = read(
        drawn(
            [*row, (150.0, 198.0, "Sum", 10.0), (150.0, 222.0, "4", 10.0)], grid((70, 101, 140, 200), (184, 206, 230))
        )
    ).pages[0]
    assert tables(page) == [["Code | Place | Sum", "K1 | B7 | 4"]]


def test_a_quote_over_the_lines_of_a_cell_is_found() -> None:
    pieces = [
        *cells([("Rule", "Says")], 112),
        *paragraph(72, 134, ["First", "rule"]),
        *paragraph(205, 134, ["The key lies with", "the guard, sealed."]),
    ]
    data = drawn(pieces, grid((70, 200, 500), (100, 120, 180)))
    assert tables(read(data).pages[0]) == [["Rule | Says", "First rule | The key lies with the guard, sealed."]]
    with pymupdf.open(stream=data, filetype="pdf") as document:
        first, second = reader.locate(document, 1, "lies with the guard").rects
    assert first.x0 > 200
    assert second.y0 > first.y0


def test_a_word_with_a_hyphen_of_its_own_keeps_it_at_the_end_of_a_line() -> None:
    lines = ["A risk-based plan is made. This is a risk-", "based plan of the manage-", "ment, and as such is good."]
    assert read(pdf(paragraph(72, 100, lines))).pages[0].text == (
        "A risk-based plan is made. This is a risk-based plan of the management, and as such is good."
    )


def test_a_dash_within_a_sentence_opens_no_item() -> None:
    lines = ["The keeper of the store", "– and nobody else – has", "the key to it at all times."]
    assert (
        read(pdf(paragraph(72, 100, [line.replace("–", "-") for line in lines]))).pages[0].blocks[0].kind == "paragraph"
    )


def test_lines_are_cut_at_cells_by_words_that_are_looked_up_once_and_nothing_invisible_is_left() -> None:
    asked: list[int] = []

    def words() -> list[tuple[Box, str]]:
        asked.append(1)
        return [((20, y, 60, y + 8), text) for y, text in ((10, "left"), (30, "only"))] + [
            ((140, 10, 180, 18), "right"),
            ((140, 30, 180, 38), "\u200b"),
        ]

    lines = [PrintedLine((20, y, 180, y + 8), "as one", 8, False) for y in (10, 30)]
    table = Grid((0, 100, 200), (0, 25, 50), ((0, 200, 25),), ((0, 50, 100),))
    assert [one.text for one in split(lines, (table,), words)] == ["left", "right", "only"]
    assert asked == [1]
