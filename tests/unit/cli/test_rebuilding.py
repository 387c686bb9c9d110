"""`assay documents rebuild`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.documents.rebuilding import Rebuilding
from core.documents.service import Documents
from core.models.records import FAKE
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk
from tests.unit.documents.workspace import pdf


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    with Workbench(vault_factory(SCHEMA)) as bench:
        bench.documents = Documents(bench.vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.rebuilding = Rebuilding(bench.vault, bench.supervisor, bench.engine, bench.documents)
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "valve.txt").write_text("The red valve.")
        (tmp_path / "notes" / "locked.pdf").write_bytes(pdf([(72, 72, "The grey lock.", 11)], password="oak"))
        (tmp_path / "words").write_text("oak")
        yield Desk(bench, tmp_path)


def test_a_collection_is_made_anew_and_told_what_holds_it_up(desk: Desk) -> None:
    assert desk("documents", "rebuild", "plant") != 0
    assert "no collection plant" in desk.errors
    assert desk("documents", "add", "plant", "notes", "--password-file", "words") == 0
    assert desk("documents", "rebuild", "plant", "--size", "60") == 1
    assert "plant is searched as before; not read again: 1." in desk.output
    assert "refused: locked.pdf" in desk.output
    assert desk("documents", "rebuild", "plant", "--password-file", "words", "--json") == 0
    found = json.loads(desk.output)
    assert (found["done"], found["size"], found["embedded"]) == (True, 60, 0)
    assert desk("documents", "rebuild", "plant", "--give-up", "--size", "70") == 2
    assert desk("documents", "rebuild", "plant", "--give-up") == 0
    assert desk("documents", "rebuild", "plant", "--leave-out") == 0
    assert "left out, because they can't be read again: 1" in desk.output


def test_the_lists_say_which_documents_an_older_version_read(desk: Desk) -> None:
    assert desk("documents", "add", "plant", "notes", "--password-file", "words") == 0
    said = "`assay documents rebuild plant --older` reads"
    for listed in (("documents", "list"), ("documents", "list", "plant")):
        assert desk(*listed) == 0
        assert said not in desk.output
    with desk.bench.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("UPDATE documents SET reader = reader - 1")
    for listed in (("documents", "list"), ("documents", "list", "plant")):
        assert desk(*listed) == 0
        assert f"2 documents were read by an older version; {said} them again" in desk.output
    assert desk("documents", "list", "--json") == 0
    assert json.loads(desk.output)["collections"][0]["older"] == 2
    assert desk("documents", "list", "plant", "--json") == 0
    assert json.loads(desk.output)["older"] == 2
    assert desk("documents", "rebuild", "plant", "--older", "--size", "60") == 2
    assert desk("documents", "rebuild", "plant", "--older", "--password-file", "words") == 0
    assert desk("documents", "list", "plant", "--json") == 0
    assert json.loads(desk.output)["older"] == 0


def test_what_was_taken_out_is_listed(desk: Desk) -> None:
    assert desk("documents", "add", "plant", "notes", "--password-file", "words") == 0
    assert desk("documents", "list", "--gone") == 2
    assert desk("documents", "list", "plant", "--gone") == 0
    assert "No document was taken out of plant." in desk.output
    name = desk.bench.documents.list("plant")[0][1].name
    assert desk("documents", "remove", "plant", name) == 0
    assert desk("documents", "list", "plant", "--gone", "--json") == 0
    [gone] = json.loads(desk.output)["gone"]
    assert (gone["name"], set(gone)) == (name, {"name", "digest", "retired"})
