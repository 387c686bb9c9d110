"""An open vault: the encrypted folder of one team, opened by one person in one process.

`write(act)` is the one door for changes: role check, transaction, log entry, event after the commit. `read()` gives a state that
doesn't move while it is held. Nothing else writes into the folder but `cache/`, which may be deleted.
"""

import errno
import secrets
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import AlreadyExists, Damaged, DiskFull, NotFound, Refused, Unavailable
from core.paths import sync_folder
from core.records import now
from core.trust.cards import SignedCard
from core.trust.passphrases import Kdf, calibrated
from core.trust.trustfile import TrustFile
from core.vault import (
    attempts,
    cards,
    check_folder,
    log,
    log_index,
    log_tree,
    people,
    policies,
    restored,
    rotation,
    sessions,
    slots,
    tables,
    tombstones,
    users,
    versions,
)
from core.vault.checkpoints import Rollback
from core.vault.connection import KEY_BYTES, Connections
from core.vault.events import Changed, Events
from core.vault.locking import FolderLock
from core.vault.log import LogTree
from core.vault.migrations import Migrations, migrate
from core.vault.records import User
from core.vault.roles import ALLOWED, Act, Role, allowed
from core.vault.signing import Signer as Signer
from core.vault.signing import unseal_keys
from core.vault.sittings import Sitting
from core.vault.slots import Way
from core.vault.unit import Reader, Unit

FILE = "vault.db"
OWN_SCHEMA = (tables.SCHEMA, versions.SCHEMA, log_tree.SCHEMA, log_index.SCHEMA, tombstones.SCHEMA, users.SCHEMA)


