"""What a PDF holds beside its printed text: page labels, form fields, comments, links, attached files.

A form's field stands with its name and its value, a box with the words beside it and whether it is ticked, a comment with its author, a link's
address where the text doesn't show it; each goes after the page's own text and has its rectangle. What can't be read of them is left out: they
are no reason to refuse a document.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from core.documents.records import Rect
from core.documents.worker.records import Inside, PageWriter

LARGEST: Final = 200 * 1000 * 1000
"""Bytes of all attached files."""
MOST_LINKS: Final = 200
"""Of a page."""
BROKEN: Final = (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What PyMuPDF raises for structures that aren't what they should be."""
LINKS: Final = frozenset({1})
WIDGETS: Final = frozenset({21})
"""PyMuPDF's numbers of these kinds of marks."""
FORM_TEXT: Final = ("Text", "ComboBox", "ListBox")
TICKED: Final = ("CheckBox", "RadioButton")
CAPTION: Final = 14.0
"""Points from a box to the words that belong to it, and between those words, at most."""
OFF: Final = ("Off", "", "None")


Mark = tuple[str, str, Any]
"""Place, text and rectangle."""


def labels(document: Any) -> Callable[[int], str]:
    """Gives a page's printed number (pages from 1), where it is another than its position."""
    try:
        known = bool(document.is_pdf and document.get_page_labels())
    except BROKEN:
        known = False

    def label(number: int) -> str:
        try:
            said = str(document[number - 1].get_label() or "")
        except BROKEN:
            return ""
        return "" if said == str(number) else said

    return label if known else lambda number: ""


def has_marks(page: Any) -> bool:
    """Whether a page has form fields, comments or links at all; most have none, and looking for each costs as much as reading the text."""
    try:
        return bool(page.parent.is_pdf and page.parent.xref_get_key(page.xref, "Annots")[0] != "null")
    except BROKEN:
        return False


def marks(page: Any, printed: str) -> tuple[Mark, ...]:
    """What stands beside the text of a page that has marks; `printed` is that text."""
    found: list[Mark] = []
    try:
        kinds = {kind for _, kind, _ in page.annot_xrefs()}
        if kinds & WIDGETS:
            found += _fields(page, printed)
        if kinds - WIDGETS - LINKS:
            found += _comments(page, printed)
        if kinds & LINKS:
            found += _links(page, printed)
    except BROKEN:
        pass
    return tuple(found)


def write(writer: PageWriter, found: Sequence[Mark]) -> None:
    """Add marks to a page, each with its rectangle."""
    for place, text, box in found:
        x0, y0, x1, y1 = (round(float(edge), 2) for edge in box)
        line = (0, len(text), Rect(x0=x0, y0=y0, x1=x1, y1=y1))
        writer.add("paragraph", text, lines=(line,), places=((0, place),) if text.strip() else ())


def _fields(page: Any, printed: str) -> Iterator[tuple[str, str, Any]]:
    for field in page.widgets():
        kind, value = str(field.field_type_string), str(field.field_value or "")
        name = " ".join(str(field.field_label or field.field_name or "").split())
        if kind in TICKED:
            caption = _caption(page, field.rect)
            named = f"{name} ({caption})" if caption and caption != name else name
            if kind == "CheckBox" or value not in OFF:
                state = "not ticked" if value in OFF else "ticked" if kind == "CheckBox" else "chosen"
                yield "form", f"{named}: {state}", field.rect * page.rotation_matrix
            continue
        if kind not in FORM_TEXT or value in OFF or " ".join(value.split()) in printed:
            continue
        yield "form", f"{name}: {_clean(value)}", field.rect * page.rotation_matrix


def _caption(page: Any, box: Any) -> str:
    """What is printed beside a box on its line: to its right."""
    said: list[str] = []
    edge = box.x1
    for x0, y0, x1, y1, word, *_ in sorted(page.get_text("words")):
        if y0 <= (box.y0 + box.y1) / 2 <= y1 and x0 >= box.x1 - 2 and x0 - edge <= CAPTION:
            said.append(word)
            edge = x1
    return _clean(" ".join(said))


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
    words: list[Any] = []
    for link in page.get_links():
        address = _clean(str(link.get("uri") or ""))
        if not address or address in known or address in printed or address.removeprefix("mailto:") in printed:
            continue
        known.add(address)
        if len(known) > MOST_LINKS:
            return
        words = words or page.get_text("words")
        box = link["from"]
        said = _clean(" ".join(word for *edges, word, _, _, _ in words if _lies_in(edges, box)))
        yield "link", f"Link: {said} ({address})" if said else f"Link: {address}", box * page.rotation_matrix


def _lies_in(edges: Sequence[float], box: Any) -> bool:
    """Whether the middle of a word is within a rectangle."""
    x, y = (edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2
    return bool(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1)


def attachments(document: Any, marked: Sequence[int]) -> tuple[Inside, ...]:
    """The files that are attached to the document and to its pages; `marked` are those that have marks, from 0."""
    if not document.is_pdf:
        return ()
    found: list[Inside] = []
    size = 0
    for name, data in (*_embedded(document), *_pinned(document, marked)):
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


def _pinned(document: Any, marked: Sequence[int]) -> Iterator[tuple[str, bytes]]:
    import pymupdf

    for number in marked:
        try:
            for mark in document[number].annots(types=[pymupdf.PDF_ANNOT_FILE_ATTACHMENT]):
                yield str(mark.file_info.get("filename") or "attachment"), bytes(mark.get_file())
        except BROKEN:
            continue


def _clean(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace").decode()
