"""Names with immutable, numbered versions (prompts, datasets, specs), and labels that point at one of them.

Rules: numbers start at 1 and have no gaps; a version is never replaced; a reference is `name@number`, `name@label` or `name` (the
latest). Whoever wrote a version neither reviews nor approves it.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.errors import BadInput, NotFound, Refused
from core.records import Digest, Record
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit

R = TypeVar("R", bound=Record)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE versions (kind TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,"
        " digest TEXT NOT NULL UNIQUE, PRIMARY KEY (kind, name, number)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE labels (kind TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, number INTEGER NOT NULL,"
        " PRIMARY KEY (kind, name, label)) WITHOUT ROWID"
    )


SCHEMA = Migrations("versions", (_first,))
_LEFT = "NOT EXISTS (SELECT 1 FROM erased WHERE object = versions.digest)"


def check_name(kind: str, name: str) -> None:
    """Raise `BadInput` unless `name` can be typed after any command."""
    if not _NAME.fullmatch(name) or name.isdigit():
        raise BadInput(
            source=name or kind,
            problem=f"a {kind}'s name has letters, digits, dots and dashes, 80 at most, and isn't a number.",
        )


def add(unit: Unit, kind: str, name: str, number: int, digest: Digest) -> None:
    """Enter version `number` of a name; the database refuses one that exists."""
    unit.db.execute("INSERT INTO versions VALUES (?, ?, ?, ?)", [kind, name, number, digest])


def save(
    unit: Unit,
    kind: str,
    name: str,
    record: type[R],
    same: Callable[[R], bool],
    make: Callable[[int, Digest | None], R],
) -> tuple[Digest, R, bool]:
    """Keep the next version of a name, made from its number and its parent, unless the latest is the `same`.

    Gives the version's digest, the version, and whether it is new. Raises `BadInput` for a name that can't be typed.
    """
    check_name(kind, name)
    known = digests(unit, kind, name)
    latest = max(known, default=0)
    parent = known.get(latest)
    there = parent is not None and parent in left(unit, kind, name).values()
    if parent is not None and there:
        last = unit.get(parent, record)
        if same(last):
            return parent, last, False
    made = make(latest + 1, parent)
    digest = unit.put(made, links=(parent,) if parent is not None and there else ())
    add(unit, kind, name, latest + 1, digest)
    if parent is not None:
        unit.note(before=f"{name}@{latest}", touched=(parent,))
    unit.note(after=f"{name}@{latest + 1}")
    return digest, made, True


def names(reader: Reader, kind: str) -> tuple[str, ...]:
    rows = reader.db.execute("SELECT DISTINCT name FROM versions WHERE kind = ? ORDER BY name", [kind]).fetchall()
    return tuple(str(row[0]) for row in rows)


def digests(reader: Reader, kind: str, name: str) -> dict[int, Digest]:
    """Number to digest, oldest first; empty for an unknown name."""
    rows = reader.db.execute(
        "SELECT number, digest FROM versions WHERE kind = ? AND name = ? ORDER BY number", [kind, name]
    ).fetchall()
    return {int(number): Digest(digest) for number, digest in rows}


def left(reader: Reader, kind: str, name: str) -> dict[int, Digest]:
    """Number to digest of the versions that weren't erased, oldest first."""
    rows = reader.db.execute(
        f"SELECT number, digest FROM versions WHERE kind = ? AND name = ? AND {_LEFT} ORDER BY number", [kind, name]
    ).fetchall()
    return {int(number): Digest(digest) for number, digest in rows}


def latest(reader: Reader, kind: str) -> tuple[Digest, ...]:
    """The newest version of each name that wasn't erased, by name."""
    rows = reader.db.execute(
        f"SELECT digest, max(number) FROM versions WHERE kind = ? AND {_LEFT} GROUP BY name ORDER BY name", [kind]
    ).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def resolve(reader: Reader, kind: str, reference: str) -> Digest:
    """The version that a reference names. Raises `NotFound` with what there is."""
    name, _, which = reference.partition("@")
    known = digests(reader, kind, name)
    if not known:
        raise NotFound(kind=kind, name=name, step=f"`assay {kind} list` shows what there is.")
    if not which:
        return known[max(left(reader, kind, name) or known)]
    number = int(which) if which.isdigit() else labels(reader, kind, name).get(which, 0)
    if number not in known:
        raise NotFound(kind=f"{kind} version", name=reference, step=f"{name} has versions 1 to {max(known)}.")
    return known[number]


def set_label(unit: Unit, kind: str, name: str, label: str, number: int) -> None:
    before = labels(unit, kind, name).get(label)
    pointed = [digest for at, digest in digests(unit, kind, name).items() if at == number]
    unit.note(before=f"{label}: {before or 'none'}", after=f"{label}: {number}", touched=pointed)
    unit.db.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", [kind, name, label, number])


def labels(reader: Reader, kind: str, name: str) -> dict[str, int]:
    """Label to the number that it points at."""
    rows = reader.db.execute(
        "SELECT label, number FROM labels WHERE kind = ? AND name = ? ORDER BY label", [kind, name]
    ).fetchall()
    return {str(label): int(number) for label, number in rows}


def check_signer(reference: str, authors: Sequence[str], signer: str, meaning: str) -> None:
    """Raise `Refused` when `meaning` is not for this person to sign (segregation of duties, 21 CFR 11.10(g)).

    `authors` are who wrote the version, first, and who else signed it as authored.
    """
    if meaning == "authored" and signer != authors[0]:
        raise Refused(act=f"Sign {reference} as authored", reason=f"{authors[0]} wrote this version.")
    if meaning != "authored" and signer in authors:
        raise Refused(
            act=f"Sign {reference} as {meaning}", reason="You wrote this version, so someone else must do that."
        )
