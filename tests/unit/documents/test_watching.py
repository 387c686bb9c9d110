"""When a watched folder counts as changed."""

from pathlib import Path

import pytest

from core.documents import watching
from core.documents.watching import Watch, watch
from core.errors import BadInput, Unavailable
from core.jobs import Job


def test_a_change_counts_when_it_stands_still(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    watched = Watch((str(tmp_path),))
    assert watched.due()
    watched.done()
    assert not watched.due()
    (tmp_path / "a.txt").write_text("one two")
    assert not watched.due(), "it may still be written"
    (tmp_path / "a.txt").write_text("one two three")
    assert not watched.due(), "it is still written"
    assert watched.due()
    assert watched.due(), "it stays due until it is done"
    watched.done()
    assert not watched.due()
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert not watched.due()
    assert watched.due()


def test_watching_goes_on_after_what_goes_wrong_and_ends_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "EVERY", 0.0)
    folder = tmp_path / "notes"
    folder.mkdir()
    job, said, tried = Job("Watch"), list[str](), list[int]()

    def refresh() -> None:
        tried.append(1)
        if len(tried) < 3:
            raise BadInput(source="notes", problem="not now.")
        if len(tried) == 3:
            folder.rmdir()
            (tmp_path / "other.txt").write_text("x")
        else:
            job.cancel()

    def heard(line: str) -> None:
        said.append(line)
        if "isn't there" in line:
            folder.mkdir()
            (folder / "new.txt").write_text("x")

    watch((str(folder),), refresh, job, heard)
    assert len(tried) == 4
    assert [line for line in said if "not now" in line] == ["notes: not now."]
    assert "isn't there" in said[-1]
    with pytest.raises(Unavailable):
        watching.look((str(tmp_path / "gone"),))
