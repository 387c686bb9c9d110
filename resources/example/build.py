"""Builds the PDF and Word documents of the example from the HTML files in sources/.

Run it with PyMuPDF 1.28.2 and python-docx installed:

    python resources/example/build.py [FOLDER]

Rules it keeps: one source file makes one document; nothing depends on the clock, the machine or installed fonts,
so the same versions of the two libraries make the same bytes again; the text of a source goes into its
document unchanged. CSV, HTML and Markdown documents are written by hand in documents/ and aren't touched.
"""

import io
import re
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import docx
import lxml.html
import pymupdf
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
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
BODY = pymupdf.Rect(74, 92, 521, 768)
MOST_PAGES = 30
GREY = (0.38, 0.42, 0.45)
RULE = (0.60, 0.63, 0.65)

# Every file in a zip needs a time; this is the earliest that the format can hold.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
WORD_TIME = datetime(2026, 11, 3, tzinfo=UTC)
PDF_TIME = "D:20261103090000Z"

# The glyphs that stand for several letters, and how a font's table of characters writes one or a range of them.
LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"}
ONE = re.compile(rb"^(<[0-9a-f]{4}>) <(fb0[0-4])>$", re.MULTILINE)
SEVERAL = re.compile(rb"^<([0-9a-f]{4})> <([0-9a-f]{4})> <(fb0[0-4])>$", re.MULTILINE)