class Vault:
    """One team's vault, open for one person. Made by `create` or `open`; a context manager that closes it."""

    def __init__(self, folder: Path, key: slots.KeyFile, user: str, connections: Connections, lock: FolderLock) -> None:
        self.folder = folder
        self.id = key.vault
        self.events = Events()
        self._connections = connections
        self._lock = lock
        self._tree = LogTree()
        self._closed = False
        self.rollback: Rollback | None = None
        """Set when the log isn't a continuation of the one that was last seen on this machine."""
        self.unkept = ""
        """Why no checkpoint could be kept outside the vault; empty when one was."""
        self.sitting = Sitting(self)
        with connections.reader() as db:
            self.user = users.find(db, user)

    @classmethod
    def create(
        cls,
        folder: Path,
        user: str,
        name: str,
        passphrase: str,
        schema: Sequence[Migrations] = (),
        kdf: Callable[[], Kdf] = calibrated,
    ) -> Self:
        """Make a vault whose first user is administrator and author, and open it. The folder appears whole or not at all.

        `kdf` gives the parameters of each key derivation, with a fresh salt each time. Raises `AlreadyExists`, `BadInput`, `DiskFull`.
        """
        folder = folder.absolute()
        user = unicodedata.normalize("NFC", user)
        if folder.exists():
            raise AlreadyExists(kind="folder", name=str(folder), step="Choose another name for the new vault.")
        if not folder.parent.is_dir():
            raise NotFound(kind="folder", name=str(folder.parent), step="Create it first, or choose another place.")
        roles = users.check_user(user, name, (Role.ADMIN, Role.AUTHOR))
        users.check_passphrase(passphrase)
        try:
            made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            try:
                key = cls._make(made, folder.name, user, name, roles, passphrase, schema, kdf)
                made.rename(folder)
                sync_folder(folder.parent)
            except BaseException:
                shutil.rmtree(made, ignore_errors=True)
                raise
        except DiskFull as error:
            raise DiskFull(path=str(folder)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(path=str(folder)) from error
            raise Unavailable(
                what=f"{folder} can't be made ({error.strerror})", step="Choose a place where you may write."
            ) from error
        lock = FolderLock(folder)
        try:
            keys = slots.read(folder)
            return cls._open(folder, user, user, [Way(keys.epochs[0].number, keys.slots[0].public, key)], schema, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, folder: Path, user: str, passphrase: str, schema: Sequence[Migrations] = ()) -> Self:
        """Open a vault, bringing its tables up to date.

        Raises `NotFound` (not a vault), `WrongPassphrase`, `VaultBusy`, `NewerVault`, `Damaged`, `Refused` (a revoked user).
        """
        folder = folder.absolute()
        user = unicodedata.normalize("NFC", user)
        return cls.open_by(folder, user, user, lambda keys: slots.unlock(folder, keys, user, passphrase), schema)

    @classmethod
    def open_by(
        cls,
        folder: Path,
        user: str,
        slot: str,
        ways: Callable[[slots.KeyFile], Sequence[Way]],
        schema: Sequence[Migrations] = (),
    ) -> Self:
        """Open a vault for `user` by the ways that lead through the slot named `slot`. Raises as `open`."""
        slots.read(folder)  # before a lock is made: this may be no vault
        lock = FolderLock(folder)
        try:
            with attempts.counted(folder, slot):
                return cls._open(folder, user, slot, ways(slots.read(folder)), schema, lock)
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def names(folder: Path) -> tuple[str, ...]:
        """The user names that a closed vault knows, for the window to offer. Raises `NotFound`, `Damaged`, `NewerVault`."""
        return tuple(slot.user for slot in slots.read(folder).slots if slot.user != slots.RECOVERY)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One state of the vault, for as long as the block runs."""
        with self._connections.reader() as db:
            reader = Reader(db, self.log_name, self._tree)
            try:
                yield reader
            finally:
                reader.end()

    @contextmanager
    def write(self, act: Act, about: str = "", reason: str = "") -> Iterator[Unit]:
        """One change: commits at the end of the block with its log entry, or rolls back when anything is raised.

        Raises `Refused` when the person's roles don't allow `act`, `DiskFull`, `VaultBusy`.
        """
        with sessions.refusals(self, act, about), self._change(act, about, reason) as unit:
            yield unit
        self.events.publish(Changed(act=act, about=about))

    def record(self, act: Act, about: str = "", reason: str = "", before: str = "", after: str = "") -> None:
        """Log what changes nothing (a sign-in, a refusal), whatever the person's roles. Raises `DiskFull`, `Unavailable` when closed."""
        with self._connections.transaction() as db:
            log.append(db, self.user.user, now(), act, about, reason, before=before, after=after)

    def confirm(self, passphrase: str) -> Signer:
        """Take this user's signing keys out (`with vault.confirm(passphrase) as signer:`). Raises `WrongPassphrase`.

        Who asks a person for the passphrase goes through a `Sitting`, which asks for the user name too where Part 11 does.
        """
        with self.read() as reader:
            sealed = users.sealed_keys(reader.db, self.user.user)
        keys = unseal_keys(self.id, self.user.user, sealed, passphrase, str(self.folder))
        return people.signer(self, keys)

    def add_user(
        self,
        signer: Signer,
        user: str,
        name: str,
        roles: Sequence[str],
        passphrase: str,
        kdf: Callable[[], Kdf] = calibrated,
    ) -> User:
        """Give another person a slot, signing keys and a card that `signer`, an administrator, countersigns.

        Raises `Refused`, `BadInput`, `AlreadyExists`, `DiskFull`.
        """
        return people.add(self, signer, user, name, roles, passphrase, kdf)

    def users(self) -> tuple[User, ...]:
        """Everybody, in the order in which they came; revoked users too."""
        with self.read() as reader:
            return users.everybody(reader.db)

    def cards(self) -> tuple[SignedCard, ...]:
        """All cards ever issued here, oldest first."""
        with self.read() as reader:
            return users.cards(reader.db)

    def trust_file(self) -> TrustFile:
        """What an auditor needs to know beforehand to check this vault's packs: its people's cards, which of
        them were revoked, and its log's public key."""
        with self.read() as reader:
            return TrustFile(
                cards=users.cards(reader.db),
                logs=(log.public_key(reader.db, self.log_name),),
                made=now(),
                revoked=cards.endings(reader),
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the person who opened the vault should be told, a sentence each."""
        return tuple(text for text in (self.rollback.sentence if self.rollback else "", self.unkept) if text)

    @property
    def log_name(self) -> str:
        """The origin of this vault's checkpoints."""
        return log.origin(self.id)

    def close(self) -> None:
        """Lock the vault: fold the write-ahead log into the file and let another process open it. Safe more than once."""
        if self._closed:
            return
        self._closed = True
        self.sitting.end()
        sessions.end(self)
        self._connections.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _change(self, act: Act, about: str, reason: str = "") -> Iterator[Unit]:
        if not allowed(act, self.user.roles):
            raise _refused(act)
        with self._connections.transaction() as db:
            self.user = users.standing(db, self.user)
            if not allowed(act, self.user.roles):  # any more
                raise _refused(act)
            unit = Unit(db, self.log_name, self._tree, self.user, act)
            try:
                policies.check_write(unit, act, reason, self.user.user)
                yield unit
                unit.finish(about, reason)
            finally:
                unit.end()

    @staticmethod
    def _make(
        folder: Path,
        called: str,
        user: str,
        name: str,
        roles: Sequence[Role],
        passphrase: str,
        schema: Sequence[Migrations],
        kdf: Callable[[], Kdf],
    ) -> bytes:
        vault = secrets.token_hex(16)
        key = secrets.token_bytes(KEY_BYTES)
        person = users.new_person(vault, user, name, roles, passphrase, kdf, issuer=None)
        empty = slots.KeyFile(vault=vault, slots=(), epochs=(slots.Epoch(number=1, keys={}),))
        slots.write(folder, slots.with_slot(empty, person.slot, key))
        connections = Connections(folder / FILE, key)
        try:
            (folder / FILE).chmod(0o600)
            migrate(connections, all_migrations(schema), now())
            with connections.transaction() as db:
                db.execute("INSERT INTO meta VALUES ('vault', ?)", (vault.encode("ascii"),))
                log.new_key(db)
                unit = Unit(db, log.origin(vault), LogTree(), users.insert(db, person, by=user), Act.CREATE_VAULT)
                cards.issued(unit, unit.user.card, user)
                unit.finish(about=called, reason="")
        finally:
            connections.close()
        return key

    @classmethod
    def _open(
        cls, folder: Path, user: str, slot: str, ways: Sequence[Way], schema: Sequence[Migrations], lock: FolderLock
    ) -> Self:
        file = slots.read(folder)
        connections = _connections(folder / FILE, ways)
        try:
            migrate(connections, all_migrations(schema), now())
            _check_same(folder, file, connections)
            check_folder.sweep(folder)
            rotation.check_way(folder, connections, slot, ways)
            vault = cls(folder, file, user, connections, lock)
            if not vault.user.active:
                with sessions.refusals(vault, Act.SIGN_IN):
                    raise Refused(act="Open the vault", reason="This user was revoked; ask an administrator.")
            rotation.settle(vault)
            sessions.begin(vault)
            restored.take_up(vault)
            attempts.merge(vault)
        except BaseException:
            connections.close()
            raise
        return vault


def _refused(act: Act) -> Refused:
    able = ", ".join(sorted(ALLOWED[act]))
    return Refused(act=act.replace("-", " ").capitalize(), reason=f"Your roles here don't allow it; these do: {able}.")


def all_migrations(schema: Sequence[Migrations]) -> tuple[Migrations, ...]:
    """The vault's own tables, then the packages', each once."""
    return tuple(dict.fromkeys((*OWN_SCHEMA, *schema)))


def _connections(file: Path, ways: Sequence[Way]) -> Connections:
    if not file.is_file():
        raise Damaged(source=str(file), problem="the file is missing. Restore the folder from a backup.")
    *others, last = ways
    for way in others:
        try:
            return Connections(file, way.key, way.epoch)
        except Damaged:
            continue
    return Connections(file, last.key, last.epoch)


def _check_same(folder: Path, keys: slots.KeyFile, connections: Connections) -> None:
    with connections.reader() as db:
        row = db.execute("SELECT value FROM meta WHERE name = 'vault'").fetchone()
    if row is None or bytes(row[0]) != keys.vault.encode("ascii"):
        raise Damaged(
            source=str(folder),
            problem=f"{slots.NAME} and {FILE} belong to different vaults. Restore the folder from a backup.",
        )
