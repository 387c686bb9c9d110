"""A document goes by another name: a new version with the same pages, passages and vectors, of which nothing is read or embedded again."""

from core.documents import store, tagging, vectors
from core.documents.records import Document
from core.records import Digest
from core.vault.unit import Unit


def rename(unit: Unit, earlier: Digest, document: Document) -> Digest:
    """Make `document` current in place of `earlier`, whose bytes it has. The earlier version stays for those who cite it. Raises `NotFound`."""
    db = unit.db
    found = db.execute("SELECT id, name FROM documents WHERE digest = ? AND current = 1", (earlier,)).fetchone()
    if found is None:
        raise store.missing(earlier)
    collection = store.get(unit, document.collection)
    before = int(found[0])
    rows = db.execute(
        'SELECT page, start, "end", text, heading, rects FROM chunks WHERE document = ? ORDER BY id',
        (before,),
    ).fetchall()
    matrix = vectors.of_document(unit, before, collection.dimensions)
    store.retire(unit, earlier)
    digest = unit.put(document, links=(document.content,))
    after = db.execute(
        "INSERT INTO documents(digest, collection, name, content, pages, current, reader)"
        " SELECT ?, ?, ?, ?, ?, 1, reader FROM documents WHERE id = ?",
        (digest, collection.id, document.name, document.content, document.pages, before),
    ).lastrowid
    kept = [f'"{column}"' for _, column, *_ in db.execute("PRAGMA table_info(pages)") if column != "document"]
    columns = ", ".join(kept)
    db.execute(
        f"INSERT INTO pages(document, {columns}) SELECT ?, {columns} FROM pages WHERE document = ?", (after, before)
    )
    words = store.words_table(collection.id)
    chunks = []
    for page, start, end, text, heading, rects in rows:
        chunk = db.execute(
            'INSERT INTO chunks(document, page, start, "end", text, heading, rects) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (after, page, start, end, text, heading, rects),
        ).lastrowid
        db.execute(f"INSERT INTO {words}(rowid, heading, text) VALUES (?, ?, ?)", (chunk, heading, text))
        chunks.append(int(chunk))
    vectors.insert(unit, collection.id, int(after), chunks, matrix)
    tagging.follow(unit, collection.id, str(found[1]), document.name)
    return digest
