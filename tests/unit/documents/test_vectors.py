"""Vectors in blocks: as near to what was computed as is said, in the order asked for, gone with their document, taken over from older vaults."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents import store, vectors
from core.documents.vectors import packed, unpacked
from core.errors import NotFound
from core.models import store as models_store
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.unit.documents.workspace import SCHEMA, Workspace

CHANCE = np.random.default_rng(11)


def unit_vectors(rows: int, dimensions: int = 384) -> vectors.Matrix:
    found = CHANCE.standard_normal((rows, dimensions)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def test_what_is_kept_is_what_was_computed_but_for_a_hundred_millionth() -> None:
    matrix = unit_vectors(500)
    kept = unpacked(*packed(matrix)).astype(np.float64)
    cosines = (kept * matrix).sum(axis=1) / np.linalg.norm(kept, axis=1) / np.linalg.norm(matrix.astype(float), axis=1)
    assert cosines.min() > 1 - 1e-8
    assert np.abs(np.linalg.norm(kept, axis=1) - 1).max() < 1e-6
    again = unpacked(*packed(kept.astype(np.float32)))
    assert np.abs(again - kept).max() < 1e-6, "what is copied doesn't drift"


def test_a_vector_of_zeros_stays_one_and_none_is_none() -> None:
    assert unpacked(*packed(np.zeros((2, 3), np.float32))).tolist() == [[0, 0, 0]] * 2
    assert unpacked(*packed(np.zeros((0, 3), np.float32))).shape == (0, 3)


@given(st.sets(st.integers(1, 2_000), max_size=700))
def test_runs_follow_each_other_and_are_no_longer_than_a_block(numbers: set[int]) -> None:
    chunks = sorted(numbers)
    runs = list(vectors._runs(chunks))
    assert [place for start, end in runs for place in range(start, end)] == list(range(len(chunks)))
    for start, end in runs:
        assert chunks[end - 1] - chunks[start] == end - 1 - start < vectors.BLOCK


@pytest.fixture
def filled(tmp_path: Path) -> Workspace:
    """Two documents of many chunks, interleaved with nothing: blocks of both lengths."""
    made = Workspace(tmp_path)
    for name, size in (("a.txt", 300), ("b.txt", 3)):
        path = tmp_path / name
        path.write_text("\n\n".join(f"# Part {number}\n\nRecord {number} of {name}." for number in range(size)))
        made.add(path)
    return made


def test_blocks_give_the_vectors_that_are_asked_for(filled: Workspace) -> None:
    with filled as made, made.vault.read() as reader:
        kept = store.get(reader, "manuals")
        ids, matrix = vectors.everything(reader, kept.id, kept.dimensions)
        assert ids == vectors.chunk_ids(reader, kept.id)
        assert len(ids) == vectors.count(reader, kept.id) == made.documents.collection("manuals").chunks
        wanted = [ids[-1], ids[0], ids[len(ids) // 2], ids[0]]
        assert (vectors.of(reader, wanted, kept.dimensions) == matrix[[ids.index(one) for one in wanted]]).all()
        parts = list(vectors.portions(reader, kept.id, kept.dimensions, 2))
        assert [one for some, _ in parts for one in some] == ids
        found = list(vectors.blocks(reader, [first for first, _, _ in vectors.places(reader, kept.id)]))
        assert [one for block in found for one in block.ids] == ids
        for missing in (0, ids[-1] + 1):
            with pytest.raises(NotFound, match="Search again"):
                vectors.of(reader, [ids[0], missing], kept.dimensions)
        with pytest.raises(NotFound, match="Search again"):
            list(vectors.blocks(reader, [ids[-1] + 1]))


def test_retired_documents_leave_no_vectors(filled: Workspace) -> None:
    with filled as made:
        gone = next(digest for digest, document in made.documents.list("manuals") if document.name == "a.txt")
        made.documents.remove(gone)
        with made.vault.read() as reader:
            left = reader.db.execute(
                "SELECT count(*) FROM vector_blocks v JOIN documents d ON d.id = v.document WHERE d.current = 0"
            ).fetchone()
            kept = store.get(reader, "manuals")
            assert left == (0,)
            assert vectors.count(reader, kept.id) == made.documents.collection("manuals").chunks > 0


def test_an_older_vault_keeps_its_vectors(vault_factory: Callable[..., Vault], reopen: Callable[..., Vault]) -> None:
    earlier = Migrations("documents", store.SCHEMA.steps[:4])
    vault = vault_factory((models_store.SCHEMA, earlier))
    matrix = unit_vectors(6, 8)
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        unit.db.execute(
            "INSERT INTO collections(id, name, embedder, embedder_name, dimensions, chunking) VALUES (1, 'a', 'e', 'e', 8, '{}')"
        )
        for document in (1, 2):
            row = (document, f"digest {document}", 1, f"{document}.md", f"content {document}", 1, 1)
            unit.db.execute(
                "INSERT INTO documents(id, digest, collection, name, content, pages, current) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        for number, document in enumerate((1, 1, 2, 1, 2, 2), start=1):
            unit.db.execute(
                "INSERT INTO chunks(id, document, page, start, \"end\", text, heading, rects) VALUES (?, ?, 1, 0, 1, 't', '', x'')",
                (number, document),
            )
            unit.db.execute("INSERT INTO vectors VALUES (?, 1, ?)", (number, matrix[number - 1].tobytes()))
    with reopen(vault, "ines", SCHEMA).read() as reader:
        assert vectors.places(reader, 1) == [(1, 1, 2), (3, 2, 1), (4, 1, 1), (5, 2, 2)]
        ids, found = vectors.everything(reader, 1, 8)
        assert ids == [1, 2, 3, 4, 5, 6]
        assert np.abs(found - matrix).max() < 1e-4
        assert reader.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'vectors'").fetchone() is None
