"""Word by word, what changed between two texts.

Rules: joining the parts that are not `added` gives the old text, joining those that are not `removed` the new one, to the
character; words and the white space between them are separate tokens, so that a re-wrapped line doesn't mark its words.
"""

import re
from difflib import SequenceMatcher

from core.prompts.records import DiffPart

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]", re.UNICODE)


def diff_words(old: str, new: str) -> tuple[DiffPart, ...]:
    """The parts of `old` and `new` in reading order; what was removed comes before what replaced it."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    parts: list[DiffPart] = []
    for action, i1, i2, j1, j2 in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if action == "equal":
            parts.append(DiffPart(kind="same", text="".join(before[i1:i2])))
            continue
        if i2 > i1:
            parts.append(DiffPart(kind="removed", text="".join(before[i1:i2])))
        if j2 > j1:
            parts.append(DiffPart(kind="added", text="".join(after[j1:j2])))
    return tuple(parts)
