"""A collection is watched: looked at, brought in step, paused; what is gone from its folders stays readable."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.documents.refreshing import Refreshing
from core.documents.watched import Watched
from core.errors import BadInput
from core.jobs import Job
from tests.unit.documents.test_refreshing import NOTES, opened, write
from tests.unit.documents.workspace import Workspace


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    write(tmp_path / "notes", NOTES)
    with opened(tmp_path) as made:
        yield made


def watching(made: Workspace) -> Watched:
    return Watched(made.vault, Refreshing(made.vault, made.documents))


def test_what_changed_is_found_read_and_kept_and_what_is_gone_stays_readable(made: Workspace, tmp_path: Path) -> None:
    folder, watched, job = tmp_path / "notes", watching(made), Job("Watch")
    with pytest.raises(BadInput, match="follows no folder"):
        watched.begin("manuals")
    watched.begin("manuals", (str(folder),))
    [seen] = watched.look(job)
    assert (seen.collection, seen.due, seen.waiting) == ("manuals", True, 0)
    assert watched.refresh("manuals", job).added == 3
    assert watched.following("manuals").changes.said == "3 new"
    [seen] = watched.look(job)
    assert (seen.due, seen.waiting) == (False, 0)
    assert made.documents.gone("manuals") == ()
    valve = next(one for one, document in made.documents.list("manuals") if document.name == "valve.txt")
    (folder / "drum.md").unlink()
    (folder / "valve.txt").write_text("The red valve leaks.")
    (folder / "hall" / "pump.txt").rename(folder / "pump.txt")
    [seen] = watched.look(job)
    assert (seen.due, seen.waiting) == (False, 4), "it may still be written"
    [seen] = watched.look(job)
    assert seen.due
    watched.refresh("manuals", job)
    changes = watched.following("manuals").changes
    assert changes.said == "1 changed, 1 renamed, 1 gone"
    [(digest, document, time)] = made.documents.gone("manuals")
    assert (document.name, made.documents.text(digest, 1)) == ("drum.md", NOTES["drum.md"])
    assert time
    assert made.documents.out_of_search(digest) == (time, False)
    (since, replaced) = made.documents.out_of_search(valve)
    assert (bool(since), replaced) == (True, True)
    assert [made.documents.out_of_search(one) for one, _ in made.documents.list("manuals")] == [("", False)] * 2
    watched.refresh("manuals", job)
    assert watched.following("manuals").changes == changes, "nothing changed, so nothing is kept anew"


def test_a_folder_that_is_gone_is_a_problem_and_takes_nothing_out(made: Workspace, tmp_path: Path) -> None:
    watched, job = watching(made), Job("Watch")
    watched.begin("manuals", (str(tmp_path / "notes"),))
    watched.look(job)
    watched.refresh("manuals", job)
    (tmp_path / "notes").rename(tmp_path / "away")
    [seen] = watched.look(job)
    assert not seen.due
    assert seen.problem == f"The folder {tmp_path / 'notes'} isn't there. Connect its disk."
    assert len(made.names()) == 3
    (tmp_path / "away").rename(tmp_path / "notes")
    [seen] = watched.look(job)
    assert (seen.problem, seen.due) == ("", False)


def test_watching_outlives_the_opening_until_it_is_paused_or_nothing_is_followed(
    made: Workspace, tmp_path: Path
) -> None:
    folder = str(tmp_path / "notes")
    watching(made).begin("manuals", (folder,))
    again = watching(made)
    assert again.collections() == ("manuals",)
    assert [seen.due for seen in again.look(Job("Watch"))] == [True]
    again.pause("manuals")
    following = watching(made).following("manuals")
    assert (following.watched, following.folders) == (False, (folder,))
    assert again.look(Job("Watch")) == ()
    again.begin("manuals")
    Refreshing(made.vault, made.documents).unfollow("manuals")
    assert again.collections() == ()
    Refreshing(made.vault, made.documents).follow("manuals", (folder,))
    assert again.collections() == (), "it is followed anew, not watched"
