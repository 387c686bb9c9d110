"""Files of the packed formats, made on the spot."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

import openpyxl
import pptx
from pptx.util import Inches


def zipped(members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def deck() -> bytes:
    """Two slides: a title with a text above another and notes; a hidden one with a table."""
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Storage"
    for top, text in ((5, "Below"), (2, "Above")):
        slide.shapes.add_textbox(Inches(1), Inches(top), Inches(3), Inches(1)).text_frame.text = text
    slide.notes_slide.notes_text_frame.text = "Say why."
    second = made.slides.add_slide(made.slide_layouts[6])
    second._element.set("show", "0")
    table = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for at, text in enumerate(("Room", "Litres", "B7", "800")):
        table.cell(at // 2, at % 2).text = text
    packed = io.BytesIO()
    made.save(packed)
    return packed.getvalue()


def mail(subject: str, text: str, **attachments: bytes) -> bytes:
    """Attachments by name, "__" for the dot before the ending."""
    message = EmailMessage()
    message["From"] = "Ann Author <ann@example.org>"
    message["To"] = "bea@example.org"
    message["Subject"] = subject
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    for name, data in attachments.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name.replace("__", "."))
    return message.as_bytes()


def open_document(body: str) -> bytes:
    """`body`: what stands in `office:body`."""
    names = "office text table drawing presentation meta"
    spaces = " ".join(
        f'xmlns:{name if name != "drawing" else "draw"}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in names.split()
    )
    content = f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>"
    return zipped({"mimetype": b"application/vnd.oasis.opendocument", "content.xml": content.encode()})


def book(chapters: Mapping[str, str], **further: bytes) -> bytes:
    """An EPUB; `further` are members more, "__" for a slash."""
    items = "".join(f'<item id="i{at}" href="{name}"/>' for at, name in enumerate(chapters))
    spine = "".join(f'<itemref idref="i{at}"/>' for at, _ in enumerate(chapters))
    package = '<package><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A book</dc:title></metadata>'
    package += f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    members = {
        "META-INF/container.xml": b'<container><rootfiles><rootfile full-path="O/book.opf"/></rootfiles></container>',
        "O/book.opf": package.encode(),
        **{f"O/{name}": text.encode() for name, text in chapters.items()},
        **{name.replace("__", "/"): data for name, data in further.items()},
    }
    return zipped(members)
