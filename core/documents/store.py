"""The tables of collections, documents, pages, chunks, vectors and words: how they are made, filled and emptied.

`passages` reads what is found and cited, `history` the versions of documents.

Rules: a chunk's number is never used twice, so that an index may hold it as an opaque id; vectors and words are there for the documents that are
current in their collection only, while pages and chunks of an earlier version stay, because answers cite them. Each collection has a full-text
index of its own: what is found in one never depends on another. `generation` counts the changes of what is current.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from core.documents import places, rectangles, vectors
from core.documents.chunking import Cut
from core.documents.records import Chunking, Collection, Document
from core.documents.worker.records import READER, Parsed
from core.errors import BadInput, NotFound
from core.models.records import ModelFile
from core.records import Digest, now
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit

Matrix = vectors.Matrix
FLOAT: Final = vectors.FLOAT
chunk_ids = vectors.chunk_ids
FIRST_ROUTE: Final = "llama.cpp"
"""What computed the vectors of collections that don't say."""
TOKENIZER: Final = "tokenize = 'porter unicode61 remove_diacritics 2'"
"""Of the full-text indexes."""


def _first(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE collections(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            embedder TEXT NOT NULL,
            embedder_name TEXT NOT NULL,
            dimensions INTEGER NOT NULL,
            chunking TEXT NOT NULL,
            generation INTEGER NOT NULL DEFAULT 0) STRICT;
        CREATE TABLE documents(
            id INTEGER PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,
            collection INTEGER NOT NULL REFERENCES collections(id),
            name TEXT NOT NULL,
            content TEXT NOT NULL,
            pages INTEGER NOT NULL,
            current INTEGER NOT NULL) STRICT;
        CREATE UNIQUE INDEX documents_by_name ON documents(collection, name) WHERE current = 1;
        CREATE INDEX documents_by_content ON documents(collection, content) WHERE current = 1;
        CREATE TABLE pages(
            document INTEGER NOT NULL REFERENCES documents(id), number INTEGER NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY(document, number)) STRICT, WITHOUT ROWID;
        CREATE TABLE chunks(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            document INTEGER NOT NULL REFERENCES documents(id),
            page INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
            text TEXT NOT NULL, heading TEXT NOT NULL, rects BLOB NOT NULL) STRICT;
        CREATE INDEX chunks_by_document ON chunks(document);
        CREATE TABLE vectors(
            chunk INTEGER PRIMARY KEY REFERENCES chunks(id),
            collection INTEGER NOT NULL,
            vector BLOB NOT NULL) STRICT;
        CREATE INDEX vectors_by_collection ON vectors(collection, chunk);
        """
    )


def _when_retired(db: Database) -> None:
    db.execute("ALTER TABLE documents ADD COLUMN retired TEXT NOT NULL DEFAULT ''")
    db.execute("UPDATE documents SET retired = ? WHERE current = 0", (now(),))


def _with_route(db: Database) -> None:
    db.execute("ALTER TABLE collections ADD COLUMN route TEXT NOT NULL DEFAULT ''")


def _with_places(db: Database) -> None:
    db.execute("ALTER TABLE pages ADD COLUMN label TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE pages ADD COLUMN places BLOB NOT NULL DEFAULT x''")


def _vectors_in_blocks(db: Database) -> None:
    vectors.create_table(db)
    vectors.take_over(db)


def _with_tags(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE document_tags(
            collection INTEGER NOT NULL REFERENCES collections(id), name TEXT NOT NULL, tag TEXT NOT NULL,
            PRIMARY KEY(collection, name, tag)) STRICT, WITHOUT ROWID;
        """
    )


def _with_readers(db: Database) -> None:
    db.execute("ALTER TABLE documents ADD COLUMN reader INTEGER NOT NULL DEFAULT 1")


SCHEMA = Migrations(
    "documents", (_first, _when_retired, _with_route, _with_places, _vectors_in_blocks, _with_tags, _with_readers)
)


@dataclass(frozen=True)
class Kept:
    """A collection as its table has it."""

    id: int
    name: str
    embedder: Digest
    embedder_name: str
    dimensions: int
    chunking: Chunking
    generation: int
    route: str = ""
    """What computed its vectors; empty where that was not kept yet."""


def find(reader: Reader, name: str) -> Kept | None:
    """The collection of that name."""
    row = reader.db.execute(
        "SELECT id, name, embedder, embedder_name, dimensions, chunking, generation, route FROM collections WHERE name = ?",
        (name,),
    ).fetchone()
    if row is None:
        return None
    return Kept(
        id=int(row[0]),
        name=row[1],
        embedder=Digest(row[2]),
        embedder_name=row[3],
        dimensions=int(row[4]),
        chunking=msgspec.json.decode(row[5], type=Chunking),
        generation=int(row[6]),
        route=row[7],
    )


