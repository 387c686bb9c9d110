"""A tagged document under construction: pages, the tree of what its parts are, bookmarks, and what the file says of itself.

Whatever is drawn belongs to a node of the tree, which a screen reader follows, or is an artifact: rules, grounds, page numbers. The
language, the title and the tree are those that PDF/UA-1 (ISO 14289-1) asks for; conformity isn't claimed, since no validator has said so.
"""

import html
from typing import Any, NamedTuple

from core.evidence.pdf.fonts import FILES, Face
from core.evidence.pdf.objects import File, Ref, Text, written

WIDTH, HEIGHT = 595.28, 841.89
"""A4, in points."""
PARENTS = 250
"""Pages in one leaf of the tree of pages."""


class Node:
    """A part of the document: its standard type, what is in it, and more that is said of it."""

    def __init__(self, tag: str, more: dict[str, object] | None = None) -> None:
        self.tag = tag
        self.more = more or {}
        self.kids: list[Node | tuple[int, int]] = []

    def add(self, tag: str, **more: object) -> "Node":
        """A new part inside this one."""
        node = Node(tag, more)
        self.kids.append(node)
        return node


class _Page:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.nodes: list[Node] = []


class _Bookmark(NamedTuple):
    level: int
    text: str
    page: int
    y: float


class Paper:
    """Pages of A4, drawn from the first to the last."""

    def __init__(self) -> None:
        self.faces = {name: Face(name) for name in FILES}
        self.root = Node("Document")
        self._pages: list[_Page] = []
        self._bookmarks: list[_Bookmark] = []

    @property
    def pages(self) -> int:
        return len(self._pages)

    def turn(self) -> None:
        """Begin another page."""
        self._pages.append(_Page())

    def draw(self, node: Node, operators: bytes) -> None:
        """Draw something that belongs to a node, on the last page."""
        page = self._pages[-1]
        number = len(page.nodes)
        page.nodes.append(node)
        node.kids.append((len(self._pages) - 1, number))
        page.parts.append(b"/%s <</MCID %d>> BDC\n%s\nEMC" % (node.tag.encode("ascii"), number, operators))

    def decorate(self, operators: bytes, page: int = -1, kind: bytes = b"/Artifact BMC") -> None:
        """Draw something that says nothing by itself."""
        self._pages[page].parts.append(b"%s\n%s\nEMC" % (kind, operators))

    def bookmark(self, level: int, text: str, y: float) -> None:
        """Name a place on the last page; levels begin at 1 and go down by one at a time."""
        self._bookmarks.append(_Bookmark(level, text, len(self._pages) - 1, y))

    def bytes(self, title: str, subject: str, producer: str, made: str) -> bytes:
        """The whole file. `made` is an RFC 3339 time or ""."""
        file = File()
        catalogue = file.new()
        pages = [file.new() for _ in self._pages]
        said: dict[str, object] = {"Title": Text(title), "Subject": Text(subject), "Producer": Text(producer)}
        if made:
            said["CreationDate"] = Text(_date(made))
        metadata = _metadata(title, subject, producer, made).encode("utf-8")
        entries: dict[str, object] = {
            "Type": "Catalog",
            "Pages": self._put_pages(file, pages),
            "StructTreeRoot": self._put_tree(file, pages),
            "MarkInfo": {"Marked": True},
            "Lang": Text("en"),
            "ViewerPreferences": {"DisplayDocTitle": True},
            "Metadata": file.stream(metadata, {"Type": "Metadata", "Subtype": "XML"}, packed=False),
        }
        if self._bookmarks:
            entries["Outlines"] = self._put_bookmarks(file, pages)
            entries["PageMode"] = "UseOutlines"
        file.put(entries, catalogue)
        return file.bytes(catalogue, file.put(said))

    def _put_pages(self, file: File, pages: list[Ref]) -> Ref:
        fonts = {name: file.new() for name in self.faces}
        for name, face in self.faces.items():
            face.embed(file, fonts[name])
        resources = file.put({"Font": {f"F{name}": ref for name, ref in fonts.items()}})
        root = file.new()
        leaves = []
        for start in range(0, len(pages), PARENTS):
            some = pages[start : start + PARENTS]
            leaf = file.put({"Type": "Pages", "Parent": root, "Count": len(some), "Kids": some})
            leaves.append(leaf)
            for place, ref in enumerate(some, start):
                page = {
                    "Type": "Page",
                    "Parent": leaf,
                    "MediaBox": [0, 0, WIDTH, HEIGHT],
                    "Resources": resources,
                    "Contents": file.stream(b"\n".join(self._pages[place].parts), {}),
                    "StructParents": place,
                    "Tabs": "S",
                }
                file.put(page, ref)
        return file.put({"Type": "Pages", "Count": len(pages), "Kids": leaves}, root)

    def _put_tree(self, file: File, pages: list[Ref]) -> Ref:
        top, refs = file.new(), dict[int, Ref]()
        self._number(self.root, file, refs)
        self._put_node(self.root, top, file, refs, pages)
        parents: list[object] = []
        for place, page in enumerate(self._pages):
            parents += [place, file.put([refs[id(node)] for node in page.nodes])]
        tree = file.put({"Nums": parents})
        entries = {"Type": "StructTreeRoot", "K": refs[id(self.root)], "ParentTree": tree}
        return file.put({**entries, "ParentTreeNextKey": len(pages)}, top)

    def _number(self, node: Node, file: File, refs: dict[int, Ref]) -> None:
        refs[id(node)] = file.new()
        for kid in node.kids:
            if isinstance(kid, Node):
                self._number(kid, file, refs)

    def _put_node(self, node: Node, parent: Ref, file: File, refs: dict[int, Ref], pages: list[Ref]) -> None:
        own = refs[id(node)]
        kids: list[object] = []
        for kid in node.kids:
            if isinstance(kid, Node):
                kids.append(refs[id(kid)])
                self._put_node(kid, own, file, refs, pages)
            else:
                kids.append({"Type": "MCR", "Pg": pages[kid[0]], "MCID": kid[1]})
        file.put({"Type": "StructElem", "S": node.tag, "P": parent, "K": kids, **node.more}, own)

    def _put_bookmarks(self, file: File, pages: list[Ref]) -> Ref:
        top = file.new()
        refs = [file.new() for _ in self._bookmarks]
        children: dict[Ref, list[int]] = {}
        above: list[int] = []
        for place, mark in enumerate(self._bookmarks):
            while above and self._bookmarks[above[-1]].level >= mark.level:
                above.pop()
            children.setdefault(refs[above[-1]] if above else top, []).append(place)
            above.append(place)
        for parent, places in children.items():
            for order, place in enumerate(places):
                mark, own = self._bookmarks[place], refs[place]
                inner = children.get(own, [])
                entry: dict[str, Any] = {
                    "Title": Text(mark.text),
                    "Parent": parent,
                    "Dest": [pages[mark.page], "XYZ", None, mark.y, None],
                }
                if order:
                    entry["Prev"] = refs[places[order - 1]]
                if order + 1 < len(places):
                    entry["Next"] = refs[places[order + 1]]
                if inner:
                    entry |= {"First": refs[inner[0]], "Last": refs[inner[-1]], "Count": -len(inner)}
                file.put(entry, own)
        first = children[top]
        return file.put(
            {"Type": "Outlines", "First": refs[first[0]], "Last": refs[first[-1]], "Count": len(first)}, top
        )


