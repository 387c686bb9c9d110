"""A backup: one encrypted file that holds a whole vault as it was at one moment, made while the vault is in use.

    ASSAYBK1
    length of the head   4 bytes, big-endian
    SHA-256 of the head  32 bytes
    head                 JSON: the version of this form, the vault's id, `keys.json` as it stood (which has no secret in clear)
    sealed stream        `core.trust.streams`, under a key derived from the vault key, named by the head's SHA-256; in it
        length of the manifest  4 bytes
        manifest                JSON: when, by whom, the tables' versions, the log's checkpoint, size and SHA-256 of the database
        database                the pages of `vault.db`, encrypted under the vault key as in the vault

The rules:

1. It opens with what opens the vault on that day: the passphrase of any of its people, or the recovery key. Passphrases that change later
   don't change it.
2. The state is one state of the vault, the checkpoint is that state's, and writers go on meanwhile.
3. The file appears whole and synced under its name, or not at all; an existing file is never replaced. The log entry with the file's digest
   commits with its appearing.
4. A change of the vault's key that was left unfinished is finished first. Where it can't be, the backup has the slots of those alone who may
   still get in, and whoever opens the restored vault finishes the change there.
5. A byte that differs, is missing or added anywhere is noticed before anything is restored.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from core.errors import AlreadyExists, AssayError, BadInput, DiskFull, NotFound, Unavailable
from core.jobs import Job
from core.paths import sync_folder
from core.records import Digest, Record, now
from core.trust.canonical import b64
from core.trust.streams import StreamContext, purpose_key, sealed
from core.vault import migrations, policies, rotation, sessions, slots
from core.vault.connection import PAGE_SIZE, copy_pages
from core.vault.restored import Backup
from core.vault.roles import Act, allowed
from core.vault.vault import Vault

MAGIC: Final = b"ASSAYBK1"
FORMAT: Final = 1
LENGTH: Final = 4
LARGEST_HEAD: Final = 32 << 20
"""Bytes: `keys.json` in base64 and little else."""
LARGEST_MANIFEST: Final = 1 << 20
PIECE: Final = 1 << 20
PURPOSE: Final = "backup"


class Head(Record, frozen=True, kw_only=True, tag="vault-backup"):
    """What a backup says in clear."""

    vault: str
    keys: str
    """The bytes of `keys.json`, in base64."""


class Manifest(Record, frozen=True, kw_only=True, tag="backup-manifest"):
    """What a backup holds. Sealed."""

    vault: str
    made: str
    user: str
    """Who made it."""
    schema: dict[str, int]
    """The version of each package's tables."""
    entries: int
    """Entries of the audit log."""
    checkpoint: str
    """The log's signed note."""
    size: int
    """Bytes of the database."""
    sha256: Digest
    """Of the database."""


def backup(vault: Vault, file: Path, job: Job | None = None) -> Backup:
    """Write a backup of an open vault to `file`, which mustn't be there yet; progress in bytes. Needs room for the vault twice.

    Raises `Refused`, `AlreadyExists`, `NotFound` (the folder), `BadInput` (inside the vault), `DiskFull`, `Unavailable`, `Cancelled`.
    """
    job = job or Job("Back up the vault")
    file = file.absolute()
    required(vault, Act.BACK_UP, file.name)
    _check_place(vault, file)
    rotation.resume(vault)
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.parent))
        try:
            return _backup(vault, file, work, job)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except DiskFull as error:
        raise DiskFull(path=str(file)) from error
    except OSError as error:
        raise unwritable(file, error) from error


def required(vault: Vault, act: Act, about: str = "") -> None:
    """Refuse, and log that, what the person's roles or the policy don't allow, before any long work. Raises `Refused`, `BadInput`."""
    with sessions.refusals(vault, act, about):
        if allowed(act, vault.user.roles):
            with vault.read() as reader:
                policies.check_write(reader, act, "", vault.user.user)
            return
    with vault.write(act, about=about):
        raise AssertionError


def context(vault: str, head: bytes) -> StreamContext:
    """What the sealed stream of the backup with that head is."""
    return StreamContext(vault=vault, kind="backup", name=hashlib.sha256(head).hexdigest())


