"""The vectors of the chunks that can be found, in blocks: the chunks of one document that follow each other, at most `BLOCK` of them.

Rules:

1. A vector is kept in 16 bits: whole numbers from -32767 to 32767, the largest of its components the largest of them, and a float32 that they
   are multiplied by, which keeps its length. The cosine of what is kept and what was computed is above 1 - 1e-8; an embedder's own 8-bit
   weights move a vector much farther. A block is the float32s of all its chunks, then their numbers, row by row, little-endian.
2. The vault's vectors are these. Whoever compares, by scanning or through an index, compares what is kept here.
3. A block goes with its document; chunks of one block are found or retired together.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from core.errors import NotFound
from core.vault.connection import Database
from core.vault.unit import Reader, Unit

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Whole = np.ndarray[tuple[int, int], np.dtype[np.int16]]
Scales = np.ndarray[tuple[int], np.dtype[np.float32]]
FLOAT: Final = "<f4"
_WHOLE: Final = "<i2"
_LARGEST: Final = 32_767
BLOCK: Final = 256
"""Chunks in one block: 200 kB of 384 dimensions, which is what reading a single vector may cost."""


class Block(NamedTuple):
    """Chunks of one document with consecutive numbers, and their vectors as they are kept."""

    first: int
    document: int
    """Its number in the table of documents."""
    whole: Whole
    scales: Scales

    @property
    def ids(self) -> range:
        """The chunks' numbers."""
        return range(self.first, self.first + len(self.scales))

    @property
    def matrix(self) -> Matrix:
        """The vectors."""
        return unpacked(self.whole, self.scales)


def create_table(db: Database) -> None:
    """The table of blocks; of a migration step."""
    db.executescript(
        """
        CREATE TABLE vector_blocks(
            first INTEGER PRIMARY KEY REFERENCES chunks(id),
            collection INTEGER NOT NULL,
            document INTEGER NOT NULL REFERENCES documents(id),
            count INTEGER NOT NULL,
            vectors BLOB NOT NULL) STRICT;
        CREATE INDEX vector_blocks_by_collection ON vector_blocks(collection, first, document, count);
        CREATE INDEX vector_blocks_by_document ON vector_blocks(document);
        """
    )


def take_over(db: Database) -> None:
    """Move the vectors of the earlier table, a row of float32 for each chunk, into blocks; of a migration step."""
    documents = db.execute(
        "SELECT DISTINCT c.document, v.collection FROM vectors v JOIN chunks c ON c.id = v.chunk ORDER BY c.document"
    ).fetchall()
    for document, collection in documents:
        rows = db.execute(
            "SELECT v.chunk, v.vector FROM chunks c JOIN vectors v ON v.chunk = c.id WHERE c.document = ? ORDER BY c.id",
            (document,),
        ).fetchall()
        matrix = np.frombuffer(b"".join(vector for _, vector in rows), dtype=FLOAT).reshape(len(rows), -1)
        _insert(db, collection, document, [int(chunk) for chunk, _ in rows], matrix)
    db.execute("DROP TABLE vectors")


def packed(matrix: Matrix) -> tuple[Whole, Scales]:
    """Vectors as they are kept."""
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    steps = np.where(largest > 0, largest / _LARGEST, 1)
    whole = np.rint(matrix / steps[:, None]).clip(-_LARGEST, _LARGEST)
    lengths = np.maximum(np.linalg.norm(whole, axis=1), 1)
    scales = np.linalg.norm(matrix.astype(np.float64), axis=1) / lengths
    return whole.astype(np.int16), scales.astype(np.float32)


def unpacked(whole: Whole, scales: Scales) -> Matrix:
    """What is kept, as float32."""
    found: Matrix = whole * scales[:, None]
    return found


def insert(unit: Unit, collection: int, document: int, chunks: Sequence[int], matrix: Matrix) -> None:
    """Keep the vectors of a document's chunks; ascending numbers, a row each."""
    _insert(unit.db, collection, document, chunks, matrix)


def _insert(db: Database, collection: int, document: int, chunks: Sequence[int], matrix: Matrix) -> None:
    whole, scales = packed(matrix)
    for start, end in _runs(chunks):
        content = scales[start:end].astype(FLOAT).tobytes() + whole[start:end].astype(_WHOLE).tobytes()
        db.execute(
            "INSERT INTO vector_blocks VALUES (?, ?, ?, ?, ?)",
            (chunks[start], collection, document, end - start, content),
        )


