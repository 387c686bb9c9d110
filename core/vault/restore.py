"""Bringing a vault back from a backup. `core.vault.backup` describes the file.

The rules:

1. Nothing is believed before it is authenticated: the head by its digest and as the sealed stream's name, the rest by the stream, the database
   by the manifest's digest too.
2. The folder appears whole, after its check found nothing, or not at all; an existing one is never touched.
3. A backup by a newer program is refused, at its head or at its manifest, and by the kinds of its records.
4. Whoever brings it back could open the vault on the day of the backup: one of its people by their passphrase, or anybody with the words of its
   recovery key. A revoked person doesn't, even where the change of the key that followed was unfinished.
5. The restored vault bears a mark, so that the log tells of the restoration from the first opening on.
"""

import hashlib
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec

from core.errors import AlreadyExists, BadInput, Damaged, DiskFull, NewerVault, NotFound, Unavailable, WrongPassphrase
from core.jobs import Job
from core.paths import sync_folder, write_whole
from core.records import Digest, now
from core.trust.canonical import unb64
from core.trust.sealing import InvalidSeal
from core.trust.streams import purpose_key, unsealed
from core.vault import log, recovery, rotation, slots, users
from core.vault.backup import (
    FORMAT,
    LARGEST_HEAD,
    LARGEST_MANIFEST,
    LENGTH,
    MAGIC,
    PIECE,
    PURPOSE,
    Head,
    Manifest,
    context,
    unwritable,
)
from core.vault.check import findings
from core.vault.connection import PAGE_SIZE, Connections
from core.vault.log import LogTree
from core.vault.migrations import Migrations, migrate
from core.vault.records import Finding
from core.vault.restored import Restoration, mark
from core.vault.slots import Way
from core.vault.unit import Reader
from core.vault.vault import FILE, all_migrations

Unlock = Callable[[slots.KeyFile], Sequence[Way]]
"""What a passphrase or a recovery key makes of a backup's `keys.json`: the vault keys that it leads to, and through which slots."""


def with_passphrase(file: Path, user: str, passphrase: str) -> Unlock:
    """Open a backup as one of its people. Raises `WrongPassphrase` when used."""
    return lambda keys: slots.unlock(file, keys, unicodedata.normalize("NFC", user), passphrase)


def with_words(file: Path, words: str) -> Unlock:
    """Open a backup with the recovery key of its day. Raises `BadInput` (mistyped words), `NotFound` (none was made), `WrongPassphrase`."""
    return lambda keys: recovery.ways(file, keys, words)


def restore(
    file: Path,
    folder: Path,
    unlock: Unlock,
    schema: Sequence[Migrations] = (),
    job: Job | None = None,
    despite_findings: bool = False,
) -> Restoration:
    """Make the vault `folder` from a backup; it appears checked and whole. Progress in pages and by the check.

    With `despite_findings` it appears too when its check finds faults that were in the vault when the backup was made: some data
    may be better than none.

    Raises `NotFound`, `AlreadyExists`, `Damaged` (a changed byte anywhere, or what the check found), `NewerVault`, `WrongPassphrase`,
    `DiskFull`, `Unavailable`, `Cancelled`.
    """
    job = job or Job("Restore the vault")
    file, folder = file.absolute(), folder.absolute()
    if folder.exists() or folder.is_symlink():
        raise AlreadyExists(kind="folder", name=str(folder), step="Choose another name for the restored vault.")
    if not folder.parent.is_dir():
        raise NotFound(kind="folder", name=str(folder.parent), step="Create it first, or choose another place.")
    if not file.is_file():
        raise NotFound(kind="backup", name=str(file), step="Give the name of the file that a backup made.")
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Unavailable(what=f"{file} can't be read", step="Check who may read it.") from error
    with opened as source:
        return _restore(source, file, folder, unlock, all_migrations(schema), job, despite_findings)


def _restore(
    source: BufferedReader,
    file: Path,
    folder: Path,
    unlock: Unlock,
    schema: Sequence[Migrations],
    job: Job,
    despite_findings: bool,
) -> Restoration:
    whole = Digest(hashlib.file_digest(source, "sha256").hexdigest())
    source.seek(0)
    packed, head = _head(source, file)
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            ways = unlock(_keys(made, head, file))
            opened, content = _opened(source, head.vault, packed, ways, file)
            manifest = _unpack(content, made / FILE, schema, file, job)
            restoration = Restoration(
                backup=whole,
                made=manifest.made,
                entries=manifest.entries,
                checkpoint=manifest.checkpoint,
                restored=now(),
            )
            try:
                found = _settle(made, opened, manifest, schema, restoration, job)
            except WrongPassphrase as error:
                raise WrongPassphrase(vault=str(file)) from error
            except NewerVault as error:
                raise NewerVault(**{**error.fields, "vault": str(file)}) from error
            if found and not despite_findings:
                raise Damaged(
                    source=str(file),
                    problem=f"the check of the restored vault found faults: {len(found)}, the first at {found[0].where}: "
                    f"{found[0].what} Nothing was restored; use another backup, or restore it despite that.",
                )
            made.rename(folder)
            sync_folder(folder.parent)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except DiskFull as error:
        raise DiskFull(path=str(folder)) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    return restoration


