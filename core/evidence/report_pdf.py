"""A report as a document to print and to file: `report.pdf`, from the same blocks as the page.

A4, page numbers, headings with bookmarks, real text in embedded typefaces, a tree of its parts for screen readers, the heads of
tables repeated on every page. The same report gives the same bytes: its date is that of what it reports. Pure Python over
content of our own, so it needs no process of its own.
"""

from collections.abc import Sequence

from core.evidence.blocks import (
    Block,
    Document,
    Figure,
    Heading,
    Items,
    Pairs,
    Paragraph,
    Quote,
    Span,
    Table,
)
from core.evidence.drawing import HAIR, STRONG, Area, Box, Label, Shape
from core.evidence.drawing import Line as Stroke
from core.evidence.pdf.objects import Text, number
from core.evidence.pdf.paper import HEIGHT, WIDTH, Node, Paper
from core.evidence.pdf.text import Line, Setter, box, colour
from core.evidence.words import shortened

LEFT = 56.0
ROOM = WIDTH - 2 * LEFT
TOP, BOTTOM = HEIGHT - 58.0, 62.0
BODY, LEADING = 9.0, 13.2
SMALL, TIGHT = 7.8, 10.6
TERM = 96.0
"""The width of the terms in a list of pairs."""
PAD, GUTTER = 3.4, 8.0
"""Above and below the text of a table's cell, and between columns."""
SPLIT = 220.0
"""A table's row above this height is broken across pages."""
_DASH = {False: b"[] 0 d", True: b"[3 2] 0 d"}


def render(document: Document) -> bytes:
    """The whole file."""
    return _Layout(document).whole()


