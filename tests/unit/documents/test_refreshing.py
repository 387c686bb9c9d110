"""A collection follows its folders: changes, renames and deletions, and whatever ends a refresh half-way."""

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.documents import history, passages, refreshing, store, vectors
from core.documents.erasing import ErasableDocuments
from core.documents.refreshing import Refreshed, Refreshing
from core.errors import BadInput, NotFound, Unavailable
from core.inference.service import Engine
from core.jobs import Job
from core.vault.connection import Connections
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault
from tests.unit.documents import packed, workspace
from tests.unit.documents.workspace import PASSPHRASE, Workspace

SCHEMA = (*workspace.SCHEMA, refreshing.SCHEMA)
NOTES = {"valve.txt": "The red valve.", "hall/pump.txt": "The green pump.", "drum.md": "The blue drum."}
KILLS = 6


def write(folder: Path, notes: dict[str, str]) -> Path:
    for name, text in notes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def opened(folder: Path) -> Workspace:
    """A workspace in `folder`, new or as it was left."""
    path = folder / "Team.assay"
    if path.exists():
        return Workspace(folder, vault=Vault.open(path, "ann", PASSPHRASE, SCHEMA))
    return Workspace(folder, vault=Vault.create(path, "ann", "Ann Author", PASSPHRASE, SCHEMA, workspace.weak))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    write(tmp_path / "notes", NOTES)
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def following(made: Workspace, tmp_path: Path) -> Refreshing:
    found = Refreshing(made.vault, made.documents)
    found.follow("manuals", (str(tmp_path / "notes"),))
    refresh(found)
    return found


def refresh(following: Refreshing) -> Refreshed:
    return following.refresh("manuals", Job("Refresh"))


def held(made: Workspace) -> dict[str, str]:
    """What can be found, by name: the whole text of each document, from its chunks with vectors."""
    with made.vault.read() as reader:
        return _held(reader)


def _held(reader: Reader) -> dict[str, str]:
    kept = store.get(reader, "manuals")
    ids = vectors.chunk_ids(reader, kept.id)
    words = reader.db.execute(f"SELECT rowid FROM {store.words_table(kept.id)} ORDER BY rowid").fetchall()
    assert [row for (row,) in words] == ids
    chunks = passages.chunks_of(reader, ids)
    names = passages.names(reader, [chunk.document for chunk in chunks.values()])
    assert len(set(names.values())) == len(ids) == len(store.current(reader, kept.id))
    return {names[chunk.document]: chunk.text for chunk in chunks.values()}