def _head(source: BinaryIO, file: Path) -> tuple[bytes, Head]:
    """The head's bytes, and what it says; `source` stands behind it. Raises `NewerVault`, `Damaged`, `BadInput`."""
    magic = source.read(len(MAGIC))
    if magic != MAGIC:
        raise BadInput(source=str(file), problem="this is no backup of a vault, or its beginning is damaged.")
    length = int.from_bytes(source.read(LENGTH), "big")
    digest = source.read(hashlib.sha256().digest_size)
    head = source.read(length) if length <= LARGEST_HEAD else b""
    if len(head) != length or hashlib.sha256(head).digest() != digest:
        raise _damaged(file)
    try:
        found = msgspec.json.decode(head, type=_Version).version
        if found > FORMAT:
            raise NewerVault(vault=str(file), package="backup", found=found, known=FORMAT)
        return head, msgspec.json.decode(head, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(file) from error


def _keys(made: Path, head: Head, file: Path) -> slots.KeyFile:
    write_whole(made / slots.NAME, unb64(head.keys, str(file)))
    try:
        keys = slots.read(made)
    except NewerVault as error:
        raise NewerVault(**{**error.fields, "vault": str(file)}) from error
    if keys.vault != head.vault:
        raise _damaged(file)
    return keys


def _opened(
    source: BinaryIO, vault: str, head: bytes, ways: Sequence[Way], file: Path
) -> tuple[list[Way], Iterator[bytes]]:
    """The ways to the vault key that the backup was made under, and what it seals. There are several keys only in a backup from before
    unfinished changes of the key were settled in it."""
    start = source.tell()
    for key in dict.fromkeys(way.key for way in ways):
        source.seek(start)
        content = unsealed(purpose_key(key, PURPOSE), iter(partial(source.read, PIECE), b""), context(vault, head))
        try:
            first = next(content)
        except InvalidSeal:
            continue
        return [way for way in ways if way.key == key], chain([first], content)
    raise _damaged(file)


def _unpack(content: Iterator[bytes], target: Path, schema: Sequence[Migrations], file: Path, job: Job) -> Manifest:
    """Write the database, synced and equal to its digest; what the manifest says. Raises `Damaged`, `NewerVault`."""
    try:
        manifest, rest = _manifest(content, file)
        known = {migrations.package: len(migrations.steps) for migrations in schema}
        for package, version in manifest.schema.items():
            if version > known.get(package, 0):
                raise NewerVault(vault=str(file), package=package, found=version, known=known.get(package, 0))
        sha = hashlib.sha256()
        with target.open("xb") as out:
            target.chmod(0o600)
            for piece in chain([rest], content):
                out.write(piece)
                sha.update(piece)
                job.report(out.tell() // PAGE_SIZE, manifest.size // PAGE_SIZE, "pages")
            out.flush()
            os.fsync(out.fileno())
    except InvalidSeal as error:
        raise _damaged(file) from error
    if sha.hexdigest() != manifest.sha256:
        raise _damaged(file)
    return manifest


def _manifest(content: Iterator[bytes], file: Path) -> tuple[Manifest, bytes]:
    waiting = bytearray()
    for piece in content:
        waiting += piece
        end = LENGTH + int.from_bytes(waiting[:LENGTH], "big")
        if end > LARGEST_MANIFEST or LENGTH <= end <= len(waiting):
            break
    try:
        return msgspec.json.decode(waiting[LENGTH:end], type=Manifest), bytes(waiting[end:])
    except (msgspec.DecodeError, UnicodeDecodeError, UnboundLocalError) as error:
        raise _damaged(file) from error


def _settle(
    made: Path,
    ways: Sequence[Way],
    manifest: Manifest,
    schema: Sequence[Migrations],
    restoration: Restoration,
    job: Job,
) -> tuple[Finding, ...]:
    """Bring the unpacked database up to date, settle an unfinished change of its key, check it, and mark it as restored; what the check found.

    Raises `WrongPassphrase` when the slot that opened the backup is that of nobody who may get in by its database.
    """
    way = ways[0]
    connections = Connections(made / FILE, way.key, way.epoch)
    try:
        migrate(connections, schema, now())
        _admit(made, connections, ways)

        @contextmanager
        def read() -> Iterator[Reader]:
            with connections.reader() as db:
                yield Reader(db, log.origin(manifest.vault), LogTree())

        with read() as reader:
            if reader.checkpoint().decode("utf-8") != manifest.checkpoint:
                raise Damaged(source="The backup", problem="its checkpoint isn't that of its log. Use another backup.")
        found = tuple(findings(read, made, job))
        with connections.transaction() as db:
            mark(db, restoration)
    finally:
        connections.close()
    return found


def _admit(made: Path, connections: Connections, ways: Sequence[Way]) -> None:
    keys, db = slots.read(made), connections.writer
    if not {way.public for way in ways} & set(users.admitted(db).values()):
        raise WrongPassphrase(vault=str(made))
    settled = rotation.for_copy(db, keys, connections.epoch, connections.key)
    if settled is not keys:
        slots.write(made, settled)


def _damaged(file: Path) -> Damaged:
    return Damaged(
        source=str(file), problem="the backup is damaged or incomplete. Nothing was restored; use another one."
    )


class _Version(msgspec.Struct):
    version: int = 1
