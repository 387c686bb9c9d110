"""Vaults of every version ever released open in today's program, with all that was in them. `released/make.py` makes the next one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.records import kind
from core.vault import migrations, people, slots, users
from core.vault.check import check
from core.vault.records import Signature
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.conftest import PASSPHRASES

RELEASED = Path(__file__).resolve().parent / "released"
RELEASES = sorted(path.name for path in RELEASED.iterdir() if (path / "Study.assay").is_dir())


@pytest.fixture(params=RELEASES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the vault that a release left behind."""
    copied = tmp_path / "Study.assay"
    shutil.copytree(RELEASED / str(request.param) / "Study.assay", copied)
    return copied


@pytest.fixture
def bench(folder: Path) -> Iterator[Workbench]:
    with Workbench(Vault.open(folder, "ines", PASSPHRASES["ines"], SCHEMA)) as opened:
        yield opened


def test_there_is_a_vault_of_the_first_release() -> None:
    assert "0.1.0" in RELEASES


def test_it_opens_for_each_of_its_people_and_is_whole(folder: Path) -> None:
    for user, roles in (("tomas", ("reviewer",)), ("ines", ("admin", "author"))):
        with Vault.open(folder, user, PASSPHRASES[user], SCHEMA) as vault:
            assert vault.user.roles == roles
            assert check(vault) == ()
            with vault.read() as reader:
                known = {package.package: len(package.steps) for package in SCHEMA}
                assert known.items() <= migrations.versions(reader.db).items()


def test_its_content_is_there(bench: Workbench) -> None:
    with bench.vault.read() as reader:
        entries = reader.log(1000)
        assert [entry.act for entry in entries][:3] == ["create-vault", "add-user", "add-documents"]
        assert [entry.index for entry in entries] == list(range(len(entries)))
        signatures = [reader.get(digest, Signature) for digest in reader.find(kind(Signature))]
        assert [(s.meaning, s.name, s.reason) for s in signatures] == [
            ("authored", "Inês Duarte", "My own work"),
            ("approved", "Tomás Vidal", "Read against sheet 12"),
            ("approved", "Tomás Vidal", "The bound is what we agreed"),
        ]
        ((digest, document),) = bench.documents.list("sheets")
        assert reader.blob(document.content).endswith(b"The gate closes at nine.\n")
        assert "flash point" in bench.documents.text(digest, 1)
    approved = bench.prompts.show("cite@approved")
    assert (approved.prompt.reference, approved.labels) == ("cite@2", ("approved",))
    assert approved.prompt.messages[0].content.startswith("Answer in one sentence.")
    assert bench.prompts.show("cite@trial").prompt.number == 1
    assert [sample.id for sample in bench.datasets.show("samples").dataset.samples] == ["a", "b"]
    ((_, answer),) = bench.assistants.traces()
    assert answer.question.text == "When does the gate close?"
    run = bench.evals.show("run-1")
    assert len(bench.evals.outcomes("run-1")) == 6
    assert [variant.name for variant in run.run.variants] == ["cite@1 / fake", "cite@2 / fake", "quotes"]


def test_its_people_work_on_in_it(folder: Path, tmp_path: Path) -> None:
    with Workbench(Vault.open(folder, "ines", PASSPHRASES["ines"], SCHEMA)) as bench:
        assert bench.prompts.label("cite@1", "kept").labels == ("kept", "trial")
        bench.documents.remove(bench.documents.list("sheets")[0][0])
    with Vault.open(folder, "tomas", PASSPHRASES["tomas"], SCHEMA) as vault:
        assert check(vault) == ()


def test_its_people_are_changed_and_revoked_like_those_of_a_new_one(folder: Path) -> None:
    with Vault.open(folder, "ines", PASSPHRASES["ines"], SCHEMA) as vault:
        with vault.read() as reader:
            for user in vault.users():
                assert users.passphrase_changed(reader.db, user.user) == users.card(reader.db, user.card).valid_from
        with vault.confirm(PASSPHRASES["ines"]) as signer:
            people.revoke(vault, signer, "tomas", "left")
        assert check(vault) == ()
    assert (slots.read(folder).version, Vault.names(folder)) == (slots.FORMAT, ("ines",))
    Vault.open(folder, "ines", PASSPHRASES["ines"], SCHEMA).close()
