"""What a PDF holds beside its printed text: page labels, form fields, comments, links, attached files.

A form's field stands with its name and its value, a comment with its author, a link's address where the text doesn't show it; each goes after the
page's own text and has its rectangle. What can't be read of them is left out: they are no reason to refuse a document.
"""

from collections.abc import Iterator
from typing import Any, Final

from core.documents.records import Rect
from core.documents.worker.records import Inside, PageWriter

LARGEST: Final = 200 * 1000 * 1000
"""Bytes of all attached files."""
MOST_LINKS: Final = 200
"""Of a page."""
BROKEN: Final = (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What PyMuPDF raises for structures that aren't what they should be."""
FORM_TEXT: Final = ("Text", "ComboBox", "ListBox", "CheckBox", "RadioButton")
OFF: Final = ("Off", "", "None")


def label(document: Any, number: int) -> str:
    """The page's printed number, where it is another than its position."""
    try:
        said = str(document[number - 1].get_label() or "") if document.is_pdf else ""
    except BROKEN:
        return ""
    return "" if said == str(number) else said


def write(writer: PageWriter, document: Any, number: int, printed: str) -> None:
    """Add what stands beside the text of page `number`; `printed` is that text."""
    try:
        page = document[number - 1]
        for place, text, box in (*_fields(page, printed), *_comments(page, printed), *_links(page, printed)):
            x0, y0, x1, y1 = (round(float(edge), 2) for edge in box)
            line = (0, len(text), Rect(x0=x0, y0=y0, x1=x1, y1=y1))
            writer.add("paragraph", text, lines=(line,), places=((0, place),) if text.strip() else ())
    except BROKEN:
        return


def _fields(page: Any, printed: str) -> Iterator[tuple[str, str, Any]]:
    for field in page.widgets():
        kind, value = str(field.field_type_string), str(field.field_value or "")
        name = " ".join(str(field.field_label or field.field_name or "").split())
        if kind not in FORM_TEXT or value in OFF or " ".join(value.split()) in printed:
            continue
        yield "form", f"{name}: {_clean(value)}", field.rect * page.rotation_matrix


def _comments(page: Any, printed: str) -> Iterator[tuple[str, str, Any]]:
    for mark in page.annots():
        said = _clean(str(mark.info.get("content") or ""))
        if not said or said in printed:
            continue
        author = _clean(str(mark.info.get("title") or ""))
        yield (
            "comment",
            f"Comment by {author}: {said}" if author else f"Comment: {said}",
            mark.rect * page.rotation_matrix,
        )


def _links(page: Any, printed: str) -> Iterator[tuple[str, str, Any]]:
    known: set[str] = set()
    for link in page.get_links():
        address = _clean(str(link.get("uri") or ""))
        if not address or address in known or address in printed or address.removeprefix("mailto:") in printed:
            continue
        known.add(address)
        if len(known) > MOST_LINKS:
            return
        words = _clean(page.get_textbox(link["from"]))
        yield "link", f"Link: {words} ({address})" if words else f"Link: {address}", link["from"] * page.rotation_matrix


def attachments(document: Any) -> tuple[Inside, ...]:
    """The files that are attached to the document and to its pages."""
    if not document.is_pdf:
        return ()
    found: list[Inside] = []
    size = 0
    for name, data in (*_embedded(document), *_pinned(document)):
        size += len(data)
        refused = "its document's attachments are over 200 MB together. Save it by itself." if size > LARGEST else ""
        found.append(Inside(name=name, data=b"" if refused else data, refused=refused))
    return tuple(found)


def _embedded(document: Any) -> Iterator[tuple[str, bytes]]:
    try:
        names = document.embfile_names()
    except BROKEN:
        return
    for name in names:
        try:
            about = document.embfile_info(name)
            yield str(about.get("ufilename") or about.get("filename") or name), bytes(document.embfile_get(name))
        except BROKEN:
            continue


def _pinned(document: Any) -> Iterator[tuple[str, bytes]]:
    import pymupdf

    for number in range(document.page_count):
        try:
            for mark in document[number].annots(types=[pymupdf.PDF_ANNOT_FILE_ATTACHMENT]):
                yield str(mark.file_info.get("filename") or "attachment"), bytes(mark.get_file())
        except BROKEN:
            continue


def _clean(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace").decode()
