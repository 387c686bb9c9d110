"""What a document's name may say to a model: whoever sends a file chooses its name, and the name stands beside the passages in a prompt.

Rules: a name that commands a model is left out, whatever the policy is, because an answer never needs it; a citation shows the name as it is. Line
breaks and characters that nobody sees become spaces. Points, dashes and underscores count as spaces between words. The rules are those for texts,
with their limits.
"""

import re

from core.guards import invisible
from core.guards.instructions import spans

_JOINTS = re.compile(r"[\s._/\\-]+")


def safe_name(name: str, instead: str) -> str:
    """The name as a prompt may hold it; `instead` where it commands a model."""
    seen = " ".join("".join(one if one.isprintable() else " " for one in name).split())
    return instead if spans(seen) or spans(_JOINTS.sub(" ", seen)) else seen


def telling(name: str) -> str:
    """The name as rules read it, its joints spaces where it commands a model; empty where it neither does nor holds what nobody sees."""
    if spans(spoken := " ".join(_JOINTS.sub(" ", name).split())):
        return spoken
    return name if spans(name) or invisible.spans(name) else ""
