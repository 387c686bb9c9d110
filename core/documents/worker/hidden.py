"""Text in a document that a reader of its pages doesn't see, and that a program reads: the colour of the ground behind it, transparent, too small,
hidden by style, in a hidden sheet, row, column or slide.

Rules: what is only suspect by its colour is looked at on the rendered page, so that white letters on a dark ground are ordinary; the text layer of a
scan lies invisibly over its picture and is ordinary too. Text outside of the page is never read. Not looked for: what lies under a picture or a box,
what a style sheet of its own hides.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.documents.worker.records import Hidden, Page

Box = tuple[float, float, float, float]
PAINTED: Final = 16 | 32
"""MuPDF's flags of characters: filled, stroked. Render mode 3 has neither."""
SMALLEST: Final = 3.0
"""Points; print is read from 5 on."""
LIGHT: Final = 0xC0
"""Each part of a colour from which it may be that of paper."""
CONTRAST: Final = 24
"""Of 255: between the darkest and the lightest point of a rectangle, under which nobody sees letters in it."""
MOST_SUSPECTS: Final = 2000
"""Of a page."""
HALF: Final = 0.5
LABELS: Final = {"hidden slide": "slide"}
SHEET: Final = " (hidden)"


@dataclass(frozen=True)
class Suspect:
    """A stretch of print and what speaks against it; the box is placed as the page is shown."""

    text: str
    box: Box
    why: str


def suspects(spans: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Those of a line's spans that may be hidden."""
    found = []
    for span in spans:
        colour = span["color"]
        if not span.get("char_flags", PAINTED) & PAINTED or span.get("alpha", 255) < CONTRAST:
            found.append((span, "transparent"))
        elif span["size"] < SMALLEST:
            found.append((span, "tiny"))
        elif min(colour >> 16 & 255, colour >> 8 & 255, colour & 255) >= LIGHT:
            found.append((span, "colour"))
    return found


def confirmed(page: Any, given: Sequence[Suspect]) -> list[Suspect]:
    """The suspects of a PyMuPDF page that are hidden."""
    if not given:
        return []
    layer = [one for one in given if one.why == "transparent"]
    found = [one for one in given if one.why == "tiny"]
    if layer and not _is_picture(page):
        found += layer
    if coloured := [one for one in given if one.why == "colour"]:
        import pymupdf

        pixels = page.get_pixmap(colorspace=pymupdf.csGRAY, alpha=False)
        found += [one for one in coloured if _is_flat(pixels, one.box)]
    return found


def _is_picture(page: Any) -> bool:
    """Whether a picture takes up most of the page: the page of a scan."""
    area = abs(page.rect) or 1.0
    return any(abs(page.rect & shown["bbox"]) >= HALF * area for shown in page.get_image_info())


def _is_flat(pixels: Any, box: Box) -> bool:
    x0, y0 = max(int(box[0]), 0), max(int(box[1]), 0)
    x1, y1 = min(int(box[2]) + 1, pixels.width), min(int(box[3]) + 1, pixels.height)
    if x0 >= x1 or y0 >= y1:
        return False
    samples, stride = memoryview(pixels.samples_mv), pixels.stride
    rows = [bytes(samples[y * stride + x0 : y * stride + x1]) for y in range(y0, y1)]
    return max(map(max, rows)) - min(map(min, rows)) < CONTRAST


def on_page(page: Page, given: Sequence[Suspect]) -> Iterator[Hidden]:
    """Where in a page's text its hidden stretches stand; the whole line where the stretch can't be told from the rest of it."""
    for one in given:
        x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
        for line in page.lines:
            rect = line.rect
            if rect.x0 - 1 <= x <= rect.x1 + 1 and rect.y0 - 1 <= y <= rect.y1 + 1:
                start = page.text.find(one.text, line.start, line.end)
                start, end = (start, start + len(one.text)) if start >= 0 else (line.start, line.end)
                if start < end:
                    yield Hidden(page=page.number, start=start, end=end, why=one.why)


def joined(given: Iterable[Hidden], text: str) -> tuple[Hidden, ...]:
    """In order, with stretches that only white space parts put together."""
    found: list[Hidden] = []
    for one in sorted(given, key=lambda one: (one.start, one.end)):
        last = found[-1] if found else None
        if last is not None and last.why == one.why and not text[last.end : one.start].strip():
            found[-1] = Hidden(page=one.page, start=last.start, end=max(last.end, one.end), why=one.why)
        elif last is None or one.start >= last.end:
            found.append(one)
    return tuple(found)


def by_label(pages: Iterable[Page]) -> Iterator[Hidden]:
    """Hidden sheets and slides, whole."""
    for page in pages:
        why = LABELS.get(page.label) or ("sheet" if page.label.endswith(SHEET) else "")
        if why and page.text:
            yield Hidden(page=page.number, start=0, end=len(page.text), why=why)


def found_in_order(page: Page, texts: Iterable[tuple[str, str]]) -> Iterator[Hidden]:
    """Where texts (text, why) that come in the page's order stand in it."""
    at = 0
    for text, why in texts:
        start = page.text.find(text, at)
        start = start if start >= 0 else page.text.find(text)
        if start >= 0:
            at = start + len(text)
            yield Hidden(page=page.number, start=start, end=at, why=why)


_ZERO = r"\s*:\s*0*\.?0+(?:px|pt|em|rem|%|)?\s*(?:;|!|$)"
_STYLE: Final = (
    (re.compile(r"font-size" + _ZERO, re.IGNORECASE), "tiny"),
    (re.compile(r"font-size\s*:\s*(?:1|2)(?:\.\d+)?(?:px|pt)", re.IGNORECASE), "tiny"),
    (re.compile(r"opacity" + _ZERO, re.IGNORECASE), "transparent"),
    (re.compile(r"(?:text-indent|left|top|margin-left|margin-top)\s*:\s*-\d{3,}", re.IGNORECASE), "off-page"),
    (
        re.compile(
            r"(?:max-)?(?:height|width)" + _ZERO + r"(?=.*overflow\s*:\s*hidden)|clip\s*:\s*rect\(0", re.IGNORECASE
        ),
        "style",
    ),
    (re.compile(r"(?<![\w-])color\s*:\s*transparent", re.IGNORECASE), "transparent"),
)
_COLOUR: Final = re.compile(r"(?<![\w-])(background(?:-color)?|color)\s*:\s*([^;!]{1,60})", re.IGNORECASE)
_WHITE: Final = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)", "#fefefe"})