def get(reader: Reader, name: str) -> Kept:
    """The collection of that name. Raises `NotFound`."""
    found = find(reader, name)
    if found is None:
        raise NotFound(
            kind="collection", name=name, step="`assay documents list` shows the known ones; adding a file makes one."
        )
    return found


def create(
    unit: Unit, name: str, embedder: Digest, embedder_name: str, dimensions: int, chunking: Chunking, route: str = ""
) -> None:
    """A new, empty collection."""
    made = unit.db.execute(
        "INSERT INTO collections(name, embedder, embedder_name, dimensions, chunking, route) VALUES (?, ?, ?, ?, ?, ?)",
        (name, embedder, embedder_name, dimensions, msgspec.json.encode(chunking).decode(), route),
    )
    _create_words(unit, int(made.lastrowid))


def check_route(kept: Kept, route: str) -> None:
    """Raise `BadInput` when a collection's vectors were computed in another way than `route` would now."""
    if (kept.route or FIRST_ROUTE) != (route or FIRST_ROUTE):
        raise outdated(
            kept.name,
            f"its vectors were computed by {kept.route or FIRST_ROUTE}, and {route or FIRST_ROUTE} would compute others; "
            "they can't be compared.",
        )


def outdated(collection: str, problem: str) -> BadInput:
    """What to say of a collection that can't be used as it was made: with the offer to make it anew."""
    return BadInput(
        source=collection,
        problem=f"{problem} `assay documents rebuild {shlex.quote(collection)}` makes it anew from the documents in the vault.",
    )


def _create_words(unit: Unit, collection: int) -> None:
    unit.db.execute(
        f"CREATE VIRTUAL TABLE {words_table(collection)} USING fts5("
        f"heading, text, content = '', contentless_delete = 1, {TOKENIZER})"
    )


def words_table(collection: int) -> str:
    """The name of a collection's full-text table."""
    return f"words_{collection:d}"


def collections(reader: Reader) -> tuple[Collection, ...]:
    """All of them, by name, with what is current in them."""
    rows = reader.db.execute(
        "SELECT c.name, c.embedder, c.embedder_name, c.chunking,"
        " (SELECT count(*) FROM documents d WHERE d.collection = c.id AND d.current),"
        " (SELECT coalesce(sum(d.pages), 0) FROM documents d WHERE d.collection = c.id AND d.current),"
        " (SELECT coalesce(sum(v.count), 0) FROM vector_blocks v WHERE v.collection = c.id),"
        " (SELECT count(*) FROM documents d WHERE d.collection = c.id AND d.current AND d.reader < ?)"
        " FROM collections c ORDER BY c.name",
        (READER,),
    ).fetchall()
    return tuple(
        Collection(
            name=name,
            embedder=Digest(embedder),
            embedder_name=embedder_name,
            chunking=msgspec.json.decode(chunking, type=Chunking),
            documents=int(documents),
            pages=int(pages),
            chunks=int(chunks),
            older=int(older),
        )
        for name, embedder, embedder_name, chunking, documents, pages, chunks, older in rows
    )


def uses_of(reader: Reader, model: ModelFile) -> list[str]:
    """The collections whose vectors a model made, each as the end of a sentence."""
    rows = reader.db.execute("SELECT name FROM collections WHERE embedder = ? ORDER BY name", (model.digest,))
    return [f"the collection {name} is searched with it" for (name,) in rows.fetchall()]


def has_content(reader: Reader, collection: int, content: Digest) -> bool:
    """Whether a current document of the collection has exactly these bytes."""
    row = reader.db.execute(
        "SELECT 1 FROM documents WHERE collection = ? AND content = ? AND current = 1", (collection, content)
    ).fetchone()
    return row is not None


def has_name(reader: Reader, collection: int, name: str) -> bool:
    """Whether a current document of the collection goes by this name."""
    row = reader.db.execute(
        "SELECT 1 FROM documents WHERE collection = ? AND name = ? AND current = 1", (collection, name)
    ).fetchone()
    return row is not None


def current(reader: Reader, collection: int) -> tuple[Digest, ...]:
    """The documents of a collection, by name."""
    rows = reader.db.execute(
        "SELECT digest FROM documents WHERE collection = ? AND current = 1 ORDER BY name", (collection,)
    ).fetchall()
    return tuple(Digest(digest) for (digest,) in rows)


def tags(reader: Reader, collection: int) -> dict[str, tuple[str, ...]]:
    """The tags of the documents of a collection that are searched and have some, by name."""
    rows = reader.db.execute(
        "SELECT d.name, t.tag FROM document_tags t JOIN documents d ON d.collection = t.collection AND d.name = t.name"
        " AND d.current = 1 WHERE t.collection = ? ORDER BY d.name, t.tag",
        (collection,),
    ).fetchall()
    found: dict[str, tuple[str, ...]] = {}
    for name, tag in rows:
        found[str(name)] = (*found.get(str(name), ()), str(tag))
    return found


