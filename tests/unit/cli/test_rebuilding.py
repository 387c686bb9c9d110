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
    said = "`assay documents rebuild plant` reads"
    for listed in (("documents", "list"), ("documents", "list", "plant")):
        assert desk(*listed) == 0
        assert said not in desk.output
    with desk.bench.vault.write(Act.ADD_DOCUMENTS, about="test") as unit:
        unit.db.execute("UPDATE documents SET reader = reader - 1")
    for listed in (("documents", "list"), ("documents", "list", "plant")):
        assert desk(*listed) == 0
        assert f"2 documents were read by an older version; {said} them again" in desk.output
