"""What a file holds and its pages don't: properties (title, subject, keywords, author, comments and what somebody added), headers of a mail that
aren't shown, comments in a web page's source, descriptions of pictures.

Rules: no model and no person is shown any of it; screening looks through it for instructions and invisible characters, so that nobody relies on a
file whose properties speak to a model. What can't be read of it is left out: it is no reason to refuse a document. Values that programs write by
themselves (dates, numbers, names of programs) are kept too: there is no telling who wrote them.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import packing
from core.documents.worker.records import Aside
from core.errors import BadInput

SHORTEST: Final = 4
"""Characters; what is shorter says nothing to anybody."""
LONGEST_NAME: Final = 60
OFFICE: Final = (formats.DOCX, formats.XLSX, formats.PPTX)
_OFFICE_PARTS: Final = ("docProps/core.xml", "docProps/app.xml", "docProps/custom.xml")
_DESCRIBED: Final = re.compile(r"(?:word/(?:document|header\d*|footer\d*)|xl/drawings/[^/]+|ppt/slides/[^/]+)\.xml")
"""Parts in which pictures and shapes have descriptions."""
_DESCRIPTION: Final = re.compile(rb"\b(?:descr|title|descrip)=(?:\"([^\"]{4,})\"|'([^']{4,})')")
_TAG: Final = re.compile(r"<[^<>]*>")
_RTF_INFO: Final = re.compile(
    rb"\{\\(?:\*\\)?(title|subject|author|keywords|comment|doccomm|company|manager|category|staticval) ([^{}]{4,})\}"
)
_COMMENT: Final = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
_ATTRIBUTES: Final = ("content", "title", "aria-label", "aria-description", "placeholder", "value", "summary", "label")
_BROKEN: Final = (*packing.BROKEN, BadInput, KeyError, TypeError, AttributeError, lxml.etree.LxmlError)


def of(media: str, data: bytes) -> tuple[Aside, ...]:
    """The properties of a file that is packed, an old workbook or RTF; none for formats whose readers give them."""
    try:
        if media in OFFICE:
            return cleaned(_office(packing.opened("", data)))
        if media in formats.OPEN_DOCUMENTS:
            return cleaned(_elements(packing.opened("", data), "meta.xml"))
        if media == formats.EPUB:
            return cleaned(_book(packing.opened("", data)))
        if media == formats.XLS:
            return cleaned(_old(data))
        if media == formats.RTF:
            return cleaned((_named(key.decode()), value.decode("latin-1")) for key, value in _RTF_INFO.findall(data))
    except _BROKEN:
        pass
    return ()


def of_pdf(document: Any) -> tuple[Aside, ...]:
    """The properties of an opened PDF (those that somebody added too), its XMP, and the entries of its outline."""
    return cleaned(_pdf(document))


def of_html(root: Any, source: str, skipped: Iterable[str] = ()) -> tuple[Aside, ...]:
    """What a page's source holds beside its text: comments, descriptions, elements that it never shows (`skipped`, their texts)."""

    def found() -> Iterator[tuple[str, str]]:
        for match in _COMMENT.finditer(source):
            yield "a comment in its source", match[1]
        for element in root.iter():
            if isinstance(element.tag, str) and element.attrib:
                for attribute in _ATTRIBUTES:
                    if value := element.get(attribute):
                        yield f"the attribute “{attribute}” of an element", value
        for text in skipped:
            yield "text that it never shows", text

    return cleaned(found())


def of_headers(headers: Iterable[tuple[str, str]], shown: Iterable[str]) -> tuple[Aside, ...]:
    """The headers of a mail that its page doesn't show."""
    known = {name.lower() for name in (*shown, "subject")}
    return cleaned(
        (f"the header “{name[:LONGEST_NAME]}”", value) for name, value in headers if name.lower() not in known
    )


def cleaned(found: Iterable[tuple[str, str]]) -> tuple[Aside, ...]:
    """Each text once, without blank ones."""
    kept: dict[str, str] = {}
    try:
        for where, text in found:
            text = text.encode("utf-8", "replace").decode().strip()
            if len(text) >= SHORTEST:
                kept.setdefault(text, where)
    except _BROKEN:
        pass
    return tuple(Aside(where=where, text=text) for text, where in kept.items())


def _named(name: str) -> str:
    return f"the property “{' '.join(name.split())[:LONGEST_NAME]}”"


def _office(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    for part in _OFFICE_PARTS:
        yield from _elements(archive, part)
    for part in archive.namelist():
        if _DESCRIBED.fullmatch(part):
            for one, other in _DESCRIPTION.findall(archive.read(part)):
                yield "the description of a picture or shape", _unescaped(one or other)


def _unescaped(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    for entity, letter in (
        ("&quot;", '"'),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#10;", "\n"),
        ("&amp;", "&"),
    ):
        text = text.replace(entity, letter)
    return text


def _elements(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str]]:
    """The texts of a part's elements, each by its own name or that of its tag."""
    if part not in archive.namelist():
        return
    for element in packing.tree("", archive.read(part)).iter():
        if not isinstance(element.tag, str):
            continue
        tag = lxml.etree.QName(element).localname
        above = element.getparent()
        for value in (element.text or "", *element.attrib.values()):
            if value.strip():
                said = next(
                    (holder.get("name") for holder in (element, above) if holder is not None and holder.get("name")),
                    tag,
                )
                yield _named(said), value


def _book(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    for part in archive.namelist():
        if part.endswith(".opf"):
            for element in packing.tree("", archive.read(part)).iter("{*}metadata"):
                for each in element.iter():
                    if isinstance(each.tag, str):
                        for value in (each.text or "", each.get("content") or ""):
                            yield _named(each.get("name") or lxml.etree.QName(each).localname), value


def _old(data: bytes) -> Iterator[tuple[str, str]]:
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as file:
        about = file.get_metadata()
        for name in (*about.SUMMARY_ATTRIBS, *about.DOCSUM_ATTRIBS):
            value = getattr(about, name, None)
            if isinstance(value, bytes):
                yield _named(name), value.decode("utf-8" if about.codepage == 65001 else "cp1252", "replace")


def _pdf(document: Any) -> Iterator[tuple[str, str]]:
    yield from ((_named(name), str(value)) for name, value in (document.metadata or {}).items() if value)
    if not document.is_pdf:
        return
    kind, value = document.xref_get_key(-1, "Info")
    if kind == "xref":
        number = int(value.split()[0])
        for name in document.xref_get_keys(number):
            kind, said = document.xref_get_key(number, name)
            if kind == "string":
                yield _named(name), said
    for text in _TAG.split(document.get_xml_metadata() or ""):
        yield "its XMP properties", _unescaped(text.encode("utf-8", "replace"))
    for _, title, *_ in document.get_toc(simple=True):
        yield "its outline", str(title)
