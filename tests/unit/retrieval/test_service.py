"""Search: with the index as without, in step with the collection, and after the index worker died."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.documents import store, vectors
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.models.starter import EMBEDDER, STARTERS, ensure_starters
from core.retrieval import resident
from core.retrieval.records import Passage, Search
from core.retrieval.service import Retrieval
from core.retrieval.worker.records import FilePart, TakeFiles
from core.vault.roles import Act
from tests.unit.documents.workspace import Workspace

SIZE = 16
"""Documents of a small collection."""
WORDS = "log drum binder valve record audit report pump signal filter".split()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path) as made:
        yield made


@pytest.fixture
def search(one: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Retrieval]:
    """Every collection is too large to be compared whole."""
    monkeypatch.setattr(resident, "SCANNED", 0)
    retrieval = Retrieval(one.vault, one.supervisor, one.engine, one.documents)
    yield retrieval
    retrieval.close()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(SIZE):
        first, second = WORDS[number % 10], WORDS[(number // 10 + number) % 10]
        (folder / f"{number:02}.txt").write_text(f"The {first} number {number} stands beside the {second}.")
    return folder


def find(search: Retrieval, query: str, limit: int = 8, collection: str = "manuals") -> tuple[Passage, ...]:
    return search.search(Search(collection=collection, query=query, limit=limit), Job("Search"))


def test_the_index_finds_what_the_scan_finds(one: Workspace, search: Retrieval, notes: Path) -> None:
    one.add(notes)
    questions = [f"Where does the {word} stand beside the {other}?" for word in WORDS for other in WORDS[:3]]
    scanned = [find(search, questions[0])]
    assert search.index_state("manuals").state in ("building", "ready")
    while search.index_state("manuals").state == "building":
        time.sleep(0.05)
    assert search.index_state("manuals").vectors == SIZE
    indexed = [find(search, question) for question in questions]
    assert indexed[0] == scanned[0]
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
        ids, matrix = vectors.everything(reader, kept.id, kept.dimensions)
    for question, found in zip(questions, indexed, strict=True):
        vector = one.engine.embed([question], "fake")[0]
        cosines = dict(zip(ids, (matrix @ vector).tolist(), strict=True))
        assert [passage.score for passage in found] == pytest.approx(
            [max(cosines[passage.chunk], 0.0) for passage in found], abs=1e-5
        )
        nearest = search._indexes.nearest(kept, vector.astype("<f4").tobytes(), 10, None)
        assert nearest is not None
        exact = np.sort(matrix @ vector)[::-1][:10]
        assert np.array(nearest.cosines) == pytest.approx(exact, abs=1e-5)


def test_the_index_follows_what_is_added_replaced_and_removed(one: Workspace, search: Retrieval, notes: Path) -> None:
    one.add(notes)
    assert search.prepare("manuals", Job("Index")).vectors == SIZE
    (notes / "07.txt").write_text("The ladder is red.")
    (notes / "new.txt").write_text("The harbour is closed.")
    one.add(notes)
    assert find(search, "ladder red")[0].name == "07.txt"
    assert find(search, "harbour closed")[0].text == "The harbour is closed."
    assert search.index_state("manuals").vectors == SIZE + 1
    gone = next(digest for digest, document in one.documents.list("manuals") if document.name == "new.txt")
    one.documents.remove(gone)
    assert all(passage.document != gone for passage in find(search, "harbour closed", limit=SIZE + 5))
    assert (search.index_state("manuals").state, search.index_state("manuals").vectors) == ("ready", SIZE)


def test_a_dead_index_worker_costs_nothing_that_is_seen(one: Workspace, search: Retrieval, notes: Path) -> None:
    one.add(notes)
    search.prepare("manuals", Job("Index"))
    before = find(search, "the drum beside the valve")
    worker = search._indexes._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert find(search, "the drum beside the valve") == before
    deadline = time.monotonic() + 300
    while search.index_state("manuals").state != "ready" and time.monotonic() < deadline:
        assert find(search, "the drum beside the valve") == before
        time.sleep(0.1)
    assert search.index_state("manuals").state == "ready"


def test_the_index_holds_no_content_and_nothing_of_it_stays(one: Workspace, search: Retrieval, tmp_path: Path) -> None:
    note = tmp_path / "zebrafish.txt"
    note.write_text("Zebrafish swim in quicksilver.")
    one.add(note)
    search.prepare("manuals", Job("Index"))
    worker = search._indexes._worker
    assert worker is not None
    folder = Path(worker.spec.writable[0])
    if "storage" in worker.barrier.names:
        assert list(folder.iterdir()) == []
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
    stored = b"".join(part.content for part in worker.stream(TakeFiles(collection=kept.id), FilePart)).lower()
    assert len(stored) > 1000
    assert not [word for word in (b"zebrafish", b"quicksilver", b"manuals") if word in stored]
    assert "seccomp" in worker.barrier.names
    search.close()
    assert not folder.parent.exists()


def test_collections_know_nothing_of_each_other(one: Workspace, search: Retrieval, notes: Path, tmp_path: Path) -> None:
    one.add(notes)
    before = find(search, "the drum beside the valve")
    other = tmp_path / "other.txt"
    other.write_text("the drum beside the valve, the drum beside the valve")
    one.add(other, collection="second")
    assert find(search, "the drum beside the valve") == before
    assert [passage.name for passage in find(search, "drum", collection="second")] == ["other.txt"]


def test_words_count_also_where_the_meaning_is_far(one: Workspace, search: Retrieval, notes: Path) -> None:
    (notes / "part.txt").write_text(
        "Order the gasket QX-7781 from stock, please, whenever you happen to pass by there."
    )
    one.add(notes)
    assert "part.txt" in [passage.name for passage in find(search, "qx-7781", limit=3)]


def test_what_can_not_be_searched_is_said(one: Workspace, search: Retrieval, notes: Path) -> None:
    with pytest.raises(NotFound, match="There is no collection manuals"):
        find(search, "drum")
    one.add(notes / "00.txt")
    with pytest.raises(BadInput, match="it is empty"):
        find(search, "  ")
    with pytest.raises(BadInput, match="from 1 to 200"):
        find(search, "drum", limit=0)
    with pytest.raises(BadInput, match="Shorten it"):
        find(search, "drum " * 5000)
    one.documents.remove(one.documents.list("manuals")[0][0])
    assert find(search, "drum") == ()


def test_the_article_on_logs_is_found_by_its_meaning(shared_data: Path, tmp_path: Path) -> None:
    if not STARTERS[EMBEDDER].is_file():
        pytest.skip("the starter embedder was not built here (make setup)")
    question = "Which article requires high-risk AI systems to keep logs automatically?"
    with Workspace(tmp_path, EMBEDDER) as made:
        ensure_starters(made.models)
        retrieval = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
        law = shared_data / "documents" / "eu-law" / "eu_ai_act"
        made.add(*(law / f"article_{number}.txt" for number in (8, 9, 11, 12, 13)), collection="law")
        best, *others = find(retrieval, question, collection="law")
        retrieval.close()
    assert best.name == "article_12.txt"
    assert best.heading == "EN › Article 12 — Record-Keeping"
    assert "automatic recording of events (logs)" in best.text
    assert best.score > 0.6 > min(passage.score for passage in others)


def test_what_a_person_is_shown_of_a_search_is_logged(one: Workspace, search: Retrieval, notes: Path) -> None:
    one.add(notes)
    with one.vault.read() as reader:
        before = reader.log_size
    request = Search(collection="manuals", query="Where is the valve?", limit=3)
    assert search.show(request, Job("Search")) == search.search(request, Job("Search"))
    with one.vault.read() as reader:
        (entry,) = reader.log(after=before - 1)
    shown = {passage.document for passage in find(search, request.query, 3)}
    assert (entry.act, set(entry.touched or ())) == (Act.SHOW_DOCUMENT, shown)
    assert "valve" not in f"{entry.about}{entry.reason}"


def test_vectors_of_another_route_are_refused(one: Workspace, search: Retrieval, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Records are kept for nine years by the head of the desk.\n", encoding="utf-8")
    one.add(path)
    with one.vault.write(Act.ADD_DOCUMENTS) as unit:
        unit.db.execute("UPDATE collections SET route = 'another'")
    with pytest.raises(BadInput, match="computed by another"):
        search.search(Search(collection="manuals", query="Who keeps records?"), Job("Search"))
    path.write_text("Now ten years.\n", encoding="utf-8")
    with pytest.raises(BadInput, match="computed by another"):
        one.add(path)