def set_tags(unit: Unit, collection: int, name: str, tags: Iterable[str]) -> None:
    """Give a document these tags and no others."""
    unit.db.execute("DELETE FROM document_tags WHERE collection = ? AND name = ?", (collection, name))
    unit.db.conn.executemany("INSERT INTO document_tags VALUES (?, ?, ?)", [(collection, name, tag) for tag in tags])
    _changed(unit, collection)


def insert(
    unit: Unit,
    collection: Kept,
    digest: Digest,
    document: Document,
    parsed: Parsed,
    cuts: Sequence[Cut],
    matrix: Matrix,
) -> None:
    """Make a document, with its chunks, current in its collection, in place of the one of the same name."""
    db = unit.db
    for (earlier,) in db.execute(
        "SELECT digest FROM documents WHERE collection = ? AND name = ? AND current = 1", (collection.id, document.name)
    ).fetchall():
        retire(unit, Digest(earlier))
    row = db.execute(
        "INSERT INTO documents(digest, collection, name, content, pages, current, reader) VALUES (?, ?, ?, ?, ?, 1, ?)",
        (digest, collection.id, document.name, document.content, document.pages, parsed.reader),
    ).lastrowid
    db.conn.executemany(
        "INSERT INTO pages(document, number, text, label, places) VALUES (?, ?, ?, ?, ?)",
        [(row, page.number, page.text, page.label, places.packed(page.places)) for page in parsed.pages],
    )
    words = words_table(collection.id)
    chunks = []
    for cut in cuts:
        chunk = db.execute(
            'INSERT INTO chunks(document, page, start, "end", text, heading, rects) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (row, cut.page, cut.start, cut.end, cut.shown, cut.heading, rectangles.packed(cut.rects)),
        ).lastrowid
        db.execute(f"INSERT INTO {words}(rowid, heading, text) VALUES (?, ?, ?)", (chunk, cut.heading, cut.shown))
        chunks.append(int(chunk))
    vectors.insert(unit, collection.id, int(row), chunks, matrix)
    _changed(unit, collection.id)


def retire(unit: Unit, digest: Digest) -> None:
    """Take a document out of what is searched; its pages and chunks stay for those who cite it. Raises `NotFound`."""
    found = unit.db.execute(
        "SELECT id, collection FROM documents WHERE digest = ? AND current = 1", (digest,)
    ).fetchone()
    if found is None:
        raise missing(digest)
    row, collection = int(found[0]), int(found[1])
    chunks = unit.db.execute("SELECT id FROM chunks WHERE document = ?", (row,)).fetchall()
    unit.db.conn.executemany(f"DELETE FROM {words_table(collection)} WHERE rowid = ?", chunks)
    vectors.remove(unit, row)
    unit.db.execute("UPDATE documents SET current = 0, retired = ? WHERE id = ?", (unit.time, row))
    _changed(unit, collection)


def erase(unit: Unit, digests: Sequence[Digest]) -> None:
    """Take documents out of every table, with pages, chunks and vectors.

    The full-text index of their collections is made anew from what is left: it would keep the words of what is deleted until it
    happens to merge them away."""
    db = unit.db
    touched = set()
    for digest in digests:
        row, collection = db.execute("SELECT id, collection FROM documents WHERE digest = ?", (digest,)).fetchone()
        vectors.remove(unit, row)
        for statement in (
            "DELETE FROM chunks WHERE document = ?",
            "DELETE FROM pages WHERE document = ?",
            "DELETE FROM documents WHERE id = ?",
        ):
            db.execute(statement, (row,))
        touched.add(int(collection))
    for collection in touched:
        words = words_table(collection)
        # FTS5's own 'delete-all' leaves other connections with pages that are gone ("corruption found").
        db.execute(f"DROP TABLE {words}")
        _create_words(unit, collection)
        db.execute(
            f"INSERT INTO {words}(rowid, heading, text) SELECT c.id, c.heading, c.text"
            " FROM documents d JOIN chunks c ON c.document = d.id WHERE d.collection = ? AND d.current = 1 ORDER BY c.id",
            (collection,),
        )
        _changed(unit, collection)


def missing(digest: str) -> NotFound:
    """The error for a document that isn't there."""
    return NotFound(kind="document", name=digest, step="It was never added to this vault, or was removed.")


def _changed(unit: Unit, collection: int) -> None:
    unit.db.execute("UPDATE collections SET generation = generation + 1 WHERE id = ?", (collection,))
