"""Text recognition: a page's picture becomes its text with places; what is missing is said. The real engine runs where its data are."""

from pathlib import Path
from typing import Any

import pymupdf
import pytest

from core.documents import ocr, places, reading
from core.documents.worker import layout, pdf, recognition
from core.documents.worker.records import check_parsed
from core.errors import NotFound, Unavailable
from core.jobs import Job
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
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


class _Upright:
    """Reads the page in one rotation only, and nonsense in the others."""

    def __init__(self, rotation: int) -> None:
        self.rotation = rotation
        self.asked: list[int] = []

    def lines(self, page: Any) -> layout.PageLines:
        self.asked.append(page.rotation)
        text = "The drum is in the store and it was earthed" if page.rotation == self.rotation else "qo oO eseyo Q ul"
        line = layout.PrintedLine(box=(100, 50, 300, 62), text=text, size=10.0, bold=False)
        return layout.PageLines(lines=(line,), textless=False, width=float(page.rect.width))


@pytest.mark.parametrize(
    ("rotation", "rect", "tries"),
    [
        (0, (100, 50, 300, 62), 1),
        (180, (595 - 300, 842 - 62, 595 - 100, 842 - 50), 4),
        (90, (50, 842 - 300, 62, 842 - 100), 4),
        (270, (595 - 62, 100, 595 - 50, 300), 4),
    ],
)
def test_a_page_on_its_side_is_turned_and_its_lines_stand_where_it_shows_them(
    rotation: int, rect: tuple[int, ...], tries: int
) -> None:
    engine = _Upright(rotation)
    with pymupdf.open(stream=scanned_pdf(), filetype="pdf") as document:
        document[0].set_mediabox(pymupdf.Rect(0, 0, 595, 842))
        page = recognition.recognise(document, 1, engine)
        assert document[0].rotation == 0
    assert page.text == "The drum is in the store and it was earthed"
    (line,) = page.lines
    assert (line.rect.x0, line.rect.y0, line.rect.x1, line.rect.y1) == rect
    assert len(engine.asked) == tries


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
        shown = made.documents.locate(digest, 1, "PDF document conversion")
        assert 60 < shown[0].x0 < 90 < 480 < shown[0].x1
        turned = made.add(shared_data / "documents" / "ocr" / "ocr_test_rotated_180.pdf")
        assert turned.added == 1
        digest, _ = next(found for found in made.documents.list("manuals") if "180" in found[1].name)
        assert "Docling bundles PDF document conversion to" in made.documents.text(digest, 1)


def test_a_picture_is_a_page_without_text_before_it_is_recognised() -> None:
    picture = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 40, 40), False)
    picture.clear_with(90)
    parsed = check_parsed("a.png", pdf.read("a.png", picture.tobytes("png")))
    assert [(page.textless, page.text) for page in parsed.pages] == [(True, "")]
    assert parsed.media == "image/png"
    assert places.said(parsed.media, 1, "", "") == "page 1"


class _Noted(Supervisor):
    """Notes how each worker would be started, and starts none."""

    specs: list[WorkerSpec]

    def start(self, spec: WorkerSpec, job: Job) -> Any:
        self.specs.append(spec)
        raise Unavailable(what="A reader", step="None is started here.")


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.zip", "a.html", "a", "a.pdf", "a.PNG", "a.tiff"])
def test_only_what_may_need_recognition_has_its_time_and_its_data(name: str, tmp_path: Path) -> None:
    drawn = name in ("a.pdf", "a.PNG", "a.tiff")
    found = {}
    for recognition_data in (None, ocr.Recognition(folder=str(tmp_path), languages="eng")):
        supervisor = _Noted.__new__(_Noted)
        supervisor.specs = []
        reader = reading.Reader(supervisor, lambda content: False, recognition=recognition_data)
        reader.read_again(name, b"x", Job("reading"))
        (found[recognition_data is not None],) = supervisor.specs
    assert found[False] == reading.SPEC
    assert (found[True].seconds, found[True].readable) == (
        (reading.RECOGNITION_SECONDS, (str(tmp_path),)) if drawn else (reading.SPEC.seconds, ())
    )
