"""Vectors in memory: what is found is what the scan of the vault finds, in step with every change, within bounds, gone after an erasure."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.documents import filtering, store, vectors
from core.documents.filtering import Filters
from core.errors import NotFound
from core.jobs import Job
from core.retrieval import exact, resident
from core.retrieval.records import Finding, Search
from core.retrieval.resident import Resident, Residents
from core.retrieval.service import Retrieval
from core.vault.events import Changed
from core.vault.roles import Act
from core.vault.unit import Reader
from tests.unit.documents.workspace import Workspace

WORDS = "log drum binder valve record audit report pump signal filter".split()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    for number in range(24):
        path = made / f"hall-{number % 3}" / f"{number:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = (f"# {word}\n\nThe {word} {number} stands there." for word in WORDS[: 1 + number % 9])
        path.write_text("\n\n".join(parts))
    return made


def same(reader: Reader, kept: store.Kept, vector: np.ndarray, found: list[int], scanned: list[int]) -> None:
    """Equally near, place by place: sums in another order differ in their last digit, and then so may who comes first of two that are as near."""
    assert len(found) == len(set(found)) == len(scanned)
    near, expected = (vectors.of(reader, ids, kept.dimensions) @ vector for ids in (found, scanned))
    assert near == pytest.approx(expected, abs=1e-6)


def compare(one: Workspace, held: Residents) -> Resident:
    """The scan and the resident vectors agree, whole and within filters."""
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
        found = held.get(reader, kept)
        assert found is not None
        assert found.ids.tolist() == vectors.chunk_ids(reader, kept.id)
        for vector in one.engine.embed([f"the {word} stands" for word in WORDS], "fake"):
            for limit in (1, 7, 500):
                same(reader, kept, vector, found.nearest(vector, limit), exact.nearest(reader, kept, vector, limit))
            here = ("hall-1",) if len(found) else ()
            for filters in (
                Filters(folders=here, since="2020-01-01"),
                Filters(types=("txt",)),
                Filters(types=("pdf",)),
            ):
                places = found.within(reader, kept.id, filters)
                among = filtering.chunks(reader, kept.id, filters)
                assert found.ids[places].tolist() == among
                scanned = exact.nearest(reader, kept, vector, 9, among)
                same(reader, kept, vector, found.nearest(vector, 9, places), scanned)
        if len(found):
            some = [int(found.ids[-1]), int(found.ids[0])]
            assert (found.of(some) == vectors.of(reader, some, kept.dimensions)).all()
            assert found.has(some)
            assert not found.has([*some, 10**9])
        with pytest.raises(NotFound, match="There is no folder cellar"):
            found.within(reader, kept.id, Filters(folders=("cellar",)))
        return found


def test_what_is_found_is_what_the_scan_finds_after_every_change(one: Workspace, folder: Path) -> None:
    one.add(folder)
    held = Residents(one.vault)
    before = compare(one, held)
    assert compare(one, held) is before, "nothing changed, so nothing is read"
    with one.vault.read() as reader:
        assert held.ready(store.get(reader, "manuals"))
    for number in (3, 4, 20):
        (folder / f"hall-{number % 3}" / f"{number:02}.txt").write_text(f"The ladder {number} is red.")
    (folder / "new.txt").write_text("The harbour is closed.")
    one.add(folder)
    compare(one, held)
    for digest, document in one.documents.list("manuals"):
        if document.name.endswith(("00.txt", "11.txt", "23.txt")):
            one.documents.remove(digest)
    compare(one, held)
    digest = one.documents.list("manuals")[5][0]
    with one.vault.write(Act.ERASE) as unit:
        store.erase(unit, [digest])
    assert not held._held
    compare(one, held)
    for digest, _ in one.documents.list("manuals"):
        one.documents.remove(digest)
    assert len(compare(one, held)) == 0
    held.close()


def test_only_the_blocks_that_came_are_read(one: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one.add(folder)
    held = Residents(one.vault)
    compare(one, held)
    asked: list[int] = []
    original = vectors.blocks

    def blocks(reader: object, firsts: list[int]) -> Iterator[vectors.Block]:
        asked.extend(firsts)
        return original(reader, firsts)  # type: ignore[arg-type]

    monkeypatch.setattr(vectors, "blocks", blocks)
    (folder / "new.txt").write_text("The harbour is closed.")
    one.add(folder)
    compare(one, held)
    assert len(asked) == 1
    held.close()


def test_two_threads_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(5)
    matrix = chance.integers(-4, 5, (999, 8)).astype(np.float32)
    whole, scales = vectors.packed(matrix)
    kept = store.Kept(1, "a", "0" * 64, "fake", 8, None, 1)  # type: ignore[arg-type]
    one = Resident(kept, [(10, 1, 500), (700, 2, 499)], whole, scales)
    found = one.nearest(matrix[3], 50)
    some = np.arange(0, 999, 2)
    among = one.nearest(matrix[3], 50, some)
    monkeypatch.setattr(resident, "BY_TWO", 100)
    monkeypatch.setattr(resident, "AT_ONCE", 7)
    assert one.nearest(matrix[3], 50) == found
    assert one.nearest(matrix[3], 50, some) == among
    assert set(among) <= set(one.ids[some].tolist())


def test_a_large_collection_is_not_held_and_what_was_used_longest_ago_leaves(
    one: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):
        one.add(folder, collection=name)
    held = Residents(one.vault)
    with one.vault.read() as reader:
        kept = [store.get(reader, name) for name in ("first", "second", "third")]
        size = vectors.count(reader, kept[0].id) * kept[0].dimensions
        monkeypatch.setattr(resident, "MOST", 2 * size)
        for collection in (kept[0], kept[1], kept[0], kept[2]):
            assert held.get(reader, collection) is not None
        assert list(held._held) == [kept[0].id, kept[2].id]
        monkeypatch.setattr(resident, "SCANNED", size - 1)
        assert held.get(reader, kept[1]) is None
    held.close()
    assert not held._held


def test_a_reader_of_an_earlier_state_sees_that_state(one: Workspace, folder: Path) -> None:
    one.add(folder)
    held = Residents(one.vault)
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
        (folder / "new.txt").write_text("The harbour is closed.")
        one.add(folder)
        with one.vault.read() as later:
            newer = held.get(later, store.get(later, "manuals"))
        older = held.get(reader, kept)
        assert newer is not None
        assert older is not None
        assert older.ids.tolist() == vectors.chunk_ids(reader, kept.id) == newer.ids.tolist()[: len(older)]
        assert next(iter(held._held.values())) is newer
    held.close()


def test_what_is_erased_while_it_is_read_is_not_kept(one: Workspace, folder: Path) -> None:
    one.add(folder)
    held = Residents(one.vault)
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
        made = held.get(reader, kept)
        assert made is not None
        one.vault.events.publish(Changed(act=Act.ERASE))
        held._keep(kept.id, made, erased=0)
    assert not held._held
    held.close()


@pytest.mark.parametrize("narrow", [False, True])
def test_memory_index_and_scan_give_the_same_passages(
    one: Workspace, folder: Path, narrow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.add(folder)
    one.add(folder / "hall-0", collection="second")
    finding = Finding(filters=Filters(types=("txt",)) if narrow else Filters(), also=("second",))
    requests = [
        Search(collection="manuals", query=f"where is the {word}", finding=some)
        for word in WORDS[:4]
        for some in (Finding(filters=finding.filters), finding, Finding(filters=finding.filters, mmr=0.5))
    ]
    search = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    held = [search.search(request, Job("Search")) for request in requests]
    assert search.settings(requests[0]).compared == "all"
    assert search.index_state("manuals").state == "exact"
    assert search._indexes._worker is None, "nothing is indexed that memory answers"
    monkeypatch.setattr(resident, "SCANNED", 0)
    search._residents._held.clear()
    search.prepare("manuals", Job("Index"))
    search.prepare("second", Job("Index"))
    assert search.settings(requests[0]).compared == ("all" if narrow else "index")
    assert [search.search(request, Job("Search")) for request in requests] == held
    search.close()
