"""What is found and cited: the text of pages, the passages on them, and where each stands; of earlier versions too."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.documents import places, rectangles
from core.documents.overleaf import over_end
from core.documents.records import Chunk, Document, Rect
from core.documents.store import missing, words_table
from core.errors import NotFound
from core.records import Digest
from core.vault.unit import Reader

PORTION: Final = 500
"""Numbers in one `IN (…)`."""


def page_text(reader: Reader, digest: Digest, page: int) -> str:
    """The text of a page, from 1. Raises `NotFound`."""
    row = reader.db.execute(
        "SELECT p.text FROM documents d JOIN pages p ON p.document = d.id WHERE d.digest = ? AND p.number = ?",
        (digest, page),
    ).fetchone()
    if row is None:
        raise _no_page(page)
    return str(row[0])


def place_of_quote(reader: Reader, digest: Digest, page: int, quote: str) -> str:
    """Where a quote begins on its page, in words, and on which page it goes on; empty where it isn't found or nothing is known. Raises `NotFound`."""
    text = page_text(reader, digest, page)
    at = text.find(quote) if quote else -1
    document = reader.get(digest, Document)
    if at >= 0:
        return places.said(document.media, page, *place(reader, digest, page, at))
    if not quote or page >= document.pages:
        return ""
    parted = over_end(text, page_text(reader, digest, page + 1), quote)
    if parted is None:
        return ""
    begins = places.said(document.media, page, *place(reader, digest, page, parted[0]))
    ends = places.said(document.media, page + 1, *place(reader, digest, page + 1, max(parted[1] - 1, 0)))
    return " and ".join(part for part in (begins, ends) if part)


def place(reader: Reader, digest: Digest, page: int, at: int) -> tuple[str, str]:
    """What a page is called, and where its text at a position comes from; each may be empty. Raises `NotFound`."""
    row = reader.db.execute(
        "SELECT p.label, p.places FROM documents d JOIN pages p ON p.document = d.id WHERE d.digest = ? AND p.number = ?",
        (digest, page),
    ).fetchone()
    if row is None:
        raise _no_page(page)
    return str(row[0]), places.at(bytes(row[1]), at)


def said_places(reader: Reader, chunks: Sequence[Chunk]) -> list[str]:
    """Where each of these chunks begins, in words; empty where nothing is known. Raises `NotFound`."""
    pages: dict[int, tuple[str, bytes]] = {}
    for portion in _portions([chunk.id for chunk in chunks]):
        marks = ", ".join("?" * len(portion))
        rows = reader.db.execute(
            "SELECT c.id, p.label, p.places FROM chunks c JOIN pages p ON p.document = c.document AND p.number = c.page"
            f" WHERE c.id IN ({marks})",
            portion,
        )
        pages |= {int(id_): (str(label), bytes(packed)) for id_, label, packed in rows}
    media: dict[Digest, str] = {}
    found = []
    for chunk in chunks:
        if chunk.document not in media:
            media[chunk.document] = reader.get(chunk.document, Document).media
        if chunk.id not in pages:
            raise _no_page(chunk.page)
        label, packed = pages[chunk.id]
        found.append(places.said(media[chunk.document], chunk.page, label, places.at(packed, chunk.start)))
    return found


def chunks_of(reader: Reader, ids: Sequence[int]) -> dict[int, Chunk]:
    """The chunks with these numbers."""
    found: dict[int, Chunk] = {}
    for portion in _portions(ids):
        marks = ", ".join("?" * len(portion))
        rows = reader.db.execute(
            'SELECT c.id, d.digest, c.page, c.text, c.heading, c.rects, c.start, c."end"'
            f" FROM chunks c JOIN documents d ON d.id = c.document WHERE c.id IN ({marks})",
            portion,
        )
        for id_, digest, page, text, heading, rects, start, end in rows:
            found[int(id_)] = Chunk(
                id=int(id_),
                document=Digest(digest),
                page=int(page),
                text=text,
                heading=heading,
                rects=rectangles.unpacked(rects),
                start=int(start),
                end=int(end),
            )
    return found


def passage_of(reader: Reader, digest: Digest, page: int, quote: str) -> tuple[Rect, ...]:
    """The rectangles of the first passage of a page that has these words, white space aside; none where there is none."""
    wanted = " ".join(quote.split())
    rows = reader.db.execute(
        "SELECT c.text, c.rects FROM documents d JOIN chunks c ON c.document = d.id"
        " WHERE d.digest = ? AND c.page = ? ORDER BY c.id",
        (digest, page),
    )
    found = next((rects for text, rects in rows if wanted and wanted in " ".join(text.split())), b"")
    return rectangles.unpacked(found)


def by_words(reader: Reader, collection: int, query: str, limit: int, among: Sequence[int] | None = None) -> list[int]:
    """Chunks that match an FTS5 query, best first by BM25 (headings and text alike); ties by number. With `among`, only these."""
    words = words_table(collection)
    # The plus keeps SQLite from asking the full-text index once for each number.
    narrowed = "" if among is None else "AND +rowid IN (SELECT value FROM json_each(?)) "
    given = (query, limit) if among is None else (query, msgspec.json.encode(list(among)).decode(), limit)
    rows = reader.db.execute(
        f"SELECT rowid FROM {words} WHERE {words} MATCH ? {narrowed}ORDER BY bm25({words}), rowid LIMIT ?", given
    ).fetchall()
    return [int(chunk) for (chunk,) in rows]


def names(reader: Reader, digests: Iterable[Digest]) -> dict[Digest, str]:
    """The names of documents."""
    wanted = list(dict.fromkeys(digests))
    found: dict[Digest, str] = {}
    for start in range(0, len(wanted), PORTION):
        portion = wanted[start : start + PORTION]
        marks = ", ".join("?" * len(portion))
        rows = reader.db.execute(f"SELECT digest, name FROM documents WHERE digest IN ({marks})", portion)
        found |= {Digest(digest): str(name) for digest, name in rows}
    for digest in wanted:
        if digest not in found:
            raise missing(digest)
    return {digest: found[digest] for digest in wanted}


def homes(reader: Reader, chunks: Sequence[int]) -> dict[int, int]:
    """The number of the collection that each chunk can be found in."""
    found: dict[int, int] = {}
    for portion in _portions(chunks):
        marks = ", ".join("?" * len(portion))
        rows = reader.db.execute(
            f"SELECT c.id, d.collection FROM chunks c JOIN documents d ON d.id = c.document WHERE c.id IN ({marks})",
            portion,
        )
        found |= {int(chunk): int(collection) for chunk, collection in rows}
    return found


def _no_page(page: int) -> NotFound:
    return NotFound(kind="page", name=str(page), step="The document has no such page.")


def _portions(numbers: Sequence[int]) -> Iterable[list[int]]:
    for start in range(0, len(numbers), PORTION):
        yield list(numbers[start : start + PORTION])
