"""What vouches for a release: sums, provenance and SBOM go together, and whatever is changed is found."""

import json
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from installers import check, licences, provenance, sbom, trust
from installers.plan import BuildProblem
from installers.wheelhouse import platform, requirements

EPOCH = 1_700_000_000
COMMIT = "c" * 40


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "program.deb").write_bytes(b"package")
    (folder / "program.run").write_bytes(b"script")
    bill = sbom.document("assay-workbench", "1", EPOCH, licences.of_names(("click", "jinja2")), None)
    trust.write_json(folder / trust.SBOM, bill)
    made = provenance.statement(trust.artefacts(folder), COMMIT, EPOCH, "1", {"a.whl": "0" * 64})
    trust.write_json(folder / trust.PROVENANCE, made)
    trust.write_sums(folder)
    return folder


def wrong(folder: Path) -> list[str]:
    """What is wrong but for the signature, which wasn't checked."""
    return [one for one in check.problems(folder, None) if "signature" not in one]


def test_a_whole_release_goes_together_but_without_a_key_that_is_no_yes(release: Path) -> None:
    assert wrong(release) == []
    assert len(check.problems(release, None)) == 1


def test_a_changed_an_added_and_a_missing_file_are_named(release: Path) -> None:
    (release / "program.deb").write_bytes(b"Package")
    (release / "other.txt").write_text("added")
    (release / "program.run").unlink()
    assert [one.split(":")[0] for one in wrong(release)] == ["program.run", "other.txt", "program.deb"]


def test_sums_that_were_written_anew_disagree_with_the_provenance(release: Path) -> None:
    (release / "program.deb").write_bytes(b"Package")
    trust.write_sums(release)
    assert wrong(release) == ["program.deb: provenance.json names another digest or none."]


def test_provenance_without_a_commit_or_of_another_kind_is_refused(release: Path) -> None:
    content = json.loads((release / trust.PROVENANCE).read_text())
    content["predicate"]["buildDefinition"]["resolvedDependencies"] = []
    content["predicateType"] = "https://example.org/other"
    trust.write_json(release / trust.PROVENANCE, content)
    trust.write_sums(release)
    assert len(wrong(release)) == 2
    (release / trust.PROVENANCE).write_text("[]")
    trust.write_sums(release)
    assert wrong(release) == ["provenance.json isn't a statement of provenance."]


@pytest.mark.parametrize("line", ["x  program.deb", "0" * 64 + "  ../program.deb", "0" * 64 + "  .hidden"])
def test_sums_of_another_form_are_refused(release: Path, line: str) -> None:
    (release / trust.SUMS).write_text(line + "\n")
    assert wrong(release)[0].startswith("SHA256SUMS can't be read")


@pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign isn't installed")
def test_the_signature_is_checked_against_the_key_that_is_given(release: Path, tmp_path: Path) -> None:
    secret = trust.trial_key(release, tmp_path)
    trust.sign(release, secret, "for a test")
    key = release / trust.TRIAL_KEY
    assert check.problems(release, key) == []
    other = tmp_path / "other"
    other.mkdir()
    trust.trial_key(other, other)
    assert check.problems(release, other / trust.TRIAL_KEY) == [
        "The signature over SHA256SUMS isn't good under this key."
    ]
    (release / "program.deb").write_bytes(b"Package")
    trust.write_sums(release)
    assert "The signature over SHA256SUMS isn't good under this key." in check.problems(release, key)


def test_the_sbom_names_packages_with_licences_and_files_with_hashes(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libx.so.1").write_bytes(b"native")
    (tmp_path / "starter-embed.gguf").write_bytes(b"model")
    (tmp_path / "readme.txt").write_text("no component")
    found = sbom.document("assay-workbench", "1", EPOCH, licences.of_names(("click",)), tmp_path)
    parts = {one["name"]: one for one in found["components"]}
    assert parts["click"]["purl"] == f"pkg:pypi/click@{metadata.version('click')}"
    assert parts["click"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert parts["lib/libx.so.1"]["hashes"][0]["alg"] == "SHA-256"
    assert parts["starter-embed.gguf"]["type"] == "machine-learning-model"
    assert parts["starter-embed.gguf"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert "readme.txt" not in parts
    again = sbom.document("assay-workbench", "1", EPOCH, licences.of_names(("click",)), tmp_path)
    assert again == found


def test_licences_come_with_their_texts(tmp_path: Path) -> None:
    licences.write(licences.of_names(("click", "jinja2")), tmp_path)
    assert any((tmp_path / "click").iterdir())
    assert "click " in (tmp_path / "LIST.txt").read_text()


def test_a_wheelhouse_pins_each_wheel_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "Some_Thing-1.0-py3-none-any.whl").write_bytes(b"one")
    (tmp_path / "other-2-cp311-cp311-manylinux_2_28_x86_64.whl").write_bytes(b"two")
    lines = requirements(tmp_path).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["other==2", "some-thing==1.0"]
    assert lines[1].endswith("sha256:" + provenance.digest(tmp_path / "Some_Thing-1.0-py3-none-any.whl"))
    assert platform(tmp_path) == "linux_x86_64"
    (tmp_path / "some.thing-2.0-py3-none-any.whl").write_bytes(b"three")
    with pytest.raises(BuildProblem, match="two wheels"):
        requirements(tmp_path)