STYLE = """
@page { margin: 0; }
body { margin: 0; font-family: serif; font-size: 11.4pt; line-height: 1.45; color: #1e2428; }
p { margin: 0 0 7pt 0; }
h1 { font-size: 14pt; line-height: 1.2; margin: 13pt 0 5pt 0; }
h2 { font-size: 11.2pt; line-height: 1.2; margin: 9pt 0 3pt 0; }
table { margin: 5pt 0 8pt 0; width: 100%; border-collapse: collapse; }
th, td { border: 0.6pt solid #9aa0a5; padding: 3.4pt 6pt; font-size: 10.2pt; line-height: 1.3; text-align: left; }
th { font-weight: bold; }
td.date { white-space: nowrap; }
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


def sections(body: lxml.html.HtmlElement) -> list[str]:
    """The markup inside the body element, cut before each heading that starts a page (class "new").

    PyMuPDF's own page breaks loop for ever where a table stands before them, so each part becomes a story.
    """
    parts = [""]
    for child in body:
        if child.get("class") == "new":
            parts.append("")
        parts[-1] += lxml.html.tostring(child, encoding="unicode", method="xml")
    return parts


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
    headings: list[tuple[int, str, int]] = []
    pages = 0

    def note(place: object) -> None:
        if place.heading in (1, 2) and place.open_close & 1:
            headings.append((place.heading, " ".join(place.text.split()), pages))

    parts = sections(body)
    parts[0] = title_block(about) + parts[0]
    for part in parts:
        story = pymupdf.Story(html=part, user_css=STYLE)
        more = 1
        while more:
            pages += 1
            if pages > MOST_PAGES:
                raise RuntimeError(f"{name}: more than {MOST_PAGES} pages; a table may not fit on one")
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
    spell_out_ligatures(document)
    return document.tobytes(garbage=4, deflate=True, use_objstms=1, no_new_id=True)


def spell_out_ligatures(document: pymupdf.Document) -> None:
    """Let "fi", drawn as one glyph, come out of the PDF as two letters, so that a search finds the word."""

    def letters(code: int) -> bytes:
        return b"<" + LIGATURES[code].encode("utf-16-be").hex().encode() + b">"

    def one(match: re.Match[bytes]) -> bytes:
        return b"%s %s" % (match[1], letters(int(match[2], 16)))

    def several(match: re.Match[bytes]) -> bytes:
        first, last, code = (int(group, 16) for group in match.groups())
        targets = b" ".join(letters(code + step) for step in range(last - first + 1))
        return b"<%04x> <%04x> [%s]" % (first, last, targets)

    for xref in range(1, document.xref_length()):
        if document.xref_is_stream(xref) and b"begincmap" in (data := document.xref_stream(xref)):
            document.update_stream(xref, ONE.sub(one, SEVERAL.sub(several, data)))


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


def build_word(name: str) -> bytes:
    """One Word document: heading styles, ruled tables, a header, and a footer with the page number as a field."""
    about, body = read_source(name)
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.6)
    section.top_margin = section.bottom_margin = Cm(2.5)
    for style, size, before, after in (("Normal", 11, 0, 6), ("Heading 1", 14, 14, 4), ("Title", 22, 0, 6)):
        set_style(document.styles[style], size, before, after)

    kind = document.add_paragraph(about["kind"])
    kind.runs[0].font.size = Pt(10)
    document.add_paragraph(about["title"], style="Title")
    line = f"{about['number']}, version {about['version']}, in force from {about['effective']}"
    document.add_paragraph(line).runs[0].italic = True
    for child in body:
        if child.tag == "h1":
            document.add_heading(child.text_content(), level=1)
        elif child.tag == "table":
            add_word_table(document, child)
        else:
            document.add_paragraph(child.text_content())

    header = section.header.paragraphs[0]
    header.text = f"{COMPANY}\t\t{about['number']}, version {about['version']}"
    footer = section.footer.paragraphs[0]
    footer.text = f"{about['title']}\t\tPage "
    add_field(footer, "PAGE")
    for paragraph in (header, footer):
        stops = paragraph.paragraph_format.tab_stops
        stops.add_tab_stop(Cm(7.9), WD_TAB_ALIGNMENT.CENTER)
        stops.add_tab_stop(Cm(15.8), WD_TAB_ALIGNMENT.RIGHT)
        for run in paragraph.runs:
            run.font.size = Pt(9)

    about_file = document.core_properties
    about_file.title = f"{about['number']} {about['title']}"
    about_file.author = about_file.last_modified_by = COMPANY
    about_file.comments = ""
    about_file.created = about_file.modified = WORD_TIME
    package = document.part.package
    for key in [key for key, part in package.rels.items() if part.reltype == RELATIONSHIP_TYPE.THUMBNAIL]:
        del package.rels[key]  # the template's own preview picture
    stream = io.BytesIO()
    document.save(stream)
    return without_times(stream.getvalue())


def set_style(style: docx.styles.style.ParagraphStyle, size: float, before: float, after: float) -> None:
    """Serif type in ink, with the given size and spaces in points, and no theme font or rule."""
    style.font.size = Pt(size)
    style.font.color.rgb = RGBColor(0x1E, 0x24, 0x28)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in list(fonts.attrib):
        del fonts.attrib[attribute]
    for attribute in ("w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(attribute), "Cambria")
    style.paragraph_format.space_before = Pt(before)
    style.paragraph_format.space_after = Pt(after)
    for rule in style.element.pPr.findall(qn("w:pBdr")):
        style.element.pPr.remove(rule)


def add_word_table(document: docx.document.Document, source: lxml.html.HtmlElement) -> None:
    """A ruled table; its first row is bold and repeats on each page."""
    rows = [[cell.text_content() for cell in row] for row in source.iter("tr")]
    shares = [int(cell.get("width").rstrip("%")) for cell in next(source.iter("tr"))]
    table = document.add_table(len(rows), len(rows[0]), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for index, texts in enumerate(rows):
        for cell, text, share in zip(table.rows[index].cells, texts, shares, strict=True):
            cell.width = Cm(15.8 * share / 100)
            paragraph = cell.paragraphs[0]
            paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
            run = paragraph.add_run(text)
            run.bold = index == 0
            run.font.size = Pt(10)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def add_field(paragraph: docx.text.paragraph.Paragraph, code: str) -> None:
    """Append a field that Word fills in, such as PAGE."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def without_times(data: bytes) -> bytes:
    """The same zip with one fixed time on every entry, so that two builds agree byte for byte."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for entry in old.infolist():
            info = zipfile.ZipInfo(entry.filename, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(entry))
    return stream.getvalue()


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else DOCUMENTS
    folder.mkdir(exist_ok=True)
    for name in PDFS:
        (folder / f"{name}.pdf").write_bytes(build_pdf(name))
    for name in WORDS:
        (folder / f"{name}.docx").write_bytes(build_word(name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
