"""What was dropped from a changed archive or mail is no longer searched; what can't be told stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.documents import dropping, reading
from core.documents.reading import Read
from core.documents.records import Refusal
from core.documents.worker.records import PageWriter, Parsed
from core.errors import Refused
from core.records import Digest
from core.vault import holds
from tests.unit.documents import packed
from tests.unit.documents.workspace import Workspace


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path) as made:
        yield made


def zipped(folder: Path, **texts: str) -> Path:
    path = folder / "all.zip"
    path.write_bytes(packed.zipped({f"{name}.txt": text.encode() for name, text in texts.items()}))
    return path


def test_what_left_an_archive_is_not_searched_and_stays_readable(made: Workspace, tmp_path: Path) -> None:
    (tmp_path / "all.zip.txt").write_text("Not inside of the archive.")
    made.add(zipped(tmp_path, valve="The red valve.", pump="The green pump."), tmp_path / "all.zip.txt")
    gone = next(digest for digest, document in made.documents.list("manuals") if document.name == "all.zip/pump.txt")
    made.add(zipped(tmp_path, valve="The red valve.", drum="The blue drum."))
    assert made.names() == ["all.zip.txt", "all.zip/drum.txt", "all.zip/valve.txt"]
    assert made.documents.text(gone, 1) == "The green pump."
    made.add(zipped(tmp_path, valve="The red valve.", pump="The green pump."))
    assert made.names() == ["all.zip.txt", "all.zip/pump.txt", "all.zip/valve.txt"]


def test_an_archive_that_can_not_be_read_takes_nothing_out(made: Workspace, tmp_path: Path) -> None:
    path = zipped(tmp_path, valve="The red valve.", pump="The green pump.")
    made.add(path)
    path.write_bytes(path.read_bytes()[:40])
    assert len(made.add(path).refused) == 1
    assert made.names() == ["all.zip/pump.txt", "all.zip/valve.txt"]


def test_a_hold_keeps_a_document_in_search(made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.add(zipped(tmp_path, valve="The red valve.", pump="The green pump."))

    def refuse(*_: object) -> None:
        raise Refused(act="Take out", reason="The hold keeps it.")

    monkeypatch.setattr(holds, "refuse_removal", refuse)
    made.add(zipped(tmp_path, valve="The red valve."))
    assert made.names() == ["all.zip/pump.txt", "all.zip/valve.txt"]


WRITER = PageWriter(1)
WRITER.add("paragraph", "Text.")
PARSED = Parsed(media="text/plain", title="", pages=(WRITER.page(),))


def came(name: str, new: bool = True) -> Read:
    return Read(name=name, data=b"", content=Digest("0" * 64), parsed=PARSED if new else None)


@pytest.mark.parametrize(
    ("read", "dropped"),
    [
        ([came("a.zip/x.txt")], {"a.zip/m.eml", "a.zip/m.eml/y.txt"}),
        ([came("a.zip/m.eml", new=False)], {"a.zip/x.txt"}),
        ([came("a.zip/m.eml")], {"a.zip/x.txt", "a.zip/m.eml/y.txt"}),
        ([Refusal(file="a.zip/m.eml", reason="no mail")], {"a.zip/x.txt"}),
        ([Refusal(file="a.zip", reason="damaged")], set()),
        ([came("a.zip/x.txt"), Refusal(file="a.zip/z.txt", reason=f"a.zip/z.txt: {reading.TOO_MANY}. Unpack.")], set()),
        ([came("a.zip", new=False)], set()),
        ([], {"a.zip/x.txt", "a.zip/m.eml", "a.zip/m.eml/y.txt"}),
    ],
)
def test_only_what_is_known_to_be_gone_is_dropped(
    made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[Read | Refusal], dropped: set[str]
) -> None:
    names = ("a.zip/x.txt", "a.zip/m.eml", "a.zip/m.eml/y.txt")
    monkeypatch.setattr(
        dropping, "_inside", lambda *_: [(Digest(f"{number:064}"), name) for number, name in enumerate(names)]
    )
    gone: list[str] = []

    def drop(_vault: object, _collection: str, _digest: Digest, name: str) -> bool:
        gone.append(name)
        return True

    monkeypatch.setattr(dropping, "_dropped", drop)
    assert dropping.drop_missing(made.vault, "manuals", "a.zip", read) == len(dropped)
    assert set(gone) == dropped
