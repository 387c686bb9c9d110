"""Follow-up questions: one that refers to what was asked before is put together with that, and then searched for. Pure, without a model.

Rules: a question that stands alone stays as it is. One refers back when it has a word that points to something (it, they, that), begins as a
continuation (and, what about), or has hardly a telling word. Then the question before it, which may itself have been put together, stands before it,
word for word: what is searched for can be shown, and nobody's words are changed.
"""

import re
from collections.abc import Sequence
from typing import Final

from core.retrieval.fusion import STOP_WORDS

POINTING: Final = frozenset(
    "it its they them their theirs that this those these he she his her him there same former latter "
    "es sie ihr ihre ihn ihm dies diese dieser dieses davon dafür damit dort jene".split()
)
CONTINUING: Final = ("and ", "or ", "but ", "so ", "what about", "how about", "und ", "oder ", "aber ", "was ist mit")
TELLING: Final = 1
"""Words that say what is sought; a question with fewer than two of them stands on another one."""
FURTHEST: Final = 3
"""Questions that are looked back at."""
_WORD = re.compile(r"\w+")


def standalone(text: str, earlier: Sequence[str]) -> str:
    """The question as it is searched for, after the `earlier` ones, oldest first."""
    if not earlier or not _refers(text):
        return text
    return f"{standalone(earlier[-1], earlier[-FURTHEST:-1])} {text.strip()}"


def _refers(text: str) -> bool:
    plain = " ".join(text.casefold().split())
    words = set(_WORD.findall(plain))
    telling = words - STOP_WORDS
    return bool(words & POINTING) or plain.startswith(CONTINUING) or len(telling) <= TELLING
