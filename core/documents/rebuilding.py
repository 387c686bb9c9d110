"""A collection is made anew from the documents in the vault: with another embedder, cut otherwise, or by this version of the program.

Rules:

1. Until all is ready the collection is searched as it was. Each document that is read, cut and embedded anew is laid by, in one transaction; then
   all of them take the places of the earlier ones in one more. So a rebuild that stopped anywhere, by a crash or power loss too, goes on where it
   was, and what was added or removed in the meantime is found by comparing.
2. A vector is computed again only where embedder, route, heading or text differ. A document of which pages, passages and vectors all stay keeps
   its place; every other becomes a new version, with passages of new numbers, and the earlier one stays for the answers that cite it.
3. A document that can't be read again (its password isn't given) holds the rebuild up, until it is left out.
4. What was redacted in a document is redacted again.
5. What is laid by goes with its document when that is erased, and with the rebuild.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Final, NamedTuple

import msgspec
import numpy as np

from core.documents import cutting, ocr, places, preparing, store, vectors
from core.documents.chunking import Cut
from core.documents.reading import Reader as DocumentReader
from core.documents.reading import ahead
from core.documents.records import Chunking, CuttingChoice, Document, Refusal
from core.documents.screening.again import Redactions
from core.documents.service import Documents
from core.documents.worker.records import READER, Parsed
from core.errors import BadInput, Changed, NotFound, Unavailable
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import ModelFile
from core.records import Digest, Record, now
from core.vault.backup import required
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

LEFT_OUT: Final = "it couldn't be read again when its collection was rebuilt"


def _first(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE rebuilds(
            collection INTEGER PRIMARY KEY REFERENCES collections(id), plan BLOB NOT NULL) STRICT;
        CREATE TABLE rebuilt(
            document INTEGER PRIMARY KEY REFERENCES documents(id) ON DELETE CASCADE,
            collection INTEGER NOT NULL, parsed BLOB, cuts BLOB NOT NULL, vectors BLOB NOT NULL) STRICT;
        CREATE INDEX rebuilt_by_collection ON rebuilt(collection, document);
        """
    )


SCHEMA = Migrations("rebuilding", (_first,))
"""What collections are being made anew with, and the documents that are ready; `parsed` is NULL where a document stays as it is."""


class Rebuild(Record, frozen=True, kw_only=True):
    """Make a collection anew. What isn't given stays: as a rebuild that was begun has it, or the collection."""

    collection: str
    embedder: str = ""
    size: int | None = None
    """Tokens up to which a passage is filled."""
    overlap: int | None = None
    """The longest sentence, in tokens, that is repeated where a paragraph is cut."""
    strategy: str = ""
    leave_out: bool = False
    """Take what can't be read again out of the collection."""
    older: bool = False
    """Read only what an older version of the program read; the rest stays as it is, and so do embedder and cutting."""


class Plan(Record, frozen=True, kw_only=True):
    """What a collection is made anew with."""

    embedder: Digest
    embedder_name: str
    dimensions: int
    route: str
    chunking: Chunking
    reader: int = 1
    """What reads the documents; what another one read isn't taken over."""
    older: bool = False
    """Whether only what an older one read is read."""


class Rebuilt(Record, frozen=True, kw_only=True):
    """What came of a rebuild."""

    collection: str
    plan: Plan
    done: bool
    """Whether the collection is searched anew; not while documents hold it up."""
    documents: int
    """Made anew, now or before."""
    unchanged: int
    """Documents that stay as they are."""
    embedded: int
    """Passages whose vectors were computed now."""
    refused: tuple[Refusal, ...]
    left_out: int
    seconds: float


class _Current(NamedTuple):
    row: int
    digest: Digest
    document: Document


class _Old(NamedTuple):
    """A document as it is searched now."""

    pages: list[tuple[int, str, str, bytes]]
    chunks: list[tuple[int, int, int, str, str]]
    matrix: store.Matrix


