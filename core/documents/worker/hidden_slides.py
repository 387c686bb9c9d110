"""Text on slides (PPTX) that nobody sees: in the colour of its ground, wholly transparent, tiny, beside the slide, in a shape that is switched off.

Rules: a ground is the fill of the text's own shape, else that of what lies under it on the slide or its layout, else the slide's background. Where it
can't be known (a picture, a gradient, a table's style), the text counts as seen. Not looked at: what lies over a text, animations, and the colours
that a text takes from its layout.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from core.documents.worker import packing
from core.documents.worker.hidden_runs import BLACK, WHITE, Colour, Run, alike, colour, lighter
from core.errors import BadInput

A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P: Final = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
SMALLEST: Final = 300
"""Hundredths of a point."""
CLEAR: Final = 10_000
"""Of 100,000: an opacity under which nobody sees letters."""
SHAPES: Final = tuple(f"{P}{name}" for name in ("sp", "pic", "graphicFrame", "cxnSp"))
FILLS: Final = tuple(f"{A}{name}" for name in ("noFill", "solidFill", "gradFill", "blipFill", "pattFill", "grpFill"))
PLAIN: Final = "1001"
"""The number of a theme's first background, a plain one."""

Box = tuple[float, float, float, float]


class Unknown(Exception):
    """A colour that can't be told."""


