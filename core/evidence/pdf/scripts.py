"""Text that runs from right to left, put in the order and the forms in which it is drawn.

A simple form of the Unicode bidirectional algorithm (UAX 9) for single words in a line that runs from left to right: letters of a word
are turned round, digits in it keep their order, brackets are mirrored, and Arabic letters take the form for their place. Which forms
there are is read from Unicode's own compatibility decompositions. Programs that read a PDF expect such text as it is drawn, and turn it
back.
"""

import unicodedata
from functools import cache

_RIGHT = {"R", "AL"}
_FORMS = ("isolated", "final", "initial", "medial")
_FIRST, _LAST = 0xFE70, 0xFEFC
"""Arabic presentation forms B."""


def runs_right(word: str) -> bool:
    """Whether a word holds letters that run from right to left."""
    return not word.isascii() and any(unicodedata.bidirectional(character) in _RIGHT for character in word)


def drawn(word: str) -> str:
    """A word of such letters as it is drawn from left to right."""
    return "".join(_mirrored(piece) for piece in reversed(_pieces(_joined(word))))


def letter(drawn_as: str) -> str:
    """The letter of which this is a form, as it is searched and copied."""
    if _FIRST <= ord(drawn_as) <= _LAST:
        return unicodedata.normalize("NFKC", drawn_as)
    return drawn_as


def _pieces(word: str) -> list[str]:
    """Single letters with their marks, and whole numbers."""
    pieces: list[str] = []
    for character in word:
        kind = unicodedata.bidirectional(character)
        numeric = kind in {"EN", "AN", "L"} or (kind in {"CS", "ES"} and bool(pieces) and _numeric(pieces[-1]))
        if pieces and (unicodedata.combining(character) or (numeric and _numeric(pieces[-1]))):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _numeric(piece: str) -> bool:
    return unicodedata.bidirectional(piece[0]) in {"EN", "AN", "L"}


def _mirrored(piece: str) -> str:
    pairs = "()[]{}<>«»"
    place = pairs.find(piece) if len(piece) == 1 else -1
    return piece if place < 0 else pairs[place ^ 1]


def _joined(word: str) -> str:
    """Arabic letters in the forms for their places."""
    forms = _forms()
    letters = [place for place, character in enumerate(word) if not unicodedata.combining(character)]
    found = list(word)
    for position, place in enumerate(letters):
        own = forms.get(word[place])
        if own is None:
            continue
        before = forms.get(word[letters[position - 1]], {}) if position else {}
        after = forms.get(word[letters[position + 1]], {}) if position + 1 < len(letters) else {}
        left = "initial" in before and "final" in own
        right = "initial" in own and "final" in after
        name = (
            "medial" if left and right and "medial" in own else "final" if left else "initial" if right else "isolated"
        )
        found[place] = own.get(name, word[place])
    return "".join(found)


@cache
def _forms() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for code in range(_FIRST, _LAST + 1):
        name, _, letters = unicodedata.decomposition(chr(code)).partition(" ")
        if name.strip("<>") in _FORMS and " " not in letters and letters:
            found.setdefault(chr(int(letters, 16)), {})[name.strip("<>")] = chr(code)
    return found