def actual(text: str) -> bytes:
    """The beginning of a piece whose text is this, whatever its glyphs look like."""
    return b"/Span <</ActualText %s>> BDC" % written(Text(text))


def _date(time: str) -> str:
    """An RFC 3339 time in the form of PDF dates."""
    digits = "".join(character for character in time[:19] if character.isdigit())
    offset = time[19:].lstrip(".0123456789")
    return f"D:{digits}" + ("Z" if offset in ("Z", "+00:00") else f"{offset[:3]}'{offset[4:6]}" if offset else "")


def _metadata(title: str, subject: str, producer: str, made: str) -> str:
    """XMP (ISO 16684-1)."""

    def said(name: str, text: str) -> str:
        return f"<{name}>{html.escape(text, quote=False)}</{name}>"

    def local(name: str, text: str) -> str:
        words = html.escape(text, quote=False)
        return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{words}</rdf:li></rdf:Alt></{name}>'

    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:pdf="http://ns.adobe.com/pdf/1.3/">\n'
        f"{local('dc:title', title)}\n{local('dc:description', subject)}\n"
        "<dc:language><rdf:Bag><rdf:li>en</rdf:li></rdf:Bag></dc:language>\n"
        f"{said('pdf:Producer', producer)}\n{said('xmp:CreateDate', made) if made else ''}\n"
        '</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="r"?>'
    )