def test_only_what_changed_is_read(
    made: Workspace, following: Refreshing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert held(made) == NOTES
    embedded: list[str] = []
    embed = Engine.embed

    def noted(self: Engine, texts: Any, *rest: Any) -> Any:
        embedded.extend(texts)
        return embed(self, texts, *rest)

    monkeypatch.setattr(Engine, "embed", noted)
    again = refresh(following)
    assert (again.added, again.unchanged, again.renamed, again.removed) == (0, 3, 0, 0)
    write(tmp_path / "notes", {"valve.txt": "The red valve leaks.", "new.txt": "A ladder."})
    (tmp_path / "notes" / "drum.md").unlink()
    (tmp_path / "notes" / "hall" / "pump.txt").rename(tmp_path / "notes" / "pump.txt")
    before = dict(made.documents.list("manuals"))
    found = refresh(following)
    assert (found.added, found.replaced, found.renamed, found.removed) == (2, 1, 1, 1)
    assert sorted(embedded) == ["A ladder.", "The red valve leaks."]
    assert held(made) == {
        "valve.txt": "The red valve leaks.",
        "new.txt": "A ladder.",
        "pump.txt": "The green pump.",
    }
    for digest, document in before.items():
        assert made.documents.show(digest) == document
        assert made.documents.text(digest, 1) == NOTES[document.name]


def test_what_came_from_elsewhere_stays(made: Workspace, following: Refreshing, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("From elsewhere.")
    made.add(other)
    (tmp_path / "notes" / "valve.txt").unlink()
    assert refresh(following).removed == 1
    assert set(held(made)) == {"hall/pump.txt", "drum.md", "other.txt"}


def test_a_folder_that_is_away_or_empty_takes_nothing_out(
    made: Workspace, following: Refreshing, tmp_path: Path
) -> None:
    (tmp_path / "notes").rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="isn't there, so nothing was changed"):
        refresh(following)
    (tmp_path / "notes").mkdir()
    with pytest.raises(Unavailable, match="holds no files, so nothing was changed"):
        refresh(following)
    assert held(made) == NOTES
    with pytest.raises(BadInput, match="no folder"):
        following.follow("manuals", (str(tmp_path / "away" / "drum.md"),))
    following.unfollow("manuals")
    with pytest.raises(BadInput, match="follows no folder"):
        refresh(following)


def test_files_that_become_the_same_are_found_once(made: Workspace, following: Refreshing, tmp_path: Path) -> None:
    write(tmp_path / "notes", {"valve.txt": NOTES["drum.md"]})
    refresh(following)
    assert held(made) == {"drum.md": NOTES["drum.md"], "hall/pump.txt": NOTES["hall/pump.txt"]}
    write(tmp_path / "notes", {"valve.txt": "The red valve again."})
    refresh(following)
    assert held(made) == NOTES | {"valve.txt": "The red valve again."}
    (tmp_path / "notes" / "drum.md").rename(tmp_path / "notes" / "swap")
    (tmp_path / "notes" / "valve.txt").rename(tmp_path / "notes" / "drum.md")
    (tmp_path / "notes" / "swap").rename(tmp_path / "notes" / "valve.txt")
    refresh(following)
    refresh(following)
    assert sorted(held(made).values()) == sorted(["The red valve again.", NOTES["drum.md"], NOTES["hall/pump.txt"]])


def test_a_refresh_that_is_killed_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    notes = write(tmp_path / "notes", NOTES | {f"more{number}.txt": f"Sheet {number}." for number in range(3)})
    start = tmp_path / "start"
    start.mkdir()
    with opened(start) as made:
        following = Refreshing(made.vault, made.documents)
        following.follow("manuals", (str(notes),))
        refresh(following)
    write(notes, {"valve.txt": "The red valve leaks.", "new.txt": "A ladder.", "more0.txt": "Sheet 0, corrected."})
    (notes / "hall" / "pump.txt").rename(notes / "pump.txt")
    (notes / "drum.md").unlink()
    wanted = {path.relative_to(notes).as_posix(): path.read_text() for path in notes.rglob("*.*")}
    chance = random.Random(7)
    killed = 0
    for point in chance.sample(range(14), KILLS):
        copy = tmp_path / f"killed-{point}"
        shutil.copytree(start, copy)
        killed += killed_at(point, lambda copy=copy: _refreshed(copy))  # type: ignore[misc]
        with opened(copy) as made:
            refresh(Refreshing(made.vault, made.documents))
            assert held(made) == wanted, point
            again = refresh(Refreshing(made.vault, made.documents))
            assert (again.added, again.renamed, again.removed) == (0, 0, 0), point
    assert killed >= KILLS - 2


def _refreshed(folder: Path) -> None:
    made = opened(folder)
    refresh(Refreshing(made.vault, made.documents))


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that is killed at its `point`th transaction or embedding, before or after it is durable; whether it was."""
    child = os.fork()
    if child == 0:
        try:
            _install(point)
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def _install(point: int) -> None:
    left = [point]

    def reached() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    whole, embed = Connections.transaction, Engine.embed

    @contextmanager
    def transaction(self: Connections) -> Iterator[Any]:
        with whole(self) as db:
            yield db
            reached()
        reached()

    def embedding(*arguments: Any) -> Any:
        reached()
        return embed(*arguments)

    Connections.transaction = transaction  # type: ignore[method-assign]
    Engine.embed = embedding  # type: ignore[method-assign]


def test_a_collection_that_is_new_begins_with_its_folder(made: Workspace, tmp_path: Path) -> None:
    following = Refreshing(made.vault, made.documents)
    with pytest.raises(BadInput, match="follows no folder"):
        refresh(following)
    following.follow("manuals", (str(tmp_path / "notes"),))
    assert refresh(following).added == 3
    assert following.folders("manuals") == (str((tmp_path / "notes").resolve()),)
    with pytest.raises(NotFound):
        made.documents.list("others")


def test_an_erased_document_leaves_no_name(made: Workspace, following: Refreshing, tmp_path: Path) -> None:
    archive = tmp_path / "notes" / "papers.zip"
    archive.write_bytes(packed.zipped({"one.txt": b"The white ladder.", "two.txt": b"The black ladder."}))
    refresh(following)

    def names() -> set[str]:
        with made.vault.read() as reader:
            return refreshing._names(reader, "manuals")

    def erase(*wanted: str) -> None:
        with made.vault.read() as reader:
            digests = [digest for name in wanted for digest in history.versions_of(reader, f"manuals/{name}")]
        with made.vault.write(Act.ERASE) as unit:
            ErasableDocuments().forget(unit, digests)

    assert names() == {*NOTES, "papers.zip"}
    write(tmp_path / "notes", {"valve.txt": "The red valve leaks."})
    refresh(following)
    (tmp_path / "notes" / "valve.txt").unlink()
    refresh(following)
    with made.vault.read() as reader:
        first, _ = history.versions_of(reader, "manuals/valve.txt")
    with made.vault.write(Act.ERASE) as unit:
        ErasableDocuments().forget(unit, [first])
    assert "valve.txt" in names(), "a later version of it is left"
    erase("valve.txt", "hall/pump.txt")
    assert names() == {"drum.md", "papers.zip"}
    erase("papers.zip/one.txt")
    assert names() == {"drum.md", "papers.zip"}
    erase("papers.zip/two.txt")
    assert names() == {"drum.md"}
