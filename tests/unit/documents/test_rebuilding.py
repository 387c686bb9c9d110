"""A collection is made anew: with nothing embedded twice, killed anywhere, and searched as before until it is ready."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.documents import passages, rebuilding, refreshing, store, vectors
from core.documents.erasing import ErasableDocuments
from core.documents.rebuilding import Rebuild, Rebuilding, Rebuilt
from core.documents.screening import again
from core.documents.screening import store as screening_store
from core.documents.screening.records import ScreeningPolicy
from core.documents.screening.service import Screening
from core.errors import BadInput, Unavailable
from core.inference.service import Engine
from core.jobs import Job
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.unit.documents import workspace
from tests.unit.documents.test_refreshing import killed_at
from tests.unit.documents.workspace import PASSPHRASE, Workspace, pdf

SCHEMA = (*workspace.SCHEMA, refreshing.SCHEMA, rebuilding.SCHEMA, screening_store.SCHEMA)
LONG = "\n\n".join(
    f"The guard of gate {number} looks at the lamp {number} times and writes what is seen into the book of the gate."
    for number in range(24)
)
NOTES = {"valve.txt": "The red valve.", "gates.txt": LONG, "drum.md": "# Drums\n\nThe blue drum stands in the hall."}
GONE = "0" * 64
KILLS = (1, 4, 7, 9, 10)
"""Transactions and embeddings after which a rebuild is killed; the last two are within its last transaction and after it."""


def opened(folder: Path) -> Workspace:
    path = folder / "Team.assay"
    if path.exists():
        return Workspace(folder, vault=Vault.open(path, "ann", PASSPHRASE, SCHEMA))
    return Workspace(folder, vault=Vault.create(path, "ann", "Ann Author", PASSPHRASE, SCHEMA, workspace.weak))


def filled(folder: Path) -> Workspace:
    notes = folder / "notes"
    notes.mkdir()
    for name, text in NOTES.items():
        (notes / name).write_text(text)
    made = opened(folder)
    made.add(notes)
    return made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    with filled(tmp_path) as made:
        yield made


def rebuild(made: Workspace, passwords: tuple[str, ...] = (), **options: Any) -> Rebuilt:
    request = Rebuild(collection="manuals", **options)
    return service(made).rebuild(request, Job("Rebuild"), passwords)


def service(made: Workspace) -> Rebuilding:
    return Rebuilding(made.vault, made.supervisor, made.engine, made.documents)


def state(made: Workspace) -> dict[str, list[tuple[str, bytes]]]:
    """What can be found, by name: the passages with their vectors."""
    with made.vault.read() as reader:
        kept = store.get(reader, "manuals")
        ids = vectors.chunk_ids(reader, kept.id)
        rows = reader.db.execute(f"SELECT rowid FROM {store.words_table(kept.id)} ORDER BY rowid").fetchall()
        assert [row for (row,) in rows] == ids
        matrix = vectors.of(reader, ids, kept.dimensions)
        chunks = passages.chunks_of(reader, ids)
        names = passages.names(reader, [chunk.document for chunk in chunks.values()])
        found: dict[str, list[tuple[str, bytes]]] = {}
        for id_, row in zip(ids, matrix, strict=True):
            found.setdefault(names[chunks[id_].document], []).append((chunks[id_].text, row.round(5).tobytes()))
    return found


def staged(made: Workspace) -> int:
    with made.vault.read() as reader:
        return int(
            reader.db.execute("SELECT (SELECT count(*) FROM rebuilt) + (SELECT count(*) FROM rebuilds)").fetchone()[0]
        )


def with_another_embedder(made: Workspace) -> None:
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("UPDATE collections SET embedder = ?, embedder_name = 'older'", (GONE,))


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    noted: list[str] = []
    embed = Engine.embed

    def noting(self: Engine, texts: Any, *rest: Any) -> Any:
        noted.extend(texts)
        return embed(self, texts, *rest)

    monkeypatch.setattr(Engine, "embed", noting)
    return noted


def test_what_stays_the_same_is_not_embedded_and_keeps_its_place(made: Workspace, embedded: list[str]) -> None:
    before = dict(made.documents.list("manuals")), state(made)
    done = rebuild(made)
    assert (done.done, done.documents, done.unchanged, done.embedded) == (True, 0, 3, 0)
    assert embedded == []
    assert (dict(made.documents.list("manuals")), state(made)) == before
    assert staged(made) == 0


def test_other_sizes_make_new_versions_and_the_earlier_ones_can_be_cited(made: Workspace, embedded: list[str]) -> None:
    earlier = dict(made.documents.list("manuals"))
    whole = state(made)
    done = rebuild(made, size=60, overlap=0)
    assert (done.done, done.documents, done.unchanged) == (True, 1, 2)
    assert done.embedded == len(embedded) > len(whole["gates.txt"])
    rules = made.documents.collection("manuals").chunking
    assert (rules.target, rules.overlap, rules.limit) == (60, 0, 254)
    assert {name: found for name, found in state(made).items() if name != "gates.txt"} == {
        name: found for name, found in whole.items() if name != "gates.txt"
    }
    assert "".join(text for text, _ in state(made)["gates.txt"]).replace("\n", "") == LONG.replace("\n", "")
    for digest, document in earlier.items():
        assert made.documents.show(digest) == document
        assert made.documents.text(digest, 1).replace("# ", "") == NOTES[document.name].replace("# ", "")
    back = rebuild(made, size=180, overlap=48)
    assert back.done
    assert state(made) == whole
    made_more = made.add(next(iter(made.vault.folder.parent.glob("notes"))))
    assert (made_more.added, made_more.unchanged) == (0, 3)


def test_a_collection_of_another_embedder_is_refused_and_made_anew(
    made: Workspace, tmp_path: Path, embedded: list[str]
) -> None:
    whole = state(made)
    with_another_embedder(made)
    search = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
    asked = Search(collection="manuals", query="red valve")
    with pytest.raises(
        BadInput, match=r"made with the embedder older, which isn't here.*`assay documents rebuild manuals`"
    ):
        search.search(asked, Job("Search"))
    with pytest.raises(BadInput, match="assay documents rebuild"):
        made.add(tmp_path / "notes")
    with pytest.raises(Unavailable, match="knows no embedder missing"):
        rebuild(made, embedder="missing")
    done = rebuild(made)
    assert (done.done, done.documents, done.plan.embedder_name) == (True, 3, "fake")
    assert len(embedded) == done.embedded == sum(map(len, whole.values()))
    assert state(made) == whole
    assert search.search(asked, Job("Search"))[0].name == "valve.txt"
    search.close()


def test_another_route_or_version_is_refused_and_made_anew(made: Workspace, tmp_path: Path) -> None:
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("UPDATE collections SET route = 'another'")
    with pytest.raises(BadInput, match=r"computed by another.*`assay documents rebuild manuals`"):
        made.add(tmp_path / "notes")
    assert rebuild(made).documents == 3
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("""UPDATE collections SET chunking = json_set(chunking, '$.version', 0)""")
    with pytest.raises(BadInput, match=r"another version of Assay.*`assay documents rebuild manuals`"):
        made.add(tmp_path / "notes")
    assert rebuild(made).done
    assert made.add(tmp_path / "notes").unchanged == 3


def test_what_is_in_memory_of_a_search_follows_a_rebuild(made: Workspace) -> None:
    search = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
    asked = Search(collection="manuals", query="The guard of gate 7 looks at the lamp", limit=50)
    before = search.search(asked, Job("Search"))
    rebuild(made, size=60)
    after = search.search(asked, Job("Search"))
    fresh = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
    assert after == fresh.search(asked, Job("Search"))
    assert len(after) > len(before)
    search.close()
    fresh.close()


def test_a_rebuild_that_is_killed_anywhere_goes_on(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    with filled(start) as made:
        whole = state(made)
    with_size = {}
    killed = 0
    for point in KILLS:
        copy = tmp_path / f"killed-{point}"
        shutil.copytree(start, copy)
        killed += killed_at(point, lambda copy=copy: rebuild(opened(copy), size=60))  # type: ignore[misc]
        with opened(copy) as made:
            assert service(made).pending("manuals") is None or state(made) == whole, point
            done = rebuild(made, size=60)
            assert done.done, point
            found = state(made)
            with_size = with_size or found
            assert found == with_size, point
            assert staged(made) == 0, point
            assert rebuild(made).unchanged == 3, point
    assert killed >= len(KILLS) - 1
    assert with_size.keys() == whole.keys()


def test_what_changed_in_the_meantime_is_followed(
    made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Rebuilding, "_take_over", _stop)
        with pytest.raises(KeyboardInterrupt):
            rebuild(made, size=60)
    assert staged(made) == 4
    listed = {document.name: digest for digest, document in made.documents.list("manuals")}
    made.documents.remove(listed["drum.md"])
    (tmp_path / "new.txt").write_text("A ladder.")
    made.add(tmp_path / "new.txt")
    assert service(made).pending("manuals") is not None
    done = rebuild(made)
    assert (done.done, done.plan.chunking.target) == (True, 60)
    assert set(state(made)) == {"valve.txt", "gates.txt", "new.txt"}


def test_what_is_laid_by_goes_with_an_erased_document_and_with_giving_up(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Rebuilding, "_take_over", _stop)
        with pytest.raises(KeyboardInterrupt):
            rebuild(made, size=60)
    listed = {document.name: digest for digest, document in made.documents.list("manuals")}
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        ErasableDocuments().forget(unit, [listed["gates.txt"]])
    assert staged(made) == 3
    service(made).give_up("manuals")
    assert (staged(made), service(made).pending("manuals")) == (0, None)
    assert set(state(made)) == {"valve.txt", "drum.md"}


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_locked_document_holds_it_up_until_its_password_is_given_or_it_is_left_out(
    made: Workspace, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.pdf"
    locked.write_bytes(pdf([(72, 72, "The grey lock.", 11)], password="oak"))
    request = workspace.AddDocuments(collection="manuals", paths=(str(locked),))
    made.documents.add(request, Job("Add"), ["oak"])
    held = rebuild(made, size=60)
    assert (held.done, [one.file for one in held.refused]) == (False, ["locked.pdf"])
    assert made.documents.collection("manuals").chunking.target == 180
    done = rebuild(made, ("oak",))
    assert (done.done, done.refused, done.plan.chunking.target) == (True, (), 60)
    assert "locked.pdf" in state(made)
    out = rebuild(made, size=90, leave_out=True)
    assert (out.done, out.left_out) == (True, 1)
    assert "locked.pdf" not in state(made)


def test_sizes_that_can_not_be_are_refused(made: Workspace) -> None:
    for options, said in (({"size": 5}, "this embedder allows 32 to"), ({"size": 90, "overlap": 91}, "use 0 to 90")):
        with pytest.raises(BadInput, match=said):
            rebuild(made, **options)
    assert staged(made) == 0


def test_what_was_redacted_is_redacted_again_whatever_the_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "people.txt"
    note.write_text("Write to ines.morel@example.org about the valve.")
    with opened(tmp_path) as made:
        screening = Screening(made.vault, made.documents)
        screening.set_policy(
            ScreeningPolicy(collection="manuals", mode="automatic", kinds=("email",), redact=("email",))
        )
        made.add(note)
        screening.set_policy(ScreeningPolicy(collection="manuals", mode="off"))
        before = state(made)
        assert "ines.morel" not in before["people.txt"][0][0]
        with_another_embedder(made)
        assert rebuild(made).documents == 1
        assert state(made) == before
        with_another_embedder(made)
        monkeypatch.setattr(again, "findings", lambda *_: ())
        held = rebuild(made)
        assert not held.done
        assert "redacted in it that isn't recognised any more" in held.refused[0].reason
