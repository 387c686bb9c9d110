"""Letters that only look like others, and characters that part words unseen, made plain: so that a rule reads what a person would.

Letters of other alphabets that look like Latin ones, full-width and mathematical letters become Latin; soft hyphens, invisible characters and marks
that are set over letters go. Each character of the plain text knows its place in the first.
"""

import re
import unicodedata
from typing import Final

_ALIKE: Final = {
    **dict(
        zip(
            "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u043a\u043c\u0442\u04cf\u043f\u0438"
            "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425",
            "aeopcyxijshdqwkmtlnuABESIJKMHOPCTYX",
            strict=True,
        )
    ),  # Cyrillic
    **dict(
        zip(
            "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d"
            "\u039f\u03a1\u03a4\u03a5\u03a7",
            "aeikvoptuxwABEZHIKMNOPTYX",
            strict=True,
        )
    ),  # Greek
    **dict(
        zip(
            "\u0131\u0251\u0261\u0269\u029f",
            "iagil",
            strict=True,
        )
    ),  # Latin
}
_STRANGE: Final = re.compile(
    "[\u00ad\u0300-\u036f\u0391-\u03c9\u0405-\u051d\u0131\u0196\u0251\u0261\u0269\u029f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u2100-\u214f"
    "\u2460-\u24ff\ua4f2\ufe00-\ufe0f\ufeff\uff01-\uff5e\U0001d400-\U0001d7ff\U0001f130-\U0001f189\U000e0001-\U000e01ef]"
)
_GONE: Final = frozenset({"Mn", "Cf"})
"""Categories of Unicode: marks without a width, and characters that only format."""


def plain(text: str) -> tuple[str, list[int]] | None:
    """The text with plain letters, and the place of each of its characters; None where nothing was strange."""
    if text.isascii() or _STRANGE.search(text) is None:
        return None
    letters: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        if character.isascii():
            letters.append(character)
            places.append(at)
        elif unicodedata.category(character) not in _GONE:
            for letter in _ALIKE.get(character) or unicodedata.normalize("NFKC", character):
                letters.append(letter)
                places.append(at)
    return "".join(letters), places