class _Layout:
    """Puts blocks one under another; `y` is where the next one begins, in points from the foot of the page."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.paper = Paper()
        faces = self.paper.faces
        self._body = Setter(faces, BODY)
        self._small = Setter(faces, SMALL)
        self._small_bold = Setter(faces, SMALL, bold=True)
        self._large = Setter(faces, 15.0, bold=True)
        self._heads = {
            1: Setter(faces, 19.0, bold=True),
            2: Setter(faces, 13.0, bold=True),
            3: Setter(faces, 9.6, bold=True),
        }
        self._labels: dict[tuple[float, bool], Setter] = {}
        self.y = 0.0
        self._section = self.paper.root
        self.turn()

    def whole(self) -> bytes:
        document = self._document
        self._title()
        for place, block in enumerate(document.blocks):
            following = document.blocks[place + 1] if place + 1 < len(document.blocks) else None
            self._block(block, following)
        self._feet()
        return self.paper.bytes(document.title, document.subject, document.producer, document.made)

    def turn(self) -> None:
        """Go on at the head of another page."""
        self.paper.turn()
        self.y = TOP

    def need(self, height: float) -> None:
        """Turn the page if there isn't as much room left."""
        if self.y - height < BOTTOM and self.y < TOP:
            self.turn()

    def _title(self) -> None:
        document = self._document
        self._lines(
            self.paper.root.add("P"), self._body.lines((Span(document.subject, "quiet"),), ROOM), self._body, LEFT, 16
        )
        self.y -= 4
        self.paper.bookmark(1, document.title, self.y + 20)
        self._lines(
            self.paper.root.add("H1"), self._heads[1].lines((Span(document.title),), ROOM), self._heads[1], LEFT, 24
        )
        self.y -= 6

    def _block(self, block: Block, following: Block | None) -> None:
        match block:
            case Heading():
                self._heading(block, following)
            case Paragraph():
                self._paragraph(block)
            case Quote():
                self._quote(block)
            case Items():
                self._items(block)
            case Pairs():
                self._pairs(block)
            case Table():
                self._table(block)
            case Figure():
                self._figure(block)

    def _heading(self, block: Heading, following: Block | None) -> None:
        setter = self._heads[block.level]
        if block.level == 2:
            self._section = self.paper.root.add("Sect")
        above, size = (20.0, 18.0) if block.level == 2 else (11.0, 13.5)
        lines = setter.lines((Span(block.text),), ROOM)
        drawing = following.drawing.height + 40 if isinstance(following, Figure) else 72.0
        self.need(above + size * len(lines) + min(drawing, TOP - BOTTOM - 60))
        self.y -= above if self.y < TOP else 0
        self.paper.bookmark(block.level, block.text, self.y + 6)
        self._lines(self._section.add(f"H{block.level}"), lines, setter, LEFT, size)
        if block.level == 2:
            self._rule(LEFT, self.y + 1, ROOM, HAIR, 0.6)
            self.y -= 6

    def _paragraph(self, block: Paragraph) -> None:
        setter, leading = (self._large, 21.0) if block.large else (self._body, LEADING)
        self.y -= 2
        self._lines(self._section.add("P"), setter.lines(block.spans, ROOM), setter, LEFT, leading)
        self.y -= 3

    def _quote(self, block: Quote) -> None:
        node = self._section.add("BlockQuote")
        self.need(LEADING * 3)
        if block.source:
            source = tuple(span._replace(style="quiet") for span in block.source)
            self._lines(node.add("Caption"), self._small.lines(source, ROOM), self._small, LEFT, TIGHT + 1)
        inset = 11.0
        lines = self._small.lines(block.spans, ROOM - inset)
        self._lines(node.add("P"), lines, self._small, LEFT + inset, 11.4, bar=True)
        self.y -= 7

    def _items(self, block: Items) -> None:
        node = self._section.add("L")
        for item in block.items:
            entry = node.add("LI")
            self.need(LEADING)
            self._chunk(entry.add("Lbl"), self._body.lines((Span("•"),), 20), self._body, LEFT + 3, self.y, LEADING)
            self._lines(entry.add("LBody"), self._body.lines(item, ROOM - 14), self._body, LEFT + 14, LEADING)
            self.y -= 1.5
        self.y -= 4

    def _pairs(self, block: Pairs) -> None:
        node = self._section.add("L")
        for term, said in block.pairs:
            entry = node.add("LI")
            terms = self._body.lines((Span(term, "quiet"),), TERM - 8)
            self.need(LEADING * len(terms))
            self._chunk(entry.add("Lbl"), terms, self._body, LEFT, self.y, LEADING)
            lines = self._body.lines(said, ROOM - TERM)
            start, page = self.y, self.paper.pages
            self._lines(entry.add("LBody"), lines, self._body, LEFT + TERM, LEADING)
            if self.paper.pages == page:
                self.y = min(self.y, start - LEADING * len(terms))
        self.y -= 6

    def _lines(
        self, node: Node, lines: Sequence[Line], setter: Setter, x: float, leading: float, bar: bool = False
    ) -> None:
        """Draw lines from `y` downwards, on as many pages as they need."""
        rest = list(lines)
        while rest:
            room = max(int((self.y - BOTTOM) / leading), 0)
            if not room and self.y < TOP:
                self.turn()
                continue
            some, rest = rest[: max(room, 1)], rest[max(room, 1) :]
            if bar:
                self._bar(LEFT + 2, self.y - leading * len(some) - 1, leading * len(some) + 1)
            self._chunk(node, some, setter, x, self.y, leading)
            self.y -= leading * len(some)

    def _chunk(
        self, node: Node, lines: Sequence[Line], setter: Setter, x: float, y: float, leading: float, right: float = 0.0
    ) -> None:
        """Lines that fit on this page. With `right`, they end there."""
        grounds, texts = [], []
        for order, line in enumerate(lines):
            base = y - leading * order - (leading + setter.size * 0.72) / 2
            start = right - line.width if right else x
            if ground := setter.ground(line, start, base):
                grounds.append(ground)
            texts.append(setter.show(line, start, base))
        if grounds:
            self.paper.decorate(b"\n".join(grounds))
        self.paper.draw(node, b"\n".join(texts))

    def _table(self, table: Table) -> None:
        node = self._section.add("Table")
        caption = self._small.lines((Span(table.caption, "quiet"),), ROOM)
        total = sum(table.widths)
        places, at = [], LEFT
        for share in table.widths:
            wide = ROOM * share / total
            places.append((at, wide - GUTTER))
            at += wide
        heads = [
            self._small_bold.lines((Span(head),), wide) for head, (_, wide) in zip(table.heads, places, strict=True)
        ]
        self.need(TIGHT * (len(caption) + 1) + self._height(heads) + 34)
        self.y -= 4
        self._lines(node.add("Caption"), caption, self._small, LEFT, TIGHT + 0.6)
        self._head(node.add("THead").add("TR"), table, heads, places)
        body = node.add("TBody")
        for row in table.rows:
            cells = [self._small.lines(spans, wide) for spans, (_, wide) in zip(row, places, strict=True)]
            self._row(body.add("TR"), table, cells, places, heads)
        self.y -= 10

    def _height(self, cells: Sequence[Sequence[Line]]) -> float:
        return max(map(len, cells), default=1) * TIGHT + 2 * PAD

    def _head(
        self, row: Node | None, table: Table, heads: Sequence[Sequence[Line]], places: Sequence[tuple[float, float]]
    ) -> None:
        """The head of a table; without a node, it repeats what was said on an earlier page."""
        height = self._height(heads)
        for place, (lines, (x, wide)) in enumerate(zip(heads, places, strict=True)):
            right = x + wide if place in table.numbers else 0.0
            y = self.y - PAD - TIGHT * (max(map(len, heads)) - len(lines))
            if row is not None:
                cell = row.add("TH", A={"O": "Table", "Scope": "Column"})
                self._chunk(cell, lines, self._small_bold, x, y, TIGHT, right)
            else:
                shown = [
                    self._small_bold.show(
                        line, right - line.width if right else x, y - TIGHT * order - (TIGHT + SMALL * 0.72) / 2
                    )
                    for order, line in enumerate(lines)
                ]
                self.paper.decorate(b"\n".join(shown))
        self.y -= height
        self._rule(LEFT, self.y, ROOM, STRONG, 0.9)

    def _row(
        self,
        row: Node,
        table: Table,
        cells: Sequence[Sequence[Line]],
        places: Sequence[tuple[float, float]],
        heads: Sequence[Sequence[Line]],
    ) -> None:
        nodes = [
            row.add("TH", A={"O": "Table", "Scope": "Row"}) if place == 0 else row.add("TD")
            for place in range(len(cells))
        ]
        rest = [list(cell) for cell in cells]
        while any(rest):
            room = int((self.y - BOTTOM - 2 * PAD) / TIGHT)
            tallest = max(map(len, rest))
            if room < min(tallest, SPLIT / TIGHT if tallest * TIGHT > SPLIT else tallest) and self.y < TOP - 60:
                self.turn()
                self._head(None, table, heads, places)
                continue
            some, rest = [cell[:room] for cell in rest], [cell[room:] for cell in rest]
            for place, (lines, (x, wide)) in enumerate(zip(some, places, strict=True)):
                if lines:
                    right = x + wide if place in table.numbers else 0.0
                    self._chunk(nodes[place], lines, self._small, x, self.y - PAD, TIGHT, right)
            self.y -= max(map(len, some)) * TIGHT + 2 * PAD
            self._rule(LEFT, self.y, ROOM, HAIR, 0.5)

    def _figure(self, block: Figure) -> None:
        drawing = block.drawing
        scale = min(1.0, ROOM / drawing.width, (TOP - BOTTOM - 40) / drawing.height)
        height = drawing.height * scale
        caption = self._small.lines((Span(block.caption, "quiet"),), ROOM)
        self.need(height + TIGHT * len(caption) + 12)
        self.y -= 4
        node = self._section.add("Figure")
        node.more = {
            "Alt": Text(drawing.description),
            "A": {"O": "Layout", "BBox": [LEFT, self.y - height, LEFT + drawing.width * scale, self.y]},
        }
        move = b"q %s 0 0 %s %s %s cm" % (number(scale), number(scale), number(LEFT), number(self.y))
        shapes = b"\n".join(self._shape(shape) for shape in drawing.shapes)
        self.paper.draw(node, move + b"\n" + shapes + b"\nQ")
        self.y -= height + 3
        self._lines(node.add("Caption"), caption, self._small, LEFT, TIGHT + 0.6)
        self.y -= 8

    def _shape(self, shape: Shape) -> bytes:
        match shape:
            case Stroke():
                ends = tuple(map(number, (shape.x1, -shape.y1, shape.x2, -shape.y2)))
                ink = (colour(shape.ink), number(shape.width), _DASH[shape.dashed])
                return b"%s RG %s w %s " % ink + b"%s %s m %s %s l S" % ends
            case Box():
                path = box(shape.x, -shape.y - shape.height, shape.width, shape.height)
                return b"%s rg %s RG 0.75 w [] 0 d %s B" % (colour(shape.fill), colour(shape.ink), path)
            case Area():
                points = [b"%s %s" % (number(x), number(-y)) for x, y in shape.points]
                return (
                    colour(shape.fill)
                    + b" rg "
                    + b" m ".join((points[0], b""))
                    + b" l ".join((*points[1:], b""))
                    + b"f"
                )
            case Label():
                return self._label(shape)

    def _label(self, label: Label) -> bytes:
        setter = self._labels.get((label.size, label.strong))
        if setter is None:
            setter = self._labels[label.size, label.strong] = Setter(self.paper.faces, label.size, bold=label.strong)
        line = setter.lines((Span(label.text),), 1e6)[0]
        shift = {"start": 0.0, "middle": line.width / 2, "end": line.width}[label.anchor]
        return setter.show(line, label.x - shift, -label.y, label.ink)

    def _rule(self, x: float, y: float, width: float, ink: str, thick: float) -> None:
        path = b"%s %s m %s %s l S" % tuple(map(number, (x, y, x + width, y)))
        self.paper.decorate(b"%s RG %s w [] 0 d %s" % (colour(ink), number(thick), path))

    def _bar(self, x: float, y: float, height: float) -> None:
        self.paper.decorate(b"%s rg %s f" % (colour(HAIR), box(x, y, 2, height)))

    def _feet(self) -> None:
        """The title and the number of each page."""
        pages = self.paper.pages
        for place in range(pages):
            left = self._small.lines((Span(shortened(self._document.title, 80), "quiet"),), 1e6)[0]
            right = self._small.lines((Span(f"Page {place + 1} of {pages}", "quiet"),), 1e6)[0]
            shown = self._small.show(left, LEFT, 34), self._small.show(right, LEFT + ROOM - right.width, 34)
            kind = b"/Artifact <</Type /Pagination /Subtype /Footer>> BDC"
            self.paper.decorate(b"\n".join(shown), place, kind)
