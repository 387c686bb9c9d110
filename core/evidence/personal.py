"""Kinds of personal data that a rule can find in text: e-mail addresses, telephone numbers, IBANs, long numbers, and texts that somebody names.

A rule finds forms, not persons: a name that nobody gave, an address, a diagnosis stays unseen. Each rule rather takes too much than
too little. All are linear in the text (no run of characters is read without a bound). (IBAN: ISO 13616-1, with its check by ISO 7064.)
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from core.guards import checks
from core.records import Json

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}")
_PHONE = re.compile(r"(?<![\w.])(?:\+|00|0|\()[\d ()./\u2010-\u2013-]{5,24}\d(?!\w)")
_GROUPED = re.compile(r"(?<![\w.])\d{2,4}(?:[ ./\u2010-\u2013-]\d{2,4}){2,4}(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE)
_LONG = re.compile(r"\d(?:[ \u2010-\u2013./-]?\d){8,40}")
_DATE = re.compile(r"\d{4}([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{2,4}")
_SHORTEST_PHONE, _LONGEST_PHONE = 7, 15
"""Digits (ITU-T E.164 has at most 15)."""
_SPACE = re.compile(r"\s+")


def _phone(text: str) -> bool:
    for rule in (_PHONE, _GROUPED):
        for match in rule.finditer(text):
            digits = sum(character.isdecimal() for character in match[0])
            if _SHORTEST_PHONE <= digits <= _LONGEST_PHONE and not _DATE.fullmatch(match[0].strip()):
                return True
    return False


def _iban(text: str) -> bool:
    for match in _IBAN.finditer(text):
        plain = match[0].replace(" ", "").upper()
        # What follows in the same breath may look like a part of it, so shorter beginnings count too.
        for end in range(15, min(len(plain), 34) + 1):
            if checks.mod_97(plain[:end]):
                return True
    return False


KINDS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "email": lambda text: _EMAIL.search(text) is not None,
        "phone": _phone,
        "iban": _iban,
        "number": lambda text: _LONG.search(text) is not None,
    }
)
"""Whether a text holds one of that kind. A "number" has nine digits or more: accounts, insurance, identity cards."""


def folded(text: str) -> str:
    """The form in which texts are compared: NFKC, case folded, white space as single spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def strings(value: Json) -> Iterator[str]:
    """Every text inside a value, names of fields not among them."""
    waiting: list[Json] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, (list, dict)):
            waiting += part.values() if isinstance(part, dict) else part


def holds(value: Json, kinds: Iterable[str], texts: Iterable[str]) -> bool:
    """Whether a value holds something of one of the kinds, or one of the texts (folded)."""
    wanted, rules = list(texts), [KINDS[kind] for kind in kinds]
    return any(
        any(rule(text) for rule in rules) or any(inner in folded(text) for inner in wanted) for text in strings(value)
    )
