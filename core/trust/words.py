"""A key of 256 bits as 16 words that can be spoken, written down and typed, each of which knows whether it was mistyped.

A word is four syllables of a consonant (4 bits) and a vowel (2 bits): 24 bits, of which 16 are the key's and 8 check them. The check is the
CRC-8 by x⁸+x⁴+x³+x²+1 over the 16 bits, begun with the word's place. The rules:

1. Any one wrong letter, two exchanged consonants, two exchanged vowels and two exchanged syllables of a word are always noticed, since the
   polynomial is primitive and none of these is a multiple of it; anything else with a chance of 255 in 256.
2. A word at another place is noticed too.
3. What is wrong is named by its place, never repeated: the words are a secret.
4. Case, spaces, hyphens and line ends don't matter.
"""

import re

from core.errors import BadInput

KEY = 32
WORDS = 16
LETTERS = 8
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_POLYNOMIAL = 0x1D
_STEP = 0x5B
"""Odd, so that the 16 places begin the check with 16 different values."""


def to_words(key: bytes) -> tuple[str, ...]:
    """The 16 words of 32 bytes."""
    assert len(key) == KEY
    return tuple(_word(place, int.from_bytes(key[2 * place : 2 * place + 2], "big")) for place in range(WORDS))


def from_words(text: str) -> bytes:
    """The 32 bytes again. Raises `BadInput`, which names the places of all words that are wrong, or says how many there are."""
    words = [word for word in re.split(r"[\s,;.]+", text.replace("-", "").casefold()) if word]
    if len(words) != WORDS:
        raise BadInput(source="Recovery key", problem=f"it has {WORDS} words; these are {len(words)}.")
    values = [_value(place, word) for place, word in enumerate(words)]
    wrong = [str(place + 1) for place, value in enumerate(values) if value is None]
    if wrong:
        which = f"word {wrong[0]} is" if len(wrong) == 1 else f"words {', '.join(wrong[:-1])} and {wrong[-1]} are"
        raise BadInput(
            source="Recovery key", problem=f"{which} mistyped, or not in the right place. Compare letter by letter."
        )
    return b"".join(value.to_bytes(2, "big") for value in values if value is not None)


def _word(place: int, value: int) -> str:
    bits = value << 8 | _check(place, value)
    syllables = (bits >> shift & 0x3F for shift in (18, 12, 6, 0))
    return "".join(_CONSONANTS[syllable >> 2] + _VOWELS[syllable & 3] for syllable in syllables)


def _value(place: int, word: str) -> int | None:
    if len(word) != LETTERS:
        return None
    bits = 0
    for letter in range(0, LETTERS, 2):
        consonant, vowel = _CONSONANTS.find(word[letter]), _VOWELS.find(word[letter + 1])
        if consonant < 0 or vowel < 0:
            return None
        bits = bits << 6 | consonant << 2 | vowel
    value = bits >> 8
    return value if _check(place, value) == bits & 0xFF else None


def _check(place: int, value: int) -> int:
    crc = (place + 1) * _STEP & 0xFF
    for byte in value.to_bytes(2, "big"):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc & 0x80 else 0)) & 0xFF
    return crc
