"""Cells of a workbook (XLSX) that nobody sees: letters in the colour of their ground, tiny ones, values whose number format shows nothing.

Rules: a cell's ground is its own plain fill, else white; where a table's style or a conditional format may colour it, it counts as seen. Whoever
opens the file can select such a cell and read it above the sheet; a program reads it as any other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from core.documents.worker import packing
from core.documents.worker.hidden import cells_of
from core.documents.worker.hidden_runs import BLACK, WHITE, Colour, alike, colour, lighter
from core.documents.worker.records import Hidden, Page
from core.errors import BadInput

SMALLEST: Final = 3.0
"""Points."""
THEME: Final = ("lt1", "dk1", "lt2", "dk2", "accent1", "accent2", "accent3", "accent4", "accent5", "accent6")
"""A workbook's numbers of its theme's colours."""
INDEXED: Final[Mapping[str, Colour]] = {"0": BLACK, "1": WHITE, "8": BLACK, "9": WHITE, "64": BLACK, "65": WHITE}
"""Old numbers of colours; others are none that hides on a white ground, and are left aside."""
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*)>")
_AT: Final = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_STYLE: Final = re.compile(rb'\bs="(\d{1,6})"')
_RANGE: Final = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")

Area = tuple[int, int, int, int]
"""From row and column to row and column."""


def unseen_styles(part: Callable[[str], bytes]) -> dict[int, tuple[str, bool]]:
    """The numbers of cells' styles that hide what is in a cell: why, and whether another colour over the cell would show it.

    `part` gives a member of the workbook's archive, empty where there is none."""
    if not (source := part("xl/styles.xml")):
        return {}
    try:
        root = packing.tree("", source)
        scheme = _theme(part("xl/theme/theme1.xml"))
    except BadInput:
        return {}
    fonts, fills = list(_children(root, "fonts")), list(_children(root, "fills"))
    silent = {
        form.get("numFmtId", "") for form in _children(root, "numFmts") if set(form.get("formatCode", "")) == {";"}
    }
    found: dict[int, tuple[str, bool]] = {}
    for number, style in enumerate(_children(root, "cellXfs")):
        font, fill = _at(fonts, style.get("fontId", "0")), _at(fills, style.get("fillId", "0"))
        size = None if font is None else font.find("{*}sz")
        if style.get("numFmtId", "0") in silent:
            found[number] = ("style", False)
        elif size is not None and 0 <= _number(size.get("val", "")) < SMALLEST:
            found[number] = ("tiny", False)
        elif font is not None and alike(_colour(font.find("{*}color"), scheme), _ground(fill, scheme)):
            found[number] = ("colour", _pattern(fill) in ("", "none"))
    return found


def unseen_cells(sheet: bytes, styles: Mapping[int, tuple[str, bool]], tables: list[str]) -> dict[tuple[int, int], str]:
    """The cells of a sheet (its XML) that have such a style, by row from 1 and column from 0. `tables`: the ranges of the sheet's tables."""
    if not styles:
        return {}
    found: dict[tuple[int, int], str] = {}
    coloured: list[Area] | None = None
    for match in _CELL.finditer(sheet):
        style, at = _STYLE.search(match[1]), _AT.search(match[1])
        if style is None or at is None or int(style[1]) not in styles:
            continue
        why, may_show = styles[int(style[1])]
        row, column = int(at[2]), _column(at[1].decode())
        if may_show:
            coloured = _coloured(sheet, tables) if coloured is None else coloured
            if any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in coloured):
                continue
        found[row, column] = why
    return found


def in_cells(page: Page, cells: Mapping[tuple[int, int], str], parting: str) -> Iterator[Hidden]:
    """Where these cells stand in a sheet's page."""
    for row, column, start, end in cells_of(page, parting) if cells else ():
        if why := cells.get((row, column)):
            yield Hidden(page=page.number, start=start, end=end, why=why)


def _coloured(sheet: bytes, tables: list[str]) -> list[Area]:
    """What tables and conditional formats may colour."""
    said = list(tables)
    if b"conditionalFormatting" in sheet:
        said += [each.decode() for each in re.findall(rb'conditionalFormatting\b[^>]*\bsqref="([^"]{1,20000})"', sheet)]
    return [_area(match) for each in said for match in _RANGE.finditer(each)]


def _area(match: re.Match[str]) -> Area:
    left, top = _column(match[1]), int(match[2])
    return top, left, int(match[4] or top), _column(match[3]) if match[3] else left


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _children(root: Any, name: str) -> Iterator[Any]:
    holder = root.find(f"{{*}}{name}")
    return (each for each in (() if holder is None else holder) if isinstance(each.tag, str))


def _at(some: list[Any], number: str) -> Any:
    return some[int(number)] if number.isdecimal() and int(number) < len(some) else None


def _pattern(fill: Any) -> str:
    look = None if fill is None else fill.find("{*}patternFill")
    return "" if look is None and fill is None else "other" if look is None else look.get("patternType", "none")


def _ground(fill: Any, scheme: Mapping[str, Colour]) -> Colour | None:
    kind = _pattern(fill)
    if kind in ("", "none"):
        return WHITE
    return _colour(fill.find("{*}patternFill/{*}fgColor"), scheme) if kind == "solid" else None


def _colour(element: Any, scheme: Mapping[str, Colour]) -> Colour | None:
    """None where it isn't known; letters without a colour are none that hides."""
    if element is None:
        return None
    if said := element.get("rgb", ""):
        found = colour(said)
    elif theme := element.get("theme", ""):
        found = scheme.get(THEME[int(theme)]) if theme.isdecimal() and int(theme) < len(THEME) else None
    else:
        found = INDEXED.get(element.get("indexed", ""))
    return None if found is None else lighter(found, _number(element.get("tint", "0")))


def _number(said: str) -> float:
    try:
        value = float(said)
    except ValueError:
        return 0.0
    return value if -1e6 < value < 1e6 else 0.0


def _theme(source: bytes) -> dict[str, Colour]:
    found = {"lt1": WHITE, "dk1": BLACK}
    scheme = next(packing.tree("", source).iter("{*}clrScheme"), None) if source else None
    for each in () if scheme is None else scheme:
        if isinstance(each.tag, str) and len(each):
            known = colour(each[0].get("lastClr") or each[0].get("val", ""))
            if known is not None:
                found[each.tag.rpartition("}")[2]] = known
    return found
