"""What a vault knows of its backups: the record of each, and, after a restore, where it came from.

A restored vault carries a mark in its database. The first person who opens it takes the mark off, and the audit log says from then on which
backup the vault was restored from, and with which checkpoint.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from core.records import Digest, Record
from core.vault.connection import Database
from core.vault.roles import Act
from core.vault.unit import Reader, Unit

if TYPE_CHECKING:
    from core.vault.vault import Vault

MARK = "restored"


class Backup(Record, frozen=True, kw_only=True, tag="backup"):
    """A backup file that was made of this vault."""

    file: str
    """Its name, without its folder."""
    sha256: Digest
    """Of the whole file."""
    size: int
    """Bytes."""
    made: str
    """When the state was taken that it holds."""
    entries: int
    """Entries of the audit log in it."""
    checkpoint: str
    """The log's signed note at that state."""


class Restoration(Record, frozen=True, kw_only=True, tag="restoration"):
    """That a vault was brought back from a backup: a state of `made` was taken up at `restored`."""

    backup: Digest
    """The SHA-256 of the backup file."""
    made: str
    entries: int
    checkpoint: str
    restored: str


class LastBackup(Record, frozen=True, kw_only=True):
    """How far back the last backup lies, for a reminder."""

    made: str
    entries: int
    """Entries of the audit log in it."""
    newer: int
    """Entries that came after it, the one about the backup itself not counted."""


def last_backup(reader: Reader) -> LastBackup | None:
    """The newest state of this vault that lies in a backup, as far as it knows; None when there is none."""
    row = reader.db.execute(
        "SELECT digest, kind FROM records WHERE kind IN ('backup', 'restoration') ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    found: Any = reader.get(Digest(row[0]), Backup if row[1] == "backup" else Restoration)
    newer = max(0, reader.log_size - found.entries - 1)
    return LastBackup(made=found.made, entries=found.entries, newer=newer)


def mark(db: Database, restoration: Restoration) -> None:
    """Have the first opening of this vault log where it came from."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (MARK, msgspec.json.encode(restoration)))


def marked(db: Database) -> Restoration | None:
    """Where an unopened restored vault came from."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (MARK,)).fetchone()
    return None if row is None else msgspec.json.decode(bytes(row[0]), type=Restoration)


def take_up(vault: "Vault") -> None:
    """Log where a vault came from that is opened for the first time after a restore, whoever opens it; otherwise nothing."""
    with vault.read() as reader:
        if marked(reader.db) is None:
            return
    with vault._connections.transaction() as db:
        restoration = marked(db)
        if restoration is None:
            return
        unit = Unit(db, vault.log_name, vault._tree, vault.user, Act.RESTORE)
        unit.put(restoration)
        unit.db.execute("DELETE FROM meta WHERE name = ?", (MARK,))
        unit.finish(about=f"backup of {restoration.made}, SHA-256 {restoration.backup}", reason="")
        unit.end()
