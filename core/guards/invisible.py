"""Characters in a text that nobody sees: zero-width ones, those that turn the direction of writing, and tag characters, which can spell whole
sentences that only a machine reads. (Unicode 16, chapters 9.2, 23.2, 23.3 and 23.9.)

Joiners are left alone beside letters of scripts that are written with them, and so are those inside of emoji; soft hyphens and one mark at the
text's beginning are ordinary.
"""

import re
from typing import Final

from core.guards.records import Span

KIND: Final = "invisible"
_HIDDEN: Final = re.compile(
    "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u180e\u3164\U000e0001-\U000e007f\ufff9-\ufffb]+"
    "|(?<=[A-Za-z0-9])[\u200c\u200d]+(?=[A-Za-z0-9])|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}|(?<=[A-Za-z0-9 ])[\U000e0100-\U000e01ef]+"
)
_ANY: Final = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u180e\u3164\ufe00-\ufe0f\ufff9-\ufffb\U000e0001-\U000e01ef]"
)
_FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")


def spans(text: str) -> list[Span]:
    """The runs of such characters, in order."""
    if text.isascii() or _ANY.search(text) is None:
        return []
    flags = [match.span() for match in _FLAG.finditer(text)]
    return [
        Span(kind=KIND, start=match.start(), end=match.end())
        for match in _HIDDEN.finditer(text)
        if not (match[0] == "\ufeff" and match.start() == 0)
        and not any(start <= match.start() < end for start, end in flags)
    ]


def spelled(text: str) -> str:
    """What tag characters in a text spell in letters; empty where there are none."""
    return "".join(chr(ord(character) - 0xE0000) for character in text if 0xE0020 <= ord(character) <= 0xE007E)
