"""Books (EPUB): a page a chapter, in the order of the book's spine, each read as HTML.

Chapters are named by the package file only; a path that leads out of the archive names nothing. A protected book (DRM) is refused.
"""

import posixpath
import urllib.parse
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import html, packing
from core.documents.worker.records import Page, Parsed
from core.errors import BadInput, Unsupported

CONTAINER: Final = "META-INF/container.xml"
ENCRYPTION: Final = "META-INF/encryption.xml"
FONTS: Final = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Ways in which books disguise their fonts; their text is in clear."""


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    archive = packing.opened(name, data)
    names = frozenset(archive.namelist())
    if CONTAINER not in names:
        raise BadInput(source=name, problem="a ZIP archive, not an EPUB. Give it its right name.")
    if ENCRYPTION in names:
        _check_open(name, packing.tree(name, packing.part(name, archive, ENCRYPTION)))
    root = packing.tree(name, packing.part(name, archive, CONTAINER)).find(".//{*}rootfile")
    package = "" if root is None else root.get("full-path", "")
    book = packing.tree(name, packing.part(name, archive, package))
    pages: list[Page] = []
    for chapter in _spine(book, posixpath.dirname(package)):
        if chapter in names:
            pages += _chapter(name, packing.part(name, archive, chapter), len(pages) + 1)
    title = book.find(".//{http://purl.org/dc/elements/1.1/}title")
    said = "" if title is None else " ".join("".join(title.itertext()).split())
    if not pages:
        raise BadInput(source=name, problem="no chapters; there is nothing to read.")
    return Parsed(media=formats.EPUB, title=said, pages=tuple(pages))


def _chapter(name: str, data: bytes, number: int) -> list[Page]:
    """One page, or none where the chapter is a picture."""
    try:
        parsed = html.read_part(name, data)
    except BadInput:
        return []
    (page,) = parsed.pages
    heading = next((page.text[block.start : block.end] for block in page.blocks if block.kind == "heading"), "")
    label = " ".join((heading or parsed.title).split())[:100]
    return [Page(number=number, text=page.text, blocks=page.blocks, label=label)] if page.text else []


def _spine(book: Any, folder: str) -> list[str]:
    items = {item.get("id"): item.get("href", "") for item in book.iter("{*}item")}
    found = [items.get(reference.get("idref"), "") for reference in book.iter("{*}itemref")]
    return [posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(href))) for href in found if href]


def _check_open(name: str, root: lxml.etree._Element) -> None:
    methods = {method.get("Algorithm", "") for method in root.iter("{*}EncryptionMethod")}
    if methods - set(FONTS):
        raise Unsupported(
            source=name, reason="protected against copying; its text can't be read without its shop's reader."
        )
