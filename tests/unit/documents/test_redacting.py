"""Taking stretches out of a parsed document: nothing of them is left, and every position still fits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents.records import Rect
from core.documents.screening.finding import findings
from core.documents.screening.records import KINDS, MARKS, USUAL, Finding
from core.documents.screening.redacting import redacted
from core.documents.worker.records import PageWriter, Parsed, check_parsed

RECT = Rect(x0=0, y0=0, x1=9, y1=9)
SALT = b"salt"


def document(blocks: list[str], title: str = "") -> Parsed:
    writer = PageWriter(1, "Sheet of ann@example.org")
    for number, text in enumerate(blocks):
        half = len(text) // 2
        lines = ((0, half, RECT), (half, len(text), RECT))
        writer.add(
            "table" if number % 2 else "paragraph",
            text,
            header=half if number % 2 else 0,
            lines=lines,
            places=((0, f"line {number}"),),
        )
    return check_parsed("a", Parsed(media="text/plain", title=title, pages=(writer.page(),)))


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet="ab \n\U0001f600", min_size=1, max_size=20), min_size=1, max_size=6),
    st.lists(
        st.tuples(st.integers(0, 120), st.integers(0, 12), st.sampled_from(["instruction", "hidden", "invisible"])),
        max_size=8,
    ),
)
def test_whatever_is_taken_out_positions_fit_and_the_rest_stays_in_order(
    blocks: list[str], stretches: list[tuple[int, int, str]]
) -> None:
    parsed = document(blocks)
    text = parsed.pages[0].text
    found = [
        Finding(kind=kind, key="k", places=((1, start, min(start + length, len(text))),))
        for start, length, kind in stretches
        if start < min(start + length, len(text))
    ]
    left = check_parsed("a", redacted(parsed, found)).pages[0]
    taken = {at for one in found for _, start, end in one.places for at in range(start, end)}
    kept = [text[at] for block in parsed.pages[0].blocks for at in range(block.start, block.end) if at not in taken]
    rest = "".join(left.text[block.start : block.end] for block in left.blocks)
    for mark in sorted(set(MARKS.values()), key=len, reverse=True):
        rest = rest.replace(mark, "") if mark else rest
    assert [letter for letter in rest if letter.strip()] == [letter for letter in kept if letter.strip()]


def test_a_value_goes_from_title_labels_and_wherever_it_is_repeated() -> None:
    parsed = document(
        ["Write to ann@example.org.", "Ask Dr. Mette Holm", "Mette Holm knows; Mette Holmes doesn't."],
        "From ann@example.org",
    )
    found = findings(parsed, USUAL, SALT)
    left = redacted(parsed, found)
    assert left.title == "From [email]"
    assert left.pages[0].label == "Sheet of [email]"
    assert left.pages[0].text == "Write to [email].\n\nAsk Dr. [person]\n\n[person] knows; Mette Holmes doesn't."


def test_the_same_text_is_one_finding_and_its_key_says_nothing_without_the_salt() -> None:
    parsed = document(["ann@example.org and ANN@example.org", "bob@example.org"])
    first, second = findings(parsed, ("email",), SALT)
    assert (len(first.places), len(second.places)) == (2, 1)
    (other, _) = findings(parsed, ("email",), b"another")
    assert other.key != first.key
    assert set(MARKS) | {"near-duplicate"} == set(KINDS)
