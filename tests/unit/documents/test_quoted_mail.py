"""What a mail quotes and how it is signed: kept line by line, marked, and in passages of its own."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents import formats
from core.documents.chunking import chunk
from core.documents.worker import mail, quoting
from core.documents.worker.quoting import QUOTED, SIGNATURE
from core.documents.worker.records import Parsed, check_parsed
from tests.unit.documents.test_chunking import RULES, count


def parsed(*texts: str) -> Parsed:
    return check_parsed("a.eml", mail.parsed(formats.EML, "Keys", [("From", "ann")], texts, ()))


def marks(content: str) -> list[tuple[str, str]]:
    return [(mark, text.strip()) for mark, text in quoting.parts(content) if text.strip()]


def test_an_answer_below_what_it_quotes() -> None:
    content = "On 3 May 2024, Bea Bach wrote:\n> Who keeps the keys?\n>\n> Bea\n\nThe guard does.\n\n-- \nAnn\nDesk 7\n"
    assert marks(content) == [
        (QUOTED, "On 3 May 2024, Bea Bach wrote:\n> Who keeps the keys?\n>\n> Bea"),
        ("", "The guard does."),
        (SIGNATURE, "-- \nAnn\nDesk 7"),
    ]


def test_an_answer_above_what_it_quotes_without_marks() -> None:
    for said in (
        "On Fri, May 3, 2024 at 9:12 AM Bea Bach <bea@example.org>\nwrote:\n\nWho keeps the keys?",
        "-----Original Message-----\nFrom: Bea\nSent: Friday\n\nWho keeps the keys?",
        "Von: Bea\nGesendet: Freitag\n\nWho keeps the keys?",
        "---------- Forwarded message ---------\nFrom: Bea\n\nWho keeps the keys?",
    ):
        assert marks(f"The guard does.\n\n{said}") == [("", "The guard does."), (QUOTED, said)]


def test_a_mails_own_words_are_no_quotation() -> None:
    for content in (
        "On Friday Bea wrote: the guard keeps them.",
        "From: the gate\nto the safe",
        "a -- b\n--- \nc",
        "Ann wrote:",
    ):
        assert [mark for mark, _ in marks(content)] == [""], content


def test_what_is_quoted_is_in_passages_of_its_own_that_say_so() -> None:
    document = parsed("The guard does.\n\nOn 3 May 2024, Bea wrote:\n> The porter keeps the keys.\n\n-- \nAnn")
    cuts = chunk(document, count, RULES)
    assert [(cut.heading, "porter" in cut.shown) for cut in cuts] == [
        ("Keys", False),
        (f"Keys › {QUOTED}", True),
        (f"Keys › {SIGNATURE}", False),
    ]
    assert cuts[1].embedded.startswith(f"Keys › {QUOTED}\n")
    (page,) = document.pages
    assert [place.label for place in page.places] == [
        "subject",
        "headers",
        "text, line 1",
        "quoted from an earlier mail, line 3",
        "signature, line 6",
    ]


def test_a_package_of_outlooks_is_refused_with_a_sentence() -> None:
    data = (
        b"Subject: Plans\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nSee there.\n--x\n"
        b'Content-Type: application/ms-tnef; name="winmail.dat"\n\nxyz\n--x--\n'
    )
    (inside,) = mail.read("a.eml", data).inside
    assert (inside.name, inside.data) == ("winmail.dat", b"")
    assert "only Outlook reads" in inside.refused


LINE = st.sampled_from(
    [
        "",
        "> a",
        ">> b",
        "-- ",
        "--",
        "Ann",
        "On 3 May Bea wrote:",
        "From: Bea",
        "Sent: today",
        "_____",
        "a long line of words",
    ]
)


@given(st.lists(LINE, max_size=14))
@settings(max_examples=150, deadline=None)
def test_no_line_is_lost_or_changed(lines: list[str]) -> None:
    content = "\n".join(lines)
    found = list(quoting.parts(content))
    assert "\n".join(text for _, text in found) == content
    assert all(one != other for (one, _), (other, _) in itertools.pairwise(found))
    document = parsed(content)
    covered = [False] * len(document.pages[0].text)
    for cut in chunk(document, count, RULES):
        covered[cut.start : cut.end] = [True] * (cut.end - cut.start)
        marked = {block.mark for block in document.pages[0].blocks if cut.start < block.end and cut.end > block.start}
        assert len(marked) == 1
    assert all(seen or document.pages[0].text[at].isspace() for at, seen in enumerate(covered))


def test_many_lines_that_say_who_wrote_are_each_looked_at_once() -> None:
    wrote = "On 3 May 2024, Bea Bach wrote:\n"
    assert marks(wrote * 20_000 + "> Keys?") == [(QUOTED, wrote * 20_000 + "> Keys?")]


def test_each_paragraph_has_its_own_line_though_it_was_said_before() -> None:
    (page,) = parsed("Thanks a lot.\nAnn\n\nThanks\n\nYes.\n\nYes.\n\n> Yes.\n>\n\nYes.", "Yes.").pages
    assert [place.label for place in page.places if ", line " in place.label] == [
        *("text, line 1", "text, line 4", "text, line 6", "text, line 8", f"{QUOTED.lower()}, line 10"),
        *("text, line 13", "text, line 15"),
    ]
