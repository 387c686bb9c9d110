"""What in plain text is a heading, and how it reads without its decoration."""

import re
from typing import Final

LONGEST_HEADING: Final = 100

_UNDERLINED = re.compile(r"(?P<text>[^\n]+)\n(?P<line>={3,}|-{3,}|~{3,})[ \t]*$")
FRAMED = re.compile(r"[=\-*#~]{2,}\s*(?P<text>[^\s=\-*#~].*?)\s*[=\-*#~]{2,}")
_NUMBERED = re.compile(r"(?P<number>\d+(?:\.\d+)*)\.?\s+\S")
_NAMED = re.compile(
    r"(?P<word>part|title|book|annex|appendix|schedule|chapter|section|article|teil|anhang|kapitel|abschnitt|artikel)\s+"
    r"[0-9ivxlc]+[a-z]?\b",
    re.IGNORECASE,
)
_DEPTH: Final = {
    **dict.fromkeys(("part", "title", "book", "annex", "appendix", "schedule", "teil", "anhang"), 2),
    **dict.fromkeys(("chapter", "kapitel"), 3),
    **dict.fromkeys(("section", "abschnitt"), 4),
    **dict.fromkeys(("article", "artikel"), 5),
}
ITEM = re.compile(r"\s*(?:[•·▪◦‣*–—-]|\(?[0-9]{1,3}[.)]|\(?[a-zA-Z][.)]|\([ivxlc]+\))\s+\S")


def heading_level(part: str) -> int:
    """The level of a heading, 0 for other text: underlined, framed, numbered, or a short line of its own that is no sentence."""
    if underlined := _UNDERLINED.fullmatch(part):
        return 1 if underlined["line"][0] == "=" else 2
    if "\n" in part or len(part) > LONGEST_HEADING:
        return 0
    if FRAMED.fullmatch(part):
        return 1
    if part[-1] in ".,;:!?" or part.count(". ") or not any(character.isalpha() for character in part):
        return 0
    if named := _NAMED.match(part):
        return _DEPTH[named["word"].lower()]
    if numbered := _NUMBERED.match(part):
        return min(2 + numbered["number"].count("."), 5)
    if ITEM.match(part) or "|" in part or "\t" in part or part[0] in "\"'(“„«[<{":
        return 0
    first = next(character for character in part if character.isalpha())
    return 5 if first.isupper() and len(part.split()) <= 12 else 0


def heading_text(text: str) -> str:
    """A heading without its underline or frame."""
    if underlined := _UNDERLINED.fullmatch(text):
        text = underlined["text"]
    if framed := FRAMED.fullmatch(text):
        text = framed["text"]
    return " ".join(text.split())
