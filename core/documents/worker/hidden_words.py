"""Text of a Word document (DOCX) that nobody sees: hidden, tiny, or in the colour of its ground, by its own look or by its styles'.

Rules: a ground is the nearest shading around the text, or the fill of its text box; where it can't be known (a picture, a theme's colour, a table's
style), the text counts as seen. Text that tracked changes deleted isn't read, and isn't hidden.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from core.documents.worker.hidden_runs import BLACK, WHITE, Colour, Run, alike, colour

W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
LETTERS: Final = (f"{W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t")
SPACES: Final = (f"{W}tab", f"{W}br", f"{W}cr", f"{W}p")
HYPHEN: Final = f"{W}noBreakHyphen"
SMALLEST: Final = 4
"""Half points: 2 points."""
DEEPEST: Final = 20
"""Styles that are based on each other."""
OFF: Final = ("0", "false", "off", "none")
MARKERS: Final[Mapping[str, Colour]] = {
    "yellow": (255, 255, 0),
    "green": (0, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "blue": (0, 0, 255),
    "red": (255, 0, 0),
    "black": BLACK,
    "white": WHITE,
    "lightGray": (192, 192, 192),
}
"""Colours of the highlighter; its dark ones hide nothing that is black or white."""


class Looks:
    """How the text of one document looks; `styles` is the root of its styles, `left_out` the tags whose text isn't read."""

    def __init__(self, styles: Any, left_out: Sequence[str]) -> None:
        self._left_out = left_out
        self._styles = {style.get(f"{W}styleId", ""): style for style in styles.iter(f"{W}style")}
        self._defaults = [each for each in (styles.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr"),) if each is not None]
        self._normal = next(
            (
                name
                for name, style in self._styles.items()
                if style.get(f"{W}type") == "paragraph" and style.get(f"{W}default") in ("1", "true", "on")
            ),
            "",
        )
        self._chains: dict[str, list[Any]] = {}
        self._known: dict[tuple[str, str], str] = {}

    def paragraphs(self, roots: Iterable[Any]) -> Iterator[Sequence[Run]]:
        """The paragraphs below these, run by run, each with why it isn't seen; none where all is seen."""
        roots = list(roots)
        unseen = {run: why for root in roots for run in root.iter(f"{W}r") if (why := self._run(run))}
        if not unseen:
            return
        for root in roots:
            for paragraph in root.iter(f"{W}p"):
                if next(paragraph.iterancestors(f"{W}p"), None) is None:
                    yield list(self._runs(paragraph, unseen))

    def _runs(self, paragraph: Any, unseen: dict[Any, str]) -> Iterator[Run]:
        for node in paragraph.iter(*LETTERS, *SPACES, HYPHEN):
            if any(above.tag in self._left_out for above in node.iterancestors()):
                continue
            said = (node.text or "") if node.tag in LETTERS else "-" if node.tag == HYPHEN else " "
            run = next(node.iterancestors(f"{W}r"), None)
            yield said, "" if run is None or not said.strip() else unseen.get(run, "")

    def _run(self, run: Any) -> str:
        own = run.find(f"{W}rPr")
        paragraph = next(run.iterancestors(f"{W}p"), None)
        about = None if paragraph is None else paragraph.find(f"{W}pPr")
        chosen = None if own is None else own.find(f"{W}rStyle")
        based = None if about is None else about.find(f"{W}pStyle")
        named = (
            "" if chosen is None else chosen.get(f"{W}val", ""),
            self._normal if based is None else based.get(f"{W}val", ""),
        )
        if own is None or (chosen is not None and len(own) == 1):
            if named not in self._known:
                self._known[named] = self._first(self._looks(None, named))
            why = self._known[named]
        else:
            why = self._first(self._looks(own, named))
        if not why.startswith("#"):
            return why
        return "colour" if alike(colour(why[1:]), self._ground(run, named)) else ""

    def _looks(self, own: Any, named: tuple[str, str]) -> list[Any]:
        """What says how a run looks, the nearest first."""
        styled = [look for name in named for style in self._chain(name) if (look := style.find(f"{W}rPr")) is not None]
        return [*([] if own is None else [own]), *styled, *self._defaults]

    @staticmethod
    def _first(looks: Sequence[Any]) -> str:
        """Why these looks hide a text, or "#" and its colour."""
        vanish = next((each for look in looks if (each := look.find(f"{W}vanish")) is not None), None)
        if vanish is not None and vanish.get(f"{W}val", "1") not in OFF:
            return "style"
        size = next((each for look in looks if (each := look.find(f"{W}sz")) is not None), None)
        said = "" if size is None else size.get(f"{W}val", "")
        if said.isdecimal() and int(said) <= SMALLEST:
            return "tiny"
        letters = next((each for look in looks if (each := look.find(f"{W}color")) is not None), None)
        value = "" if letters is None else letters.get(f"{W}val", "")
        return f"#{value}" if colour(value) is not None else ""

    def _ground(self, run: Any, named: tuple[str, str]) -> Colour | None:
        """None where it isn't known."""
        own = run.find(f"{W}rPr")
        styled = [
            look
            for name in named
            for style in self._chain(name)
            for part in (f"{W}rPr", f"{W}pPr")
            if (look := style.find(part)) is not None
        ]
        for look in (*([] if own is None else [own]), *styled):
            if (found := _shading(look)) is not None:
                return found or None
        for above in run.iterancestors():
            if above.tag in (f"{W}p", f"{W}tc"):
                look = above.find(f"{W}pPr" if above.tag == f"{W}p" else f"{W}tcPr")
                found = None if look is None else _shading(look)
            elif above.tag == f"{W}tbl":
                found = self._table(above)
            elif above.tag.endswith(("}txbx", "}textbox")):
                found = _box(above)
            elif above.tag == f"{W}document":
                ground = above.find(f"{W}background")
                found = None if ground is None else colour(ground.get(f"{W}color", "")) or ()
            else:
                continue
            if found is not None:
                return found or None
        return WHITE

    def _table(self, table: Any) -> Colour | tuple[()] | None:
        look = table.find(f"{W}tblPr")
        if look is None:
            return None
        if (found := _shading(look)) is not None:
            return found
        style = look.find(f"{W}tblStyle")
        chain = [] if style is None else self._chain(style.get(f"{W}val", ""))
        return (
            ()
            if any(_shading(each) is not None for style in chain for each in style.iter(f"{W}tcPr", f"{W}pPr"))
            else None
        )

    def _chain(self, name: str) -> list[Any]:
        """A style and what it is based on."""
        if name not in self._chains:
            found: list[Any] = []
            style = self._styles.get(name)
            while style is not None and len(found) < DEEPEST:
                found.append(style)
                based = style.find(f"{W}basedOn")
                style = None if based is None else self._styles.get(based.get(f"{W}val", ""))
            self._chains[name] = found
        return self._chains[name]


def _shading(look: Any) -> Colour | tuple[()] | None:
    """The colour behind a text; empty where there is one that isn't known, None where there is none."""
    marker = look.find(f"{W}highlight")
    if marker is not None and (said := marker.get(f"{W}val", "none")) != "none":
        return MARKERS.get(said, ())
    shading = look.find(f"{W}shd")
    if shading is None:
        return None
    fill, pattern = shading.get(f"{W}fill", "auto"), shading.get(f"{W}val", "clear")
    if pattern == "nil" or (fill == "auto" and pattern == "clear" and f"{W}themeFill" not in shading.attrib):
        return None
    return (colour(fill) or ()) if pattern == "clear" else ()


def _box(holder: Any) -> Colour | tuple[()] | None:
    """The fill of a text box; it may lie on anything where it has none."""
    shape = holder.getparent()
    look = None if shape is None else next(iter(shape.iterchildren("{*}spPr")), None)
    fill = None if look is None else look.find(f"{A}solidFill/{A}srgbClr")
    return () if fill is None else colour(fill.get("val", "")) or ()
