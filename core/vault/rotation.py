"""Another vault key: the whole file encrypted anew, with nobody else present.

The steps, in order; a process may end after, and inside, any of them:

1. `intended`: a change in `vault.db` (a revocation, or the wish for another key) commits with the mark that the key is to change.
2. `folded`: no reader is left, and the write-ahead log is folded into the file.
3. `pending`: `keys.json` holds two epochs, the old key and the new one, each encrypted to the public halves that `vault.db` knows. Whoever
   was revoked is in neither.
4. `rekeyed`: SQLCipher has encrypted every page under the new key, in one transaction of the write-ahead log: the file opens with the old key
   before its commit and with the new one after it.
5. `reopened`: the file was opened with the new key, and the log folded again: no page under the old key is left in it.
6. `dropped`: `keys.json` holds the new epoch alone.
7. `done`: the mark is gone, and the audit log tells of the new key.

Whoever opens the vault next takes up where it ended: with the old key, everything from 2 on is done again with a fresh key; with the new one,
from 5 on. A full disk keeps nobody out: the mark stays, and the next opening tries again. A copy of the folder from before stays readable to
whoever could read it then: no key change reaches it.
"""

import logging
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AssayError, Unavailable, WrongPassphrase
from core.vault import slots, users
from core.vault.connection import KEY_BYTES, Connections, Database
from core.vault.events import Changed
from core.vault.roles import Act
from core.vault.slots import Way
from core.vault.unit import Unit

if TYPE_CHECKING:
    from core.vault.vault import Vault

said = logging.getLogger(__name__)
MARK = "rotation"
CACHE = "cache"
"""What lies there is sealed under a key that comes from the vault key, and can be made again."""


class Step(StrEnum):
    """How far a change of the key has come."""

    INTENDED = "intended"
    FOLDED = "folded"
    PENDING = "pending"
    REKEYED = "rekeyed"
    REOPENED = "reopened"
    DROPPED = "dropped"
    DONE = "done"


Tell = Callable[[Step], None]


def untold(step: Step) -> None:
    """For whoever doesn't want to know."""


def rotate(vault: "Vault", reason: str = "", tell: Tell = untold) -> int:
    """Give the vault another key; the number of its epoch. Raises `Refused`, `DiskFull`, `Unavailable` while somebody reads for long."""
    with vault._connections.lock:
        slots.read(vault.folder)
        with vault.write(Act.ROTATE_KEY, reason=reason) as unit:
            intend(unit, vault._connections.epoch)
        tell(Step.INTENDED)
        return carry_out(vault, tell)


def intend(unit: Unit, epoch: int) -> None:
    """Have the key of this epoch replaced: now by `carry_out`, or by whoever opens the vault next."""
    unit.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (MARK, str(epoch).encode("ascii")))


def intended(db: Database) -> int | None:
    """The epoch whose key is to be replaced, while that isn't done."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (MARK,)).fetchone()
    return None if row is None else int(bytes(row[0]))


def carry_out(vault: "Vault", tell: Tell = untold) -> int:
    """Do what was intended, from the second step on; the new epoch's number. Raises as `rotate`; the mark stays then."""
    connections = vault._connections
    with connections.alone():
        keys = slots.read(vault.folder)
        old, new = (connections.epoch, connections.key), (connections.epoch + 1, secrets.token_bytes(KEY_BYTES))
        connections.fold()
        tell(Step.FOLDED)
        people = users.admitted(connections.writer)
        slots.write(vault.folder, slots.rebuilt(keys, people, [old, new]))
        tell(Step.PENDING)
        try:
            connections.rekey(new[1])
            tell(Step.REKEYED)
        finally:
            connections.reopen([new, old])
            if connections.epoch == old[0]:
                slots.write(vault.folder, slots.rebuilt(keys, people, [old]))
        if connections.epoch == old[0]:
            raise Unavailable(what="The vault's key couldn't be changed", step="Check the disk, then try again.")
    _finish(vault, tell)
    return connections.epoch


@contextmanager
def unasked(vault: "Vault", act: Act, about: str) -> Iterator[Unit]:
    """A change that is the vault's own doing, whatever the roles of the person who has it open; otherwise as `Vault.write`."""
    with vault._connections.transaction() as db:
        unit = Unit(db, vault.log_name, vault._tree, vault.user, act)
        try:
            yield unit
            unit.finish(about=about, reason="")
        finally:
            unit.end()
    vault.events.publish(Changed(act=act, about=about))


def check_way(folder: Path, connections: Connections, slot: str, ways: Sequence[Way]) -> None:
    """Whether the way in leads through a slot that `vault.db` knows; called at every opening, with all ways that a passphrase led to.

    Raises `WrongPassphrase` where it doesn't, or no longer: of two passphrases, before and after an interrupted change, one counts.
    """
    with connections.lock:
        public = users.slot_public(connections.writer, slot)
        if public not in {way.public for way in ways if way.key == connections.key}:
            tidy(folder, connections)
            raise WrongPassphrase(vault=str(folder))


def resume(vault: "Vault") -> None:
    """Finish a change of the key that was left unfinished in this open vault, if that can be done now; otherwise the mark stays."""
    with vault._connections.lock:
        if intended(vault._connections.writer) is not None:
            settle(vault)


def settle(vault: "Vault") -> None:
    """Finish or undo what an interrupted change left; called at every opening."""
    connections = vault._connections
    with connections.lock:
        mark = intended(connections.writer)
        try:
            if mark is None:
                tidy(vault.folder, connections)
            elif connections.epoch > mark:
                _finish(vault)
            else:
                carry_out(vault)
        except AssayError as error:
            said.error("A change of the vault's key couldn't be finished: %s", type(error).__name__)


def _finish(vault: "Vault", tell: Tell = untold) -> None:
    connections = vault._connections
    with connections.alone():
        connections.fold()
        tell(Step.REOPENED)
        keys = slots.read(vault.folder)
        people = users.admitted(connections.writer)
        slots.write(vault.folder, slots.rebuilt(keys, people, [(connections.epoch, connections.key)]))
        tell(Step.DROPPED)
    shutil.rmtree(vault.folder / CACHE, ignore_errors=True)
    with unasked(vault, Act.ROTATE_KEY, "done") as unit:
        unit.db.execute("DELETE FROM meta WHERE name = ?", (MARK,))
        unit.note(after=f"epoch {connections.epoch}")
    tell(Step.DONE)


def tidy(folder: Path, connections: Connections) -> None:
    """Drop from `keys.json` what a change that is over left there: pending slots, and epochs other than the one that opened. Raises `DiskFull`."""
    keys = slots.read(folder)
    if keys.pending or len(keys.epochs) > 1:
        people = users.admitted(connections.writer)
        slots.write(folder, slots.rebuilt(keys, people, [(connections.epoch, connections.key)]))


def for_copy(db: Database, keys: slots.KeyFile, epoch: int, key: bytes) -> slots.KeyFile:
    """The `keys.json` that a copy of the vault gets: where a change is unfinished, with the slots of those alone whom `db` admits, and with the
    key that the copy is under. Whoever opens the copy finishes the change there, as the mark in `db` says; whoever was revoked doesn't."""
    if intended(db) is None and not keys.pending and len(keys.epochs) == 1:
        return keys
    return slots.rebuilt(keys, users.admitted(db), [(epoch, key)])
