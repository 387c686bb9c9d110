"""The sealed index: taken over where it fits the vault, built again from the vault's vectors where it doesn't, and never in clear."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.documents import store, vectors
from core.errors import Refused
from core.jobs import Job
from core.retrieval import index, resident
from core.retrieval.cache import KIND, IndexCache, place
from core.retrieval.records import Passage, Search
from core.retrieval.service import Retrieval
from core.retrieval.worker.records import AddVectors, FilePart
from core.trust.sealing import InvalidSeal
from core.vault.events import Changed
from core.vault.roles import Act
from tests.unit.documents.workspace import Workspace

PARTS = (FilePart(name="chroma.sqlite3", content=b"SQLite" * 70_000), FilePart(name="a/data.bin", content=b"vectors"))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path) as made:
        yield made


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(
            f"The {'drum binder valve record audit pump'.split()[number]} stands here."
        )
    return folder


def kept(one: Workspace) -> store.Kept:
    with one.vault.read() as reader:
        return store.get(reader, "manuals")


def saved(one: Workspace, cache: IndexCache) -> Path:
    """A sealed index of the collection as it is now, with invented files."""
    with one.vault.read() as reader:
        collection = store.get(reader, "manuals")
        cache.save(collection, place(reader), vectors.chunk_ids(reader, collection.id), 3, PARTS)
    return one.vault.folder / "cache" / f"index-{collection.id}-{collection.generation}.sealed"


def loads(one: Workspace, cache: IndexCache, collection: store.Kept | None = None) -> bool:
    with one.vault.read() as reader:
        found = cache.load(collection or kept(one), reader)
        return found is not None and tuple(found.parts) != ()


def test_what_was_sealed_is_opened(one: Workspace, notes: Path) -> None:
    one.add(notes)
    cache = IndexCache(one.vault)
    path = saved(one, cache)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"SQLite" not in path.read_bytes()
    with one.vault.read() as reader:
        found = cache.load(kept(one), reader)
        assert found is not None
        assert (sorted(found.ids), found.removed) == (vectors.chunk_ids(reader, kept(one).id), 3)
        assert tuple(found.parts) == PARTS


def test_an_older_index_of_the_same_history_is_a_beginning(one: Workspace, notes: Path) -> None:
    one.add(notes / "0.txt")
    cache = IndexCache(one.vault)
    first = saved(one, cache)
    one.add(notes / "1.txt")
    assert loads(one, cache)
    assert saved(one, cache) != first
    assert not first.exists()


def test_an_altered_or_moved_file_is_dropped(one: Workspace, notes: Path) -> None:
    one.add(notes / "0.txt")
    one.add(notes / "1.txt")
    one.add(notes, collection="second")
    cache = IndexCache(one.vault)
    path = saved(one, cache)
    content = path.read_bytes()
    made = kept(one)
    with one.vault.read() as reader:
        other = store.get(reader, "second")
    harms = {
        "bit": (content[:200] + bytes([content[200] ^ 1]) + content[201:], made.id, made.generation),
        "cut in the manifest": (content[:100], made.id, made.generation),
        "empty": (b"", made.id, made.generation),
        "newer than the vault": (content, made.id, made.generation + 1),
        "as an older one": (content, made.id, made.generation - 1),
        "another collection's": (content, other.id, other.generation),
    }
    for harm, (altered, collection, generation) in harms.items():
        (path.parent / f"index-{collection}-{generation}.sealed").write_bytes(altered)
        if path.exists() and (collection, generation) != (made.id, made.generation):
            path.unlink()
        assert not loads(one, cache, other if collection == other.id else made), harm
        assert list(path.parent.iterdir()) == [], harm
    for altered in (content[: -len(content) // 3], content + bytes(100)):  # seen at its end only
        path.write_bytes(altered)
        with one.vault.read() as reader:
            found = cache.load(made, reader)
            assert found is not None
            with pytest.raises(InvalidSeal):
                tuple(found.parts)
    path.write_bytes(content)
    assert loads(one, cache)


def test_an_index_of_another_history_embedder_or_cut_is_dropped(one: Workspace, notes: Path) -> None:
    one.add(notes / "0.txt")
    old = one.vault.folder.with_name("old")
    one.vault._connections.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(one.vault.folder, old)  # an administrator's own backup
    one.add(notes / "1.txt")
    cache = IndexCache(one.vault)
    path = saved(one, cache)
    made = kept(one)
    smaller = msgspec.structs.replace(made.chunking, target=90)
    for other in (
        store.Kept(**{**vars(made), "embedder": "0" * 64}),
        store.Kept(**{**vars(made), "dimensions": 65}),
        store.Kept(**{**vars(made), "route": "another"}),
        store.Kept(**{**vars(made), "chunking": smaller}),
    ):
        content = path.read_bytes()
        assert not loads(one, cache, other)
        path.write_bytes(content)
    assert loads(one, cache)
    one.vault.close()
    shutil.copy(old / "vault.db", one.vault.folder / "vault.db")
    with Workspace.reopened(one.vault.folder) as again:
        again.add(notes / "2.txt")  # the same numbers, another history
        assert kept(again).generation == made.generation
        assert not loads(again, IndexCache(again.vault))


def find(search: Retrieval, query: str) -> tuple[Passage, ...]:
    return search.search(Search(collection="manuals", query=query), Job("Search"))


def test_the_next_process_opens_what_the_last_one_sealed(
    one: Workspace, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[int] = []

    def counting(**fields: object) -> AddVectors:
        added.extend(fields["ids"])  # type: ignore[arg-type, call-overload]
        return AddVectors(**fields)  # type: ignore[arg-type]

    monkeypatch.setattr(index, "AddVectors", counting)
    one.add(notes)
    first = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    scanned = find(first, "the drum record")
    assert first.prepare("manuals", Job("Index")).state == "ready"
    assert len(added) == 6
    sealed = list((one.vault.folder / "cache").iterdir())
    first.close()
    assert list((one.vault.folder / "cache").iterdir()) == sealed  # nothing changed since
    with one.vault.read() as reader:
        matrix = vectors.everything(reader, kept(one).id, kept(one).dimensions)[1]
    content = sealed[0].read_bytes()
    assert not [row for row in matrix if np.asarray(row, "<f4").tobytes()[:16] in content]

    (notes / "7.txt").write_text("A new one about the harbour.")
    (notes / "0.txt").unlink()
    gone = next(digest for digest, document in one.documents.list("manuals") if document.name == "0.txt")
    one.documents.remove(gone)
    one.add(notes)
    second = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    assert second.prepare("manuals", Job("Index")).state == "ready"
    assert len(added) == 7  # only what is new
    assert find(second, "harbour")[0].name == "7.txt"
    assert "0.txt" not in [passage.name for passage in find(second, "the drum record")]
    assert [p.name for p in find(second, "the drum record") if p.name != "7.txt"] == [
        p.name for p in scanned if p.name != "0.txt"
    ]

    one.vault.events.publish(Changed(act=Act.ERASE))  # whoever erases wants nothing to stay
    assert list((one.vault.folder / "cache").iterdir()) == []
    assert second.prepare("manuals", Job("Index")).state == "ready"
    assert len(added) == 13
    second.close()
    shutil.rmtree(one.vault.folder / "cache")  # may go at any time
    third = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    assert find(third, "harbour")[0].name == "7.txt"
    third.close()


def test_a_damaged_end_is_found_before_the_index_serves(one: Workspace, notes: Path) -> None:
    one.add(notes)
    search = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    search.prepare("manuals", Job("Index"))
    search.close()
    (path,) = (one.vault.folder / "cache").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    again = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    state = again.prepare("manuals", Job("Index"))
    assert (state.state, state.vectors) == ("ready", 6)
    assert find(again, "the drum")[0].name == "0.txt"
    again.close()
    assert path.read_bytes() != content


def test_without_storage_in_memory_all_vectors_are_compared(
    one: Workspace, notes: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resident, "SCANNED", 0)
    one.add(notes)
    with_index = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    with_index.prepare("manuals", Job("Index"))
    expected = find(with_index, "the drum record")
    with_index.close()
    before = len(one.supervisor.workers())
    monkeypatch.setattr(index, "ram_backed", lambda: None)
    search = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    assert search.prepare("manuals", Job("Index")).state == "exact"
    assert "no storage in memory" in search.index_state("manuals").reason
    assert find(search, "the drum record") == expected
    assert len(one.supervisor.workers()) == before

    monkeypatch.setattr(index.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    search.allow_clear("The laptop's disk is encrypted.")
    with one.vault.read() as reader:
        entry = reader.log()[-1]
    assert (entry.act, entry.about, entry.reason) == ("open-in-clear", KIND, "The laptop's disk is encrypted.")
    assert search.prepare("manuals", Job("Index")).state == "ready"
    assert find(search, "the drum record") == expected
    assert list((tmp_path / "temporary").iterdir()) != []
    search.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_only_an_administrator_lets_an_index_lie_in_clear(
    one: Workspace, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "ram_backed", lambda: None)
    one.vault.user = msgspec.structs.replace(one.vault.user, roles=("author",))
    search = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    with pytest.raises(Refused):
        search.allow_clear("It is quicker.")
    one.add(notes)
    assert search.prepare("manuals", Job("Index")).state == "exact"
    search.close()