def _runs(chunks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Places in `chunks` between which the numbers follow each other, at most `BLOCK` of them."""
    start = 0
    for place in range(1, len(chunks) + 1):
        if place == len(chunks) or place - start == BLOCK or chunks[place] != chunks[place - 1] + 1:
            yield start, place
            start = place


def remove(unit: Unit, document: int) -> None:
    """Forget the vectors of a document."""
    unit.db.execute("DELETE FROM vector_blocks WHERE document = ?", (document,))


def chunk_ids(reader: Reader, collection: int) -> list[int]:
    """The numbers of the chunks that can be found, ascending."""
    return [chunk for first, _, count in places(reader, collection) for chunk in range(first, first + count)]


def places(reader: Reader, collection: int) -> list[tuple[int, int, int]]:
    """Each block's first chunk, document and number of chunks, ascending; no vector is read for that."""
    rows = reader.db.execute(
        "SELECT first, document, count FROM vector_blocks WHERE collection = ? ORDER BY first", (collection,)
    ).fetchall()
    return [(int(first), int(document), int(count)) for first, document, count in rows]


def count(reader: Reader, collection: int) -> int:
    """How many chunks can be found."""
    row = reader.db.execute(
        "SELECT coalesce(sum(count), 0) FROM vector_blocks WHERE collection = ?", (collection,)
    ).fetchone()
    return int(row[0])


def blocks(reader: Reader, firsts: Iterable[int]) -> Iterator[Block]:
    """The blocks that begin with these chunks, in their order. Raises `NotFound`."""
    for first in firsts:
        row = reader.db.execute(
            "SELECT first, document, count, vectors FROM vector_blocks WHERE first = ?", (first,)
        ).fetchone()
        if row is None:
            raise gone()
        yield _block(row)


def all_blocks(reader: Reader, collection: int) -> Iterator[Block]:
    """All blocks of a collection, ascending."""
    rows = reader.db.execute(
        "SELECT first, document, count, vectors FROM vector_blocks WHERE collection = ? ORDER BY first", (collection,)
    )
    for row in rows:
        yield _block(row)


def everything(reader: Reader, collection: int, dimensions: int) -> tuple[list[int], Matrix]:
    """All chunks that can be found, ascending, and their vectors."""
    ids, parts = [], [np.zeros((0, dimensions), dtype=np.float32)]
    for some, matrix in portions(reader, collection, dimensions, BLOCK):
        ids += some
        parts.append(matrix)
    return ids, np.concatenate(parts)


def portions(reader: Reader, collection: int, dimensions: int, rows: int) -> Iterator[tuple[list[int], Matrix]]:
    """The same in portions of about `rows` at a time."""
    ids: list[int] = []
    parts: list[Matrix] = []
    for block in all_blocks(reader, collection):
        ids += block.ids
        parts.append(block.matrix)
        if len(ids) >= rows:
            yield ids, np.concatenate(parts)
            ids, parts = [], []
    if ids:
        yield ids, np.concatenate(parts)


def of(reader: Reader, chunks: Sequence[int], dimensions: int) -> Matrix:
    """The vectors of these chunks, in their order. Raises `NotFound` when one can't be found any more."""
    out = np.zeros((len(chunks), dimensions), dtype=np.float32)
    block: Block | None = None
    for place in sorted(range(len(chunks)), key=chunks.__getitem__):
        chunk = chunks[place]
        if block is None or chunk not in block.ids:
            row = reader.db.execute(
                "SELECT first, document, count, vectors FROM vector_blocks WHERE first <= ? ORDER BY first DESC LIMIT 1",
                (chunk,),
            ).fetchone()
            block = None if row is None else _block(row)
            if block is None or chunk not in block.ids:
                raise gone()
        at = chunk - block.first
        out[place] = block.whole[at] * block.scales[at]
    return out


def of_document(reader: Reader, document: int, dimensions: int) -> Matrix:
    """The vectors of a document's chunks, in the order of their numbers."""
    rows = reader.db.execute(
        "SELECT first, document, count, vectors FROM vector_blocks WHERE document = ? ORDER BY first", (document,)
    ).fetchall()
    return np.concatenate([np.zeros((0, dimensions), dtype=np.float32), *(_block(row).matrix for row in rows)])


def _block(row: tuple[int, int, int, bytes]) -> Block:
    first, document, size, content = row
    scales = np.frombuffer(content, dtype=FLOAT, count=size)
    whole = np.frombuffer(content, dtype=_WHOLE, offset=4 * size).reshape(size, -1)
    return Block(int(first), int(document), whole, scales)


def gone() -> NotFound:
    """For chunks that a search began with, and that are there no more."""
    return NotFound(kind="chunk", name="of this search", step="The collection changed. Search again.")
