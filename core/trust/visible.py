"""Text as somebody signs it: everything that a screen would hide, reorder or dress up as something else is written out.

What looks the same must be the same. So this form is reversible: no two texts have the same one. The rules:

1. Characters that can't be seen, that steer (controls, directions of writing, joiners, selectors, tags) or that only look like a space
   are written as [U+202E right-to-left override]. Line ends and tabs stay; a carriage return doesn't.
2. A word of Latin letters with single letters of another alphabet among them (a Cyrillic а) has those marked after the letter. A whole word in
   another alphabet stays as it is: it is what such a text is made of, so a word of nothing but lookalikes isn't found.
3. A "[" that could begin such a mark is itself written as a mark.
4. Spaces and tabs at the end of a line, which nobody sees, are marked.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Unicode categories of what is not seen for what it is; the plain space, line end and tab are kept apart."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Characters of other categories that show nothing."""
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_KEPT = "\n\t "
_MARK = "[U+"
_WORD = re.compile(r"[^\W\d_]{2,}")
_END = re.compile(r"[ \t]+$", re.MULTILINE)
_LATIN = "LATIN"


class Piece(NamedTuple):
    """A part of a text: as it is, or (`marked`) the name of a character that wouldn't be seen."""

    text: str
    marked: bool


def hidden(character: str) -> bool:
    """Whether a reader wouldn't see this character for what it is, wherever it stands."""
    if character in _KEPT:
        return False
    code = ord(character)
    return (
        unicodedata.category(character) in _STEERING
        or character in _BLANK
        or any(code in selectors for selectors in _SELECTORS)
    )


def name(character: str) -> str:
    """What is written into the mark of a character: U+202E right-to-left override."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'control character').lower()}"


def pieces(text: str) -> Iterator[Piece]:
    """The text in parts, in order, as a window shows them: marked ones in a box."""
    marked = _places(text)
    plain: list[str] = []
    for place, character in enumerate(text):
        if place not in marked:
            plain.append(character)
            continue
        if marked[place]:
            plain.append(character)
        if plain:
            yield Piece("".join(plain), False)
            plain = []
        yield Piece(name(character), True)
    if plain:
        yield Piece("".join(plain), False)


def visible(text: str) -> str:
    """The text with marks in brackets, for a terminal. Two texts that differ never come out the same."""
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in pieces(text))


def found(text: str) -> int:
    """How many characters are marked."""
    return len(_places(text))


def _places(text: str) -> dict[int, bool]:
    """Where marks go, and whether the character itself is shown before its mark."""
    places = {place: False for place, character in enumerate(text) if hidden(character)}
    for match in _END.finditer(text):
        places.update(dict.fromkeys(range(*match.span()), False))
    for match in _WORD.finditer(text):
        places.update(dict.fromkeys(_strangers(match), True))
    start = text.find(_MARK)
    while start >= 0:
        places[start] = False
        start = text.find(_MARK, start + 1)
    return places


def _strangers(word: re.Match[str]) -> list[int]:
    """Where letters of another alphabet stand in a word that has Latin ones too."""
    if word.group().isascii():
        return []
    alphabets = [unicodedata.name(letter, "").split(" ")[0] for letter in word.group()]
    if _LATIN not in alphabets:
        return []
    start = word.start()
    return [start + place for place, alphabet in enumerate(alphabets) if alphabet != _LATIN]
