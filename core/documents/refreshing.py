"""A collection follows folders: what is new or changed in them is read, what was renamed goes by its new name, what is gone is no longer searched.

Rules:

1. Every step is one transaction, and what is to do is found by comparing the folders with the vault, never by a list of what was done. So a
   refresh that stopped anywhere, by a crash or power loss too, is finished by the next one: nothing twice, nothing missing.
2. Only a file whose bytes aren't known is read, cut and embedded. A rename is told by the bytes: those of a document whose file is gone, or holds
   others now.
3. Only documents that came from the folders are taken out, never what was added otherwise. A folder that isn't there, or is empty, takes nothing
   out: it may be a disk that isn't connected. A legal hold keeps a document in search.
4. Earlier versions stay readable, for the answers that cite them.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.documents import files, moving, store
from core.documents.dropping import alive
from core.documents.records import AddDocuments, Document, Refusal
from core.documents.service import Documents
from core.errors import BadInput, NotFound, Refused, Unavailable
from core.jobs import Job
from core.records import Digest, Record, now
from core.vault.backup import required
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault

GONE = "its file is gone from the folder"
REPLACED = "its file has the same content as another one now"


def _first(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE followed_folders(
            collection TEXT NOT NULL, folder TEXT NOT NULL, PRIMARY KEY(collection, folder)) STRICT, WITHOUT ROWID;
        CREATE TABLE followed_names(
            collection TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY(collection, name)) STRICT, WITHOUT ROWID;
        """
    )


def _watched(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE watched_collections(collection TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
        CREATE TABLE folder_changes(collection TEXT PRIMARY KEY, changes BLOB NOT NULL) STRICT, WITHOUT ROWID;
        """
    )


SCHEMA = Migrations("refreshing", (_first, _watched))
"""The folders that collections follow, the names that files in them had at any refresh, which collections are watched, and what the last refresh
that changed something did."""


class Refreshed(Record, frozen=True, kw_only=True):
    """What came of a refresh."""

    collection: str
    folders: tuple[str, ...]
    added: int
    """Documents that were read: new ones, and new versions."""
    replaced: int
    """Those of them that took the place of an earlier version."""
    unchanged: int
    renamed: int
    removed: int
    held: tuple[str, ...]
    """Documents whose file is gone, and that a legal hold keeps in search."""
    refused: tuple[Refusal, ...]
    seconds: float


class Changes(Record, frozen=True, kw_only=True):
    """What the last refresh that changed something did."""

    time: str
    """When it ended, RFC 3339."""
    new: int
    changed: int
    renamed: int
    gone: int

    @property
    def said(self) -> str:
        """In words: "2 new, 1 gone"."""
        counted = ((self.new, "new"), (self.changed, "changed"), (self.renamed, "renamed"), (self.gone, "gone"))
        return ", ".join(f"{number:,} {word}" for number, word in counted if number)


class Refreshing:
    """Lets the collections of one open vault follow folders."""

    def __init__(self, vault: Vault, documents: Documents) -> None:
        self._vault = vault
        self._documents = documents

    def folders(self, collection: str) -> tuple[str, ...]:
        """The folders that a collection follows."""
        with self._vault.read() as reader:
            return _folders(reader, collection)

    def follow(self, collection: str, folders: Sequence[str]) -> None:
        """Follow these folders too, from the next refresh on. Raises `BadInput` for what is no folder, `Refused`."""
        paths = [Path(folder).expanduser().resolve() for folder in folders]
        for folder, path in zip(folders, paths, strict=True):
            if not path.is_dir():
                raise BadInput(source=folder, problem="no folder. A collection can follow folders only.")
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection} follows {len(paths)} folders") as unit:
            rows = [(collection, str(path)) for path in paths]
            unit.db.conn.executemany("INSERT OR IGNORE INTO followed_folders VALUES (?, ?)", rows)

    def unfollow(self, collection: str) -> None:
        """Follow no folder any more; the documents stay. Raises `Refused`."""
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection} follows no folder") as unit:
            for table in ("followed_folders", "followed_names", "watched_collections", "folder_changes"):
                unit.db.execute(f"DELETE FROM {table} WHERE collection = ?", (collection,))

    def refresh(self, collection: str, job: Job) -> Refreshed:
        """Bring a collection in step with its folders. Progress in files.

        Raises `BadInput` (it follows no folder), `Unavailable` (a folder isn't there or is empty; nothing was changed), and as `Documents.add`."""
        required(self._vault, Act.ADD_DOCUMENTS, collection)
        required(self._vault, Act.REMOVE_DOCUMENTS, collection)
        folders = self.folders(collection)
        found = _on_disk(collection, folders)
        self._claim(collection, found)
        contents = _Contents()
        renamed = self._rename(collection, found, contents, job)
        done = self._documents.add(AddDocuments(collection=collection, paths=folders), job)
        removed, held = self._retire(collection, dict(_on_disk(collection, folders)), contents, job)
        new = done.added - done.replaced
        if new or done.replaced or renamed or removed:
            self._note(collection, Changes(time=now(), new=new, changed=done.replaced, renamed=renamed, gone=removed))
        return Refreshed(
            collection=collection,
            folders=folders,
            added=done.added,
            replaced=done.replaced,
            unchanged=done.unchanged,
            renamed=renamed,
            removed=removed,
            held=held,
            refused=done.refused,
            seconds=done.seconds,
        )

    def changes(self, collection: str) -> Changes | None:
        """What the last refresh that changed something did; None where none did."""
        with self._vault.read() as reader:
            row = reader.db.execute("SELECT changes FROM folder_changes WHERE collection = ?", (collection,)).fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Changes)

    def _note(self, collection: str, changes: Changes) -> None:
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection} and its folders: {changes.said}") as unit:
            row = (collection, msgspec.msgpack.encode(changes))
            unit.db.execute("INSERT OR REPLACE INTO folder_changes VALUES (?, ?)", row)

    def _claim(self, collection: str, found: Sequence[tuple[str, Path]]) -> None:
        """Remember, before anything is read, which names come from the folders."""
        with self._vault.read() as reader:
            known = _names(reader, collection)
        missing = [(collection, name) for name, _ in found if name not in known]
        if missing:
            with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}, {len(missing)} names") as unit:
                unit.db.conn.executemany("INSERT OR IGNORE INTO followed_names VALUES (?, ?)", missing)

    def _rename(self, collection: str, found: Sequence[tuple[str, Path]], contents: "_Contents", job: Job) -> int:
        """Give documents that their files don't hold any more the name of the file that has their bytes now."""
        current = self._current(collection)
        on_disk = dict(found)
        at = {document.name: digest for digest, document in current.items()}
        loose: dict[Digest, Digest] = {}
        for digest, document in current.items():
            job.check()
            if document.name in on_disk:
                astray = contents.of(document.name, on_disk[document.name]) not in (None, document.content)
            else:
                astray = not alive(document.name, on_disk.keys()) and self._follows(collection, document.name)
            if astray:
                loose[document.content] = digest
        renamed = 0
        for name, path in found:
            if not loose:
                break
            job.check()
            content = contents.of(name, path)
            there = at.get(name)
            if content not in loose or (there is not None and current[there].content == content):
                continue
            earlier = loose.pop(content)
            document = msgspec.structs.replace(current[earlier], name=name, added=now())
            with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{name}") as unit:
                if there is not None:
                    loose.pop(current[there].content, None)
                    store.retire(unit, there)
                moving.rename(unit, earlier, document)
            renamed += 1
        return renamed

    def _retire(
        self, collection: str, found: dict[str, Path], contents: "_Contents", job: Job
    ) -> tuple[int, tuple[str, ...]]:
        """Take out what is gone, and what has bytes that its file doesn't have any more."""
        removed, held = 0, []
        for digest, document in self._current(collection).items():
            job.check()
            reason = ""
            if document.name in found:
                content = contents.of(document.name, found[document.name])
                reason = REPLACED if content and content != document.content and self._has(collection, content) else ""
            elif not alive(document.name, found.keys()) and self._follows(collection, document.name):
                reason = GONE
            if not reason:
                continue
            try:
                self._documents.remove(digest, reason)
                removed += 1
            except Refused:
                held.append(document.name)
        return removed, tuple(held)

    def _current(self, collection: str) -> dict[Digest, Document]:
        try:
            return dict(self._documents.list(collection))
        except NotFound:
            return {}

    def _has(self, collection: str, content: Digest) -> bool:
        with self._vault.read() as reader:
            return store.has_content(reader, store.get(reader, collection).id, content)

    def _follows(self, collection: str, name: str) -> bool:
        """Whether a document came from the folders: its name was that of a file there, or of one inside such a file."""
        with self._vault.read() as reader:
            return alive(name, _names(reader, collection))


