"""Chunks: nothing lost, nothing out of order, nothing too long, headings and header rows where they belong."""

import itertools
import re
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents import formats, overleaf, places
from core.documents.chunking import chunk
from core.documents.overleaf import FURNITURE
from core.documents.records import Chunking, Rect, Strategy
from core.documents.worker import mail, tables
from core.documents.worker.records import Inside, Joint, PageWriter, Parsed, check_parsed

RULES = Chunking(target=40, limit=70, alone=10, headings=14, overlap=12)


def count(texts: Sequence[str]) -> list[int]:
    """A token a word of up to four letters, one more for every four further ones; like WordPiece, it adds up over white space."""
    return [sum(1 + (len(word) - 1) // 4 for word in re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def parsed(*pages: Sequence[tuple[str, str, int]]) -> Parsed:
    made = []
    for number, blocks in enumerate(pages, start=1):
        writer = PageWriter(number)
        for kind, text, level in blocks:
            header = len(text.split("\n")[0]) if kind == "table" and "\n" in text else 0
            rect = Rect(x0=0, y0=0, x1=1, y1=1)
            writer.add(kind, text, level, header, ((0, len(text), rect),))  # type: ignore[arg-type]
        made.append(writer.page())
    return Parsed(media="text/plain", title="", pages=tuple(made))


WORD = st.text(alphabet="abcdeÄß日.!?()1| -", min_size=1, max_size=30) | st.sampled_from(["Log.", "Art. 5", "x" * 400])
TEXT = st.lists(WORD, min_size=1, max_size=25).map(" ".join)
ROWS = st.lists(st.lists(TEXT, min_size=2, max_size=3).map(" | ".join), min_size=1, max_size=8).map("\n".join)
BLOCK = st.one_of(
    st.tuples(st.just("paragraph"), TEXT, st.just(0)),
    st.tuples(st.just("list"), st.lists(TEXT, min_size=1, max_size=6).map("\n• ".join), st.just(0)),
    st.tuples(st.just("table"), ROWS, st.just(0)),
    st.tuples(st.just("heading"), st.text(alphabet="abc ", min_size=1, max_size=60), st.integers(1, 5)),
)


@given(st.lists(st.lists(BLOCK, max_size=5), min_size=1, max_size=2), st.sampled_from(["structure", "size"]))
@settings(max_examples=100, deadline=None)
def test_no_character_is_lost_and_the_order_and_the_limits_hold(
    pages: list[list[tuple[str, str, int]]], strategy: Strategy
) -> None:
    document = parsed(*pages)
    cuts = chunk(document, count, msgspec.structs.replace(RULES, strategy=strategy))
    for page in document.pages:
        own = [cut for cut in cuts if cut.page == page.number]
        covered = [False] * len(page.text)
        for cut in own:
            covered[cut.start : cut.end] = [True] * (cut.end - cut.start)
            assert cut.shown.endswith(page.text[cut.start : cut.end])
            assert cut.embedded.endswith(cut.shown)
            assert cut.rects
        assert all(seen or page.text[at].isspace() for at, seen in enumerate(covered))
        assert [cut.start for cut in own] == sorted(cut.start for cut in own)
        assert all(one.end <= other.end for one, other in itertools.pairwise(own))
    assert [cut.page for cut in cuts] == sorted(cut.page for cut in cuts)
    assert all(size <= RULES.limit for size in count([cut.embedded for cut in cuts]))


JOINTS = st.sampled_from(["", "space", "word", "hyphen", "rows"])
ROW = st.sampled_from(["Handbook", "Page 1 of 9", "7", "iv", "Handbook of records " * 3])
PAGE = st.tuples(st.lists(ROW, max_size=2), st.lists(BLOCK, max_size=4), st.lists(ROW, max_size=2), JOINTS)


@given(st.lists(PAGE, min_size=1, max_size=4), st.sampled_from(["structure", "size"]))
@settings(max_examples=120, deadline=None)
def test_furniture_is_in_no_passage_and_what_goes_on_overleaf_is_in_one(
    pages: list[tuple[list[str], list[tuple[str, str, int]], list[str], Joint]], strategy: Strategy
) -> None:
    made = []
    for number, (head, blocks, foot, joint) in enumerate(pages, start=1):
        writer = PageWriter(number)
        for row in head:
            writer.add("furniture", row, lines=((0, len(row), Rect(x0=0, y0=0, x1=1, y1=1)),))
        for at, (kind, text, level) in enumerate(blocks):
            header = len(text.split("\n")[0]) if kind == "table" and "\n" in text and number % 2 else 0
            lines = ((0, len(text), Rect(x0=0, y0=0, x1=1, y1=1)),)
            writer.add(kind, text, level, header, lines, overleaf=joint if at == len(blocks) - 1 else "")  # type: ignore[arg-type]
        for row in foot:
            writer.add("furniture", row, lines=((0, len(row), Rect(x0=0, y0=0, x1=1, y1=1)),))
        made.append(writer.page())
    document = check_parsed("a.pdf", Parsed(media=formats.PDF, title="", pages=tuple(made)))
    cuts = chunk(document, count, msgspec.structs.replace(RULES, strategy=strategy))
    covered = {page.number: [False] * len(page.text) for page in document.pages}
    taken = dict.fromkeys(covered, 0)
    for cut in cuts:
        text = document.pages[cut.page - 1].text
        assert cut.heading == FURNITURE or cut.start >= taken[cut.page]
        covered[cut.page][cut.start : cut.end] = [True] * (cut.end - cut.start)
        own = [
            block for block in document.pages[cut.page - 1].blocks if cut.start < block.end and cut.end > block.start
        ]
        assert (cut.heading == FURNITURE) == (own[0].kind == "furniture")
        assert len({block.kind == "furniture" for block in own}) == 1
        assert cut.embedded.endswith(cut.shown)
        assert cut.rects
        if not cut.overleaf:
            assert cut.shown.endswith(text[cut.start : cut.end])
            continue
        following = document.pages[cut.page]
        onward = next(block for block in following.blocks if block.kind != "furniture")
        rest = following.text[onward.start : cut.overleaf]
        assert onward.start < cut.overleaf <= onward.end
        assert cut.shown.endswith(rest)
        dropped = own[-1].overleaf == "word" and text[cut.end - 1] == "-"
        assert text[cut.start : cut.end - dropped] in cut.shown
        taken[cut.page + 1] = cut.overleaf
        covered[cut.page + 1][onward.start : cut.overleaf] = [True] * len(rest)
    said: set[str] = set()
    for page in document.pages:
        for block in page.blocks:
            text = page.text[block.start : block.end]
            seen = all(
                known or page.text[at].isspace()
                for at, known in enumerate(covered[page.number][block.start : block.end], block.start)
            )
            says = overleaf.says(text) if block.kind == "furniture" else ""
            assert seen == (block.kind != "furniture" or (says != "" and says not in said)) or not text.strip()
            said.add(says)
    assert [(cut.page, cut.start) for cut in cuts] == sorted((cut.page, cut.start) for cut in cuts)
    assert all(size <= RULES.limit for size in count([cut.embedded for cut in cuts]))


def words(number: int, letter: str = "a") -> str:
    return " ".join([letter] * number)


@given(
    st.lists(
        st.tuples(st.sampled_from(("paragraph", "furniture", "list")), st.integers(1, 60)), min_size=1, max_size=9
    ),
    st.sampled_from(("structure", "size")),
)
@settings(max_examples=60, deadline=None)
def test_furniture_between_texts_is_in_no_passage_and_makes_none_too_long(
    blocks: list[tuple[str, int]], strategy: Strategy
) -> None:
    document = parsed([(kind, words(size, "z" if kind == "furniture" else "a"), 0) for kind, size in blocks])
    document = msgspec.structs.replace(document, media=formats.HTML)
    rules = Chunking(target=24, limit=40, alone=8, headings=8, overlap=6, strategy=strategy)
    page, cuts = document.pages[0], chunk(document, count, rules)
    assert all(count([cut.embedded])[0] <= rules.limit and "z" not in cut.shown for cut in cuts)
    for block in page.blocks:
        places = [at for at in range(block.start, block.end) if not page.text[at].isspace()]
        inside = [any(cut.start <= at < cut.end for cut in cuts) for at in places]
        assert not any(inside) if block.kind == "furniture" else all(inside)


def test_a_heading_starts_a_chunk_and_stands_in_the_path_of_what_follows() -> None:
    document = parsed(
        [
            ("heading", "Logs", 1),
            ("heading", "Keeping", 2),
            ("paragraph", words(30) + ".", 0),
            ("heading", "Erasing", 2),
            ("paragraph", words(25) + ". " + "B" + words(30, "b") + ".", 0),
        ]
    )
    cuts = chunk(document, count, RULES)
    assert [cut.heading for cut in cuts] == ["Logs › Keeping", "Logs › Erasing", "Logs › Erasing"]
    assert cuts[0].shown.startswith("Logs\n\nKeeping\n\n")
    assert cuts[1].embedded.startswith("Logs\nErasing")  # its own heading isn't said twice
    assert cuts[2].embedded.startswith("Logs › Erasing\n")


def test_a_heading_right_below_one_of_its_level_is_its_subtitle() -> None:
    document = parsed(
        [
            ("heading", "Article 30", 4),
            ("heading", "Records of processing", 4),
            ("paragraph", words(20), 0),
            ("heading", "Article 31", 4),
            ("paragraph", words(20), 0),
        ]
    )
    assert [cut.heading for cut in chunk(document, count, RULES)] == [
        "Article 30 › Records of processing",
        "Article 31",
    ]


def test_headings_carry_over_to_the_next_page() -> None:
    document = parsed([("paragraph", words(12), 0), ("heading", "Scope", 1)], [("paragraph", words(12), 0)])
    first, second = chunk(document, count, RULES)
    assert (first.page, second.page, second.heading) == (1, 2, "Scope")
    assert first.shown.endswith("Scope")


def test_a_short_section_takes_in_the_next_one_and_goes_by_the_longer_one() -> None:
    document = parsed([("heading", "A", 1), ("paragraph", "x.", 0), ("heading", "B", 1), ("paragraph", words(20), 0)])
    (only,) = chunk(document, count, RULES)
    assert (only.heading, only.embedded) == ("B", only.shown)


def test_the_header_row_goes_along_with_every_piece_of_a_table() -> None:
    rows = "\n".join(f"R{number} | {words(8)}" for number in range(20))
    cuts = chunk(parsed([("table", f"Field | Rule\n{rows}", 0)]), count, RULES)
    assert len(cuts) > 3
    assert all(cut.shown.startswith("Field | Rule\n") for cut in cuts)
    assert [cut.shown.count("Field") for cut in cuts] == [1] * len(cuts)


def test_a_paragraph_is_cut_between_sentences_and_repeats_one() -> None:
    sentences = [f"S{number} " + words(8) + "." for number in range(10)]
    cuts = chunk(parsed([("paragraph", " ".join(sentences), 0)]), count, RULES)
    assert len(cuts) > 2
    for one, other in itertools.pairwise(cuts):
        assert one.shown.endswith(".")
        assert other.start < one.end
        assert other.shown.startswith(one.shown[-len(sentences[0]) :])


def test_a_word_without_end_is_cut_all_the_same() -> None:
    cuts = chunk(parsed([("paragraph", "x" * 3000, 0)]), count, RULES)
    assert "".join(cut.shown for cut in cuts) == "x" * 3000


CELL = st.one_of(st.none(), st.integers(-5, 99_999), st.floats(-9, 9), st.booleans(), TEXT)
SHEET = st.lists(st.lists(CELL, max_size=5), max_size=14)


def test_a_tokenizer_that_does_not_add_up_makes_no_chunk_too_long() -> None:
    def odd(texts: Sequence[str]) -> list[int]:
        """Counts longer texts twice."""
        return [tokens * (2 if tokens > 30 else 1) for tokens in count(texts)]

    document = parsed([("heading", "On logs", 1), ("paragraph", "The log is kept for years. " * 40, 0)])
    cuts = chunk(document, odd, RULES)
    assert max(odd([cut.embedded for cut in cuts])) <= RULES.limit
    (page,) = document.pages
    assert all(cut.shown == page.text[cut.start : cut.end] for cut in cuts[1:])
    assert sum(cut.shown.count("years") for cut in cuts) >= 40


@given(SHEET)
@settings(max_examples=80, deadline=None)
def test_a_sheet_is_cut_without_loss_each_piece_with_its_header_and_each_row_with_its_cells(
    rows: list[list[object]],
) -> None:
    writer = PageWriter(1, "Costs")
    tables.write_sheet(writer, enumerate(rows, start=1), tables.Budget("a.xlsx"))
    page = writer.page()
    document = check_parsed("a.xlsx", Parsed(media=formats.XLSX, title="", pages=(page,)))
    kept = places.packed(page.places)
    for number, row in enumerate(rows, start=1):
        filled = [at for at, value in enumerate(row) if tables.cell_text(value)]
        if not filled:
            continue
        label = f"{tables.column(filled[0])}{number}"
        label += f":{tables.column(filled[-1])}{number}" if len(filled) > 1 else ""
        (start,) = [place.start for place in page.places if place.label == label]
        end = page.text.find("\n", start)
        line = page.text[start : end if end >= 0 else len(page.text)]
        for at in filled:
            assert " ".join(tables.cell_text(row[at]).split()) in line
        assert places.at(kept, start + len(line) - 1) == label
    cuts = chunk(document, count, RULES)
    covered = [False] * len(page.text)
    for cut in cuts:
        covered[cut.start : cut.end] = [True] * (cut.end - cut.start)
        assert cut.shown.endswith(page.text[cut.start : cut.end])
        block = next((block for block in page.blocks if block.header and block.header <= cut.start < block.end), None)
        if block is not None and count([page.text[block.start : block.header]])[0] <= RULES.limit // 3:
            assert cut.shown.startswith(page.text[block.start : block.header] + "\n")
    assert all(seen or page.text[at].isspace() for at, seen in enumerate(covered))
    assert [cut.start for cut in cuts] == sorted(cut.start for cut in cuts)
    assert all(size <= RULES.limit for size in count([cut.embedded for cut in cuts]))


@given(
    subject=TEXT,
    lines=st.lists(TEXT, max_size=12),
    names=st.lists(st.text(alphabet="abcÄ.", min_size=1, max_size=9), max_size=3, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_a_mail_is_cut_without_loss_and_its_places_are_in_order(
    subject: str, lines: list[str], names: list[str]
) -> None:
    inside = tuple(Inside(name=name) for name in names)
    document = mail.parsed(formats.EML, subject, [("From", "ann")], ["\n\n".join(lines)], inside)
    (page,) = check_parsed("a.eml", document).pages
    wanted = [letter for text in (subject, "From: ann", *lines) for letter in text if letter.isalnum()]
    found = [letter for letter in page.text.partition("Attachments:")[0] if letter.isalnum()]
    assert found == wanted
    assert all(name in page.text for name in names)
    covered = [False] * len(page.text)
    for cut in chunk(document, count, RULES):
        covered[cut.start : cut.end] = [True] * (cut.end - cut.start)
    assert all(seen or page.text[at].isspace() for at, seen in enumerate(covered))
