"""Datasets of an open vault: their versions, what stays marked, what leaves it, and what the log says of that."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from core.datasets.records import (
    SYNTHETIC,
    AddDataset,
    Dataset,
    Origin,
    Sample,
    SavedDataset,
    SaveSamples,
    SplitDataset,
    Splitting,
)
from core.datasets.screening import Learned
from core.datasets.service import Datasets
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.records import Digest
from core.trust.canonical import canonical, record_from
from core.vault import versions
from core.vault.roles import Act
from core.vault.vault import Vault

ROWS = '{"id":"q1","input":"Is it confidential?","target":"yes"}\n{"id":"q2","input":"Is it new?","target":"no"}\n'


@pytest.fixture
def datasets(vault: Vault) -> Datasets:
    return Datasets(vault, personal=lambda text: ("email",) if "@" in text else ())


@pytest.fixture
def added(datasets: Datasets, tmp_path: Path) -> SavedDataset:
    (tmp_path / "rows.jsonl").write_text(ROWS)
    return datasets.add(AddDataset(name="short", path=str(tmp_path / "rows.jsonl")), Job("add"))


def changed(sample: Sample, **fields: object) -> Sample:
    return msgspec.structs.replace(sample, **fields)


def test_the_log_tells_an_exported_file_by_a_digest_that_nobody_can_try_out(
    vault: Vault, datasets: Datasets, added: SavedDataset, tmp_path: Path
) -> None:
    """A dataset of one question with a yes or a no has few contents: their plain digests must not be in the log."""
    out = tmp_path / "out.jsonl"
    assert datasets.export("short@1", out) == 2
    plain = sha256(out.read_bytes())
    with vault.read() as reader:
        log = b"\n".join(reader.log_bytes(place) for place in range(reader.log_size)).decode()
        nonce = record_from(reader.raw(added.digest), Dataset)[1]
    assert plain.hexdigest() not in log
    assert nonce.hex() not in log
    salted = sha256(b"assay blob\x00" + nonce + plain.digest()).hexdigest()
    assert f"salted sha256 {salted}" in log


def test_every_sample_says_where_it_came_from(datasets: Datasets, added: SavedDataset) -> None:
    assert {sample.origin for sample in added.dataset.samples} == {Origin(kind="file", source="rows.jsonl", by="ines")}
    more = Sample(id="q3", input="Who asks?", target="she")
    saved = datasets.save(SaveSamples(name="short", samples=(*added.dataset.samples, more), based_on="short@1"))
    assert saved.dataset.samples[2].origin == Origin(kind="person", by="ines", source="rows.jsonl")
    assert saved.dataset.samples[:2] == added.dataset.samples


def test_the_same_file_makes_no_new_version(datasets: Datasets, added: SavedDataset, tmp_path: Path) -> None:
    (tmp_path / "renamed.jsonl").write_text(ROWS)
    again = datasets.add(AddDataset(name="short", path=str(tmp_path / "renamed.jsonl")), Job("add"))
    assert (again.created, again.digest) == (False, added.digest)


def test_a_version_of_before_is_read_and_keeps_its_digest(vault: Vault, datasets: Datasets) -> None:
    """A record as it was written before samples had conversations, groups and origins."""
    old = {"id": "1", "input": "Is it old?", "target": "yes", "version": 1}
    record = {
        "name": "old",
        "number": 1,
        "source": "old.csv",
        "parent": None,
        "author": "ines",
        "version": 1,
        "saved": "2026-01-31T10:00:00+00:00",
        "samples": [old],
        "type": "dataset",
    }
    content = canonical({"kind": "dataset", "nonce": "07" * 32, "record": record})  # type: ignore[dict-item]
    digest = Digest(sha256(content).hexdigest())
    with vault.write(Act.ADD_DATASET, about="old") as unit:
        unit.db.execute(
            "INSERT INTO records(digest, kind, author, time, content) VALUES (?, 'dataset', 'ines', '2026-01-31', ?)",
            (digest, content),
        )
        versions.add(unit, "dataset", "old", 1, digest)
    shown = datasets.show("old@1")
    assert (shown.digest, shown.dataset.samples[0].target) == (digest, "yes")
    datasets.save(SaveSamples(name="old", samples=(changed(shown.dataset.samples[0], target="no"),), based_on="old@1"))
    assert datasets.show("old@1") == shown
    with vault.read() as reader:
        assert reader.raw(digest) == content
    assert [number for number, _ in datasets.versions("old")] == [2, 1]
    assert datasets.show("old").dataset.parent == digest


def test_what_a_model_wrote_stays_synthetic_for_ever(datasets: Datasets, tmp_path: Path) -> None:
    made = Sample(id="s1", input="Who made this?", target="a model", origin=Origin(kind="document", synthetic=True))
    first = datasets.save(SaveSamples(name="made", samples=(made,)))
    assert first.dataset.samples[0].tags == (SYNTHETIC,)
    edited = changed(first.dataset.samples[0], input="Who wrote this one?", tags=(), origin=None)
    second = datasets.save(SaveSamples(name="made", samples=(edited,), based_on="made@1"))
    assert second.dataset.samples[0].tags == (SYNTHETIC,)
    assert second.dataset.samples[0].origin == Origin(kind="document", synthetic=True)
    for form, name in (("samples", "out.csv"), ("chat", "out.jsonl"), ("alpaca", "out.json"), ("sharegpt", "o.jsonl")):
        datasets.export("made", tmp_path / name, form=form)
        again = datasets.add(AddDataset(name=f"again-{form}", path=str(tmp_path / name)), Job("add"))
        assert again.dataset.samples[0].synthetic, form
        assert again.dataset.samples[0].origin is not None
        assert again.dataset.samples[0].origin.synthetic, form
    (tmp_path / "bare.jsonl").write_text('{"input": "who wrote this one", "target": "x"}\n')
    bare = datasets.add(AddDataset(name="made", path=str(tmp_path / "bare.jsonl")), Job("add"))
    assert bare.dataset.samples[0].synthetic


def test_nobody_overwrites_a_version_that_came_meanwhile(datasets: Datasets, added: SavedDataset) -> None:
    one = changed(added.dataset.samples[0], target="maybe")
    datasets.save(SaveSamples(name="short", samples=(one,), based_on="short@1"))
    with pytest.raises(BadInput, match="version 2 was kept meanwhile"):
        datasets.save(SaveSamples(name="short", samples=(one, added.dataset.samples[1]), based_on="short@1"))
    with pytest.raises(BadInput, match="kept meanwhile"):
        datasets.save(SaveSamples(name="short", samples=(one,)))


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ((), "at least one sample"),
        ((Sample(id="1", input="a"),), "no target"),
        ((Sample(id=" ", input="a", target="b"),), "an id and an input"),
        ((Sample(id="1", input="a", target="b"), Sample(id="1", input="c", target="d")), "occurs twice"),
    ],
)
def test_samples_that_can_not_be_are_not_kept(datasets: Datasets, samples: tuple[Sample, ...], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        datasets.save(SaveSamples(name="new", samples=samples))
    assert datasets.list() == ()


def test_a_version_tells_what_it_changed(datasets: Datasets, added: SavedDataset) -> None:
    first, second = added.dataset.samples
    new = Sample(id="q3", input="Who asks?", target="she")
    datasets.save(
        SaveSamples(name="short", samples=(changed(second, target="yes", page=2), new), based_on="short@1", note="why")
    )
    found = datasets.changes("short@2")
    assert [(one.kind, one.id, one.fields) for one in found] == [
        ("removed", "q1", ()),
        ("changed", "q2", ("target", "page")),
        ("added", "q3", ()),
    ]
    assert found[0].before == first
    assert datasets.show("short").dataset.note == "why"
    assert {one.kind for one in datasets.changes("short@1")} == {"added"}
    assert [one.kind for one in datasets.changes("short@1", "short@2")] == ["removed", "added", "changed"]


def test_a_split_is_a_version_and_its_parts_can_be_datasets(datasets: Datasets, tmp_path: Path) -> None:
    kept = tuple(Sample(id=f"{n}", input=f"Question {n}?", target="x", group=f"g{n % 5}") for n in range(20))
    datasets.save(SaveSamples(name="cases", samples=kept))
    splitting = Splitting(shares={"train": 0.6, "test": 0.4}, by="group", seed=5)
    made = datasets.split(SplitDataset(reference="cases", splitting=splitting, apart=True), Job("Split"))
    assert [one.dataset.reference for one in made] == ["cases@2", "cases-train@1", "cases-test@1"]
    assert made[0].dataset.splitting == splitting
    groups = [{sample.group for sample in one.dataset.samples} for one in made[1:]]
    assert groups[0].isdisjoint(groups[1])
    assert datasets.export("cases", tmp_path / "test.csv", part="test") == 8
    with pytest.raises(NotFound, match="test, train"):
        datasets.export("cases", tmp_path / "other.csv", part="other")
    with pytest.raises(BadInput, match="version 2 is the latest"):
        datasets.split(SplitDataset(reference="cases@1", splitting=splitting), Job("Split"))


def test_a_preview_stores_nothing(datasets: Datasets, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS + '{"input": "broken"}\n')
    request = AddDataset(name="new", path=str(tmp_path / "rows.jsonl"))
    found = datasets.preview(request, Job("Look"))
    assert (len(found.samples), found.wrong, found.problems[0].place) == (2, 1, "line 3")
    assert datasets.list() == ()
    with pytest.raises(BadInput, match="line 3"):
        datasets.add(request, Job("add"))
    assert datasets.list() == ()
    left = datasets.add(msgspec.structs.replace(request, leave_out=True), Job("add"))
    assert len(left.dataset.samples) == 2


def test_a_screening_names_what_adapters_learned(
    vault: Vault, datasets: Datasets, added: SavedDataset, reopen: Callable[..., Vault]
) -> None:
    datasets.save(
        SaveSamples(
            name="exam",
            samples=(
                Sample(id="e1", input="IS IT NEW", target="no"),
                Sample(id="e2", input="Who is a@b.example?", target="she"),
            ),
        )
    )
    learned = (
        Learned(adapter="training-1", digest="aa", datasets=(added.digest,)),
        Learned(adapter="training-2", digest="bb", datasets=(Digest("0" * 64),), files=("talks.json",)),
    )
    datasets.learned = lambda: learned
    found = datasets.screen("exam", Job("Screen"))
    assert [(one.sample, one.adapter, one.dataset, one.of) for one in found.contaminated] == [
        ("e1", "training-1", "short@1", "q2")
    ]
    assert [(one.sample, one.kind) for one in found.personal] == [("e2", "email")]
    assert found.unknown == ("training-2: talks.json", "training-2: an erased dataset")
    assert not found.clean
    assert datasets.contaminated("exam", ["bb"], Job("Screen"))[0] == ()
    assert len(datasets.contaminated("exam", ["aa"], Job("Screen"))[0]) == 1
    assert datasets.contaminated("exam", [], Job("Screen")) == ((), ())