class Rebuilding:
    """Makes the collections of one open vault anew."""

    def __init__(self, vault: Vault, supervisor: Supervisor, engine: Engine, documents: Documents) -> None:
        self._vault = vault
        self._supervisor = supervisor
        self._engine = engine
        self._documents = documents

    def pending(self, collection: str) -> Plan | None:
        """What a collection is being made anew with, where that isn't finished. Raises `NotFound`."""
        with self._vault.read() as reader:
            return _plan(reader, store.get(reader, collection).id)

    def give_up(self, collection: str) -> None:
        """Drop what was made anew so far; the collection stays as it was. Raises `NotFound`, `Refused`."""
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}: rebuilding given up") as unit:
            _drop(unit, store.get(unit, collection).id)

    def rebuild(self, request: Rebuild, job: Job, passwords: Sequence[str] = ()) -> Rebuilt:
        """Begin, or go on, and finish. Progress in documents. `passwords` are tried on what is encrypted, and kept nowhere.

        Raises `NotFound` (the collection), `Unavailable` (no such embedder), `BadInput` (size or overlap that can't be, a redaction that can't be
        repeated), `Refused`, `DiskFull`, `WorkerFailed`, `Cancelled`."""
        started = time.monotonic()
        name = request.collection
        required(self._vault, Act.ADD_DOCUMENTS, name)
        plan = self._begin(request, job)
        reading = DocumentReader(self._supervisor, lambda _: False, tuple(passwords), ocr.find())
        embedded = left_out = 0
        while True:
            refused: list[tuple[_Current, Refusal]] = []
            kept, missing, size = self._missing(name)
            redactions = Redactions(self._vault, name)
            tasks = (partial(self._read, reading, one.document) for one in missing)
            with closing(ahead(tasks, job)) as all_read:
                for at, (one, parsed) in enumerate(zip(missing, all_read, strict=False)):
                    job.report(size - len(missing) + at, size, "documents")
                    if isinstance(parsed, Refusal):
                        refused.append((one, parsed))
                        continue
                    try:
                        embedded += self._lay_by(kept, plan, one, redactions, parsed, job)
                    except BadInput as error:
                        refused.append((one, Refusal(file=one.document.name, reason=str(error))))
            if request.leave_out:
                for one, _ in refused:
                    self._documents.remove(one.digest, LEFT_OUT)
                left_out += len(refused)
                refused = []
            counted = None if refused else self._take_over(name, plan)
            if refused or counted is not None:
                break
        if counted is not None:
            job.report(size, size, "documents")
        anew, unchanged = counted or (0, 0)
        return Rebuilt(
            collection=name,
            plan=plan,
            done=counted is not None,
            documents=anew,
            unchanged=unchanged,
            embedded=embedded,
            refused=tuple(why for _, why in refused),
            left_out=left_out,
            seconds=time.monotonic() - started,
        )

    def _begin(self, request: Rebuild, job: Job) -> Plan:
        """What the collection is made anew with; kept, and what was made with something else is dropped."""
        with self._vault.read() as reader:
            kept = store.get(reader, request.collection)
            begun = _plan(reader, kept.id)
        embedder = self._embedder(request, begun, kept)
        plan = Plan(
            embedder=embedder.digest,
            embedder_name=embedder.name,
            dimensions=embedder.dimensions,
            route=self._engine.route(embedder.digest, job),
            chunking=cutting.rules(
                CuttingChoice(strategy=request.strategy, size=request.size, overlap=request.overlap),
                begun.chunking if begun is not None else kept.chunking,
                preparing.room(self._engine, embedder),
            ),
            reader=READER,
            older=request.older,
        )
        if request.older:
            _check_same(kept, plan)
        if plan != begun:
            with self._vault.write(Act.ADD_DOCUMENTS, about=f"{request.collection} is rebuilt") as unit:
                _drop(unit, kept.id)
                unit.db.execute("INSERT INTO rebuilds VALUES (?, ?)", (kept.id, msgspec.msgpack.encode(plan)))
        if request.older:
            with self._vault.write(
                Act.ADD_DOCUMENTS, about=f"{request.collection}: what was read lately stays"
            ) as unit:
                _stay(unit, kept.id)
        return plan

    def _embedder(self, request: Rebuild, begun: Plan | None, kept: store.Kept) -> ModelFile:
        """The one asked for, or that of the rebuild that was begun, or the collection's own where it is here, or that for new collections."""
        if request.embedder:
            return self._documents.embedder(request.embedder)
        for digest in (*((begun.embedder,) if begun is not None else ()), kept.embedder):
            try:
                self._engine.route(digest)
                return self._documents.embedder(digest)
            except (NotFound, Changed, Unavailable):
                continue
        return self._documents.embedder()

    def _missing(self, name: str) -> tuple[store.Kept, list[_Current], int]:
        """The collection, its documents that aren't ready, and how many it has."""
        with self._vault.read() as reader:
            kept = store.get(reader, name)
            ready = {
                row for (row,) in reader.db.execute("SELECT document FROM rebuilt WHERE collection = ?", (kept.id,))
            }
            found = _current(reader, kept.id)
        return kept, [one for one in found if one.row not in ready], len(found)

    def _read(self, reading: DocumentReader, document: Document, job: Job) -> Parsed | Refusal:
        with self._vault.read() as reader:
            data = reader.blob(document.content)
        return reading.read_again(document.name, data, job)

    def _lay_by(
        self, kept: store.Kept, plan: Plan, one: _Current, redactions: Redactions, parsed: Parsed, job: Job
    ) -> int:
        """Cut, embed and lay by a document; how many passages were embedded. Raises `BadInput`."""
        name = one.document.name
        parsed = msgspec.structs.replace(redactions.apply(name, one.document.content, parsed), inside=(), hidden=())
        with self._vault.read() as reader:
            old = _old(reader, one.row, kept.dimensions)
        pages = [(page.number, page.text, page.label, places.packed(page.places)) for page in parsed.pages]
        if redactions.screened and [page[1] for page in pages] != [page[1] for page in old.pages]:
            raise BadInput(
                source=name,
                problem="it is read otherwise than before, and this collection is screened. Add its file again.",
            )
        embedder = self._documents.embedder(plan.embedder)
        cuts = preparing.cut(self._engine, parsed, plan.chunking, plan.embedder, job)
        known = _known(kept, plan, old)
        matrix = preparing.embed(self._engine, cuts, embedder, job, known)
        stays = (
            bool(known or not cuts)
            and pages == old.pages
            and [(cut.page, cut.start, cut.end, cut.shown, cut.heading) for cut in cuts] == old.chunks
        )
        row = (
            one.row,
            kept.id,
            None if stays else msgspec.msgpack.encode(parsed),
            b"" if stays else msgspec.msgpack.encode(cuts),
            b"" if stays else matrix.astype(store.FLOAT).tobytes(),
        )
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{kept.name}/{name}, made anew") as unit:
            if unit.db.execute("SELECT 1 FROM documents WHERE id = ?", (one.row,)).fetchone() is not None:
                unit.db.execute("INSERT OR REPLACE INTO rebuilt VALUES (?, ?, ?, ?, ?)", row)
                if stays:
                    unit.db.execute("UPDATE documents SET reader = ? WHERE id = ?", (parsed.reader, one.row))
        return sum((cut.heading, cut.shown) not in known for cut in cuts)

    def _take_over(self, name: str, plan: Plan) -> tuple[int, int] | None:
        """Put what was made anew in its place, all at once: how many documents, and how many stay. None where one is missing by now."""
        with self._vault.read() as reader:
            if not _ready(reader, store.get(reader, name).id, plan):
                return None
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{name} is searched anew") as unit:
            kept = store.get(unit, name)
            if not _ready(unit, kept.id, plan):
                return None
            current = _current(unit, kept.id)
            anew = [one for one in current if not _stays(unit, one.row)]
            for one in anew:
                store.retire(unit, one.digest)
            unit.db.execute(
                "UPDATE collections SET embedder = ?, embedder_name = ?, dimensions = ?, route = ?, chunking = ?,"
                " generation = generation + 1 WHERE id = ?",
                (
                    plan.embedder,
                    plan.embedder_name,
                    plan.dimensions,
                    plan.route,
                    msgspec.json.encode(plan.chunking).decode(),
                    kept.id,
                ),
            )
            made = store.get(unit, name)
            for one in anew:
                _put(unit, made, one)
            _drop(unit, kept.id)
            unit.note(before=kept.embedder_name, after=plan.embedder_name)
        return len(anew), len(current) - len(anew)


