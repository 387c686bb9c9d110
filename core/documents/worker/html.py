"""HTML: everything that a reader sees, in order. Scripts, styles and hidden elements are left out; nothing is fetched.

What stands around a page's own text (menus, banners, feet) is kept in its place as furniture: `asides` tells which elements that are. Of a chapter
of a book and of a mail all is text.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import lxml.etree
import lxml.html

from core.documents import formats
from core.documents.worker import asides, hidden
from core.documents.worker.around import NOTHING, Around, around
from core.documents.worker.csv import row_text
from core.documents.worker.records import Kind, PageWriter, Parsed
from core.documents.worker.text import decode
from core.errors import BadInput, Unsupported

INVISIBLE: Final = frozenset(
    "script style template noscript svg math iframe object embed canvas audio video select datalist head meta link".split()
)
BLOCKS: Final = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hgroup hr html legend li main menu nav ol p pre search section summary table tbody td tfoot th thead tr ul".split()
)
HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
WITHOUT_WORDS: Final = frozenset("script style head meta link math".split())
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*(?P<name>[A-Za-z0-9_:.-]+)", re.IGNORECASE)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


def read(name: str, data: bytes) -> Parsed:
    """A web page. Raises `BadInput`, and `Unsupported` for a page that libxml2 gives up on (it would drop the rest silently)."""
    content = _DECLARATION.sub("", _decoded(name, data))
    root = _root(name, content)
    return _parsed(root, content, _Reader(around(root)))


def read_part(name: str, data: bytes, declared: bool = True) -> Parsed:
    """What is a page's form only: a chapter, a mail. `declared`: whether its own word on its encoding counts; UTF-8 where it doesn't.

    Raises as `read`."""
    content = _DECLARATION.sub("", _decoded(name, data) if declared else decode(name, data))
    return _parsed(_root(name, content), content, _Reader(NOTHING))


def _root(name: str, content: str) -> Any:
    parser = lxml.html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = lxml.html.document_fromstring(content, parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError) as error:
        raise BadInput(source=name, problem="not readable as HTML.") from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise Unsupported(source=name, reason="elements nested over 2,000 deep; what is inside could not be read.")
    return root


def _parsed(root: Any, content: str, reader: "_Reader") -> Parsed:
    reader.read(root)
    found = root.find(".//title")
    title = "" if found is None else " ".join(str(found.text_content()).split())
    page = reader.writer.page()
    unseen = hidden.joined(hidden.found_in_order(page, hidden.in_html(root)), page.text)
    return Parsed(
        media=formats.HTML,
        title=title or reader.heading,
        pages=(page,),
        hidden=unseen,
        asides=asides.of_html(root, content, _unread(root)),
    )


def _decoded(name: str, data: bytes) -> str:
    declared = _CHARSET.search(data[:4096])
    if declared is not None and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode(declared["name"].decode()).replace("\r\n", "\n")
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(name, data)


class _Reader:
    """Walks the tree without recursion, since a hostile page nests deeply."""

    def __init__(self, known: Around) -> None:
        self.writer = PageWriter(1)
        self._known = known
        self._beside: list[Any] = []
        self._within: list[Any] = []
        self._aside: list[str] = []
        self.heading = ""
        self._pending: list[str] = []
        self._items: list[str] = []
        self._marker = ""

    def read(self, root: Any) -> None:
        skipping: Any = None
        for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
            if skipping is not None:
                if event == "end" and element is skipping:
                    skipping = None
                    self._text(element.tail)
                continue
            if event == "start":
                if _invisible(element) or self._whole(element):
                    skipping = element
                    continue
                self._enter(element)
                self._start(element)
            else:
                self._end(element)
        self._flush("paragraph", 0)
        self._flush_items()
        self._flush_aside()

    def _enter(self, element: Any) -> None:
        for elements, entered in ((self._known.beside, self._beside), (self._known.main, self._within)):
            if element in elements:
                self._flush("paragraph", 0)
                self._flush_items()
                entered.append(element)

    def _leave(self, element: Any) -> None:
        for entered in (self._beside, self._within):
            if entered and entered[-1] is element:
                self._flush("paragraph", 0)
                self._flush_items()
                entered.pop()

    def _add(self, kind: Kind, text: str, level: int = 0, header: int = 0) -> None:
        """A block of the page's own text, or a line of what stands around it."""
        outside = bool(self._known.main) and not self._within and not (kind == "heading" and self._known.titled)
        if self._beside or outside:
            self._aside += [text] if text.strip() else []
        elif text.strip():
            self._flush_aside()
            self.writer.add(kind, text, level=level, header=header)

    def _flush_aside(self) -> None:
        self.writer.add("furniture", "\n".join(self._aside))
        self._aside.clear()

    def _start(self, element: Any) -> None:
        tag = element.tag
        if tag in BLOCKS:
            self._flush("paragraph", 0)
        if tag in HEADINGS or (tag in BLOCKS and not _in_list(element)):
            self._flush_items()
        if tag == "li":
            self._marker = _marker(element)
        if tag == "br":
            self._pending.append(" ")
        if tag == "img" and element.get("alt"):
            self._pending.append(f" {element.get('alt')} ")
        self._text(element.text)

    def _end(self, element: Any) -> None:
        tag = element.tag
        if tag in HEADINGS:
            self._flush("heading", HEADINGS[tag])
        elif tag in BLOCKS:
            self._flush("item" if _in_list(element) else "paragraph", 0)
            if tag in ("ul", "ol") and not _in_list(element.getparent()):
                self._flush_items()
        self._leave(element)
        self._text(element.tail)

    def _text(self, text: str | None) -> None:
        if text:
            self._pending.append(text)

    def _whole(self, element: Any) -> bool:
        """Take an element that is read as one block: a table of plain cells, preformatted text."""
        if element.tag == "pre":
            self._flush("paragraph", 0)
            self._flush_items()
            self._add("paragraph", str(element.text_content()).strip("\n"))
            return True
        if element.tag != "table" or not _is_data(element):
            return False
        self._flush("paragraph", 0)
        self._flush_items()
        caption = element.find("caption")
        if caption is not None:
            self._add("paragraph", " ".join(str(caption.text_content()).split()))
        rows = [row for row in (row_text(list(_cells(row))) for row in element.iter("tr")) if row.strip(" |")]
        self._add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 else 0)
        return True

    def _flush(self, kind: str, level: int) -> None:
        text = " ".join("".join(self._pending).split())
        self._pending.clear()
        if not text:
            return
        if kind == "heading":
            self._flush_items()
            self.heading = self.heading or text
            self._add("heading", text, level=level)
        elif kind == "item" or self._marker:
            self._items.append(self._marker + text)
            self._marker = ""
        else:
            self._flush_items()
            self._add("paragraph", text)

    def _flush_items(self) -> None:
        self._add("list", "\n".join(self._items))
        self._items.clear()