class Slide:
    """One slide of a presentation, to tell what is seen on it. `size`: width and height in EMU."""

    def __init__(self, slide: Any, size: tuple[int, int]) -> None:
        self._size = size
        layout = slide.slide_layout
        self._trees = [each._element.find(f"{P}cSld/{P}spTree") for each in (layout.slide_master, layout, slide)]
        self._own = self._trees[-1]
        self._colours = _theme(slide, layout.slide_master)
        self._background = self._ground_of((slide, layout, layout.slide_master))

    def paragraphs(self, shapes: Iterable[Any]) -> Iterator[Sequence[Run]]:
        """The paragraphs of these shapes, run by run, each with why it isn't seen."""
        for shape in shapes:
            element = shape._element
            whole = self._whole(shape, element)
            for paragraph in element.iter(f"{A}p"):
                yield [(_said(run), whole or self._run(shape, run)) for run in _runs(paragraph)]

    def _whole(self, shape: Any, element: Any) -> str:
        named = next(element.iter("{*}cNvPr"), None)
        if named is not None and named.get("hidden") in ("1", "true"):
            return "style"
        groups = (above.find(f"{P}nvGrpSpPr/{P}cNvPr") for above in element.iterancestors(f"{P}grpSp"))
        if any(group is not None and group.get("hidden") in ("1", "true") for group in groups):
            return "style"
        box = _box(shape, element)
        if box is not None and (box[2] <= 0 or box[3] <= 0 or box[0] >= self._size[0] or box[1] >= self._size[1]):
            return "off-page"
        return ""

    def _run(self, shape: Any, run: Any) -> str:
        looks = _looks(shape._element, run)
        size = next((value for look in looks if (value := look.get("sz", "")).isdecimal()), "")
        if size and int(size) < SMALLEST:
            return "tiny"
        fill = next((each for look in looks if (each := _fill(look)) is not None), None)
        if fill is not None and fill.tag == f"{A}noFill":
            return "transparent"
        try:
            letters = self._letters(shape._element, fill)
            if letters is None:
                return ""
            if _clear(fill):
                return "transparent"
            return "colour" if alike(letters, self._ground(shape, run)) else ""
        except Unknown:
            return ""

    def _letters(self, element: Any, fill: Any) -> Colour | None:
        if fill is not None:
            return self._filled(fill)
        style = element.find(f"{P}style/{A}fontRef")
        return None if style is None or not len(style) else self._colour(style[0])

    def _ground(self, shape: Any, run: Any) -> Colour:
        element = shape._element
        cell = next(run.iterancestors(f"{A}tc"), None)
        if cell is not None:
            look = cell.find(f"{A}tcPr")
            fill = None if look is None else _fill(look)
            if fill is None or fill.tag == f"{A}noFill":
                raise Unknown
            return self._filled(fill)
        if (own := self._shape_fill(element)) is not None:
            return own
        box = _box(shape, element)
        for other in reversed(list(self._under(element))):
            if (
                box is not None
                and (its := _own_box(other)) is not None
                and _overlap(box, its)
                and (found := self._shape_fill(other)) is not None
            ):
                return found
        if self._background is None:
            raise Unknown
        return self._background

    def _under(self, element: Any) -> Iterator[Any]:
        """What is drawn before a shape, the lowest first."""
        for tree in self._trees:
            for other in () if tree is None else tree.iter(*SHAPES):
                if other is element:
                    return
                if tree is self._own or next(other.iter(f"{P}ph"), None) is None:
                    yield other

    def _shape_fill(self, element: Any) -> Colour | None:
        """None where it has no fill."""
        if element.tag in (f"{P}pic", f"{P}graphicFrame"):
            raise Unknown
        look = element.find(f"{P}spPr")
        fill = None if look is None else _fill(look)
        if fill is not None:
            if fill.tag == f"{A}noFill" or _clear(fill):
                return None
            return self._filled(fill)
        style = element.find(f"{P}style/{A}fillRef")
        if style is not None and style.get("idx", "0") != "0" and len(style):
            return self._colour(style[0])
        if next(element.iter(f"{P}ph"), None) is not None and element.tag == f"{P}sp":
            return self._inherited(element)
        return None

    def _inherited(self, element: Any) -> Colour | None:
        """The fill that a placeholder takes from its layout or master."""
        mine = next(element.iter(f"{P}ph"))
        for tree in (self._trees[1], self._trees[0]):
            for other in () if tree is None else tree.iter(f"{P}sp"):
                its = next(other.iter(f"{P}ph"), None)
                if its is None or other is element:
                    continue
                if its.get("idx", "0") == mine.get("idx", "0") or its.get("type", "body") == mine.get("type", "body"):
                    look = other.find(f"{P}spPr")
                    fill = None if look is None else _fill(look)
                    if fill is not None:
                        return None if fill.tag == f"{A}noFill" else self._filled(fill)
        return None

    def _ground_of(self, parts: Iterable[Any]) -> Colour | None:
        """The background of a slide; None where it isn't plain."""
        for part in parts:
            ground = part._element.find(f"{P}cSld/{P}bg")
            if ground is None:
                continue
            try:
                reference = ground.find(f"{P}bgRef")
                if reference is not None:
                    return self._colour(reference[0]) if reference.get("idx") == PLAIN and len(reference) else None
                look = ground.find(f"{P}bgPr")
                fill = None if look is None else _fill(look)
                return None if fill is None else self._filled(fill)
            except Unknown:
                return None
        return WHITE

    def _filled(self, fill: Any) -> Colour:
        if fill.tag != f"{A}solidFill" or not len(fill):
            raise Unknown
        return self._colour(fill[0])

    def _colour(self, element: Any) -> Colour:
        """Raises `Unknown`."""
        said = element.get("val", "")
        if element.tag == f"{A}srgbClr":
            found = colour(said)
        elif element.tag == f"{A}sysClr":
            found = colour(element.get("lastClr", ""))
        elif element.tag == f"{A}schemeClr":
            found = self._colours.get(said)
        else:
            found = {"white": WHITE, "black": BLACK}.get(said) if element.tag == f"{A}prstClr" else None
        if found is None:
            raise Unknown
        return _changed(found, element)


def _changed(of: Colour, element: Any) -> Colour:
    """The colour with what changes its lightness, about as it is shown."""
    for change in element:
        value = change.get("val", "")
        share = int(value) / 100_000 if value.lstrip("-").isdecimal() else -1.0
        name = change.tag.removeprefix(A)
        if name in ("lumMod", "shade") and 0 <= share <= 1:
            of = lighter(of, share - 1)
        elif name in ("lumOff", "tint") and 0 <= share <= 1:
            of = lighter(of, share if name == "lumOff" else 1 - share)
        elif name != "alpha":
            raise Unknown
    return of


