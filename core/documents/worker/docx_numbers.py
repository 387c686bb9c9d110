"""The numbers and marks of a Word document's paragraphs, as Word shows them: "1.", "(a)", "4.2", "•".

A paragraph names its list and level by itself or by its style; each list counts by level, and a level starts anew after one above it. What a
document says of its lists that can't be followed leaves the paragraph without a number.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
BULLET: Final = "•"
LEVELS: Final = 9
LARGEST: Final = 100_000
_ROMAN: Final = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    )
)


@dataclass(frozen=True)
class _Level:
    form: str
    text: str
    start: int


class Numbers:
    """Counts the paragraphs of a document in their order."""

    def __init__(self, document: Any) -> None:
        self._lists: dict[str, tuple[str, dict[int, _Level]]] = {}
        self._counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
        root = next(
            (
                relation.target_part.element
                for relation in document.part.rels.values()
                if not relation.is_external and relation.reltype.endswith("/numbering")
            ),
            None,
        )
        if root is None:
            return
        shapes = {each.get(f"{WORD}abstractNumId"): _levels(each) for each in root.iterchildren(f"{WORD}abstractNum")}
        for number in root.iterchildren(f"{WORD}num"):
            shape = _value(number, "abstractNumId")
            overridden = {
                int(level): _Level(before.form, before.text, start)
                for each in number.iterchildren(f"{WORD}lvlOverride")
                if (level := each.get(f"{WORD}ilvl", "")).isdecimal()
                and (before := shapes.get(shape, {}).get(int(level))) is not None
                and (start := _whole(_value(each, "startOverride"), -1)) >= 0
            }
            known = number.get(f"{WORD}numId", "")
            # lists of one shape go on counting with each other, unless one says where it starts
            self._lists[known] = (f"own {known}" if overridden else shape, {**shapes.get(shape, {}), **overridden})

    def mark(self, paragraph: Any) -> str:
        """What stands before a paragraph; empty where it isn't in a list."""
        named, level = _place(paragraph)
        counted, levels = self._lists.get(named, ("", {}))
        if level not in levels:
            return ""
        counts = self._counts[counted]
        counts[level] = counts.get(level, levels[level].start - 1) + 1
        for deeper in [each for each in counts if each > level]:
            del counts[deeper]
        shape = levels[level]
        if shape.form == "bullet":
            return BULLET
        if shape.form == "none":
            return ""
        text = shape.text
        for each in range(LEVELS):
            if f"%{each + 1}" in text and each in levels:
                text = text.replace(f"%{each + 1}", _written(counts.get(each, levels[each].start), levels[each].form))
        return " ".join(text.split())


def _levels(shape: Any) -> dict[int, _Level]:
    return {
        int(number): _Level(
            form=_value(level, "numFmt") or "decimal",
            text=_value(level, "lvlText"),
            start=_whole(_value(level, "start"), 1),
        )
        for level in shape.iterchildren(f"{WORD}lvl")
        if (number := level.get(f"{WORD}ilvl", "")).isdecimal() and int(number) < LEVELS
    }


def _place(paragraph: Any) -> tuple[str, int]:
    """The list and the level of a paragraph."""
    style = paragraph.style
    sources = [paragraph._element]
    while style is not None and len(sources) < LEVELS:
        sources.append(style.element)
        style = style.base_style
    known: dict[str, str] = {}
    for source in sources:
        properties = source.find(f"{WORD}pPr/{WORD}numPr")
        for name in ("numId", "ilvl"):
            if properties is not None and name not in known and (value := _value(properties, name)):
                known[name] = value
    return known.get("numId", "0"), min(_whole(known.get("ilvl", "0"), 0), LEVELS - 1)


def _value(element: Any, name: str) -> str:
    found = element.find(f"{WORD}{name}")
    return "" if found is None else str(found.get(f"{WORD}val", ""))


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else default


def _written(number: int, form: str) -> str:
    number = min(number, LARGEST)
    if form in ("lowerLetter", "upperLetter") and number > 0:
        letters = chr(97 + (number - 1) % 26) * min((number - 1) // 26 + 1, LEVELS)
        return letters if form == "lowerLetter" else letters.upper()
    if form in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        letters = ""
        for value, sign in _ROMAN:
            times, number = divmod(number, value)
            letters += sign * times
        return letters if form == "lowerRoman" else letters.upper()
    return f"{number:02d}" if form == "decimalZero" else str(number)
