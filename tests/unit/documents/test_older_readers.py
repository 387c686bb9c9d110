"""Documents that an older version of the program read are counted, until they are read again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.documents import moving, readers, rebuilding, store
from core.documents.reading import Reader as DocumentReader
from core.documents.rebuilding import Plan, Rebuild, Rebuilding
from core.documents.worker.records import READER, Parsed
from core.errors import BadInput
from core.inference.service import Engine
from core.jobs import Job
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.unit.documents import test_rebuilding, workspace
from tests.unit.documents.workspace import PASSPHRASE, Workspace


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    with test_rebuilding.opened(tmp_path) as made:
        (tmp_path / "valve.txt").write_text("The red valve.")
        (tmp_path / "drum.txt").write_text("The blue drum.")
        made.add(tmp_path / "valve.txt", tmp_path / "drum.txt")
        yield made


def older(made: Workspace) -> int:
    return made.documents.collection("manuals").older


def age(made: Workspace, name: str) -> None:
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("UPDATE documents SET reader = ? WHERE name = ?", (READER - 1, name))


def rebuild(made: Workspace, **options: int) -> rebuilding.Rebuilt:
    service = Rebuilding(made.vault, made.supervisor, made.engine, made.documents)
    return service.rebuild(Rebuild(collection="manuals", **options), Job("Rebuild"))


def test_a_document_of_an_older_version_is_counted_until_a_rebuild(made: Workspace) -> None:
    assert older(made) == 0
    assert readers.older(made.documents.collection("manuals")) == ""
    age(made, "valve.txt")
    assert older(made) == 1
    assert readers.older(made.documents.collection("manuals")) == (
        "1 document was read by an older version; `assay documents rebuild manuals --older` reads it again"
    )
    done = rebuild(made)
    assert (done.documents, done.unchanged) == (0, 2)
    assert older(made) == 0


def test_only_what_an_older_version_read_is_read_when_no_more_is_asked_for(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(made, "valve.txt")
    before = dict(made.documents.list("manuals"))
    seen: list[str] = []
    read_again, embed = DocumentReader.read_again, Engine.embed

    def read(self: DocumentReader, name: str, data: bytes, job: Job) -> Any:
        seen.append(name)
        return read_again(self, name, data, job)

    def embedded(self: Engine, texts: Any, *rest: Any) -> Any:
        seen.extend(texts)
        return embed(self, texts, *rest)

    monkeypatch.setattr(DocumentReader, "read_again", read)
    monkeypatch.setattr(Engine, "embed", embedded)
    done = rebuild(made, older=True)
    assert (done.done, done.documents, done.unchanged, done.embedded) == (True, 0, 2, 0)
    assert seen == ["valve.txt"], "read, and not embedded"
    assert (older(made), dict(made.documents.list("manuals"))) == (0, before)
    with pytest.raises(BadInput, match="all of it has to be read again"):
        rebuild(made, older=True, size=60)
    assert rebuild(made).done
    assert sorted(seen) == ["drum.txt", "valve.txt", "valve.txt"], "without it, all of them"


def test_one_that_is_read_otherwise_now_is_of_this_version_too(made: Workspace) -> None:
    age(made, "valve.txt")
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("UPDATE pages SET text = 'The red' WHERE text = 'The red valve.'")
    assert rebuild(made).documents == 1
    assert older(made) == 0


def test_another_name_keeps_it(made: Workspace) -> None:
    age(made, "valve.txt")
    digest, document = next(held for held in made.documents.list("manuals") if held[1].name == "valve.txt")
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        moving.rename(unit, digest, msgspec.structs.replace(document, name="valves/valve.txt"))
    assert (older(made), made.names()) == (1, ["drum.txt", "valves/valve.txt"])


def test_what_an_older_version_laid_by_is_not_taken_over(made: Workspace) -> None:
    age(made, "valve.txt")
    with made.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        kept = store.get(unit, "manuals")
        plan = Plan(
            embedder=kept.embedder,
            embedder_name=kept.embedder_name,
            dimensions=kept.dimensions,
            route=kept.route,
            chunking=kept.chunking,
            reader=READER - 1,
        )
        unit.db.execute("INSERT INTO rebuilds VALUES (?, ?)", (kept.id, msgspec.msgpack.encode(plan)))
        unit.db.execute("INSERT INTO rebuilt SELECT id, collection, NULL, x'', x'' FROM documents WHERE current = 1")
    assert rebuild(made).done
    assert older(made) == 0


def test_what_was_kept_before_there_were_numbers_is_of_the_first() -> None:
    kept = msgspec.to_builtins(Parsed(media="text/plain", title="", pages=(), reader=READER))
    del kept["reader"]
    assert msgspec.convert(kept, Parsed).reader == 1


def test_a_vault_without_the_column_opens_and_all_it_holds_is_counted(tmp_path: Path) -> None:
    before = Migrations(store.SCHEMA.package, store.SCHEMA.steps[:-1])
    schema = tuple(before if one is store.SCHEMA else one for one in test_rebuilding.SCHEMA)
    with (
        Vault.create(tmp_path / "Team.assay", "ann", "Ann Author", PASSPHRASE, schema, workspace.weak) as vault,
        vault.write(Act.ADD_DOCUMENTS, about="test") as unit,
    ):
        unit.db.execute(
            "INSERT INTO collections(name, embedder, embedder_name, dimensions, chunking)"
            " VALUES ('manuals', 'e', 'e', 4, '{\"type\": \"chunking\"}')"
        )
        unit.db.execute(
            "INSERT INTO documents(digest, collection, name, content, pages, current) VALUES ('d', 1, 'a', 'c', 1, 1)"
        )
    with test_rebuilding.opened(tmp_path) as made:
        assert older(made) == 1