def _theme(slide: Any, master: Any) -> dict[str, Colour]:
    """The colours of a slide by the names that it uses for them."""
    named: dict[str, Colour] = {}
    for relation in master.part.rels.values():
        if not relation.is_external and relation.reltype.endswith("/theme"):
            try:
                scheme = next(packing.tree("", relation.target_part.blob).iter(f"{A}clrScheme"), None)
            except BadInput:  # its colours aren't known then
                continue
            for each in () if scheme is None else scheme:
                if isinstance(each.tag, str) and len(each):
                    found = colour(each[0].get("lastClr") or each[0].get("val", ""))
                    if found is not None:
                        named[each.tag.removeprefix(A)] = found
    mapping = slide._element.find(f"{P}clrMapOvr/{A}overrideClrMapping")
    mapping = mapping if mapping is not None else master._element.find(f"{P}clrMap")
    used = {} if mapping is None else {name: named[to] for name, to in mapping.attrib.items() if to in named}
    return named | used


def _fill(look: Any) -> Any:
    return next((each for each in look if each.tag in FILLS), None)


def _clear(fill: Any) -> bool:
    opacity = None if fill is None else next(fill.iter(f"{A}alpha"), None)
    value = "" if opacity is None else opacity.get("val", "")
    return value.isdecimal() and int(value) < CLEAR


def _looks(element: Any, run: Any) -> list[Any]:
    """What says how a run looks, the nearest first."""
    own = run.find(f"{A}rPr")
    paragraph = run.getparent().find(f"{A}pPr")
    level = "0" if paragraph is None else paragraph.get("lvl", "0")
    level = level if level.isdecimal() and int(level) < 9 else "0"
    listed = element.find(f"{P}txBody/{A}lstStyle/{A}lvl{int(level) + 1}pPr/{A}defRPr")
    return [look for look in (own, listed) if look is not None]


def _runs(paragraph: Any) -> Iterator[Any]:
    return (each for each in paragraph if each.tag in (f"{A}r", f"{A}fld", f"{A}br"))


def _said(run: Any) -> str:
    return " " if run.tag == f"{A}br" else "".join(part.text or "" for part in run.iterchildren(f"{A}t"))


def _box(shape: Any, element: Any) -> Box | None:
    """From left, top to right, bottom, on the slide."""
    own = _own_box(element)
    if own is not None:
        return own
    places = (shape.left, shape.top, shape.width, shape.height)
    if any(place is None for place in places):
        return None
    left, top, width, height = (float(place) for place in places)
    return left, top, left + width, top + height


def _own_box(element: Any) -> Box | None:
    """Where the element itself says that it stands, through the groups around it."""
    frame = element.find(f"{P}spPr/{A}xfrm")
    frame = frame if frame is not None else element.find(f"{P}xfrm")
    box = None if frame is None else _of_frame(frame, "off", "ext")
    for group in element.iterancestors(f"{P}grpSp"):
        outer = group.find(f"{P}grpSpPr/{A}xfrm")
        if box is None or outer is None:
            continue
        shown, inner = _of_frame(outer, "off", "ext"), _of_frame(outer, "chOff", "chExt")
        if shown is None or inner is None or inner[2] == inner[0] or inner[3] == inner[1]:
            continue
        wide, high = (shown[2] - shown[0]) / (inner[2] - inner[0]), (shown[3] - shown[1]) / (inner[3] - inner[1])
        box = (
            shown[0] + (box[0] - inner[0]) * wide,
            shown[1] + (box[1] - inner[1]) * high,
            shown[0] + (box[2] - inner[0]) * wide,
            shown[1] + (box[3] - inner[1]) * high,
        )
    return box


def _of_frame(frame: Any, corner: str, extent: str) -> Box | None:
    at, size = frame.find(f"{A}{corner}"), frame.find(f"{A}{extent}")
    if at is None or size is None:
        return None
    try:
        left, top = float(at.get("x", "")), float(at.get("y", ""))
        return left, top, left + float(size.get("cx", "")), top + float(size.get("cy", ""))
    except ValueError:
        return None


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
