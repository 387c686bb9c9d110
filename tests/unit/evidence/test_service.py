"""Exporting from a real vault: a run of the quotes mode over a few sentences, packed, signed and verified."""

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.errors import BadInput, NotFound, Refused
from core.evals import locking, marks
from core.evals.marks import MarkOutcome
from core.evals.records import Criterion, RunSpec, Settings, Spec
from core.evals.store import start
from core.evidence import zipform
from core.evidence.opened import take_apart
from core.evidence.records import ExportPack
from core.evidence.verify import verify
from core.jobs import Job
from core.paths import RESOURCES
from core.trust.trustfile import TrustFile, dump, load
from core.vault.roles import Act
from core.workbench import Workbench
from tests.conftest import weak_kdf
from tests.unit.evidence.judging import judged

PASSPHRASE = "correct horse battery staple"
REVIEWER = "another horse another staple"
HANDBOOK = """Merrowdale handbook

The safety desk is open from Monday to Friday, 08:00 to 18:00.

A site reports a serious adverse event within 24 hours of becoming aware of it.

The archive keeps trial records for 25 years after the last visit.
"""
QUESTIONS = (
    {
        "id": "q1",
        "input": "How soon does a site report a serious adverse event?",
        "target": "24 hours",
        "document": "handbook.txt",
        "page": 1,
    },
    {
        "id": "q2",
        "input": "How long does the archive keep trial records?",
        "target": "25 years",
        "document": "handbook.txt",
        "page": 1,
    },
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A vault with a finished run whose criteria somebody else approved."""
    if not (RESOURCES / "models" / "starter-embed.gguf").is_file():
        pytest.skip("the starter embedder hasn't been built")
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "handbook.txt").write_text(HANDBOOK, "utf-8")
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, QUESTIONS)), "utf-8")
    spec = Spec(
        name="handbook",
        dataset="questions",
        collection="handbook",
        include_quotes=True,
        scorers=("contains", "refusal", "latency"),
        criteria=(Criterion(metric="contains", variant="quotes", at_least=0.1),),
    )
    with Workbench.create(folder / "v.assay", "ada", "Ada Nováková", PASSPHRASE, weak_kdf) as bench:
        bench.documents.add(AddDocuments(collection="handbook", paths=(str(folder / "handbook.txt"),)), Job("add"))
        bench.datasets.add(AddDataset(name="questions", path=str(folder / "questions.jsonl")), Job("add"))
        saved = bench.evals.save(spec)
        with bench.vault.confirm(PASSPHRASE) as signer:
            bench.evals.sign(saved.spec.reference, "authored", "", signer)
            bench.vault.add_user(signer, "ben", "Ben Okafor", ("reviewer",), REVIEWER, weak_kdf)
    with Workbench.open(folder / "v.assay", "ben", REVIEWER) as bench, bench.vault.confirm(REVIEWER) as signer:
        bench.evals.sign(saved.spec.reference, "approved", "fits the use", signer)
    with Workbench.open(folder / "v.assay", "ada", PASSPHRASE) as bench:
        bench.evals.run(RunSpec(reference="handbook"), Job("run"))
        yield bench


def test_a_run_becomes_a_pack_that_both_verifiers_call_valid(bench: Workbench, tmp_path: Path) -> None:
    out = tmp_path / "run.pack"
    with bench.vault.confirm(PASSPHRASE) as signer:
        info = bench.evidence.export(
            ExportPack(run="run-1", out=str(out), reason="for the auditor"), signer, Job("pack")
        )
    data = out.read_bytes()
    assert (info.sha256, info.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert out.stat().st_mode & 0o077 == 0
    trust = load(dump(bench.vault.trust_file()))
    verdict = judged(data, trust, datetime.now(UTC))
    assert (verdict.verdict, verdict.reasons) == ("valid", ())
    assert [(s.name, s.meaning, s.reason) for s in verdict.signatures] == [
        ("Ada Nováková", "authored", ""),
        ("Ben Okafor", "approved", "fits the use"),
        ("Ada Nováková", "released", "for the auditor"),
    ]
    assert {check.name: check.state for check in verdict.checks}["Order of events"] == "ok"
    assert judged(data, TrustFile(cards=(), logs=(), made=""), datetime.now(UTC)).verdict == "incomplete"
    with bench.vault.read() as reader:
        entry = reader.log(1, reader.log_size - 2)[0]
    assert (entry.act, entry.about, entry.reason) == (Act.EXPORT_PACK, "run-1", "for the auditor")
    assert entry.after == f"sha256 {info.sha256}"


OF_THE_LOG = {"log/checkpoint.txt", "log/entries.json", "manifest.json", "release.json"}
"""The checkpoint moves on with the log, the proofs with it; the manifest and the release speak of both."""


def test_two_exports_of_a_run_are_the_same_entry_by_entry_but_for_the_log(bench: Workbench, tmp_path: Path) -> None:
    with bench.vault.confirm(PASSPHRASE) as signer:
        for name in ("one", "two"):
            bench.evidence.export(ExportPack(run="latest", out=str(tmp_path / name)), signer, Job("pack"))
    trust = bench.vault.trust_file()
    for name in ("one", "two"):
        assert verify(io.BytesIO((tmp_path / name).read_bytes()), trust, datetime.now(UTC)).verdict == "valid"
    one, two = (zipform.read((tmp_path / name).read_bytes()) for name in ("one", "two"))
    assert list(one) == list(two)
    assert {name for name in one if one[name] != two[name]} == OF_THE_LOG
    first, second = (json.loads(files["manifest.json"]) for files in (one, two))
    assert first["renderings"] == second["renderings"]
    assert {name for name in first["files"] if first["files"][name] != second["files"][name]} == OF_THE_LOG & set(
        first["files"]
    )


def test_what_cant_be_exported_is_said_and_nothing_is_written(bench: Workbench, tmp_path: Path) -> None:
    with bench.vault.read() as reader:
        before = reader.log_size
    with bench.vault.confirm(PASSPHRASE) as signer:
        for run, out, error in (
            ("run-9", tmp_path / "x", NotFound),
            ("run-1", tmp_path / "missing" / "x", NotFound),
            ("run-1", tmp_path, BadInput),
        ):
            with pytest.raises(error):
                bench.evidence.export(ExportPack(run=run, out=str(out)), signer, Job("pack"))
    with pytest.raises(Refused, match="ended"):
        bench.evidence.export(ExportPack(run="run-1", out=str(tmp_path / "x")), signer, Job("pack"))
    assert list(tmp_path.iterdir()) == []
    with bench.vault.read() as reader:
        (entry,) = reader.log(after=before - 1)
        assert (entry.act, entry.about) == (Act.REFUSAL, f"{Act.EXPORT_PACK} run-1")


def test_a_run_that_was_interrupted_isnt_exported(bench: Workbench, tmp_path: Path) -> None:
    first = bench.evals.show("run-1")
    with bench.vault.write(Act.RUN_EVALUATION) as unit:
        start(unit, 2, first.run)
    with bench.vault.confirm(PASSPHRASE) as signer, pytest.raises(BadInput, match="isn't over"):
        bench.evidence.export(ExportPack(run="run-2", out=str(tmp_path / "x")), signer, Job("pack"))


def test_a_run_with_settings_and_repetitions_is_called_valid(bench: Workbench, tmp_path: Path) -> None:
    spec = Spec(
        name="often",
        dataset="questions",
        collection="handbook",
        include_quotes=True,
        scorers=("contains", "latency"),
        settings=(Settings(name="one", passages=1), Settings(name="two", passages=2)),
        repetitions=2,
    )
    bench.evals.save(spec)
    run = bench.evals.run(RunSpec(reference="often"), Job("run")).run.id
    with bench.vault.confirm(PASSPHRASE) as signer:
        bench.evidence.export(ExportPack(run=run, out=str(tmp_path / "run.pack")), signer, Job("pack"))
    trust = load(dump(bench.vault.trust_file()))
    verdict = judged((tmp_path / "run.pack").read_bytes(), trust, datetime.now(UTC))
    assert (verdict.verdict, verdict.reasons) == ("valid", ())


def test_what_people_say_goes_into_the_pack(bench: Workbench, tmp_path: Path) -> None:
    bench.evals.save(
        Spec(name="marked", dataset="questions", collection="handbook", include_quotes=True, scorers=("contains",))
    )
    view = bench.evals.run(RunSpec(reference="marked"), Job("run"))
    for score, reason in ((0, "Too short."), (1, "It says 24 hours.")):
        given = MarkOutcome(run=view.digest, sample="q1", variant="quotes", score=score, reason=reason)
        marks.mark(bench.vault, view, given)
    with bench.vault.confirm(PASSPHRASE) as signer:
        for name, reasons in (("open", True), ("less", False)):
            request = ExportPack(run=view.run.id, out=str(tmp_path / name), reasons=reasons)
            bench.evidence.export(request, signer, Job("pack"))
    packs = [(tmp_path / name).read_bytes() for name in ("open", "less")]
    trust = load(dump(bench.vault.trust_file()))
    for data in packs:
        assert judged(data, trust, datetime.now(UTC)).verdict == "valid"
    assert [b"It says 24 hours." in data for data in packs] == [True, False]
    assert b"Too short." not in packs[0], "the mark that was replaced stays in the vault"
    [mark] = take_apart(packs[1]).rows["mark"]
    assert (mark.record["user"], mark.record["score"]) == ("ada", 1)


def test_a_pack_that_the_policy_refuses_stands_in_the_log(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "unlocked", lambda *_: "Nobody has approved handbook@1.")
    with bench.vault.confirm(PASSPHRASE) as signer, pytest.raises(Refused, match="Nobody has approved"):
        bench.evidence.export(ExportPack(run="run-1", out=str(tmp_path / "x")), signer, Job("pack"))
    with bench.vault.read() as reader:
        entry = next(iter(reader.log(after=reader.log_size - 2)))
    assert (entry.act, entry.about) == (Act.REFUSAL, f"{Act.EXPORT_PACK} run-1")
    assert entry.reason == "Nobody has approved handbook@1."
    assert not (tmp_path / "x").exists()
