"""Tags are put on and taken off, logged, kept by new versions and new names, and narrow a search."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.documents import moving
from core.documents.erasing import ErasableDocuments
from core.documents.filtering import Filters
from core.documents.records import Document
from core.documents.tagging import Tagging
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.records import Digest
from core.retrieval.records import Finding, Search
from core.retrieval.service import Retrieval
from core.vault.roles import Act
from tests.unit.documents.workspace import Workspace

NOTES = {"valve.txt": "The red valve.", "pump.txt": "The red pump.", "drum.txt": "The red drum."}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        (tmp_path / "notes" / name).write_text(text)
    with Workspace(tmp_path) as made:
        made.add(tmp_path / "notes")
        yield made


@pytest.fixture
def tagging(made: Workspace) -> Tagging:
    found = Tagging(made.vault)
    assert found.add("manuals", ("valve.txt", "pump.txt"), ("hall 7", " hall  7 "), "moved in") == 2
    assert found.add("manuals", ("pump.txt",), ("leaks",)) == 1
    return found


def held(made: Workspace, name: str) -> tuple[Digest, Document]:
    return next(one for one in made.documents.list("manuals") if one[1].name == name)


def test_tags_are_set_removed_and_logged(made: Workspace, tagging: Tagging) -> None:
    assert tagging.of("manuals") == {"pump.txt": ("hall 7", "leaks"), "valve.txt": ("hall 7",)}
    assert tagging.counts("manuals") == {"hall 7": 2, "leaks": 1}
    assert tagging.remove("manuals", ("pump.txt", "valve.txt"), ("leaks",), "repaired") == 1
    assert tagging.counts("manuals") == {"hall 7": 2}
    with made.vault.read() as reader:
        entry = next(entry for entry in reversed(reader.log(1000)) if entry.act == Act.ADD_DOCUMENTS)
    assert (entry.about, entry.before, entry.after) == ("manuals/pump.txt, tags", "hall 7, leaks", "hall 7")
    assert entry.reason == "repaired"
    assert tagging.add("manuals", ("valve.txt",), ("hall 7",)) == 0


def test_a_search_is_narrowed_by_tags_which_are_followed_at_once(made: Workspace, tagging: Tagging) -> None:
    retrieval = Retrieval(made.vault, made.supervisor, made.engine, made.documents)

    def names(*tags: str, **others: tuple[str, ...]) -> set[str]:
        finding = Finding(filters=Filters(tags=tags, **others))
        found = retrieval.search(Search(collection="manuals", query="red", finding=finding), Job("Search"))
        return {passage.name for passage in found}

    assert names("hall 7") == {"valve.txt", "pump.txt"}
    assert names("leaks") == {"pump.txt"}
    tagging.add("manuals", ("drum.txt",), ("leaks",))
    assert names("leaks") == {"pump.txt", "drum.txt"}
    assert names("leaks", "hall 7") == set(NOTES)
    assert names("leaks", files=("drum.txt", "valve.txt")) == {"drum.txt"}
    with pytest.raises(NotFound, match=r"tag hall 8.*`assay documents tags"):
        names("hall 8")
    retrieval.close()


def test_new_versions_and_new_names_keep_their_tags_and_erasing_the_last_version_ends_them(
    made: Workspace, tagging: Tagging, tmp_path: Path
) -> None:
    (tmp_path / "notes" / "pump.txt").write_text("The red pump was repaired.")
    first, _ = held(made, "pump.txt")
    made.add(tmp_path / "notes")
    assert tagging.of("manuals")["pump.txt"] == ("hall 7", "leaks")
    second, document = held(made, "pump.txt")
    renamed = Document(**{name: getattr(document, name) for name in document.__struct_fields__} | {"name": "new.txt"})
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        third = moving.rename(unit, second, renamed)
    assert tagging.of("manuals") == {"new.txt": ("hall 7", "leaks"), "valve.txt": ("hall 7",)}
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        ErasableDocuments().forget(unit, (first, second))
    assert "new.txt" in tagging.of("manuals")
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        ErasableDocuments().forget(unit, (third,))
        assert unit.db.execute("SELECT name FROM document_tags").fetchall() == [("valve.txt",)]


def test_what_can_not_be_a_tag_or_has_none_is_refused(tagging: Tagging) -> None:
    for tags in ((), ("",), ("a,b",), ("-x",), ("x" * 61,), ("a\nb\x07",)):
        with pytest.raises(BadInput, match=r"tag"):
            tagging.add("manuals", ("valve.txt",), tags)
    with pytest.raises(BadInput, match="51 tags; a document has 50 at most"):
        tagging.add("manuals", ("valve.txt",), [f"tag {number}" for number in range(50)])
    with pytest.raises(NotFound, match=r"document absent\.txt"):
        tagging.add("manuals", ("valve.txt", "absent.txt"), ("x",))
    with pytest.raises(NotFound, match="collection absent"):
        tagging.of("absent")
