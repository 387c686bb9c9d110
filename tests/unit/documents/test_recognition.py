"""Text recognition: a page's picture becomes its text with places; what is missing is said. The real engine runs where its data are."""

from pathlib import Path
from typing import Any

import pymupdf
import pytest

from core.documents import ocr, places
from core.documents.worker import layout, pdf, recognition
from core.documents.worker.records import check_parsed
from core.errors import NotFound, Unavailable
from tests.unit.documents.workspace import Workspace, scanned_pdf

FOUND = ocr.find()


class _Fake:
    """Reads the same lines on every page, as an engine does: sizes waver."""

    def lines(self, page: Any) -> layout.PageLines:
        said = [("REPORT", 30.0), ("The drum was found earthed and", 9.5), ("closed on the day of the visit.", 10.5)]
        lines = tuple(
            layout.PrintedLine(box=(72, 80 + at * 14, 300, 92 + at * 14), text=text, size=size, bold=at == 1)
            for at, (text, size) in enumerate(said)
        )
        return layout.PageLines(lines=lines, textless=False, width=595.0)


def test_a_page_is_what_the_engine_read_on_it() -> None:
    with pymupdf.open(stream=scanned_pdf(), filetype="pdf") as document:
        page = recognition.recognise(document, 1, _Fake())
        with pytest.raises(NotFound):
            recognition.recognise(document, 2, _Fake())
    kinds = [(block.kind, page.text[block.start : block.end]) for block in page.blocks]
    assert kinds == [
        ("heading", "REPORT"),
        ("paragraph", "The drum was found earthed and closed on the day of the visit."),
    ]
    assert [line.rect.y0 for line in page.lines] == [80, 94, 108]
    assert not page.textless


def test_language_data_are_found_and_chosen(tmp_path: Path) -> None:
    for name in ("deu", "eng", "fra", "osd"):
        (tmp_path / f"{name}.traineddata").write_bytes(b"x")
    given = {ocr.PREFIX: str(tmp_path)}
    assert ocr.find(given) == ocr.Recognition(folder=str(tmp_path.resolve()), languages="eng")
    assert ocr.find(given | {ocr.LANGUAGES: "deu+fra+ita"}).languages == "deu+fra"  # type: ignore[union-attr]
    assert "eng" in ocr.state(ocr.find(given))
    assert "Install" in ocr.state(None)


def test_data_that_can_not_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"nonsense")
    with (
        pymupdf.open(stream=scanned_pdf(), filetype="pdf") as document,
        pytest.raises(Unavailable, match="language data"),
    ):
        recognition.recognise(document, 1, recognition.Tesseract(str(tmp_path), "eng"))


@pytest.mark.skipif(FOUND is None, reason="no language data of Tesseract on this machine")
def test_a_real_scan_is_read_in_a_confined_worker(shared_data: Path, tmp_path: Path) -> None:
    with Workspace(tmp_path) as made:
        done = made.add(shared_data / "documents" / "ocr" / "ocr_test.pdf")
        assert (done.added, done.refused) == (1, ())
        ((digest, document),) = made.documents.list("manuals")
        text = made.documents.text(digest, 1)
        assert "Docling bundles PDF document conversion to" in text
        assert document.pages_without_text == 0
        assert made.documents.place(digest, 1, 0) == "page 1"


def test_a_picture_is_a_page_without_text_before_it_is_recognised() -> None:
    picture = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 40, 40), False)
    picture.clear_with(90)
    parsed = check_parsed("a.png", pdf.read("a.png", picture.tobytes("png")))
    assert [(page.textless, page.text) for page in parsed.pages] == [(True, "")]
    assert parsed.media == "image/png"
    assert places.said(parsed.media, 1, "", "") == "page 1"