def unwritable(path: Path, error: OSError) -> AssayError:
    """What the system refused, as a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(path=str(path))
    return Unavailable(
        what=f"{path} can't be written ({error.strerror})", step="Choose a place where you may write, with room enough."
    )


def _check_place(vault: Vault, file: Path) -> None:
    if file.exists() or file.is_symlink():
        raise AlreadyExists(kind="file", name=str(file), step="Choose another name: a backup replaces nothing.")
    if not file.parent.is_dir():
        raise NotFound(kind="folder", name=str(file.parent), step="Create it first, or choose another place.")
    if vault.folder.resolve() in (file.parent.resolve(), *file.parent.resolve().parents):
        raise BadInput(
            source=str(file), problem="this is inside the vault. Keep backups elsewhere, best on another disk."
        )


def _backup(vault: Vault, file: Path, work: Path, job: Job) -> Backup:
    database = work / "vault.db"
    head, manifest, key = _snapshot(vault, database, job)
    whole = work / "backup"
    with whole.open("xb") as out:
        sha256, size = _write(out, database, head, manifest, key, job)
    database.unlink()
    whole.chmod(0o600)
    made = Backup(
        file=file.name,
        sha256=sha256,
        size=size,
        made=manifest.made,
        entries=manifest.entries,
        checkpoint=manifest.checkpoint,
    )
    appeared = False
    try:
        with vault.write(Act.BACK_UP, about=f"{file.name}, SHA-256 {sha256}") as unit:
            unit.put(made)
            if file.exists():
                raise AlreadyExists(kind="file", name=str(file), step="It appeared meanwhile; choose another name.")
            whole.rename(file)
            appeared = True
            sync_folder(file.parent)
    except BaseException:
        if appeared:
            file.unlink(missing_ok=True)
        raise
    return made


def _snapshot(vault: Vault, database: Path, job: Job) -> tuple[bytes, Manifest, bytes]:
    """Copy one state of the database, and tell of it: the head, the manifest, and the vault key that both stand under."""
    connections = vault._connections
    with ExitStack() as held:
        with connections.lock:
            # While nothing writes, `keys.json`, the key and the state that this reader fixes belong together.
            reader = held.enter_context(vault.read())
            checkpoint = reader.checkpoint().decode("utf-8")
            key = connections.key
            keys = slots.packed(rotation.for_copy(reader.db, slots.read(vault.folder), connections.epoch, key))
            made = now()
        copy_pages(reader.db, database, key, lambda done, total: job.report(done, 2 * total, "pages"))
        entries, schema = reader.log_size, migrations.versions(reader.db)
    with database.open("rb") as copied:
        sha256 = Digest(hashlib.file_digest(copied, "sha256").hexdigest())
    manifest = Manifest(
        vault=vault.id,
        made=made,
        user=vault.user.user,
        schema=schema,
        entries=entries,
        checkpoint=checkpoint,
        size=database.stat().st_size,
        sha256=sha256,
    )
    return msgspec.json.encode(Head(version=FORMAT, vault=vault.id, keys=b64(keys))), manifest, key


def _write(out: BinaryIO, database: Path, head: bytes, manifest: Manifest, key: bytes, job: Job) -> tuple[Digest, int]:
    """The whole file, synced; its SHA-256 and size."""
    sha = hashlib.sha256()
    size = 0
    start = MAGIC + len(head).to_bytes(LENGTH, "big") + hashlib.sha256(head).digest() + head
    content = _content(database, manifest, job)
    stream = sealed(purpose_key(key, PURPOSE), content, context(manifest.vault, head))
    for part in chain([start], stream):
        out.write(part)
        sha.update(part)
        size += len(part)
    out.flush()
    os.fsync(out.fileno())
    return Digest(sha.hexdigest()), size


def _content(database: Path, manifest: Manifest, job: Job) -> Iterator[bytes]:
    about = msgspec.json.encode(manifest)
    yield len(about).to_bytes(LENGTH, "big") + about
    pages = manifest.size // PAGE_SIZE
    with database.open("rb") as copied:
        while piece := copied.read(PIECE):
            yield piece
            job.report(pages + copied.tell() // PAGE_SIZE, 2 * pages, "pages")
