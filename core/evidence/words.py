"""How values of a pack's records are put into words for people: in reports, pictures, model cards and datasheets.

Whatever comes from a record goes through `shown`: what is withheld says so, and characters that would change how text reads without being
seen (bidirectional controls, zero width, controls) are shown by their code points.
"""

import unicodedata
from datetime import datetime
from typing import Any

from core.evidence.commitments import MARK

WITHHELD = "(withheld)"
MONTHS = "January February March April May June July August September October November December".split()
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def is_withheld(value: Any) -> bool:
    """Whether a field of a record holds only its commitment."""
    return isinstance(value, dict) and MARK in value


def shown(value: Any) -> str:
    """A value as text that hides nothing. None is "", what is withheld says so."""
    if is_withheld(value):
        return WITHHELD
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _visible(character) else f"[U+{ord(character):04X}]" for character in text)


def number(value: Any) -> str:
    """A figure with three decimals; anything else as it is."""
    return f"{value:.3f}" if isinstance(value, (int, float)) and not isinstance(value, bool) else shown(value)


def count(amount: int, one: str, many: str = "") -> str:
    """`3 samples`, `1 sample`, `10,000 samples`."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def whole(value: Any) -> int:
    """A whole number of a record, or 0."""
    return value if isinstance(value, int) else 0


def size(amount: int) -> str:
    """Bytes as people say them: 25.3 MB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if amount >= unit:
            return f"{amount / unit:.1f} {name}"
    return count(amount, "byte")


def moment(value: Any) -> str:
    """An RFC 3339 time for reading, its offset kept: 21 November 2026, 10:00:00 +01:00. What is no time stays as it is."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return shown(value)
    if time.tzinfo is None:
        return shown(value)
    offset = time.strftime("%z")
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M:%S} {offset[:3]}:{offset[3:5]}"


def shortened(text: str, longest: int) -> str:
    """Text of at most `longest` characters, cut in its middle."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def where(cited: Any) -> str:
    """Where in its document a passage or a citation is: its place in words, or the page where none was recorded."""
    place = cited.get("place")
    return shown(place) if isinstance(place, str) and place else f"page {shown(cited.get('page'))}"


def fingerprint(digest: str) -> str:
    """A digest for a narrow place."""
    return shortened(digest, 17)


def _visible(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in _UNSEEN
