"""What a PDF holds beside its text: labels, forms, comments, links, attached files; and what is broken of them is passed over."""

from pathlib import Path

import pymupdf
import pytest

from core.documents import places
from core.documents.worker import extras
from core.documents.worker import pdf as reader
from core.documents.worker.records import Page, Parsed, check_parsed
from tests.unit.documents.workspace import paragraph, pdf


def placed(page: Page) -> dict[str, str]:
    starts = [place.start for place in page.places] + [len(page.text)]
    return {place.label: page.text[place.start : starts[at + 1]].strip() for at, place in enumerate(page.places)}


@pytest.fixture
def rich() -> Parsed:
    source = pdf(paragraph(72, 100, ["The site has more on this."]), [(72, 100, "Second", 10)])
    with pymupdf.open(stream=source, filetype="pdf") as document:
        page = document[0]
        page.insert_link(
            {"kind": pymupdf.LINK_URI, "uri": "https://example.org/x", "from": pymupdf.Rect(70, 90, 200, 104)}
        )
        note = page.add_text_annot((300, 300), "Check this date.")
        note.set_info(title="Bea")
        note.update()
        field = pymupdf.Widget()
        field.field_name, field.field_type = "Colour", pymupdf.PDF_WIDGET_TYPE_CHECKBOX
        field.rect, field.field_value = pymupdf.Rect(72, 400, 90, 418), True
        page.add_widget(field)
        document.embfile_add("list.csv", b"a;b\n1;2\n", filename="list.csv")
        document[1].add_file_annot((100, 200), b"Words", "pinned.txt")
        document.set_page_labels([{"startpage": 0, "style": "r", "firstpagenum": 4}])
        return check_parsed("a.pdf", reader.read("a.pdf", document.tobytes()))


def test_labels_comments_links_and_attached_files_are_read(rich: Parsed) -> None:
    first, second = rich.pages
    assert (first.label, second.label) == ("iv", "v")
    assert first.text.startswith("The site has more on this.")
    said = placed(first)
    assert said["comment"] == "Comment by Bea: Check this date."
    assert said["link"] == "Link: The site has more on this. (https://example.org/x)"
    assert said["form"] == "Colour: ticked"
    assert [(file.name, file.data) for file in rich.inside] == [("list.csv", b"a;b\n1;2\n"), ("pinned.txt", b"Words")]
    said_there = places.said(
        rich.media, 1, first.label, places.at(places.packed(first.places), first.text.index("Colour"))
    )
    assert said_there == "page 1 (iv), form"


def test_a_box_says_whether_it_is_ticked_and_which_words_stand_beside_it() -> None:
    source = pdf([(95, 104, "We agree to the rules", 10), (400, 104, "far away", 10), (95, 134, "We decline", 10)])
    with pymupdf.open(stream=source, filetype="pdf") as document:
        for name, top, ticked in (("agree", 92, True), ("decline", 122, False)):
            field = pymupdf.Widget()
            field.field_name, field.field_type = name, pymupdf.PDF_WIDGET_TYPE_CHECKBOX
            field.rect, field.field_value = pymupdf.Rect(72, top, 90, top + 18), ticked
            document[0].add_widget(field)
        page = reader.read("a.pdf", document.tobytes()).pages[0]
    assert page.text.endswith("agree (We agree to the rules): ticked\n\ndecline (We decline): not ticked")


def test_each_has_its_rectangle_on_the_page(rich: Parsed) -> None:
    page = rich.pages[0]
    comment = next(line for line in page.lines if page.text[line.start :].startswith("Comment"))
    assert 295 < comment.rect.x0 < 305
    assert 295 < comment.rect.y0 < 305


def test_what_the_print_shows_is_not_said_again() -> None:
    source = pdf([(72, 100, "See https://example.org/x for more.", 10)])
    with pymupdf.open(stream=source, filetype="pdf") as document:
        document[0].insert_link(
            {"kind": pymupdf.LINK_URI, "uri": "https://example.org/x", "from": pymupdf.Rect(70, 90, 200, 104)}
        )
        parsed = reader.read("a.pdf", document.tobytes())
    assert parsed.pages[0].text == "See https://example.org/x for more."
    assert parsed.pages[0].label == ""


def test_attachments_over_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "LARGEST", 10)
    with pymupdf.open(stream=pdf([(72, 100, "Words", 10)]), filetype="pdf") as document:
        for name in ("a.txt", "b.txt"):
            document.embfile_add(name, b"eight by", filename=name)
        first, second = reader.read("a.pdf", document.tobytes()).inside
    assert (first.data, first.refused) == (b"eight by", "")
    assert (second.data, "200 MB" in second.refused) == (b"", True)


def test_real_forms_comments_links_and_attachments(shared_data: Path) -> None:
    samples = shared_data / "documents" / "pdf-samples"

    def text(path: str) -> str:
        parsed = check_parsed("a.pdf", reader.read("a.pdf", (samples / path).read_bytes()))
        return "\n".join([*(page.text for page in parsed.pages), *(file.name for file in parsed.inside)])

    assert "Alice" in text("012-libreoffice-form/libreoffice-form.pdf")
    assert "(https://martin-thoma.com/)" in text("016-libre-office-link/libre-office-link.pdf")
    assert "image.png" in text("025-attachment/with-attachment.pdf")
