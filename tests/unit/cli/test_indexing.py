"""`assay documents index`, and the index that a large import makes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.cli import documents as commands
from core.documents.service import Documents
from core.errors import WorkerFailed
from core.jobs import Job
from core.models.records import FAKE
from core.retrieval import index, resident
from core.retrieval.records import IndexState
from core.retrieval.service import Retrieval
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.people import Person


class Desk(Person):
    """ines at a command in a workbench that embeds without a model."""

    def __init__(self, bench: Workbench, folder: Path) -> None:
        super().__init__(bench.vault.folder, "ines", folder)
        self.bench = bench

    @contextmanager
    def workbench(self, folder: Path, user: str) -> Iterator[Workbench]:
        yield self.bench

    def acts(self, act: str) -> list[tuple[str, str]]:
        with self.bench.vault.read() as reader:
            return [(entry.user, entry.reason) for entry in reader.log(1000) if entry.act == act]


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Where every collection is too large to be compared whole."""
    monkeypatch.setattr(resident, "SCANNED", 0)
    vault = vault_factory(SCHEMA)
    with Workbench(vault) as bench:
        bench.documents = Documents(vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.retrieval = Retrieval(vault, bench.supervisor, bench.engine, bench.documents)
        (tmp_path / "tower.md").write_text("# The tower\n\nThe tower has nine floors.\n\nThe gate closes at eight.\n")
        yield Desk(bench, tmp_path)
        bench.retrieval.close()


def test_the_index_is_built_when_it_is_asked_for_and_after_a_large_import(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk("documents", "add", "towers", "tower.md") == 0
    assert desk.bench.retrieval.index_state("towers").state != "ready", "a small import makes none"
    assert desk("documents", "index", "towers", "--json") == 0
    made = json.loads(desk.output)
    assert (made["collection"], made["state"]) == ("towers", "ready")
    assert made["vectors"] > 0
    assert desk("documents", "index", "towns") == 6
    monkeypatch.setattr(commands, "LARGE", 1)
    (desk.folder / "gate.md").write_text("# The gate\n\nThe gate has two wings.\n")
    assert desk("documents", "add", "towers", "gate.md", "--json") == 0
    assert json.loads(desk.output)["added"] == 1
    state = desk.bench.retrieval.index_state("towers")
    assert (state.state, state.vectors > made["vectors"]) == ("ready", True)


def test_an_index_that_can_not_be_made_costs_the_import_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(collection: str, job: Job) -> IndexState:
        raise WorkerFailed(worker="The index worker", reason="it ran out of memory", safe="Nothing is lost.")

    monkeypatch.setattr(commands, "LARGE", 1)
    monkeypatch.setattr(desk.bench.retrieval, "prepare", fails)
    assert desk("documents", "add", "towers", "tower.md", "--json") == 0
    assert json.loads(desk.output)["added"] == 1
    assert "The documents are in" in desk.errors
    assert "ran out of memory" in desk.errors


def test_where_no_storage_is_in_memory_an_administrator_lets_it_lie_in_clear_and_the_log_says_why(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(index, "ram_backed", lambda: None)
    (tmp_path / "clear").mkdir()
    monkeypatch.setattr(index.tempfile, "gettempdir", lambda: str(tmp_path / "clear"))
    bench = desk.bench
    bench.retrieval.close()
    bench.retrieval = Retrieval(bench.vault, bench.supervisor, bench.engine, bench.documents)
    assert desk("documents", "add", "towers", "tower.md") == 0
    assert desk("documents", "index", "towers") == 0
    assert "no storage in memory" in desk.output
    assert desk("documents", "index", "towers", "--allow-clear") == 8
    assert desk.acts("open-in-clear") == []
    assert desk("documents", "index", "towers", "--allow-clear", "--reason", "the disk is encrypted", "--json") == 0
    assert json.loads(desk.output)["state"] == "ready"
    assert desk.acts("open-in-clear") == [("ines", "the disk is encrypted")]
    assert list((tmp_path / "clear").iterdir()) != []
    bench.retrieval.close()
    assert list((tmp_path / "clear").iterdir()) == []
