"""Erasing, holding and keeping what the services made: documents, traces, runs, datasets, through the workbench."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.assistants.records import Answered, Question
from core.assistants.service import Assistants
from core.datasets.records import AddDataset
from core.documents import history, store
from core.documents.records import AddDocuments
from core.documents.service import Documents
from core.errors import NotFound, Refused
from core.evals.records import RunSpec, Spec
from core.jobs import Job
from core.models.records import FAKE
from core.records import Digest
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from core.trust.times import parse_time
from core.vault import erasure, holds, retention
from core.vault.check import check
from core.vault.erasure import Erase
from core.vault.holds import PlaceHold, Thing
from core.vault.migrations import Migrations
from core.vault.retention import SetRetention
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import ERASABLES, SCHEMA, Workbench
from tests.unit.vault.pages import decrypted

MARKER = "quillonberry"
TEXT = f"# The tower\n\nThe tower has nine floors and a {MARKER}.\n\nThe gate closes at eight in the evening.\n"
QUESTIONS = f"""{{"id": "q1", "input": "How many floors has the tower with the {MARKER}?", "target": "nine"}}
{{"id": "q2", "input": "When does the gate close?", "target": "eight"}}
"""
SPEC = Spec(
    name="towers", dataset="towers", collection="towers", include_quotes=True, passages=2, scorers=("contains",)
)
LATER = datetime.now(UTC) + timedelta(days=100)


class Study:
    """A workbench with one document, its answers, a dataset and a run."""

    def __init__(self, vault: Vault, folder: Path, passphrase: str) -> None:
        self.folder, self.passphrase = folder, passphrase
        self.bench = bench = Workbench(vault)
        bench.documents = Documents(vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.retrieval = Retrieval(vault, bench.supervisor, bench.engine, bench.documents)
        bench.assistants = Assistants(
            vault, bench.models, bench.engine, bench.documents, bench.retrieval, bench.prompts
        )
        bench.evals._assistants, bench.evals._documents = bench.assistants, bench.documents

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def add(self, name: str, text: str, collection: str = "towers") -> None:
        request = AddDocuments(collection=collection, paths=(str(self.write(name, text)),))
        assert self.bench.documents.add(request, Job("Add")).added == 1

    def ask(self, text: str) -> str:
        question = Question(collection="towers", text=text, passages=2)
        *_, last = self.bench.assistants.ask(question, Job("Ask"))
        assert isinstance(last, Answered)
        return last.trace

    def data(self, text: str = QUESTIONS) -> None:
        request = AddDataset(name="towers", path=str(self.write("q.jsonl", text)))
        self.bench.datasets.add(request, Job("Add"))

    def run(self) -> Digest:
        self.bench.evals.save(SPEC)
        return self.bench.evals.run(RunSpec(reference="towers"), Job("Run")).digest

    def plan(self, *things: str, **more: bool) -> erasure.Plan:
        with self.bench.vault.read() as reader:
            return erasure.plan(reader, ERASABLES, wanted(*things, **more))

    def erase(self, *things: str, **more: bool) -> erasure.ErasedContent:
        with self.bench.vault.confirm(self.passphrase) as signer:
            return erasure.erase(self.bench.vault, ERASABLES, signer, wanted(*things, **more), Job("Erase"))

    def hold(self, *things: str) -> None:
        with self.bench.vault.confirm(self.passphrase) as signer:
            request = PlaceHold(name="Case 4", reason="letter of 3 May", things=tuple(map(thing, things)))
            holds.place(self.bench.vault, ERASABLES, signer, request)

    def pages(self) -> bytes:
        vault = self.bench.vault
        return decrypted(vault.folder / "vault.db", vault._connections.key)


def thing(named: str) -> Thing:
    kind, _, reference = named.partition(":")
    return Thing(kind=kind, reference=reference)


def wanted(*things: str, **more: bool) -> Erase:
    return Erase(things=tuple(map(thing, things)), reason="request 12", **more)


@pytest.fixture
def study(vault_factory: Callable[..., Vault], tmp_path: Path, passphrases: dict[str, str]) -> Iterator[Study]:
    made = Study(vault_factory(SCHEMA), tmp_path, passphrases["ines"])
    with made.bench:
        made.add("tower.md", TEXT)
        yield made


def labels(plan: erasure.Plan) -> list[str]:
    return [f"{item.kind}: {item.label}" for item in plan.items]


def test_a_document_goes_with_its_passages_words_vectors_and_file(study: Study) -> None:
    study.add("other.md", "# Boats\n\nA boat waits at the pier.\n")
    study.add("tower.md", TEXT.replace("nine", "ten"))
    plan = study.plan("document:towers/tower.md")
    assert (len(plan.items), plan.records, plan.blobs) == (2, 2, 2), "both versions"
    assert MARKER.encode() in study.pages()
    study.erase("document:towers/tower.md")
    assert MARKER.encode() not in study.pages()
    bench = study.bench
    assert [document.name for _, document in bench.documents.list("towers")] == ["other.md"]
    found = bench.retrieval.search(Search(collection="towers", query=f"{MARKER} boat pier", limit=5), Job("Search"))
    assert {passage.name for passage in found} == {"other.md"}
    with bench.vault.read() as reader:
        for table, left in (("documents", 1), ("pages", 1)):
            assert reader.db.execute(f"SELECT count(*) FROM {table}").fetchone() == (left,)
        assert (
            reader.db.execute("SELECT sum(count) FROM vector_blocks").fetchone()
            == reader.db.execute("SELECT count(*) FROM chunks").fetchone()
        )
    with pytest.raises(NotFound):
        study.plan("document:towers/tower.md")
    study.add("tower.md", TEXT)
    assert check(bench.vault) == ()


def test_answers_and_outcomes_that_quote_a_document_go_when_asked(study: Study) -> None:
    study.data()
    run = study.run()
    about, other = study.ask(f"How many floors has the tower with the {MARKER}?"), study.ask("Who painted the roof?")
    plan = study.plan("document:towers/tower.md")
    assert any("quote it stay; they go too" in line for line in plan.remains)
    assert len(plan.items) == 1
    kinds = [item.kind for item in study.plan("document:towers/tower.md", quoting=True).items]
    assert kinds.count("trace") == 2, "both answers were shown passages of it"
    assert kinds.count("outcome") == 2
    study.erase("document:towers/tower.md", quoting=True)
    assert study.bench.assistants.traces() == ()
    for trace in (about, other):
        with pytest.raises(NotFound, match="erased"):
            study.bench.assistants.trace(Digest(trace))
    view = study.bench.evals.show("run-1")
    assert (view.digest, view.status) == (run, "finished"), "the run keeps its figures"
    assert study.bench.evals.outcomes("run-1") == ()
    assert check(study.bench.vault) == ()


def test_the_same_file_elsewhere_is_told_and_goes_when_asked(study: Study) -> None:
    study.add("copy.md", TEXT, collection="copies")
    plan = study.plan("document:towers/tower.md")
    assert plan.blobs == 0
    assert any(line.startswith("The same file stays as copies/copy.md") for line in plan.remains)
    plan = study.plan("document:towers/tower.md", copies=True)
    assert (len(plan.items), plan.blobs) == (2, 1)
    assert study.erase("collection:towers").blobs == 0
    assert study.erase("collection:copies").blobs == 1
    assert MARKER.encode() not in study.pages()
    assert check(study.bench.vault) == ()


def test_an_erased_dataset_version_keeps_its_number(study: Study) -> None:
    study.data()
    study.run()
    study.data(QUESTIONS.replace("nine", "9"))
    assert labels(study.plan("dataset:towers")) == ["dataset: towers@1", "dataset: towers@2"]
    assert len(study.plan("dataset:towers@1", quoting=True).items) == 3
    study.erase("dataset:towers@2")
    assert study.bench.datasets.show("towers").dataset.number == 1
    assert [d.reference for d in study.bench.datasets.list()] == ["towers@1"]
    with pytest.raises(NotFound, match="erased"):
        study.bench.datasets.show("towers@2")
    study.data(QUESTIONS.replace("nine", "IX"))
    assert study.bench.datasets.show("towers").dataset.number == 3
    study.erase("dataset:towers", quoting=True)
    assert study.bench.datasets.list() == ()
    study.data()
    assert study.bench.datasets.show("towers").dataset.number == 4
    assert check(study.bench.vault) == ()


def test_an_erased_run_goes_whole_and_its_number_is_not_given_again(study: Study) -> None:
    study.data()
    study.run()
    plan = study.plan("run:run-1")
    assert (labels(plan), plan.records) == (["run: run-1 of towers@1"], 4)
    study.erase("run:run-1")
    assert study.bench.evals.list() == ()
    with pytest.raises(NotFound):
        study.bench.evals.show("run-1")
    study.run()
    assert [view.run.id for view in study.bench.evals.list()] == ["run-2"]
    assert check(study.bench.vault) == ()


def test_a_hold_on_a_collection_keeps_documents_answers_and_runs(study: Study) -> None:
    study.hold("collection:towers")
    study.data()
    study.run()
    trace = study.ask("When does the gate close?")
    for named in ("document:towers/tower.md", "collection:towers", f"trace:{trace}", "run:run-1", "dataset:towers@1"):
        with pytest.raises(Refused, match="Case 4"):
            study.erase(named)
        assert study.plan(named).held
    ((digest, _),) = study.bench.documents.list("towers")
    with pytest.raises(Refused, match="Case 4"):
        study.bench.documents.remove(digest)


def test_a_hold_on_a_run_keeps_what_it_rests_on(study: Study) -> None:
    study.data()
    study.run()
    study.add("other.md", "# Boats\n\nA boat waits at the pier.\n")
    study.hold("run:run-1")
    for named in ("run:run-1", "dataset:towers", "document:towers/tower.md"):
        with pytest.raises(Refused, match="Case 4"):
            study.erase(named)
    study.erase("document:towers/other.md")


def test_retention_takes_old_versions_traces_and_runs(study: Study) -> None:
    study.data()
    study.run()
    study.ask("When does the gate close?")
    study.add("tower.md", TEXT.replace("nine", "ten"))
    vault = study.bench.vault
    for name in ("old-versions", "traces", "runs"):
        retention.set_rule(vault, ERASABLES, SetRetention(name=name, days=90, reason="our schedule"))
    with vault.read() as reader:
        assert retention.preview(reader, ERASABLES, datetime.now(UTC)) == ()
        due = retention.preview(reader, ERASABLES, LATER)
    assert [one.kind for one in due] == ["trace", "document", "run"]
    with vault.confirm(study.passphrase) as signer:
        done = retention.apply(vault, ERASABLES, signer, LATER, "", Job("Apply"))
    assert (done.items, len(done.tombstones)) == (3, 3)
    assert study.bench.assistants.traces() == ()
    assert study.bench.evals.list() == ()
    assert len(study.bench.documents.list("towers")) == 1, "the current version is never due"
    assert check(vault) == ()


def test_a_version_retired_before_that_was_noted_counts_from_the_migration(
    vault_factory: Callable[..., Vault], reopen: Callable[..., Vault]
) -> None:
    first = Migrations("documents", store.SCHEMA.steps[:1])
    older = tuple(first if migrations.package == "documents" else migrations for migrations in SCHEMA)
    vault = vault_factory(older)
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        unit.db.execute("INSERT INTO collections VALUES (1, 'towers', 'e', 'e', 2, '{}', 0)")
        for number, current in ((1, 0), (2, 1)):
            row = (number, f"digest {number}", 1, "tower.md", "content", 1, current)
            unit.db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    with reopen(vault, "ines", SCHEMA).read() as reader:
        ((digest, since),) = history.retired(reader)
        assert digest == "digest 1"
        assert parse_time(since, "clock") > datetime.now(UTC) - timedelta(minutes=5)


def test_an_administrator_who_is_author_too_can_not_take_out_of_a_hold_what_they_then_erase(study: Study) -> None:
    (known,) = [digest for digest, _ in study.bench.documents.list("towers")]
    study.hold("collection:towers")
    with pytest.raises(Refused, match="Case 4"):
        study.bench.documents.remove(known)
    study.add("tower.md", TEXT.replace("nine", "ten"))
    with study.bench.vault.confirm(study.passphrase) as signer:
        holds.release(study.bench.vault, ERASABLES, signer, "Case 4", "settled")
    study.bench.documents.remove(study.bench.documents.list("towers")[0][0])
    study.add("tower.md", TEXT, collection="elsewhere")
    for way in ((f"document:{known}",), ("document:towers/tower.md",), ("collection:towers",)):
        with pytest.raises(Refused, match="You released the hold Case 4"):
            study.erase(*way)
    with pytest.raises(Refused, match="You released the hold Case 4"):
        study.erase("document:elsewhere/tower.md", copies=True)
    with study.bench.vault.confirm(study.passphrase) as signer:
        retention.set_rule(
            study.bench.vault, ERASABLES, SetRetention(name="old-versions", days=1, reason="our schedule")
        )
        later = datetime.now(UTC) + timedelta(days=9)
        assert retention.apply(study.bench.vault, ERASABLES, signer, later, "", Job("Apply")).items == 0
    with study.bench.vault.read() as reader:
        assert reader.kind(known) == "document"
