"""Reading, and the unit of work.

A `Reader` sees one state of the vault. A `Unit` is a reader that may also change it, inside one transaction that ends with an entry in
the audit log. Both give their raw `db` to the packages, whose tables live beside the vault's own. The rules:

1. Records are immutable. A record's digest is the SHA-256 of its canonical bytes, which hold a random nonce; whatever is read is
   compared with its digest first, and `Damaged` if it differs.
2. A link leads to something that is kept here, a record or a blob.
3. What a unit put or sealed stands in its log entry, in order, with who did it and when.
4. Nobody signs for somebody else, and nobody approves what they wrote.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from core.errors import Damaged, NewerVault, NotFound, Refused
from core.records import Digest, Record, kind, newest, now
from core.trust import statements
from core.trust.canonical import digest as digest_of
from core.trust.canonical import new_nonce, record_bytes, record_from
from core.vault import blobs, log, log_index, tombstones
from core.vault.connection import Database
from core.vault.log import LogTree
from core.vault.records import LogEntry, Signature, User
from core.vault.roles import Act
from core.vault.signing import Signer, new_signature

R = TypeVar("R", bound=Record)
LONGEST_NOTE = 200
"""Characters of what a log entry says about before and after: it holds words and digests, never content."""


class Reader:
    """One state of the vault, to read. Ends with the block that it was made in."""

    def __init__(self, db: Database, log_name: str, tree: LogTree) -> None:
        self._db: Database | None = db
        self._log_name = log_name
        self._tree = tree

    @property
    def db(self) -> Any:
        """The sqlite-utils `Database`, for a package's own tables."""
        if self._db is None:
            raise RuntimeError("The block that this reader was made in has ended.")
        return self._db

    def get(self, digest: Digest, cls: type[R]) -> R:
        """The record with that digest. Raises `NotFound` (also when it is of another kind), `Damaged`, `NewerVault`."""
        record, _ = record_from(self.raw(digest, cls), cls)
        if record.version > newest(cls):
            raise NewerVault(
                vault="This vault", package=f"the record {kind(cls)}", found=record.version, known=newest(cls)
            )
        return record

    def raw(self, digest: Digest, cls: type[Record] | None = None) -> bytes:
        """A record's canonical bytes, nonce included: what its digest is the SHA-256 of. Raises `NotFound`, `Damaged`."""
        row = self.db.execute("SELECT kind, content FROM records WHERE digest = ?", (digest,)).fetchone()
        wanted = "record" if cls is None else kind(cls)
        if row is None or (cls is not None and row[0] != wanted):
            raise NotFound(kind=wanted, name=digest, step=tombstones.why_absent(self.db, digest))
        content = bytes(row[1])
        if digest_of(content) != digest:
            raise Damaged(
                source=f"Record {digest}",
                problem="differs from what was recorded. Run `assay vault check` and restore a backup.",
            )
        return content

    def find(self, of: str | type[Record]) -> list[Digest]:
        """All records of a kind, oldest first."""
        name = of if isinstance(of, str) else kind(of)
        rows = self.db.execute("SELECT digest FROM records WHERE kind = ? ORDER BY seq", (name,))
        return [Digest(digest) for (digest,) in rows]

    def kind(self, digest: Digest) -> str:
        """The kind of a record, or "blob". Raises `NotFound`."""
        row = self.db.execute("SELECT kind FROM records WHERE digest = ?", (digest,)).fetchone()
        if row is not None:
            return str(row[0])
        if blobs.exists(self.db, digest):
            return "blob"
        raise NotFound(kind="record", name=digest, step=tombstones.why_absent(self.db, digest))

    def blob(self, digest: Digest) -> bytes:
        """The whole content of a blob. Raises `NotFound`, `Damaged`."""
        return b"".join(blobs.stream(self.db, digest))

    def stream(self, digest: Digest) -> Iterator[bytes]:
        """A blob in pieces of a MiB. Raises `NotFound`, and `Damaged` after the last piece: what was read before is not to be used."""
        for piece in blobs.stream(self.db, digest):
            yield piece
            self.db  # noqa: B018 (raises when the block ended in between)

    def blob_size(self, digest: Digest) -> int:
        """Bytes of a blob's content. Raises `NotFound`."""
        return blobs.size(self.db, digest)

    def links(self, digest: Digest) -> tuple[Digest, ...]:
        """What a record was made from, in the order in which it was put."""
        rows = self.db.execute("SELECT target FROM links WHERE source = ? ORDER BY position", (digest,))
        return tuple(Digest(target) for (target,) in rows)

    def linked_from(self, digest: Digest) -> tuple[Digest, ...]:
        """The records that were made from this record or blob, oldest first."""
        rows = self.db.execute(
            "SELECT DISTINCT r.digest, r.seq FROM links l JOIN records r ON r.digest = l.source WHERE l.target = ? ORDER BY r.seq",
            (digest,),
        )
        return tuple(Digest(source) for source, _ in rows)

    def author(self, digest: Digest) -> str:
        """The user who put a record. Raises `NotFound`."""
        row = self.db.execute("SELECT author FROM records WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise NotFound(kind="record", name=digest, step=tombstones.why_absent(self.db, digest))
        return str(row[0])

    def authors(self, digest: Digest) -> tuple[str, ...]:
        """Who may not approve a record: the user who put it, then those who signed it as authored."""
        signed = [signature.user for signature in self.signatures(digest) if signature.meaning == "authored"]
        return tuple(dict.fromkeys((self.author(digest), *signed)))

    def signatures(self, digest: Digest) -> tuple[Signature, ...]:
        """The signatures on a record, oldest first."""
        rows = self.db.execute(
            "SELECT r.digest FROM links l JOIN records r ON r.digest = l.source"
            " WHERE l.target = ? AND l.position = 0 AND r.kind = ? ORDER BY r.seq",
            (digest, kind(Signature)),
        ).fetchall()
        return tuple(self.get(Digest(found), Signature) for (found,) in rows)

    def log(self, limit: int = 100, after: int = -1) -> list[LogEntry]:
        """Up to `limit` entries of the audit log with an index above `after`, oldest first. Raises `Damaged`."""
        return log.entries(self.db, limit, after)

    def log_bytes(self, index: int) -> bytes:
        """The canonical bytes of one entry, the leaf that an inclusion proof speaks of. Raises `NotFound`, `Damaged`."""
        return log.content(self.db, index)

    @property
    def log_size(self) -> int:
        """Entries in the audit log."""
        return log.size(self.db)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the log's first `size` entries: hashes, leaf's side first (RFC 9162, 2.1.3)."""
        self._within(index + 1, size)
        return self._tree.inclusion(self.db, index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log's first `new` entries begin with its first `old` ones (RFC 9162, 2.1.4)."""
        self._within(max(old, 1), new)
        return self._tree.consistency(self.db, old, new)

    def checkpoint(self) -> bytes:
        """The log's size and root in a signed note (C2SP), by the vault's log key."""
        return log.checkpoint(self.db, self._log_name, self._tree)

    def end(self) -> None:
        """No reading after this."""
        self._db = None

    def _within(self, first: int, last: int) -> None:
        if not 0 <= first <= last <= self.log_size:
            raise NotFound(
                kind="log entry", name=f"{first} of {last}", step=f"The log has {self.log_size} entries, from 0."
            )


class Unit(Reader):
    """One change: everything in it commits together, with its log entry, or not at all."""

    def __init__(self, db: Database, log_name: str, tree: LogTree, user: User, act: Act) -> None:
        super().__init__(db, log_name, tree)
        self.user = user
        self.act = act
        self.time = now()
        self._objects: list[Digest] = []
        self._others: list[Digest] = []
        self._touched: dict[Digest, None] = {}
        self._before: list[str] = []
        self._after: list[str] = []
        self._rows: tuple[int, int] | None = None

    def put(self, record: Record, links: Iterable[Digest] = ()) -> Digest:
        """Keep a record that was made from `links` (records or blobs of this vault); its digest. Raises `NotFound` for a link."""
        content = record_bytes(record, new_nonce())
        digest = digest_of(content)
        row = self.db.conn.execute(
            "INSERT INTO records(digest, kind, author, time, content) VALUES (?, ?, ?, ?, ?)",
            (digest, kind(record), self.user.user, self.time, content),
        ).lastrowid
        first, last = self._rows or (row, row)
        self._rows = min(first, row), max(last, row)
        for position, target in enumerate(links):
            self.kind(target)
            self.db.execute("INSERT INTO links VALUES (?, ?, ?)", (digest, position, target))
        self._objects.append(digest)
        return digest

    def seal(self, parts: Iterable[bytes]) -> Digest:
        """Keep content of any size, given in parts of any size; its digest, the SHA-256 of the whole. The same content is kept once."""
        if isinstance(parts, bytes | bytearray | memoryview):
            parts = (bytes(parts),)
        digest, logged = blobs.store(self.db, parts)
        if logged is not None:
            self._objects.append(logged)
            self._others.append(logged)
        return digest

    def note(self, before: str = "", after: str = "", touched: Iterable[Digest] = ()) -> None:
        """Say in the log entry what the change replaced and what stands there now, each in a short word that is not confidential or
        in a digest, and which records or blobs of this vault it was about without making them. May be called for each part of a change."""
        for said, kept in ((before, self._before), (after, self._after)):
            if said:
                kept.append(said if len(said) <= LONGEST_NOTE else f"{said[: LONGEST_NOTE - 1]}…")
        self._touched.update((log_index.logged_name(self.db, digest), None) for digest in touched)

    def sign(self, signer: Signer, subject: Digest, name: str, meaning: str, reason: str, nonce: str = "") -> Signature:
        """Sign a record or a blob as the person who confirmed; `name` is what the subject is called, `nonce` what somebody asked to find in it.

        The signature covers the envelopes of all earlier signatures on the subject. Raises `Refused`, `NotFound`, `Damaged`.
        """
        act = f"Sign {name} as {meaning}"
        if signer.user.user != self.user.user:
            raise Refused(
                act=act,
                reason=f"This vault is open for {self.user.user}; {signer.user.user} signs in their own session.",
            )
        if self.kind(subject) == "blob":
            for _ in self.stream(subject):
                pass
        else:
            self.raw(subject)
            if meaning == "approved" and signer.user.user in self.authors(subject):
                raise Refused(act=act, reason="Nobody approves their own work: ask another reviewer.")
        size, root = self._tree.root(self.db)
        state = statements.LogState(origin=self._log_name, size=size, root=Digest(root.hex()))
        about = statements.Subject(name=name, digest=subject)
        signature = new_signature(signer, about, meaning, reason, self.time, self.signatures(subject), state, nonce)
        self.put(signature, links=(subject,))
        self.note(touched=(subject,))
        return signature

    def finish(self, about: str, reason: str) -> None:
        """Append the log entry; called once, by the vault, before the commit."""
        made = frozenset(self._objects)
        log.append(
            self.db,
            user=self.user.user,
            time=self.time,
            act=self.act,
            about=about,
            reason=reason,
            objects=self._objects,
            touched=[digest for digest in self._touched if digest not in made],
            before="; ".join(self._before),
            after="; ".join(self._after),
            rows=self._rows,
            others=self._others,
        )