def _invisible(element: Any) -> bool:
    return (
        not isinstance(element.tag, str)
        or element.tag in INVISIBLE
        or element.get("hidden") is not None
        or bool(_HIDDEN.search(element.get("style") or ""))
    )


def _unread(root: Any) -> Iterator[str]:
    """The texts of elements that are never shown, programs and styles aside."""
    walk = lxml.etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if _invisible(element):
            walk.skip_subtree()
            if element.tag not in WITHOUT_WORDS:
                yield " ".join(str(element.text_content()).split())


def _in_list(element: Any) -> bool:
    """Whether an element is an item's content; only the near ancestors count, so that deep nesting costs nothing."""
    for _ in range(4):
        if element is None or element.tag in ("table", "body"):
            return False
        if element.tag == "li":
            return True
        element = element.getparent()
    return False


def _marker(element: Any) -> str:
    parent = element.getparent()
    if parent is None or parent.tag != "ol":
        return "• "
    before = sum(1 for sibling in element.itersiblings("li", preceding=True))
    start = parent.get("start", "1")
    return f"{before + (int(start) if start.isdecimal() else 1)}. "


def _is_data(table: Any) -> bool:
    """A table of data, not of layout: no table inside, cells without blocks that hold headings or lists."""
    inner = table.iterdescendants("table", "h1", "h2", "h3", "h4", "ol", "form")
    return next(inner, None) is None and any(len(list(_cells(row))) > 1 for row in table.iter("tr"))


def _cells(row: Any) -> Iterator[str]:
    for cell in row.iterchildren("td", "th"):
        yield "".join(_visible_text(cell))


def _visible_text(cell: Any) -> Iterator[str]:
    skipping: Any = None
    for event, element in lxml.etree.iterwalk(cell, events=("start", "end")):
        if skipping is None and event == "start":
            if _invisible(element):
                skipping = element
            else:
                yield element.text or ""
                if element.tag in ("br", "p", "div", "li"):
                    yield " "
        elif event == "end" and (skipping is None or element is skipping):
            skipping = None
            if element is not cell:
                yield element.tail or ""