def in_html(root: Any) -> Iterator[tuple[str, str]]:
    """The elements of a page that their own style keeps from sight; those that aren't read at all are left aside."""
    for element in root.iter():
        if not isinstance(element.tag, str) or not (style := element.get("style")):
            continue
        why = next((reason for rule, reason in _STYLE if rule.search(style)), "") or _flat(element, style)
        if why and (text := " ".join(str(element.text_content()).split())):
            yield text, why


def _flat(element: Any, style: str) -> str:
    """Letters in the colour of their ground, as far as the elements' own styles say it."""
    colours = _colours(style)
    letters = colours.get("color", "")
    if not letters:
        return ""
    ground = colours.get("background", "")
    for above in element.iterancestors():
        ground = (
            ground
            or _colours(above.get("style") or "").get("background", "")
            or "".join((above.get("bgcolor") or "").lower().split())
        )
    return "colour" if letters == ground or (letters in _WHITE and (ground or "white") in _WHITE) else ""


def _colours(style: str) -> dict[str, str]:
    return {name.lower().split("-")[0]: "".join(value.lower().split()) for name, value in _COLOUR.findall(style)}


_ROW: Final = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_NUMBER: Final = re.compile(rb'\br="(\d{1,7})"')
_HIDDEN_ROW: Final = re.compile(rb'\bhidden="(?:1|true)"')


def hidden_rows(sheet: bytes) -> frozenset[int]:
    """The numbers of the rows that a sheet of a workbook (its XML) doesn't show."""
    if b"hidden=" not in sheet:
        return frozenset()
    rows = (tag for tag in _ROW.findall(sheet) if _HIDDEN_ROW.search(tag))
    return frozenset(int(number[1]) for tag in rows if (number := _NUMBER.search(tag)))


def in_rows(page: Page, rows: frozenset[int]) -> Iterator[Hidden]:
    """The lines of a sheet's page that come from these rows, by their places ("A5:D5")."""
    ends = [*(place.start for place in page.places[1:]), len(page.text)]
    for place, end in zip(page.places, ends, strict=False):
        number = place.label.split(":")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        text = page.text[place.start : end].rstrip()
        if number.isdecimal() and int(number) in rows and text:
            yield Hidden(page=page.number, start=place.start, end=place.start + len(text), why="row")


_COLUMN: Final = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_HIDDEN_COLUMN: Final = re.compile(rb'\b(?:hidden="(?:1|true)"|width="0(?:\.0*)?")')
_SPAN: Final = re.compile(rb'\b(min|max)="(\d{1,7})"')
MOST_COLUMNS: Final = 16_384
"""Of a sheet."""


def hidden_columns(sheet: bytes) -> frozenset[int]:
    """The columns (from 0) that a sheet of a workbook (its XML) doesn't show."""
    found: set[int] = set()
    for tag in _COLUMN.findall(sheet[: max(sheet.find(b"sheetData"), 0)]):
        span = {name: int(number) for name, number in _SPAN.findall(tag)}
        if _HIDDEN_COLUMN.search(tag) and b"min" in span:
            found.update(range(max(span[b"min"], 1) - 1, min(span.get(b"max", span[b"min"]), MOST_COLUMNS)))
    return frozenset(found)


def in_columns(page: Page, columns: frozenset[int], parting: str) -> Iterator[Hidden]:
    """The cells of a sheet's page that stand in these columns; `parting` stands between cells."""
    for _, column, start, end in cells_of(page, parting) if columns else ():
        if column in columns:
            yield Hidden(page=page.number, start=start, end=end, why="column")


def cells_of(page: Page, parting: str) -> Iterator[tuple[int, int, int, int]]:
    """The filled cells of a sheet's page by their places: row from 1, column from 0, start and end in its text."""
    starts = [place.start for place in page.places]
    rows = list(zip(page.places, [*starts[1:], len(page.text)], strict=True)) if starts else []
    for block in page.blocks:
        inside = rows[bisect_left(starts, block.start) : bisect_left(starts, block.end)]
        known = [at for place, _ in inside if (at := _first_column(place.label)) is not None]
        for place, end in inside if known else ():
            at, start = min(known), place.start
            number = place.label.split(":")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            for cell in page.text[place.start : min(end, block.end)].rstrip("\n").split(parting):
                if cell.strip() and number.isdecimal():
                    yield int(number), at, start, start + len(cell.rstrip())
                start += len(cell) + len(parting)
                at += 1


def _first_column(label: str) -> int | None:
    """The column (from 0) of a place like "B2:D2"; None for other places."""
    found = _CELL.match(label)
    if found is None:
        return None
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - 64
    return number - 1


_CELL: Final = re.compile(r"([A-Z]{1,3})\d+(?::[A-Z]{1,3}\d+)?$")