def _check_same(kept: store.Kept, plan: Plan) -> None:
    """Raise `BadInput` where documents that aren't read again would be cut or embedded otherwise."""
    made = (kept.embedder, kept.route or store.FIRST_ROUTE, kept.chunking)
    if made != (plan.embedder, plan.route or store.FIRST_ROUTE, plan.chunking):
        raise store.outdated(kept.name, "it would be made otherwise now, so all of it has to be read again.")


def _stay(unit: Unit, collection: int) -> None:
    """Lay by, as it is, what this version of the program read."""
    unit.db.execute(
        "INSERT OR IGNORE INTO rebuilt SELECT id, collection, NULL, x'', x'' FROM documents"
        " WHERE collection = ? AND current = 1 AND reader >= ?",
        (collection, READER),
    )


def _put(unit: Unit, made: store.Kept, one: _Current) -> None:
    """Make the new version of a document current."""
    packed, packed_cuts, packed_vectors = unit.db.execute(
        "SELECT parsed, cuts, vectors FROM rebuilt WHERE document = ?", (one.row,)
    ).fetchone()
    parsed = msgspec.msgpack.decode(packed, type=Parsed)
    cuts = msgspec.msgpack.decode(packed_cuts, type=list[Cut])
    matrix = np.frombuffer(packed_vectors, dtype=store.FLOAT).reshape(len(cuts), made.dimensions)
    document = msgspec.structs.replace(
        one.document,
        pages=len(parsed.pages),
        pages_without_text=sum(page.textless for page in parsed.pages),
        title=parsed.title or PurePosixPath(one.document.name).stem,
        added=_later(one.document.added),
    )
    digest = unit.put(document, links=(document.content,))
    store.insert(unit, made, digest, document, parsed, cuts, matrix)


