"""What was inside of a file, and isn't any more, is taken out of search when the file is read again.

Rules:

1. Only where the whole file was read: one that was refused, has the bytes that it had, or holds more than is read says nothing of what it lacks.
2. A member that was refused, or has the bytes that it had, stays, with all that is inside of it.
3. Earlier versions stay readable, for the answers that cite them. A legal hold keeps a document in search.
"""

from collections.abc import Sequence, Set

from core.documents import store
from core.documents.reading import TOO_MANY, Read
from core.documents.records import Document, Refusal
from core.errors import Refused
from core.records import Digest
from core.vault import holds
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault


def drop_missing(vault: Vault, collection: str, holder: str, read: Sequence[Read | Refusal]) -> int:
    """Take out of search what is inside of `holder` no more; `read`: all that came of reading it now. How many documents that were.

    Raises `Refused` (role)."""
    if not _whole(holder, read):
        return 0
    named = {one.name for one in read if isinstance(one, Read)}
    closed = {one.file for one in read if isinstance(one, Refusal)}
    closed |= {one.name for one in read if isinstance(one, Read) and one.parsed is None}
    with vault.read() as reader:
        inside = _inside(reader, collection, holder)
    missing = [(digest, name) for digest, name in inside if name not in named and not alive(name, closed)]
    return sum(_dropped(vault, collection, digest, name) for digest, name in missing)


def _whole(holder: str, read: Sequence[Read | Refusal]) -> bool:
    for one in read:
        if isinstance(one, Refusal):
            if one.file == holder or TOO_MANY in one.reason:
                return False
        elif one.name == holder and one.parsed is None:
            return False
    return True


def _inside(reader: Reader, collection: str, holder: str) -> list[tuple[Digest, str]]:
    kept = store.find(reader, collection)
    if kept is None:
        return []
    rows = reader.db.execute(
        "SELECT digest, name FROM documents WHERE collection = ? AND current = 1 AND substr(name, 1, ?) = ? ORDER BY name",
        (kept.id, len(holder) + 1, f"{holder}/"),
    ).fetchall()
    return [(Digest(digest), str(name)) for digest, name in rows]


def alive(name: str, names: Set[str]) -> bool:
    """Whether a document's file, or a file that it is inside of, is among `names`."""
    parts = name.split("/")
    return any("/".join(parts[:depth]) in names for depth in range(len(parts), 0, -1))


def _dropped(vault: Vault, collection: str, digest: Digest, name: str) -> bool:
    try:
        with vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{name}, no longer in its file") as unit:
            known = unit.get(digest, Document)
            named = [("document", str(digest)), ("collection", known.collection)]
            holds.refuse_removal(unit, f"Take out {name}", named)
            store.retire(unit, digest)
            unit.note(before="in search", after="retired", touched=(digest,))
    except Refused:
        return False
    return True