def forget_names(unit: Unit, erased: Sequence[tuple[str, str]]) -> None:
    """Forget the names of erased documents, (collection, name), and of the files that they were inside of, where no document of that name is left.
    A file that is still in its folder is found again by the next refresh, by its own name."""
    if unit.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'followed_names'").fetchone() is None:
        return
    for collection, name in erased:
        parts = name.split("/")
        for depth in range(len(parts), 0, -1):
            path = "/".join(parts[:depth])
            unit.db.execute(
                "DELETE FROM followed_names WHERE collection = ?1 AND name = ?2 AND NOT EXISTS ("
                "SELECT 1 FROM documents d JOIN collections c ON c.id = d.collection"
                " WHERE c.name = ?1 AND (d.name = ?2 OR substr(d.name, 1, ?3) = ?2 || '/'))",
                (collection, path, len(path) + 1),
            )


def _folders(reader: Reader, collection: str) -> tuple[str, ...]:
    rows = reader.db.execute("SELECT folder FROM followed_folders WHERE collection = ? ORDER BY folder", (collection,))
    return tuple(str(folder) for (folder,) in rows.fetchall())


def _names(reader: Reader, collection: str) -> set[str]:
    rows = reader.db.execute("SELECT name FROM followed_names WHERE collection = ?", (collection,))
    return {str(name) for (name,) in rows.fetchall()}


def _on_disk(collection: str, folders: tuple[str, ...]) -> list[tuple[str, Path]]:
    if not folders:
        raise BadInput(
            source=collection, problem=f"it follows no folder. Name one: `assay documents refresh {collection} FOLDER`."
        )
    for folder in folders:
        if not Path(folder).is_dir():
            raise _absent(folder, "isn't there")
    found, empty = files.collect(folders)
    if empty:
        raise _absent(empty[0].file, "holds no files")
    return found


def _absent(folder: str, why: str) -> Unavailable:
    return Unavailable(
        what=f"The folder {folder} {why}, so nothing was changed",
        step="Connect its disk, or take documents out with `assay documents remove`.",
    )


class _Contents:
    """The digests of files' bytes, each file read again only when it changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], Digest]] = {}

    def of(self, name: str, path: Path) -> Digest | None:
        """None for a file that can't be read, which `Documents.add` says."""
        try:
            seen = path.stat()
            mark = (seen.st_size, seen.st_mtime_ns)
            if path not in self._known or self._known[path][0] != mark:
                self._known[path] = mark, Digest(hashlib.sha256(files.read_bytes(name, path)).hexdigest())
        except (BadInput, OSError):
            return None
        return self._known[path][1]
