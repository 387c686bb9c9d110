"""Builds the PDF and Word documents of the example from the HTML files in sources/.

Run it with PyMuPDF 1.28.2 and python-docx installed:

    python resources/example/build.py

Rules it keeps: one source file makes one document; nothing depends on the clock, the machine or installed fonts,
so the same versions of the two libraries make the same bytes again; the text of a source goes into its
document unchanged. CSV, HTML and Markdown documents are written by hand in documents/ and aren't touched.
"""

import io
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import docx
import lxml.html
import pymupdf
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

HERE = Path(__file__).parent
SOURCES = HERE / "sources"
DOCUMENTS = HERE / "documents"
COMPANY = "Merrowdale Laboratories"
FOOTER = "Controlled document. Printed copies are valid on the day of printing only."

PDFS = ("quality-manual", "SOP-PV-014-case-intake", "SOP-QA-007-batch-recall", "safety-data-sheet-R-12")
WORDS = ("supplier-contract", "equipment-calibration")

# A4 in points; the margins leave room for the running header and footer.
PAGE = pymupdf.Rect(0, 0, 595, 842)
BODY = pymupdf.Rect(68, 92, 527, 768)
INK = (0.12, 0.14, 0.16)
GREY = (0.38, 0.42, 0.45)
RULE = (0.60, 0.63, 0.65)

# Every file in a zip needs a time; this is the earliest that the format can hold.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
WORD_TIME = datetime(2026, 11, 3, tzinfo=UTC)
PDF_TIME = "D:20261103090000Z"

STYLE = """
body { font-family: serif; font-size: 10.5pt; line-height: 1.38; color: #1e2428; }
p { margin: 0 0 6pt 0; }
h1 { font-size: 14pt; line-height: 1.2; margin: 13pt 0 5pt 0; }
h1.new { page-break-before: always; margin-top: 0; }
h2 { font-size: 11.2pt; line-height: 1.2; margin: 9pt 0 3pt 0; }
table { margin: 5pt 0 8pt 0; width: 100%; }
th, td { border: 0.6pt solid #9aa0a5; padding: 2.6pt 5pt; font-size: 9.5pt; line-height: 1.25; text-align: left; }
th { background-color: #ecedea; }
ul, ol { margin: 0 0 6pt 0; }
li { margin: 0 0 2pt 0; }
p.note { font-size: 9pt; color: #464e56; margin-bottom: 9pt; }
p.kind { font-family: sans-serif; font-size: 9.5pt; color: #464e56; margin: 0 0 2pt 0; }
p.title { font-size: 21pt; line-height: 1.2; font-weight: bold; margin: 0 0 8pt 0; }
"""

FIELDS = (
    ("number", "Number"),
    ("version", "Version"),
    ("effective", "In force from"),
    ("replaces", "Replaces"),
    ("author", "Written by"),
    ("reviewer", "Reviewed by"),
    ("approver", "Approved by"),
)


def read_source(name: str) -> tuple[dict[str, str], lxml.html.HtmlElement]:
    """The metadata (with the title) and the body element of one source."""
    tree = lxml.html.fromstring((SOURCES / f"{name}.html").read_bytes().decode("utf-8"))
    about = {meta.get("name"): meta.get("content") for meta in tree.iter("meta")}
    about["title"] = tree.findtext(".//title")
    return about, tree.find("body")


def inner_html(body: lxml.html.HtmlElement) -> str:
    """The markup inside the body element."""
    return "".join(lxml.html.tostring(child, encoding="unicode", method="xml") for child in body)


def title_block(about: dict[str, str]) -> str:
    """The head of the first page: kind, title, and a table of the document's own data."""
    rows = "".join(
        f'<tr><th width="26%">{label}</th><td width="74%">{about[key]}</td></tr>'
        for key, label in FIELDS
        if key in about
    )
    return f'<p class="kind">{about["kind"]}</p><p class="title">{about["title"]}</p><table>{rows}</table>'


def build_pdf(name: str) -> bytes:
    """One PDF with running header and footer, real headings, and an outline of its sections."""
    about, body = read_source(name)
    stream = io.BytesIO()
    writer = pymupdf.DocumentWriter(stream)
    story = pymupdf.Story(html=title_block(about) + inner_html(body), user_css=STYLE)
    headings: list[tuple[int, str, int]] = []

    pages = 0

    def note(place: object) -> None:
        if place.heading in (1, 2) and place.open_close & 1:
            headings.append((place.heading, " ".join(place.text.split()), pages))

    more = 1
    while more:
        pages += 1
        device = writer.begin_page(PAGE)
        more, _ = story.place(BODY)
        story.element_positions(note)
        story.draw(device)
        writer.end_page()
    writer.close()

    document = pymupdf.open("pdf", stream.getvalue())
    for index, page in enumerate(document):
        draw_running_lines(page, about, f"Page {index + 1} of {pages}")
    document.set_toc([list(heading) for heading in headings])
    document.set_metadata(
        {
            "title": f"{about['number']} {about['title']}",
            "author": COMPANY,
            "creator": "",
            "producer": "",
            "creationDate": PDF_TIME,
            "modDate": PDF_TIME,
        }
    )
    document.subset_fonts()
    return document.tobytes(garbage=4, deflate=True, use_objstms=1, no_new_id=True)


def draw_running_lines(page: pymupdf.Page, about: dict[str, str], number: str) -> None:
    """Header (company, number and version, page) and footer, each with a rule."""
    top, bottom = 62, 796
    size = 8.5
    centre = f"{about['number']}, version {about['version']}"

    def put(x: float, y: float, text: str, font: str = "tiro") -> None:
        page.insert_text((x, y), text, fontname=font, fontsize=size, color=GREY)

    def width(text: str) -> float:
        return pymupdf.get_text_length(text, fontname="tiro", fontsize=size)

    put(BODY.x0, top, COMPANY)
    put((BODY.x0 + BODY.x1 - width(centre)) / 2, top, centre)
    put(BODY.x1 - width(number), top, number)
    put(BODY.x0, bottom, FOOTER)
    put(BODY.x1 - width(about["effective"]), bottom, about["effective"])
    page.draw_line((BODY.x0, top + 7), (BODY.x1, top + 7), color=RULE, width=0.7)
    page.draw_line((BODY.x0, bottom - 13), (BODY.x1, bottom - 13), color=RULE, width=0.5)


def main() -> int:
    DOCUMENTS.mkdir(exist_ok=True)
    for name in PDFS:
        if not (SOURCES / f"{name}.html").exists(): continue
        (DOCUMENTS / f"{name}.pdf").write_bytes(build_pdf(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