def _later(added: str) -> str:
    """Now, or a second after the earlier version where that was made in this second: the two differ by that alone."""
    time = now()
    return (
        time if time != added else (datetime.fromisoformat(time) + timedelta(seconds=1)).isoformat(timespec="seconds")
    )


def _known(kept: store.Kept, plan: Plan, old: _Old) -> dict[tuple[str, str], store.Matrix]:
    """The vectors that stay what they are, by heading and text: of the same embedder, of what was embedded by the same rules."""
    before, after = kept.chunking, plan.chunking
    if (kept.embedder, kept.route or store.FIRST_ROUTE) != (plan.embedder, plan.route or store.FIRST_ROUTE):
        return {}
    if (before.headings, before.limit, before.version) != (after.headings, after.limit, after.version):
        return {}
    return {(heading, text): row for (_, _, _, text, heading), row in zip(old.chunks, old.matrix, strict=True)}


def _old(reader: Reader, row: int, dimensions: int) -> _Old:
    pages = reader.db.execute(
        "SELECT number, text, label, places FROM pages WHERE document = ? ORDER BY number", (row,)
    )
    chunks = reader.db.execute(
        'SELECT page, start, "end", text, heading FROM chunks WHERE document = ? ORDER BY id', (row,)
    )
    return _Old(
        [(int(number), text, label, bytes(packed)) for number, text, label, packed in pages.fetchall()],
        [(int(page), int(start), int(end), text, heading) for page, start, end, text, heading in chunks.fetchall()],
        vectors.of_document(reader, row, dimensions),
    )


def _current(reader: Reader, collection: int) -> list[_Current]:
    rows = reader.db.execute(
        "SELECT id, digest FROM documents WHERE collection = ? AND current = 1 ORDER BY name", (collection,)
    ).fetchall()
    return [_Current(int(row), Digest(digest), reader.get(Digest(digest), Document)) for row, digest in rows]


def _ready(reader: Reader, collection: int, plan: Plan) -> bool:
    """Whether every document is made anew, by this plan."""
    missing = reader.db.execute(
        "SELECT 1 FROM documents d WHERE d.collection = ? AND d.current = 1"
        " AND NOT EXISTS (SELECT 1 FROM rebuilt r WHERE r.document = d.id) LIMIT 1",
        (collection,),
    ).fetchone()
    return missing is None and _plan(reader, collection) == plan


def _stays(reader: Reader, row: int) -> bool:
    return bool(reader.db.execute("SELECT parsed IS NULL FROM rebuilt WHERE document = ?", (row,)).fetchone()[0])


def _plan(reader: Reader, collection: int) -> Plan | None:
    row = reader.db.execute("SELECT plan FROM rebuilds WHERE collection = ?", (collection,)).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=Plan)


def _drop(unit: Unit, collection: int) -> None:
    unit.db.execute("DELETE FROM rebuilt WHERE collection = ?", (collection,))
    unit.db.execute("DELETE FROM rebuilds WHERE collection = ?", (collection,))
