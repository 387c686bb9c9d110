"""Folders inside of a followed one are renamed, moved and swapped: their documents go by the new names, nothing is embedded, killed or not."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from core.documents.refreshing import Refreshing
from core.documents.tagging import Tagging
from core.inference.service import Engine
from tests.unit.documents.test_refreshing import held, killed_at, opened, refresh, write
from tests.unit.documents.workspace import Workspace

NOTES = {"hall/pump.txt": "The green pump.", "hall/deep/drum.md": "The blue drum.", "cellar/lamp.txt": "The red lamp."}
POINTS = (1, 4, 7)


def filled(folder: Path, notes: Path) -> Workspace:
    write(notes, NOTES)
    made = opened(folder)
    following = Refreshing(made.vault, made.documents)
    following.follow("manuals", (str(notes),))
    refresh(following)
    return made


def move(notes: Path) -> dict[str, str]:
    """Two folders change names with each other, and one of them goes deeper."""
    (notes / "hall").rename(notes / "swap")
    (notes / "cellar").rename(notes / "hall")
    (notes / "attic").mkdir()
    (notes / "swap").rename(notes / "attic" / "cellar")
    return {
        "attic/cellar/pump.txt": NOTES["hall/pump.txt"],
        "attic/cellar/deep/drum.md": NOTES["hall/deep/drum.md"],
    } | {"hall/lamp.txt": NOTES["cellar/lamp.txt"]}


def test_moved_folders_take_their_documents_and_tags_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(tmp_path, tmp_path / "notes") as made:
        tagging = Tagging(made.vault)
        tagging.add("manuals", ("hall/pump.txt",), ("leaks",))
        before = dict(made.documents.list("manuals"))
        wanted = move(tmp_path / "notes")

        def never(*_: Any) -> Any:
            raise AssertionError("embedded")

        monkeypatch.setattr(Engine, "embed", never)
        done = refresh(Refreshing(made.vault, made.documents))
        assert (done.added, done.renamed, done.removed) == (0, 3, 0)
        assert held(made) == wanted
        assert tagging.of("manuals") == {"attic/cellar/pump.txt": ("leaks",)}
        for digest, document in before.items():
            assert made.documents.text(digest, 1) == NOTES[document.name]


def test_a_move_with_changes_that_is_killed_is_finished(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    filled(start, tmp_path / "notes").close()
    wanted = move(tmp_path / "notes")
    (tmp_path / "notes" / "hall" / "lamp.txt").write_text("The red lamp is out.")
    wanted["hall/lamp.txt"] = "The red lamp is out."
    killed = 0
    for point in POINTS:
        copy = tmp_path / f"killed-{point}"
        shutil.copytree(start, copy)
        killed += killed_at(point, lambda copy=copy: _refreshed(copy))  # type: ignore[misc]
        with opened(copy) as made:
            following = Refreshing(made.vault, made.documents)
            refresh(following)
            assert held(made) == wanted, point
            again = refresh(following)
            assert (again.added, again.renamed, again.removed) == (0, 0, 0), point
    assert killed >= len(POINTS) - 1


def _refreshed(folder: Path) -> None:
    made = opened(folder)
    refresh(Refreshing(made.vault, made.documents))
