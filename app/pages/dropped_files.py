"""What files are that were dropped on the evidence page, told by their content and not by their name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from app.pages.sealed_packs import is_sealed
from core.jobs import Job
from core.trust.trustfile import LARGEST

TRUST = (".json", ".trust")
KINDS = {"trust": "trusts", "auditor-keys": "keys", "auditor-key": "publics", "signed-card": "cards"}


class _Typed(msgspec.Struct):
    type: str = ""


@dataclass
class Dropped:
    """Paths by what lies there; what is nothing else counts as a pack, and is judged as one."""

    packs: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    trusts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    publics: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)


def sort_out(paths: Sequence[str], job: Job) -> Dropped:
    """What each of these files is. A file that can't be read counts as a pack, and checking it says why."""
    found = Dropped()
    for path in paths:
        job.check()
        getattr(found, _kind(Path(path))).append(path)
    return found


def _kind(path: Path) -> str:
    if is_sealed(path):
        return "sealed"
    by_name = "trusts" if path.suffix.lower() in TRUST else "packs"
    try:
        with path.open("rb") as stream:
            if stream.read(1) != b"{" or path.stat().st_size > LARGEST:
                return by_name
            typed = msgspec.json.decode(b"{" + stream.read(LARGEST), type=_Typed)
    except (OSError, ValueError, RecursionError):
        return by_name
    return KINDS.get(typed.type, by_name)
